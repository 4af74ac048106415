"""Which days people, files and other programs may give: one place for all of them (APP-10)."""

import datetime

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason

FIRST = datetime.date(1990, 1, 1)
LAST = datetime.date(2099, 12, 31)
# Work is dated a year and a day ahead at most.
_AHEAD = datetime.timedelta(days=366)
_SOON = datetime.timedelta(days=7)


def why_not(day: datetime.date, *, latest: datetime.date = LAST) -> Reason | None:
    """Why the day can't be saved; None where it can."""
    if FIRST <= day <= latest:
        return None
    return Reason("DAY-OUT-OF-RANGE", day=day, first=FIRST, latest=latest)


def latest_of_work(today: datetime.date) -> datetime.date:
    """The last day that an entry, or work added by hand, may have."""
    return today + _AHEAD


def why_not_worked(day: datetime.date, today: datetime.date) -> Reason | None:
    """Why work can't have that day; None where it can."""
    return why_not(day, latest=latest_of_work(today))


def demand_worked(day: datetime.date, today: datetime.date):
    """Refused where work can't have that day."""
    if reason := why_not_worked(day, today):
        raise Refused.because(reason)


def is_far_ahead(day: datetime.date, today: datetime.date) -> bool:
    """Whether the work lies more than a week ahead: worth a look, perhaps a slip of the pen."""
    return day > today + _SOON
