"""Opening, holding and closing a fiscal period (PST-6)."""

from invoicing_site.floor import audit, transaction
from invoicing_site.floor.errors import Refused
from ledger.closing.still_open import StillOpen, earlier_open, still_open
from ledger.models import FiscalPeriod

_Status = FiscalPeriod.Status


def close_period(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Close the period to all posting, once whoever is posting into it is through.

    Earlier periods may be open still, which is recorded. Returns what is still open in it: with the entity's
    parameter that is booked in the next open period, otherwise it waits. Refused when the period is closed
    already.
    """
    return _turn(period, _Status.CLOSED, "ledger.close_period", by)


def put_on_hold(period: FiscalPeriod, *, by) -> list[StillOpen]:
    """Let nothing be posted for now; what is dated in the period waits and is not moved.

    Refused when it is on hold already, and when it is closed: that is opened by `reopen_period` alone.
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
        raise Refused(
            f"The period {period} of {period.entity} is {period.get_status_display()} already.",
            code="WRONG-STATUS",
        )
    if (period.status, status) == (_Status.CLOSED, _Status.ON_HOLD):
        raise Refused(
            f"The period {period} of {period.entity} is closed, and only an open one is put on "
            "hold: reopen it first.",
            code="WRONG-STATUS",
        )
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
