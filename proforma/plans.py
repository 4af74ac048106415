"""Which proforma invoices a contract is due: pure, from what was loaded to a plan.

The periodic run, its preview and the button by hand share these functions, so that none of them can think
otherwise than the others (RUN-1, RUN-4).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from actuals.models import BillingType
from contracts.models import TransactionClass

# Why ready or delivered work is left out of a plan, as it is stored and as it reads in a sentence.
NO_SCHEDULE = "NO-SCHEDULE"
NOTHING_CHARGEABLE = "NOTHING-CHARGEABLE"
REASONS = {
    NO_SCHEDULE: "ready with no schedule entry left to take it "
    "(create its proforma by hand, or extend the schedule)",
    "RETAINER": "a retainer, which this version does not put on proforma invoices",
    "ON-HOLD": "on hold",
    "OVER-LIMIT": "over a not-to-exceed limit",
    "NOT-EVALUATED": "not evaluated against a limit",
    "NO-PRICE": "without a price",
    "NOT-READY": "not marked ready",
    NOTHING_CHARGEABLE: "non-chargeable with nothing to bill beside it (it goes along with the next invoice)",
    "AFTER-CUTOFF": "dated after the cutoff",
}
NOTHING_READY = "NOTHING-READY"


class Share(NamedTuple):
    """A backlog item that is ready to invoice, with what its detail on a proforma copies."""

    pk: int
    contract_id: int
    contract_customer_id: int
    line_id: int | None
    date: date
    amount: Decimal
    hold_until: date | None = None
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
    project_tax_group_id: int | None = None
    item_tax_group_id: int | None = None

    @property
    def is_work(self):
        """Whether it follows its line's schedule; milestones and retainers have a date of their own."""
        return self.milestone_part_id is None and self.retainer_id is None

    @property
    def is_billable(self):
        """Whether it is worth an invoice; what is non-chargeable only goes along with one."""
        return self.billing_type != BillingType.NON_CHARGEABLE


class Waiting(NamedTuple):
    """Open backlog items that no proforma can take as they are, counted by day and reason."""

    contract_customer_id: int
    line_id: int | None
    is_work: bool
    date: date
    code: str
    items: int
    amount: Decimal


class Due(NamedTuple):
    """A schedule entry whose day has come.

    `is_whole` is False where the run leaves out some of the line's customers: such an entry stays due.
    """

    pk: int
    line_id: int
    run_date: date
    cutoff: date
    is_whole: bool = True


