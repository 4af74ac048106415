"""Sales prices and costs of hours."""

from decimal import Decimal

import pytest

from contracts.pricing import PriceBook
from tests import factories
from tests.contracts.prices import (
    company_without_prices,
    cost,
    cost_row,
    day,
    hour,
    override,
    sales,
    sales_row,
)
from tests.factories import (
    ContractPriceListFactory,
    LegalEntityFactory,
    OrganizationalUnitFactory,
    PriceListFactory,
    PriceMarkupFactory,
    RoleFactory,
    RolePriceFactory,
)


@pytest.fixture
def it(db):
    return company_without_prices()


# Time, sales: PRC-2


def test_an_hour_is_sold_at_the_price_of_its_role(it):
    """PRC-2"""
    row = sales_row(it, 1250, role=it.role)
    sales_row(it, 900, role=RoleFactory(entity=it.entity))

    priced = sales(it, hour(it))

    assert (priced.price, priced.currency, priced.is_missing) == (1250, "NOK", False)
    assert (priced.role_price, priced.price_list, priced.kind) == (row, it.sales_list, "sales")
    assert (priced.amount, priced.at_cost, priced.warning) == (None, False, "")


def test_a_blank_dimension_means_any(it):
    """PRC-6"""
    sales_row(it, 700)

    assert sales(it, hour(it, role_id=None, unit_id=None, company_id=None)).price == 700
    assert sales(it, hour(it)).price == 700


def test_the_most_specific_row_wins_by_priority(it):
    """PRC-6: role before resourcing company before resourcing unit, however many of the lesser ones."""
    rows = [
        sales_row(it, 1),
        sales_row(it, 2, unit=it.unit),
        sales_row(it, 3, company=it.entity),
        sales_row(it, 4, company=it.entity, unit=it.unit),
        sales_row(it, 5, role=it.role),
        sales_row(it, 6, role=it.role, unit=it.unit),
        sales_row(it, 7, role=it.role, company=it.entity),
        sales_row(it, 8, role=it.role, company=it.entity, unit=it.unit),
    ]

    found = []
    for row in reversed(rows):
        found.append(sales(it, hour(it)).price)
        row.delete()

    assert found == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("dimension", ["role", "company", "unit"])
def test_no_matching_row_is_zero_and_a_warning(it, dimension):
    """PRC-2, PRC-6"""
    others = {
        "role": RoleFactory(entity=it.entity),
        "company": LegalEntityFactory(),
        "unit": OrganizationalUnitFactory(entity=it.entity),
    }
    sales_row(it, 500, **{"role": it.role, dimension: others[dimension]})

    priced = sales(it, hour(it))

    assert (priced.price, priced.is_missing, priced.price_list) == (0, True, it.sales_list)
    assert priced.warning == (
        "Price list “Sales” has no price for role Consultant of Consulting: the price is 0."
    )
    assert f"not used: another {dimension}" in priced.reasoning


def test_a_price_of_zero_is_a_price(it):
    """PRC-2"""
    sales_row(it, 0, role=it.role)

    priced = sales(it, hour(it))

    assert (priced.price, priced.is_missing, priced.warning) == (0, False, "")


# Time, cost: PRC-2


def test_costs_drop_the_dimension_of_lowest_priority_until_one_matches(it):
    """PRC-2"""
    elsewhere = OrganizationalUnitFactory(entity=it.entity)
    other_company, other_role = LegalEntityFactory(), RoleFactory(entity=it.entity)
    rows = [
        cost_row(it, 300, role=other_role, company=other_company, unit=elsewhere),
        cost_row(it, 200, role=it.role, company=other_company, unit=elsewhere),
        cost_row(it, 100, role=it.role, company=it.entity, unit=elsewhere),
    ]

    found = []
    for row in reversed(rows):
        found.append(cost(it, hour(it)).price)
        row.delete()

    assert found == [100, 200, 300]


def test_a_cost_row_that_matches_is_better_than_one_after_dropping(it):
    """PRC-2"""
    cost_row(it, 100, role=it.role, unit=OrganizationalUnitFactory(entity=it.entity))
    cost_row(it, 50)

    assert cost(it, hour(it)).price == 50


