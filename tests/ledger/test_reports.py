"""The reports of the books: trial balance, control accounts, ledger cards, statements, aging."""

import datetime
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from contracts.models import Customer
from ledger.books import operations
from ledger.models import AccountBalance, CustomerTransaction, ProfileAssignment, Settlement
from ledger.reports import (
    aging,
    control_accounts,
    customer_statement,
    ledger_card,
    project_figures,
    project_statement,
    trial_balance,
)
from tests import factories
from tests.journeys.steps import approved, confirmed, drafted, invoiced, journalled
from tests.ledger.voucher_samples import balanced, entry, general, post

pytestmark = pytest.mark.django_db

MARCH = {"start": date(2025, 3, 1), "end": date(2025, 3, 31)}


@pytest.fixture
def no1():
    return factories.company(cost_price=100, sales_price=200)


def queries(call):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        call()
    return len(captured)


def dr_cr(no1, day, debit, credit, amount):
    post(no1, general(no1, entry(no1, debit, debit=amount), entry(no1, credit, credit=amount), day=day))


# Trial balance and ledger card


@pytest.fixture
def three_vouchers(no1):
    dr_cr(no1, date(2024, 12, 31), "1920", "3000", "1000")
    dr_cr(no1, date(2025, 2, 28), "1920", "3000", "200.10")
    dr_cr(no1, date(2025, 3, 31), "4300", "1920", "50.05")


def test_a_trial_balance_has_opening_movement_and_closing(no1, three_vouchers):
    """PST-6: revenue of 2024 is the result of earlier years, and the sum of all balances is 0."""
    other = factories.company(code="NO2")
    post(other, balanced(other, amount="7", day=date(2025, 3, 10)))
    found = trial_balance(no1.entity, **MARCH)
    assert [(row.account.number, row.opening, row.debit, row.credit, row.closing) for row in found.rows] == [
        ("1920", Decimal("1200.10"), 0, Decimal("50.05"), Decimal("1150.05")),
        ("3000", Decimal("-200.10"), 0, 0, Decimal("-200.10")),
        ("4300", 0, Decimal("50.05"), 0, Decimal("50.05")),
    ]
    assert found.earlier_result == -1000
    assert (found.opening, found.debit, found.credit, found.closing) == (
        0,
        Decimal("50.05"),
        Decimal("50.05"),
        0,
    )
    assert found.balances


def test_revenue_begins_at_zero_with_its_year(no1, three_vouchers):
    """PST-6: the first day of the year is included, the last day of the year before is not."""
    year = trial_balance(no1.entity, start=date(2025, 1, 1), end=date(2025, 12, 31))
    assert [(row.account.number, row.opening, row.closing) for row in year.rows] == [
        ("1920", 1000, Decimal("1150.05")),
        ("3000", 0, Decimal("-200.10")),
        ("4300", 0, Decimal("50.05")),
    ]
    before = trial_balance(no1.entity, start=date(2024, 12, 1), end=date(2024, 12, 31))
    assert [(row.account.number, row.opening, row.closing) for row in before.rows] == [
        ("1920", 0, 1000),
        ("3000", 0, -1000),
    ]
    assert before.earlier_result == 0


def test_a_trial_balance_shows_that_the_books_do_not_balance(no1, three_vouchers):
    """PST-6: it reads stored balances, and one of these was changed without an operation."""
    AccountBalance.objects.filter(account__number="1920", period__starts=date(2025, 3, 1)).update(
        debit=Decimal("0.01")
    )
    assert not trial_balance(no1.entity, **MARCH).balances


def test_a_trial_balance_takes_as_many_queries_for_many_rows(no1):
    """PST-6"""
    post(no1, *[balanced(no1, day=date(2025, 3, 10)) for _ in range(3)])
    few = queries(lambda: trial_balance(no1.entity, **MARCH))
    post(no1, *[balanced(no1, day=date(2025, 3, 10)) for _ in range(57)])
    assert queries(lambda: trial_balance(no1.entity, **MARCH)) == few == 8
    assert trial_balance(no1.entity, **MARCH).debit == 6000


