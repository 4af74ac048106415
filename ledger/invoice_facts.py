"""Everything an invoice is made from, read at once: what the plan and the checks look at.

A constant number of queries, however many lines there are. Nothing here is decided; what is missing is left
empty, and the checks say so.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max

from actuals.models import Actual, BillingType
from contracts.models import ContractLine, Customer, LegalEntity, NumberSequence, PaymentTerm, Project
from contracts.rates import Rates
from invoicing_site.querysets import ExactSum
from ledger.accounts import AccountBook, ProfileBook
from ledger.models import (
    Account,
    CustomerInvoice,
    DimensionSet,
    InvoiceProposal,
    InvoiceTax,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    ProposalLine,
)
from ledger.payment_terms import due_date
from ledger.tax import TaxBook
from proforma.models import DetailActual, ProformaInvoice

_Kind = CustomerInvoice.Kind


@dataclass(frozen=True)
class Billed:
    """One billed sales actual that the invoice books, and the line it is printed on, if any."""

    actual: Actual
    line: ProposalLine | None

    @property
    def amount(self) -> Decimal:
        """What is charged for it; non-chargeable and complimentary work is charged at nothing."""
        return self.actual.amount if self.actual.billing_type == BillingType.CHARGEABLE else Decimal(0)


@dataclass(frozen=True)
class AccruedSum:
    """What the journal posted for the originals, summed up by where and at which rate it stands."""

    account: Account
    dimensions: DimensionSet | None
    project: Project | None
    currency: str
    rate: Decimal
    debit: Decimal
    credit: Decimal
    accounting_debit: Decimal
    accounting_credit: Decimal


@dataclass(frozen=True)
class Series:
    """The number sequence of one kind of document, and the last date it gave a number to."""

    sequence: NumberSequence
    last_date: datetime.date | None


@dataclass(frozen=True)
class Corrected:
    """The invoice that is corrected, and the taxes of it and of all its corrections so far (MON-4)."""

    invoice: CustomerInvoice
    standing: list[InvoiceTax]


@dataclass
class InvoiceFacts:
    """One proposal with all that its invoice will say and book."""

    proposal: InvoiceProposal
    proforma: ProformaInvoice
    entity: LegalEntity
    customer: Customer
    payment_term: PaymentTerm | None
    today: datetime.date
    invoice_date: datetime.date
    accounting_date: datetime.date
    due_date: datetime.date
    lines: list[ProposalLine]
    billed: list[Billed]
    links: list[DetailActual]  # all facts that confirming made, billed or not
    contract_lines: dict[int, ContractLine]
    accrued: list[AccruedSum]
    accrued_transactions: list[ProjectTransaction]
    tax_book: TaxBook
    accounts: AccountBook
    profiles: ProfileBook
    rates: Rates
    series: dict[str, Series]
    corrected: Corrected | None = None
    unposted: ProformaInvoice | None = None  # what it corrects, where that has no invoice

    @property
    def contract(self):
        return self.proforma.contract

    @property
    def contract_customer(self):
        return self.proforma.contract_customer

    @property
    def currency(self) -> str:
        return self.proforma.currency

    @property
    def tax_date(self) -> datetime.date:
        """The day whose tax rates count: a correction keeps those of what it corrects (COR-3)."""
        return self.corrected.invoice.invoice_date if self.corrected else self.invoice_date

    def series_of(self, kind: str) -> Series | None:
        """The numbers of that kind; credit notes take the invoices' where they have none of their own."""
        return self.series.get(kind) or self.series.get(_Kind.INVOICE)

    @classmethod
    def load(cls, proposal: InvoiceProposal, *, on: datetime.date) -> "InvoiceFacts":
        """Read it all; `on` is the invoice date where the proposal names none."""
        proforma = ProformaInvoice.objects.select_related(
            "entity__logo",
            "contract",
            "customer__payment_term",
            "contract_customer__payment_term",
            "payment_term",
        ).get(pk=proposal.proforma_id)
        entity = proforma.entity
        term = (
            proforma.payment_term or proforma.contract_customer.payment_term or proforma.customer.payment_term
        )
        invoice_date = proposal.invoice_date or on
        lines = lines_of(proposal)
        corrected, unposted = _corrected(proforma)
        return cls(
            proposal=proposal,
            proforma=proforma,
            entity=entity,
            customer=proforma.customer,
            payment_term=term,
            today=entity.today(),
            invoice_date=invoice_date,
            accounting_date=accounting_date(proposal, on=on),
            due_date=proposal.due_date or due_date(term, invoice_date),
            lines=lines,
            billed=_billed(proforma, lines),
            links=list(DetailActual.objects.filter(detail__line__proforma=proforma)),
            contract_lines={
                line.pk: line
                for line in ContractLine.objects.filter(contract=proforma.contract_id).select_related(
                    "project"
                )
            },
            accrued=_accrued(proforma),
            accrued_transactions=list(
                ProjectTransaction.objects.filter(voucher__journal_line__in=journalled(proforma))
            ),
            tax_book=TaxBook.load(entity),
            accounts=AccountBook.load(entity),
            profiles=ProfileBook.load(entity),
            rates=Rates.load(entity),
            series=_series(entity),
            corrected=corrected,
            unposted=unposted,
        )


