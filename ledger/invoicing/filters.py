"""Filters of proposals and their lines."""

import django_filters

from contracts.models import Customer, ProjectContract
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import ChoicesFilter, SearchFilter
from ledger.models import InvoiceProposal

_Status = InvoiceProposal.Status


class ProposalFilter(django_filters.FilterSet):
    q = SearchFilter(
        "number",
        "proforma__customer__name",
        "proforma__contract__code",
        "proforma__contract__name",
        "invoice__number",
        placeholder="Number, customer, contract",
    )
    open = django_filters.ChoiceFilter(
        label="Posted",
        choices=(("1", "Not posted"), ("0", "Posted")),
        method="filter_open",
        empty_label="All",
    )
    status = ChoicesFilter(label="Status", choices=_Status.choices)
    blocked = django_filters.ChoiceFilter(
        label="Waiting for journals",
        choices=(("yes", "Waiting"), ("no", "Not waiting")),
        method="filter_blocked",
        empty_label="All",
    )
    customer = RowFilter(label="Customer", model=Customer, field_name="proforma__customer")
    contract = RowFilter(label="Contract", model=ProjectContract, field_name="proforma__contract")

    class Meta:
        model = InvoiceProposal
        fields = []

    def filter_open(self, rows, name, value):
        return rows.unsettled() if value == "1" else rows.filter(status=_Status.POSTED)

    def filter_blocked(self, rows, name, value):
        waiting = {"status": _Status.BLOCKED}
        return rows.filter(**waiting) if value == "yes" else rows.exclude(**waiting)


class ProposalLineFilter(django_filters.FilterSet):
    q = SearchFilter(
        "detail__description",
        "detail__project__code",
        "detail__resource__name",
        placeholder="Description, project, person",
    )
    section = RowFilter(label="Section", queryset=lambda request: request.sections, empty_label="All")
    missing = django_filters.ChoiceFilter(
        label="Tax group missing",
        choices=(("yes", "Missing"),),
        method="filter_missing",
        empty_label="All lines",
    )
    differs = django_filters.ChoiceFilter(
        label="Tax differs from the draft",
        choices=(("yes", "Differs"),),
        method="filter_differs",
        empty_label="All lines",
    )

    def filter_missing(self, rows, name, value):
        return rows.filter(billing_tax_group=None) | rows.filter(item_tax_group=None)

    def filter_differs(self, rows, name, value):
        return rows.filter(differs=True)
