"""The proformas that are due for a contract: pure functions, from the loaded rows to a plan.

The periodic run, its preview and creating by hand share these functions, so that they always agree (RUN-1,
RUN-4).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from actuals.models import BillingType
from backlog import obstacles
from contracts.models import TransactionClass
from invoicing_site.floor.reasons import Reason
from proforma.orders import Order, OrderBook

NO_SCHEDULE = "NO-SCHEDULE"
NOTHING_CHARGEABLE = "NOTHING-CHARGEABLE"
AFTER_CUTOFF = "AFTER-CUTOFF"
# Why work is left out of a plan, by code and in order: first the obstacles of an item, then those of a plan.
REASONS = {row.code: row.label for row in obstacles.stopping(obstacles.Step.RUN)} | {
    NOTHING_CHARGEABLE: _(
        "non-chargeable without anything to bill with it (it is added to the next invoice)"
    ),
    AFTER_CUTOFF: _("dated after the cutoff"),
}


class Share(NamedTuple):
    """A backlog item without an obstacle, with the values that its detail on a proforma copies."""

    pk: int
    contract_id: int
    contract_customer_id: int
    line_id: int | None
    date: date
    amount: Decimal
    retainer_id: int | None = None
    milestone_part_id: int | None = None
    transaction_class: str = TransactionClass.TIME
    billing_type: str = BillingType.CHARGEABLE
    project_id: int | None = None
    task_id: int | None = None
    resource_id: int | None = None
    role_id: int | None = None
    category_id: int | None = None
    product_id: int | None = None
    quantity: Decimal = Decimal(1)
    unit: str = ""
    price: Decimal = Decimal(0)
    description: str = ""
    internal_description: str = ""
    billing_tax_group_id: int | None = None
    item_tax_group_id: int | None = None
    is_outside_scope: bool = False  # of tax (category O)

    @property
    def is_work(self):
        """Whether it follows its line's schedule; milestones and retainers have a date of their own."""
        return self.milestone_part_id is None and self.retainer_id is None

    @property
    def is_billable(self):
        """Whether it is worth an invoice; non-chargeable items are only added to one."""
        return self.billing_type != BillingType.NON_CHARGEABLE

    @property
    def charged(self):
        """Its amount on an invoice, in the contract's currency; zero unless it is chargeable."""
        return self.amount if self.billing_type == BillingType.CHARGEABLE else Decimal(0)


class Waiting(NamedTuple):
    """Open backlog items with an obstacle, counted by day and obstacle."""

    contract_customer_id: int
    line_id: int | None
    is_work: bool
    date: date
    code: str
    items: int
    amount: Decimal


class Due(NamedTuple):
    """A schedule entry that is due.

    `is_whole` is False if the run leaves out some of the line's customers: then the entry stays due.
    """

    pk: int
    line_id: int
    run_date: date
    cutoff: date
    is_whole: bool = True


@dataclass
class ContractInputs:
    """Everything that the plan of one contract depends on."""

    contract_id: int
    shares: list[Share] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def digest(self, as_of: date) -> str:
        """A hash of the ready items and the due entries, which decide what proformas are created.

        Empty if nothing is due: work for a later date decides nothing.
        """
        if not self.due and all(share.is_work for share in self.shares):
            return ""
        lines = [f"as of {as_of}"]
        lines += [
            f"due {due.pk} {due.line_id} {due.run_date} {due.cutoff} {due.is_whole}"
            for due in sorted(self.due)
        ]
        lines += [
            f"ready {share.pk} {share.contract_customer_id} {share.line_id} {share.date} {share.amount:.4f}"
            f" {share.billing_type} {share.is_outside_scope}"
            for share in sorted(self.shares, key=lambda share: share.pk)
        ]
        lines += [
            f"order {order.pk} {order.number} {order.valid_from} {order.valid_to}"
            f" {'' if order.left is None else format(order.left, '.4f')}"
            for order in sorted(self.orders, key=lambda order: order.pk)
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass
class PlannedProforma:
    """One proforma for one contract customer and order, and the schedule entries that it completes.

    Work outside the scope of tax has a separate proforma (PRO-1).
    """

    contract_customer_id: int
    run_date: date | None
    cutoff: date
    order: Order | None = None
    is_outside_scope: bool = False
    shares: list[Share] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)

    @property
    def net(self) -> Decimal:
        """The sum of its chargeable items (PRO-3)."""
        return sum((share.charged for share in self.shares), Decimal(0))

    @property
    def is_billable(self) -> bool:
        """Whether one of its items is worth an invoice."""
        return any(share.is_billable for share in self.shares)


