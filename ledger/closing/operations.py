"""Opening, holding and closing a fiscal period (PST-6)."""

from invoicing_site.floor import audit, moves, transaction
from ledger.closing.still_open import StillOpen, earlier_open, still_open
from ledger.models import FiscalPeriod

_Status = FiscalPeriod.Status


def close_period(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Close the period to all posting; waits for what is being posted into it.

    Earlier periods may still be open, which is recorded. Returns what is still open in it: with the entity's
    parameter that is booked in the next open period, otherwise it waits. Refused when the period is closed
    already.
    """
    return _turn(period, "close_period", by)


def put_on_hold(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Let nothing be posted for now; what is dated in the period waits and keeps its date.

    Refused when it is already on hold, and when it is closed: only `reopen_period` opens it.
    Returns what is still open in it.
    """
    return _turn(period, "put_on_hold", by)


def reopen_period(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Let the period be posted in again; refused when it is open. Returns what is still open in it."""
    return _turn(period, "reopen_period", by)


@transaction.atomic
def _turn(period, verb, by):
    period = FiscalPeriod.objects.locked().select_related("entity").get(pk=period.pk)
    moves.refuse_unless(period, verb, name=f"the period {period} of {period.entity}")
    (status,) = period.MOVES.ends(verb, period.status)
    before, period.status = period.status, status
    period.save(update_fields=["status"])
    left = still_open(period)
    audit.record(
        f"ledger.{verb}",
        period,
        by=by,
        entity=period.entity.code,
        before=before,
        after=str(status),
        still_open={row.code: row.count for row in left},
        earlier_open=[str(each) for each in earlier_open(period)] if status == _Status.CLOSED else [],
    )
    return left
