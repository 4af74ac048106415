"""What is looked at before a proposal may be posted: named checks, the same wherever one asks (PRP-5).

A check looks at the facts and says what is wrong, in a sentence, with the page where it can be mended. Errors
keep the proposal from being posted, warnings do not. Further checks are added with `named`.
"""

import calendar
import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse

from contracts.models import LegalEntity, PaymentReferenceKind, TransactionClass
from invoicing_site.floor import formatting, wording
from invoicing_site.floor.errors import Refused
from ledger.books.periods import PeriodBook
from ledger.document import glyphs
from ledger.invoicing import blockers
from ledger.invoicing.invoice_tax import tax_codes, tax_kind
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.payment_references import reference_of
from ledger.invoicing.plan import InvoicePlan, account_of, plan_invoice
from ledger.models import CustomerInvoice, InvoiceProposal

ERROR, WARNING = "error", "warning"

_ZERO = Decimal(0)
_Class = TransactionClass
_Kind = CustomerInvoice.Kind
_A = {_Kind.INVOICE: "An", _Kind.CREDIT_NOTE: "A"}


@dataclass(frozen=True)
class CheckResult:
    """One thing that a check found; `remedy` is the URL name or path of the page where it is mended."""

    code: str
    severity: str
    message: str
    remedy: str = ""

    def __post_init__(self):
        object.__setattr__(self, "message", wording.capital(self.message))

    @property
    def is_error(self) -> bool:
        return self.severity == ERROR


@dataclass(frozen=True)
class Examined:
    """What a check looks at. The plan is there for checks that say they need it."""

    facts: InvoiceFacts
    plan: InvoicePlan | None


@dataclass(frozen=True)
class Examination:
    """What all checks found, and the plan, which has the totals, where nothing was missing (PRP-5)."""

    facts: InvoiceFacts
    plan: InvoicePlan | None
    results: list[CheckResult]

    @property
    def errors(self) -> list[CheckResult]:
        return [result for result in self.results if result.is_error]

    def refuse_errors(self):
        """Refused with the sentences of all errors, under the code and with the remedy of the first."""
        if errors := self.errors:
            text = " ".join(error.message for error in errors)
            raise Refused(text, code=errors[0].code, remedy=errors[0].remedy)


Check = Callable[[Examined], Iterable[CheckResult]]
_before_planning: dict[str, Check] = {}
_of_the_plan: dict[str, Check] = {}


def named(code: str, *, needs_plan: bool = False):
    """Register a check under its name; one that needs the plan is asked only once there is one."""

    def register(check: Check) -> Check:
        assert code not in codes(), f"There is a check {code} already."
        (_of_the_plan if needs_plan else _before_planning)[code] = check
        return check

    return register


def codes() -> list[str]:
    """The names of all checks, in the order in which they are made."""
    return [*_before_planning, *_of_the_plan]


def check(proposal: InvoiceProposal, *, on: datetime.date) -> list[CheckResult]:
    """Everything to be said before the proposal, as it is now, is posted on that day; errors come first."""
    proposal = InvoiceProposal.objects.select_related("dimensions").get(pk=proposal.pk)
    return examine(InvoiceFacts.load(proposal, on=on)).results


def examine(facts: InvoiceFacts) -> Examination:
    """Make all checks, and the plan where nothing is missing that it needs."""
    results = _made(_before_planning, Examined(facts, None))
    plan = None
    if facts.proposal.status != InvoiceProposal.Status.BLOCKED:
        try:
            plan = plan_invoice(facts)
        except Refused as refusal:
            if refusal.code not in {result.code for result in results}:
                results.append(_error(refusal.code, refusal.message, refusal.remedy))
    if plan:
        results += _made(_of_the_plan, Examined(facts, plan))
    results.sort(key=lambda result: not result.is_error)
    return Examination(facts, plan, results)


def _made(checks, examined) -> list[CheckResult]:
    return [result for check in checks.values() for result in check(examined)]


def _error(code, message, remedy=""):
    return CheckResult(code, ERROR, message, remedy)


def _warning(code, message, remedy=""):
    return CheckResult(code, WARNING, message, remedy)


def _refusals(calls: Iterable[Callable]) -> Iterator[Refused]:
    """What some of the calls refuse, each sentence once."""
    said = set()
    for call in calls:
        try:
            call()
        except Refused as refusal:
            if refusal.message not in said:
                said.add(refusal.message)
                yield refusal


@named("BLOCKED")
def _lines_are_filled_in(examined):
    proposal = examined.facts.proposal
    if proposal.status == InvoiceProposal.Status.BLOCKED:
        yield _error("BLOCKED", blockers.blocked_by(proposal).sentence)


