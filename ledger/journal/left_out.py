"""Which actuals and journal lines can't be posted as they are, and why (JRN-1, JRN-4)."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count

from actuals.models import Actual
from contracts.models import LegalEntity
from contracts.rates import Rates
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.floor.reasons import Reason
from ledger.journal import plan
from ledger.journal.load import adding_facts
from ledger.models import IntegrationJournal, JournalLine

_Status = IntegrationJournal.Status
_CHUNK = 1000  # actuals that are checked together


def reasons_left_out(entity: LegalEntity, actuals: list[Actual]) -> dict[int, Reason]:
    """Why actuals that are in no journal can't be added to one now, by key; nothing for those that can.

    The reasons are those of `add_to_journals`. Nothing is added.
    """
    reasons = {}
    for chunk in in_chunks(actuals, _CHUNK):
        facts = adding_facts(entity, chunk)
        for actual in chunk:
            try:
                plan.new_line(actual, facts)
            except Refused as refusal:
                reasons[actual.pk] = refusal.reason
    return reasons


def old_rates(journal: IntegrationJournal) -> list[Reason]:
    """A reason (FX-OLD) for each old exchange rate that its lines use; none once the journal is posted.

    Without rates that a contract agreed or that came from an earlier line.
    """
    if journal.status not in (_Status.DRAFT, _Status.ERROR):
        return []
    converted = JournalLine.objects.filter(journal=journal, actual__reverses=None)
    converted = converted.exclude(actual__currency=journal.entity.currency)
    used = list(converted.values_list("actual__currency", "actual__date", "exchange_rate").distinct())
    if not used:
        return []
    rates = Rates.load(journal.entity, currencies={currency for currency, *_ in used})
    return rates.old((currency, day) for currency, day, rate in used if rates.found(currency, day) == rate)


@dataclass(frozen=True)
class LeftInError:
    """A journal in error: how many lines it holds, and each different reason once."""

    journal: IntegrationJournal
    lines: int
    errors: list[Reason]


def left_in_error(entity: LegalEntity) -> list[LeftInError]:
    """The entity's journals in error, the oldest first, with the reasons why their lines can't be posted."""
    journals = list(
        IntegrationJournal.objects.filter(entity=entity, status=_Status.ERROR)
        .annotate(held=Count("lines"))
        .order_by("pk")
    )
    rows = JournalLine.objects.filter(journal__in=journals).in_error()
    errors = defaultdict(list)
    for journal, error in rows.order_by("journal", "error").values_list("journal", "error").distinct():
        errors[journal].append(error)
    return [LeftInError(journal, journal.held, errors[journal.pk]) for journal in journals]
