"""The audit log: one event per action, written in the action's own transaction (SEC-3)."""

from collections.abc import Iterable
from typing import Any

from django.db import connections, router

from invoicing_site.models import AuditEvent

_TEXT_LENGTH = AuditEvent._meta.get_field("subject_text").max_length


def record(action: str, subject, *, by=None, entity: str = "", **detail) -> AuditEvent:
    """Record who did this, with old and new values in `detail`; `by` None means the system itself.

    The subject is a saved model instance, or None if the action concerns no single row.
    """
    (event,) = record_each(action, [(subject, detail)], by=by, entity=entity)
    return event


def record_each(
    action: str, subjects: Iterable[tuple[Any, dict]], *, by=None, entity: str = ""
) -> list[AuditEvent]:
    """Record an event for each subject with its own detail, in one statement; see `record`."""
    assert connections[router.db_for_write(AuditEvent)].in_atomic_block, "An event without its action."
    return AuditEvent.objects.bulk_create(
        AuditEvent(action=action, by=by, entity=str(entity), detail=detail, **_about(subject))
        for subject, detail in subjects
    )


def _about(subject) -> dict:
    if subject is None:
        return {}
    return {
        "subject_type": subject._meta.label_lower,
        "subject_id": str(subject.pk),
        "subject_text": str(subject)[:_TEXT_LENGTH],
    }
