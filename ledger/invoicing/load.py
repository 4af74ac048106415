"""Loads all data of an invoice, for the plan and the checks.

The number of queries does not depend on the number of lines. Nothing is decided here: missing data is left
empty, and the checks report it.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Case, F, Max, Model, OuterRef, Subquery, When

from actuals.models import Actual, BillingType
from contracts.code_lists import UNIT_CODES
from contracts.models import (
    Category,
    ContractLine,
    Customer,
    LegalEntity,
    MilestonePart,
    NumberSequence,
    PaymentTerm,
    Product,
    Project,
    Resource,
    Retainer,
    Role,
    Task,
)
from contracts.rates import Rates
from invoicing_site.floor.querysets import ExactSum
from ledger.invoicing import disbursements
from ledger.invoicing.corrected import Corrected
from ledger.invoicing.corrected import load as load_corrected
from ledger.invoicing.disbursements import Disbursement
from ledger.invoicing.payment_terms import due_date
from ledger.invoicing.tax import TaxBook
from ledger.models import (
    Account,
    CustomerInvoice,
    DimensionSet,
    InvoiceLine,
    InvoiceProposal,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    ProposalLine,
    ProposalSection,
)
from ledger.setup.accounts import AccountBook, ProfileBook
from proforma.models import DetailActual, LineDetail, ProformaInvoice

_ZERO = Decimal(0)
_Kind = CustomerInvoice.Kind


class Billed(NamedTuple):
    """One billed sales actual that the invoice posts, and the line it is printed on, if any."""

    actual_id: int
    detail_id: int
    quantity: Decimal
    worth: Decimal
    billing_type: str
    retainer_id: int | None
    transaction_class: str
    category_id: int | None
    contract_line_id: int | None
    project_id: int | None
    line: ProposalLine | None = None

    @property
    def amount(self) -> Decimal:
        """The charged amount: 0 for non-chargeable and complimentary work."""
        return self.worth if self.billing_type == BillingType.CHARGEABLE else _ZERO

    @property
    def sort(self) -> tuple:
        """The key that decides where it is posted."""
        return self.transaction_class, self.category_id, self.contract_line_id, self.project_id


class MilestoneBilled(NamedTuple):
    """A billed part of a milestone, with the whole amount that it is a part of.

    The whole is the milestone if several customers share it, and the customer's share if that was split
    (MIL-2). For a milestone that one customer pays at once, it is the amount itself.
    """

    name: str
    amount: Decimal
    whole: Decimal


@dataclass(frozen=True)
class AccruedSum:
    """What the journal posted for the originals, by account, dimensions, project, currency and rate."""

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
    """The number sequence of one kind of document, and the date of its last number."""

    sequence: NumberSequence
    last_date: datetime.date | None


@dataclass
class InvoiceFacts:
    """One proposal with all data that its invoice prints and posts."""

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
    links: list[DetailActual]  # all actuals that confirming created, billed or not
    contract_lines: dict[int, ContractLine]
    named: dict[
        str, dict[int, Model | MilestoneBilled]
    ]  # the rows that lines and actuals refer to, by field and key
    accrued: list[AccruedSum]
    accrued_transactions: list[ProjectTransaction]
    disbursements: dict[int, Disbursement]  # by detail
    unbooked_disbursements: list[Actual]
    tax_book: TaxBook
    accounts: AccountBook
    profiles: ProfileBook
    rates: Rates
    series: dict[str, Series]
    unit_codes: dict[str, str]
    corrected: Corrected | None = None
    unposted: ProformaInvoice | None = None  # what it corrects, if that has no invoice

    @property
    def contract(self):
        return self.proforma.contract

    @property
    def contract_customer(self):
        return self.proforma.contract_customer

    @property
    def currency(self) -> str:
        return self.proforma.currency

    def corrected_line(self, detail: LineDetail) -> InvoiceLine | None:
        """The line of the corrected invoice that the detail corrects (COR-3); None if it corrects none."""
        return self.corrected.lines.get(detail.corrects_id) if self.corrected else None

    def the(self, name: str, key: int | None):
        """The project, role, category … of that key; None if the key is None."""
        return self.named[name].get(key)

    def series_of(self, kind: str) -> Series | None:
        """The number sequence of that kind; credit notes use that of invoices if they have none."""
        return self.series.get(kind) or self.series.get(_Kind.INVOICE)

    @classmethod
    def load(cls, proposal: InvoiceProposal, *, on: datetime.date) -> "InvoiceFacts":
        """Load it all; `on` is the invoice date if the proposal has none."""
        proforma = ProformaInvoice.objects.select_related(
            "entity__logo",
            "contract",
            "customer",
            "contract_customer__customer",
            "payment_term",
        ).get(pk=proposal.proforma_id)
        entity = proforma.entity
        term = proforma.payment_term
        invoice_date = proposal.invoice_date or on
        lines = lines_of(proposal)
        billed = _billed(proforma, lines)
        contract_lines = ContractLine.objects.filter(contract=proforma.contract_id).in_bulk()
        corrected, unposted = load_corrected(proforma)
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
            billed=billed,
            links=list(DetailActual.objects.filter(detail__line__proforma=proforma).select_related("actual")),
            contract_lines=contract_lines,
            named=_named(proposal, lines, billed, contract_lines.values()),
            accrued=_accrued(proforma),
            accrued_transactions=list(
                ProjectTransaction.objects.filter(voucher__journal_line__in=journalled(proforma))
            ),
            disbursements=disbursements.load(proforma),
            unbooked_disbursements=disbursements.unbooked(proforma),
            tax_book=TaxBook.load(entity),
            accounts=AccountBook.load(entity),
            profiles=ProfileBook.load(entity),
            rates=Rates.load(entity),
            series=_series(entity),
            unit_codes=UNIT_CODES | dict(entity.measure_units.values_list("unit", "code")),
            corrected=corrected,
            unposted=unposted,
        )


def accounting_date(proposal: InvoiceProposal, *, on: datetime.date) -> datetime.date:
    """The accounting date of its voucher: the proposal's own, or the invoice date (PRP-8)."""
    return proposal.accounting_date or proposal.invoice_date or on


