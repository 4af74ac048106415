"""Work to be priced, and a company with empty price lists."""

import datetime
from dataclasses import replace
from decimal import Decimal

from contracts.pricing import PriceBook, Work
from tests import factories
from tests.factories import RolePriceFactory, RolePriceOverrideFactory

DAY = datetime.date(2025, 3, 10)


@factories.remembered
def company_without_prices():
    """Its contract has the company's sales list, which is empty, like its cost list."""
    it = factories.company(books=False)
    it.cost_list.role_prices.all().delete()
    it.sales_list.role_prices.all().delete()
    it.sales_list.category_prices.all().delete()
    it.contract = factories.contract(it)
    return it


def hour(it, **fields):
    work = Work(
        transaction_class="time",
        date=DAY,
        role_id=it.role.pk,
        unit_id=it.unit.pk,
        company_id=it.entity.pk,
        category_id=it.time.pk,
        unit="h",
    )
    return replace(work, **fields)


def expense(it, **fields):
    work = Work(
        transaction_class="expense",
        date=DAY,
        category_id=it.travel.pk,
        unit="each",
        cost_net=Decimal(100),
        cost_currency="NOK",
    )
    return replace(work, **fields)


def sales(it, work, contract=None):
    contract = contract or it.contract
    return PriceBook.load(it.entity, [contract]).sales(work, contract)


def cost(it, work):
    return PriceBook.load(it.entity, [it.contract]).cost(work)


def sales_row(it, price, **dimensions):
    return RolePriceFactory(price_list=it.sales_list, price=Decimal(price), **dimensions)


def cost_row(it, price, **dimensions):
    return RolePriceFactory(price_list=it.cost_list, price=Decimal(price), **dimensions)


def override(row, price, valid_from, **scope):
    return RolePriceOverrideFactory(role_price=row, price=Decimal(price), valid_from=valid_from, **scope)


def day(month, number, year=2025):
    return datetime.date(year, month, number)
