"""Loads all data of an invoice, for the plan and the checks.

The number of queries depends neither on the number of lines nor on the number of proposals. Nothing is
decided here: what is missing is left empty, and the checks find it.
"""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Case, F, Model, OuterRef, Subquery, When

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
from invoicing_site.floor.querysets import by_keys
from ledger.books import chain
from ledger.books.periods import PeriodBook
from ledger.invoicing import disbursements
from ledger.invoicing.claims import claimed_by, claims_of
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
    LedgerEntry,
    ProjectTransaction,
    ProposalLine,
    ProposalSection,
)
from ledger.setup.accounts import AccountBook, ProfileBook
from proforma.models import DetailActual, LineDetail, ProformaInvoice
from proforma.orders import Order, counts, load_orders

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


_PlainActual = chain.plain(Actual)


class Link(NamedTuple):
    """An actual that confirming created, with its detail: a row of `DetailActual`."""

    id: int
    detail_id: int
    actual_id: int
    part: str
    actual: Any
    stored_as = DetailActual


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
    """The sums posted by journals for the originals, by account, dimensions, project, currency and rate."""

    account: Account
    dimensions: DimensionSet | None
    project: Project | None
    currency: str
    rate: Decimal
    debit: Decimal
    credit: Decimal
    accounting_debit: Decimal
    accounting_credit: Decimal


class AccruedTransaction(NamedTuple):
    """A row of the project subledger that the journal posted for an original."""

    project_id: int
    contract_line_id: int | None
    actual_id: int | None
    kind: str
    transaction_class: str
    quantity: Decimal
    amount: Decimal
    currency: str
    accounting_amount: Decimal
    in_balance: bool


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
    links: list[Link]  # all actuals that confirming created, billed or not
    contract_lines: dict[int, ContractLine]
    named: dict[
        str, dict[int, Model | MilestoneBilled]
    ]  # the rows that lines and actuals refer to, by field and key
    accrued: list[AccruedSum]
    accrued_transactions: list[AccruedTransaction]
    disbursements: dict[int, Disbursement]  # by detail
    unbooked_disbursements: list[Actual]
    tax_book: TaxBook
    accounts: AccountBook
    profiles: ProfileBook
    rates: Rates
    series: dict[str, Series]
    unit_codes: dict[str, str]
    periods: PeriodBook
    orders: list[Order]  # of the contract customer
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

    @property
    def under_order(self) -> list[tuple[datetime.date, Decimal]]:
        """The dates and amounts of what counts under an order."""
        return [(row.actual.date, row.actual.amount) for row in self.links if counts(row.actual)]

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
        return load_all([proposal], on=on)[proposal.pk]


