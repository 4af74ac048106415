"""Checks of dates, periods, rates, accounts, tax, lines and numbers of an invoice (PRP-5, PRP-8)."""

import calendar
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from django.urls import reverse

from contracts.models import LegalEntity, NumberSequence, PaymentReferenceKind, TransactionClass
from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Amount, Label, Reason
from ledger.document import glyphs
from ledger.invoicing import blockers
from ledger.invoicing.checks.examining import ERROR, WARNING, CheckResult, named
from ledger.invoicing.payment_references import reference_of
from ledger.invoicing.plan import account_of
from ledger.invoicing.tax_rows import tax_codes, tax_kind
from ledger.models import CustomerInvoice, InvoiceProposal

_ZERO = Decimal(0)
_Class = TransactionClass
_Kind = CustomerInvoice.Kind


def _error(code, reason):
    return CheckResult(code, ERROR, reason)


def _warning(code, reason):
    return CheckResult(code, WARNING, reason)


def _refusals(calls: Iterable[Callable]) -> Iterator[Reason]:
    """The reasons why calls are refused, each reason once."""
    found = set()
    for call in calls:
        try:
            call()
        except Refused as refusal:
            if refusal.reason not in found:
                found.add(refusal.reason)
                yield refusal.reason


@named("BLOCKED")
def _lines_are_filled_in(examined):
    proposal = examined.facts.proposal
    if proposal.status == InvoiceProposal.Status.BLOCKED:
        yield _error("BLOCKED", blockers.blocked_by(proposal).reason)


@named("APPROVAL")
def _it_is_approved(examined):
    """PRP-4"""
    facts = examined.facts
    if facts.proposal.status == InvoiceProposal.Status.SUBMITTED:
        yield _error("APPROVAL", Reason("APPROVAL-PENDING", proposal=facts.proposal))
    elif facts.entity.require_proposal_approval and facts.proposal.status == InvoiceProposal.Status.OPEN:
        yield _error("APPROVAL", Reason("APPROVAL-NEEDED", entity=facts.entity, proposal=facts.proposal))


@named("FUTURE-DATE")
def _the_invoice_date_is_not_in_the_future(examined):
    """PRP-8: never in the future."""
    facts = examined.facts
    if facts.invoice_date > facts.today:
        yield _error(
            "FUTURE-DATE",
            Reason("FUTURE-DATE", day=facts.invoice_date, entity=facts.entity, today=facts.today),
        )


@named("DUE-DATE")
def _the_due_date_is_not_before_the_invoice_date(examined):
    facts = examined.facts
    if facts.due_date < facts.invoice_date:
        yield _error("DUE-DATE", Reason("DUE-DATE", due=facts.due_date, invoiced=facts.invoice_date))


@named("PERIOD-OPEN")
def _the_period_is_open(examined):
    facts = examined.facts
    for reason in _refusals([lambda: facts.periods.open_period(facts.accounting_date)]):
        yield _error("PERIOD-OPEN", reason)


@named("CORRECTS-POSTED")
def _what_it_corrects_is_posted(examined):
    if unposted := examined.facts.unposted:
        yield _error("CORRECTS-POSTED", Reason("CORRECTS-POSTED", proforma=unposted))


@named("FX-MISSING")
def _there_is_an_exchange_rate(examined):
    facts = examined.facts
    if facts.corrected:
        return
    for reason in _refusals([lambda: facts.rates.on(facts.currency, facts.invoice_date)]):
        yield _error("FX-MISSING", reason)


@named("FX-OLD")
def _the_exchange_rate_is_recent(examined):
    """MON-8: a warning if the rate is older than 35 days; a correction keeps the rate of its invoice."""
    facts = examined.facts
    if not facts.corrected:
        for reason in facts.rates.old([(facts.currency, facts.invoice_date)]):
            yield _warning("FX-OLD", reason)


@named("ACCOUNT-MISSING")
def _every_account_is_there(examined):
    """Accounts and profiles; work with an amount of 0 needs none."""
    facts, found = examined.facts, {}
    sorts = {billed.sort: billed for billed in facts.billed if billed.amount}
    for billed in sorts.values():
        try:
            account_of(facts, billed)
        except Refused as refusal:
            found.setdefault(refusal.reason, CheckResult.of_refusal(refusal))
    yield from found.values()


@named("TAX-MISSING")
def _every_line_has_tax_codes(examined):
    facts = examined.facts
    kinds = {tax_kind(facts, line): line for line in reversed(facts.lines)}
    for kind, line in kinds.items():
        for why in _refusals([lambda kind=kind: tax_codes(facts, kind)]):
            values = {"line": str(line.number), "why": why, "remedy": why.remedy}
            if line.billing_tax_group_id is None or kind.item_giver:
                yield _error("TAX-MISSING", Reason("TAX-MISSING-REFILL", **values))
            else:
                yield _error("TAX-MISSING", Reason("TAX-MISSING", **values))


