"""Aged receivables: open amounts at the end of a day, and the control account; its page (PST-6 PST-8)."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import LegalEntity
from ledger.models import CustomerTransaction
from ledger.reports import aged_receivables, open_transactions
from ledger.reports.views import receivables
from tests import factories
from tests.ledger.test_reports import owes, settle
from tests.ledger.voucher_samples import entry, general, post

pytestmark = pytest.mark.django_db

MARCH_31 = date(2025, 3, 31)
APRIL_30 = date(2025, 4, 30)


@pytest.fixture(autouse=True)
def _the_twentieth_of_may(monkeypatch):
    """Every day is 20 May 2025."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: date(2025, 5, 20))


@pytest.fixture
def accountant(client, no1):
    """The client, signed in as the accountant."""
    client.force_login(no1.accountant)
    return client


@pytest.fixture
@factories.remembered
def spring(no1):
    """1,000 due 14 Feb, of which 600 are paid on 20 Mar and the rest on 15 Apr; and other open amounts.

    EUR 250 at 11, due 11 Apr; and 70.50 of another customer, dated 2 April and posted in March.
    """
    first = owes(no1, "1000", date(2025, 1, 15), number="INV-1")
    owes(no1, "250", date(2025, 3, 12), number="INV-2", currency="EUR", rate=11)
    for amount, day in (("600", date(2025, 3, 20)), ("400", date(2025, 4, 15))):
        paid = owes(no1, f"-{amount}", day, kind="payment", days=None)
        settle(first, paid, amount, day)
    other = factories.customer(no1, name="Other")
    row = CustomerTransaction(
        customer=other,
        kind="invoice",
        document_number="INV-3",
        date=date(2025, 4, 2),
        due_date=date(2025, 5, 2),
        amount=Decimal("70.50"),
        currency="NOK",
        rate=1,
        accounting_amount=Decimal("70.50"),
    )
    sides = entry(no1, "1500", debit="70.50", customer=other), entry(no1, "3000", credit="70.50")
    post(no1, general(no1, *sides, day=MARCH_31, customer_transactions=[row]))
    return other


def rows_of(found):
    return [
        (row.customer, row.currency, *row.own.columns, row.own.total, row.books.total) for row in found.rows
    ]


def test_open_amounts_of_a_past_day_are_those_of_that_day(no1, spring):
    """PST-8: on 31 March 400 are 45 days late; the payment of April does not exist yet."""
    found = aged_receivables(no1.entity, on=MARCH_31)

    assert rows_of(found) == [
        (no1.customer, "EUR", 250, 0, 0, 0, 0, 250, 2750),
        (no1.customer, "NOK", 0, 0, 400, 0, 0, 400, 400),
        (spring, "NOK", Decimal("70.50"), 0, 0, 0, 0, Decimal("70.50"), Decimal("70.50")),
    ]
    assert found.books.columns == (Decimal("2820.50"), 0, 400, 0, 0)
    assert [(each.account.number, each.balance) for each in found.accounts] == [("1500", Decimal("3220.50"))]
    assert (found.ledger, found.difference) == (Decimal("3220.50"), 0)


def test_the_result_depends_on_the_day(no1, spring):
    """PST-8: on 30 April the 1,000 are paid, and the euros 19 days late; on 30 January nothing was late."""
    assert rows_of(aged_receivables(no1.entity, on=APRIL_30)) == [
        (no1.customer, "EUR", 0, 250, 0, 0, 0, 250, 2750),
        (spring, "NOK", Decimal("70.50"), 0, 0, 0, 0, Decimal("70.50"), Decimal("70.50")),
    ]
    assert rows_of(aged_receivables(no1.entity, on=date(2025, 1, 30))) == [
        (no1.customer, "NOK", 1000, 0, 0, 0, 0, 1000, 1000)
    ]
    assert aged_receivables(no1.entity, on=date(2025, 1, 14)).rows == ()


