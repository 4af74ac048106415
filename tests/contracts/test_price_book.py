"""A whole price book: its reasoning, and pricing many entries at once."""

import datetime
from decimal import Decimal

import pytest

from contracts.pricing import PriceBook
from tests import factories
from tests.contracts.prices import (
    DAY,
    company_without_prices,
    cost_row,
    day,
    hour,
    override,
    sales,
    sales_row,
)
from tests.factories import (
    PriceMarkupFactory,
    RoleFactory,
)


@pytest.fixture
def it(db):
    return company_without_prices()


def test_the_reasoning_names_the_chosen_and_the_skipped_prices(it):
    """ACT-2, PRC-2"""
    other = RoleFactory(entity=it.entity, name="Architect")
    row = sales_row(it, 200, role=it.role)
    sales_row(it, 150)
    sales_row(it, 1300, role=other)
    override(row, 210, day(2, 1))
    override(row, 220, day(4, 1))
    PriceMarkupFactory(price_list=it.sales_list, category=it.time, percent=Decimal(50), name="Overtime")

    assert sales(it, hour(it)).reasoning.splitlines() == [
        "Price list “Sales” — chosen",
        "Consultant · any company · any unit: 200 — chosen",
        "any role · any company · any unit: 150 — not used: less specific",
        "Architect · any company · any unit: 1,300 — not used: another role",
        "Override from 1 Feb 2025: 210 — chosen, in place of 200",
        "Override from 1 Apr 2025: 220 — not used: not yet",
        "Markup Overtime 50 % — added",
        "210 + 50 % = 315",
    ]


def test_the_reasoning_stays_short_on_a_long_list(it):
    """ACT-2"""
    for _ in range(40):
        sales_row(it, 100, role=RoleFactory(entity=it.entity))
    sales_row(it, 200, role=it.role)

    lines = sales(it, hour(it)).reasoning.splitlines()

    assert len(lines) == 9
    assert lines[1] == "Consultant · any company · any unit: 200 — chosen"
    assert lines[-1] == "34 more rows — not used"


def test_equal_work_gets_the_same_price_decision(it):
    """PRC-5: one price decision can be kept for many actuals; and not for work between two prices."""
    row = sales_row(it, 200)
    override(row, 250, day(6, 1))
    book = PriceBook.load(it.entity, [it.contract])

    march = book.sales(hour(it), it.contract)

    assert book.sales(hour(it, date=day(5, 31)), it.contract) is march
    assert book.sales(hour(it, quantity=Decimal(3)), it.contract) is march
    june = book.sales(hour(it, date=day(6, 1)), it.contract)
    assert (march.price, june.price) == (200, 250)
    assert book.cost(hour(it)) is book.cost(hour(it, date=day(5, 31)))


def test_a_change_of_another_price_keeps_the_price_decision(it):
    """PRC-5"""
    override(sales_row(it, 300), 310, day(6, 1))
    cost_row(it, 100)
    book = PriceBook.load(it.entity, [it.contract])

    assert book.cost(hour(it)) is book.cost(hour(it, date=day(6, 1)))


def test_one_book_prices_the_days_around_the_ends_of_its_lists(it):
    """PRC-1"""
    it.sales_list.valid_from, it.sales_list.valid_to = day(3, 1), day(3, 31)
    it.sales_list.save()
    sales_row(it, 200)
    book = PriceBook.load(it.entity, [it.contract])

    found = [
        book.sales(hour(it, date=date), it.contract).price
        for date in (day(2, 28), day(3, 1), day(3, 31), day(4, 1))
    ]
    assert found == [0, 200, 200, 0]


def test_a_book_is_read_in_as_many_queries_for_one_contract_as_for_ten(it, django_assert_num_queries):
    """Twelve thousand entries are priced at once."""
    contracts = [it.contract, *(factories.contract(it) for _ in range(9))]
    for number in range(20):
        role = RoleFactory(entity=it.entity)
        override(sales_row(it, 100 + number, role=role), 200, day(1, 1))

    with django_assert_num_queries(12):
        book = PriceBook.load(it.entity, contracts)
    with django_assert_num_queries(0):
        for contract in contracts:
            for n in range(1200):
                book.sales(hour(it, date=DAY + datetime.timedelta(days=n % 300)), contract)
                book.cost(hour(it, date=DAY + datetime.timedelta(days=n % 300)))


def test_changing_a_list_changes_no_earlier_price_decision(it):
    """PRC-5"""
    row = sales_row(it, 200)
    book = PriceBook.load(it.entity, [it.contract])
    given = book.sales(hour(it), it.contract)
    row.price = Decimal(300)
    row.save()

    assert given.price == 200
    assert sales(it, hour(it)).price == 300
