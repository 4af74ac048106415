"""Compares each queue with all rows that have to be in it, for verifying and repairing only.

Everything else reads the queue.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet

from actuals.models import Actual, ActualToJournal
from contracts.models import LegalEntity, TransactionClass
from invoicing_site.floor import bounds
from invoicing_site.floor.querysets import in_chunks
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
    """The keys of final rows of the entity that neither wait in the queue nor took its step.

    One statement looks for them, because the database merges whole tables in a fraction of the time of many
    lookups: 3 seconds for two million actuals.
    """
    missing = queue.rows(entity).filter(
        ~Exists(queue.model.objects.filter(pk=OuterRef("pk"))),
        ~Exists(queue.next_rows.filter(**{queue.link: OuterRef("pk")})),
    )
    for keys in in_chunks(list(missing.order_by("pk").values_list("pk", flat=True)), _CHUNK):
        settled = queue.of._base_manager.filter(queue.settled, pk__in=keys)
        yield from sorted(set(keys).difference(settled.values_list("pk", flat=True)))


def queued_wrongly(queue: Queue, entity: LegalEntity) -> Iterator[int]:
    """The keys of rows of the entity's queue that took its step, or that need not take it."""
    mine = queue.model.objects.filter(entity=entity)
    for keys in in_chunks(list(mine.order_by("pk").values_list("pk", flat=True)), _CHUNK):
        rightly = set(mine.filter(queue.agrees, pk__in=keys).values_list("pk", flat=True))
        rightly.intersection_update(queue.rows(entity).filter(pk__in=keys).values_list("pk", flat=True))
        done = queue.next_rows.filter(**{f"{queue.link}__in": keys}).values_list(queue.link, flat=True)
        yield from sorted(set(keys) - rightly.difference(done))