@dataclass
class ContractInputs:
    """All that a plan for one contract depends on."""

    contract_id: int
    shares: list[Share] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)

    def digest(self, as_of: date) -> str:
        """A fingerprint of what decides over the proformas: what is ready, and what is due.

        Empty where nothing is due: work that waits for another day decides over nothing.
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
            f" {share.billing_type} {share.hold_until}"
            for share in sorted(self.shares, key=lambda share: share.pk)
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass
class PlannedProforma:
    """One proforma for one contract customer, and the schedule entries it answers."""

    contract_customer_id: int
    run_date: date | None
    cutoff: date
    shares: list[Share] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)

    @property
    def net(self) -> Decimal:
        """Only what is chargeable adds up (PRO-3)."""
        chargeable = (share.amount for share in self.shares if share.billing_type == BillingType.CHARGEABLE)
        return sum(chargeable, Decimal(0))


@dataclass
class Skipped:
    """What is left out for one customer, and why."""

    contract_customer_id: int
    code: str
    items: int = 0
    amount: Decimal = Decimal(0)


@dataclass
class ContractPlan:
    """The proformas of one contract by run date, what is left out, and the entries that are answered.

    `answered` holds every schedule entry that is done with, also those that found nothing.
    """

    run_date: date | None
    proformas: list[PlannedProforma]
    skipped: list[Skipped]
    answered: list[Due] = field(default_factory=list)

    @property
    def code(self) -> str:
        """Why there is no proforma, as one stable word; where there is one, whether somebody has to see to
        more than it took."""
        codes = {skipped.code for skipped in self.skipped}
        if self.proformas:
            return NO_SCHEDULE if NO_SCHEDULE in codes else ""
        return next((code for code in REASONS if code in codes), NOTHING_READY)

    @property
    def why_nothing(self) -> str:
        """The sentence for somebody who expected a proforma."""
        counts = defaultdict(int)
        for skipped in self.skipped:
            counts[skipped.code] += skipped.items
        if not counts:
            return "Nothing was ready to invoice."
        told = [f"{counts[code]} {REASONS[code]}" for code in REASONS if code in counts]
        nothing = "Nothing was due to invoice" if NO_SCHEDULE in counts else "Nothing was ready to invoice"
        return f"{nothing}; left out: {', '.join(told)}."

    @property
    def what_is_lost(self) -> str:
        """The sentence on ready work that no run will ever take; empty where there is none."""
        items = sum(skipped.items for skipped in self.skipped if skipped.code == NO_SCHEDULE)
        return f"Left out: {items} {REASONS[NO_SCHEDULE]}." if items else ""


def plan_contract(inputs: ContractInputs, *, as_of: date) -> ContractPlan:
    """What a run makes of one contract (RUN-1).

    Each due run date, in order, has a proforma per customer with the ready work of its lines dated up to its
    cutoff that no earlier run date took. Milestones dated up to `as_of` go with the latest of them, or have
    `as_of` for a run date where nothing is scheduled. Retainers and what is on hold are left out.

    Where a customer has only non-chargeable work there is no proforma for it: the work waits for the next
    run date of its line. Work that no schedule entry is left for is told, whatever is due.
    """
    schedule = _by_line(inputs.due)
    cutoffs = defaultdict(lambda: date.min)
    for due in inputs.due:
        cutoffs[due.run_date] = max(cutoffs[due.run_date], due.cutoff)
    latest = max(cutoffs, default=as_of)
    cutoffs.setdefault(latest, as_of)

    def run_date_of(row):
        if row.is_work:
            return _first_to_take(schedule.get(row.line_id, ()), row.date)
        return latest if row.date <= as_of else None

    draft = _Draft()
    for share in _in_order(inputs.shares):
        run_date = run_date_of(share)
        if share.is_work and share.line_id not in schedule:
            continue  # nobody asked for it: its line has no due date
        if run_date is None:
            draft.skip(share, "AFTER-CUTOFF")
        elif code := _obstacle(share, as_of):
            draft.skip(share, code)
        else:
            draft.take(share, run_date, cutoffs[run_date])
    draft.put_off_what_only_goes_along(
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


def plan_by_hand(inputs: ContractInputs, *, cutoff: date, on: date) -> ContractPlan:
    """What somebody gets who asks for all that is ready up to the cutoff, schedule or not (PRO-1).

    Retainers, and what is on hold on that day, are left out; and so is a customer who has only non-chargeable
    work.
    """
    draft = _Draft()
    for share in _in_order(inputs.shares):
        if share.date > cutoff:
            draft.skip(share, "AFTER-CUTOFF")
        elif code := _obstacle(share, on):
            draft.skip(share, code)
        else:
            draft.take(share, None, cutoff)
    draft.put_off_what_only_goes_along(lambda share, run_date: None, {})
    for group in inputs.waiting:
        if group.date <= cutoff:
            draft.skip(group, group.code, group.items)
    return ContractPlan(None, draft.in_order(), list(draft.skipped.values()))


class _Draft:
    """Collects shares by run date and customer, and what is left out by customer and reason."""

    def __init__(self):
        self.proformas = {}
        self.skipped = {}

    def take(self, share, run_date, cutoff):
        key = run_date, share.contract_customer_id
        if key not in self.proformas:
            self.proformas[key] = PlannedProforma(share.contract_customer_id, run_date, cutoff)
        self.proformas[key].shares.append(share)

    def put_off_what_only_goes_along(self, next_run_date, cutoffs):
        """Dissolve each proforma without anything to bill, the earliest first.

        Its work goes to the customer's one at `next_run_date(share, run date)`, or is left out where that
        is None.
        """
        waiting = sorted(self.proformas, key=_run_date_and_customer)
        while waiting:
            run_date, customer = key = waiting.pop(0)
            if any(share.is_billable for share in self.proformas[key].shares):
                continue
            for share in self.proformas.pop(key).shares:
                later = next_run_date(share, run_date)
                if later is None:
                    self.skip(share, NOTHING_CHARGEABLE)
                    continue
                if (later, customer) not in self.proformas:
                    waiting.append((later, customer))
                self.take(share, later, cutoffs[later])
            waiting.sort(key=_run_date_and_customer)

    def skip(self, row, code, items=1):
        key = row.contract_customer_id, code
        skipped = self.skipped.setdefault(key, Skipped(*key))
        skipped.items += items
        skipped.amount += row.amount

    def in_order(self):
        for proforma in self.proformas.values():
            proforma.shares = _in_order(proforma.shares)
        return [self.proformas[key] for key in sorted(self.proformas, key=_run_date_and_customer)]


def _run_date_and_customer(key):
    run_date, customer = key
    return run_date or date.min, customer


def _obstacle(share, day):
    if share.retainer_id is not None:
        return "RETAINER"
    if share.hold_until is not None and share.hold_until > day:
        return "ON-HOLD"
    return ""


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