def test_a_ledger_card_starts_with_its_opening_balance(no1, three_vouchers):
    """PST-6: the running balance is that of the whole period, on any page."""
    dr_cr(no1, date(2025, 3, 5), "1920", "3000", "0.10")
    dr_cr(no1, date(2025, 3, 5), "1920", "3000", "0.20")
    card = ledger_card(no1.books.accounts["1920"], **MARCH)
    assert (card.opening, card.debit, card.credit, card.closing) == (
        Decimal("1200.10"),
        Decimal("0.30"),
        Decimal("50.05"),
        Decimal("1150.35"),
    )
    rows = [(row.voucher.date, row.running) for row in card.entries]
    assert rows == [
        (date(2025, 3, 5), Decimal("1200.20")),
        (date(2025, 3, 5), Decimal("1200.40")),
        (date(2025, 3, 31), Decimal("1150.35")),
    ]
    assert all(isinstance(running, Decimal) for _, running in rows)
    assert [row.running for row in card.entries[1:3]] == [Decimal("1200.40"), Decimal("1150.35")]
    assert card.entries.count() == 3


def test_a_ledger_card_is_read_period_by_period(no1):
    """PST-6: a page may begin in one period and end in another, and dates may cut off both."""
    for n, day in enumerate(("02-19", "02-20", "03-10", "03-10", "04-01", "04-02", "04-03")):
        post(no1, balanced(no1, str(10**n), day=date.fromisoformat(f"2025-{day}")))
    card = ledger_card(no1.books.accounts["1920"], start=date(2025, 2, 20), end=date(2025, 4, 2))

    assert (card.opening, card.debit, card.credit, card.closing) == (1, 111110, 0, 111111)
    assert card.entries.count() == 5
    assert [row.running for row in card.entries] == [11, 111, 1111, 11111, 111111]
    assert [row.running for row in card.entries[2:4]] == [1111, 11111]
    assert [row.running for row in card.entries[0:2]] == [11, 111]
    assert card.entries[5:9] == []


def test_a_ledger_card_takes_as_many_queries_for_many_rows(no1):
    """PST-6: all entries are read by keys, which are one query more."""
    account = no1.books.accounts["1920"]
    post(no1, *[balanced(no1, "0.10", day=date(2025, 3, 10)) for _ in range(3)])
    few = queries(lambda: [str(row.voucher) for row in ledger_card(account, **MARCH).entries])
    post(no1, *[balanced(no1, "0.10", day=date(2025, 3, 10)) for _ in range(57)])
    assert queries(lambda: [str(row.voucher) for row in ledger_card(account, **MARCH).entries]) == few == 5
    assert list(ledger_card(account, **MARCH).entries)[-1].running == Decimal("6.00")


# Control accounts


def accrue(no1):
    ProfileAssignment.objects.filter(entity=no1.entity, project=None).update(
        profile=no1.books.profiles["ACCRUE"]
    )


def amounts(no1, on):
    return {row.control: (row.ledger, row.subledger) for row in control_accounts(no1.entity, on=on)}


def test_control_accounts_are_compared_with_their_subledgers_at_any_date(no1):
    """PST-6 PST-8: 8 h accrued at 200 on 10 March, invoiced with 25 % tax on 1 April."""
    accrue(no1)
    contract = confirmed(factories.contract(no1), no1)
    approved(no1, [factories.time_entry(no1, "8", date=date(2025, 3, 10))])
    journalled(no1)
    (proforma,) = drafted(no1, contract)
    invoiced(no1, proforma, on=date(2025, 4, 1))

    names = ("customer", "wip_sales", "wip_cost", "on_account", "disbursement")
    nothing = dict.fromkeys(names, (0, 0))
    assert amounts(no1, date(2025, 3, 9)) == nothing
    assert amounts(no1, date(2025, 3, 31)) == {**nothing, "wip_sales": (1600, 1600)}
    assert amounts(no1, date(2025, 4, 1)) == {**nothing, "customer": (2000, 2000)}

    found = control_accounts(no1.entity, on=date(2025, 4, 1))
    assert all(row.agrees and row.difference == 0 for row in found)
    assert [(one.account.number, one.balance) for row in found for one in row.accounts] == [
        ("1500", 2000),
        ("1530", 0),
        ("1440", 0),
        ("1540", 0),
        ("1570", 0),
    ]


def test_a_control_account_names_the_rows_that_differ(no1):
    """PST-6: entries on the customers' account: 100 without a customer, and 30 without a transaction."""
    post(
        no1,
        general(no1, entry(no1, "1500", debit=100), entry(no1, "3000", credit=100)),
        general(no1, entry(no1, "1500", debit=30, customer=no1.customer), entry(no1, "3000", credit=30)),
    )
    found, *_ = control_accounts(no1.entity, on=date(2025, 3, 31))
    assert (found.control, found.label) == ("customer", "customer subledger")
    assert (found.ledger, found.subledger, found.difference) == (130, 0, 130)
    assert not found.agrees
    assert [(who, row.ledger, row.subledger) for who, row in found.differing] == [
        (no1.customer, 30, 0),
        (None, 100, 0),
    ]


