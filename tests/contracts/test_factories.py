"""The sample company, with which most tests begin, is complete."""

import datetime
from decimal import Decimal

import pytest
from django.apps import apps

from actuals.models import Entry
from contracts.models import Coded
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_company_has_what_an_hour_needs():
    it = factories.company()

    assert it.resource.user == it.member
    assert list(it.project.managers.all()) == [it.manager]
    assert it.sales_list.role_prices.get().price == 200
    assert {m.role for m in it.entity.memberships.all()} == {
        "member",
        "manager",
        "accountant",
        "administrator",
        "auditor",
    }


def test_two_companies_can_exist_at_the_same_time():
    assert factories.company().entity != factories.company(code="SE1", currency="SEK").entity


def test_a_contract_has_a_line_with_shares():
    it = factories.company(customers=3)
    shares = list(zip(it.customers, ["33.33", "33.33", "33.34"], strict=True))

    line = factories.contract(it, customers=shares).lines.get()

    assert [(s.contract_customer.customer, s.split, s.is_rounding) for s in line.customers.all()] == [
        (it.customers[0], Decimal("33.33"), False),
        (it.customers[1], Decimal("33.33"), False),
        (it.customers[2], Decimal("33.34"), True),
    ]


def test_a_fixed_price_contract_has_a_milestone():
    line = factories.contract(factories.company(), method="fixed").lines.get()

    assert line.milestones.get().amount == line.contract_amount == 10000


def test_entries_of_every_class_are_valid():
    it = factories.company()
    for make in (
        factories.time_entry,
        factories.expense_entry,
        factories.material_entry,
        factories.fee_entry,
    ):
        make(it, date=datetime.date(2025, 3, 11)).full_clean()

    assert Entry.objects.filter(status="submitted").count() == 4


def test_every_factory_makes_a_valid_row():
    for name in factories.__all__:
        if name.endswith("Factory"):
            row = getattr(factories, name)()
            row.full_clean()


def test_a_ready_item_repeats_its_actual():
    it = factories.company()
    contract = factories.contract(it, confirmed=True)

    item = factories.ready_item(it, contract, quantity=Decimal(3), price=Decimal(100))

    assert (item.amount, item.currency, item.contract_line) == (300, "NOK", contract.lines.get())
    assert factories.ready_item(it, contract).contract_customer == item.contract_customer


def test_models_with_a_code_and_a_name_share_one_base_model():
    """The base names the constraint of each model, and the company finds its rows by their plural."""
    coded = [model for model in apps.get_models() if issubclass(model, Coded)]
    assert len(coded) == 16
    for model in coded:
        assert model._meta.get_field("entity").remote_field.related_name == model._meta.default_related_name
        names = {each.name for each in model._meta.constraints}
        assert f"{model._meta.model_name}_code_once" in names or model.__name__ == "Category"
