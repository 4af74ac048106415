"""The audit log: one event per action, written in the action's own transaction (SEC-3)."""

from django.db import connections, router

from invoicing_site.models import AuditEvent

_TEXT_LENGTH = AuditEvent._meta.get_field("subject_text").max_length


def record(action: str, subject, *, by=None, entity: str = "", **detail) -> AuditEvent:
    """Record who did this, with old and new values in `detail`; `by` None means the system itself.

    The subject is a saved model instance, or None if the action concerns no single row.
    """
    assert connections[router.db_for_write(AuditEvent)].in_atomic_block, "An event without its action."
    about = {}
    if subject is not None:
        about = {
            "subject_type": subject._meta.label_lower,
            "subject_id": str(subject.pk),
            "subject_text": str(subject)[:_TEXT_LENGTH],
        }
    return AuditEvent.objects.create(action=action, by=by, entity=str(entity), detail=detail, **about)
