"""The age of unbilled work, and the reasons why a backlog item can't be billed (BKL-4)."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q

from actuals.models import Actual, Batch, BillingType
from backlog import obstacles
from backlog.models import BacklogItem, BacklogQuerySet
from contracts.models import Project, ProjectContract
from invoicing_site.floor.querysets import ExactSum, lacks
from invoicing_site.models import User

_Status = BacklogItem.Status

# The groups of unbilled work: the path to the group, and its model.
GROUPS = {
    "contract": ("contract", ProjectContract),
    "project": ("actual__project", Project),
    "manager": ("contract__managers", User),
}


@dataclass(frozen=True)
class AgingRow:
    """The unbilled work of one contract, project or manager in one currency, by days since the work.

    `group` is the contract, project or manager, or None for work on a contract without manager; `items` is
    the number of shares, and `counts` of those for which each condition is true.
    """

    group: ProjectContract | Project | User | None
    currency: str
    items: int
    days_0_30: Decimal
    days_31_60: Decimal
    days_61_90: Decimal
    over_90: Decimal
    counts: tuple[int, ...] = ()

    @property
    def total(self) -> Decimal:
        return self.days_0_30 + self.days_31_60 + self.days_61_90 + self.over_90


def aging(
    items: BacklogQuerySet, *, by: str, on: datetime.date, counting: Sequence[Q] = ()
) -> list[AgingRow]:
    """Unbilled work at the end of a day, today or earlier, by transaction date; sorted by group.

    Unbilled work is chargeable time, expenses, material and fees that were approved by that day, and on that
    day not canceled, not written off and not on a confirmed proforma. Work on a draft is unbilled, because
    the time when it was added to the draft is not stored. The dates of the actions decide, so a past day
    always gives the same result; work dated after that day is left out. `by` is one of GROUPS; with
    "manager", work on a contract with two managers is counted for each of them. The items of each row for
    which a condition of `counting` is true are counted too. Two queries.

    For a past day, `items` must include everything that was ever billed. For today, items that are neither
    posted nor canceled give the same result faster; with `open()` items, work on drafts is left out.
    """
    path, model = GROUPS[by]
    sums = {name: ExactSum("amount", filter=days) for name, days in _columns(on)}
    rows = unbilled(items, on=on).order_by(path, "currency").values_list(path, "currency")
    counts = {f"count_{n}": Count("pk", filter=condition) for n, condition in enumerate(counting)}
    rows = list(rows.annotate(n=Count("pk"), **sums, **counts))
    groups = model.objects.in_bulk({key for key, *_ in rows if key is not None})
    width = 2 + len(sums)
    result = [AgingRow(groups.get(key), *row[:width], tuple(row[width:])) for key, *row in rows]
    return sorted(result, key=lambda row: (row.group is None, str(row.group), row.currency))


def unbilled(items: BacklogQuerySet, *, on: datetime.date) -> BacklogQuerySet:
    """The items that were unbilled work at the end of that day; see `aging`."""
    reversed_by_then = Exists(Actual.objects.filter(reverses=OuterRef("actual"), batch__on__lte=on))
    still = ~reversed_by_then | _was_replaced(on)
    # A share that was billed before it was imported at cutover was never unbilled here, and has no reversal.
    billed_before = Q(lacks(Actual, "reversed_by", of="actual"), status=_Status.POSTED)
    return items.filter(
        still,
        actual__type=Actual.Type.UNBILLED_SALES,
        actual__billing_type=BillingType.CHARGEABLE,
        actual__batch__on__lte=on,
        date__lte=on,
    ).exclude(billed_before)


def _was_replaced(on):
    """Whether an actual replaced the work at the end of that day, because it was billed and returned (PRP-6).

    That actual is an adjustment without a backlog item of its own. The actuals that confirming creates for an
    edited detail and those of an adjustment also replace the work, but they are not unbilled any more or have
    an item of their own.
    """
    facts = Actual.objects.filter(
        lacks(Actual, "backlog_item"),
        replaces=OuterRef("actual"),
        type=Actual.Type.UNBILLED_SALES,
        booked_by=Actual.BookedBy.NOTHING,
        reverses=None,
        batch__action=Batch.Action.ADJUST,
        batch__on__lte=on,
    )
    return Exists(facts.filter(~Exists(Actual.objects.filter(reverses=OuterRef("pk"), batch__on__lte=on))))


def _columns(on):
    first, second, third = (on - datetime.timedelta(days=n) for n in (30, 60, 90))
    yield "days_0_30", Q(date__gte=first)
    yield "days_31_60", Q(date__lt=first, date__gte=second)
    yield "days_61_90", Q(date__lt=second, date__gte=third)
    yield "over_90", Q(date__lt=third)


@dataclass(frozen=True)
class Blocker:
    """One reason why an item can't be billed now: a code, a sentence, and who can fix it."""

    code: str
    sentence: str
    who: str


def blockers(item: BacklogItem, *, on: datetime.date) -> list[Blocker]:
    """Why the item can't be billed on that day, in the order of the table; empty if it can.

    Empty also for items that are on a proforma or canceled. Reads only what `obstacles.loaded` loads.
    """
    if item.status not in obstacles.OPEN:
        return []
    found = obstacles.of(item, obstacles.Step.DRAFT, obstacles.Step.CONFIRM, on=on)
    return [Blocker(row.code, row.reason(item).sentence, _who(row, item)) for row in found]


def _who(row, item) -> str:
    """Who can fix it: the contract's project managers by name, or the role if the contract has none."""
    if row.who == obstacles.Who.ADMINISTRATOR:
        return "billing administrator"
    names = ", ".join(sorted(str(user) for user in item.contract.managers.all()))
    manager = f"project manager ({names})" if names else "project manager"
    return f"billing administrator (price list), then {manager}" if row.who == obstacles.Who.BOTH else manager
