"""What was delivered: what it cost, and each customer's share of what it is sold for."""

from datetime import date
from decimal import Decimal

import pytest

from actuals.models import Actual
from backlog.operations import approve, confirm_contract
from tests import factories, locks

pytestmark = pytest.mark.django_db

DAY = date(2025, 3, 10)


def shares(it, entry):
    """Quantity and amount of each customer's share, in the order of the customers."""
    approve([entry], by=it.manager)
    sales = Actual.objects.filter(type="unbilled").order_by("contract_customer")
    return [f"{sale.quantity:f} {sale.amount:.2f}" for sale in sales]


def deal(it, rounding):
    splits = zip(it.customers, ("33.33", "33.33", "33.34"), strict=True)
    return confirm_contract(factories.contract(it, customers=splits, rounding=rounding), by=it.manager)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (0, ["2.4997 333.29", "2.4998 333.30", "2.5005 333.39"]),
        (1, ["2.4998 333.30", "2.4997 333.29", "2.5005 333.39"]),
        (2, ["2.4998 333.30", "2.4998 333.30", "2.5004 333.38"]),
    ],
)
def test_the_customer_chosen_for_it_takes_the_rest_of_hours_and_amount(rounding, expected):
    """MON-9: 7.5 h × 133.33 is 999.98, in any position of the rounding customer."""
    it = factories.company(books=False, customers=3, sales_price="133.33")
    deal(it, rounding)

    assert shares(it, factories.time_entry(it, "7.5", date=DAY)) == expected


@pytest.mark.parametrize(
    ("rounding", "amounts"), [(0, "0.01 0.02 0.02"), (1, "0.02 0.01 0.02"), (2, "0.02 0.02 0.01")]
)
def test_the_customer_chosen_for_it_takes_the_rest_of_an_expense(rounding, amounts):
    """MON-9: 0.05 at cost; quantity 1 for each, the amount is split."""
    it = factories.company(books=False, customers=3)
    deal(it, rounding)

    expected = [f"1.0000 {amount}" for amount in amounts.split()]
    assert shares(it, factories.expense_entry(it, "0.05", date=DAY)) == expected


def test_deductible_tax_is_not_a_cost():
    """APP-8: 100 net and 25 tax, of which 10 can be deducted: it cost 115, and is sold at cost for 115."""
    it = factories.company(books=False)
    confirm_contract(factories.contract(it), by=it.manager)
    approve([factories.expense_entry(it, "100", "25", "10", date=DAY)], by=it.manager)

    facts = Actual.objects.order_by("pk").values_list("type", "amount")
    assert list(facts) == [("cost", Decimal(115)), ("unbilled", Decimal(115))]


def test_approving_locks_the_contracts_that_bill_the_work(monkeypatch):
    """NTE-4: asked for on every database, so that two approvals can't both take the last of a limit."""
    it = factories.company(books=False)
    confirm_contract(factories.contract(it), by=it.manager)
    entry = factories.time_entry(it, date=DAY)
    asked = locks.asked(monkeypatch)

    approve([entry], by=it.manager)

    assert asked == ["Project locked", "Entry locked", "ProjectContract locked"]
