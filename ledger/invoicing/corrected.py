"""The totals of an invoice and its corrections so far, from which the next correction starts (MON-4)."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from invoicing_site.floor import money
from invoicing_site.floor.querysets import ExactSum
from ledger.models import CustomerInvoice, InvoiceLine, InvoiceTax, LedgerEntry
from proforma.models import ProformaInvoice

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class BookedSum:
    """What is booked so far: a sum in the currency of the invoice, and in accounting currency."""

    amount: Decimal = _ZERO
    accounting: Decimal = _ZERO

    def __add__(self, other: "BookedSum") -> "BookedSum":
        return BookedSum(self.amount + other.amount, self.accounting + other.accounting)

    def changed_by(self, amount: Decimal, rate: Decimal, currency: str) -> Decimal:
        """The change in accounting currency: the new sum, converted, less the old amount (MON-4).

        So partial credits add up to what they credit, in any order. If the old sum is 0, it is the converted
        amount.
        """
        return money.converted(self.amount + amount, rate, currency) - self.accounting


@dataclass(frozen=True)
class Corrected:
    """The corrected invoice, its lines by detail, and its totals after all corrections so far."""

    invoice: CustomerInvoice
    lines: dict[int, InvoiceLine]
    taxes: list[InvoiceTax]
    total: BookedSum
    places: dict[tuple, BookedSum] = field(default_factory=dict)  # by account, dimensions and project

    def taxed(self, code_id: int, percent: Decimal, name: str) -> BookedSum:
        """The current `base` or `tax` of a code at a rate."""
        rows = (row for row in self.taxes if (row.tax_code_id, row.percent) == (code_id, percent))
        return sum(
            (BookedSum(getattr(row, name), getattr(row, f"accounting_{name}")) for row in rows), BookedSum()
        )


def load(proforma: ProformaInvoice) -> tuple[Corrected | None, ProformaInvoice | None]:
    """The invoice that the proforma corrects, or, if that is not posted, the proforma that it corrects."""
    if proforma.corrects_id is None:
        return None, None
    invoice = CustomerInvoice.objects.filter(proposal__proforma=proforma.corrects_id).first()
    if invoice is None:
        return None, proforma.corrects
    family = list(CustomerInvoice.objects.filter(proposal__proforma__in=_family(proforma)))
    taxes = InvoiceTax.objects.filter(invoice__in=family).order_by("pk").select_related("tax_code")
    return Corrected(
        invoice=invoice,
        lines={row.proposal_line.detail_id: row for row in invoice.lines.select_related("proposal_line")},
        taxes=list(taxes),
        total=sum((BookedSum(row.total, row.accounting_total) for row in family), BookedSum()),
        places=_places(invoice, family),
    ), None


def _places(invoice, family) -> dict[tuple, BookedSum]:
    """The credited amounts of each place at the rate of net amounts; accruals are reversed at their own."""
    keys, sides = ("account", "dimensions", "project"), ("credit", "debit")
    rows = (
        LedgerEntry.objects.filter(
            voucher__invoice__in=family,
            currency=invoice.currency,
            rate=invoice.net_rate,
            customer=None,
            tax_code=None,
        )
        .order_by(*keys)
        .values_list(*keys)
        .annotate(*(ExactSum(name) for name in (*sides, *(f"accounting_{side}" for side in sides))))
    )
    places = defaultdict(BookedSum)
    for *place, credit, debit, accounting_credit, accounting_debit in rows:
        places[tuple(place)] += BookedSum(credit - debit, accounting_credit - accounting_debit)
    return dict(places)


def _family(proforma) -> set[int]:
    """The first corrected invoice, and all corrections of it and of its corrections.

    One query for each step.
    """
    first = proforma
    while first.corrects_id:
        first = first.corrects
    family, newest = {first.pk}, {first.pk}
    while newest:
        newest = (
            set(ProformaInvoice.objects.filter(corrects__in=newest).values_list("pk", flat=True)) - family
        )
        family |= newest
    return family