def test_control_accounts_take_as_many_queries_for_many_rows(no1):
    """PST-6"""
    owes(no1, "100", date(2025, 3, 1))
    few = queries(lambda: control_accounts(no1.entity, on=date(2025, 3, 31)))
    for _ in range(20):
        owes(no1, "100", date(2025, 3, 1), customer=factories.customer(no1))
    assert queries(lambda: control_accounts(no1.entity, on=date(2025, 3, 31))) == few == 5


# Customers


def owes(no1, amount, day, *, days=30, currency="NOK", kind="invoice", number="", customer=None, rate=1):
    """A transaction of the customer subledger with its voucher; a payment is negative and has no due date."""
    customer = customer or no1.customer
    amount = Decimal(amount)
    own = amount * rate
    row = CustomerTransaction(
        customer=customer,
        kind=kind,
        document_number=number,
        date=day,
        due_date=None if days is None else day + datetime.timedelta(days=days),
        amount=amount,
        currency=currency,
        rate=rate,
        accounting_amount=own,
    )
    sides = (("debit", "credit"), ("credit", "debit"))[amount < 0]
    common = {"currency": currency, "rate": Decimal(rate), "accounting_debit": 0, "accounting_credit": 0}
    entries = [
        entry(no1, "1500", customer=customer, **{sides[0]: abs(amount)}, **common),
        entry(no1, "1920", **{sides[1]: abs(amount)}, **common),
    ]
    setattr(entries[0], f"accounting_{sides[0]}", abs(own))
    setattr(entries[1], f"accounting_{sides[1]}", abs(own))
    post(no1, general(no1, *entries, day=day, customer_transactions=[row]))
    return row


def settle(debit, credit, amount, day, *, books=None, **fields):
    """Settle this amount.

    In accounting currency the same, unless `books` has the amounts of debit and credit.
    """
    of_debit, of_credit = books or (amount, amount)
    settlement = Settlement(
        debit=debit,
        credit=credit,
        date=day,
        amount=Decimal(amount),
        debit_accounting_amount=Decimal(of_debit),
        credit_accounting_amount=Decimal(of_credit),
        **fields,
    )
    with transaction.atomic():
        operations.settle([settlement])
    return settlement


@pytest.fixture
def account(no1):
    """1,000 due on 14 February, of which 600 was paid on 20 March; 500.50 of 10 March; and EUR 250."""
    first = owes(no1, "1000", date(2025, 1, 15), number="INV-1")
    owes(no1, "500.50", date(2025, 3, 10), number="INV-2")
    owes(no1, "250", date(2025, 3, 12), number="INV-3", currency="EUR", rate=11)
    paid = owes(no1, "-600", date(2025, 3, 20), kind="payment", days=None)
    settle(first, paid, "600", date(2025, 3, 20))
    return first, paid


def as_dict(statement):
    return {
        part.currency: (
            part.opening,
            [(row.document, row.amount, row.settled, row.open, row.balance) for row in part.rows],
            part.closing,
        )
        for part in statement.currencies
    }


def test_a_statement_has_a_balance_in_each_currency(no1, account):
    """PST-8"""
    statement = customer_statement(no1.customer, **MARCH)
    assert as_dict(statement) == {
        "EUR": (0, [("INV-3", 250, 0, 250, 250)], 250),
        "NOK": (
            1000,
            [
                ("INV-2", Decimal("500.50"), 0, Decimal("500.50"), Decimal("1500.50")),
                ("payment", -600, -600, 0, Decimal("900.50")),
            ],
            Decimal("900.50"),
        ),
    }
    second = statement.currencies[1].rows[0]
    assert (second.date, second.due_date) == (date(2025, 3, 10), date(2025, 4, 9))


def test_settlements_count_from_their_own_date(no1, account):
    """PST-8"""
    start = date(2025, 1, 1)
    (before,) = customer_statement(no1.customer, start=start, end=date(2025, 3, 1)).currencies
    assert [(row.settled, row.open) for row in before.rows] == [(0, 1000)]
    after = customer_statement(no1.customer, start=start, end=date(2025, 3, 20)).currencies[1]
    assert [(row.settled, row.open) for row in after.rows] == [
        (600, 400),
        (0, Decimal("500.50")),
        (-600, 0),
    ]
    assert sum(row.open for row in after.rows) == after.closing


