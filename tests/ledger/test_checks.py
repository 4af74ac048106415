"""The results of the checks before posting, each a sentence; after an error nothing is posted (PRP-5)."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from contracts.models import ExchangeRate, LegalEntity, NumberSequence
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.formatting import day
from invoicing_site.floor.reasons import Reason
from ledger.books.periods import period_of
from ledger.closing.operations import close_period
from ledger.invoicing import checks
from ledger.invoicing.checks import Examined, check, examine
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.operations.posting import post, post_many
from ledger.invoicing.operations.proposals import create_proposal, edit_header, edit_lines
from ledger.invoicing.previews import preview
from ledger.models import CustomerInvoice, InvoiceProposal, LedgerEntry, TaxRate, Voucher
from proforma import operations as proformas
from tests import factories
from tests.ledger.billing import (
    MARCH_31,
    accrue,
    book_journals,
    confirmed,
    cr,
    dr,
    drafted,
    edited,
    entries_of,
    milestone,
    proposed,
    work,
)

pytestmark = pytest.mark.django_db

APRIL_1 = datetime.date(2025, 4, 1)


@pytest.fixture
@factories.remembered
def proposal(no1, contract):
    return proposed(no1, work(no1, contract))


def found(proposal, on=MARCH_31):
    return [(result.code, result.severity) for result in check(proposal, on=on)]


def refused(no1, proposal, on=MARCH_31):
    """The refusal of posting; checks that nothing has changed (MON-8)."""
    before = LedgerEntry.objects.count(), Voucher.objects.count()
    counters = list(NumberSequence.objects.order_by("pk").values_list("pk", "counters__last", "chain_length"))
    with pytest.raises(Refused) as refusal:
        post(proposal, by=no1.accountant, on=on)
    assert (LedgerEntry.objects.count(), Voucher.objects.count()) == before
    assert not CustomerInvoice.objects.filter(proposal=proposal).exists()
    assert InvoiceProposal.objects.get(pk=proposal.pk).status == proposal.status
    after = list(NumberSequence.objects.order_by("pk").values_list("pk", "counters__last", "chain_length"))
    assert after == counters
    return refusal.value


def test_a_valid_proposal_has_no_results(proposal):
    """PRP-5"""
    assert check(proposal, on=MARCH_31) == []


def test_checking_changes_nothing_and_takes_as_many_queries_for_many_lines(
    no1, contract, django_assert_max_num_queries, django_assert_num_queries
):
    """PRP-5"""
    one = proposed(no1, work(no1, contract))
    many = proposed(no1, *(work(no1, contract) for _ in range(30)))
    with django_assert_max_num_queries(30) as queries:
        check(one, on=MARCH_31)
    with django_assert_num_queries(len(queries)):
        check(many, on=MARCH_31)
    assert not CustomerInvoice.objects.exists()


def test_a_missing_exchange_rate_is_named(no1):
    """FX-MISSING MON-8"""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR")
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    proposal = proposed(no1, work(no1, contract))
    ExchangeRate.objects.all().delete()

    assert found(proposal) == [("FX-MISSING", "error")]
    refusal = refused(no1, proposal)
    assert (refusal.code, refusal.remedy) == ("FX-MISSING", "admin:contracts_exchangerate_add")
    assert "EUR on 31 Mar 2025" in refusal.message


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        ("customer", "no account for customer balance"),
        ("revenue", "no account for invoiced revenue (class time, category Work and profile "),
    ],
)
def test_a_missing_account_is_named(no1, proposal, purpose, words):
    """ACCOUNT-MISSING MON-8"""
    no1.entity.posting_accounts.filter(purpose=purpose).delete()

    assert found(proposal) == [("ACCOUNT-MISSING", "error")]
    assert words in refused(no1, proposal).message


def test_a_missing_account_for_rounding_is_named(no1):
    """ACCOUNT-MISSING MON-8: only if it is needed."""
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=Decimal("11.3333"), valid_from=datetime.date(2025, 3, 1)
    )
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    even, uneven = proposed(no1, work(no1, contract)), proposed(no1, work(no1, contract, "1", "100.01"))
    no1.entity.posting_accounts.filter(purpose="rounding").delete()

    assert found(even) == []
    assert "no account for rounding of conversion" in refused(no1, uneven).message


def test_a_tax_code_without_account_is_named(no1, proposal):
    """ACCOUNT-MISSING MON-8"""
    code = no1.books.tax_codes["OUT25"]
    code.account = None
    code.save()

    assert found(proposal) == [("ACCOUNT-MISSING", "error")]
    assert refused(no1, proposal).message.startswith("Tax code OUT25 Output VAT 25 % has no account")


def test_a_missing_profile_is_named(no1, proposal):
    """PROFILE-MISSING MON-8"""
    no1.entity.profile_assignments.all().delete()

    assert found(proposal) == [("PROFILE-MISSING", "error")]
    assert refused(no1, proposal).code == "PROFILE-MISSING"


@pytest.mark.parametrize("what", ["group", "shared", "rate"])
def test_a_missing_tax_is_named_with_its_line(no1, proposal, what):
    """TAX-MISSING MON-8: no tax group; groups without a common code; a code without a rate."""
    words = {
        "group": (
            "Line 1: There is no item tax group, so the tax of Company NO1 can't be calculated. Choose one "
            "on the line. Or set it up for the category. After the set-up is changed, use “Fill lines "
            "again” on the page of the proposal."
        ),
        "shared": "Line 1: Billing tax group DOMESTIC and item tax group EMPTY of Company NO1 have no tax "
        "code",
        "rate": "Line 1: Tax code OUT25 Output VAT 25 % of Company NO1 has no rate on 10 Mar 2025",
    }
    if what == "rate":
        TaxRate.objects.filter(tax_code__code="OUT25").update(valid_from=APRIL_1)
    else:
        group = None
        if what == "shared":
            group = factories.ItemTaxGroupFactory(entity=no1.entity, code="EMPTY")
        edit_lines(proposal.lines.all(), by=no1.accountant, item_tax_group=group)

    errors = [result.code for result in check(proposal, on=MARCH_31) if result.is_error]
    assert errors == ["TAX-MISSING"]
    assert refused(no1, proposal).message.startswith(words[what])


def test_everything_that_is_missing_is_named_at_once(no1):
    """PRP-5 MON-8"""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR")
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    proposal = proposed(no1, *(work(no1, contract) for _ in range(3)))
    ExchangeRate.objects.all().delete()
    no1.entity.posting_accounts.filter(purpose="revenue").delete()
    TaxRate.objects.filter(tax_code__code="OUT25").update(valid_from=APRIL_1)

    assert found(proposal) == [
        ("FX-MISSING", "error"),
        ("ACCOUNT-MISSING", "error"),
        ("TAX-MISSING", "error"),
    ]
    message = refused(no1, proposal).message
    assert all(word in message for word in ("EUR", "invoiced revenue", "OUT25"))


def test_a_disbursement_that_would_be_taxed_is_refused(no1, contract):
    """APP-8"""
    court = factories.CategoryFactory(
        entity=no1.entity, transaction_class="expense", name="Court fee", is_disbursement=True
    )
    item = work(no1, contract, "1", "80", transaction_class="expense", category=court, role=None)
    proposal = proposed(no1, item)

    assert found(proposal) == [("DISBURSEMENT-TAX", "error")]
    assert "Court fee is paid in the customer's name and is not taxed" in refused(no1, proposal).message


def test_a_closed_period_is_named(no1, proposal):
    """PERIOD-OPEN PRP-8"""
    close_period(period_of(no1.entity, MARCH_31), by=no1.accountant)

    assert found(proposal) == [("PERIOD-OPEN", "error")]
    refusal = refused(no1, proposal)
    assert refusal.code == "PERIOD-CLOSED"
    assert "March 2025 of Company NO1 is closed" in refusal.message
    # The accounting date differs: the invoice is dated in March and posted in April.
    edit_header(proposal, by=no1.accountant, invoice_date=MARCH_31, accounting_date=APRIL_1)
    invoice = post(proposal, by=no1.accountant, on=APRIL_1)
    assert (invoice.invoice_date, invoice.voucher.date) == (MARCH_31, APRIL_1)


def test_an_invoice_is_not_dated_before_the_last_one(no1, contract):
    """NUM-ORDER PRP-8"""
    early, late = (proposed(no1, work(no1, contract)) for _ in range(2))
    post(late, by=no1.accountant, on=APRIL_1)

    assert found(early) == [("NUM-ORDER", "error")]
    assert refused(no1, early).message.startswith(
        "A document of the kind “customer invoice” can't be dated 31 Mar 2025: the last one is dated 1 "
        "Apr 2025"
    )
    assert post(early, by=no1.accountant, on=APRIL_1).number == "INV-2025-000002"


def test_credit_notes_have_their_own_order(no1, contract):
    """NUM-ORDER PRP-8"""
    credit, invoice = proposed(no1, work(no1, contract, "-1")), proposed(no1, work(no1, contract))
    post(invoice, by=no1.accountant, on=APRIL_1)

    assert found(credit) == []


def test_a_missing_number_sequence_is_named(no1, proposal):
    """NUM-MISSING"""
    NumberSequence.objects.filter(entity=no1.entity, kind__in=["invoice", "credit_note"]).delete()

    assert found(proposal) == [("NUM-MISSING", "error")]
    assert "no number sequence for the kind “customer invoice”" in refused(no1, proposal).message


def test_an_invoice_is_not_dated_in_the_future(no1, proposal, monkeypatch):
    """FUTURE-DATE PRP-8: by the date of the company's time zone."""
    monkeypatch.setattr(LegalEntity, "today", lambda entity: MARCH_31)

    assert found(proposal, on=APRIL_1) == [("FUTURE-DATE", "error")]
    assert (
        "1 Apr 2025 is in the future: at Company NO1, today is 31 Mar 2025"
        in refused(no1, proposal, on=APRIL_1).message
    )
    assert found(proposal, on=MARCH_31) == []


