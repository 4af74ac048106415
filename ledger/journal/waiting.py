"""Compares the queue of the actuals that wait for a journal with all actuals and journal lines (JRN-1).

It reads all rows, for verifying and repairing; everything else reads the queue.
"""

from collections.abc import Iterator

from django.db.models import F, Q

from actuals.models import Actual, ActualToJournal
from contracts.models import LegalEntity
from invoicing_site.floor import bounds
from invoicing_site.floor.querysets import in_chunks
from ledger.models import JournalLine

_CHUNK = 5000
_TOO_LARGE = Q(amount__gt=bounds.MOST_AMOUNT) | Q(amount__lt=-bounds.MOST_AMOUNT)
_REVERSED = (
    Q(reverses__isnull=False) | Q(reversed_by__isnull=False) | Q(replaced_by__reversed_by__isnull=False)
)


def unqueued(entity: LegalEntity) -> Iterator[int]:
    """The keys of actuals that are in no journal and that do not wait for one.

    Without those that are too large for the books and reversed: nothing waits for them.
    """
    booked = Actual.objects.filter(entity=entity, booked_by=Actual.BookedBy.JOURNAL)
    booked = booked.exclude(transaction_class="retainer").order_by("pk").values_list("pk", flat=True)
    for keys in in_chunks(booked.iterator(chunk_size=_CHUNK), _CHUNK):
        within = {"actual__id__range": (keys[0], keys[-1])}
        queued = ActualToJournal.objects.filter(**within).values_list("actual", flat=True)
        lines = JournalLine.objects.filter(**within).values_list("actual", flat=True)
        # The queue is read first: whoever adds one meanwhile deletes its row and writes its line at once.
        if missing := set(keys).difference(queued, lines):
            settled = Actual.objects.filter(_TOO_LARGE, _REVERSED, pk__in=missing).values_list(
                "pk", flat=True
            )
            yield from sorted(missing.difference(settled))


def queued_wrongly(entity: LegalEntity) -> Iterator[int]:
    """The keys of actuals in the queue that are in a journal, or that no journal takes."""
    rows = ActualToJournal.objects.filter(entity=entity)
    rightly = Q(
        actual__journal_line=None,
        actual__booked_by=Actual.BookedBy.JOURNAL,
        actual__entity=F("entity"),
        actual__accounting_date=F("date"),
    ) & ~Q(actual__transaction_class="retainer")
    yield from rows.exclude(rightly).order_by("pk").values_list("pk", flat=True).iterator()
