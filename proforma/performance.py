"""How contracts and their lines stand: value, worked, open, on drafts, billed, what is left (CON-8, BKL-3).

Everything is in the contract's currency. Only what is chargeable counts, retainers and tax never do: an
advance is no part of what a contract is worth. What a line shows adds up to what its contract shows.
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
from invoicing_site.floor.querysets import ExactSum, totals
from proforma.models import LineDetail, ProformaInvoice

_ZERO = Decimal(0)
_Status = BacklogItem.Status
_LimitStatus = BacklogItem.LimitStatus
_CHARGEABLE = BillingType.CHARGEABLE
_FIXED_PRICE = ContractLine.BillingMethod.FIXED_PRICE
_NEVER_COUNT = [TransactionClass.RETAINER, TransactionClass.TAX]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is to be said of a contract and of each of its lines. Amounts are in the contract's currency.

    value: the contract amount of a fixed price, else the estimate; None where there is none, and of a
        contract where one of its lines has none.
    worked_hours: of time and material the hours approved for billing, charged or not; of a fixed price the
        hours of its cost.
    worked_sales, not_charged: unbilled sales ever made, chargeable and otherwise, less what was canceled;
        confirming a proforma does not change them.
    not_ready, ready, over_limit: what is open in the backlog, milestones too; each item is in one of them.
    on_draft: what stands on proformas that are not confirmed, corrections apart.
    billed: what confirmed proformas billed, net of credits; credited: how much of it was taken back
        (positive), so that billed + credited is what was billed before credits.
    limit, limit_left: the not-to-exceed limit of the line itself, or of the contract itself, and what is not
        yet used of it (negative where it was overridden); None where none is set.
    last_billed_on: the day of the last confirm that was not returned. next_run_on: the first run date still
        due, perhaps past.
    open_milestones, open_milestone_amount: milestones with a part on no proforma, and the amount of these.
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
        """All that is delivered or due and on no proforma."""
        return self.not_ready + self.ready + self.over_limit

    @property
    def remaining(self) -> Decimal | None:
        """What of the value is not billed; negative where more was billed, None where there is no value."""
        return None if self.value is None else self.value - self.billed


@dataclass(frozen=True, kw_only=True)
class LinePerformance(Figures):
    """One contract line."""

    line: ContractLine


@dataclass(frozen=True, kw_only=True)
class ContractPerformance(Figures):
    """One contract, and its lines in order; those of an amendment that is still a draft are left out."""

    contract: ProjectContract
    lines: tuple[LinePerformance, ...]

    @property
    def currency(self) -> str:
        return self.contract.currency


def contract_performance(contracts: Iterable[ProjectContract]) -> list[ContractPerformance]:
    """How each of the contracts stands now, in the order given: eight queries, and one for a queryset.

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
            **{name: rows.figures[name, line.pk] for name in _ADD_UP},
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


# The figures that are read line by line and add up over the lines of a contract.
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
_NOTHING = {field.name: 0 if field.type is int else _ZERO for field in fields(Figures)}


class _Rows:
    """What was read of all the contracts, by contract line."""

    def __init__(self, contracts: list[int]):
        self._contracts = contracts
        self.figures = _Defaults()
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
        """Facts that were there before any proforma; what confirming makes of them belongs to a detail."""
        by = ("contract_line", "type", "transaction_class", "billing_type")
        facts = Actual.objects.filter(
            contract__in=self._contracts,
            contract_line__isnull=False,
            type__in=[Actual.Type.COST, Actual.Type.UNBILLED_SALES],
            detail_actual=None,
        ).exclude(transaction_class__in=_NEVER_COUNT)
        for line, kind, class_, billing_type, hours, amount in _sums(facts, by, "quantity", "amount"):
            is_cost = kind == Actual.Type.COST
            if class_ == TransactionClass.TIME:
                self.hours[is_cost, line] += hours
            if not is_cost:
                name = "worked_sales" if billing_type == _CHARGEABLE else "not_charged"
                self.figures[name, line] += amount

    def _read_backlog(self):
        by = ("contract_line", "status", "limit_status")
        for line, status, limit_status, amount in _sums(self._open_items(), by, "amount"):
            name = str(status)
            if limit_status == _LimitStatus.FAILED:
                name = "over_limit"
            self.figures[name, line] += amount

    def _open_items(self):
        items = BacklogItem.objects.open().chargeable().of_lines()
        return items.filter(contract__in=self._contracts)

    def _read_milestones(self):
        items = self._open_items().filter(milestone_part__isnull=False).order_by("contract_line")
        rows = items.values_list("contract_line").annotate(
            n=Count("milestone_part__milestone", distinct=True), exact=ExactSum("amount")
        )
        for line, count, amount in rows:
            self.figures["open_milestones", line] = count
            self.figures["open_milestone_amount", line] = amount

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
            self.figures["on_draft", line] = amount

    def _read_billed(self):
        by = ("contract", "contract_line", "transaction_class", "batch__proformainvoice__kind")
        facts = Actual.objects.filter(
            contract__in=self._contracts, type=Actual.Type.BILLED_SALES, billing_type=_CHARGEABLE
        ).exclude(transaction_class__in=_NEVER_COUNT)
        # What a return took back, and its counter-actuals, is billed on no day (PRP-6).
        adjusted = Batch.Action.ADJUST
        undone = Q(batch__action=adjusted) | Q(reversed_by__batch__action=adjusted)
        last = Max("batch__on", filter=~undone)
        rows = facts.order_by(*by).values_list(*by).annotate(exact=ExactSum("amount"), last=last)
        for contract, line, class_, kind, amount, last in rows:
            self.figures["billed", line] += amount
            if kind == ProformaInvoice.Kind.CORRECTION:
                self.figures["credited", line] -= amount
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
        """As `LimitBook` counts it: a negative share makes room only once it is billed."""
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
        """Work out what is left of the limits of a contract and of its lines."""
        limits = {(Level.LINE, line.pk): line.limit for line in lines if line.limit is not None}
        if contract.limit is not None:
            limits[(Level.CONTRACT,)] = contract.limit
        book = self.books[contract.pk] = LimitBook(limits, defaultdict(Decimal))
        for amount, line, class_ in self._used[contract.pk]:
            book.commit(amount, None, line, is_milestone=class_ == TransactionClass.MILESTONE)


class _Defaults(dict):
    """Figures by name and contract line, with the right kind of nothing where there is none."""

    def __missing__(self, key):
        return _NOTHING[key[0]]


def _sums(rows, by, *columns):
    sums = rows.order_by(*by).values_list(*by)
    return sums.annotate(**{f"exact_{name}": ExactSum(name) for name in columns})