def accounting_date(proposal: InvoiceProposal, *, on: datetime.date) -> datetime.date:
    """The day its voucher is booked on: the proposal's own, or the invoice date (PRP-8)."""
    return proposal.accounting_date or proposal.invoice_date or on


def lines_of(proposal: InvoiceProposal) -> list[ProposalLine]:
    """Its lines in the order in which they are printed, with everything they name."""
    return list(
        ProposalLine.objects.filter(proposal=proposal)
        .select_related(
            "section",
            "billing_tax_group",
            "item_tax_group",
            "dimensions",
            "detail__project",
            "detail__task",
            "detail__resource",
            "detail__role",
            "detail__category",
            "detail__product",
            "detail__backlog_item__milestone_part__milestone",
        )
        .order_by("section__number", "number")
    )


def originals(proforma: ProformaInvoice | int):
    """The unbilled sales it bills that the journal books; what was added by hand has none (PRP-1)."""
    return Actual.objects.filter(
        backlog_item__detail__line__proforma=proforma,
        type=Actual.Type.UNBILLED_SALES,
        booked_by=Actual.BookedBy.JOURNAL,
    )


def journalled(proforma: ProformaInvoice | int):
    """The posted journal lines of its originals."""
    return JournalLine.objects.posted().filter(actual__in=originals(proforma))


def _billed(proforma, lines) -> list[Billed]:
    line_of = {line.detail_id: line for line in lines}
    links = (
        DetailActual.objects.filter(
            detail__line__proforma=proforma,
            actual__type=Actual.Type.BILLED_SALES,
            actual__booked_by=Actual.BookedBy.INVOICE,
        )
        .select_related("actual__category", "actual__project", "actual__retainer")
        .order_by("pk")
    )
    return [Billed(link.actual, line_of.get(link.detail_id)) for link in links]


_PLACE = ("account", "dimensions", "project", "currency", "rate")
_SIDES = ("debit", "credit", "accounting_debit", "accounting_credit")


def _accrued(proforma) -> list[AccruedSum]:
    sums = (
        LedgerEntry.objects.filter(voucher__journal_line__in=journalled(proforma))
        .order_by("account__number", *_PLACE)
        .values(*_PLACE)
        .annotate(**{f"sum_of_{side}": ExactSum(side) for side in _SIDES})
    )
    sums = list(sums)
    accounts = Account.objects.in_bulk({row["account"] for row in sums})
    dimensions = DimensionSet.objects.in_bulk({row["dimensions"] for row in sums if row["dimensions"]})
    projects = Project.objects.in_bulk({row["project"] for row in sums if row["project"]})
    return [
        AccruedSum(
            account=accounts[row["account"]],
            dimensions=dimensions.get(row["dimensions"]),
            project=projects.get(row["project"]),
            currency=row["currency"],
            rate=row["rate"],
            **{side: row[f"sum_of_{side}"] for side in _SIDES},
        )
        for row in sums
    ]


def _series(entity) -> dict[str, Series]:
    sequences = NumberSequence.objects.filter(
        entity=entity, kind__in=[_Kind.INVOICE, _Kind.CREDIT_NOTE]
    ).annotate(last_date=Max("counters__last_date"))
    return {sequence.kind: Series(sequence, sequence.last_date) for sequence in sequences}


def _corrected(proforma) -> tuple[Corrected | None, ProformaInvoice | None]:
    if proforma.corrects_id is None:
        return None, None
    invoice = CustomerInvoice.objects.filter(proposal__proforma=proforma.corrects_id).first()
    if invoice is None:
        return None, proforma.corrects
    taxes = InvoiceTax.objects.filter(invoice__proposal__proforma__in=_family(proforma))
    return Corrected(invoice, list(taxes.select_related("tax_code"))), None


def _family(proforma) -> set[int]:
    """The invoice that was corrected first, and all corrections of it and of each other, one query a step."""
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


def first_of(lines: Iterable[ProposalLine], key) -> dict:
    """The first line for each value of `key`, in order: what a check names when many lines want the same."""
    found: dict = {}
    for line in lines:
        found.setdefault(key(line), line)
    return found