@named("DISBURSEMENT-TAX")
def _disbursements_are_not_taxed(examined):
    """APP-8: the customer is charged what was paid in the customer's name, without tax."""
    facts = examined.facts
    lines = {(line.detail.category_id, tax_kind(facts, line)): line for line in reversed(facts.lines)}
    for (category_id, kind), line in lines.items():
        category = facts.the("category", category_id)
        if not category or not category.is_disbursement:
            continue
        try:
            taxed = [at for at in tax_codes(facts, kind) if at.percent]
        except Refused:
            continue  # TAX-MISSING finds it
        if taxed:
            yield _error(
                "DISBURSEMENT-TAX",
                Reason(
                    "DISBURSEMENT-TAX",
                    line=str(line.number),
                    category=category,
                    tax_code=taxed[0].code,
                    remedy="admin:contracts_category_changelist",
                ),
            )


@named("DISBURSEMENT-POSTED")
def _its_disbursements_are_posted(examined):
    """PST-10: an invoice clears what the journal posted, so the journal comes first."""
    for cost in examined.facts.unbooked_disbursements:
        amount = Amount(cost.amount, cost.currency)
        reason = Reason("DISBURSEMENT-POSTED", day=cost.date, amount=amount, remedy="journals")
        yield _error("DISBURSEMENT-POSTED", reason)


@named("NO-LINES")
def _it_has_a_line(examined):
    """EN 16931 BR-16: an invoice has at least one line, which may be at no charge.

    A proforma with only non-chargeable work has none. If revenue was accrued for that work it is a warning,
    because only posting the proposal reverses the accrual (PST-10).
    """
    facts = examined.facts
    if facts.lines or facts.proposal.status == InvoiceProposal.Status.BLOCKED:
        return
    if facts.accrued:
        yield _warning("NO-LINES", Reason("NO-LINES-ACCRUED", proposal=facts.proposal))
    else:
        yield _error("NO-LINES", Reason("NO-LINES", proposal=facts.proposal))


@named("RETAINER-REQUEST")
def _payment_requests_are_no_invoices(examined):
    """RET-4"""
    facts = examined.facts
    for billed in facts.billed:
        retainer = facts.the("retainer", billed.retainer_id)
        is_request = retainer is not None and retainer.kind == LegalEntity.RetainerKind.REQUEST
        if billed.transaction_class == _Class.RETAINER and is_request:
            yield _error("RETAINER-REQUEST", Reason("RETAINER-REQUEST", retainer=retainer))
            return


@named("PO-REQUIRED")
def _there_is_an_order_reference(examined):
    facts = examined.facts
    if facts.entity.require_order_reference and not facts.proforma.order_reference:
        reason = Reason("PO-REQUIRED", entity=facts.entity, proforma=facts.proforma)
        yield _error("PO-REQUIRED", reason)


@named("TAX-DIFFERS")
def _taxes_are_those_of_the_draft(examined):
    """PRP-7: the draft's tax is an estimate."""
    differing = [line.number for line in examined.facts.lines if line.differs]
    if differing:
        reason = Reason("TAX-DIFFERS", count=len(differing), line=str(differing[0]))
        yield _warning("TAX-DIFFERS", reason)


@named("OLD-WORK")
def _the_work_is_recent(examined):
    """PRP-8: a warning if the work is older than a month."""
    facts = examined.facts
    oldest = min((line.detail.date for line in facts.lines), default=facts.invoice_date)
    if oldest < _a_month_before(facts.invoice_date):
        yield _warning("OLD-WORK", Reason("OLD-WORK", day=oldest, invoiced=facts.invoice_date))


@named("DATE-BEFORE-WORK")
def _the_work_is_not_after_the_invoice_date(examined):
    """PRP-8: an invoice bills what was delivered; a warning if the entity invoices in advance."""
    facts = examined.facts
    details = (line.detail for line in facts.lines if not line.detail.corrects_id)
    delivered = (detail for detail in details if detail.transaction_class != _Class.RETAINER)
    latest = max(delivered, key=lambda detail: detail.date, default=None)
    if latest is None or latest.date <= facts.invoice_date:
        return
    is_milestone = latest.transaction_class == _Class.MILESTONE
    what = Label("a milestone") if is_milestone else Label("work")
    values = {"what": what, "day": latest.date, "invoiced": facts.invoice_date}
    if facts.entity.invoices_in_advance:
        yield _warning("DATE-BEFORE-WORK", Reason("DATE-IN-ADVANCE", **values))
    elif latest.date < facts.today:
        yield _error("DATE-BEFORE-WORK", Reason("DATE-BEFORE-WORK", **values))
    elif latest.date == facts.today:
        yield _error("DATE-BEFORE-WORK", Reason("DATE-BEFORE-WORK-OF-TODAY", **values))
    else:
        remedy = reverse("return_proposal", args=[facts.proposal.pk])
        yield _error("DATE-BEFORE-WORK", Reason("DATE-BEFORE-FUTURE-WORK", remedy=remedy, **values))


