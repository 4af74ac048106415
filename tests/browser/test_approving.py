"""The approval page shows the result of the input before the entry is approved."""

import re

import pytest
from playwright.sync_api import expect

from actuals.models import Actual
from backlog.models import BacklogItem
from backlog.operations import approve, mark_ready
from proforma.operations import create_proformas
from tests.factories import company, contract, time_entry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_preview_follows_what_is_typed(page, base_url, sign_in):
    """APP-2 APP-9: 8 h × 200; of 6 h billable 1,200 are charged and 400 are not."""
    it = company(sales_price=200)
    contract(it, confirmed=True)
    entry = time_entry(it, "8")
    sign_in(it.manager)
    page.goto(f"{base_url}/approvals/{entry.pk}/")
    amounts = page.locator("#preview td[data-label=Amount]")
    kinds = page.locator("#preview td[data-label='Billing type']")
    expect(amounts).to_have_text([re.compile("1,600.00")])

    page.get_by_label("Billable quantity").press_sequentially("6")
    expect(amounts).to_have_text([re.compile("1,200.00"), re.compile("400.00")])
    page.get_by_label("Billing type").select_option("complimentary")
    expect(kinds).to_have_text(["Complimentary", "Non-chargeable"])

    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".flash")).to_contain_text("1 entry approved.")
    made = Actual.objects.filter(type="unbilled").order_by("pk").values_list("billing_type", "amount")
    assert [(kind, str(amount)) for kind, amount in made] == [
        ("complimentary", "1200.0000"),
        ("non_chargeable", "400.0000"),
    ]


def test_an_approved_entry_and_its_proforma_are_readable_by_all(page, base_url, sign_in, accessible):
    """WCAG 2.2 AA: for work that is on a draft."""
    it = company()
    deal = contract(it, confirmed=True)
    entry = time_entry(it, "8")
    approve([entry], by=it.manager)
    mark_ready(BacklogItem.objects.all(), by=it.manager)
    (draft,) = create_proformas([deal], cutoff=entry.date, on=entry.date, by=it.manager)
    sign_in(it.manager)
    page.goto(f"{base_url}/approvals/{entry.pk}/")
    expect(page.locator(".notice")).to_contain_text(f"is on draft proforma {draft.number}. Remove it")
    assert accessible() == []