def load_all(proposals: Sequence[InvoiceProposal], *, on: datetime.date) -> dict[int, InvoiceFacts]:
    """The facts of these proposals of one entity, by key; `on` is the invoice date of those without one.

    The set-up of the entity is read once and shared, and so are the named rows.
    """
    proformas = ProformaInvoice.objects.select_related(
        "entity__logo", "contract", "customer", "contract_customer__customer", "payment_term"
    ).in_bulk([proposal.proforma_id for proposal in proposals])
    if not proformas:
        return {}
    entity = next(iter(proformas.values())).entity
    today = entity.today()
    lines = _lines(proposals)
    details = claimed_by(proformas)
    links = _links(details, proformas)
    billed = {proposal.pk: _billed(links[proposal.proforma_id], lines[proposal.pk]) for proposal in proposals}
    contract_lines: dict[int, dict[int, ContractLine]] = defaultdict(dict)
    contracts = {proforma.contract_id for proforma in proformas.values()}
    for line in ContractLine.objects.filter(contract__in=contracts):
        contract_lines[line.contract_id][line.pk] = line
    claims = claims_of(details)
    accrued, accrued_transactions = _accrued(claims)
    unbooked = disbursements.unbooked(claims)
    shared: dict[str, Any] = {
        "entity": entity,
        "today": today,
        "named": _named(proposals, lines, billed, contract_lines, details),
        "disbursements": disbursements.load(claims, entity),
        "tax_book": TaxBook.load(entity),
        "accounts": AccountBook.load(entity),
        "profiles": ProfileBook.load(entity),
        "rates": Rates.load(entity),
        "series": _series(entity),
        "periods": PeriodBook.load(entity),
        "unit_codes": UNIT_CODES | dict(entity.measure_units.values_list("unit", "code")),
    }
    orders = load_orders(
        contracts, customers=[proforma.contract_customer_id for proforma in proformas.values()]
    )
    found = {}
    for proposal in proposals:
        proforma = proformas[proposal.proforma_id]
        term = proforma.payment_term
        invoice_date = proposal.invoice_date or on
        corrected, unposted = load_corrected(proforma)
        found[proposal.pk] = InvoiceFacts(
            proposal=proposal,
            proforma=proforma,
            customer=proforma.customer,
            payment_term=term,
            invoice_date=invoice_date,
            accounting_date=accounting_date(proposal, on=on),
            due_date=proposal.due_date or due_date(term, invoice_date),
            lines=lines[proposal.pk],
            billed=billed[proposal.pk],
            links=links[proforma.pk],
            contract_lines=contract_lines[proforma.contract_id],
            accrued=accrued.get(proforma.pk, []),
            accrued_transactions=accrued_transactions.get(proforma.pk, []),
            unbooked_disbursements=unbooked.get(proforma.pk, []),
            orders=[order for order in orders if order.contract_customer_id == proforma.contract_customer_id],
            corrected=corrected,
            unposted=unposted,
            **shared,
        )
    return found


def accounting_date(proposal: InvoiceProposal, *, on: datetime.date) -> datetime.date:
    """The accounting date of its voucher: the proposal's own, or the invoice date (PRP-8)."""
    return proposal.accounting_date or proposal.invoice_date or on


def _lines(proposals) -> dict[int, list[ProposalLine]]:
    """The lines of each proposal in the order in which they are printed, with their details."""
    lines = ProposalLine.objects.filter(proposal__in=proposals).select_related("detail")
    found: dict[int, list[ProposalLine]] = {proposal.pk: [] for proposal in proposals}
    for line in lines.order_by("section__number", "number"):
        found[line.proposal_id].append(line)
    return found


def _links(details, proformas) -> dict[int, list[Link]]:
    """All actuals that confirming created, by proforma."""
    proforma_of = {detail.detail_id: detail.proforma_id for detail in details}
    found: dict[int, list[Link]] = {key: [] for key in proformas}
    columns = ("id", "detail_id", "actual_id", "part", *(f"actual__{name}" for name in _PlainActual._fields))
    links = DetailActual.objects.order_by("pk").values_list(*columns)
    for key, detail, actual, part, *row in by_keys(links, "detail", proforma_of):
        found[proforma_of[detail]].append(Link(key, detail, actual, part, _PlainActual(*row)))
    return found


_OF_ACTUAL = ["amount" if name == "worth" else name for name in Billed._fields[2:-1]]


def _billed(links, lines) -> list[Billed]:
    line_of = {line.detail_id: line for line in lines}
    return [
        Billed(
            link.actual_id,
            link.detail_id,
            *(getattr(link.actual, name) for name in _OF_ACTUAL),
            line=line_of.get(link.detail_id),
        )
        for link in links
        if link.actual.type == Actual.Type.BILLED_SALES and link.actual.booked_by == Actual.BookedBy.INVOICE
    ]


