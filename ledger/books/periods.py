"""Fiscal periods: which day may be posted on, and what is not in the books of a period yet (PST-6).

A period's row is the first lock of all. Whoever posts holds the period until commit; whoever closes it waits
for them, so nothing is posted into a period that is closed.
"""

import datetime
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from actuals.models import Entry
from contracts.models import LegalEntity
from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused
from ledger.journal.waiting import waiting_actuals
from ledger.models import FiscalPeriod, InvoiceProposal, JournalLine
from proforma.models import ProformaInvoice

_Status = FiscalPeriod.Status
_PAGE = "periods"


class PeriodBook:
    """Fiscal periods of one entity, asked by day."""

    def __init__(self, entity: LegalEntity, periods: Iterable[FiscalPeriod]):
        self._entity = entity
        self._periods = sorted(periods, key=lambda period: period.starts)
        self._starts = [period.starts for period in self._periods]

    @classmethod
    def load(cls, entity: LegalEntity) -> "PeriodBook":
        """All periods as they are now; they may change the next moment."""
        return cls(entity, FiscalPeriod.objects.filter(entity=entity))

    @classmethod
    def hold(cls, entity: LegalEntity) -> "PeriodBook":
        """All periods, held as they are until the caller's transaction commits."""
        return cls(entity, FiscalPeriod.objects.filter(entity=entity).held())

    def period(self, day: datetime.date) -> FiscalPeriod:
        """The period of that day; refused (PERIOD-MISSING) when the books have none."""
        place = bisect_right(self._starts, day) - 1
        if place < 0 or self._periods[place].ends < day:
            raise Refused(
                f"{self._entity} has no fiscal period for {wording.day(day)}. The page Fiscal periods adds "
                "the year after the last one; an administrator adds any other.",
                code="PERIOD-MISSING",
                remedy=_PAGE,
            )
        return self._periods[place]

    def open_period(self, day: datetime.date) -> FiscalPeriod:
        """The period of that day, refused (PERIOD-CLOSED) when it is on hold or closed."""
        period = self.period(day)
        if period.status != _Status.OPEN:
            raise Refused(
                f"The period {period} of {self._entity} is {period.get_status_display()}, so nothing is "
                f"posted on {wording.day(day)}: open the period, or choose a day in an open one.",
                code="PERIOD-CLOSED",
                remedy=_PAGE,
            )
        return period

    def is_year_closed(self, day: datetime.date) -> bool:
        """Whether every period of that day's fiscal year is closed."""
        year = self.period(day).year_id
        return all(each.status == _Status.CLOSED for each in self._periods if each.year_id == year)

    def next_open_day(self, day: datetime.date) -> datetime.date:
        """The day itself where its period is open, else the first day of the next open period.

        Refused (PERIOD-CLOSED) when no later period is open.
        """
        if self.period(day).status == _Status.OPEN:
            return day
        for period in self._periods:
            if period.starts > day and period.status == _Status.OPEN:
                return period.starts
        raise Refused(
            f"{self._entity} has no open period after {wording.day(day)}: open one, or add the next fiscal "
            "year, on the page Fiscal periods.",
            code="PERIOD-CLOSED",
            remedy=_PAGE,
        )


def period_of(entity: LegalEntity, day: datetime.date) -> FiscalPeriod:
    """The period of that day, whatever its status; refused (PERIOD-MISSING) when there is none."""
    return PeriodBook(
        entity, FiscalPeriod.objects.filter(entity=entity, starts__lte=day, ends__gte=day)
    ).period(day)


def hold_open(entity: LegalEntity, days: Iterable[datetime.date]) -> dict[datetime.date, FiscalPeriod]:
    """The open period of each day, held until commit: the first lock of everything that posts.

    Refused when a day has no period (PERIOD-MISSING) or one that is not open (PERIOD-CLOSED).
    """
    days = sorted(set(days))
    touched = Q(pk=None)
    for day in days:
        touched |= Q(starts__lte=day, ends__gte=day)
    book = PeriodBook(entity, FiscalPeriod.objects.filter(touched, entity=entity).held())
    return {day: book.open_period(day) for day in days}


def next_open_day(entity: LegalEntity, day: datetime.date) -> datetime.date:
    """The day itself or the first day of the next open period; see `PeriodBook.next_open_day`."""
    return PeriodBook.load(entity).next_open_day(day)


@dataclass(frozen=True)
class StillOpen:
    """One kind of thing that is not finished in a period: how many, the oldest day, and a sentence."""

    code: str
    count: int
    oldest: datetime.date
    text: str


@dataclass(frozen=True)
class OpenKind:
    """A kind of thing that has to be in the books: its rows that are not, each with its `open_day`."""

    code: str
    text: str
    rows: QuerySet


def open_kinds(entity: LegalEntity | int) -> list[OpenKind]:
    """What of the entity is not in the books yet, whatever its day, kind by kind in the order of the work."""
    proposals = InvoiceProposal.objects.filter(
        entity=entity, status__in=["blocked", "open", "submitted", "approved"]
    )
    kinds = [
        (
            "ENTRIES",
            "{} of its entries are not approved",
            Entry.objects.filter(entity=entity, status__in=["draft", "submitted", "recall"]),
            F("date"),
        ),
        (
            "ACTUALS",
            "{} of its actuals are in no integration journal",
            waiting_actuals(entity),
            F("accounting_date"),
        ),
        (
            "JOURNAL-LINES",
            "{} of its journal lines are not posted",
            JournalLine.objects.unposted().filter(journal__entity=entity),
            F("accounting_date"),
        ),
        (
            "PROFORMAS",
            "{} of its proforma invoices are not confirmed",
            ProformaInvoice.objects.filter(entity=entity).exclude(status="confirmed"),
            F("accounting_date"),
        ),
        (
            "PROPOSALS",
            "{} of its invoice proposals are not posted",
            proposals,
            Coalesce("accounting_date", "invoice_date", "proforma__accounting_date"),
        ),
    ]
    return [OpenKind(code, text, rows.annotate(open_day=day)) for code, text, rows, day in kinds]


def still_open(period: FiscalPeriod) -> list[StillOpen]:
    """What in this period is not in the books yet, kind by kind; none of it keeps a period from closing."""
    return still_open_in([period])[period.pk]


def still_open_in(periods: Iterable[FiscalPeriod]) -> dict[int, list[StillOpen]]:
    """What is still open in each of these periods of one entity: five queries, however many they are."""
    periods = list(periods)
    result = {period.pk: [] for period in periods}
    if not periods:
        return result
    days = min(period.starts for period in periods), max(period.ends for period in periods)
    for kind in open_kinds(periods[0].entity_id):
        counts, oldest = {}, {}
        for period in periods:
            within = Q(open_day__range=(period.starts, period.ends))
            counts[f"count_{period.pk}"] = Count("pk", filter=within)
            oldest[f"oldest_{period.pk}"] = Min("open_day", filter=within)
        found = kind.rows.filter(open_day__range=days).aggregate(**counts, **oldest)
        for period in periods:
            if n := found[f"count_{period.pk}"]:
                day = found[f"oldest_{period.pk}"]
                result[period.pk].append(StillOpen(kind.code, n, day, kind.text.format(n)))
    return result


def earlier_open(period: FiscalPeriod) -> list[FiscalPeriod]:
    """The periods before it that are not closed, the oldest first; they don't keep it from closing."""
    earlier = FiscalPeriod.objects.filter(entity=period.entity_id, starts__lt=period.starts)
    return list(earlier.exclude(status=_Status.CLOSED).order_by("starts"))
