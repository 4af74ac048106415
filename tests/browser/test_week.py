"""The week grid updates its totals while the user types."""

import datetime

import pytest
from playwright.sync_api import expect

from tests.factories import company, time_entry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MONDAY = datetime.date(2026, 3, 2)


def test_rejected_hours_count_once_they_are_changed(page, base_url, sign_in):
    """APP-10: 4 h rejected and 3 h in draft are 3 h; changed to 5 h they are 8 h."""
    it = company()
    time_entry(it, "3", date=MONDAY, status="draft")
    time_entry(it, "4", date=MONDAY, status="rejected", task=None)
    sign_in(it.member)
    page.goto(f"{base_url}/time/{MONDAY}/")
    total = page.locator(f"[data-day-total='{MONDAY}']")
    expect(total).to_have_text("3")
    rejected = page.locator("input[data-rejected]")
    rejected.fill("5")
    expect(total).to_have_text("8")
    expect(page.locator("[data-week-total]")).to_have_text("8")
    rejected.fill("4")
    expect(total).to_have_text("3")
