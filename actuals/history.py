"""The history of an entry, read from its audit events.

The entry has only its last stamps: submitting it again clears the earlier ones.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from actuals.models import Entry
from invoicing_site.models import AuditEvent

_MOST = 100
_SUBMITTED, _DECIDED = "Submitted", {"Approved", "Rejected", "Approval canceled"}
_DONE = {
    "actuals.enter": "Saved as a draft",
    "actuals.amend": "Changed",
    "actuals.save_week": "Changed",
    "actuals.submit": _SUBMITTED,
    "actuals.recall": "Recalled",
    "backlog.approve": "Approved",
    "backlog.reject": "Rejected",
    "backlog.cancel_approval": "Approval canceled",
}
# Their events list the entries in the detail, because one action can be about thousands.
_OF_MANY = (
    "actuals.submit",
    "actuals.recall",
    "backlog.approve",
    "backlog.reject",
    "backlog.cancel_approval",
)


@dataclass(frozen=True)
class Step:
    """One action of a user on the entry."""

    at: datetime.datetime
    done: str
    by: Any
    comment: str = ""


def history_of(entry: Entry) -> list[Step]:
    """The history of the entry, oldest first, from one query; at most the last hundred events.

    Entries that an import or an earlier system submitted or decided have no event for that, so the stamps of
    the entry are used.
    """
    steps = [
        Step(event.at, _DONE[event.action], event.by, event.detail.get("comment", ""))
        for event in _events(entry)
    ]
    done = {step.done for step in steps}
    if entry.submitted_at and _SUBMITTED not in done:
        steps.append(Step(entry.submitted_at, _SUBMITTED, entry.submitted_by))
    if entry.decided_at and not done & _DECIDED:
        decided = (
            "Sent back" if entry.status == Entry.Status.DRAFT else entry.get_status_display().capitalize()
        )
        steps.append(Step(entry.decided_at, decided, entry.decided_by, entry.decision_comment))
    entered = Step(entry.created_at, "Entered", entry.created_by)
    return [entered, *sorted(steps, key=lambda step: step.at)]


def _events(entry):
    """The events about the entry: it is their subject, or one of the entries in their detail."""
    key = entry.pk
    alone = Q(subject_type=Entry._meta.label_lower, subject_id=str(key))
    # Both databases can compare a part of the detail as text; only PostgreSQL can search its lists.
    among = Q(action__in=_OF_MANY, detail__entries__regex=rf"[\[ ,]{key}[\],]")
    in_week = Q(
        action="actuals.save_week",
        subject_type="contracts.resource",
        subject_id=str(entry.resource_id),
        detail__changed__regex=rf'"entry": ?{key}[,}}]',
    )
    found = AuditEvent.objects.filter(alone | among | in_week, action__in=_DONE)
    found = found.filter(at__gte=entry.created_at).select_related("by").order_by("-at", "-pk")[:_MOST]
    return list(found)[::-1]