def test_an_order_number_can_be_required(no1, proposal):
    """PO-REQUIRED"""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)

    assert found(proposal) == [("PO-REQUIRED", "error")]
    assert "requires an order number" in refused(no1, proposal).message


def test_a_due_date_before_the_posting_day_is_named(no1, proposal):
    """PRP-2: dated on the day of posting, which is after the due date."""
    edit_header(proposal, by=no1.accountant, due_date=datetime.date(2025, 3, 15))

    assert found(proposal) == [("DUE-DATE", "error")]


def test_a_proposal_that_waits_for_a_journal_is_not_posted(no1, contract):
    """BLOCKED PRP-1"""
    proposal = create_proposal(confirmed(no1, work(no1, contract)))

    codes = [code for code, severity in found(proposal) if severity == "error"]
    assert codes == ["BLOCKED"]
    assert "1 actual" in refused(no1, proposal).message


def test_a_total_of_zero_is_a_warning(no1, contract):
    """ZERO-TOTAL RET-6"""
    item = work(no1, contract)
    proforma = drafted(no1, item)
    edited(no1, proforma, item, billing_type="complimentary")
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)
    proposal = proposed(no1, proforma=proforma)

    assert found(proposal) == [("ZERO-TOTAL", "warning")]
    assert post(proposal, by=no1.accountant, on=MARCH_31).total == 0