@named("APPROVAL")
def _it_is_approved(examined):
    """PRP-4"""
    facts = examined.facts
    if facts.proposal.status == InvoiceProposal.Status.SUBMITTED:
        yield _error("APPROVAL", f"{facts.proposal} is submitted and not approved yet.")
    elif facts.entity.require_proposal_approval and facts.proposal.status == InvoiceProposal.Status.OPEN:
        yield _error(
            "APPROVAL", f"{facts.entity} posts only approved proposals: submit {facts.proposal} for approval."
        )


@named("FUTURE-DATE")
def _dates_are_not_to_come(examined):
    """PRP-8: never in the future."""
    facts = examined.facts
    if facts.invoice_date > facts.today:
        yield _error(
            "FUTURE-DATE",
            f"The invoice date {wording.day(facts.invoice_date)} is in the future: at {facts.entity} it is "
            f"{wording.day(facts.today)}. Choose today or an earlier day.",
        )


@named("DUE-DATE")
def _it_is_due_after_it_is_dated(examined):
    facts = examined.facts
    if facts.due_date < facts.invoice_date:
        yield _error(
            "DUE-DATE",
            f"The due date {wording.day(facts.due_date)} is before the invoice date "
            f"{wording.day(facts.invoice_date)}: choose a later one, or leave it empty to have it worked "
            "out from the payment terms.",
        )


@named("PERIOD-OPEN")
def _the_period_is_open(examined):
    facts = examined.facts
    book = PeriodBook.load(facts.entity)
    for refusal in _refusals([lambda: book.open_period(facts.accounting_date)]):
        yield _error("PERIOD-OPEN", refusal.message, refusal.remedy)


@named("CORRECTS-POSTED")
def _what_it_corrects_is_posted(examined):
    if unposted := examined.facts.unposted:
        yield _error(
            "CORRECTS-POSTED",
            f"It corrects {unposted}, which has no invoice yet: post that one first.",
        )


@named("FX-MISSING")
def _there_is_an_exchange_rate(examined):
    facts = examined.facts
    if facts.corrected:
        return
    for refusal in _refusals([lambda: facts.rates.on(facts.currency, facts.invoice_date)]):
        yield _error("FX-MISSING", refusal.message, refusal.remedy)


@named("FX-OLD")
def _the_exchange_rate_is_recent(examined):
    """MON-8: a rate of more than 35 days before; a correction keeps that of its invoice."""
    facts = examined.facts
    if not facts.corrected:
        for reason in facts.rates.old([(facts.currency, facts.invoice_date)]):
            yield _warning("FX-OLD", reason.sentence, reason.remedy)


@named("ACCOUNT-MISSING")
def _there_is_an_account_for_all(examined):
    """Accounts and profiles; what is charged at nothing needs none."""
    facts = examined.facts
    sorts = {billed.sort: billed for billed in facts.billed if billed.amount}
    for refusal in _refusals(lambda billed=billed: account_of(facts, billed) for billed in sorts.values()):
        yield _error(refusal.code, refusal.message, refusal.remedy)


@named("TAX-MISSING")
def _there_are_tax_codes_for_all(examined):
    facts = examined.facts
    kinds = {tax_kind(facts, line): line for line in reversed(facts.lines)}
    for kind, line in kinds.items():
        for refusal in _refusals([lambda kind=kind: tax_codes(facts, kind)]):
            message = f"Line {line.number}: {refusal.message}"
            if line.billing_tax_group_id is None or kind.item_giver:
                message += (
                    " What is given elsewhere reaches the lines when they are filled in again: "
                    "“Fill lines again” on the proposal's page."
                )
            yield _error("TAX-MISSING", message, refusal.remedy)


@named("DISBURSEMENT-TAX")
def _disbursements_bear_no_tax(examined):
    """APP-8: what was paid in the customer's name is passed on as it is."""
    facts = examined.facts
    lines = {(line.detail.category_id, tax_kind(facts, line)): line for line in reversed(facts.lines)}
    for (category_id, kind), line in lines.items():
        category = facts.the("category", category_id)
        if not category or not category.is_disbursement:
            continue
        try:
            taxed = [at for at in tax_codes(facts, kind) if at.percent]
        except Refused:
            continue  # TAX-MISSING says it
        if taxed:
            yield _error(
                "DISBURSEMENT-TAX",
                f"Line {line.number}: {category} is paid in the customer's name and bears no "
                f"tax, but would get {taxed[0].code}. Give it an item tax group without tax.",
                "admin:contracts_category_changelist",
            )


