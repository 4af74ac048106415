"""The queues: what waits for its next step is queued, and nothing else."""

from contracts.models import LegalEntity
from invoicing_site.verify.finding import Finding, where
from ledger.queues.compared import QUEUES, queued_wrongly, unqueued

_NAMES = {
    "journal": ("Actual", "a journal"),
    "proposal": ("Proforma", "an invoice proposal"),
    "document": ("Invoice", "a document"),
}


def queues(entity: LegalEntity):
    """QUEUE: a final row waits for its next step or has taken it, and never both (JRN-1, PRO-7, DOC-1)."""
    for queue in QUEUES:
        noun, step = _NAMES[queue.name]
        for keys, problem in (
            (unqueued(queue, entity), f"neither waits for {step} nor has one"),
            (queued_wrongly(queue, entity), f"is in the queue for {step}, but does not need one"),
        ):
            for key in keys:
                sentence = f"{noun} {key} {problem}."
                yield Finding("QUEUE", entity.code, str(key), where(queue.of, key), sentence)
