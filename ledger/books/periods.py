"""Fiscal periods: which days can be posted on, and holding a period open until commit (PST-6).

A period's row is always the first lock. An operation that posts holds the period until commit, and closing
the period waits for it, so that nothing is posted into a closed period.
"""

import datetime
from bisect import bisect_right
from collections.abc import Iterable

from django.db.models import Q

from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from ledger.models import FiscalPeriod

_Status = FiscalPeriod.Status
_PAGE = "periods"


class PeriodBook:
    """The fiscal periods of one entity, looked up by day."""

    def __init__(self, entity: LegalEntity, periods: Iterable[FiscalPeriod]):
        self._entity = entity
        self._periods = sorted(periods, key=lambda period: period.starts)
        self._starts = [period.starts for period in self._periods]

    @classmethod
    def load(cls, entity: LegalEntity) -> "PeriodBook":
        """All periods as they are now, without a lock."""
        return cls(entity, FiscalPeriod.objects.filter(entity=entity))

    @classmethod
    def hold(cls, entity: LegalEntity) -> "PeriodBook":
        """All periods, locked against changes until the caller's transaction commits."""
        return cls(entity, FiscalPeriod.objects.filter(entity=entity).held())

    def period(self, day: datetime.date) -> FiscalPeriod:
        """The period of that day; refused (PERIOD-MISSING) if there is none."""
        place = bisect_right(self._starts, day) - 1
        if place < 0 or self._periods[place].ends < day:
            raise Refused("PERIOD-MISSING", entity=self._entity, day=day, remedy=_PAGE)
        return self._periods[place]

    def open_period(self, day: datetime.date) -> FiscalPeriod:
        """The period of that day; refused (PERIOD-CLOSED) if it is on hold or closed."""
        period = self.period(day)
        if period.status != _Status.OPEN:
            raise Refused(
                "PERIOD-CLOSED",
                period=period,
                entity=self._entity,
                status=_Status(period.status),
                day=day,
                remedy=_PAGE,
            )
        return period

    def is_year_closed(self, day: datetime.date) -> bool:
        """Whether every period of that day's fiscal year is closed."""
        year = self.period(day).year_id
        return all(each.status == _Status.CLOSED for each in self._periods if each.year_id == year)

    def next_open_day(self, day: datetime.date) -> datetime.date:
        """The day itself if its period is open, else the first day of the next open period.

        Refused (NO-OPEN-PERIOD) if no later period is open.
        """
        if self.period(day).status == _Status.OPEN:
            return day
        for period in self._periods:
            if period.starts > day and period.status == _Status.OPEN:
                return period.starts
        raise Refused("NO-OPEN-PERIOD", entity=self._entity, day=day, remedy=_PAGE)


def period_of(entity: LegalEntity, day: datetime.date) -> FiscalPeriod:
    """The period of that day, in any status; refused (PERIOD-MISSING) if there is none."""
    return PeriodBook(
        entity, FiscalPeriod.objects.filter(entity=entity, starts__lte=day, ends__gte=day)
    ).period(day)


def hold(entity: LegalEntity, days: Iterable[datetime.date]) -> PeriodBook:
    """The periods of these days in any status, held until commit: the first lock of whatever posts."""
    touched = Q(pk=None)
    for day in sorted(set(days)):
        touched |= Q(starts__lte=day, ends__gte=day)
    return PeriodBook(entity, FiscalPeriod.objects.filter(touched, entity=entity).held())


def hold_open(entity: LegalEntity, days: Iterable[datetime.date]) -> dict[datetime.date, FiscalPeriod]:
    """The open period of each day, held until commit; see `hold`.

    Refused if a day has no period (PERIOD-MISSING) or its period is not open (PERIOD-CLOSED).
    """
    days = sorted(set(days))
    book = hold(entity, days)
    return {day: book.open_period(day) for day in days}


def next_open_day(entity: LegalEntity, day: datetime.date) -> datetime.date:
    """The day itself or the first day of the next open period; see `PeriodBook.next_open_day`."""
    return PeriodBook.load(entity).next_open_day(day)