@named("OUTLAY-POSTED")
def _its_outlays_are_booked(examined):
    """PST-10: an invoice clears what the journal put there, so that has to come first."""
    for cost in examined.facts.unbooked_outlays:
        yield _error(
            "OUTLAY-POSTED",
            f"What was paid for the customer on {wording.day(cost.date)} ("
            f"{formatting.currency_last(cost.amount, cost.currency)}) is in no posted journal: post its "
            "integration journal first.",
            "journals",
        )


@named("NO-LINES")
def _it_has_a_line(examined):
    """EN 16931 BR-16: an invoice has a line, be it one at no charge.

    A proforma of nothing but work that was made non-chargeable has none. Where revenue was accrued for that
    work the document is let through, because only posting it takes the accrual back (PST-10).
    """
    facts = examined.facts
    if facts.lines or facts.proposal.status == InvoiceProposal.Status.BLOCKED:
        return
    if facts.accrued:
        yield _warning(
            "NO-LINES",
            f"{facts.proposal} has no line: nothing in it is chargeable or complimentary. Posting it takes "
            "back the revenue that was accrued for that work; the document itself says nothing, cannot go "
            "out as an e-invoice, and need not be sent.",
        )
    else:
        yield _error(
            "NO-LINES",
            f"{facts.proposal} has no line, and an invoice needs one: nothing in it is chargeable or "
            "complimentary. Return it to the project manager to make a detail complimentary, which prints "
            "it at no charge.",
        )


@named("RETAINER-REQUEST")
def _payment_requests_are_no_invoices(examined):
    """RET-4"""
    facts = examined.facts
    for billed in facts.billed:
        retainer = facts.the("retainer", billed.retainer_id)
        is_request = retainer is not None and retainer.kind == LegalEntity.RetainerKind.REQUEST
        if billed.transaction_class == _Class.RETAINER and is_request:
            yield _error(
                "RETAINER-REQUEST",
                f"{retainer} is a payment request: it is booked when it is paid, and is not posted as an "
                "invoice.",
            )
            return


@named("PO-REQUIRED")
def _there_is_an_order_reference(examined):
    facts = examined.facts
    if facts.entity.require_order_reference and not facts.proforma.order_reference:
        yield _error(
            "PO-REQUIRED",
            f"{facts.entity} bills only with an order number, and {facts.proforma} has none. Return it "
            "to the project manager to have it entered.",
        )


@named("TAX-DIFFERS")
def _taxes_are_those_of_the_draft(examined):
    """PRP-7: the draft's tax is an estimate."""
    differing = [line.number for line in examined.facts.lines if line.differs]
    if differing:
        what = "1 line has" if len(differing) == 1 else f"{len(differing)} lines have"
        yield _warning(
            "TAX-DIFFERS",
            f"{what} other tax groups than the proforma had, the first is line {differing[0]}: the tax may "
            "differ from what the project manager saw.",
        )


@named("OLD-WORK")
def _the_work_is_recent(examined):
    """PRP-8: a warning when work is older than a month."""
    facts = examined.facts
    oldest = min((line.detail.date for line in facts.lines), default=facts.invoice_date)
    if oldest < _a_month_before(facts.invoice_date):
        yield _warning(
            "OLD-WORK",
            f"It bills work of {wording.day(oldest)}, more than a month before the invoice date "
            f"{wording.day(facts.invoice_date)}.",
        )


@named("DATE-BEFORE-WORK")
def _the_work_is_done_by_then(examined):
    """PRP-8: an invoice is for what was delivered; where the entity invoices in advance it is a warning."""
    facts = examined.facts
    details = (line.detail for line in facts.lines if not line.detail.corrects_id)
    delivered = (detail for detail in details if detail.transaction_class != _Class.RETAINER)
    latest = max(delivered, key=lambda detail: detail.date, default=None)
    if latest is None or latest.date <= facts.invoice_date:
        return
    what = "a milestone" if latest.transaction_class == _Class.MILESTONE else "work"
    said = f"It bills {what} of {wording.day(latest.date)}, after the invoice date "
    said += f"{wording.day(facts.invoice_date)}"
    if facts.entity.invoices_in_advance:
        yield _warning("DATE-BEFORE-WORK", f"{said}, in advance.")
    elif latest.date <= facts.today:
        until = "today" if latest.date == facts.today else f"a day from {wording.day(latest.date)} to today"
        yield _error("DATE-BEFORE-WORK", f"{said}: choose {until} as the invoice date.")
    else:
        yield _error(
            "DATE-BEFORE-WORK",
            f"{said}, and that day is still to come: return it to the project manager, who can take that "
            "off, or wait and post it on that day.",
            reverse("return_proposal", args=[facts.proposal.pk]),
        )