@pytest.fixture
@factories.remembered
def not_charged(no1, contract):
    """A confirmed proforma with nothing but 10 h at 100 that were made non-chargeable on the draft."""
    item = work(no1, contract)
    proforma = drafted(no1, item)
    edited(no1, proforma, item, billing_type="non_chargeable")
    return proforma


def test_an_invoice_without_a_line_is_refused(no1, not_charged):
    """NO-LINES EN 16931 BR-16"""
    proformas.confirm(not_charged, by=no1.manager, on=MARCH_31)
    proposal = proposed(no1, proforma=not_charged)

    assert found(proposal) == [("NO-LINES", "error"), ("ZERO-TOTAL", "warning")]
    message = refused(no1, proposal).message
    assert "has no line, and an invoice needs one" in message
    assert "Return it to the project manager" in message


def test_an_accrual_is_reversed_even_without_a_line(no1, contract, not_charged):
    """NO-LINES PST-10: otherwise 1,000 would stay on WIP sales value."""
    accrue(no1, contract)
    book_journals(no1)
    proformas.confirm(not_charged, by=no1.manager, on=MARCH_31)
    proposal = proposed(no1, proforma=not_charged)

    assert found(proposal) == [("NO-LINES", "warning"), ("ZERO-TOTAL", "warning")]
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert entries_of(invoice.voucher) == [cr("1530", 1000), dr("3080", 1000)]