@dataclass
class Skipped:
    """The items that are left out for one customer, under the code of the reason."""

    contract_customer_id: int
    code: str
    items: int = 0
    amount: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        return self.amount


@dataclass
class ContractPlan:
    """The proformas of one contract by run date, what is left out, and the completed schedule entries.

    `answered` has every completed entry, also those for which nothing was ready.
    """

    run_date: date | None
    proformas: list[PlannedProforma]
    skipped: list[Skipped]
    answered: list[Due] = field(default_factory=list)

    @property
    def why_nothing(self) -> Reason:
        """Why there is no proforma, with the number of items for each reason to leave work out."""
        left_out = self._left_out(REASONS)
        if not left_out:
            return Reason("NOTHING-READY")
        if any(skipped.code == NO_SCHEDULE for skipped in self.skipped):
            return Reason("NOTHING-DUE-LEFT-OUT", why=left_out)
        return Reason("NOTHING-READY-LEFT-OUT", why=left_out)

    @property
    def never_billed(self) -> Reason | None:
        """The ready work that no run will ever bill, because no schedule entry is left; None without any."""
        return next(iter(self._left_out([NO_SCHEDULE])), None)

    def _left_out(self, codes) -> list[Reason]:
        counts: dict[str, int] = defaultdict(int)
        for skipped in self.skipped:
            counts[skipped.code] += skipped.items
        return [
            Reason("LEFT-OUT", count=counts[code], obstacle=REASONS[code]) for code in codes if code in counts
        ]


def plan_contract(inputs: ContractInputs, *, as_of: date) -> ContractPlan:
    """The plan of a run for one contract (RUN-1).

    Each due run date, in order, gets a proforma per customer and order with the ready work of its lines up to
    its cutoff, except work of an earlier run date. Milestones dated up to `as_of` belong to the latest run
    date, or to `as_of` if nothing is scheduled.

    A customer with only non-chargeable work gets no proforma: the work waits for the next run date of its
    line. Ready work without a schedule entry is always listed as left out.
    """
    schedule = _by_line(inputs.due)
    cutoffs: dict[date, date] = defaultdict(lambda: date.min)
    for due in inputs.due:
        cutoffs[due.run_date] = max(cutoffs[due.run_date], due.cutoff)
    latest = max(cutoffs, default=as_of)
    cutoffs.setdefault(latest, as_of)

    def run_date_of(row):
        if row.is_work:
            return _first_to_take(schedule.get(row.line_id, ()), row.date)
        return latest if row.date <= as_of else None

    draft = _Draft(inputs.orders)
    for share in _in_order(inputs.shares):
        run_date = run_date_of(share)
        if share.is_work and share.line_id not in schedule:
            continue  # its line is not due
        if run_date is None:
            draft.skip(share, AFTER_CUTOFF)
        else:
            draft.take(share, run_date, cutoffs[run_date])
    draft.add_uncharged()
    draft.postpone_unbillable(
        lambda share, run_date: next(
            (due.run_date for due in schedule.get(share.line_id, ()) if due.run_date > run_date), None
        ),
        cutoffs,
    )
    for group in inputs.waiting:
        if group.code == NO_SCHEDULE or run_date_of(group) is not None:
            draft.skip(group, group.code, group.items)

    entries = {(due.run_date, due.line_id): due.pk for due in inputs.due}
    for proforma in draft.proformas.values():
        lines = dict.fromkeys(share.line_id for share in proforma.shares if share.is_work)
        proforma.entries = [entries[proforma.run_date, line] for line in lines]
    answered = [due for due in _by_run_date(inputs.due) if due.is_whole]
    return ContractPlan(latest, draft.in_order(), list(draft.skipped.values()), answered)


def plan_by_hand(inputs: ContractInputs, *, cutoff: date) -> ContractPlan:
    """The plan for everything that is ready up to the cutoff, scheduled or not (PRO-1).

    A customer with only non-chargeable work is left out.
    """
    draft = _Draft(inputs.orders)
    for share in _in_order(inputs.shares):
        if share.date > cutoff:
            draft.skip(share, AFTER_CUTOFF)
        else:
            draft.take(share, None, cutoff)
    draft.add_uncharged()
    draft.postpone_unbillable(lambda share, run_date: None, {})
    for group in inputs.waiting:
        if group.date <= cutoff:
            draft.skip(group, group.code, group.items)
    return ContractPlan(None, draft.in_order(), list(draft.skipped.values()))