def test_equal_cost_rows_after_dropping_are_decided_the_same_way_every_time(it):
    """PRC-2: the one that leaves the dropped dimension blank, else the older."""
    elsewhere = [OrganizationalUnitFactory(entity=it.entity) for _ in range(2)]
    company = LegalEntityFactory()
    cost_row(it, 110, role=it.role, unit=elsewhere[0])
    cost_row(it, 120, role=it.role, unit=elsewhere[1])
    assert cost(it, hour(it)).price == 110

    it.cost_list.role_prices.all().delete()
    cost_row(it, 210, role=it.role, company=company, unit=elsewhere[0])
    cost_row(it, 220, role=it.role, company=company)
    assert cost(it, hour(it)).price == 220


def test_sales_drop_nothing(it):
    """PRC-2"""
    sales_row(it, 100, role=it.role, unit=OrganizationalUnitFactory(entity=it.entity))

    assert sales(it, hour(it)).is_missing


def test_no_cost_at_all_is_zero_and_a_warning(it):
    """PRC-2"""
    priced = cost(it, hour(it))

    assert (priced.price, priced.currency, priced.is_missing) == (0, "NOK", True)
    assert priced.warning == (
        "Price list “Costs” has no price for role Consultant of Consulting: the cost is 0."
    )


def test_the_units_own_cost_list_comes_before_the_companys(it):
    """PRC-1"""
    cost_row(it, 100)
    own = PriceListFactory(
        entity=it.entity, kind="cost", unit=it.unit, valid_from=day(1, 1), valid_to=day(6, 30)
    )
    RolePriceFactory(price_list=own, price=Decimal(140))

    assert cost(it, hour(it)).price == 140
    assert cost(it, hour(it, date=day(7, 1))).price == 100
    assert cost(it, hour(it, unit_id=None)).price == 100
    assert cost(it, hour(it, unit_id=OrganizationalUnitFactory(entity=it.entity).pk)).price == 100


def test_a_units_cost_list_is_for_its_own_resources_only(it):
    """PRC-1"""
    it.cost_list.unit = OrganizationalUnitFactory(entity=it.entity)
    it.cost_list.save()
    cost_row(it, 100)

    assert cost(it, hour(it)).is_missing
    assert cost(it, hour(it, unit_id=None)).is_missing


def test_a_cost_list_in_the_accounting_currency_comes_first(it):
    """PRC-1"""
    it.cost_list.currency = "EUR"
    it.cost_list.save()
    cost_row(it, 10)
    assert (cost(it, hour(it)).price, cost(it, hour(it)).currency) == (10, "EUR")

    at_home = PriceListFactory(entity=it.entity, kind="cost")
    RolePriceFactory(price_list=at_home, price=Decimal(115))
    assert (cost(it, hour(it)).price, cost(it, hour(it)).currency) == (115, "NOK")


def test_without_a_cost_list_for_the_day_the_cost_is_zero(it):
    """PRC-2"""
    it.cost_list.valid_from = day(4, 1)
    it.cost_list.save()
    cost_row(it, 100)

    priced = cost(it, hour(it))

    assert (priced.price, priced.is_missing) == (0, True)
    assert "has no cost price list for that day" in priced.warning


def test_a_cost_list_of_another_entity_does_not_count(it):
    """PRC-1"""
    other = PriceListFactory(kind="cost")
    RolePriceFactory(price_list=other, price=Decimal(1))

    assert cost(it, hour(it)).is_missing


# Which sales list: PRC-1, PRC-6


def new_list(it, price, **fields):
    price_list = PriceListFactory(entity=it.entity, **fields)
    RolePriceFactory(price_list=price_list, price=Decimal(price))
    ContractPriceListFactory(contract=it.contract, price_list=price_list)
    return price_list


@pytest.mark.parametrize(
    ("date", "price"), [(day(12, 31, 2024), 100), (day(1, 1), 110), (day(12, 31), 110), (day(1, 1, 2026), 0)]
)
def test_the_list_that_holds_on_the_transaction_date_counts(it, date, price):
    """PRC-1"""
    it.contract.contract_price_lists.all().delete()
    new_list(it, 100, valid_from=day(1, 1, 2024), valid_to=day(12, 31, 2024))
    new_list(it, 110, valid_from=day(1, 1, 2025), valid_to=day(12, 31, 2025))

    assert sales(it, hour(it, date=date)).price == price