@pytest.mark.parametrize(
    ("worked", "invoiced", "old"),
    [
        ("2025-02-28", "2025-03-31", False),
        ("2025-02-27", "2025-03-31", True),
        ("2025-02-28", "2025-03-28", False),
        ("2025-01-15", "2025-02-15", False),
        ("2025-01-14", "2025-02-15", True),
        ("2024-12-31", "2025-01-31", False),
    ],
)
def test_work_older_than_a_month_is_a_warning(no1, contract, worked, invoiced, old):
    """OLD-WORK PRP-8"""
    proposal = proposed(no1, work(no1, contract, date=datetime.date.fromisoformat(worked)))

    results = check(proposal, on=datetime.date.fromisoformat(invoiced))

    assert [result.code for result in results] == ["OLD-WORK"] * old
    worked = day(datetime.date.fromisoformat(worked))
    assert all(worked in result.message and not result.is_error for result in results)


@pytest.mark.parametrize(("invoiced", "early"), [("2025-03-09", True), ("2025-03-10", False)])
def test_an_invoice_dated_before_its_work_is_refused(no1, contract, invoiced, early):
    """DATE-BEFORE-WORK PRP-8: it bills work of 3 and 10 March."""
    days = datetime.date(2025, 3, 3), datetime.date(2025, 3, 10)
    proposal = proposed(no1, *[work(no1, contract, date=each) for each in days])

    results = check(proposal, on=datetime.date.fromisoformat(invoiced))

    assert [result.code for result in results] == ["DATE-BEFORE-WORK"] * early
    if early:
        assert results[0].message == (
            "It bills work of 10 Mar 2025, after the invoice date 9 Mar 2025. Choose an invoice date from "
            "10 Mar "
            "2025 to today."
        )
        assert results[0].is_error


def test_a_milestone_dated_after_the_invoice_is_refused(no1):
    """DATE-BEFORE-WORK PRP-8"""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    proposal = proposed(no1, milestone(contract, date=datetime.date(2025, 6, 1)))

    assert found(proposal) == [("DATE-BEFORE-WORK", "error")]
    assert refused(no1, proposal).message == (
        "It bills a milestone of 1 Jun 2025, after the invoice date 31 Mar 2025. Choose an invoice date "
        "from 1 "
        "Jun 2025 to today."
    )


def test_a_future_day_has_to_be_waited_for(no1, contract, monkeypatch):
    """DATE-BEFORE-WORK PRP-8: that day can't be selected yet."""
    proposal = proposed(no1, work(no1, contract, date=APRIL_1))
    monkeypatch.setattr(LegalEntity, "today", lambda entity: MARCH_31)

    assert refused(no1, proposal).message == (
        "It bills work of 1 Apr 2025, which is in the future and after the invoice date 31 Mar 2025. "
        "Return the proposal to the project manager to remove this work, or post it on that day."
    )


