"""A contract's start and requested end bound what it covers (CON-12)."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from actuals.models import Actual
from actuals.naming import named
from backlog.approved_before import approved_before
from backlog.operations import approve, confirm_contract
from backlog.previews import preview
from tests import factories

JAN_1, MARCH_10, MARCH_31, APRIL_1, APRIL_2 = (
    date(2025, 1, 1),
    date(2025, 3, 10),
    date(2025, 3, 31),
    date(2025, 4, 1),
    date(2025, 4, 2),
)


@pytest.fixture
def company(db):
    return factories.company(cost_price=100, sales_price=200)


def contract_until_march(company, **fields):
    return factories.contract(company, starts=MARCH_10, ends=MARCH_31, **fields)


@pytest.mark.parametrize("day", [date(2025, 3, 9), APRIL_1])
def test_work_outside_the_contracts_dates_is_a_cost_only_with_a_warning_that_names_them(company, day):
    """CON-12"""
    contract = confirm_contract(contract_until_march(company), by=company.manager, on=MARCH_10)
    entry = factories.time_entry(company, "8", date=day)
    warning = (
        f"Line 1 Line 1 of contract {contract} covers work from 10 Mar 2025 until 31 Mar 2025 only, and this "
        f"is dated {day.day} {day:%b} 2025: it is cost only and is not billed."
    )
    assert preview([entry], by=company.manager)[entry.pk].warnings == [warning]
    approval = approve([entry], by=company.manager, on=APRIL_2)
    assert approval.warnings == [f"{named(entry)}: {warning}"]
    assert [(fact.type, fact.contract) for fact in approval.actuals] == [("cost", None)]


@pytest.mark.parametrize("day", [MARCH_10, MARCH_31])
def test_the_first_and_last_day_of_a_contract_are_covered(company, day):
    """CON-12"""
    confirm_contract(contract_until_march(company), by=company.manager, on=MARCH_10)
    approval = approve([factories.time_entry(company, "8", date=day)], by=company.manager, on=APRIL_2)
    assert [fact.amount for fact in approval.actuals] == [Decimal(800), Decimal(1600)]
    assert approval.warnings == []


def test_a_line_can_be_narrower_and_not_wider_than_its_contract(company):
    """CON-12: the line says until June, the contract until March."""
    line = {"ends": date(2025, 6, 30)}
    confirm_contract(contract_until_march(company, lines=[line]), by=company.manager, on=MARCH_10)
    entry = factories.time_entry(company, "8", date=APRIL_1)
    assert "until 31 Mar 2025 only" in preview([entry], by=company.manager)[entry.pk].warnings[0]


def test_contracts_that_follow_each_other_cover_the_same_project(company):
    """CON-2 CON-12: lines whose dates don't overlap don't collide and cause no warning."""
    confirm_contract(contract_until_march(company), by=company.manager, on=MARCH_10)
    following = factories.contract(company, starts=APRIL_1)
    confirm_contract(following, by=company.manager, on=MARCH_10)
    approval = approve([factories.time_entry(company, "8", date=APRIL_1)], by=company.manager, on=APRIL_2)
    assert {fact.contract for fact in approval.actuals} == {following}
    assert approval.warnings == []


def test_the_page_of_confirming_counts_what_falls_outside(company, client):
    """CON-12 CON-6: three were approved before, one of them is dated after the end."""
    days = (MARCH_10, MARCH_31, APRIL_1)
    approve([factories.time_entry(company, "8", date=d) for d in days], by=company.manager, on=APRIL_2)
    contract = contract_until_march(company)
    assert approved_before(contract) == (2, 1)
    client.force_login(company.manager)
    text = client.get(reverse("contract", args=[contract.pk])).content.decode()
    assert "2 approved entries will be covered by its lines when it is confirmed" in text
    assert (
        "1 approved entry falls outside the dates of the contract or its lines, and stays a cost only" in text
    )
    confirm_contract(contract, by=company.manager, on=APRIL_2)
    assert sorted(Actual.objects.filter(type="unbilled").values_list("date", flat=True)) == [
        MARCH_10,
        MARCH_31,
    ]
    assert "falls outside" not in client.get(reverse("contract", args=[contract.pk])).content.decode()


def test_the_list_of_approvals_marks_work_outside_the_dates(company, client):
    """CON-12 APP-2"""
    confirm_contract(contract_until_march(company), by=company.manager, on=MARCH_10)
    entry = factories.time_entry(company, "8", date=APRIL_1)
    client.force_login(company.manager)
    assert "Outside the dates of its contract line" in client.get(reverse("approvals")).content.decode()
    page = client.get(reverse("approval", args=[entry.pk])).content.decode()
    assert "covers work from 10 Mar 2025 until 31 Mar 2025 only" in page
