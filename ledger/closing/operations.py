"""Opening, holding and closing a fiscal period (PST-6)."""

from invoicing_site.floor import audit, moves, transaction
from ledger.closing.still_open import StillOpen, earlier_open, still_open
from ledger.models import FiscalPeriod

_Status = FiscalPeriod.Status


def close_period(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Close the period, so that nothing can be posted in it; waits for postings that are running.

    Earlier periods may still be open; the audit event names them. Returns what is still open in the period:
    it is posted in the next open period if the entity's parameter says so, otherwise it waits. Refused if the
    period is already closed.
    """
    return _turn(period, "close_period", by)


def put_on_hold(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Put the period on hold: nothing is posted in it for now, and its open items wait and keep their date.

    Refused if it is already on hold, and if it is closed: only `reopen_period` opens it. Returns what is
    still open in it.
    """
    return _turn(period, "put_on_hold", by)


def reopen_period(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Reopen the period for posting; refused if it is open. Returns what is still open in it."""
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
