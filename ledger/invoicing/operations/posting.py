"""Posts invoice proposals: each becomes an invoice as a whole, or not at all (PST-1)."""

import datetime
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from contracts.requesters import no_longer_for, recheck_permission
from invoicing_site.floor import formatting, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from ledger.books.periods import hold
from ledger.invoicing.checks import CheckResult, examine
from ledger.invoicing.groups import grouped
from ledger.invoicing.load import accounting_date, load_all
from ledger.invoicing.operations.writing import Planned, write_invoices
from ledger.invoicing.plan import InvoicePlan
from ledger.invoicing.second_person import left_to_others
from ledger.models import CustomerInvoice, InvoiceProposal

logger = logging.getLogger(__name__)

ALREADY_POSTED = "ALREADY-POSTED"
_Status = InvoiceProposal.Status


def post(proposal: InvoiceProposal, *, by, on: datetime.date) -> CustomerInvoice:
    """Post the proposal as a numbered invoice or credit note, completely or not at all (PST-1).

    `on` is the invoice date if the proposal has none. Refused with the reasons of all errors that the checks
    find, to the person who confirmed the proforma if the entity requires two people (SEC-2), and if it is
    already posted (ALREADY-POSTED). The PDF is created after the commit.
    """
    (outcome,) = _post_together([proposal], by, on)
    if outcome.refusal:
        raise outcome.refusal
    assert outcome.invoice, "Posted or refused."
    return outcome.invoice


@dataclass
class Outcome:
    """The result for one proposal: its invoice or the refusal, and the results of all checks (PRP-5)."""

    proposal: InvoiceProposal
    invoice: CustomerInvoice | None = None
    refusal: Refused | None = None
    was_posted_already: bool = False
    found: list[CheckResult] = field(default_factory=list)
    plan: InvoicePlan | None = None  # if it was only checked

    @property
    def errors(self) -> list[CheckResult]:
        """The results that stop posting."""
        return [result for result in self.found if result.is_error]

    @property
    def warnings(self) -> list[CheckResult]:
        """The results that do not stop posting."""
        return [result for result in self.found if not result.is_error]


def post_many(
    proposals: Iterable[InvoiceProposal], *, by, on: datetime.date
) -> list[tuple[InvoiceProposal, CustomerInvoice | Refused | None]]:
    """`post_all` without warnings: each proposal with its invoice or refusal."""
    return [(row.proposal, row.invoice or row.refusal) for row in post_all(proposals, by=by, on=on)]


def post_all(
    proposals: Iterable[InvoiceProposal],
    *,
    by,
    on: datetime.date,
    asked_before: bool = False,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outcome]:
    """Post them by invoice date, and return the results in this order.

    Many are posted in one transaction. One that is refused leaves the others as they are, and stores the
    reason. If the transaction fails, each of its proposals is posted in a transaction of its own, so that
    each is posted whole or not at all (PST-1). One that is already posted counts as done. An internal error
    is logged, and the proposal does not change.

    With `asked_before` (in the background) a proposal is refused if `by` has lost the permission since.
    `report(done, total)` is called after each transaction.
    """
    rows, found = _by_date(proposals, on), {}
    for group in grouped(rows):
        for outcome in _posted(group, by, on, asked_before):
            _settle(outcome)
            if outcome.refusal:
                _keep_reason(outcome.proposal, outcome.refusal)
            found[outcome.proposal.pk] = outcome
        report(len(found), len(rows))
    return [found[proposal.pk] for proposal in rows]


def _posted(group, by, on, asked_before) -> list[Outcome]:
    """The outcomes of a group: posted together, and one by one if that fails."""
    refused = _refused_now(group, by) if asked_before else []
    lost = {outcome.proposal.pk for outcome in refused}
    group = [proposal for proposal in group if proposal.pk not in lost]
    if len(group) > 1:
        try:
            return refused + _post_together(group, by, on)
        except Exception:
            logger.warning("%s proposals are posted one by one.", len(group), exc_info=True)
    return refused + [_post_alone(proposal, by, on) for proposal in group]


def _post_alone(proposal, by, on) -> Outcome:
    try:
        (outcome,) = _post_together([proposal], by, on)
        return outcome
    except Refused as refusal:
        return Outcome(proposal, refusal=refusal)
    except Exception:
        logger.exception("Posting %s failed.", proposal)
        return Outcome(proposal, refusal=Refused("POSTING-FAILED", proposal=proposal))


def _refused_now(group, by) -> list[Outcome]:
    """The proposals that `by` may not post any more."""
    lost, found = no_longer_for(by, "proposal.post", group), []
    for proposal in group:
        if proposal.pk in lost:
            try:
                recheck_permission(by, "proposal.post", proposal)
            except Refused as refusal:
                found.append(Outcome(proposal, refusal=refusal))
    return found