def test_a_settlement_that_was_undone_has_no_effect(no1, account):
    """PST-8"""
    first, paid = account
    settle(first, paid, "-600", date(2025, 3, 25), reverses=Settlement.objects.get())
    (_, crowns) = customer_statement(no1.customer, start=date(2025, 1, 1), end=date(2025, 3, 31)).currencies
    assert [row.open for row in crowns.rows] == [1000, Decimal("500.50"), -600]


def test_an_empty_statement_has_no_currency(no1):
    """PST-8"""
    assert customer_statement(no1.customer, **MARCH).currencies == ()


def columns(row):
    return (row.currency, row.not_due, row.days_1_30, row.days_31_60, row.days_61_90, row.over_90, row.total)


def of_company(no1):
    return Customer.objects.filter(entity=no1.entity)


def test_open_amounts_age_from_their_due_date(no1, account):
    """PST-8: 400 of the amount due on 14 February are 45 days late on 31 March."""
    found = aging(of_company(no1), on=date(2025, 3, 31))
    assert [columns(row) for row in found] == [
        ("EUR", 250, 0, 0, 0, 0, 250),
        ("NOK", Decimal("500.50"), 0, 400, 0, 0, Decimal("900.50")),
    ]
    assert [row.overdue for row in found] == [0, 400]
    assert {row.customer for row in found} == {no1.customer}


@pytest.mark.parametrize(
    ("on", "column"),
    [
        (date(2025, 2, 14), "not_due"),
        (date(2025, 2, 15), "days_1_30"),
        (date(2025, 3, 16), "days_1_30"),
        (date(2025, 3, 17), "days_31_60"),
        (date(2025, 4, 15), "days_31_60"),
        (date(2025, 4, 16), "days_61_90"),
        (date(2025, 5, 15), "days_61_90"),
        (date(2025, 5, 16), "over_90"),
    ],
)
def test_the_first_day_of_each_column_of_the_aging(no1, on, column):
    """PST-8: due on 14 February."""
    owes(no1, "1000", date(2025, 1, 15))
    (row,) = aging(of_company(no1), on=on)
    assert getattr(row, column) == row.total == 1000


def test_a_payment_that_settles_nothing_ages_from_its_own_date(no1):
    """PST-8: customers without open amounts are left out, and customers that were not selected."""
    owes(no1, "-100", date(2025, 3, 1), kind="payment", days=None)
    quits = factories.customer(no1)
    settle(
        owes(no1, "70", date(2025, 3, 1), customer=quits),
        owes(no1, "-70", date(2025, 3, 2), customer=quits, kind="payment", days=None),
        "70",
        date(2025, 3, 2),
    )
    (row,) = aging(of_company(no1), on=date(2025, 3, 31))
    assert columns(row) == ("NOK", 0, -100, 0, 0, 0, -100)
    assert aging(of_company(no1).filter(pk=quits.pk), on=date(2025, 3, 31)) == []


def test_statements_and_aging_take_as_many_queries_for_many_rows(no1, account):
    """PST-8"""
    day = date(2025, 3, 31)
    few = queries(lambda: customer_statement(no1.customer, **MARCH))
    few_aged = queries(lambda: aging(of_company(no1), on=day))
    for n in range(56):
        owes(no1, "1", date(2025, 3, 5), customer=no1.customer if n % 2 else factories.customer(no1))
    assert queries(lambda: customer_statement(no1.customer, **MARCH)) == few == 5
    assert queries(lambda: aging(of_company(no1), on=day)) == few_aged == 4
    assert len(aging(of_company(no1), on=day)) == 30


# Projects


def figures(row):
    return (row.hours, row.cost, row.accrued, row.revenue, row.on_account, row.earned, row.margin)


