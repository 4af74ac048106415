"""The bounds of dates and quantities of entries, and warnings about unusual dates (APP-10)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from actuals import operations
from actuals.models import Entry
from invoicing_site.floor.errors import Refused
from tests import factories
from tests.actuals.test_entry_pages import expense


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.fixture
def member(co, client):
    client.force_login(co.member)
    return client


@pytest.mark.parametrize("day", ["0026-03-02", "9999-12-31", "1989-12-31"])
def test_an_expense_with_a_year_out_of_range_is_refused_at_the_field(co, member, day):
    """APP-10: the error is at the field, and the input stays."""
    response = member.post("/expenses/new/", expense(co, date=day))
    assert response.status_code == 200
    assert "is out of range. Choose a day between 1 Jan 1990 and" in response.text
    assert "Train" in response.text
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"date": date(26, 3, 2)}, "2 Mar 0026 is out of range"),
        ({"quantity": Decimal("1e12")}, "The field “quantity” can't store 1,000,000,000,000."),
        ({"cost_net": Decimal("1e15")}, "can't store"),
        (
            {"quantity": Decimal("1000000.0001")},
            "A quantity of 1,000,000.0001 is too large. The largest possible quantity is 1,000,000.",
        ),
        (
            {"cost_net": Decimal("1000000000000"), "cost_tax": Decimal("0.01")},
            "1,000,000,000,000.01 NOK is too large. The largest possible amount is .*. Check the amount",
        ),
        ({"quantity": Decimal("NaN")}, "“NaN” is not a number for the field “quantity”."),
    ],
)
def test_operations_have_the_same_bounds_as_forms(co, change, sentence):
    """APP-10 MON-1: also for other callers than forms."""
    fields = {
        "date": date(2026, 3, 2),
        "project": co.project,
        "category": co.travel,
        "quantity": Decimal(1),
        "cost_net": Decimal(100),
        "cost_currency": "NOK",
        **change,
    }
    with pytest.raises(Refused, match=sentence):
        operations.enter(co.resource, "expense", by=co.member, **fields)


def test_a_million_and_an_amount_of_a_million_millions_are_accepted(co):
    """APP-10"""
    fields = {"date": date(2026, 3, 2), "project": co.project, "category": co.travel, "cost_currency": "NOK"}
    most = {"quantity": Decimal(1_000_000), "cost_net": Decimal(1_000_000_000_000)}
    assert operations.enter(co.resource, "expense", by=co.member, **fields, **most).pk


@pytest.mark.parametrize("quantity", ["20000000000", "1000000,5", "1 000 001"])
@pytest.mark.parametrize("address", ["new_expense", "new_material"])
def test_a_quantity_that_is_too_large_is_an_error_of_its_field(co, member, address, quantity):
    """APP-10: the input stays."""
    typed = expense(co, quantity=quantity) | {"product": co.product.pk}
    response = member.post(reverse(address), typed)
    assert response.status_code == 200
    assert (
        "is too large. The largest possible quantity is 1,000,000. Use a larger unit, or split it."
    ) in response.text
    assert "quantity" in response.context["form"].errors
    assert not Entry.objects.exists()


def test_a_cost_that_is_too_large_is_an_error_of_its_field(co, member):
    """APP-10: 999,999,999,999 plus 1.01 of tax is too much."""
    typed = expense(co, cost_net="999999999999", cost_tax="1.01", cost_tax_deductible="0")
    response = member.post("/expenses/new/", typed)
    (error,) = response.context["form"].errors["cost_net"]
    assert (
        error == "1,000,000,000,000.01 NOK is too large. The largest possible amount is 1,000,000,000,000. "
        "Check the amount, or enter it as several expenses."
    )
    assert not Entry.objects.exists()


def test_unusual_days_are_accepted_with_a_warning(co, member):
    """APP-10: outside the project's dates, or more than a week ahead.

    When it is entered and when it is submitted.
    """
    co.project.starts, co.project.ends = date(2026, 4, 1), date(2026, 4, 30)
    co.project.save()
    outside = "dated outside of project NO1-P1, which runs from 1 Apr 2026 to 30 Apr 2026 (2 Mar 2026)"
    response = member.post("/expenses/new/", expense(co), follow=True)
    assert f"1 entry is {outside}. Is that right?" in response.text
    entry = Entry.objects.get()
    response = member.post("/entries/submit/", {"pk": [entry.pk]}, follow=True)
    assert f"1 entry is {outside}. Is that right?" in response.text
    assert Entry.objects.get().status == "submitted"


@pytest.mark.parametrize(("days", "warns"), [(7, False), (8, True)])
def test_a_day_more_than_a_week_ahead_gets_a_warning(co, member, days, warns):
    """APP-10"""
    day = co.entity.today() + timedelta(days=days)
    response = member.post("/expenses/new/", expense(co, date=day.isoformat(), then="submit"), follow=True)
    assert ("1 entry is dated more than a week ahead" in response.text) is warns
    assert Entry.objects.get().status == "submitted"
