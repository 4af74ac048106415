"""Sales prices and costs of expenses, material and fees."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.pricing import PriceBook, Work
from invoicing_site.floor.errors import Refused
from tests import factories
from tests.contracts.prices import DAY, company_without_prices, cost, expense, sales
from tests.factories import (
    CategoryPriceFactory,
    ExchangeRateFactory,
    PriceListFactory,
    PriceMarkupFactory,
    ProductPriceFactory,
)


@pytest.fixture
def it(db):
    return company_without_prices()


# Expenses: PRC-3


def test_an_expense_per_unit(it):
    """PRC-3"""
    row = CategoryPriceFactory(
        price_list=it.sales_list, category=it.travel, unit="km", method="unit", price=Decimal("4.25")
    )

    priced = sales(it, expense(it, unit="km", quantity=Decimal(120)))

    assert (priced.price, priced.category_price, priced.at_cost, priced.amount) == (
        Decimal("4.25"),
        row,
        False,
        None,
    )


def test_an_expense_at_cost_starts_from_the_cost_net_of_deductible_tax(it):
    """PRC-3, APP-8: 80 net, 20 tax of which 15 can be deducted, is a cost and a price of 85."""
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)
    dinner = expense(it, cost_net=Decimal(80), cost_tax_not_deducted=Decimal(5))

    priced = sales(it, dinner)

    assert (priced.price, priced.amount, priced.at_cost, priced.is_missing) == (85, 85, True, False)
    assert (cost(it, dinner).amount, cost(it, dinner).currency) == (85, "NOK")


def test_an_expense_at_cost_of_several_units_has_the_whole_amount_and_a_unit_price(it):
    """PRC-3: 100.00 for 3 nights is 33.333333 each, and 100.00 all the same."""
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)

    priced = sales(it, expense(it, quantity=Decimal(3)))

    assert (priced.price, priced.amount) == (Decimal("33.333333"), Decimal("100.00"))


def test_an_expense_with_a_markup_over_cost(it):
    """PRC-3: 99.99 + 12.5 % = 112.48875."""
    CategoryPriceFactory(
        price_list=it.sales_list, category=it.travel, method="markup", markup=Decimal("12.5")
    )

    priced = sales(it, expense(it, cost_net=Decimal("99.99")))

    assert (priced.amount, priced.price, priced.at_cost) == (Decimal("112.49"), Decimal("112.49"), True)
    assert (priced.base_price, priced.markup) == (Decimal("99.99"), Decimal("12.5"))


def test_a_categorys_markup_is_added_to_the_markup_over_cost(it):
    """PRC-4: 100 + 20 % + 5 %."""
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel, method="markup", markup=Decimal(20))
    PriceMarkupFactory(price_list=it.sales_list, category=it.travel, percent=Decimal(5))

    assert (sales(it, expense(it)).amount, sales(it, expense(it)).markup) == (125, 25)


def test_one_book_prices_expenses_by_their_cost(it):
    """PRC-3: by amount, tax, quantity, currency and the day of the rate."""
    ExchangeRateFactory(entity=it.entity, rate=Decimal("11.60"))
    ExchangeRateFactory(entity=it.entity, rate=Decimal("11.70"), valid_from=datetime.date(2025, 3, 11))
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)
    book = PriceBook.load(it.entity, [it.contract])

    def found(**fields):
        priced = book.sales(expense(it, **fields), it.contract)
        return priced.amount, priced.price

    assert found() == (100, 100)
    assert found(cost_net=Decimal(90)) == (90, 90)
    assert found(cost_tax_not_deducted=Decimal(8)) == (108, 108)
    assert found(quantity=Decimal(4)) == (100, 25)
    assert found(cost_currency="EUR") == (1160, 1160)
    assert found(cost_currency="EUR", date=datetime.date(2025, 3, 11)) == (1170, 1170)
    assert book.cost(expense(it, cost_net=Decimal(90))).amount == 90


def test_an_expense_in_another_currency_is_billed_in_the_contracts(it):
    """PRC-3, MON-5: EUR 100 at 11.60 is NOK 1,160; a EUR contract bills NOK 1,160 as EUR 100."""
    ExchangeRateFactory(entity=it.entity, rate=Decimal("11.60"))
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)
    abroad = expense(it, cost_currency="EUR")

    priced = sales(it, abroad)
    assert (priced.amount, priced.currency) == (Decimal("1160.00"), "NOK")
    assert (cost(it, abroad).amount, cost(it, abroad).currency) == (100, "EUR")
    assert "100 EUR at 11.6 (official rate of 10 Mar 2025)" in priced.reasoning

    in_euro = PriceListFactory(entity=it.entity, currency="EUR")
    CategoryPriceFactory(price_list=in_euro, category=it.travel)
    contract = factories.contract(it, currency="EUR", price_lists=[in_euro])
    assert sales(it, expense(it, cost_net=Decimal(1160)), contract).amount == Decimal("100.00")
    assert sales(it, abroad, contract).amount == Decimal("100.00")


def test_an_old_rate_is_a_warning_and_prices_all_the_same(it):
    """FX-OLD: 36 days before the work of 10 March; the warning is shown before approval and after"""
    rate = ExchangeRateFactory(entity=it.entity, rate=Decimal("11.60"), valid_from=datetime.date(2025, 2, 2))
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)

    priced = sales(it, expense(it, cost_currency="EUR"))
    assert (priced.amount, priced.is_missing) == (Decimal("1160.00"), False)
    assert "rate for EUR is from 2 Feb 2025 and is used on 10 Mar 2025, 36 days later" in priced.warning

    rate.valid_from = datetime.date(2025, 2, 3)
    rate.save()
    assert sales(it, expense(it, cost_currency="EUR")).warning == ""


def test_an_agreed_rate_converts_costs_too(it):
    """PST-5: NOK 1,100 at the agreed 11.00 is EUR 100; the official rate does not matter."""
    in_euro = PriceListFactory(entity=it.entity, currency="EUR")
    CategoryPriceFactory(price_list=in_euro, category=it.travel)
    contract = factories.contract(
        it, currency="EUR", price_lists=[in_euro], fixed_exchange_rate=Decimal("11.00")
    )

    assert sales(it, expense(it, cost_net=Decimal(1100)), contract).amount == Decimal("100.00")


def test_a_missing_rate_stops_the_pricing(it):
    """MON-8"""
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)

    with pytest.raises(Refused, match="no official exchange rate for EUR on 10 Mar 2025"):
        sales(it, expense(it, cost_currency="EUR"))


def test_an_expense_in_another_unit_has_no_price(it):
    """PRC-3"""
    CategoryPriceFactory(
        price_list=it.sales_list, category=it.travel, unit="km", method="unit", price=Decimal(4)
    )

    priced = sales(it, expense(it, unit="mile"))

    assert (priced.price, priced.is_missing) == (0, True)
    assert priced.warning == "Price list “Sales” has no price for Travel by mile: the price is 0."
    assert "The row by km — not used: another unit" in priced.reasoning


def test_mileage_without_a_receipt_has_the_cost_of_the_cost_list(it):
    """PRC-3: 100 km at 3.50, billed with 20 % on top."""
    CategoryPriceFactory(
        price_list=it.cost_list, category=it.travel, unit="km", method="unit", price=Decimal("3.50")
    )
    CategoryPriceFactory(
        price_list=it.sales_list, category=it.travel, unit="km", method="markup", markup=Decimal(20)
    )
    drive = expense(it, unit="km", quantity=Decimal(100), cost_net=None)

    assert (cost(it, drive).price, cost(it, drive).amount) == (Decimal("3.50"), None)
    priced = sales(it, drive)
    assert (priced.amount, priced.price) == (Decimal("420.00"), Decimal("4.20"))


def test_an_expense_at_cost_without_a_cost_has_no_price(it):
    """PRC-3, PRC-6"""
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)

    priced = sales(it, expense(it, cost_net=None))

    assert (priced.price, priced.is_missing, priced.at_cost) == (0, True, True)
    assert "has no cost, so the price is 0" in priced.warning


# Material and fees: PRC-3


def test_material_is_priced_by_product_and_unit(it):
    """PRC-3"""
    ProductPriceFactory(price_list=it.sales_list, product=it.product, unit="box", price=Decimal(700))
    work = Work(transaction_class="material", date=DAY, product_id=it.product.pk, unit="each")

    assert (sales(it, work).price, cost(it, work).price) == (80, 50)
    assert sales(it, work).product_price.price == 80
    assert sales(it, replace(work, unit="box")).price == 700
    priced = cost(it, replace(work, unit="box"))
    assert (priced.price, priced.is_missing) == (0, True)
    assert priced.warning == "Price list “Costs” has no price for Cable by box: the cost is 0."


def test_material_with_a_cost_has_that_cost(it):
    """PRC-3"""
    work = Work(
        transaction_class="material",
        date=DAY,
        product_id=it.product.pk,
        unit="each",
        quantity=Decimal(4),
        cost_net=Decimal(210),
    )

    assert (cost(it, work).amount, cost(it, work).price) == (210, Decimal("52.50"))
    assert sales(it, work).price == 80


def test_a_fee_is_sold_at_the_price_agreed_on_the_entry(it):
    """PRC-3"""
    work = Work(transaction_class="fee", date=DAY, category_id=it.fee.pk, unit="each")
    agreed = replace(work, sales_price=Decimal(5000))

    assert sales(it, work).is_missing
    assert (sales(it, agreed).price, sales(it, agreed).is_missing) == (5000, False)
    CategoryPriceFactory(price_list=it.sales_list, category=it.fee, method="unit", price=Decimal(4000))
    assert (sales(it, work).price, sales(it, agreed).price) == (4000, 5000)


def test_a_fee_has_no_cost_by_default(it):
    work = Work(transaction_class="fee", date=DAY, category_id=it.fee.pk, unit="each")

    assert (cost(it, work).price, cost(it, work).is_missing, cost(it, work).warning) == (0, False, "")
    assert cost(it, replace(work, cost_net=Decimal(30))).amount == 30


def test_a_fee_at_cost_without_a_cost_has_no_price(it):
    """PRC-6"""
    CategoryPriceFactory(price_list=it.sales_list, category=it.fee)
    work = Work(transaction_class="fee", date=DAY, category_id=it.fee.pk, unit="each")

    assert sales(it, work).is_missing


def test_markups_of_a_category_raise_expenses_and_those_of_a_role_do_not(it):
    """PRC-4"""
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)
    PriceMarkupFactory(price_list=it.sales_list, category=it.travel, percent=Decimal(5))
    PriceMarkupFactory(price_list=it.sales_list, role=it.role, percent=Decimal(50))

    priced = sales(it, expense(it, role_id=it.role.pk))

    assert (priced.amount, priced.markup) == (105, 5)