def test_a_project_earns_accrued_and_then_invoiced_amounts(no1):
    """PST-8: 8 h at cost 100 and price 200 and an expense of 150 at cost in March, invoiced in April."""
    accrue(no1)
    contract = confirmed(factories.contract(no1), no1)
    approved(
        no1,
        [
            factories.time_entry(no1, "8", date=date(2025, 3, 10)),
            factories.expense_entry(no1, "150", date=date(2025, 3, 11)),
        ],
    )
    journalled(no1)
    (proforma,) = drafted(no1, contract)
    invoiced(no1, proforma, on=date(2025, 4, 1))

    march = project_statement(no1.project, **MARCH)
    assert [(row.transaction_class, *figures(row)) for row in march.classes] == [
        ("time", 8, 800, 1600, 0, 0, 1600, 800),
        ("expense", 0, 150, 150, 0, 0, 150, 0),
        ("material", 0, 0, 0, 0, 0, 0, 0),
        ("fee", 0, 0, 0, 0, 0, 0, 0),
        ("milestone", 0, 0, 0, 0, 0, 0, 0),
    ]
    assert figures(march.total) == (8, 950, 1750, 0, 0, 1750, 800)
    assert (march.opening.sales, march.closing.sales, march.currency) == (0, 1750, "NOK")

    april = project_statement(no1.project, start=date(2025, 4, 1), end=date(2025, 4, 30))
    assert figures(april.total) == (0, 0, -1750, 1750, 0, 0, 0)
    assert figures(april.before) == (8, 950, 1750, 0, 0, 1750, 800)
    assert figures(april.to_date) == (8, 950, 0, 1750, 0, 1750, 800)
    assert (april.opening.sales, april.closing.sales) == (1750, 0)

    quarter = project_statement(no1.project, start=date(2025, 2, 15), end=date(2025, 4, 30))
    assert [(m.month, m.cost, m.revenue) for m in quarter.months] == [
        (date(2025, 2, 1), 0, 0),
        (date(2025, 3, 1), 950, 1750),
        (date(2025, 4, 1), 0, 0),
    ]


def test_an_amount_on_account_is_in_the_balance_sheet(no1):
    """PST-8: a milestone of 4,000 is on account and no revenue yet; its hours cost 800."""
    lines = [
        {
            "contract_amount": Decimal(4000),
            "milestones": [{"amount": Decimal(4000), "date": date(2025, 3, 20)}],
        }
    ]
    contract = confirmed(factories.contract(no1, method="fixed", lines=lines), no1)
    approved(no1, [factories.time_entry(no1, "8", date=date(2025, 3, 10))])
    journalled(no1)
    (proforma,) = drafted(no1, contract)
    invoiced(no1, proforma, on=date(2025, 4, 1))
    found = project_statement(no1.project, start=date(2025, 3, 1), end=date(2025, 4, 30))
    assert figures(found.total) == (8, 800, 0, 0, 4000, 0, -800)
    assert figures(found.classes[4]) == (0, 0, 0, 0, 4000, 0, 0)
    # CON-8: 4,000 are billed, (4,000 − 800) / 4,000 is 80 %.
    assert (found.total.billed, found.total.gross_margin) == (4000, 3200)
    assert (found.total.gross_margin_percent, found.before.gross_margin_percent) == (80, None)
    listed = project_figures([no1.project])[no1.project.pk]
    assert (listed.revenue, listed.on_account, listed.gross_margin) == (0, 4000, 3200)
    assert (found.closing.sales, found.closing.cost, found.closing.on_account) == (0, 0, 4000)


def test_cost_in_the_balance_sheet_is_work_in_progress(no1):
    """PST-8 JRN-5"""
    ProfileAssignment.objects.filter(entity=no1.entity, project=None).update(
        profile=no1.books.profiles["BALANCE"]
    )
    confirmed(factories.contract(no1), no1)
    approved(no1, [factories.time_entry(no1, "8", date=date(2025, 3, 10))])
    journalled(no1)
    found = project_statement(no1.project, **MARCH)
    assert (found.closing.cost, found.total.cost, found.total.unbilled, found.total.earned) == (
        800,
        800,
        1600,
        0,
    )


def test_a_project_statement_takes_as_many_queries_for_many_rows(no1):
    """PST-8"""
    confirmed(factories.contract(no1), no1)
    approved(no1, [factories.time_entry(no1, "1", date=date(2025, 3, 10)) for _ in range(3)])
    journalled(no1)
    few = queries(lambda: project_statement(no1.project, **MARCH))
    approved(no1, [factories.time_entry(no1, "1", date=date(2025, 3, 11)) for _ in range(57)])
    journalled(no1)
    assert queries(lambda: project_statement(no1.project, **MARCH)) == few == 1
    assert project_statement(no1.project, **MARCH).total.hours == 60