@named("CREDIT-DATE")
def _a_correction_follows_what_it_corrects(examined):
    """PRP-8: neither dated nor posted before the invoice that it corrects, in any sequence."""
    facts = examined.facts
    if facts.corrected is None:
        return
    original = facts.corrected.invoice
    own, earliest = facts.invoice_date, original.invoice_date
    if own < earliest:
        reason = Reason("CREDIT-DATE", invoice=original, earliest=earliest, day=own)
        yield _error("CREDIT-DATE", reason)
    own, earliest = facts.accounting_date, original.accounting_date
    if own < earliest:
        reason = Reason("CREDIT-ACCOUNTING-DATE", invoice=original, earliest=earliest, day=own)
        yield _error("CREDIT-DATE", reason)


def _a_month_before(day):
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


@named("NUM-ORDER", needs_plan=True)
def _its_date_follows_the_last_number(examined):
    """PRP-8: not before the last date of its number sequence."""
    facts, kind = examined.facts, examined.plan.invoice.kind
    series = facts.series_of(kind)
    if series is None:
        remedy = "admin:contracts_numbersequence_add"
        reason = Reason("NUM-MISSING", entity=facts.entity, kind=NumberSequence.Kind(kind), remedy=remedy)
        yield _error("NUM-MISSING", reason)
    elif series.sequence.in_date_order and series.last_date and facts.invoice_date < series.last_date:
        values = {"day": facts.invoice_date, "latest": series.last_date}
        yield _error("NUM-ORDER", Reason("NUM-ORDER", kind=NumberSequence.Kind(kind), **values))


@named("TAX-SUM", needs_plan=True)
def _taxes_add_up(examined):
    """Section 13, 3: shares add up to the tax, and lines to the header, as they are printed."""
    plan = examined.plan
    invoice = plan.invoice
    by_line = sum((line.tax for line in plan.lines), _ZERO)
    by_code = sum((tax.tax for tax in plan.taxes), _ZERO)
    if not by_line == by_code == invoice.tax:
        yield _error("TAX-SUM", Reason("TAX-SUM", lines=by_line, codes=by_code, invoice=invoice.tax))
    net = sum((line.net for line in plan.lines), _ZERO)
    if net != invoice.net or invoice.net + invoice.tax != invoice.total:
        values = {"net": invoice.net, "tax": invoice.tax, "total": invoice.total}
        yield _error("TAX-SUM", Reason("NET-SUM", lines=net, **values))


@named("BANK-MISSING", needs_plan=True)
def _a_payer_abroad_gets_iban_and_bic(examined):
    """DOC-5: a domestic account number is not enough abroad, or in another currency."""
    invoice = examined.plan.invoice
    is_foreign = invoice.currency != invoice.accounting_currency
    if invoice.total <= 0 or not (is_foreign or invoice.buyer_country != invoice.seller_country):
        return
    if missing := [name for name in ("IBAN", "BIC") if not getattr(invoice, f"seller_{name.lower()}")]:
        values = {"seller": invoice.seller_name, "missing": missing}
        values["remedy"] = reverse("admin:contracts_legalentity_change", args=[invoice.entity_id])
        if is_foreign:
            reason = Reason("BANK-MISSING-CURRENCY", currency=invoice.currency, **values)
        else:
            reason = Reason("BANK-MISSING", country=wording.country(invoice.buyer_country), **values)
        yield _error("BANK-MISSING", reason)


@named("KID-LENGTH", needs_plan=True)
def _its_payment_reference_fits(examined):
    """DOC-5"""
    facts, plan = examined.facts, examined.plan
    series = facts.series_of(plan.invoice.kind)
    kind = facts.customer.payment_reference_kind or facts.entity.payment_reference_kind
    if not series or plan.invoice.kind == _Kind.CREDIT_NOTE or kind == PaymentReferenceKind.NUMBER:
        return
    number = series.sequence.next_number(facts.invoice_date)
    for reason in _refusals([lambda: reference_of(facts.entity, facts.customer, number)]):
        yield _error("KID-LENGTH", reason)


@named("GLYPH-MISSING", needs_plan=True)
def _its_fonts_have_all_letters(examined):
    """DOC-5: text that the fonts can't print is not posted."""
    facts, plan = examined.facts, examined.plan
    series = facts.series_of(plan.invoice.kind)
    number_format = series.sequence.format if series else ""
    for reason in glyphs.not_drawn(plan.invoice, plan.lines, plan.taxes, number_format):
        yield _error("GLYPH-MISSING", reason)


@named("ZERO-TOTAL", needs_plan=True)
def _there_is_something_to_pay(examined):
    if not examined.plan.invoice.total:
        yield _warning("ZERO-TOTAL", Reason("ZERO-TOTAL"))
