"""Repairs queues after manual changes."""

from collections.abc import Callable
from dataclasses import dataclass

from actuals.operations import wait_for_journal
from contracts.models import LegalEntity
from invoicing_site.floor import audit, queues, transaction
from invoicing_site.floor.querysets import in_chunks
from ledger.document.operations import wait_for_document
from ledger.queues.compared import QUEUES, Queue, queued_wrongly, unqueued
from proforma.operations import wait_for_proposal

_CHUNK = 1000
_WAIT: dict[str, Callable] = {
    "journal": wait_for_journal,
    "proposal": wait_for_proposal,
    "document": wait_for_document,
}


@dataclass(frozen=True)
class Rebuilt:
    """How many rows a queue lacked, and how many did not belong there."""

    queue: str
    added: int
    removed: int


def rebuild_queues(entity: LegalEntity, *, by) -> list[Rebuilt]:
    """Add missing rows to the queues and remove wrong ones; returns the counts.

    Compares all final rows of the entity; each chunk has its own transaction.
    """
    return [_rebuilt(queue, entity, by=by) for queue in QUEUES]


def _rebuilt(queue, entity, *, by) -> Rebuilt:
    wrong = in_chunks(queued_wrongly(queue, entity), _CHUNK)
    removed = sum(_repair(queue, entity, keys, "removed", by=by) for keys in wrong)
    lacking = in_chunks(unqueued(queue, entity), _CHUNK)
    added = sum(_repair(queue, entity, keys, "added", by=by) for keys in lacking)
    return Rebuilt(queue.name, added, removed)


@transaction.atomic
def _repair(queue: Queue, entity, keys, change, *, by) -> int:
    if change == "removed":
        queues.leave(queue.model, keys)
    else:
        _WAIT[queue.name](queue.of._base_manager.filter(pk__in=keys))
    audit.record(
        "ledger.rebuild_queue", None, by=by, entity=entity.code, queue=queue.name, change=change, rows=keys
    )
    return len(keys)