def test_the_page_links_to_the_return_if_no_date_helps(no1, contract, client, monkeypatch):
    """DATE-BEFORE-WORK PRP-8 MON-8: with the code under which the documentation lists the check."""
    proposal = proposed(no1, work(no1, contract, date=APRIL_1))
    monkeypatch.setattr(LegalEntity, "today", lambda entity: MARCH_31)
    client.force_login(no1.accountant)
    shown = client.get(proposal.get_absolute_url()).content.decode()

    back = reverse("return_proposal", args=[proposal.pk])
    assert f'on that day. <a href="{back}">Return to the project manager</a>' in shown
    assert '<span class="muted">DATE-BEFORE-WORK</span> It bills work of 1 Apr 2025' in shown
    assert "Change the dates" not in shown


def test_work_of_today_needs_the_date_of_today(no1, contract, monkeypatch):
    """DATE-BEFORE-WORK PRP-8"""
    monkeypatch.setattr(LegalEntity, "today", lambda entity: MARCH_31)
    proposal = proposed(no1, work(no1, contract, date=MARCH_31))
    result = next(r for r in check(proposal, on=MARCH_31 - datetime.timedelta(days=1)))

    assert result.message.endswith("the invoice date 30 Mar 2025. Choose today as the invoice date.")


@pytest.mark.parametrize("method", ["tm", "fixed"])
def test_if_the_entity_invoices_in_advance_it_is_a_warning(no1, method):
    """DATE-BEFORE-WORK PRP-8 PST-4: taxed at the rate of the invoice date."""
    LegalEntity.objects.update(invoices_in_advance=True)
    TaxRate.objects.create(tax_code=no1.books.tax_codes["OUT25"], valid_from=APRIL_1, percent=Decimal(30))
    contract = factories.contract(no1, method=method, confirmed=True)
    item = milestone(contract, date=APRIL_1) if method == "fixed" else work(no1, contract, date=APRIL_1)
    proposal = proposed(no1, item)

    assert found(proposal) == [("DATE-BEFORE-WORK", "warning")]
    assert post(proposal, by=no1.accountant, on=MARCH_31).taxes.get().percent == 25


@pytest.mark.parametrize(("rated", "old"), [("2025-02-23", True), ("2025-02-24", False)])
def test_an_old_exchange_rate_is_a_warning(no1, rated, old):
    """FX-OLD: 36 and 35 days before 31 March; it names the currency, the day and the place to enter rates."""
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", valid_from=datetime.date.fromisoformat(rated)
    )
    proposal = proposed(no1, work(no1, factories.contract(no1, currency="EUR", confirmed=True)))

    results = check(proposal, on=MARCH_31)

    assert [(result.code, result.severity) for result in results] == [("FX-OLD", "warning")] * old
    for result in results:
        assert result.remedy == "admin:contracts_exchangerate_add"
        assert "rate for EUR is from 23 Feb 2025 and is used on 31 Mar 2025, 36 days later" in result.message


def test_a_tax_that_differs_from_the_drafts_is_a_warning(no1, proposal):
    """TAX-DIFFERS PRP-7"""
    edit_lines(proposal.lines.all(), by=no1.accountant, item_tax_group=no1.books.item_tax_groups["REDUCED"])

    assert found(proposal) == [("TAX-DIFFERS", "warning")]


@pytest.mark.parametrize("spoilt", ["line", "code", "net", "total"])
def test_sums_that_differ_are_found(proposal, spoilt):
    """TAX-SUM: plans never differ, but the check does not rely on that."""
    examination = examine(InvoiceFacts.load(proposal, on=MARCH_31))
    plan = examination.plan
    row, name = {
        "line": (plan.lines[0], "tax"),
        "code": (plan.taxes[0], "tax"),
        "net": (plan.invoice, "net"),
        "total": (plan.invoice, "total"),
    }[spoilt]
    setattr(row, name, getattr(row, name) + Decimal("0.01"))

    results = list(checks.examining._of_the_plan["TAX-SUM"](Examined(examination.facts, plan)))

    assert {result.code for result in results} == {"TAX-SUM"}


