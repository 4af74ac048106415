"""Posts an invoice proposal: number, voucher, subledgers and the stored document, or nothing (PST-1)."""

import datetime
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from contracts.askers import demand_still
from contracts.operations.numbers import draw_number
from invoicing_site.floor import audit, formatting, jobs, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import draw_ids, write_rows
from invoicing_site.floor.reasons import Reason
from ledger.books import chain
from ledger.books.operations import write_vouchers
from ledger.books.periods import hold_open
from ledger.books.plan import VoucherPlan
from ledger.invoicing.checks import CheckResult, examine
from ledger.invoicing.load import InvoiceFacts, accounting_date
from ledger.invoicing.payment_references import reference_of
from ledger.invoicing.plan import InvoicePlan
from ledger.invoicing.second_person import left_to_others
from ledger.models import (
    CustomerInvoice,
    InvoiceLine,
    InvoiceProposal,
    InvoiceReference,
    InvoiceTax,
    Voucher,
)

logger = logging.getLogger(__name__)

ALREADY_POSTED = "ALREADY-POSTED"
_Status = InvoiceProposal.Status


def post(proposal: InvoiceProposal, *, by, on: datetime.date) -> CustomerInvoice:
    """Post the proposal as a numbered invoice or credit note, completely or not at all (PST-1).

    `on` is the invoice date if the proposal has none. Refused with the reasons of all errors that the checks
    find, to the person who confirmed the proforma if the entity requires two people (SEC-2), and if it is
    already posted (ALREADY-POSTED). The PDF is created after the commit.
    """
    return _post(proposal, by, on, [])


@transaction.atomic
def _post(proposal, by, on, found: list[CheckResult]) -> CustomerInvoice:
    """Run `post`; afterwards `found` has the results of the checks, even if it is refused."""
    found.clear()  # results of an attempt that was rolled back
    seen = InvoiceProposal.objects.select_related("entity").get(pk=proposal.pk)
    _refuse_settled(seen)
    day = accounting_date(seen, on=on)
    period = hold_open(seen.entity, [day])[day]
    proposal = InvoiceProposal.objects.locked().select_related("entity", "dimensions").get(pk=seen.pk)
    _refuse_settled(proposal)
    facts = InvoiceFacts.load(proposal, on=on)
    if facts.accounting_date != day:
        raise Refused("PROPOSAL-JUST-EDITED", proposal=proposal)
    _refuse_who_confirmed(facts, by)
    examination = examine(facts)
    found[:] = examination.results
    examination.refuse_errors()
    return _write(facts, examination.plan, period, by)


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
    """Post each in its own transaction, by invoice date, and return the results.

    With `asked_before` (in the background) a proposal is refused if `by` has lost the permission since.
    `report(done, total)` is called after each.

    A refused proposal stores the reason and does not stop the others; one that is already posted counts as
    done. An internal error is logged, and the proposal does not change.
    """
    results, rows = [], _by_date(proposals, on)
    for proposal in rows:
        outcome = Outcome(proposal)
        try:
            if asked_before:
                demand_still(by, "proposal.post", proposal)
            outcome.invoice = _post(proposal, by, on, outcome.found)
        except Refused as refusal:
            _settle(outcome, refusal)
        except Exception:
            logger.exception("Posting %s failed.", proposal)
            outcome.refusal = Refused("POSTING-FAILED", proposal=proposal)
        if outcome.refusal:
            _keep_reason(proposal, outcome.refusal)
        results.append(outcome)
        report(len(results), len(rows))
    return results


def posted_before(outcomes: Iterable[Outcome]) -> str:
    """Who posted those that were already posted, and when; empty for none (PST-1)."""
    return who_posted([outcome.proposal.pk for outcome in outcomes if outcome.was_posted_already])


