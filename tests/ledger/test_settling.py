"""Settlements close transactions, so that reports read only what is open (PST-8)."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from contracts.models import Customer
from invoicing_site.verify import findings
from ledger.books.operations import rebuild_balances
from ledger.models import CustomerTransaction, Settlement
from ledger.reports import aging, open_transactions
from tests import factories
from tests.ledger.test_reports import owes, settle

pytestmark = pytest.mark.django_db

JANUARY_15, MARCH_20, MARCH_25, APRIL_15 = (
    date(2025, 1, 15),
    date(2025, 3, 20),
    date(2025, 3, 25),
    date(2025, 4, 15),
)


@pytest.fixture
def no1():
    return factories.company(cost_price=100, sales_price=200)


def closed(*rows):
    found = dict(CustomerTransaction.objects.values_list("pk", "closed_on"))
    return [found[row.pk] for row in rows]


def owed(no1, on):
    return sum((row.total for row in aging(Customer.objects.filter(pk=no1.customer.pk), on=on)), Decimal(0))


def test_a_transaction_is_closed_by_the_settlement_that_takes_the_rest(no1):
    """PST-8"""
    invoice, first = owes(no1, "1000", JANUARY_15), owes(no1, "-600", MARCH_20, kind="payment", days=None)
    settle(invoice, first, "600", MARCH_20)
    assert closed(invoice, first) == [None, MARCH_20]

    rest = owes(no1, "-400", APRIL_15, kind="payment", days=None)
    settle(invoice, rest, "400", APRIL_15)
    assert closed(invoice, first, rest) == [APRIL_15, MARCH_20, APRIL_15]
    assert [owed(no1, day) for day in (JANUARY_15, MARCH_20, date(2025, 4, 14), APRIL_15)] == [
        1000,
        400,
        400,
        0,
    ]
    assert [row.open for row in open_transactions([no1.customer.pk], on=MARCH_20)] == [400]


def test_a_transaction_is_closed_from_the_last_day_of_both_sides(no1):
    """PST-8: a payment that is dated later than its settlement counts from its own date."""
    invoice, paid = owes(no1, "100", JANUARY_15), owes(no1, "-100", APRIL_15, kind="payment", days=None)
    settle(invoice, paid, "100", MARCH_20)

    assert closed(invoice, paid) == [APRIL_15, APRIL_15]
    assert [owed(no1, day) for day in (MARCH_20, APRIL_15)] == [100, 0]


def test_a_settlement_that_is_reversed_reopens_both_sides(no1):
    """PST-8: and a day between the two reads as it was."""
    invoice, paid = owes(no1, "100", JANUARY_15), owes(no1, "-100", MARCH_20, kind="payment", days=None)
    settle(invoice, paid, "100", MARCH_20)
    settle(invoice, paid, "-100", APRIL_15, reverses=Settlement.objects.get())

    assert closed(invoice, paid) == [None, None]
    assert [len(open_transactions([no1.customer.pk], on=day)) for day in (MARCH_25, APRIL_15)] == [0, 2]
    assert findings(no1.entity) == []


def test_what_differs_in_the_books_stays_open(no1):
    """PST-8: the currency is settled, and 20 in accounting currency is left."""
    invoice = owes(no1, "100", JANUARY_15, currency="EUR", rate=11)
    paid = owes(no1, "-100", MARCH_20, currency="EUR", rate=12, kind="payment", days=None)
    settle(invoice, paid, "100", MARCH_20, books=("1100", "1180"))

    assert closed(invoice, paid) == [MARCH_20, None]


def test_closed_transactions_are_not_read(no1):
    """PST-8: the index of open ones is enough."""
    for _ in range(3):
        invoice, paid = owes(no1, "100", JANUARY_15), owes(no1, "-100", MARCH_20, kind="payment", days=None)
        settle(invoice, paid, "100", MARCH_20)

    assert CustomerTransaction.objects.open_on(MARCH_25).count() == 0
    assert CustomerTransaction.objects.open_on(date(2025, 3, 19)).count() == 6
    with CaptureQueriesContext(connection) as captured:
        assert owed(no1, MARCH_25) == 0
    assert all("closed_on" in query["sql"] for query in captured if "customertransaction" in query["sql"])


def test_a_wrong_closing_day_is_named_and_rebuilt(no1):
    """PST-7"""
    invoice, paid = owes(no1, "100", JANUARY_15), owes(no1, "-60", MARCH_20, kind="payment", days=None)
    settle(invoice, paid, "60", MARCH_20)
    CustomerTransaction.objects.filter(pk=invoice.pk).update(closed_on=MARCH_25)
    CustomerTransaction.objects.filter(pk=paid.pk).update(closed_on=None)

    assert [(found.code, found.where, found.sentence) for found in findings(no1.entity)] == [
        (
            "SETTLED",
            f"ledger.customertransaction:{invoice.pk}",
            f"{invoice} is stored as closed since 2025-03-25, but by its settlements it is open. The command "
            "rebuild_balances corrects it.",
        ),
        (
            "SETTLED",
            f"ledger.customertransaction:{paid.pk}",
            f"{paid} is stored as open, but by its settlements it is closed since 2025-03-20. The command "
            "rebuild_balances corrects it.",
        ),
    ]
    assert rebuild_balances(no1.entity) == 2
    assert findings(no1.entity) == []


def test_the_closing_day_is_all_that_changes(no1):
    """PST-3"""
    owes(no1, "100", JANUARY_15)
    with pytest.raises(Exception, match="rows are never changed"), transaction.atomic():
        CustomerTransaction.objects.update(amount=90)
