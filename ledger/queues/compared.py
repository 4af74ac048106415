"""Compares each queue with all rows that have to be in it, for verifying and repairing only.

Everything else reads the queue.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import F, Model, Q, QuerySet

from actuals.models import Actual, ActualToJournal
from contracts.models import LegalEntity, TransactionClass
from invoicing_site.floor import bounds
from invoicing_site.floor.queues import Queued
from ledger.models import CustomerInvoice, Document, InvoiceProposal, InvoiceToDocument, JournalLine
from proforma.models import ProformaInvoice, ProformaToPropose

_CHUNK = 5000
_TOO_LARGE = Q(amount__gt=bounds.MOST_AMOUNT) | Q(amount__lt=-bounds.MOST_AMOUNT)
_IS_REVERSED = Q(reversed_by__isnull=False) | Q(replaced_by__reversed_by__isnull=False)


@dataclass(frozen=True)
class Queue:
    """A queue, the final rows that have to take its step, and the rows that this step writes."""

    name: str
    model: type[Queued]
    rows: Callable[[LegalEntity], QuerySet]
    next_rows: QuerySet
    link: str  # from the next row to the final one
    agrees: Q = Q()  # about a row of the queue
    settled: Q = Q(pk=None)  # final rows that need not take the step

    @property
    def of(self) -> type[Model]:
        """The model of the final rows."""
        return self.model._meta.pk.related_model


QUEUES = (
    Queue(
        "journal",
        ActualToJournal,
        lambda entity: Actual.objects.filter(entity=entity, booked_by=Actual.BookedBy.JOURNAL).exclude(
            transaction_class=TransactionClass.RETAINER
        ),
        JournalLine.objects.all(),
        "actual",
        agrees=Q(date=F("actual__accounting_date")),
        # Too large for the books and reversed: both add up to zero, and neither can be posted.
        settled=_TOO_LARGE & (Q(reverses__isnull=False) | _IS_REVERSED),
    ),
    Queue(
        "proposal",
        ProformaToPropose,
        lambda entity: ProformaInvoice.objects.filter(entity=entity, status=ProformaInvoice.Status.CONFIRMED),
        InvoiceProposal.objects.all(),
        "proforma",
    ),
    Queue(
        "document",
        InvoiceToDocument,
        lambda entity: CustomerInvoice.objects.filter(entity=entity),
        Document.objects.filter(kind=Document.Kind.PDF),
        "invoice",
    ),
)


def unqueued(queue: Queue, entity: LegalEntity) -> Iterator[int]:
    """The keys of final rows of the entity that neither wait in the queue nor took its step."""
    for keys in _chunks(queue.rows(entity)):
        # The queue is read first: whoever takes a row meanwhile deletes it and writes the next row at once.
        queued = _within(queue.model.objects, queue.model._meta.pk.name, keys)
        done = _within(queue.next_rows, queue.link, keys)
        if missing := set(keys).difference(queued, done):
            settled = queue.of._base_manager.filter(queue.settled, pk__in=missing)
            yield from sorted(missing.difference(settled.values_list("pk", flat=True)))


def queued_wrongly(queue: Queue, entity: LegalEntity) -> Iterator[int]:
    """The keys of rows of the entity's queue that took its step, or that need not take it."""
    mine = queue.model.objects.filter(entity=entity)
    for keys in _chunks(mine):
        rightly = set(mine.filter(queue.agrees, pk__in=keys).values_list("pk", flat=True))
        rightly.intersection_update(queue.rows(entity).filter(pk__in=keys).values_list("pk", flat=True))
        yield from sorted(set(keys) - rightly.difference(_within(queue.next_rows, queue.link, keys)))


def _chunks(rows):
    """The keys of the rows, in order; each part is a query of its own, so that no cursor has to stay open."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:_CHUNK])
    while keys:
        yield keys
        keys = list(rows.filter(pk__gt=keys[-1]).order_by("pk").values_list("pk", flat=True)[:_CHUNK])


def _within(rows, link, keys):
    return rows.filter(**{f"{link}__id__range": (keys[0], keys[-1])}).values_list(link, flat=True)