def test_the_open_transactions_add_up_to_the_open_amounts(no1, spring):
    """PST-8"""
    rows = open_transactions([no1.customer.pk, spring.pk], on=MARCH_31)

    assert [
        (row.transaction.document_number, row.settled, row.open, row.accounting_open, row.days, row.age)
        for row in rows
    ] == [
        ("INV-1", 600, 400, 400, 45, "days_31_60"),
        ("INV-2", 0, 250, 2750, 0, "not_due"),
        ("INV-3", 0, Decimal("70.50"), Decimal("70.50"), 0, "not_due"),
    ]


def test_an_exchange_difference_is_not_an_open_item(no1):
    """PST-8 PST-6: EUR 100 at 11, paid at 11.50: a gain of 50 is on the account, and nothing is open."""
    debit = owes(no1, "100", date(2025, 1, 15), currency="EUR", rate=11)
    credit = owes(
        no1, "-100", date(2025, 2, 1), currency="EUR", rate=Decimal("11.50"), kind="payment", days=None
    )
    difference = CustomerTransaction(
        customer=no1.customer,
        kind="revaluation",
        date=date(2025, 2, 1),
        amount=0,
        currency="EUR",
        rate=Decimal("11.50"),
        accounting_amount=50,
    )
    euro = {"currency": "EUR", "rate": Decimal("11.50")}
    plan = general(
        no1,
        entry(no1, "1500", customer=no1.customer, **euro | {"accounting_debit": Decimal(50)}),
        entry(no1, "8060", **euro | {"accounting_credit": Decimal(50)}),
        day=date(2025, 2, 1),
        customer_transactions=[difference],
    )
    plan.kind = "settlement"
    (voucher,) = post(no1, plan)
    settlement = settle(debit, credit, "100", date(2025, 2, 1), voucher=voucher, books=("1100", "1150"))
    assert settlement.voucher == voucher

    found = aged_receivables(no1.entity, on=MARCH_31)
    assert (found.rows, found.ledger, found.difference) == ((), 0, 0)
    assert open_transactions([no1.customer.pk], on=MARCH_31) == []


def test_a_difference_to_the_control_account_is_shown(no1, accountant, spring):
    """PST-6: an entry of 30 by hand, without a transaction."""
    post(no1, general(no1, entry(no1, "1500", debit=30), entry(no1, "3000", credit=30), day=MARCH_31))

    assert aged_receivables(no1.entity, on=MARCH_31).difference == 30
    page = words(accountant, on="2025-03-31")
    assert "Differs" in page
    assert "3,250.50" in page
    assert f"{reverse('trial_balance')}?until=2025-03-31" in page