def test_a_list_in_another_currency_does_not_count(it):
    """PRC-1"""
    it.contract.contract_price_lists.all().delete()
    new_list(it, 100, currency="EUR")

    priced = sales(it, hour(it))

    assert (priced.price, priced.currency, priced.is_missing) == (0, "NOK", True)
    assert "has no sales price list in NOK for that day" in priced.warning
    assert "not used: it is in EUR" in priced.reasoning


def test_only_the_contracts_lists_count(it):
    """PRC-6: an expired list of the contract does not fall back to the standard one."""
    sales_row(it, 999)
    it.contract.contract_price_lists.all().delete()
    expired = new_list(it, 100, customer=it.customer, name="Frame 2024", valid_to=day(12, 31, 2024))

    priced = sales(it, hour(it))

    assert (priced.price, priced.is_missing) == (0, True)
    assert priced.warning == "Price list “Frame 2024” is not valid on that day: the price is 0."
    assert "“Frame 2024” — not used: not valid on that day" in priced.reasoning
    expired.valid_to = None
    expired.save()
    assert sales(it, hour(it)).price == 100


def test_a_standard_list_used_after_an_expired_one_is_named_in_the_reasoning(it):
    """PRC-6"""
    sales_row(it, 999)
    new_list(it, 100, customer=it.customer, name="Frame 2024", valid_to=day(12, 31, 2024))

    priced = sales(it, hour(it))

    assert (priced.price, priced.is_missing) == (999, False)
    assert priced.warning == ("Price list “Frame 2024” is not valid on that day: the price is from “Sales”.")
    assert sales(it, hour(it, date=day(12, 31, 2024))).price == 100


def test_the_contracts_own_list_comes_before_others(it):
    """PRC-1"""
    sales_row(it, 100)
    new_list(it, 200, customer=it.customer)
    assert sales(it, hour(it)).price == 200
    new_list(it, 300, contract=it.contract)
    assert sales(it, hour(it)).price == 300


# Overrides and markups: PRC-4


@pytest.mark.parametrize(
    ("date", "price"), [(day(1, 31), 200), (day(2, 1), 210), (day(2, 28), 210), (day(3, 1), 220)]
)
def test_an_override_holds_until_the_next_one(it, date, price):
    """PRC-4"""
    row = sales_row(it, 200)
    override(row, 220, day(3, 1))
    override(row, 210, day(2, 1))

    assert sales(it, hour(it, date=date)).price == price


def test_the_override_with_the_narrowest_scope_wins(it):
    """PRC-4: also over a later one that is wider."""
    row = sales_row(it, 200)
    other = factories.contract(it)
    override(row, 240, day(3, 1))
    assert sales(it, hour(it)).price == 240
    override(row, 230, day(2, 1), customer=it.customer)
    assert sales(it, hour(it)).price == 230
    narrowest = override(row, 220, day(1, 1), contract=it.contract)

    priced = sales(it, hour(it))

    assert (priced.price, priced.base_price, priced.override) == (220, 220, narrowest)
    assert priced.role_price == row
    assert sales(it, hour(it), other).price == 230


def test_overrides_of_others_and_of_the_future_do_not_count(it):
    """PRC-4"""
    row = sales_row(it, 200)
    stranger = factories.contract(it, customers=[(factories.customer(it), 100)])
    override(row, 230, day(1, 1), customer=stranger.customers.get().customer)
    override(row, 240, day(1, 1), contract=stranger)
    override(row, 250, day(3, 11))

    priced = sales(it, hour(it))

    assert (priced.price, priced.override) == (200, None)
    assert sales(it, hour(it), stranger).price == 240


def test_a_secondary_customers_override_does_not_count(it):
    """PRC-4: the contract's customer is its primary one."""
    second = factories.customer(it)
    contract = factories.contract(it, customers=[(it.customer, 50), (second, 50)])
    row = sales_row(it, 200)
    override(row, 230, day(1, 1), customer=second)

    assert sales(it, hour(it), contract).price == 200


def test_costs_have_overrides_for_all_only(it):
    """PRC-4"""
    row = cost_row(it, 100)
    override(row, 90, day(1, 1), customer=it.customer)
    assert cost(it, hour(it)).price == 100
    override(row, 105, day(1, 1))
    assert cost(it, hour(it)).price == 105


