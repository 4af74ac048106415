"""Filters of posted invoices, and their open amounts."""

import django_filters
from django.db.models import DecimalField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Round

from contracts.models import Customer, ProjectContract
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, SearchFilter
from ledger.models import CustomerInvoice, CustomerTransaction, Settlement

_AMOUNT = DecimalField(max_digits=30, decimal_places=4)
_ZERO = 0


def with_open_amount(invoices):
    """Add `open_amount` to each invoice: the rest of its customer transaction after all settlements.

    Positive amounts are receivable, negative ones payable; None if there is no such transaction.
    """
    return invoices.annotate(open_amount=Subquery(_left().values("left")[:1], output_field=_AMOUNT))


def _left():
    """The customer transactions of an outer invoice's voucher, each with its open amount."""
    rows = CustomerTransaction.objects.filter(voucher=OuterRef("voucher")).order_by("pk")
    settled = _settled("debit"), _settled("credit")
    return rows.annotate(
        left=Round(
            Coalesce("amount", _ZERO, output_field=_AMOUNT) - settled[0] + settled[1],
            precision=4,
            output_field=_AMOUNT,
        )
    )


def _settled(side):
    rows = Settlement.objects.filter(**{side: OuterRef("pk")}).order_by().values(side)
    return Coalesce(
        Subquery(rows.annotate(exact=ExactSum("amount")).values("exact")), _ZERO, output_field=_AMOUNT
    )


class InvoiceFilter(django_filters.FilterSet):
    q = SearchFilter(
        "number",
        "buyer_name",
        "buyer_number",
        "contract_code",
        "contract_name",
        "order_reference",
        "payment_reference",
        placeholder="Number, customer, contract",
    )
    kind = ChoicesFilter(label="Kind", choices=CustomerInvoice.Kind.choices)
    customer = RowFilter(label="Customer", model=Customer)
    contract = RowFilter(label="Contract", model=ProjectContract, field_name="contract_customer__contract")
    since = DayFilter(label="Invoice date from", field_name="invoice_date", lookup_expr="gte")
    until = DayFilter(label="Invoice date to", field_name="invoice_date", lookup_expr="lte")
    due_until = DayFilter(label="Due up to", field_name="due_date", lookup_expr="lte")
    paid = django_filters.ChoiceFilter(
        label="Settled",
        choices=(("overdue", "Open and overdue"), ("open", "Open"), ("settled", "Settled")),
        method="filter_paid",
        empty_label="All",
    )

    class Meta:
        model = CustomerInvoice
        fields = []

    def filter_paid(self, rows, name, value):
        rows = with_open_amount(rows)
        if value == "settled":
            return rows.filter(open_amount=0)
        rows = rows.filter(~Q(open_amount=0), open_amount__isnull=False)
        if value == "overdue":
            rows = rows.filter(due_date__lt=self.request.entity.today(), open_amount__gt=0)
        return rows