def plan_chosen(shares: Iterable[Share], orders: list[Order]) -> list[PlannedProforma]:
    """The proformas of exactly these shares of one contract, regardless of dates and schedule (PRO-1).

    The cutoff of each is the latest of its dates.
    """
    draft = _Draft(orders)
    for share in _in_order(shares):
        draft.take(share, None, share.date)
    draft.add_uncharged()
    planned = draft.in_order()
    for proforma in planned:
        proforma.cutoff = max(share.date for share in proforma.shares)
    return planned


def plan_more(
    shares: Iterable[Share], orders: list[Order], *, order: int | None, is_outside: bool
) -> list[Share]:
    """The shares that a draft for that order would have included too, and those that are not charged.

    The amount on the draft already counts as used in `orders`.
    """
    book, found = OrderBook(orders), []
    for share in _in_order(shares):
        if not share.charged:
            if share.is_outside_scope == is_outside or not share.is_billable:
                found.append(share)
            continue
        takes = book.take(share.contract_customer_id, share.date, share.charged)
        if (takes.pk if takes else None) == order and share.is_outside_scope == is_outside:
            found.append(share)
    return found


class _Key(NamedTuple):
    """The values that all shares of one proforma have in common."""

    run_date: date | None
    contract_customer_id: int
    order: Order | None
    is_outside_scope: bool

    @property
    def place(self):
        """The sort key: orders in the order in which they are used, then no order."""
        order = (0, self.order.ends, self.order.pk) if self.order else (1, date.max, 0)
        return self.run_date or date.min, self.contract_customer_id, order, self.is_outside_scope


class _Draft:
    """Collects shares by run date, customer and order, and the items left out by customer and reason."""

    def __init__(self, orders):
        self.orders = OrderBook(orders)
        self.proformas = {}
        self.skipped = {}
        self.free = []

    def take(self, share, run_date, cutoff):
        """Put it on the proforma of the order that it uses; uncharged shares are added last."""
        if not share.charged:
            self.free.append((share, run_date, cutoff))
            return
        order = self.orders.take(share.contract_customer_id, share.date, share.charged)
        self._put(share, _Key(run_date, share.contract_customer_id, order, share.is_outside_scope), cutoff)

    def add_uncharged(self):
        """Uncharged shares use no order: add them to the proformas that the customer gets anyway."""
        for share, run_date, cutoff in self.free:
            self._join(share, run_date, cutoff)
        self.free = []

    def _join(self, share, run_date, cutoff):
        order = self.orders.take(share.contract_customer_id, share.date, Decimal(0))
        own = _Key(run_date, share.contract_customer_id, order, share.is_outside_scope)
        # A complimentary row is printed with its tax category, so it can't be on an invoice with another.
        found = [
            key
            for key in self.proformas
            if key[:2] == own[:2] and (key.is_outside_scope == own.is_outside_scope or not share.is_billable)
        ]
        found.sort(key=lambda key: (key != own, key.is_outside_scope != own.is_outside_scope, key.place))
        self._put(share, found[0] if found else own, cutoff)

    def _put(self, share, key, cutoff):
        if key not in self.proformas:
            self.proformas[key] = PlannedProforma(
                key.contract_customer_id, key.run_date, cutoff, key.order, key.is_outside_scope
            )
        self.proformas[key].shares.append(share)

    def postpone_unbillable(self, next_run_date, cutoffs):
        """Remove each proforma without anything to bill, the earliest first.

        Its work moves to the customer's proforma at `next_run_date(share, run date)`, or is left out if that
        is None.
        """
        while nothing_to_bill := [key for key, found in self.proformas.items() if not found.is_billable]:
            key = min(nothing_to_bill, key=lambda key: key.place)
            for share in self.proformas.pop(key).shares:
                later = next_run_date(share, key.run_date)
                if later is None:
                    self.skip(share, NOTHING_CHARGEABLE)
                else:
                    self._join(share, later, cutoffs[later])

    def skip(self, row, code, items=1):
        key = row.contract_customer_id, code
        skipped = self.skipped.setdefault(key, Skipped(*key))
        skipped.items += items
        skipped.amount += row.amount

    def in_order(self):
        for proforma in self.proformas.values():
            proforma.shares = _in_order(proforma.shares)
        return [self.proformas[key] for key in sorted(self.proformas, key=lambda key: key.place)]


def _by_run_date(due: Iterable[Due]):
    return sorted(due, key=lambda entry: (entry.run_date, entry.line_id))


def _by_line(due):
    schedule = defaultdict(list)
    for entry in _by_run_date(due):
        schedule[entry.line_id].append(entry)
    return dict(schedule)


def _first_to_take(schedule, day):
    return next((entry.run_date for entry in schedule if day <= entry.cutoff), None)


def _in_order(shares):
    return sorted(shares, key=lambda share: (share.date, share.pk))