def _named(
    proposals, lines, billed, contract_lines, claimed
) -> dict[str, dict[int, Model | MilestoneBilled]]:
    """Each named row, read once."""
    lines = [line for of in lines.values() for line in of]
    details = [line.detail for line in lines]
    billed = [row for of in billed.values() for row in of]

    def keys(name, *rows):
        return {key for row in (*details, *rows) if (key := getattr(row, name))}

    projects = {line.project_id for of in contract_lines.values() for line in of.values()}
    dimensions = {line.dimensions_id for line in lines if line.dimensions_id}
    sections = ProposalSection.objects.filter(proposal__in=proposals)
    return {
        "section": {section.pk: section for section in sections},
        "dimensions": DimensionSet.objects.in_bulk(dimensions),
        "project": Project.objects.in_bulk(projects | keys("project_id", *billed)),
        "task": Task.objects.in_bulk(keys("task_id")),
        "resource": Resource.objects.in_bulk(keys("resource_id")),
        "role": Role.objects.in_bulk(keys("role_id")),
        "category": Category.objects.in_bulk(keys("category_id", *billed)),
        "product": Product.objects.in_bulk(keys("product_id")),
        "retainer": Retainer.objects.in_bulk({row.retainer_id for row in billed if row.retainer_id}),
        "milestone": _milestones(claimed),
    }


def _milestones(details) -> dict[int, MilestoneBilled]:
    """By backlog item."""
    item_of = {detail.milestone_part_id: detail.item_id for detail in details if detail.milestone_part_id}
    share = MilestonePart.objects.filter(
        milestone=OuterRef("milestone"), contract_customer=OuterRef("contract_customer"), split_from=None
    )
    parts = MilestonePart.objects.annotate(
        whole=Case(
            When(split_from=None, then=F("milestone__amount")), default=Subquery(share.values("amount"))
        )
    )
    rows = by_keys(parts.values_list("pk", "milestone__name", "amount", "whole"), "pk", item_of)
    return {item_of[part]: MilestoneBilled(*of) for part, *of in rows}


_PLACE = ("account", "dimensions", "project", "currency", "rate")
_SIDES = ("debit", "credit", "accounting_debit", "accounting_credit")


def _accrued(claims) -> tuple[dict[int, list[AccruedSum]], dict[int, list[AccruedTransaction]]]:
    """The postings of journals for the originals of each proforma: entries, and project transactions."""
    proforma_of = {claim.voucher_id: claim.proforma_id for claim in claims if claim.voucher_id}
    sums: dict[tuple, list[Decimal]] = {}
    entries = LedgerEntry.objects.order_by().values_list("voucher", *_PLACE, *_SIDES)
    for voucher, *rest in by_keys(entries, "voucher", proforma_of):
        place, amounts = (proforma_of[voucher], *rest[: len(_PLACE)]), rest[len(_PLACE) :]
        before = sums.get(place)
        sums[place] = [a + b for a, b in zip(before, amounts, strict=True)] if before else amounts
    accounts = Account.objects.in_bulk({place[1] for place in sums})
    dimensions = DimensionSet.objects.in_bulk({place[2] for place in sums if place[2]})
    projects = Project.objects.in_bulk({place[3] for place in sums if place[3]})

    def in_order(place):
        _, account, *keys, currency, rate = place
        return accounts[account].number, account, *((key is None, key or 0) for key in keys), currency, rate

    accrued = defaultdict(list)
    for place in sorted(sums, key=in_order):
        proforma, account, dimension, project, currency, rate = place
        accrued[proforma].append(
            AccruedSum(
                account=accounts[account],
                dimensions=dimensions.get(dimension),
                project=projects.get(project),
                currency=currency,
                rate=rate,
                **dict(zip(_SIDES, sums[place], strict=True)),
            )
        )
    transactions = defaultdict(list)
    rows = ProjectTransaction.objects.order_by("pk").values_list("voucher", *AccruedTransaction._fields)
    for voucher, *values in by_keys(rows, "voucher", proforma_of):
        transactions[proforma_of[voucher]].append(AccruedTransaction(*values))
    return accrued, transactions


def _series(entity) -> dict[str, Series]:
    sequences = NumberSequence.objects.filter(entity=entity, kind__in=[_Kind.INVOICE, _Kind.CREDIT_NOTE])
    found = {}
    for sequence in sequences.select_related("entity").prefetch_related("counters"):
        days = [counter.last_date for counter in sequence.counters.all() if counter.last_date]
        found[sequence.kind] = Series(sequence, max(days, default=None))
    return found
