"""A long list in the browser: all rows are selected by one request, with and without a script."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from backlog.models import BacklogItem
from tests.factories import company, contract, ready_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def it(settings, monkeypatch):
    settings.LIST_COUNTED = settings.LIST_SORTED = 5
    monkeypatch.setattr("invoicing_site.screens.lists.PAGE_SIZES", (4, 4))
    it = company()
    deal = contract(it, confirmed=True)
    it.items = [ready_item(it, deal, status="not_ready", amount=1000) for _ in range(7)]
    return it


def test_all_rows_of_a_long_list_are_selected_and_marked(it, page, base_url, sign_in, accessible):
    """BKL-2: their number and total are shown before anything is done with them."""
    sign_in(it.manager)
    page.goto(base_url + reverse("backlog"))
    expect(page.get_by_role("heading", name="5+ items")).to_be_visible()
    assert accessible() == []
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.get_by_role("checkbox", name="Select all on this page")).to_be_visible()
    page.get_by_role("checkbox", name="Select all on this page").check()
    expect(page.locator("[data-count]")).to_have_text("3 selected")
    page.get_by_role("link", name="Select all 5+ items that match").click()
    expect(page.locator("[data-count]")).to_have_text("7 selected")
    expect(page.locator("[data-sum]")).to_have_text("NOK\u00a07,000.00")
    expect(page.get_by_text("All 7 items that match are selected.")).to_be_visible()
    expect(page.get_by_role("button", name="Mark ready to invoice")).to_be_focused()
    assert accessible(in_dark=False) == []
    box = page.locator("input[name=pk]").first
    box.uncheck()
    expect(page.locator("[data-count]")).to_have_text("2 selected")
    expect(page.get_by_text("All 7 items that match are selected.")).to_be_hidden()
    box.check()
    page.get_by_role("link", name="Select all 7 items that match").click()
    expect(page.locator("[data-count]")).to_have_text("7 selected")
    page.get_by_role("button", name="Mark ready to invoice").click()
    expect(page.get_by_text("7 items marked ready to invoice.")).to_be_visible()
    assert BacklogItem.objects.ready().count() == 7


def test_all_rows_are_selected_without_a_script(it, browser, base_url, sign_in, page):
    """BKL-2"""
    sign_in(it.manager)
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(page.context.cookies())
    plain = context.new_page()
    plain.goto(base_url + reverse("backlog"))
    plain.get_by_role("link", name="Select all 5+ items that match").click()
    expect(plain.get_by_text("All 7 items that match are selected.")).to_be_visible()
    expect(plain.locator("input[name=pk]:checked:disabled")).to_have_count(4)
    plain.get_by_role("link", name="Clear the selection").click()
    expect(plain.locator("input[name=pk]:checked")).to_have_count(0)
    plain.go_back()
    plain.get_by_role("button", name=re.compile("^Mark ready")).click()
    expect(plain.get_by_text("7 items marked ready to invoice.")).to_be_visible()
    context.close()
    assert BacklogItem.objects.ready().count() == 7
