"""What a proposal waits for: the originals that no integration journal has booked yet (PRP-1)."""

from dataclasses import dataclass, field

from django.db.models import Count

from actuals.models import Actual
from ledger.invoice_facts import originals
from ledger.models import IntegrationJournal, InvoiceProposal

_NAMED = 5


@dataclass(frozen=True)
class Blockers:
    """The journals that still hold its originals, and the originals that are in no journal at all."""

    proposal: InvoiceProposal
    journals: list[IntegrationJournal] = field(default_factory=list)
    left_out: list[Actual] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.journals or self.left_out)

    @property
    def sentence(self) -> str:
        """What has to be done before its lines fill in; says so too when nothing is left to do."""
        if not self:
            return f"{self.proposal} waits for no journal any more, but its lines are not filled in yet."
        parts = []
        if self.journals:
            parts.append(f"{_names([_named(journal) for journal in self.journals])} to be posted")
        if self.left_out:
            count = len(self.left_out)
            what = "1 actual" if count == 1 else f"{count} actuals"
            parts.append(f"{what} ({_names([str(a.pk) for a in self.left_out])}) to be taken into a journal")
        return f"{self.proposal} waits for {' and for '.join(parts)}."


def blocked_by(proposal: InvoiceProposal) -> Blockers:
    """The journals and the actuals that it waits for, in two queries; falsy when it waits for nothing."""
    waiting = originals(proposal.proforma_id).filter(journal_line__voucher=None)
    journals = (
        IntegrationJournal.objects.filter(lines__actual__in=waiting)
        .annotate(waiting_for=Count("lines"))
        .order_by("number")
    )
    return Blockers(proposal, list(journals), list(waiting.filter(journal_line=None).order_by("pk")))


def _named(journal):
    in_error = journal.status == IntegrationJournal.Status.ERROR
    return f"{journal} (in error: mend the cause, then post_journals --retry)" if in_error else str(journal)


def _names(names):
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
