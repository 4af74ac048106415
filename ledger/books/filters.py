"""Filters of vouchers."""

import django_filters
from django.db.models import Exists, OuterRef

from contracts.models import Customer, Project
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, RowFilter, SearchFilter
from ledger.models import Account, LedgerEntry, ProjectTransaction, Voucher


class VoucherFilter(django_filters.FilterSet):
    q = SearchFilter("number", "text", "invoice__number", placeholder="Number, text, invoice")
    kind = ChoicesFilter(label="Kind", choices=Voucher.Kind.choices)
    account = RowFilter(label="Account", model=Account, method="with_entry")
    project = RowFilter(label="Project", model=Project, method="of_project")
    customer = RowFilter(label="Customer", model=Customer, method="with_entry")
    since = DayFilter(label="Accounting date from", field_name="date", lookup_expr="gte")
    until = DayFilter(label="Accounting date to", field_name="date", lookup_expr="lte")

    class Meta:
        model = Voucher
        fields = []

    def with_entry(self, rows, name, value):
        """Vouchers with an entry on that account, project or customer."""
        return rows.filter(Exists(LedgerEntry.objects.filter(voucher=OuterRef("pk"), **{name: value})))

    def of_project(self, rows, name, value):
        """Vouchers of the project in the general ledger or in the project subledger."""
        own = {"voucher": OuterRef("pk"), "project": value}
        return rows.filter(
            Exists(LedgerEntry.objects.filter(**own)) | Exists(ProjectTransaction.objects.filter(**own))
        )
