"""Numbers of documents, without gaps and in date order (MON-7).

The row of the sequence is locked until the transaction ends, so nobody else can draw a number meanwhile, and
a rollback leaves no gap. Drawing numbers is therefore the last lock of a transaction.
"""

import datetime
from collections.abc import Sequence
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
    """Draw the next `count` numbers, in order, for documents of that date; see `draw_for`."""
    assert count >= 0, "Numbers are drawn, not given back."
    return draw_for(entity, kind, [on] * count)


def draw_for(entity: LegalEntity, kind: str, days: Sequence[datetime.date]) -> list[Number]:
    """Draw the next numbers, in order, for documents of these dates; each number is drawn only once.

    Refused if the entity has no such sequence (NUM-MISSING), or if the sequence is in date order and a later
    date was drawn before, in any year (NUM-ORDER). Call it at the end of the transaction, because other
    transactions that need a number wait until this one ends. Without dates it only locks the sequence. An
    operation that draws from several sequences draws for invoices, credit notes and vouchers, in this order.
    """
    assert connections[router.db_for_write(NumberSequence)].in_atomic_block, "A number without its document."
    sequence = NumberSequence.objects.locked().filter(entity=entity, kind=kind).first()
    if sequence is None:
        raise Refused(
            "NUM-MISSING",
            remedy="admin:contracts_numbersequence_add",
            entity=entity,
            kind=NumberSequence.Kind(kind),
        )
    if not days:
        return []
    # Read after the lock, when the previous holder of the lock has committed.
    counters = {counter.year: counter for counter in SequenceCounter.objects.filter(sequence=sequence)}
    latest = max((counter.last_date for counter in counters.values() if counter.last_date), default=None)
    numbers, drawn = [], {}
    for day in days:
        if sequence.in_date_order:
            _refuse_to_go_back(sequence, latest, day)
            latest = day
        year = entity.fiscal_year(day) if sequence.shows_year else 0
        counter = drawn[year] = counters.setdefault(year, SequenceCounter(sequence=sequence, year=year))
        counter.last += 1
        counter.last_date = max(day, counter.last_date or day)
        text = sequence.format.format(year=year, seq=counter.last)
        numbers.append(Number(text, year, counter.last, sequence))
    for counter in drawn.values():
        counter.save()
    return numbers


def _refuse_to_go_back(sequence, latest, day):
    if latest and day < latest:
        raise Refused("NUM-ORDER", kind=NumberSequence.Kind(sequence.kind), day=day, latest=latest)