def test_the_totals_are_shown_before_posting(proposal):
    """PRP-5: net, tax by code, total"""
    plan = examine(InvoiceFacts.load(proposal, on=MARCH_31)).plan

    assert (plan.invoice.net, plan.invoice.tax, plan.invoice.total) == (1000, 250, 1250)
    assert [(tax.code, tax.percent, tax.base, tax.tax) for tax in plan.taxes] == [("OUT25", 25, 1000, 250)]
    assert plan.invoice.due_date == datetime.date(2025, 4, 30)


def test_the_totals_are_shown_even_after_an_error(no1, proposal):
    """PRP-5: and all errors are named, including those of the plan."""
    close_period(period_of(no1.entity, MARCH_31), by=no1.accountant)
    NumberSequence.objects.filter(entity=no1.entity, kind__in=["invoice", "credit_note"]).delete()

    examination = examine(InvoiceFacts.load(proposal, on=MARCH_31))

    assert examination.plan.invoice.total == 1250
    assert [error.code for error in examination.errors] == ["PERIOD-OPEN", "NUM-MISSING"]


def test_a_preview_shows_the_plan(proposal, monkeypatch):
    """PRP-3: with unsaved rows; nothing is posted."""
    drawn = {}

    def draw(invoice, lines, taxes, references):
        drawn.update(total=invoice.total, lines=[line.net for line in lines], references=references)
        return b"%PDF"

    monkeypatch.setattr("ledger.document.drawing.preview", draw)

    assert preview(proposal, on=MARCH_31) == b"%PDF"
    assert drawn == {"total": 1250, "lines": [1000], "references": []}
    assert not CustomerInvoice.objects.exists()


def test_a_proposal_without_lines_has_no_preview(no1, contract):
    """PRP-3 PRP-1"""
    proposal = create_proposal(confirmed(no1, work(no1, contract)))

    with pytest.raises(Refused, match="waits for 1 actual"):
        preview(proposal, on=MARCH_31)


def test_there_is_one_list_of_checks(monkeypatch):
    """PRP-5: other modules can add to it, under another name."""
    for registry in ("_before_planning", "_of_the_plan"):
        monkeypatch.setattr(checks.examining, registry, dict(getattr(checks.examining, registry)))
    expected = {"PERIOD-OPEN", "FX-MISSING", "ACCOUNT-MISSING", "TAX-MISSING", "TAX-SUM", "NUM-ORDER"}
    expected |= {"PO-REQUIRED", "ZERO-TOTAL", "FUTURE-DATE", "OLD-WORK"}
    assert expected <= set(checks.codes())
    checks.named("EN16931-1", needs_plan=True)(lambda examined: [])
    with pytest.raises(AssertionError):
        checks.named("EN16931-1")(lambda examined: [])


def test_batch_and_command_show_the_same_sentence_as_the_page(no1, proposal, capsys):
    """PRP-5: it is stored on the proposal."""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)
    (on_screen,) = check(proposal, on=MARCH_31)

    ((_, outcome),) = post_many([proposal], by=no1.accountant, on=MARCH_31)
    with pytest.raises(CommandError, match="1 proposal is refused"):
        call_command("post_invoices", "--entity", "NO1", "--on", "2025-03-31")

    assert outcome.message == on_screen.message
    assert InvoiceProposal.objects.get().last_error == on_screen.reason
    assert on_screen.message in capsys.readouterr().out

    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=False)
    post_many([proposal], by=no1.accountant, on=MARCH_31)
    assert InvoiceProposal.objects.get().last_error is None


def test_a_refusal_names_errors_only(no1, proposal):
    """PRP-5"""
    facts = InvoiceFacts.load(proposal, on=MARCH_31)
    examination = examine(replace(facts, due_date=datetime.date(2025, 3, 1)))
    old = Reason("OLD-WORK", day=datetime.date(2025, 1, 1), invoiced=MARCH_31)
    examination.results.insert(0, checks.CheckResult("OLD-WORK", "warning", old))

    with pytest.raises(Refused) as refusal:
        examination.refuse_errors()

    assert (refusal.value.code, "more than a month" in refusal.value.message) == ("DUE-DATE", False)
