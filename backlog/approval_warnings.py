"""Warnings before an approval, which do not stop it (APP-10).

They are about work dated outside its project, and work that is already on a proforma because somebody added
it by hand: approving it may bill it twice.
"""

import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import BooleanField, Count, ExpressionWrapper, Q

from actuals import oddities
from actuals.models import BillingType, Entry
from contracts.models import Project
from invoicing_site.floor import formatting
from invoicing_site.floor.reasons import Reason


class ByHand(NamedTuple):
    """Work that was added by hand to a proforma: the values of its detail, and its proforma."""

    project_id: int
    transaction_class: str
    date: datetime.date
    task_id: int | None
    resource_id: int | None
    category_id: int | None
    product_id: int | None
    quantity: Decimal
    unit: str
    person: str | None
    detail_id: int
    proforma_id: int
    proforma: str
    is_confirmed: bool

    def may_be(self, entry) -> bool:
        """Whether the entry may be the same work; an empty value of the detail matches any value."""
        if (self.project_id, self.transaction_class, self.date) != (
            entry.project_id,
            entry.transaction_class,
            entry.date,
        ):
            return False
        names = ["task_id", "resource_id"]
        if self.transaction_class != Entry.Class.TIME:
            names += ["category_id", "product_id"]
        return all(getattr(self, name) in (None, getattr(entry, name)) for name in names)

    def __str__(self):
        whose = f" of {self.person}" if self.person else ""
        what = f"{formatting.quantity(self.quantity)} {self.unit}".strip()
        return f"{what}{whose} on {formatting.day(self.date)}"


_COLUMNS = (
    "pk",
    "linedetail__transaction_class",
    "linedetail__date",
    "linedetail__task",
    "linedetail__resource",
    "linedetail__category",
    "linedetail__product",
    "linedetail__quantity",
    "linedetail__unit",
    "linedetail__resource__name",
    "linedetail__pk",
    "linedetail__line__proforma",
    "linedetail__line__proforma__number",
    "is_confirmed",
)


def by_hand(projects, *, since, until) -> list[ByHand]:
    """Chargeable work that was added by hand for these projects and days: one query.

    After a return (PRP-6) it is found on the new draft.
    """
    rows = Project.objects.filter(
        pk__in=projects,
        linedetail__added_by__isnull=False,
        linedetail__billing_type=BillingType.CHARGEABLE,
        linedetail__date__range=(since, until),
    )
    confirmed = Q(linedetail__line__proforma__status="confirmed")
    rows = rows.annotate(is_confirmed=ExpressionWrapper(confirmed, BooleanField()))
    credited = Count("linedetail__detail_actuals", filter=Q(linedetail__detail_actuals__part="credit"))
    rows = rows.values_list(*_COLUMNS).alias(credited=credited).filter(credited=0)
    return [ByHand._make(row) for row in rows.order_by("linedetail__pk")]


class ApprovalWarnings:
    """Warnings about some entries of one legal entity before they are approved: one query for all."""

    def __init__(self, entity, entries):
        self.today = entity.today()
        dates = [entry.date for entry in entries]
        projects = {entry.project_id for entry in entries}
        self.by_hand = {}
        for each in by_hand(projects, since=min(dates), until=max(dates)) if dates else ():
            self.by_hand.setdefault((each.project_id, each.date), []).append(each)

    def of(self, entry, *, is_charged: bool, is_approved=False) -> list[str]:
        """Sentences about one entry; `is_charged` is whether approving it bills anything.

        The advice differs once it `is_approved`.
        """
        found = [f"It is {phrase}." for phrase in oddities.of_day(entry.date, entry.project, self.today)]
        same = self.by_hand.get((entry.project_id, entry.date), ()) if is_charged else ()
        return found + [_duplicate(each, is_approved).sentence for each in same if each.may_be(entry)]


def _duplicate(typed, is_approved) -> Reason:
    """The warning that the same work may be on a proforma, with advice."""
    values = {"work": str(typed), "proforma": typed.proforma}
    if typed.is_confirmed:
        if is_approved:
            return Reason("DUPLICATE-APPROVED-CONFIRMED", **values)
        return Reason("DUPLICATE-CONFIRMED", **values)
    if is_approved:
        return Reason("DUPLICATE-APPROVED", **values)
    return Reason("DUPLICATE-ON-DRAFT", **values)
