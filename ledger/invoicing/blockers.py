"""The blockers of a proposal: the actuals that no integration journal has posted yet (PRP-1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F

from actuals.models import Actual
from invoicing_site.floor.reasons import Reason
from ledger.models import IntegrationJournal, InvoiceProposal

_NAMED = 5


@dataclass(frozen=True)
class Blockers:
    """The journals with its unposted actuals, and the actuals that are in no journal."""

    proposal: InvoiceProposal
    journals: list[IntegrationJournal] = field(default_factory=list)
    left_out: list[Actual] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.journals or self.left_out)

    @property
    def reasons(self) -> list[Reason]:
        """The steps that are missing before its lines can be filled in; also if only filling in is left."""
        in_error = [row for row in self.journals if row.status == IntegrationJournal.Status.ERROR]
        others = [row for row in self.journals if row.status != IntegrationJournal.Status.ERROR]
        found = []
        if others:
            found.append(Reason("WAITS-FOR-JOURNALS", proposal=self.proposal, journals=_names(others)))
        if in_error:
            found.append(Reason("WAITS-FOR-ERRORS", proposal=self.proposal, journals=_names(in_error)))
        if self.left_out:
            actuals = _names([actual.pk for actual in self.left_out])
            count = len(self.left_out)
            found.append(Reason("WAITS-FOR-ACTUALS", proposal=self.proposal, count=count, actuals=actuals))
        return found or [Reason("WAITS-NO-LONGER", proposal=self.proposal)]

    @property
    def reason(self) -> Reason:
        """The same as one reason (PROPOSAL-BLOCKED)."""
        return Reason("PROPOSAL-BLOCKED", why=self.reasons)


def blocked_by(proposal: InvoiceProposal) -> Blockers:
    """The journals and the actuals that it waits for, in two queries; falsy if it waits for nothing."""
    return all_blocked_by([proposal])[proposal.pk]


_PROFORMA = "backlog_item__detail__line__proforma"
_ORIGINAL = {"type": Actual.Type.UNBILLED_SALES, "booked_by": Actual.BookedBy.JOURNAL}


def all_blocked_by(proposals: Iterable[InvoiceProposal]) -> dict[int, Blockers]:
    """`blocked_by` for these proposals, by key, in two queries for all of them."""
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
        **{f"{_PROFORMA}__in": list(found)}, **_ORIGINAL, to_journal__isnull=False
    ).annotate(proforma=F(_PROFORMA))
    for actual in left_out.select_related("to_journal").order_by("pk"):
        found[actual.proforma].left_out.append(actual)
    return {blockers.proposal.pk: blockers for blockers in found.values()}


def _names(rows) -> list[str]:
    """The first few; an ellipsis replaces the rest."""
    shown = [str(row) for row in rows[:_NAMED]]
    return shown if len(rows) <= _NAMED else [*shown, "…"]
