"""The dates of a billing frequency (SCH-1). Pure functions of dates."""

import calendar
import datetime
from collections.abc import Iterator
from itertools import count

from contracts.models import InvoiceFrequency

_DAY = datetime.timedelta(days=1)
_WEEK = datetime.timedelta(weeks=1)


def days_of(frequency: InvoiceFrequency, start: datetime.date) -> Iterator[datetime.date]:
    """Every date of the frequency on or after the start, ascending, until the last date that Python knows.

    Weeks are counted from the first such weekday, months from the month of the start. If a month does not
    have a day, its last day is used.
    """
    if frequency.rhythm == InvoiceFrequency.Rhythm.WEEKLY:
        days = _weekly(start, frequency.weekday, frequency.every)
    else:
        days = (
            day
            for year, month in _months(start, frequency.every)
            for day in _days_of_month(frequency, year, month)
            if day >= start
        )
    return days


def cutoff_of(frequency: InvoiceFrequency, run_date: datetime.date) -> datetime.date:
    """The last day of the work that a run invoices: the day before the run, or the day of the run."""
    return run_date if frequency.cutoff_on_run_day else run_date - _DAY


def _weekly(start, weekday, every):
    first = start + datetime.timedelta(days=(weekday - start.weekday()) % 7)
    for n in count():
        try:
            yield first + n * every * _WEEK
        except OverflowError:
            return


def _months(start, every):
    for n in range(start.year * 12 + start.month - 1, 12 * datetime.MAXYEAR + 12, every):
        yield n // 12, n % 12 + 1


def _days_of_month(frequency, year, month):
    _, last = calendar.monthrange(year, month)
    if frequency.rhythm == InvoiceFrequency.Rhythm.MONTHLY:
        # In a short month, the 30th and the 31st are the same day.
        numbers = {min(number, last) for number in frequency.day_numbers}
    elif frequency.nth == -1:
        numbers = {last - (calendar.weekday(year, month, last) - frequency.weekday) % 7}
    else:
        first = (frequency.weekday - calendar.weekday(year, month, 1)) % 7 + 1
        numbers = {first + 7 * (frequency.nth - 1)}
    return [datetime.date(year, month, number) for number in sorted(numbers)]