@transaction.atomic
def _post_together(proposals: Sequence[InvoiceProposal], by, on) -> list[Outcome]:
    """Post proposals of one entity in one transaction; the refused ones leave before anything is written.

    An error while the others are written is raised, and nothing is posted.
    """
    outcomes = {proposal.pk: Outcome(proposal) for proposal in proposals}
    seen = InvoiceProposal.objects.select_related("entity").in_bulk(outcomes)
    entity = seen[proposals[0].pk].entity
    rows = _passing([seen[key] for key in outcomes], outcomes, _refuse_settled)
    days = {row.pk: accounting_date(row, on=on) for row in rows}
    periods = hold(entity, days.values())
    rows = _passing(rows, outcomes, lambda row: periods.open_period(days[row.pk]))
    locked = InvoiceProposal.objects.filter(pk__in=[row.pk for row in rows]).locked()
    rows = _passing(locked.select_related("entity", "dimensions"), outcomes, _refuse_settled)
    facts, planned = load_all(rows, on=on), []

    def plan(row):
        own = facts[row.pk]
        if own.accounting_date != days[row.pk]:
            raise Refused("PROPOSAL-JUST-EDITED", proposal=row)
        _refuse_who_confirmed(own, by)
        examination = examine(own)
        outcomes[row.pk].found = examination.results
        examination.refuse_errors()
        assert examination.plan, "What is missing for a plan is an error."
        planned.append(Planned(own, examination.plan, periods.open_period(days[row.pk])))

    _passing(rows, outcomes, plan)
    planned.sort(key=lambda each: (each.facts.invoice_date, each.facts.proposal.number))
    for invoice in write_invoices(entity, planned, by=by):
        outcomes[invoice.proposal_id].invoice = invoice
    return list(outcomes.values())


def _passing(rows, outcomes, judge) -> list[InvoiceProposal]:
    """The rows that the function does not refuse; the outcomes of the others get the refusal."""
    passed = []
    for row in rows:
        try:
            judge(row)
        except Refused as refusal:
            outcomes[row.pk].refusal = refusal
        else:
            passed.append(row)
    return passed


def posted_before(outcomes: Iterable[Outcome]) -> str:
    """The users who posted proposals that were already posted, and when; empty if there are none (PST-1)."""
    return who_posted([outcome.proposal.pk for outcome in outcomes if outcome.was_posted_already])


def who_posted(proposals: Iterable[int]) -> str:
    """The users who posted the invoices of these proposals, by key, and when; empty if there are none."""
    if not proposals:
        return ""
    invoices = CustomerInvoice.objects.filter(proposal__in=proposals).select_related("voucher__posted_by")
    vouchers = sorted((invoice.voucher for invoice in invoices), key=lambda voucher: voucher.posted_at)
    people = {str(voucher.posted_by or "the system"): None for voucher in vouchers}
    stamp = timezone.localtime(vouchers[-1].posted_at)
    return Reason(
        "POSTED-BEFORE",
        count=len(vouchers),
        people=list(people),
        day=stamp.date(),
        time=formatting.time(stamp),
    ).sentence


@transaction.atomic
def announce(proposals: Iterable[InvoiceProposal]) -> list[InvoiceProposal]:
    """Clear the stored refusals of these proposals, because they are posted again."""
    rows = list(InvoiceProposal.objects.filter(pk__in=[row.pk for row in proposals]).locked())
    keys = [row.pk for row in rows if row.last_error and row.status != _Status.POSTED]
    InvoiceProposal.objects.filter(pk__in=keys).update(last_error=None)
    return rows


def look_at_all(proposals: Iterable[InvoiceProposal], *, by, on: datetime.date) -> list[Outcome]:
    """What `post_all` would return for each now; nothing is posted or stored (PRP-5).

    Those that would be posted have neither invoice nor refusal. Each is checked by itself: that one of them
    would take a number or a date before another is not considered.
    """
    rows = _by_date(proposals, on)
    outcomes = {proposal.pk: Outcome(proposal) for proposal in rows}
    for group in grouped(rows):
        seen = InvoiceProposal.objects.select_related("dimensions").in_bulk([row.pk for row in group])
        unsettled = _passing([seen[row.pk] for row in group], outcomes, _refuse_settled)
        facts = load_all(unsettled, on=on)

        def look(row, facts=facts):
            examination = examine(facts[row.pk])
            outcomes[row.pk].found, outcomes[row.pk].plan = examination.results, examination.plan
            _refuse_who_confirmed(facts[row.pk], by)
            examination.refuse_errors()

        _passing(unsettled, outcomes, look)
    for outcome in outcomes.values():
        _settle(outcome)
    return list(outcomes.values())


def _by_date(proposals, on):
    return sorted(proposals, key=lambda row: (row.invoice_date or on, row.number))


def _settle(outcome):
    """An already posted one counts as done: with its invoice, and without the refusal."""
    if outcome.refusal and outcome.refusal.code == ALREADY_POSTED:
        outcome.invoice = CustomerInvoice.objects.get(proposal=outcome.proposal)
        outcome.refusal, outcome.was_posted_already = None, True


def _refuse_settled(proposal):
    if proposal.status == _Status.POSTED:
        number = CustomerInvoice.objects.values_list("number", flat=True).get(proposal=proposal)
        raise Refused("ALREADY-POSTED", proposal=proposal, invoice=number)
    if proposal.status == _Status.RETURNED:
        raise Refused("PROPOSAL-RETURNED", row=proposal, why=proposal.return_reason)


def _refuse_who_confirmed(facts, by):
    if why := left_to_others(facts.proforma, facts.entity, by):
        raise Refused.because(why)


def _keep_reason(proposal, refusal):
    unposted = InvoiceProposal.objects.filter(pk=proposal.pk).exclude(status=_Status.POSTED)
    unposted.update(last_error=refusal.reason)
