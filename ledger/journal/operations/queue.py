"""Repairs the queue of the actuals that wait for a journal, after manual changes (JRN-1)."""

from actuals.models import Actual
from actuals.operations import leave_queue, wait_for_journal
from contracts.models import LegalEntity
from invoicing_site.floor import audit, transaction
from invoicing_site.floor.querysets import in_chunks
from ledger.journal.waiting import queued_wrongly, unqueued

_CHUNK = 1000


def rebuild_queue(entity: LegalEntity, *, by) -> tuple[int, int]:
    """Queue the actuals that wait for no journal and should, and take out those that should not.

    Returns how many of both. Compares all actuals of the entity; each chunk is a transaction of its own.
    """
    removed = sum(
        _mend(entity, keys, leave_queue, by=by) for keys in in_chunks(queued_wrongly(entity), _CHUNK)
    )
    added = sum(_mend(entity, keys, _add, by=by) for keys in in_chunks(unqueued(entity), _CHUNK))
    return added, removed


@transaction.atomic
def _mend(entity, keys, change, *, by) -> int:
    change(keys)
    audit.record(
        "ledger.rebuild_queue",
        None,
        by=by,
        entity=entity.code,
        queue="journal",
        change="removed" if change is leave_queue else "added",
        actuals=keys,
    )
    return len(keys)


def _add(keys):
    wait_for_journal(Actual.objects.filter(pk__in=keys))