def lines_of(proposal: InvoiceProposal) -> list[ProposalLine]:
    """Its lines in the order in which they are printed, with their details."""
    lines = ProposalLine.objects.filter(proposal=proposal).select_related("detail")
    return list(lines.order_by("section__number", "number"))


def originals(proforma: ProformaInvoice | int):
    """The unbilled sales that it bills and the journal posts; added details have none (PRP-1)."""
    return Actual.objects.filter(
        backlog_item__detail__line__proforma=proforma,
        type=Actual.Type.UNBILLED_SALES,
        booked_by=Actual.BookedBy.JOURNAL,
    )


def journalled(proforma: ProformaInvoice | int):
    """The posted journal lines of its originals."""
    # Joined, not `actual__in=originals(…)`: that makes PostgreSQL read all posted lines.
    return JournalLine.objects.posted().filter(
        actual__backlog_item__detail__line__proforma=proforma,
        actual__type=Actual.Type.UNBILLED_SALES,
        actual__booked_by=Actual.BookedBy.JOURNAL,
    )


_OF_ACTUAL = Billed._fields[2:-1]


def _billed(proforma, lines) -> list[Billed]:
    line_of = {line.detail_id: line for line in lines}
    columns = ("amount" if name == "worth" else name for name in _OF_ACTUAL)
    rows = (
        DetailActual.objects.filter(
            detail__line__proforma=proforma,
            actual__type=Actual.Type.BILLED_SALES,
            actual__booked_by=Actual.BookedBy.INVOICE,
        )
        .order_by("pk")
        .values_list("actual_id", "detail_id", *(f"actual__{column}" for column in columns))
    )
    return [Billed(*row, line=line_of.get(row[1])) for row in rows]


def _named(proposal, lines, billed, contract_lines) -> dict[str, dict[int, Model | MilestoneBilled]]:
    """Each named row, read once."""
    details = [line.detail for line in lines]

    def keys(name, *rows):
        return {key for row in (*details, *rows) if (key := getattr(row, name))}

    projects = {line.project_id for line in contract_lines} | keys("project_id", *billed)
    dimensions = {line.dimensions_id for line in lines if line.dimensions_id}
    return {
        "section": ProposalSection.objects.filter(proposal=proposal).in_bulk(),
        "dimensions": DimensionSet.objects.in_bulk(dimensions),
        "project": Project.objects.in_bulk(projects),
        "task": Task.objects.in_bulk(keys("task_id")),
        "resource": Resource.objects.in_bulk(keys("resource_id")),
        "role": Role.objects.in_bulk(keys("role_id")),
        "category": Category.objects.in_bulk(keys("category_id", *billed)),
        "product": Product.objects.in_bulk(keys("product_id")),
        "retainer": Retainer.objects.in_bulk({row.retainer_id for row in billed if row.retainer_id}),
        "milestone": _milestones(proposal.proforma_id),
    }


def _milestones(proforma: int) -> dict[int, MilestoneBilled]:
    """By backlog item."""
    share = MilestonePart.objects.filter(
        milestone=OuterRef("milestone"), contract_customer=OuterRef("contract_customer"), split_from=None
    )
    parts = MilestonePart.objects.filter(backlog_item__detail__line__proforma=proforma).annotate(
        whole=Case(
            When(split_from=None, then=F("milestone__amount")), default=Subquery(share.values("amount"))
        )
    )
    rows = parts.values_list("backlog_item", "milestone__name", "amount", "whole")
    return {item: MilestoneBilled(*of) for item, *of in rows}


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
