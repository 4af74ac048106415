"""How old the unbilled work is, and what keeps a backlog item from being billed (BKL-4)."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q

from actuals.models import Actual, Batch, BillingType
from backlog import obstacles
from backlog.models import BacklogItem, BacklogQuerySet
from contracts.models import Project, ProjectContract
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.models import User

_Status = BacklogItem.Status

# What unbilled work is grouped by: where its group stands, and what that is.
GROUPS = {
    "contract": ("contract", ProjectContract),
    "project": ("actual__project", Project),
    "manager": ("contract__managers", User),
}


@dataclass(frozen=True)
class AgeingRow:
    """The unbilled work of one contract, project or manager in one currency, by days since it was done.

    `group` is that row, or None for work whose contract has no manager; `items` says how many shares.
    """

    group: ProjectContract | Project | User | None
    currency: str
    items: int
    days_0_30: Decimal
    days_31_60: Decimal
    days_61_90: Decimal
    over_90: Decimal

    @property
    def total(self) -> Decimal:
        return self.days_0_30 + self.days_31_60 + self.days_61_90 + self.over_90


def ageing(items: BacklogQuerySet, *, by: str, on: datetime.date) -> list[AgeingRow]:
    """Unbilled work as of the end of a day, today or any day before, by transaction date; sorted by group.

    Unbilled is the chargeable time, expense, material and fee that was approved by then and neither
    canceled, written off nor on a confirmed proforma by then. What is on a draft is unbilled: nothing says
    since when it is there. The days are those of the actions, so that a past day gives the same answer for
    ever; what was dated after it did not exist yet. `by` is one of GROUPS; with "manager", work on a contract
    of two managers stands under each of them. Two queries.

    A past day looks at everything that was ever billed. For today items that are neither posted nor canceled
    give the same answer sooner, and those that are `open()` leave out what is on a draft.
    """
    path, model = GROUPS[by]
    sums = {name: ExactSum("amount", filter=days) for name, days in _columns(on)}
    rows = unbilled(items, on=on).order_by(path, "currency").values_list(path, "currency")
    rows = list(rows.annotate(n=Count("pk"), **sums))
    groups = model.objects.in_bulk({key for key, *_ in rows if key is not None})
    result = [AgeingRow(groups.get(key), *row) for key, *row in rows]
    return sorted(result, key=lambda row: (row.group is None, str(row.group), row.currency))


def unbilled(items: BacklogQuerySet, *, on: datetime.date) -> BacklogQuerySet:
    """Of the items those that were unbilled work at the end of that day, see `ageing`."""
    still = Q(actual__reversed_by=None) | Q(actual__reversed_by__batch__on__gt=on) | _stood_again(on)
    # Brought in at cutover as billed before, it was never unbilled here and has nothing that reverses it.
    billed_before = Q(status=_Status.POSTED, actual__reversed_by=None)
    return items.filter(
        still,
        actual__type=Actual.Type.UNBILLED_SALES,
        actual__billing_type=BillingType.CHARGEABLE,
        actual__batch__on__lte=on,
        date__lte=on,
    ).exclude(billed_before)


def _stood_again(on):
    """Whether an actual replaced the work at the end of that day: it was billed and returned (PRP-6).

    That fact is an adjustment without an item of its own. What confirming makes of an edited detail, and what
    an adjustment puts in another's place, replaces the work too: but that is no work to bill any more, or
    has its own item.
    """
    facts = Actual.objects.filter(
        replaces=OuterRef("actual"),
        type=Actual.Type.UNBILLED_SALES,
        booked_by=Actual.BookedBy.NOTHING,
        reverses=None,
        backlog_item=None,
        batch__action=Batch.Action.ADJUST,
        batch__on__lte=on,
    )
    return Exists(facts.filter(Q(reversed_by=None) | Q(reversed_by__batch__on__gt=on)))


def _columns(on):
    first, second, third = (on - datetime.timedelta(days=n) for n in (30, 60, 90))
    yield "days_0_30", Q(date__gte=first)
    yield "days_31_60", Q(date__lt=first, date__gte=second)
    yield "days_61_90", Q(date__lt=second, date__gte=third)
    yield "over_90", Q(date__lt=third)


@dataclass(frozen=True)
class Blocker:
    """One reason why an item can't be billed now: a stable code, a sentence, and who can clear it."""

    code: str
    sentence: str
    who: str


def blockers(item: BacklogItem, *, on: datetime.date) -> list[Blocker]:
    """Why the item can't be billed on that day, in the order of the table; empty where it can.

    Of what is on a proforma already, or canceled, nothing is said. Reads only what `obstacles.loaded` loads.
    """
    if item.status not in obstacles.OPEN:
        return []
    found = obstacles.of(item, obstacles.Step.DRAFT, obstacles.Step.CONFIRM, on=on)
    return [Blocker(row.code, row.reason(item).sentence, _who(row, item)) for row in found]


def _who(row, item) -> str:
    """Who can clear it: the contract's project managers by name, or as a role where it names none."""
    if row.who == obstacles.Who.ADMINISTRATOR:
        return "billing administrator"
    names = ", ".join(sorted(str(user) for user in item.contract.managers.all()))
    manager = f"project manager ({names})" if names else "project manager"
    return f"billing administrator (price list), then {manager}" if row.who == obstacles.Who.BOTH else manager
