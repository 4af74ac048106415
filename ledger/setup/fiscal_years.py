"""Fiscal years: the next one, its months, and the warning before the last one ends."""

import calendar
import datetime

from contracts.models import LegalEntity
from invoicing_site.floor.reasons import Reason
from ledger.models import FiscalPeriod, FiscalYear

# Users are notified this long before the last fiscal year ends.
NOTIFIED_BEFORE = datetime.timedelta(days=60)
# The next fiscal year can be added this long before the last one ends.
OFFERED_BEFORE = datetime.timedelta(days=366)


def first_day(year: int, start_month: int) -> datetime.date:
    """The first day of a fiscal year, which is named after the calendar year in which it ends."""
    return datetime.date(year if start_month == 1 else year - 1, start_month, 1)


def fiscal_year(entity: LegalEntity, year: int) -> FiscalYear:
    """The fiscal year by the entity's calendar, not saved."""
    starts = first_day(year, entity.fiscal_year_start_month)
    ends = first_day(year + 1, entity.fiscal_year_start_month) - datetime.timedelta(days=1)
    name = str(year) if starts.year == ends.year else f"{starts.year}/{ends.year}"
    return FiscalYear(entity=entity, name=name, year=year, starts=starts, ends=ends)


def months(year: FiscalYear) -> list[FiscalPeriod]:
    """A period for each calendar month in the year, not saved."""
    periods, starts = [], year.starts
    while starts <= year.ends:
        ends = min(starts.replace(day=calendar.monthrange(starts.year, starts.month)[1]), year.ends)
        periods.append(
            FiscalPeriod(entity=year.entity, year=year, number=len(periods) + 1, starts=starts, ends=ends)
        )
        starts = ends + datetime.timedelta(days=1)
    return periods


def last_year(entity: LegalEntity) -> FiscalYear | None:
    return entity.fiscal_years.order_by("starts").last()


def next_year(entity: LegalEntity) -> FiscalYear:
    """The fiscal year after the last one, or that of today if there is none; not saved.

    It begins on the day after the last one, even if that one ended on another day than the calendar says.
    """
    last = last_year(entity)
    if last is None:
        return fiscal_year(entity, entity.fiscal_year(entity.today()))
    starts = last.ends + datetime.timedelta(days=1)
    year = fiscal_year(entity, entity.fiscal_year(starts))
    year.starts = starts
    return year


def year_to_add(entity: LegalEntity) -> FiscalYear | None:
    """The next fiscal year, not saved, if the last one ends within a year; else None."""
    last = last_year(entity)
    return next_year(entity) if last and last.ends - entity.today() <= OFFERED_BEFORE else None


def ends_soon(entity: LegalEntity) -> FiscalYear | None:
    """The last fiscal year, if it ends within 60 days or has ended."""
    last = last_year(entity)
    return last if last and last.ends - NOTIFIED_BEFORE <= entity.today() else None


def what_to_do(last: FiscalYear) -> Reason:
    """The warning about the last fiscal year."""
    values = {"entity": last.entity, "year": last, "day": last.ends}
    if last.entity.today() <= last.ends:
        return Reason("LAST-YEAR-ENDS", **values)
    return Reason("LAST-YEAR-ENDED", **values)
