"""Opening, holding and closing a fiscal period (PST-6)."""

from invoicing_site.floor import audit, transaction
from invoicing_site.floor.errors import Refused
from ledger.closing.still_open import StillOpen, earlier_open, still_open
from ledger.models import FiscalPeriod

_Status = FiscalPeriod.Status


def close_period(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Close the period to all posting; waits for what is being posted into it.

    Earlier periods may still be open, which is recorded. Returns what is still open in it: with the entity's
    parameter that is booked in the next open period, otherwise it waits. Refused when the period is closed
    already.
    """
    return _turn(period, _Status.CLOSED, "ledger.close_period", by)


def put_on_hold(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Let nothing be posted for now; what is dated in the period waits and keeps its date.

    Refused when it is already on hold, and when it is closed: only `reopen_period` opens it.
    Returns what is still open in it.
    """
    return _turn(period, _Status.ON_HOLD, "ledger.put_on_hold", by)


def reopen_period(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Let the period be posted in again; refused when it is open. Returns what is still open in it."""
    return _turn(period, _Status.OPEN, "ledger.reopen_period", by)


@transaction.atomic
def _turn(period, status, action, by):
    period = FiscalPeriod.objects.locked().select_related("entity").get(pk=period.pk)
    if period.status == status:
        raise Refused("PERIOD-STATUS", period=period, entity=period.entity, status=_Status(period.status))
    if (period.status, status) == (_Status.CLOSED, _Status.ON_HOLD):
        raise Refused("PERIOD-NOT-OPEN", period=period, entity=period.entity)
    before, period.status = period.status, status
    period.save(update_fields=["status"])
    left = still_open(period)
    audit.record(
        action,
        period,
        by=by,
        entity=period.entity.code,
        before=before,
        after=str(status),
        still_open={row.code: row.count for row in left},
        earlier_open=[str(each) for each in earlier_open(period)] if status == _Status.CLOSED else [],
    )
    return left
