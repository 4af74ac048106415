"""The performance of contracts and their lines: value, worked, open, on drafts, billed, left (CON-8, BKL-3).

Amounts are in the contract's currency. Only chargeable work counts, without retainers and tax: a retainer is
not part of the contract's value. The amounts of the lines add up to those of their contract.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal

from django.db.models import Count, Max, Min, Q

from actuals.models import Actual, Batch, BillingType
from backlog.models import BacklogItem
from backlog.not_to_exceed import Level, LimitBook
from contracts.models import (
    ContractLine,
    ContractRevision,
    ProjectContract,
    ScheduleEntry,
    TransactionClass,
)
from invoicing_site.floor.querysets import ExactSum, lacks, totals
from proforma.models import LineDetail, ProformaInvoice

_ZERO = Decimal(0)
_Status = BacklogItem.Status
_LimitStatus = BacklogItem.LimitStatus
_CHARGEABLE = BillingType.CHARGEABLE
_FIXED_PRICE = ContractLine.BillingMethod.FIXED_PRICE
_NEVER_COUNT = [TransactionClass.RETAINER, TransactionClass.TAX]


@dataclass(frozen=True, kw_only=True)
class Performance:
    """The amounts of a contract or of one of its lines, in the contract's currency.

    value: the contract amount of a fixed price, else the estimate; None if there is none, and for a contract
        if one of its lines has none.
    worked_hours: for time and material the hours approved for billing, chargeable or not; for a fixed price
        the hours of its cost.
    worked_sales, not_charged: all unbilled sales, chargeable and not, minus canceled ones; confirming a
        proforma does not change them.
    not_ready, ready, over_limit: the open backlog, with milestones; each item is in one of these.
    on_draft: the details of open proformas, without corrections.
    billed: the details of confirmed proformas, net of credits; credited: the amount that was credited
        (positive), so that billed + credited is the amount before credits.
    limit, limit_left: the not-to-exceed limit of the line or the contract itself, and its unused amount
        (negative if it was overridden); None if none is set.
    last_billed_on: the day of the last confirmation that was not returned. next_run_on: the first run date
        that is still due, possibly in the past.
    open_milestones, open_milestone_amount: the number of milestones with a part on no proforma, and the
        amount of these parts.
    """

    value: Decimal | None
    worked_hours: Decimal
    worked_sales: Decimal
    not_charged: Decimal
    not_ready: Decimal
    ready: Decimal
    over_limit: Decimal
    on_draft: Decimal
    billed: Decimal
    credited: Decimal
    limit: Decimal | None
    limit_left: Decimal | None
    last_billed_on: datetime.date | None
    next_run_on: datetime.date | None
    open_milestones: int
    open_milestone_amount: Decimal

    @property
    def open(self) -> Decimal:
        """The delivered or due amount on no proforma."""
        return self.not_ready + self.ready + self.over_limit

    @property
    def remaining(self) -> Decimal | None:
        """The value minus the billed amount; negative if more was billed, None without a value."""
        return None if self.value is None else self.value - self.billed


@dataclass(frozen=True, kw_only=True)
class LinePerformance(Performance):
    """The performance of one contract line."""

    line: ContractLine


@dataclass(frozen=True, kw_only=True)
class ContractPerformance(Performance):
    """The performance of one contract and its lines, without the lines of draft revisions."""

    contract: ProjectContract
    lines: tuple[LinePerformance, ...]

    @property
    def currency(self) -> str:
        return self.contract.currency


def contract_performance(contracts: Iterable[ProjectContract]) -> list[ContractPerformance]:
    """The current performance of the contracts, in the given order: eight queries, and one for a queryset.

    Each line has its project loaded.
    """
    contracts = list({contract.pk: contract for contract in contracts}.values())
    by_contract = defaultdict(list)
    in_force = Q(revision=None) | Q(revision__status=ContractRevision.Status.CONFIRMED)
    keys = [contract.pk for contract in contracts]
    lines = ContractLine.objects.filter(in_force, contract__in=keys).select_related("project")
    for line in lines.order_by("contract", "number"):
        by_contract[line.contract_id].append(line)
    rows = _Rows(keys)
    for contract in contracts:
        rows.limit(contract, by_contract[contract.pk])
    return [_of_contract(contract, by_contract[contract.pk], rows) for contract in contracts]


def _of_contract(contract, lines, rows) -> ContractPerformance:
    books = rows.books[contract.pk]
    performances = tuple(
        LinePerformance(
            line=line,
            value=line.contract_amount if line.billing_method == _FIXED_PRICE else line.estimate,
            limit=line.limit,
            limit_left=books.left(Level.LINE, line.pk),
            worked_hours=rows.hours[line.billing_method == _FIXED_PRICE, line.pk],
            last_billed_on=rows.last_billed_on.get(line.pk),
            next_run_on=rows.next_run_on.get(line.pk),
            **{name: rows.values_by[name, line.pk] for name in _ADD_UP},
        )
        for line in lines
    )
    values = [row.value for row in performances]
    return ContractPerformance(
        contract=contract,
        lines=performances,
        value=None if None in values or not values else sum(values, _ZERO),
        limit=contract.limit,
        limit_left=books.left(Level.CONTRACT),
        worked_hours=sum((row.worked_hours for row in performances), _ZERO),
        last_billed_on=max((row.last_billed_on for row in performances if row.last_billed_on), default=None),
        next_run_on=min((row.next_run_on for row in performances if row.next_run_on), default=None),
        **{name: sum((getattr(row, name) for row in performances), _NOTHING[name]) for name in _ADD_UP},
    )


# The values that are read by line and add up to those of the contract.
_ADD_UP = (
    "worked_sales",
    "not_charged",
    "not_ready",
    "ready",
    "over_limit",
    "on_draft",
    "billed",
    "credited",
    "open_milestones",
    "open_milestone_amount",
)
_NOTHING = {field.name: 0 if field.type is int else _ZERO for field in fields(Performance)}


class _Rows:
    """The values of all the contracts, by contract line."""

    def __init__(self, contracts: list[int]):
        self._contracts = contracts
        self.values_by = _Defaults()
        self.hours = defaultdict(Decimal)
        self.last_billed_on, self.next_run_on = {}, {}
        self._used = defaultdict(list)
        self.books = {}
        self._read_work()
        self._read_backlog()
        self._read_milestones()
        self._read_drafts()
        self._read_billed()
        self._read_schedule()
        self._read_committed()

    def _read_work(self):
        """Read actuals that no proforma created."""
        by = ("contract_line", "type", "transaction_class", "billing_type")
        actuals = Actual.objects.filter(
            lacks(Actual, "detail_actual"),
            contract__in=self._contracts,
            contract_line__isnull=False,
            type__in=[Actual.Type.COST, Actual.Type.UNBILLED_SALES],
        ).exclude(transaction_class__in=_NEVER_COUNT)
        for line, kind, class_, billing_type, hours, amount in _sums(actuals, by, "quantity", "amount"):
            is_cost = kind == Actual.Type.COST
            if class_ == TransactionClass.TIME:
                self.hours[is_cost, line] += hours
            if not is_cost:
                name = "worked_sales" if billing_type == _CHARGEABLE else "not_charged"
                self.values_by[name, line] += amount

    def _read_backlog(self):
        by = ("contract_line", "status", "limit_status")
        for line, status, limit_status, amount in _sums(self._open_items(), by, "amount"):
            name = str(status)
            if limit_status == _LimitStatus.FAILED:
                name = "over_limit"
            self.values_by[name, line] += amount

    def _open_items(self):
        items = BacklogItem.objects.open().chargeable().of_lines()
        return items.filter(contract__in=self._contracts)

    def _read_milestones(self):
        items = self._open_items().filter(milestone_part__isnull=False).order_by("contract_line")
        rows = items.values_list("contract_line").annotate(
            n=Count("milestone_part__milestone", distinct=True), exact=ExactSum("amount")
        )
        for line, count, amount in rows:
            self.values_by["open_milestones", line] = count
            self.values_by["open_milestone_amount", line] = amount

    def _read_drafts(self):
        details = LineDetail.objects.chargeable().filter(
            line__proforma__contract__in=self._contracts,
            line__proforma__in=ProformaInvoice.objects.open().filter(
                contract__in=self._contracts, kind=ProformaInvoice.Kind.INVOICE
            ),
            line__contract_line__isnull=False,
        )
        details = details.exclude(transaction_class__in=_NEVER_COUNT)
        for line, amount in _sums(details, ("line__contract_line",), "amount"):
            self.values_by["on_draft", line] = amount

    def _read_billed(self):
        by = ("contract", "contract_line", "transaction_class", "batch__proformainvoice__kind")
        actuals = Actual.objects.filter(
            contract__in=self._contracts,
            type=Actual.Type.BILLED_SALES,
            billing_type=_CHARGEABLE,
        ).exclude(transaction_class__in=_NEVER_COUNT)
        # Returned actuals and their reversals do not count as billed on a day (PRP-6).
        adjusted = Batch.Action.ADJUST
        undone = Q(batch__action=adjusted) | Q(reversed_by__batch__action=adjusted)
        last = Max("batch__on", filter=~undone)
        rows = actuals.order_by(*by).values_list(*by).annotate(exact=ExactSum("amount"), last=last)
        for contract, line, class_, kind, amount, last in rows:
            self.values_by["billed", line] += amount
            if kind == ProformaInvoice.Kind.CORRECTION:
                self.values_by["credited", line] -= amount
            if last is not None:
                self.last_billed_on[line] = max(last, self.last_billed_on.get(line, last))
            self._used[contract].append((amount, line, class_))

    def _read_schedule(self):
        entries = ScheduleEntry.objects.filter(
            line__contract__in=self._contracts, status__in=ScheduleEntry.STILL_DUE
        )
        rows = entries.order_by("line").values_list("line").annotate(first=Min("run_date"))
        self.next_run_on = dict(rows)

    def _read_committed(self):
        """As in `LimitBook`: a negative share frees its amount only when it is billed."""
        committed = BacklogItem.objects.filter(
            contract__in=self._contracts,
            limit_status=_LimitStatus.COMMITTED,
            status__in=[_Status.NOT_READY, _Status.READY, _Status.CREATED],
            amount__gt=0,
        )
        by = ("contract", "contract_line", "actual__transaction_class")
        for (contract, line, class_), amount in totals(committed, by=by).items():
            self._used[contract].append((amount, line, class_))

    def limit(self, contract, lines):
        """Calculate the unused amounts of the limits of a contract and its lines."""
        limits = {(Level.LINE, line.pk): line.limit for line in lines if line.limit is not None}
        if contract.limit is not None:
            limits[(Level.CONTRACT,)] = contract.limit
        book = self.books[contract.pk] = LimitBook(limits, defaultdict(Decimal))
        for amount, line, class_ in self._used[contract.pk]:
            book.commit(amount, None, line, is_milestone=class_ == TransactionClass.MILESTONE)


class _Defaults(dict):
    """Values by name and contract line, with the right kind of zero as default."""

    def __missing__(self, key):
        return _NOTHING[key[0]]


def _sums(rows, by, *columns):
    sums = rows.order_by(*by).values_list(*by)
    return sums.annotate(**{f"exact_{name}": ExactSum(name) for name in columns})
