"""The queues: what waits for its next step is queued, and nothing else."""

from actuals.models import Actual
from contracts.models import LegalEntity
from invoicing_site.verify.finding import Finding, where
from ledger.journal.waiting import queued_wrongly, unqueued


def journals(entity: LegalEntity):
    """QUEUE: an actual that journals book is in a journal or waits for one, and never both (JRN-1)."""
    for keys, trouble in (
        (unqueued(entity), "is in no journal and does not wait for one"),
        (queued_wrongly(entity), "is in the queue for journals, but does not have to be added to one"),
    ):
        for key in keys:
            yield Finding("QUEUE", entity.code, str(key), where(Actual, key), f"Actual {key} {trouble}.")
