"""The blockers of a proposal: the actuals that no integration journal has posted yet (PRP-1)."""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field

from actuals.models import Actual
from invoicing_site.floor.querysets import by_keys
from invoicing_site.floor.reasons import Reason
from ledger.invoicing.claims import claimed_by
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
    """The journals and the actuals that it waits for; falsy if it waits for nothing."""
    return all_blocked_by([proposal])[proposal.pk]


_WAITING = Actual.objects.filter(
    type=Actual.Type.UNBILLED_SALES, booked_by=Actual.BookedBy.JOURNAL, journal_line__voucher=None
)


def all_blocked_by(proposals: Iterable[InvoiceProposal]) -> dict[int, Blockers]:
    """`blocked_by` for these proposals, by key, in at most four queries for all of them.

    Each journal has `waiting_for`, the number of its lines that the proposal waits for.
    """
    found = {proposal.proforma_id: Blockers(proposal) for proposal in proposals}
    proforma_of = {row.actual_id: row.proforma_id for row in claimed_by(found) if row.actual_id}
    lines: Counter = Counter()
    without_journal = []
    for actual, journal in by_keys(_WAITING.values_list("pk", "journal_line__journal"), "pk", proforma_of):
        if journal:
            lines[proforma_of[actual], journal] += 1
        else:
            without_journal.append(actual)
    journals = IntegrationJournal.objects.in_bulk({journal for _, journal in lines})
    for proforma, key in sorted(lines, key=lambda line: journals[line[1]].number):
        journal = copy(journals[key])
        journal.waiting_for = lines[proforma, key]
        found[proforma].journals.append(journal)
    left_out = Actual.objects.filter(to_journal__isnull=False).select_related("to_journal").order_by("pk")
    for actual in by_keys(left_out, "pk", without_journal):
        found[proforma_of[actual.pk]].left_out.append(actual)
    return {blockers.proposal.pk: blockers for blockers in found.values()}


def _names(rows) -> list[str]:
    """The first few; an ellipsis replaces the rest."""
    shown = [str(row) for row in rows[:_NAMED]]
    return shown if len(rows) <= _NAMED else [*shown, "…"]
