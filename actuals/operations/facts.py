"""Record and reverse actuals; there is no other operation on them (ACT-1)."""

from collections.abc import Iterable

from django.db import IntegrityError

from actuals.models import Actual, Batch, PriceDecision
from actuals.operations.queue import wait_for_journal
from invoicing_site.floor import money, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import draw_ids, in_chunks, write_rows

_CHUNK = 5000


def open_batch(entity, action: str, *, on, by) -> Batch:
    """Create the batch of one action that records actuals; `on` is the legal entity's date of the action.

    Call it in the transaction of the action. The action itself writes the audit event.
    """
    return Batch.objects.create(entity=entity, action=Batch.Action(action), on=on, by=by)


def record_decisions(decisions: list[PriceDecision]) -> None:
    """Insert the price decisions of a batch, before the actuals that refer to them.

    Call it in the transaction of the action.
    """
    for row, pk in zip(decisions, draw_ids(PriceDecision, len(decisions)), strict=True):
        row.pk = pk
    write_rows(PriceDecision, decisions)


@transaction.atomic
def record(actuals: Iterable[Actual], *, batch: Batch) -> list[Actual]:
    """Insert new actuals in the batch and its legal entity, and return them in the same order (ACT-1).

    They may refer to each other as instances before they have keys. Where no accounting date is given it is
    the transaction date. Amounts come in whole minor units of their currency. Those that the journal books
    wait for it from now on (JRN-1).
    """
    actuals = list(actuals)
    for actual in actuals:
        assert actual.amount == money.rounded(actual.amount, actual.currency), "An amount was not rounded."
        actual.batch = batch
        actual.entity_id = batch.entity_id
        if actual.accounting_date is None:
            actual.accounting_date = actual.date
    write_rows(Actual, actuals)
    wait_for_journal(actuals)
    return actuals


@transaction.atomic
def reverse(actuals: Iterable[Actual], *, batch: Batch, booked_by: str | None = None) -> list[Actual]:
    """Record the exact opposite of each actual, dated as in `negated`, and return them in the same order.

    Refused if one of them is already reversed or is a reversal itself, even if another transaction reverses
    it at the same time: an actual is reversed at most once.
    """
    actuals = list(actuals)
    assert len({actual.pk for actual in actuals}) == len(actuals), "An actual is twice in one selection."
    for actual in actuals:
        if actual.reverses_id:
            raise Refused("ACTUAL-IS-REVERSAL", actual=str(actual.pk), original=str(actual.reverses_id))
    reversals = [negated(actual, batch, booked_by) for actual in actuals]
    try:
        with transaction.atomic():
            return record(reversals, batch=batch)
    except IntegrityError:
        _say_which_is_reversed(actuals)
        raise


def negated(actual: Actual, batch: Batch, booked_by: str | None = None) -> Actual:
    """The unsaved reversal of one actual: quantity and amount are negated, all other values are the same.

    Its accounting date is the day of the action (JRN-7). It is booked by the same document as the original,
    unless `booked_by` is given.
    """
    assert actual.entity_id == batch.entity_id, "A batch belongs to one legal entity."
    values = {name: getattr(actual, name) for name in _SAME}
    return Actual(
        **values,
        batch=batch,
        accounting_date=batch.on,
        quantity=-actual.quantity,
        amount=-actual.amount,
        booked_by=booked_by or actual.booked_by,
        reverses=actual,
    )


def replacement(actual: Actual, batch: Batch, **changes) -> Actual:
    """The unsaved actual that replaces a reversed one: a copy with the given changes (CON-6).

    Its accounting date is the day of the action (JRN-7).
    """
    assert actual.entity_id == batch.entity_id, "A batch belongs to one legal entity."
    values = {name: getattr(actual, name) for name in [*_SAME, "quantity", "amount", "booked_by"]}
    values |= changes
    return Actual(**values, batch=batch, accounting_date=batch.on, replaces=actual)


# `replaces` is not copied: a reversal replaces nothing.
_OWN = {"id", "batch", "accounting_date", "quantity", "amount", "booked_by", "reverses", "replaces"}
_SAME = [field.attname for field in Actual._meta.concrete_fields if field.name not in _OWN]


def _say_which_is_reversed(actuals):
    for chunk in in_chunks(actuals, _CHUNK):
        twice = (
            Actual.objects.filter(reverses__in=[actual.pk for actual in chunk])
            .order_by("reverses")
            .values_list("reverses", "pk")
        )
        if found := twice.first():
            raise Refused("ACTUAL-REVERSED", actual=str(found[0]), reversal=str(found[1]))