def words(client, **query):
    answer = client.get(reverse("aged_receivables"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_shows_each_currency_and_the_books(no1, accountant, spring):
    """PST-8: NOK 400 + 70.50, EUR 250, and 3,220.50 in total at the posted rates."""
    page = words(accountant, on="2025-03-31")

    for shown in ("Open in EUR", "Open in NOK", "All currencies in NOK", "470.50", "3,220.50", "Agrees"):
        assert shown in page
    assert "720.50" not in page.replace("2,720.50", "")  # never euros and kroner in one sum
    assert "Differs" not in page
    assert "open at the end of 20 May 2025" in words(accountant)
    assert "between 1 Jan 1990 and 31 Dec 2099" in words(accountant, on="9999-01-01")
    assert "No matching amount was owed" in words(accountant, on="2024-12-31")


def test_it_links_to_the_open_transactions(no1, accountant, spring):
    """PST-8"""
    assert f"customer={no1.customer.pk}" in words(accountant, on="2025-03-31")
    page = words(accountant, on="2025-03-31", customer=no1.customer.pk)
    assert "INV-1" in page
    assert "45 days" in page
    assert "INV-3" not in page
    whole = words(accountant, on="2025-03-31", view="transactions")
    assert all(number in whole for number in ("INV-1", "INV-2", "INV-3"))
    assert "booked 31 Mar 2025" in whole
    late = words(accountant, on="2025-03-31", view="transactions", age="overdue")
    assert "INV-1" in late
    assert "INV-2" not in late


def test_the_filter_does_not_change_the_control_account(no1, accountant, spring):
    """PST-6"""
    page = words(accountant, on="2025-03-31", q="other")
    assert spring.name in page
    assert no1.customer.name not in page
    assert "3,220.50" in page
    late = words(accountant, on="2025-03-31", age="days_31_60")
    assert no1.customer.name in late
    assert spring.name not in late


def lines(client, **query):
    sheet = client.get(reverse("aged_receivables"), query | {"_export": "csv"}).getvalue().decode()
    return [line.split(",") for line in sheet.lstrip("\ufeff").splitlines()]


def test_it_can_be_exported(no1, accountant, spring):
    """EXP-1"""
    rows = lines(accountant, on="2025-03-31")
    assert rows[0][:4] == ["Number", "Customer", "Currency", "Not due"]
    assert rows[1][2:4] == ["EUR", "250.00"]
    assert rows[1][-1] == "2750.00"
    assert [row[1] for row in rows[-3:]] == ["All customers", "1500 Customers", "Difference"]
    assert [row[-1] for row in rows[-3:]] == ["3220.50", "3220.50", "0.00"]
    opened = lines(accountant, on="2025-03-31", customer=spring.pk)
    assert opened[1][2:6] == ["INV-3", "invoice", "2025-04-02", "2025-03-31"]
    assert len(opened) == 2
    answer = accountant.get(reverse("aged_receivables"), {"_export": "xlsx"})
    assert answer.getvalue()[:2] == b"PK"


def test_a_statement_shows_open_amounts_at_its_end(no1, accountant, spring):
    """PST-8: of the 1,000 due in February 400 were open on 31 March, although they are paid by now."""
    address = no1.customer.get_absolute_url()
    page = accountant.get(address, {"since": "2025-01-01", "until": "2025-03-31"}).content.decode()
    assert "Open on 31 Mar 2025, by days past the due date" in page
    assert "400.00" in page
    page = accountant.get(address, {"since": "2025-01-01", "until": "2025-12-31"}).content.decode()
    assert "Open on 20 May 2025, by days past the due date" in page


def test_it_has_pages_of_customers_and_totals_of_all(no1, accountant, spring, monkeypatch):
    """PST-8"""
    monkeypatch.setattr(receivables, "_PER_PAGE", 1)
    first, second = words(accountant, on=MARCH_31), words(accountant, on=MARCH_31, page=2)

    assert ("1–1 of 2" in first, "2–2 of 2" in second) == (True, True)
    assert ("Other" in first, "Other" in second) == (False, True)
    # By hand: 400 of INV-1 and 250 × 11 of INV-2, and 70.50 of INV-3.
    assert "3,220.50" in first
    assert "3,220.50" in second


def test_it_takes_as_many_queries_for_many_rows(no1, accountant):
    """PST-8"""

    def more(n):
        for _ in range(n):
            row = owes(no1, "100", date(2025, 3, 1), customer=factories.customer(no1))
            paid = owes(no1, "-30", date(2025, 3, 2), customer=row.customer, kind="payment", days=None)
            settle(row, paid, "30", date(2025, 3, 2))

    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            words(accountant, **query)
        return len(captured)

    more(2)
    words(accountant)
    few = queries(), queries(view="transactions")
    more(10)
    assert (queries(), queries(view="transactions")) == few


def test_other_companies_are_not_included(no1, accountant):
    """SEC-1"""
    other = factories.company(code="NO2")
    owes(other, "777", date(2025, 3, 1))
    page = words(accountant, customer=other.customer.pk)
    assert "777" not in page