def test_markups_stack_on_the_price_found(it):
    """PRC-4: 220 + 50 % + 10 % = 352."""
    override(sales_row(it, 200), 220, day(1, 1))
    PriceMarkupFactory(price_list=it.sales_list, category=it.time, percent=Decimal(50), name="Overtime")
    PriceMarkupFactory(price_list=it.sales_list, role=it.role, percent=Decimal(10), name="Scarce")

    priced = sales(it, hour(it))

    assert (priced.price, priced.base_price, priced.markup) == (352, 220, 60)
    assert "Markup Overtime 50 % — added" in priced.reasoning


def test_markups_for_other_work_do_not_count(it):
    """PRC-4"""
    sales_row(it, 200)
    other = RoleFactory(entity=it.entity)
    overtime = factories.CategoryFactory(entity=it.entity, code="OVERTIME")
    PriceMarkupFactory(price_list=it.sales_list, category=overtime)
    PriceMarkupFactory(price_list=it.sales_list, role=other)
    PriceMarkupFactory(price_list=it.sales_list, category=it.time, role=other)
    PriceMarkupFactory(price_list=it.sales_list)  # without a scope it applies to nothing
    PriceMarkupFactory(price_list=it.cost_list, category=it.time)

    assert (sales(it, hour(it)).price, sales(it, hour(it)).markup) == (200, 0)
    assert sales(it, hour(it, category_id=overtime.pk)).price == 300


def test_a_marked_up_price_has_six_decimals(it):
    """MON-1: 133.333333 + 12.5 % = 149.999999625."""
    sales_row(it, "133.333333")
    PriceMarkupFactory(price_list=it.sales_list, category=it.time, percent=Decimal("12.5"))

    assert sales(it, hour(it)).price == Decimal("150.000000")


def test_a_markup_can_be_negative(it):
    """PRC-4"""
    sales_row(it, 200)
    PriceMarkupFactory(price_list=it.sales_list, category=it.time, percent=Decimal(-25))

    assert sales(it, hour(it)).price == 150


def test_the_cost_list_of_the_contracting_unit_prices_resources_of_any_unit(it):
    """PRC-2: the list of the US unit has the costs of developers of the US and of India: 100, 90, 150."""
    us, india = (OrganizationalUnitFactory(entity=it.entity, code=code) for code in ("US", "INDIA"))
    architect = RoleFactory(entity=it.entity)
    it.contract.unit = us
    it.contract.save()
    of_us, of_india = (PriceListFactory(entity=it.entity, kind="cost", unit=unit) for unit in (us, india))
    RolePriceFactory(price_list=of_us, role=it.role, unit=us, price=Decimal(100))
    RolePriceFactory(price_list=of_us, role=it.role, unit=india, price=Decimal(90))
    RolePriceFactory(price_list=of_us, role=architect, unit=india, price=Decimal(150))
    RolePriceFactory(price_list=of_india, role=it.role, price=Decimal(100))
    RolePriceFactory(price_list=of_india, role=architect, price=Decimal(150))
    work = [
        hour(it, unit_id=us.pk),
        hour(it, unit_id=india.pk),
        hour(it, unit_id=india.pk, role_id=architect.pk),
    ]
    book = PriceBook.load(it.entity, [it.contract])
    assert [book.cost(each, it.contract).price for each in work] == [100, 90, 150]
    # Work without a contract is priced with the list of the resource's unit.
    assert [book.cost(each).price for each in work] == [100, 100, 150]


def test_without_a_list_of_the_contracting_unit_that_of_the_resources_unit_counts_then_the_companys(it):
    """PRC-2"""
    it.contract.unit = OrganizationalUnitFactory(entity=it.entity)
    it.contract.save()
    cost_row(it, 100)
    of_unit = PriceListFactory(entity=it.entity, kind="cost", unit=it.unit)
    RolePriceFactory(price_list=of_unit, price=Decimal(80))
    book = PriceBook.load(it.entity, [it.contract])
    assert book.cost(hour(it), it.contract).price == 80
    assert book.cost(hour(it, unit_id=None), it.contract).price == 100
