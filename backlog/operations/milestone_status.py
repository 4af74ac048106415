"""The status of a milestone, which follows from the status of its parts (MIL-1)."""

from django.db.models import Case, Exists, OuterRef, Value, When

from backlog.models import BacklogItem
from contracts.models import Milestone

Status = BacklogItem.Status


def update_milestones(items) -> None:
    """Update the status of the milestones of these items; items without milestones cost one query.

    In progress if a part is ready or beyond, completed if every part is posted or canceled, otherwise not
    started. Called under the contract's lock by every operation that changes the status of an item.
    """
    milestones = set(Milestone.objects.filter(parts__backlog_item__in=items).values_list("pk", flat=True))
    if not milestones:
        return
    parts = BacklogItem.objects.filter(milestone_part__milestone=OuterRef("pk"))
    is_begun = Exists(parts.filter(status__in=[Status.READY, Status.CREATED, Status.POSTED]))
    is_left = Exists(parts.exclude(status__in=[Status.POSTED, Status.CANCELED]))
    Milestone.objects.filter(pk__in=milestones).update(
        status=Case(
            When(~is_left, then=Value(Milestone.Status.COMPLETED)),
            When(is_begun, then=Value(Milestone.Status.IN_PROGRESS)),
            default=Value(Milestone.Status.NOT_STARTED),
        )
    )
