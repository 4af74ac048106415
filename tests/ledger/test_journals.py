"""The entries of the integration journal for each kind of actual: the table of section 7, cell by cell."""

from decimal import Decimal

import pytest

from actuals.models import Entry
from backlog.operations import Decision, approve
from invoicing_site.floor.reasons import Reason
from ledger.books.periods import period_of
from ledger.journal.operations.journals import back_to_draft, post_journal
from ledger.models import (
    Account,
    IntegrationJournal,
    PostingAccount,
    ProjectTransaction,
    Voucher,
)
from tests.factories import ExchangeRateFactory, contract, time_entry
from tests.ledger.journal_samples import (
    ACCRUED,
    APRIL_10,
    COST,
    DAY,
    DISBURSEMENT,
    OFFSET,
    PAYROLL,
    WIP_COST,
    WIP_SALES,
    add_all,
    add_and_post,
    cost,
    entries_of,
    reversed_on,
    subledger_of,
    unbilled,
    use_profile,
    voucher_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


def euro_line(no1, **fields):
    return contract(no1, confirmed=True, currency="EUR", **fields).lines.get()


# The table of section 7


@pytest.mark.parametrize("profile", ["STD", "ACCRUE"])
@pytest.mark.parametrize(
    ("transaction_class", "offset"),
    [("time", PAYROLL), ("expense", OFFSET), ("material", OFFSET), ("fee", OFFSET)],
)
def test_cost_is_posted_to_profit_and_loss(no1, line, profile, transaction_class, offset):
    """JRN-5: time against payroll allocation, everything else against the offset account, accrued or not."""
    use_profile(no1, profile)
    actual = cost(no1, line, 800, transaction_class)
    add_and_post(no1)

    assert entries_of(actual) == [(COST, 800, 0), (offset, 0, 800)]
    assert subledger_of(actual) == [("cost", 800, False)]


@pytest.mark.parametrize(("transaction_class", "offset"), [("time", PAYROLL), ("expense", OFFSET)])
def test_cost_to_balance_is_posted_to_wip(no1, line, transaction_class, offset):
    """JRN-5: WIP cost value replaces project cost."""
    use_profile(no1, "BALANCE")
    actual = cost(no1, line, 800, transaction_class)
    add_and_post(no1)

    assert entries_of(actual) == [(WIP_COST, 800, 0), (offset, 0, 800)]
    assert subledger_of(actual) == [("cost", 800, True)]


def test_cost_that_is_not_posted_is_in_the_project_subledger_only(no1, line):
    """JRN-5"""
    use_profile(no1, "STD", cost="never")
    actual = cost(no1, line)
    add_and_post(no1)

    assert entries_of(actual) == []
    assert subledger_of(actual) == [("cost", 800, False)]


@pytest.mark.parametrize("transaction_class", ["time", "expense", "material", "fee"])
def test_unbilled_sales_without_accrual_are_in_the_project_subledger_only(no1, line, transaction_class):
    """JRN-5"""
    actual = unbilled(no1, line, 1600, transaction_class)
    add_and_post(no1)

    assert entries_of(actual) == []
    assert subledger_of(actual) == [("unbilled", 1600, False)]


@pytest.mark.parametrize("transaction_class", ["time", "expense", "material", "fee"])
def test_unbilled_sales_are_accrued(no1, line, transaction_class):
    """JRN-5"""
    use_profile(no1, "ACCRUE")
    actual = unbilled(no1, line, 1600, transaction_class)
    add_and_post(no1)

    assert entries_of(actual) == [(WIP_SALES, 1600, 0), (ACCRUED, 0, 1600)]
    assert subledger_of(actual) == [("accrued", 1600, True)]


def test_accrual_is_set_for_each_class(no1, line):
    """JRN-5"""
    use_profile(no1, "STD", accrue_time=True)
    hours, trip = unbilled(no1, line, 1600), unbilled(no1, line, 300, "expense")
    add_and_post(no1)

    assert entries_of(hours) == [(WIP_SALES, 1600, 0), (ACCRUED, 0, 1600)]
    assert entries_of(trip) == []


def test_fixed_price_work_has_a_cost_only(no1):
    """JRN-5, APP-4: approved hours on a fixed-price line make one voucher, for their cost."""
    contract(no1, method="fixed", confirmed=True)
    use_profile(no1, "ACCRUE")
    approve(Entry.objects.filter(pk=time_entry(no1, "8").pk), by=no1.manager, on=DAY)
    added, _ = add_and_post(no1)

    assert added.lines == 1
    (voucher,) = Voucher.objects.all()
    assert entries_of(voucher.journal_line.actual) == [(COST, 800, 0), (PAYROLL, 0, 800)]


def test_approved_hours_are_posted_from_entry_to_ledger(no1):
    """APP-3, JRN-5: 8 h at cost 100 and price 200, billable 6 h."""
    contract(no1, confirmed=True)
    use_profile(no1, "ACCRUE")
    entry = time_entry(no1, "8")
    decided = {entry.pk: Decision(billable_quantity=Decimal(6))}
    approve(Entry.objects.filter(pk=entry.pk), by=no1.manager, on=DAY, decisions=decided)
    add_and_post(no1)

    booked = {
        (actual.type, actual.billing_type): (entries_of(actual), subledger_of(actual))
        for actual in entry.actuals.all()
    }
    assert booked == {
        ("cost", "chargeable"): ([(COST, 800, 0), (PAYROLL, 0, 800)], [("cost", 800, False)]),
        ("unbilled", "chargeable"): (
            [(WIP_SALES, 1200, 0), (ACCRUED, 0, 1200)],
            [("accrued", 1200, True)],
        ),
        ("unbilled", "non_chargeable"): ([], [("unbilled", 400, False)]),
    }


@pytest.mark.parametrize("billing_type", ["non_chargeable", "complimentary"])
def test_work_that_is_not_charged_is_not_in_the_ledger(no1, line, billing_type):
    """JRN-5: only the project subledger."""
    use_profile(no1, "ACCRUE")
    actual = unbilled(no1, line, billing_type=billing_type)
    add_and_post(no1)

    assert entries_of(actual) == []
    assert subledger_of(actual) == [("unbilled", 1600, False)]


def test_negative_amounts_swap_sides(no1, line):
    """JRN-5"""
    use_profile(no1, "ACCRUE")
    back, less = cost(no1, line, -250, "expense"), unbilled(no1, line, -300, "expense")
    add_and_post(no1)

    assert entries_of(back) == [(COST, 0, 250), (OFFSET, 250, 0)]
    assert entries_of(less) == [(WIP_SALES, 0, 300), (ACCRUED, 300, 0)]
    assert subledger_of(back) == [("cost", -250, False)]


def test_an_amount_of_zero_has_no_entries(no1, line):
    """PRC-6: work without a price is 0, and is posted anyway."""
    actual = cost(no1, line, 0)
    add_and_post(no1)

    assert entries_of(actual) == []
    assert subledger_of(actual) == [("cost", 0, False)]


def test_a_disbursement_is_a_claim_on_the_customer(no1, line):
    """APP-8: neither cost nor revenue of the company."""
    use_profile(no1, "ACCRUE")
    no1.travel.is_disbursement = True
    no1.travel.save()
    paid, charged = cost(no1, line, 500, "expense"), unbilled(no1, line, 500, "expense")
    add_and_post(no1)

    assert entries_of(paid) == [(DISBURSEMENT, 500, 0), (OFFSET, 0, 500)]
    assert entries_of(charged) == []


def test_a_disbursement_is_not_work_in_progress(no1, line):
    """APP-8"""
    use_profile(no1, "BALANCE")
    no1.travel.is_disbursement = True
    no1.travel.save()
    paid = cost(no1, line, 500, "expense")
    add_and_post(no1)

    assert entries_of(paid) == [(DISBURSEMENT, 500, 0), (OFFSET, 0, 500)]
    assert subledger_of(paid) == [("disbursement", 500, True)]


def test_a_disbursement_that_is_not_charged_is_a_cost(no1, line):
    """APP-8"""
    no1.travel.is_disbursement = True
    no1.travel.save()
    fixed = contract(no1, method="fixed", confirmed=True).lines.get()
    uncovered = cost(no1, line, 500, "expense", contract=None, contract_line=None)
    on_fixed = cost(no1, fixed, 500, "expense")
    add_and_post(no1)

    assert entries_of(uncovered) == [(COST, 500, 0), (OFFSET, 0, 500)]
    assert entries_of(on_fixed) == [(COST, 500, 0), (OFFSET, 0, 500)]


def test_the_profile_of_the_project_replaces_that_of_the_contract(no1, line):
    """JRN-5"""
    books = no1.books
    no1.entity.profile_assignments.create(profile=books.profiles["ACCRUE"], contract=line.contract)
    first = cost(no1, line)
    add_and_post(no1)
    no1.entity.profile_assignments.create(profile=books.profiles["BALANCE"], project=line.project)
    second = cost(no1, line)
    add_and_post(no1)

    assert [entries_of(actual)[0][0] for actual in (first, second)] == [COST, WIP_COST]


def test_a_category_can_have_its_own_account(no1, line):
    """JRN-5"""
    trips = Account.objects.create(entity=no1.entity, number="4310", name="Trips", kind="expense")
    PostingAccount.objects.create(
        entity=no1.entity, purpose="project_cost", category=no1.travel, account=trips
    )
    actual = cost(no1, line, 500, "expense")
    add_and_post(no1)

    assert entries_of(actual) == [("4310", 500, 0), (OFFSET, 0, 500)]


# Currency


def test_entries_have_both_amounts_and_the_rate(no1):
    """MON-5, PST-2: both entries have the same converted amount, so that they balance."""
    ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.6333"))
    use_profile(no1, "ACCRUE")
    actual = unbilled(no1, euro_line(no1), Decimal("333.33"))
    add_and_post(no1)

    entries = voucher_of(actual).entries.order_by("number")
    assert [
        (e.debit, e.credit, e.currency, e.rate, e.accounting_debit, e.accounting_credit) for e in entries
    ] == [
        (Decimal("333.33"), 0, "EUR", Decimal("11.6333"), Decimal("3877.73"), 0),
        (0, Decimal("333.33"), "EUR", Decimal("11.6333"), 0, Decimal("3877.73")),
    ]
    (row,) = ProjectTransaction.objects.all()
    assert (row.amount, row.currency, row.accounting_amount) == (Decimal("333.33"), "EUR", Decimal("3877.73"))


# Reversals


def test_a_reversal_is_the_mirror_image_at_the_stored_rate_on_the_same_accounts(no1):
    """MON-5, JRN-7: today's rate, accounts and profile do not matter."""
    ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.60"))
    use_profile(no1, "ACCRUE")
    actual = unbilled(no1, euro_line(no1), 1000)
    add_and_post(no1)

    ExchangeRateFactory(entity=no1.entity, currency="EUR", valid_from=DAY, rate=Decimal("12.00"))
    no1.entity.accounts.filter(number=WIP_SALES).update(is_active=False)
    use_profile(no1, "STD")
    reversal = reversed_on(actual, APRIL_10)
    add_and_post(no1, APRIL_10)

    assert entries_of(actual) == [(WIP_SALES, 11600, 0), (ACCRUED, 0, 11600)]
    assert entries_of(reversal) == [(WIP_SALES, 0, 11600), (ACCRUED, 11600, 0)]
    assert subledger_of(reversal) == [("accrued", -11600, True)]
    assert voucher_of(reversal).reverses == voucher_of(actual)
    own = voucher_of(reversal).entries.order_by("number")
    assert [(e.debit, e.credit, e.currency, e.rate) for e in own] == [
        (0, 1000, "EUR", Decimal("11.60")),
        (1000, 0, "EUR", Decimal("11.60")),
    ]
    (row,) = reversal.project_transactions.all()
    assert (row.quantity, row.amount, row.currency) == (-1, -1000, "EUR")


def test_march_work_canceled_in_april_is_posted_in_april(no1, line):
    """JRN-7: even if March is open."""
    actual = cost(no1, line)
    add_and_post(no1)
    reversal = reversed_on(actual, APRIL_10)
    add_and_post(no1, APRIL_10)

    voucher = voucher_of(reversal)
    assert (voucher.date, voucher.document_date) == (APRIL_10, DAY)
    assert voucher.period == period_of(no1.entity, APRIL_10)
    assert ProjectTransaction.objects.get(voucher=voucher).date == APRIL_10


def test_a_reversal_is_posted_after_its_original_in_one_journal(no1, line):
    """JRN-7"""
    use_profile(no1, "ACCRUE")
    actual = unbilled(no1, line)
    reversal = reversed_on(actual, DAY)
    _, (posted,) = add_and_post(no1)

    assert (posted.posted, posted.in_error) == (2, 0)
    assert entries_of(reversal) == [(WIP_SALES, 0, 1600), (ACCRUED, 1600, 0)]
    assert voucher_of(reversal).reverses == voucher_of(actual)
    assert voucher_of(reversal).position > voucher_of(actual).position


def test_a_reversal_waits_for_an_original_in_another_journal(no1, line):
    """JRN-7: in error, with a sentence, until the original is posted."""
    actual = cost(no1, line)
    add_all(no1)
    reversal = reversed_on(actual, APRIL_10)
    add_all(no1, APRIL_10)
    march, april = IntegrationJournal.objects.order_by("period")

    refused = post_journal(april, by=None, on=APRIL_10)
    assert (refused.posted, refused.in_error, refused.remainder) == (0, 1, april)
    assert reversal.journal_line.error == Reason("ORIGINAL-IN-JOURNAL", journal=march.number)

    post_journal(march, by=None, on=APRIL_10)
    back_to_draft(april, by=None)
    assert post_journal(april, by=None, on=APRIL_10).posted == 1
    assert entries_of(reversal) == [(COST, 0, 800), (PAYROLL, 800, 0)]


def test_journals_are_posted_in_the_order_that_reversals_need(no1, line):
    """JRN-7: the original's journal first, even if it was created later."""
    cost(no1, line, date=APRIL_10)
    add_all(no1)  # the journal of April
    actual = cost(no1, line)
    reversed_on(actual, APRIL_10)
    _, posted = add_and_post(no1, APRIL_10)

    assert [(p.journal.period, p.posted, p.in_error) for p in posted] == [
        ("2025-03", 1, 0),
        ("2025-04", 2, 0),
    ]


def test_a_reversal_gets_the_error_of_its_original(no1, line):
    """JRN-4, JRN-7"""
    no1.entity.profile_assignments.all().delete()
    reversal = reversed_on(cost(no1, line), DAY)
    add_and_post(no1)

    assert reversal.journal_line.error == Reason("ORIGINAL-NOT-POSTED")
