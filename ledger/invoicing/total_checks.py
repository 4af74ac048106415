"""Checks of what an invoice comes to, in its currency and in the books (MON-1, PRP-5)."""

from django.urls import reverse

from invoicing_site.floor import bounds
from ledger.invoicing.checks import ERROR, CheckResult, named


@named("TOO-LARGE", needs_plan=True)
def _the_books_can_hold_it(examined):
    """MON-1: whatever is written of it, tax and accounting currency included."""
    plan, proposal = examined.plan, examined.facts.proposal
    largest = max(_figures(plan), key=lambda figure: abs(figure[1]))
    what, amount, currency = largest
    if said := bounds.over(amount, currency, bounds.MOST_TOTAL):
        yield CheckResult(
            "TOO-LARGE",
            ERROR,
            f"{what}: {said}. Return {proposal} to the project manager, who lowers its details or bills some "
            "of them on another proforma.",
            reverse("return_proposal", args=[proposal.pk]),
        )


def _figures(plan):
    """Every amount that posting would write, the totals first, each with what it is and its currency."""
    invoice = plan.invoice
    own, books = invoice.currency, invoice.accounting_currency
    for name in ("total", "net", "tax"):
        yield f"The {name}", getattr(invoice, name), own
        yield f"The {name} in the books", getattr(invoice, f"accounting_{name}"), books
    for row in plan.taxes:
        for name in ("base", "tax"):
            yield f"The {name} of {row.code}", getattr(row, name), own
            yield f"The {name} of {row.code} in the books", getattr(row, f"accounting_{name}"), books
    for entry in plan.entries:
        yield f"The entry on account {entry.account}", max(entry.debit, entry.credit), entry.currency
        accounting = max(entry.accounting_debit, entry.accounting_credit)
        yield f"The entry on account {entry.account} in the books", accounting, books
    for line in plan.lines:
        yield f"Line {line.number}", line.net, own
    for row in plan.project_transactions:
        yield "A row of the project subledger", row.amount, row.currency
        yield "A row of the project subledger in the books", row.accounting_amount, books
