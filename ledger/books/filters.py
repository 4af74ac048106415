"""Filters of vouchers."""

import django_filters
from django.db.models import Exists, OuterRef

from contracts.models import Customer, Project
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, SearchFilter
from ledger.models import Account, LedgerEntry, ProjectTransaction, Voucher


class VoucherFilter(django_filters.FilterSet):
    q = SearchFilter("number", "text", placeholder="Number, text, invoice")  # the text names the invoice
    kind = ChoicesFilter(label="Kind", choices=Voucher.Kind.choices)
    account = RowFilter(label="Account", model=Account, method="with_entry")
    project = RowFilter(label="Project", model=Project, method="of_project")
    customer = RowFilter(label="Customer", model=Customer, method="with_entry")
    since = DayFilter(label="Accounting date from", field_name="date", lookup_expr="gte")
    until = DayFilter(label="Accounting date to", field_name="date", lookup_expr="lte")

    class Meta:
        model = Voucher
        fields = []

    def with_entry(self, rows, name, chosen):
        """Vouchers with an entry on that account, project or customer."""
        own = {"voucher": OuterRef("pk"), f"{name}__in": chosen.keys}
        return rows.filter(Exists(LedgerEntry.objects.filter(**own)))

    def of_project(self, rows, name, chosen):
        """Vouchers of the project in the general ledger or in the project subledger."""
        entries, others = (
            model.objects.filter(project__in=chosen.keys).order_by().values("voucher")
            for model in (LedgerEntry, ProjectTransaction)
        )
        return rows.filter(pk__in=entries.union(others))  # an OR of two EXISTS reads all vouchers
