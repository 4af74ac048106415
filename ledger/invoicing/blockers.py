"""What a proposal waits for: the originals that no integration journal has booked yet (PRP-1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F

from actuals.models import Actual
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
    return all_blocked_by([proposal])[proposal.pk]


_PROFORMA = "backlog_item__detail__line__proforma"
_ORIGINAL = {"type": Actual.Type.UNBILLED_SALES, "booked_by": Actual.BookedBy.JOURNAL}


def all_blocked_by(proposals: Iterable[InvoiceProposal]) -> dict[int, Blockers]:
    """`blocked_by` for each of some proposals, by its key, in two queries for all of them together."""
    found = {proposal.proforma_id: Blockers(proposal) for proposal in proposals}
    of_line = {f"lines__actual__{name}": value for name, value in _ORIGINAL.items()}
    journals = IntegrationJournal.objects.filter(
        **{f"lines__actual__{_PROFORMA}__in": list(found)}, **of_line, lines__voucher=None
    )
    journals = journals.annotate(
        proforma=F(f"lines__actual__{_PROFORMA}"), waiting_for=Count("lines", distinct=True)
    )
    for journal in journals.order_by("number"):
        found[journal.proforma].journals.append(journal)
    left_out = Actual.objects.filter(
        **{f"{_PROFORMA}__in": list(found)}, **_ORIGINAL, journal_line=None
    ).annotate(proforma=F(_PROFORMA))
    for actual in left_out.order_by("pk"):
        found[actual.proforma].left_out.append(actual)
    return {blockers.proposal.pk: blockers for blockers in found.values()}


def _named(journal):
    in_error = journal.status == IntegrationJournal.Status.ERROR
    return f"{journal} (in error: mend the cause, then post_journals --retry)" if in_error else str(journal)


def _names(names):
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
