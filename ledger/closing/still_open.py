"""Work, journals, proformas and proposals that are dated in a fiscal period and not finished (PST-6)."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from actuals.models import Entry
from contracts.models import LegalEntity
from ledger.journal.waiting import waiting_actuals
from ledger.models import FiscalPeriod, InvoiceProposal, JournalLine
from proforma.models import ProformaInvoice


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
    return list(earlier.exclude(status=FiscalPeriod.Status.CLOSED).order_by("starts"))
