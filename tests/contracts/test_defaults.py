"""The default values of a new contract and a new line, and price lists with overlapping dates."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from contracts import operations
from contracts.models import PriceList
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories
from tests.factories import ContractLineFactory, OrganizationalUnitFactory, PriceListFactory

NEW_YEAR = datetime.date(2025, 1, 1)


@pytest.fixture
def it(db):
    return factories.company(books=False)


def bare(it, **fields):
    return factories.contract(it, price_lists=[], **fields)


def lists_of(contract):
    return [row.price_list for row in contract.contract_price_lists.order_by("pk")]


def test_a_contract_gets_the_standard_lists_in_its_currency(it):
    """PRC-6"""
    PriceListFactory(entity=it.entity, currency="EUR")
    PriceListFactory(currency="NOK")  # another entity's
    it.sales_list.valid_to = datetime.date(2024, 12, 31)
    it.sales_list.save()
    following = PriceListFactory(entity=it.entity, valid_from=NEW_YEAR)
    contract = bare(it)

    rows = operations.apply_default_price_lists(contract, by=it.manager)

    assert [row.price_list for row in rows] == lists_of(contract) == [it.sales_list, following]
    event = AuditEvent.objects.get(action="contracts.apply_default_price_lists")
    assert (event.by, event.entity, event.detail["price_lists"]) == (
        it.manager,
        "NO1",
        ["SALES", following.code],
    )


def test_the_customers_own_lists_replace_the_standard_ones(it):
    """PRC-6: so that no standard price is used when they expire."""
    own = PriceListFactory(entity=it.entity, customer=it.customer, valid_to=NEW_YEAR)
    PriceListFactory(entity=it.entity, customer=factories.customer(it))

    assert [row.price_list for row in operations.apply_default_price_lists(bare(it))] == [own]


def test_no_contract_gets_the_list_of_another_customer_or_contract(it):
    """PRC-6: lists of another customer are not used, even without standard lists."""
    PriceListFactory(entity=it.entity, customer=factories.customer(it))
    PriceListFactory(entity=it.entity, contract=bare(it))

    assert [row.price_list for row in operations.apply_default_price_lists(bare(it))] == [it.sales_list]


def test_the_contracts_own_list_comes_first(it):
    """PRC-6"""
    PriceListFactory(entity=it.entity, customer=it.customer)
    contract = bare(it)
    own = PriceListFactory(entity=it.entity, contract=contract)

    assert [row.price_list for row in operations.apply_default_price_lists(contract)] == [own]


def test_a_contract_that_has_price_lists_keeps_them(it):
    """PRC-6"""
    contract = factories.contract(it)
    PriceListFactory(entity=it.entity, customer=it.customer)

    assert operations.apply_default_price_lists(contract) == []
    assert lists_of(contract) == [it.sales_list]
    assert not AuditEvent.objects.exists()


def test_a_contract_without_a_list_for_it_gets_none(it):
    """PRC-6"""
    contract = bare(it, currency="EUR")

    assert operations.apply_default_price_lists(contract) == []


def test_a_confirmed_contract_gets_no_defaults(it):
    """PRC-6"""
    with pytest.raises(
        Refused, match="is confirmed. Default price lists are only added to a draft"
    ) as refusal:
        operations.apply_default_price_lists(bare(it, confirmed=True))
    assert refusal.value.code == "PRICE-LISTS-FIXED"


def test_a_new_line_gets_the_contracts_customers(it):
    """CON-1"""
    second = factories.customer(it)
    contract = factories.contract(it, customers=[(it.customer, "66.67"), (second, "33.33")])
    line = ContractLineFactory(contract=contract, number=9)

    rows = operations.apply_default_customers(line, by=it.manager)

    assert [(r.contract_customer.customer, r.split, r.is_rounding, r.limit) for r in rows] == [
        (it.customer, Decimal("66.67"), False, None),
        (second, Decimal("33.33"), True, None),
    ]
    assert list(line.customers.all()) == rows


def test_a_line_can_differ_from_its_contract(it):
    """CON-1"""
    line = factories.contract(it).lines.get()
    share = line.customers.get()
    share.limit = Decimal(500)
    share.save()

    assert operations.apply_default_customers(line) == []
    assert line.customers.get().limit == 500


# PRC-1: the ranges of one owner do not overlap


def another(it, starts, ends=None, **fields):
    fields = {"entity": it.entity, "kind": "sales", "currency": "NOK", "code": "NEW", "name": "New", **fields}
    return PriceList(valid_from=starts, valid_to=ends, **fields)


def test_overlapping_ranges_of_one_owner_are_refused(it):
    """PRC-1"""
    with pytest.raises(
        ValidationError, match="“Sales” of the same owner is valid from 1 Jan 2020 until further"
    ):
        another(it, NEW_YEAR).full_clean()


def test_adjacent_ranges_do_not_overlap(it):
    """PRC-1"""
    it.sales_list.valid_to = datetime.date(2024, 12, 31)
    it.sales_list.save()

    another(it, NEW_YEAR).full_clean()
    with pytest.raises(ValidationError, match="until 31 Dec 2024"):
        another(it, datetime.date(2024, 12, 31)).full_clean()
    another(it, datetime.date(2019, 1, 1), datetime.date(2019, 12, 31)).full_clean()
    with pytest.raises(ValidationError):
        another(it, datetime.date(2019, 1, 1), datetime.date(2020, 1, 1)).full_clean()


def test_other_owners_currencies_and_kinds_do_not_overlap(it):
    """PRC-1"""
    another(it, NEW_YEAR, customer=it.customer).full_clean()
    another(it, NEW_YEAR, contract=bare(it)).full_clean()
    another(it, NEW_YEAR, currency="EUR").full_clean()
    another(it, NEW_YEAR, kind="cost", unit=it.unit).full_clean()
    another(it, NEW_YEAR, entity=factories.LegalEntityFactory()).full_clean()


def test_a_customers_two_lists_overlap_too(it):
    """PRC-1"""
    PriceListFactory(entity=it.entity, customer=it.customer)

    with pytest.raises(ValidationError):
        another(it, NEW_YEAR, customer=it.customer).full_clean()


def test_a_list_does_not_overlap_itself(it):
    it.sales_list.name = "Renamed"
    it.sales_list.full_clean()


def test_a_list_of_the_wrong_owner_is_refused(it):
    """PRC-1"""
    with pytest.raises(ValidationError, match="to the legal entity or to one of its units"):
        another(it, NEW_YEAR, kind="cost", customer=it.customer).full_clean()
    with pytest.raises(ValidationError, match="to the legal entity, a customer or a contract"):
        another(it, NEW_YEAR, unit=OrganizationalUnitFactory(entity=it.entity)).full_clean()


def test_an_incomplete_list_gets_the_errors_of_the_form(it):
    with pytest.raises(ValidationError) as error:
        PriceList(entity=it.entity, kind="sales", currency="NOK").full_clean()

    assert {"code", "name", "valid_from"} <= set(error.value.message_dict)
