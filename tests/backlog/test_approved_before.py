"""Work that was approved before its contract: priced and billed as if it were approved after it (CON-6)."""

from datetime import date
from decimal import Decimal

import pytest

from actuals.models import Actual
from backlog.approved_before import approved_before
from backlog.operations import Decision, approve, confirm_contract
from contracts.models import CategoryPrice
from tests import factories

pytestmark = pytest.mark.django_db

JAN_20, JAN_31, FEB_3 = date(2025, 1, 20), date(2025, 1, 31), date(2025, 2, 3)


@pytest.fixture
def no1():
    return factories.company()


def cost_price(no1, price, unit=None):
    """What a kilometer costs, by the company's list or by that of a unit."""
    costs = no1.entity.price_lists.get(kind="cost", unit=None)
    if unit:
        costs = factories.PriceListFactory(entity=no1.entity, kind="cost", unit=unit)
    return factories.CategoryPriceFactory(
        price_list=costs, category=no1.travel, unit="km", method="unit", price=Decimal(price)
    )


def drive(no1):
    """100 km that no contract covers, and that name no cost."""
    entry = factories.expense_entry(
        no1, net=0, date=JAN_20, quantity=Decimal(100), unit="km", cost_net=None, cost_tax=None
    )
    approve([entry], by=no1.manager, on=JAN_31)
    return entry


def billed_by_cost(no1, **fields):
    CategoryPrice.objects.filter(price_list__kind="sales", category=no1.travel, unit="km").delete()
    factories.CategoryPriceFactory(
        price_list=no1.sales_price.price_list, category=no1.travel, unit="km", **fields
    )


def figures():
    """The current cost and the current unbilled sale."""
    facts = Actual.objects.filter(reverses=None, reversed_by=None)
    return {fact.type: (fact.amount, fact.currency) for fact in facts}


@pytest.mark.parametrize(
    ("terms", "sale"),
    [
        ({"method": "cost"}, Decimal("300.00")),
        ({"method": "markup", "markup": Decimal(10)}, Decimal("330.00")),
    ],
)
@pytest.mark.parametrize("change", ["list of the unit", "new price"])
def test_work_at_cost_is_billed_by_its_current_cost(no1, terms, sale, change):
    """CON-6 PRC-3: 100 km at 3.00 cost 300, also where a kilometer costs 5.00 today."""
    billed_by_cost(no1, **terms)
    price = cost_price(no1, "3.00")
    drive(no1)
    contracting = None
    if change == "new price":
        CategoryPrice.objects.filter(pk=price.pk).update(price=Decimal("5.00"))
    else:
        contracting = factories.OrganizationalUnitFactory(entity=no1.entity)
        cost_price(no1, "5.00", contracting)

    confirm_contract(factories.contract(no1, unit=contracting), by=no1.manager, on=FEB_3)

    assert figures() == {"cost": (Decimal("300.00"), "NOK"), "unbilled": (sale, "NOK")}
    (decision,) = {fact.price_decision for fact in Actual.objects.filter(type="unbilled")}
    assert "The cost as recorded: 300 NOK" in decision.reasoning


def test_a_missing_cost_does_not_become_a_price_later(no1):
    """CON-6 PRC-6: without a price the cost is 0; a price that is added today does not make it 500."""
    billed_by_cost(no1, method="cost")
    drive(no1)
    cost_price(no1, "5.00")

    confirm_contract(factories.contract(no1), by=no1.manager, on=FEB_3)

    assert figures() == {"cost": (Decimal("0.00"), "NOK"), "unbilled": (Decimal("0.00"), "NOK")}
    assert Actual.objects.get(type="unbilled").backlog_item.needs_price


def test_the_cost_of_an_expense_is_billed_at_cost(no1):
    """CON-6 PRC-3 APP-8: 80 net and 20 tax of which 15 can be deducted is 85."""
    CategoryPrice.objects.filter(price_list__kind="sales", category=no1.travel).update(method="cost")
    entry = factories.expense_entry(no1, net="80", tax="20", deductible="15", date=JAN_20)
    approve([entry], by=no1.manager, on=JAN_31)

    confirm_contract(factories.contract(no1), by=no1.manager, on=FEB_3)

    assert figures() == {"cost": (Decimal("85.00"), "NOK"), "unbilled": (Decimal("85.00"), "NOK")}


def sold_elsewhere(no1, decision=None):
    entry = factories.time_entry(no1, "8", date=JAN_20, imported_billing="cost_only")
    approve([entry], by=no1.manager, on=JAN_31, decisions=decision and {entry.pk: decision})
    return entry


def test_the_billing_type_that_the_approver_set_counts_for_a_later_contract(no1):
    """CON-6 IMP-1 APP-3: imported as cost only, approved as chargeable: 8 h at 200, before and after."""
    entry = sold_elsewhere(no1, Decision(billing_type="chargeable"))
    contract = factories.contract(no1)
    assert approved_before(contract) == (1, 0)

    confirm_contract(contract, by=no1.manager, on=FEB_3)

    (sale,) = Actual.objects.filter(type="unbilled", entry=entry)
    assert (sale.amount, sale.billing_type, sale.cost.contract) == (Decimal(1600), "chargeable", contract)
    later = sold_elsewhere(no1, Decision(billing_type="chargeable"))
    assert Actual.objects.get(type="unbilled", entry=later).amount == sale.amount


@pytest.mark.parametrize(("method", "counted"), [("tm", 0), ("fixed", 1)])
def test_the_page_counts_what_confirming_does(no1, method, counted):
    """CON-6 IMP-1: cost only is left outside by a line that sells hours, and covered by one that does not."""
    sold_elsewhere(no1)
    contract = factories.contract(no1, method=method)
    assert approved_before(contract) == (counted, 0)

    confirm_contract(contract, by=no1.manager, on=FEB_3)

    assert Actual.objects.filter(type="cost", contract=contract).count() == counted


def test_counting_what_was_approved_costs_the_same_for_many(no1, django_assert_num_queries):
    """CON-6"""
    contract = factories.contract(no1)
    for n in (1, 9):
        approve([factories.time_entry(no1, "1", date=JAN_20) for _ in range(n)], by=no1.manager, on=JAN_31)
    with django_assert_num_queries(5):
        assert approved_before(contract) == (10, 0)
