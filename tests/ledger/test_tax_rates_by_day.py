"""An invoice with work from before and after a new tax rate: the day of delivery decides (PST-4)."""

import datetime
from decimal import Decimal

import pytest

from invoicing_site import explain
from invoicing_site.verify import findings
from ledger.document import drawing, printed, shown
from ledger.invoicing.checks import check
from ledger.invoicing.estimates import estimate
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.invoicing.operations.sections import format_sections
from ledger.invoicing.sections import SectionFormat
from ledger.models import ProposalSection, TaxRate
from tests import factories
from tests.invoicing_site.sample_company.alterations import behind_the_guards
from tests.ledger.billing import cr, dr, drafted, entries_of, milestone, proposed, work
from tests.ledger.test_posting_corrections import correction, details_of

pytestmark = pytest.mark.django_db

DEC_30, JAN_1, JAN_5, JAN_10 = (
    datetime.date(2024, 12, 30),
    datetime.date(2025, 1, 1),
    datetime.date(2025, 1, 5),
    datetime.date(2025, 1, 10),
)


@pytest.fixture
@factories.remembered
def no1():
    """25 %, and 26 % from 1 January."""
    it = factories.company()
    TaxRate.objects.create(tax_code=it.books.tax_codes["OUT25"], valid_from=JAN_1, percent=Decimal(26))
    return it


@pytest.fixture
@factories.remembered
def proposal(no1, contract):
    """10,000 of 30 December and 10,000 of 5 January."""
    return proposed(no1, *(work(no1, contract, "10", "1000", date=day) for day in (DEC_30, JAN_5)), on=JAN_10)


def test_one_invoice_has_two_rates_of_one_code(no1, proposal):
    """PST-4: 10,000 at 25 % and 10,000 at 26 %, invoiced on 10 January, have 2,500 + 2,600"""
    invoice = post(proposal, by=no1.accountant, on=JAN_10)

    assert entries_of(invoice.voucher) == [
        dr("1500", 25100),
        cr("3000", 20000),
        cr("2700", 2500),
        cr("2700", 2600),
    ]
    taxes = invoice.taxes.order_by("percent").values_list("code", "percent", "base", "tax")
    assert list(taxes) == [("OUT25", 25, 10000, 2500), ("OUT25", 26, 10000, 2600)]
    entries = invoice.voucher.entries.exclude(tax_code=None).order_by("number")
    assert list(entries.values_list("tax_percent", "tax_base")) == [(25, 10000), (26, 10000)]
    lines = invoice.lines.order_by("number").values_list("date", "tax_percent", "tax")
    assert list(lines) == [(DEC_30, 25, 2500), (JAN_5, 26, 2600)]
    assert findings() == []


def test_the_printed_invoice_and_the_explanation_show_both_rates(no1, proposal):
    """PST-4 DOC-1 ACT-2"""
    invoice = post(proposal, by=no1.accountant, on=JAN_10)

    content = shown.content_of(invoice)
    table = printed.taxes(content.taxes, content.lines)
    assert [(row.percent, row.base, row.tax) for row in table] == [(26, 10000, 2600), (25, 10000, 2500)]
    html = drawing.html(content)
    assert html.count("2,500.00") == html.count("2,600.00") == 1
    said = "\n".join(step.sentence for step in explain.explain_invoice(invoice).steps)
    assert "25 % of 10,000.00 NOK = 2,500.00 NOK" in said
    assert "26 % of 10,000.00 NOK = 2,600.00 NOK" in said


def test_a_summary_of_both_rates_is_printed_as_two_lines(no1, proposal):
    """PST-4 PRP-3: no printed line mixes rates, and the amounts do not change."""
    format_sections(
        proposal, [SectionFormat(list(proposal.lines.all()), "January", "summary", "role")], by=no1.accountant
    )
    assert ProposalSection.objects.get(proposal=proposal).mode == "summary"
    invoice = post(proposal, by=no1.accountant, on=JAN_10)

    (section,) = printed.sections(invoice.lines.all(), "NOK")
    assert [(line.title, line.quantity, line.net, line.tax_percent) for line in section.lines] == [
        (str(no1.role), 10, 10000, 25),
        (str(no1.role), 10, 10000, 26),
    ]
    assert (section.net, invoice.total) == (20000, 25100)


def test_the_draft_estimates_both_rates(no1, contract):
    """PST-4 PRO-2: 2,500 + 2,600"""
    draft = drafted(no1, *(work(no1, contract, "10", "1000", date=day) for day in (DEC_30, JAN_5)), on=JAN_10)

    assert estimate(draft).tax == 5100


@pytest.mark.parametrize(("planned", "percent"), [(DEC_30, 25), (JAN_5, 26)])
def test_a_milestone_is_taxed_by_the_day_of_its_completion(no1, planned, percent):
    """PST-4"""
    contract = factories.contract(no1, method="fixed", confirmed=True)

    invoice = post(proposed(no1, milestone(contract, date=planned), on=JAN_10), by=no1.accountant, on=JAN_10)

    assert invoice.taxes.get().percent == percent


def test_a_missing_rate_of_the_day_of_the_work_is_named(no1, contract):
    """PST-4 MON-8: the rate of the invoice date exists and does not matter."""
    TaxRate.objects.exclude(valid_from=JAN_1).delete()
    proposal = proposed(no1, work(no1, contract, date=JAN_5), work(no1, contract, date=DEC_30), on=JAN_10)

    (error,) = [result for result in check(proposal, on=JAN_10) if result.is_error]

    assert error.code == "TAX-MISSING"
    assert error.message.startswith("Line 1: Tax code OUT25 Output VAT 25 % of Company NO1 has no rate on 30")


def test_a_base_that_differs_from_its_lines_is_found(no1, proposal):
    """PST-4 PST-7: 1 was moved from one rate to the other, so that no total changes."""
    invoice = post(proposal, by=no1.accountant, on=JAN_10)
    with behind_the_guards():
        for percent, base in ((25, 9999), (26, 10001)):
            invoice.taxes.filter(percent=percent).update(base=base)

    sentences = [finding.sentence for finding in findings() if finding.code == "INVOICE"]

    assert sentences == [
        f"Invoice {invoice.number} taxes {base}.00 at {percent} %, but its lines add up to 10,000.00."
        for percent, base in ((25, "9,999"), (26, "10,001"))
    ]


def test_a_credit_keeps_the_rate_of_each_line(no1, proposal):
    """PST-4 COR-3: even if the rates were entered again since then."""
    post(proposal, by=no1.accountant, on=JAN_10)
    TaxRate.objects.update(percent=Decimal(12))
    old, new = details_of(proposal)

    credit = post(
        create_proposal(correction(no1, proposal.proforma, {new: Decimal(4)})), by=no1.accountant, on=JAN_10
    )
    assert [(tax.percent, tax.base, tax.tax) for tax in credit.taxes.all()] == [(26, -6000, -1560)]

    credit = post(
        create_proposal(correction(no1, proposal.proforma, {old: Decimal(0)})), by=no1.accountant, on=JAN_10
    )
    assert [(tax.percent, tax.base, tax.tax) for tax in credit.taxes.all()] == [(25, -10000, -2500)]
    assert findings() == []
