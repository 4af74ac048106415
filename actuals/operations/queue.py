"""The queue of the actuals that wait for an integration journal (JRN-1, JRN-6).

Each function belongs in a transaction of the caller: of the one that records the actuals, or that adds them
to journals.
"""

from collections.abc import Iterable
from functools import partial

from actuals.models import Actual, ActualToJournal
from contracts.models import TransactionClass
from invoicing_site.floor import bounds, queues
from invoicing_site.floor.querysets import write_rows


def wait_for_journal(actuals: Iterable[Actual]) -> None:
    """Queue those of these saved actuals that the journal books.

    A reversal of an actual that is too large for the books and still waits is not queued, and its original
    is taken out: the first can't be posted, and the two add up to zero.
    """
    waiting = [actual for actual in actuals if is_booked_by_journal(actual)]
    settled = _settled([actual for actual in waiting if actual.reverses_id and _is_too_large(actual)])
    write_rows(
        ActualToJournal,
        [
            ActualToJournal(actual_id=actual.pk, entity_id=actual.entity_id, date=actual.accounting_date)
            for actual in waiting
            if actual.pk not in settled
        ],
    )


def is_booked_by_journal(actual: Actual) -> bool:
    """Whether the integration journal takes the actual (JRN-6)."""
    is_retainer = actual.transaction_class == TransactionClass.RETAINER
    return actual.booked_by == Actual.BookedBy.JOURNAL and not is_retainer


def _is_too_large(actual) -> bool:
    return abs(actual.amount) > bounds.MOST_AMOUNT


def _settled(reversals) -> set[int]:
    """The reversals whose originals still waited; those are taken out of the queue."""
    if not reversals:
        return set()
    reversed_ones = Actual.objects.in_bulk({actual.reverses_id for actual in reversals})
    originals = {}
    for actual in reversals:
        original = reversed_ones[actual.reverses_id]
        # After a return, the one that is reversed replaces the original, which the journal books (PRP-6).
        is_own = original.booked_by == Actual.BookedBy.JOURNAL
        originals[actual.pk] = original.pk if is_own else original.replaces_id
    # A transaction that is adding one of them to a journal commits first.
    waiting = ActualToJournal.objects.filter(pk__in=set(originals.values()) - {None})
    found = {row.pk for row in waiting.locked()}
    leave_queue(found)
    return {key for key, original in originals.items() if original in found}


leave_queue = partial(queues.leave, ActualToJournal)
keep_waiting = partial(queues.keep_waiting, ActualToJournal)
