"""Numbers of documents, without gap and rising in time (MON-7).

The row of the sequence is the lock, held until the transaction ends: what is rolled back gives its numbers
back, because nobody else could draw in the meantime. That is why drawing is the last lock of a transaction.
"""

import datetime
from dataclasses import dataclass

from django.db import connections, router

from contracts.models import LegalEntity, NumberSequence, SequenceCounter
from invoicing_site.floor.errors import Refused


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a document: the text that is printed, and its place in the sequence."""

    text: str
    year: int  # as the format shows it, else 0
    seq: int
    sequence: NumberSequence


def draw_number(entity: LegalEntity, kind: str, *, on: datetime.date) -> Number:
    """The next number of that kind for a document of that date; see `draw_numbers`."""
    (number,) = draw_numbers(entity, kind, on=on)
    return number


def draw_numbers(entity: LegalEntity, kind: str, *, on: datetime.date, count: int = 1) -> list[Number]:
    """The next `count` numbers, in order, for documents of that date; nobody else ever gets them.

    Refused when the entity has no such sequence (NUM-MISSING), or the sequence follows the calendar and a
    later date was drawn before (NUM-ORDER), in whatever year. It belongs at the end of the caller's
    transaction: everybody else who wants a number waits from here until that ends.
    """
    assert connections[router.db_for_write(NumberSequence)].in_atomic_block, "A number without its document."
    assert count >= 0, "Numbers are drawn, not given back."
    sequence = NumberSequence.objects.locked().filter(entity=entity, kind=kind).first()
    if sequence is None:
        raise Refused(
            "NUM-MISSING",
            remedy="admin:contracts_numbersequence_add",
            entity=entity,
            kind=NumberSequence.Kind(kind),
        )
    if not count:
        return []
    # Read after the lock: who held it before us has committed by now.
    counters = list(SequenceCounter.objects.filter(sequence=sequence))
    if sequence.in_date_order:
        _refuse_to_go_back(sequence, counters, on)
    year = entity.fiscal_year(on) if sequence.shows_year else 0
    counter = next((c for c in counters if c.year == year), None)
    counter = counter or SequenceCounter(sequence=sequence, year=year)
    first = counter.last + 1
    counter.last += count
    counter.last_date = max(on, counter.last_date or on)
    counter.save()
    return [
        Number(sequence.format.format(year=year, seq=seq), year, seq, sequence)
        for seq in range(first, first + count)
    ]


def _refuse_to_go_back(sequence, counters, on):
    latest = max((c.last_date for c in counters if c.last_date), default=on)
    if on < latest:
        raise Refused("NUM-ORDER", kind=NumberSequence.Kind(sequence.kind), day=on, latest=latest)