@named("CREDIT-DATE")
def _a_correction_follows_what_it_corrects(examined):
    """PRP-8: neither dated nor booked before it, whatever its sequence."""
    facts = examined.facts
    if facts.corrected is None:
        return
    original = facts.corrected.invoice
    for what, own, earliest in (
        ("dated", facts.invoice_date, original.invoice_date),
        ("booked", facts.accounting_date, original.accounting_date),
    ):
        if own < earliest:
            yield _error(
                "CREDIT-DATE",
                f"It corrects {original}, which is {what} {wording.day(earliest)}, and would be {what} "
                f"{wording.day(own)}, before it: choose {wording.day(earliest)} or a later day.",
            )


def _a_month_before(day):
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


@named("NUM-ORDER", needs_plan=True)
def _its_number_fits_the_calendar(examined):
    """PRP-8: never before the last one of its sequence."""
    facts, kind = examined.facts, examined.plan.invoice.kind
    series = facts.series_of(kind)
    if series is None:
        yield _error(
            "NUM-MISSING",
            f"{facts.entity} has no number sequence for customer invoices: an administrator has to set one "
            "up.",
            "admin:contracts_numbersequence_add",
        )
    elif series.sequence.in_date_order and series.last_date and facts.invoice_date < series.last_date:
        yield _error(
            "NUM-ORDER",
            f"{_A[kind]} {_Kind(kind).label} cannot be dated {wording.day(facts.invoice_date)}: the last one "
            f"is dated {wording.day(series.last_date)}, and numbers rise with time. "
            "Choose that date or a later one.",
        )


@named("TAX-SUM", needs_plan=True)
def _taxes_add_up(examined):
    """Section 13, 3: shares to the tax, lines to the header, in both currencies as they are printed."""
    plan = examined.plan
    invoice = plan.invoice
    by_line = sum((line.tax for line in plan.lines), _ZERO)
    by_code = sum((tax.tax for tax in plan.taxes), _ZERO)
    if not by_line == by_code == invoice.tax:
        yield _error(
            "TAX-SUM",
            f"The tax of the lines is {by_line}, that of the tax codes {by_code}, and that of the invoice "
            f"{invoice.tax}: they have to be the same.",
        )
    net = sum((line.net for line in plan.lines), _ZERO)
    if net != invoice.net or invoice.net + invoice.tax != invoice.total:
        yield _error(
            "TAX-SUM",
            f"The lines add up to {net}; the invoice has net {invoice.net}, tax {invoice.tax} and total "
            f"{invoice.total}: they have to agree.",
        )


@named("BANK-MISSING", needs_plan=True)
def _a_payer_abroad_knows_where_to_pay(examined):
    """DOC-5: a domestic account is of no use abroad, or for money of another currency."""
    invoice = examined.plan.invoice
    is_foreign = invoice.currency != invoice.accounting_currency
    if invoice.total <= 0 or not (is_foreign or invoice.buyer_country != invoice.seller_country):
        return
    if missing := [name for name in ("IBAN", "BIC") if not getattr(invoice, f"seller_{name.lower()}")]:
        why = (
            f"is in {invoice.currency}"
            if is_foreign
            else f"goes abroad, to {wording.country(invoice.buyer_country)}"
        )
        yield _error(
            "BANK-MISSING",
            f"This invoice {why}, and {invoice.seller_name} has no {' and no '.join(missing)} to be paid on: "
            "an administrator enters them on the company's page.",
            reverse("admin:contracts_legalentity_change", args=[invoice.entity_id]),
        )


@named("KID-LENGTH", needs_plan=True)
def _its_payment_reference_has_room(examined):
    """DOC-5"""
    facts, plan = examined.facts, examined.plan
    series = facts.series_of(plan.invoice.kind)
    kind = facts.customer.payment_reference_kind or facts.entity.payment_reference_kind
    if not series or plan.invoice.kind == _Kind.CREDIT_NOTE or kind == PaymentReferenceKind.NUMBER:
        return
    number = series.sequence.next_number(facts.invoice_date)
    for refusal in _refusals([lambda: reference_of(facts.entity, facts.customer, number)]):
        yield _error(refusal.code, refusal.message, refusal.remedy)


@named("GLYPH-MISSING", needs_plan=True)
def _its_fonts_have_all_letters(examined):
    """DOC-5: what nobody could read on paper is never posted."""
    facts, plan = examined.facts, examined.plan
    series = facts.series_of(plan.invoice.kind)
    for found in glyphs.not_drawn(
        plan.invoice, plan.lines, plan.taxes, series.sequence.format if series else ""
    ):
        yield _error("GLYPH-MISSING", found.sentence, found.remedy)


@named("ZERO-TOTAL", needs_plan=True)
def _there_is_something_to_pay(examined):
    if not examined.plan.invoice.total:
        yield _warning("ZERO-TOTAL", "The total is zero: nothing will be asked of the customer.")
