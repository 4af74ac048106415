"""Checks of the amounts of an invoice, in its currency and in the books (MON-1, PRP-5)."""

from django.urls import reverse

from invoicing_site.floor import bounds
from invoicing_site.floor.reasons import Label, Reason
from ledger.invoicing.checks.examining import ERROR, CheckResult, named


@named("TOO-LARGE", needs_plan=True)
def _the_books_can_hold_it(examined):
    """MON-1: every amount that posting writes, in both currencies."""
    plan, proposal = examined.plan, examined.facts.proposal
    what, amount, currency = max(_amounts(plan), key=lambda found: abs(found[1]))
    if too_large := bounds.amount_too_large(amount, currency, bounds.MOST_TOTAL):
        remedy = reverse("return_proposal", args=[proposal.pk])
        reason = Reason("INVOICE-TOO-LARGE", what=what, why=too_large, proposal=proposal, remedy=remedy)
        yield CheckResult("TOO-LARGE", ERROR, reason)


def _amounts(plan):
    """Every amount that posting writes, the totals first: (what it is, amount, currency)."""
    invoice = plan.invoice
    own, books = invoice.currency, invoice.accounting_currency
    for name in ("total", "net", "tax"):
        yield Reason("AMOUNT-OF", name=Label(name)), getattr(invoice, name), own
        yield Reason("AMOUNT-IN-BOOKS", name=Label(name)), getattr(invoice, f"accounting_{name}"), books
    for row in plan.taxes:
        for name in ("base", "tax"):
            of = {"name": Label(name), "tax_code": row.code}
            yield Reason("TAX-AMOUNT-OF", **of), getattr(row, name), own
            yield Reason("TAX-AMOUNT-IN-BOOKS", **of), getattr(row, f"accounting_{name}"), books
    for entry in plan.entries:
        yield Reason("ENTRY-ON", account=entry.account), max(entry.debit, entry.credit), entry.currency
        accounting = max(entry.accounting_debit, entry.accounting_credit)
        yield Reason("ENTRY-IN-BOOKS", account=entry.account), accounting, books
    for line in plan.lines:
        yield Reason("OF-LINE", line=str(line.number)), line.net, own
    for row in plan.project_transactions:
        yield Reason("SUBLEDGER-ROW"), row.amount, row.currency
        yield Reason("SUBLEDGER-ROW-IN-BOOKS"), row.accounting_amount, books
