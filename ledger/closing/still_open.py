"""Work, journals, proformas and proposals that are dated in a fiscal period and not finished (PST-6)."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from actuals.models import ActualToJournal, Entry
from contracts.models import LegalEntity
from invoicing_site.floor.reasons import Reason
from ledger.models import FiscalPeriod, IntegrationJournal, InvoiceProposal, JournalLine
from proforma.models import ProformaInvoice


@dataclass(frozen=True)
class StillOpen:
    """One kind of open item in a period: how many, the oldest day, and a reason."""

    code: str
    count: int
    oldest: datetime.date
    reason: Reason


@dataclass(frozen=True)
class OpenKind:
    """A kind of item that has to be posted: the rows that are not, each with its `open_day`."""

    code: str
    reason: Callable[[int], Reason]  # for a number of rows
    rows: QuerySet


def open_kinds(entity: LegalEntity | int) -> list[OpenKind]:
    """The items of the entity that are not posted yet, on any day, by kind in the order of the work."""
    proposals = InvoiceProposal.objects.filter(
        entity=entity, status__in=["blocked", "open", "submitted", "approved"]
    )
    kinds = [
        (
            "ENTRIES",
            lambda n: Reason("ENTRIES-OPEN", count=n),
            Entry.objects.filter(entity=entity, status__in=["draft", "submitted", "recall"]),
            F("date"),
        ),
        (
            "ACTUALS",
            lambda n: Reason("ACTUALS-OPEN", count=n),
            ActualToJournal.objects.filter(entity=entity),
            F("date"),
        ),
        (
            "JOURNAL-LINES",
            lambda n: Reason("JOURNAL-LINES-OPEN", count=n),
            # A posted journal has a voucher for each line.
            JournalLine.objects.unposted().filter(
                journal__in=IntegrationJournal.objects.filter(entity=entity).exclude(status="posted")
            ),
            F("accounting_date"),
        ),
        (
            "PROFORMAS",
            lambda n: Reason("PROFORMAS-OPEN", count=n),
            ProformaInvoice.objects.filter(entity=entity).exclude(status="confirmed"),
            F("accounting_date"),
        ),
        (
            "PROPOSALS",
            lambda n: Reason("PROPOSALS-OPEN", count=n),
            proposals,
            Coalesce("accounting_date", "invoice_date", "proforma__accounting_date"),
        ),
    ]
    return [OpenKind(code, reason, rows.annotate(open_day=day)) for code, reason, rows, day in kinds]


def still_open(period: FiscalPeriod) -> list[StillOpen]:
    """The open items of this period, by kind; they don't stop it from closing."""
    return still_open_in([period])[period.pk]


def still_open_in(periods: Iterable[FiscalPeriod]) -> dict[int, list[StillOpen]]:
    """The open items of each of these periods of one entity, in five queries."""
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
                result[period.pk].append(StillOpen(kind.code, n, day, kind.reason(n)))
    return result


def earlier_open(period: FiscalPeriod) -> list[FiscalPeriod]:
    """The periods before it that are not closed, the oldest first; they don't stop it from closing."""
    earlier = FiscalPeriod.objects.filter(entity=period.entity_id, starts__lt=period.starts)
    return list(earlier.exclude(status=FiscalPeriod.Status.CLOSED).order_by("starts"))