def who_posted(proposals: Iterable[int]) -> str:
    """Who posted the invoices of these proposals, by key, and when; empty for none."""
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
    results = []
    for proposal in _by_date(proposals, on):
        outcome = Outcome(proposal)
        try:
            seen = InvoiceProposal.objects.select_related("dimensions").get(pk=proposal.pk)
            _refuse_settled(seen)
            facts = InvoiceFacts.load(seen, on=on)
            examination = examine(facts)
            outcome.found, outcome.plan = examination.results, examination.plan
            _refuse_who_confirmed(facts, by)
            examination.refuse_errors()
        except Refused as refusal:
            _settle(outcome, refusal)
        results.append(outcome)
    return results


def _by_date(proposals, on):
    return sorted(proposals, key=lambda row: (row.invoice_date or on, row.number))


def _settle(outcome, refusal):
    """Store the refusal; if it was already posted, the invoice."""
    if refusal.code == ALREADY_POSTED:
        outcome.invoice = CustomerInvoice.objects.get(proposal=outcome.proposal)
        outcome.was_posted_already = True
    else:
        outcome.refusal = refusal


def _refuse_settled(proposal):
    if proposal.status == _Status.POSTED:
        number = CustomerInvoice.objects.values_list("number", flat=True).get(proposal=proposal)
        raise Refused("ALREADY-POSTED", proposal=proposal, invoice=number)
    if proposal.status == _Status.RETURNED:
        raise Refused("PROPOSAL-RETURNED", row=proposal, why=proposal.return_reason)


def _refuse_who_confirmed(facts, by):
    if why := left_to_others(facts.proforma, facts.entity, by):
        raise Refused.because(why)


def _write(facts, plan, period, by) -> CustomerInvoice:
    """Write the plan. Slow parts come first, because others wait for a number until our commit."""
    proposal, entity, invoice = facts.proposal, facts.entity, plan.invoice
    (invoice.pk,) = draw_ids(CustomerInvoice, 1)
    for row in (*plan.lines, *plan.taxes, *plan.references):
        row.invoice_id = invoice.pk
    # The invoice is written after it has its number; foreign keys are checked at commit.
    write_rows(InvoiceLine, plan.lines)
    write_rows(InvoiceTax, plan.taxes)
    write_rows(InvoiceReference, plan.references)
    proposal.status, proposal.last_error = _Status.POSTED, None
    proposal.save(update_fields=["status", "last_error"])

    number = draw_number(entity, facts.series_of(invoice.kind).sequence.kind, on=invoice.invoice_date)
    invoice.number, invoice.year, invoice.seq = number.text, number.year, number.seq
    invoice.sequence = number.sequence
    if invoice.kind != CustomerInvoice.Kind.CREDIT_NOTE:  # credit notes are not paid (DOC-5)
        reference = reference_of(entity, facts.customer, number.text)
        invoice.payment_reference_kind, invoice.payment_reference = reference
    plan.customer_transaction.document_number = number.text
    plan.customer_transaction.reference = invoice.payment_reference
    (invoice.voucher,) = write_vouchers(
        entity,
        [
            VoucherPlan(
                kind=Voucher.Kind.INVOICE,
                date=invoice.accounting_date,
                document_date=invoice.invoice_date,
                period=period,
                text=f"{invoice.get_kind_display().capitalize()} {invoice.number}, {invoice.buyer_name}",
                entries=plan.entries,
                claims_hash=chain.claims_of_invoice(
                    invoice, plan.lines, plan.taxes, plan.references, facts.links
                ),
                customer_transactions=[plan.customer_transaction],
                project_transactions=plan.project_transactions,
            )
        ],
        by=by,
    )
    write_rows(CustomerInvoice, [invoice])
    audit.record(
        "ledger.post",
        invoice,
        by=by,
        entity=entity.code,
        proposal=proposal.pk,
        voucher=invoice.voucher.number,
        currency=invoice.currency,
        total=invoice.total,
    )
    jobs.enqueue_on_commit("draw_documents", about=invoice, invoice=invoice.pk)
    return invoice


def _keep_reason(proposal, refusal):
    unposted = InvoiceProposal.objects.filter(pk=proposal.pk).exclude(status=_Status.POSTED)
    unposted.update(last_error=refusal.reason)
