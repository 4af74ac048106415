"""Why an item can't be billed: the one table for operations, runs, filters, lists and pages.

Each row names the steps that it stops, and has its condition twice: for the database, and for a loaded item.
If several rows apply, the first one is named. The sentences of the codes are in `refusals.py`. The reasons
that only the plan of a proforma knows (nothing chargeable, dated after the cutoff) are in
`proforma/plans.py`; the reasons why an entry can't be approved are in `approvers.py`.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, Exists, Max, OuterRef, Q, Value, When
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from actuals.models import BillingType
from backlog.models import BacklogItem, BacklogQuerySet
from contracts.models import LineCustomer, ProjectContract, PurchaseOrder, ScheduleEntry
from invoicing_site.floor.reasons import Amount, Label, Reason, shown

_Status = BacklogItem.Status
_LimitStatus = BacklogItem.LimitStatus
OPEN = (_Status.NOT_READY, _Status.READY)


class Step(StrEnum):
    """A step on the way to an invoice that obstacles can stop."""

    MARK = "mark"  # marking the item ready
    DRAFT = "draft"  # adding it to a draft by hand
    RUN = "run"  # adding it to a draft by the schedule
    CONFIRM = "confirm"  # confirming the draft that has it


class Who(StrEnum):
    """Who can remove an obstacle."""

    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    BOTH = "both"  # first the administrator, then the project manager


@dataclass(frozen=True)
class Obstacle:
    """One row: `label` follows a count ("3 on hold"), `chip` is used alone.

    `condition` and `holds` give the same answer for a day; `holds` reads only what `loaded` loads. `reason`
    makes a sentence about the item.
    """

    code: str
    label: Any
    chip: Any
    stops: frozenset[Step]
    condition: Callable[[datetime.date], Q]
    holds: Callable[[Any, datetime.date], bool]
    reason: Callable[[Any], Reason]
    who: Who = Who.MANAGER


_NO_REASON = gettext_noop("no reason was given")
_EVERY_STEP = frozenset(Step)
_TAKING = frozenset({Step.DRAFT, Step.RUN})

_HAS_LIMIT = (
    Q(contract__limit__isnull=False)
    | Q(contract_line__limit__isnull=False)
    | Q(contract_customer__limit__isnull=False)
    | Exists(
        LineCustomer.objects.filter(
            line=OuterRef("contract_line"),
            contract_customer=OuterRef("contract_customer"),
            limit__isnull=False,
        )
    )
)


def _has_limit(item) -> bool:
    line, customer = item.contract_line, item.contract_customer
    limits = [item.contract.limit, customer.limit]
    if line is not None:
        shares = (share for share in line.customers.all() if share.contract_customer_id == customer.pk)
        limits += [line.limit, *(share.limit for share in shares)]
    return any(limit is not None for limit in limits)


def _is_without_order(day) -> Q:
    """The date of the work decides which order is valid, and not the given day (CON-12)."""
    orders = PurchaseOrder.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=OuterRef("date")),
        Q(valid_to=None) | Q(valid_to__gte=OuterRef("date")),
        contract_customer=OuterRef("contract_customer"),
    )
    return Q(contract__entity__require_order_reference=True) & ~Exists(orders)


def _needs_order(item, day) -> bool:
    return item.contract.entity.require_order_reference and not any(
        order.is_valid_on(item.date) for order in item.contract_customer.purchase_orders.all()
    )


def _is_on_hold(item, day) -> bool:
    return item.hold_until is not None and item.hold_until > day


def _is_missed(day) -> Q:
    """Ready work that no schedule entry will ever include (BKL-6).

    Its line has no schedule, or it is dated after the line's last open entry, past or future. Not milestones
    and retainers, which need no schedule, nor items on hold, nor non-chargeable work, which is only added to
    an invoice with other work.
    """
    taker = ScheduleEntry.objects.filter(
        status__in=ScheduleEntry.STILL_DUE, line=OuterRef("contract_line"), cutoff__gte=OuterRef("date")
    )
    is_work = Q(status=_Status.READY, actual__isnull=False)
    is_work &= ~Q(actual__billing_type=BillingType.NON_CHARGEABLE)
    return is_work & (Q(hold_until=None) | Q(hold_until__lte=day)) & ~Exists(taker)


def _was_missed(item, day) -> bool:
    if item.status != _Status.READY or item.actual is None or _is_on_hold(item, day):
        return False
    if item.actual.billing_type == BillingType.NON_CHARGEABLE:
        return False
    schedule = item.contract_line.schedule.all() if item.contract_line else ()
    return not any(
        entry.status in ScheduleEntry.STILL_DUE and entry.cutoff >= item.date for entry in schedule
    )


TABLE = (
    Obstacle(
        code="IS-CANCELED",
        label=_("already canceled"),
        chip=_("canceled"),
        stops=_EVERY_STEP,
        condition=lambda day: Q(status=_Status.CANCELED),
        holds=lambda item, day: item.status == _Status.CANCELED,
        reason=lambda item: Reason("IS-CANCELED"),
    ),
    Obstacle(
        code="IS-BILLED",
        label=_("on a confirmed proforma"),
        chip=_("on a confirmed proforma"),
        stops=_EVERY_STEP,
        condition=lambda day: Q(status=_Status.POSTED),
        holds=lambda item, day: item.status == _Status.POSTED,
        reason=lambda item: Reason("IS-BILLED"),
    ),
    Obstacle(
        code="ON-DRAFT",
        label=_("on a draft proforma"),
        chip=_("on a draft proforma"),
        stops=_EVERY_STEP,
        condition=lambda day: Q(status=_Status.CREATED),
        holds=lambda item, day: item.status == _Status.CREATED,
        reason=lambda item: Reason("ON-DRAFT"),
    ),
    Obstacle(
        code="CONTRACT-NOT-CONFIRMED",
        label=_("on a contract that is not confirmed"),
        chip=_("contract not confirmed"),
        stops=_EVERY_STEP,
        condition=lambda day: ~Q(contract__status=ProjectContract.Status.CONFIRMED),
        holds=lambda item, day: item.contract.status != ProjectContract.Status.CONFIRMED,
        reason=lambda item: Reason(
            "CONTRACT-NOT-CONFIRMED",
            contract=item.contract,
            status=ProjectContract.Status(item.contract.status),
        ),
    ),
    Obstacle(
        code="NO-SCHEDULE",
        label=_("ready without a schedule entry (create its proforma by hand)"),
        chip=_("no schedule entry"),
        stops=frozenset({Step.RUN}),
        condition=_is_missed,
        holds=_was_missed,
        reason=lambda item: Reason("NO-SCHEDULE"),
    ),
    Obstacle(
        code="IS-RETAINER",
        label=_("a retainer, which this version does not put on proforma invoices"),
        chip=_("retainer"),
        stops=_TAKING,
        condition=lambda day: Q(retainer__isnull=False),
        holds=lambda item, day: item.retainer_id is not None,
        reason=lambda item: Reason("IS-RETAINER"),
    ),
    Obstacle(
        code="OVER-LIMIT",
        label=_("over a not-to-exceed limit"),
        chip=_("over the limit"),
        stops=_EVERY_STEP,
        condition=lambda day: Q(limit_status=_LimitStatus.FAILED),
        holds=lambda item, day: item.limit_status == _LimitStatus.FAILED,
        reason=lambda item: Reason(
            "OVER-LIMIT",
            level=BacklogItem.LimitLevel(item.limit_level),
            over=Amount(item.limit_over, item.currency),
        ),
    ),
    Obstacle(
        # A ready item that was released by a document is tested when it is confirmed (PRO-6).
        code="NOT-EVALUATED",
        label=_("not tested against its limit"),
        chip=_("not tested"),
        stops=_EVERY_STEP,
        condition=lambda day: (
            Q(status=_Status.NOT_READY, limit_status=_LimitStatus.NOT_EVALUATED) & _HAS_LIMIT
        ),
        holds=lambda item, day: (
            (item.status, item.limit_status) == (_Status.NOT_READY, _LimitStatus.NOT_EVALUATED)
            and _has_limit(item)
        ),
        reason=lambda item: Reason("NOT-EVALUATED"),
    ),
    Obstacle(
        code="NO-PRICE",
        label=_("without a price"),
        chip=_("no price"),
        stops=_EVERY_STEP,
        condition=lambda day: Q(needs_price=True),
        holds=lambda item, day: item.needs_price,
        reason=lambda item: Reason("NO-PRICE"),
        who=Who.BOTH,
    ),
    Obstacle(
        code="ON-HOLD",
        label=_("on hold"),
        chip=_("on hold"),
        stops=_EVERY_STEP,
        condition=lambda day: Q(hold_until__gt=day),
        holds=_is_on_hold,
        reason=lambda item: Reason(
            "ON-HOLD",
            until=item.hold_until,
            why=item.hold_reason or Label(_NO_REASON),
        ),
    ),
    Obstacle(
        code="ORDER-MISSING",
        label=_("without an order number"),
        chip=_("no order number"),
        stops=frozenset({Step.CONFIRM}),
        condition=_is_without_order,
        holds=_needs_order,
        reason=lambda item: Reason(
            "ORDER-MISSING",
            entity=item.contract.entity,
            contract=item.contract,
            customer=item.contract_customer.customer,
            day=item.date,
        ),
        who=Who.ADMINISTRATOR,
    ),
    Obstacle(
        code="NOT-READY",
        label=_("not marked ready"),
        chip=_("not ready"),
        stops=_TAKING,
        condition=lambda day: Q(status=_Status.NOT_READY),
        holds=lambda item, day: item.status == _Status.NOT_READY,
        reason=lambda item: Reason("NOT-READY"),
    ),
)
BY_CODE = {obstacle.code: obstacle for obstacle in TABLE}


def stopping(*steps: Step) -> list[Obstacle]:
    """The rows that stop one of the steps, in the order of the table."""
    return [obstacle for obstacle in TABLE if obstacle.stops & set(steps)]


def with_obstacle(items: BacklogQuerySet, step: Step, *, on: datetime.date) -> BacklogQuerySet:
    """The items with `obstacle`: the code of the first row that stops the step on that day, or empty."""
    whens = [When(row.condition(on), then=Value(row.code)) for row in stopping(step)]
    return items.annotate(obstacle=Case(*whens, default=Value(""), output_field=CharField()))


def free(items: BacklogQuerySet, step: Step, *, on: datetime.date) -> BacklogQuerySet:
    """The items without an obstacle to that step on that day."""
    return items.exclude(any_of(stopping(step), on=on))


def any_of(rows: Iterable[Obstacle], *, on: datetime.date) -> Q:
    """The condition that an item has at least one of these obstacles."""
    found = Q(pk__in=[])
    for row in rows:
        found |= row.condition(on)
    return found


def counted(items: BacklogQuerySet, step: Step, *, on: datetime.date) -> dict[str, int]:
    """The number of items that each obstacle keeps from that step, by code in the order of the table.

    One query.
    """
    rows = with_obstacle(items, step, on=on).order_by().values_list("obstacle").annotate(n=Count("pk"))
    counts = Counter(dict(rows))
    return {row.code: counts[row.code] for row in stopping(step) if counts[row.code]}


def loaded(items: BacklogQuerySet) -> BacklogQuerySet:
    """The items with everything that the rows read; four queries for any number.

    Whether a schedule misses the item is calculated by the database.
    """
    return items.select_related(
        "contract__entity", "contract_line", "contract_customer__customer", "actual"
    ).prefetch_related("contract__managers", "contract_customer__purchase_orders", "contract_line__customers")


def of(item, *steps: Step, on: datetime.date) -> list[Obstacle]:
    """The obstacles to these steps on that day, for a loaded item, in the order of the table."""
    return [row for row in stopping(*steps) if row.holds(item, on)]


def first_of(item, *steps: Step, on: datetime.date) -> Obstacle | None:
    """The first of these, or None if there is none."""
    return next((row for row in stopping(*steps) if row.holds(item, on)), None)


# What an action on many items did not change


class LeftAlone(NamedTuple):
    """The number of rows that an action did not change, with the code of the reason.

    `over` is the largest excess.
    """

    code: str
    n: int
    level: str = ""
    over: Amount | None = None

    def __str__(self):
        """The reason as text that follows the count."""
        words = str(_WORDS[self.code] if self.code in _WORDS else BY_CODE[self.code].label)
        if self.over is not None:
            by = gettext("by") if self.n == 1 else gettext("by up to")
            return f"{words} ({BacklogItem.LimitLevel(self.level).label}, {by} {shown(self.over)})"
        return f"{words} ({_WAY_TO_A_PRICE})" if self.code == "NO-PRICE" else words


# Why an action does not change a row in another status.
BY_STATUS = {status: BacklogItem.MOVES.refusals[status] for status in _Status}
# Other reasons why an action does not change a row, which are not obstacles to billing.
_WORDS = {
    "ALREADY-READY": _("already ready to invoice"),
    "ALREADY-NOT-READY": _("already not ready"),
    "ALREADY-ON-HOLD": _("already on hold"),
    "NOT-ON-HOLD": _("not on hold"),
    "NOT-CHARGEABLE-WORK": _("not chargeable"),
    "WITHIN-ITS-LIMITS": _("already within its limits"),
}
# How to fix it (PRC-6).
_WAY_TO_A_PRICE = _(
    "have a billing administrator extend the price list or add the price to it, then cancel the approval and "
    "approve again"
)


def in_words(left: list[LeftAlone]) -> dict[str, int]:
    """The number of rows that were not changed, by reason as text."""
    return {str(each): each.n for each in left}


def by_code(left: list[LeftAlone]) -> dict[str, int]:
    """The number of rows that were not changed, by the code of the reason."""
    counts: Counter[str] = Counter()
    for each in left:
        counts[each.code] += each.n
    return dict(counts)


def together(left: list[LeftAlone]) -> list[LeftAlone]:
    """One object for each reason, with the total number of rows and the largest excess over the limit."""
    found = {}
    for each in left:
        key = each.code, each.level, each.over and each.over.currency
        same = found.get(key)
        if same is not None:
            over = each.over and max(each.over, same.over, key=lambda amount: amount.amount)
            each = each._replace(n=each.n + same.n, over=over)
        found[key] = each
    return list(found.values())


def why_not_ready(items, *, on) -> list[LeftAlone]:
    """Why these items can't be marked ready: each item is counted under its first obstacle."""
    left = []
    for code, n in counted(items, Step.MARK, on=on).items():
        if code == "OVER-LIMIT":
            over = with_obstacle(items, Step.MARK, on=on).filter(obstacle=code)
            left += over_limits(items.filter(pk__in=over.values("pk")))
        else:
            left.append(LeftAlone(code, n))
    return left


def over_limits(items) -> list[LeftAlone]:
    """The items that failed a limit, counted by limit, with the largest excess over each (NTE-2)."""
    groups = items.order_by("limit_level", "currency").values_list("limit_level", "currency")
    return [
        LeftAlone("OVER-LIMIT", n, level, Amount(over, currency))
        for level, currency, n, over in groups.annotate(n=Count("pk"), over=Max("limit_over"))
    ]
