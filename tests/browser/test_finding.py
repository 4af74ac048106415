"""A filter of many rows is a combobox: type, choose by keyboard or mouse, clear."""

import pytest
from playwright.sync_api import expect

from tests.factories import company, contract, customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def it():
    it = company()
    for n in range(60):
        customer(it, number=f"K-{n:03}", name=f"Customer {n}")
    it.nord = customer(it, number="K-NORD", name="Nordlys AS")
    it.sor = customer(it, number="K-SOR", name="Sørlys AS")
    contract(it, customers=[(it.nord, 100)], name="In the north")
    contract(it, customers=[(it.sor, 100)], name="In the south")
    return it


def test_a_row_is_found_and_chosen(it, page, base_url, sign_in, accessible):
    sign_in(it.accountant)
    page.goto(f"{base_url}/contracts/")
    field = page.get_by_role("combobox", name="Customer")
    options = page.get_by_role("listbox", name="Customer").get_by_role("option")
    chosen = page.locator("#results .tag")

    # By keyboard
    field.press_sequentially("lys")
    expect(options).to_have_text(["Nordlys AS", "Sørlys AS"])
    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "id_customer_found_1")
    assert accessible() == []
    field.press("Enter")
    expect(chosen).to_contain_text("Customer: Sørlys AS")
    expect(page.get_by_text("In the south")).to_be_visible()
    expect(page.get_by_text("In the north")).to_have_count(0)
    assert page.url == f"{base_url}/contracts/?customer={it.sor.pk}"

    # The address has the choice
    page.reload()
    expect(field).to_have_value("Sørlys AS")

    # Escape closes the list, then clears the field
    field.focus()
    field.press("ArrowDown")
    expect(options).to_have_text(["Sørlys AS"])
    field.press("Escape")
    expect(options).to_have_count(0)
    field.press("Escape")
    expect(chosen).to_have_count(0)
    expect(page.get_by_text("In the north")).to_be_visible()

    # By mouse
    field.fill("nord")
    options.filter(has_text="Nordlys AS").click()
    expect(chosen).to_contain_text("Customer: Nordlys AS")

    # Without a choice, the text filters
    field.fill("lys")
    field.press("Enter")
    expect(chosen).to_contain_text("Customer: “lys”")
    expect(page.get_by_text("In the south")).to_be_visible()
    assert page.url == f"{base_url}/contracts/?customer_text=lys"


def test_without_javascript_the_text_filters(it, browser, base_url, sign_in, page):
    sign_in(it.accountant)
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(f"{base_url}/contracts/?customer={it.sor.pk}")
    field = plain.get_by_role("textbox", name="Customer")
    expect(field).to_have_value("Sørlys AS")
    field.fill("nord")
    plain.get_by_role("button", name="Apply filters").click()
    expect(plain.locator("#results .tag")).to_contain_text("Customer: “nord”")
    expect(plain.get_by_text("In the north")).to_be_visible()
    expect(plain.get_by_text("In the south")).to_have_count(0)
    context.close()
