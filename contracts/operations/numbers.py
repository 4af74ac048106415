"""Numbers of documents, without gaps and in date order (MON-7).

The row of the sequence is locked until the transaction ends, so nobody else can draw a number meanwhile, and
a rollback leaves no gap. Drawing numbers is therefore the last lock of a transaction.
"""

import datetime
from dataclasses import dataclass

from django.db import connections, router

from contracts.models import LegalEntity, NumberSequence, SequenceCounter
from invoicing_site.floor.errors import Refused


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a document: the printed text, and its position in the sequence."""

    text: str
    year: int  # the fiscal year if the format has {year}, else 0
    seq: int
    sequence: NumberSequence


def draw_number(entity: LegalEntity, kind: str, *, on: datetime.date) -> Number:
    """Draw the next number of that kind for a document of that date; see `draw_numbers`."""
    (number,) = draw_numbers(entity, kind, on=on)
    return number


def draw_numbers(entity: LegalEntity, kind: str, *, on: datetime.date, count: int = 1) -> list[Number]:
    """Draw the next `count` numbers, in order, for documents of that date; each number is drawn only once.

    Refused if the entity has no such sequence (NUM-MISSING), or if the sequence is in date order and a later
    date was drawn before, in any year (NUM-ORDER). Call it at the end of the transaction, because other
    transactions that need a number wait until this one ends.
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
    # Read after the lock, when the previous holder of the lock has committed.
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
