"""Which journal lines can't be posted as they are, and why (JRN-4)."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count

from contracts.models import LegalEntity
from contracts.rates import Rates
from invoicing_site.floor.reasons import Reason
from ledger.models import IntegrationJournal, JournalLine

_Status = IntegrationJournal.Status


def old_rates(journal: IntegrationJournal) -> list[Reason]:
    """A reason (FX-OLD) for each old exchange rate that its lines use; none once the journal is posted.

    Without rates that were agreed in a contract or copied from an earlier line.
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
    """A journal in error: the number of its lines, and each different reason once."""

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
