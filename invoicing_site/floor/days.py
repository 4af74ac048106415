"""The accepted range of dates, for forms, files and other programs (APP-10)."""

import datetime

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason

FIRST = datetime.date(1990, 1, 1)
LAST = datetime.date(2099, 12, 31)
# Work is dated at most a year and a day ahead.
_AHEAD = datetime.timedelta(days=366)
_SOON = datetime.timedelta(days=7)


def why_not(day: datetime.date, *, latest: datetime.date = LAST) -> Reason | None:
    """The reason why the day can't be saved; None if it can."""
    if FIRST <= day <= latest:
        return None
    return Reason("DAY-OUT-OF-RANGE", day=day, first=FIRST, latest=latest)


def latest_of_work(today: datetime.date) -> datetime.date:
    """The last day that an entry, or work added by hand, may have."""
    return today + _AHEAD


def why_not_worked(day: datetime.date, today: datetime.date) -> Reason | None:
    """The reason why work can't have that date; None if it can."""
    return why_not(day, latest=latest_of_work(today))


def require_work_day(day: datetime.date, today: datetime.date):
    """Refused if work can't have that date."""
    if reason := why_not_worked(day, today):
        raise Refused.because(reason)


def is_far_ahead(day: datetime.date, today: datetime.date) -> bool:
    """Whether the work is dated more than a week ahead, which may be a typing error."""
    return day > today + _SOON
