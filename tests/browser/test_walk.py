"""An hour from the timesheet to the PDF of the invoice, in the browser, by four people.

7.5 h at 200.00 and an expense of 400.00 at cost: 1,500.00 + 400.00 = 1,900.00 net, 25 % of it 475.00 tax,
2,375.00 in all.
"""

import datetime
import re
from io import BytesIO

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from contracts.models import InvoiceFrequency
from invoicing_site import verify
from ledger.models import CustomerInvoice
from tests.factories import company, contract, time_entry
from tests.factories.rows import MembershipFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RECEIPT = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def it():
    it = company()
    it.deal = contract(it, code="C-1", name="Harbour portal", starts=datetime.date(2025, 1, 1))
    return it


def press(page, name, **kwargs):
    page.get_by_role("button", name=name, **kwargs).click()


def expect_message(page, text):
    expect(page.locator(".flash").filter(has_text=text).first).to_be_visible()
    page.wait_for_load_state()  # keyboard shortcuts do nothing until the scripts of the new page have run


def test_an_hour_and_an_expense_become_an_invoice(page, base_url, sign_in, it):
    """ACT-2, APP-1, APP-2, BKL-2, PRO-5, JRN-4, PST-1, DOC-1"""
    # The manager confirms the contract.
    sign_in(it.manager)
    page.goto(f"{base_url}/contracts/{it.deal.pk}/")
    press(page, "Confirm contract")
    confirm(page)
    expect(page.locator("h1")).to_contain_text("Confirmed")

    # The member fills in a week and submits it, with an expense and its receipt.
    sign_in(it.member)
    page.goto(f"{base_url}/")
    page.get_by_role("link", name="Time", exact=True).click()
    page.get_by_label("Project").select_option(str(it.project.pk))
    press(page, "Add row")
    monday = page.locator("input[data-cell]").first
    monday.fill("7:30")
    monday.press("ArrowDown")
    expect(page.locator("[data-week-total]")).to_have_text("7.5")
    page.get_by_label(re.compile("^Description of")).fill("Mapped the quays")
    press(page, "Submit week")
    expect(page.locator("td.locked").first).to_contain_text("Submitted")
    page.goto(f"{base_url}/expenses/new/")
    page.get_by_label("Category").select_option(str(it.travel.pk))
    page.get_by_label("Project").select_option(str(it.project.pk))
    page.get_by_label("Net amount").fill("400")
    page.get_by_label("Description").fill("Ferry tickets")
    page.get_by_label("Receipt").set_input_files(
        {"name": "ferry.pdf", "mimeType": "application/pdf", "buffer": RECEIPT}
    )
    press(page, "Submit for approval")
    expect(page.get_by_role("link", name="Ferry tickets")).to_be_visible()

    # The manager approves both, and marks the shares ready with the keyboard alone.
    sign_in(it.manager)
    page.goto(f"{base_url}/")
    page.get_by_role("link", name=re.compile("Entries to approve")).click()
    page.get_by_label("Select all on this page").check()
    press(page, "Approve")
    expect_message(page, "2 entries approved")
    mark_by_keyboard(page, base_url)

    # A proforma is created from ready items, edited, confirmed.
    page.goto(f"{base_url}/proformas/new/?contract={it.deal.pk}")
    page.get_by_role("checkbox").first.check()
    press(page, "Create proformas")
    page.goto(f"{base_url}/proformas/")
    page.locator("td.c-main a").first.click()
    expect(page.get_by_text("1,900.00").first).to_be_visible()
    press(page, re.compile("^Confirm"))
    confirm(page)
    expect(page.locator("h1")).to_contain_text("Confirmed")

    # The accountant posts the journals, opens the proposal, posts it, prints it.
    sign_in(it.accountant)
    page.goto(f"{base_url}/journals/")
    press(page, "Add actuals to journals")
    page.get_by_label("Select all on this page").check()
    press(page, re.compile("^Post"))
    confirm(page)
    page.goto(f"{base_url}/proposals/")
    page.locator("td.c-main a").first.click()
    expect(page.get_by_text("2,375.00").first).to_be_visible()
    press(page, re.compile("^Post"))
    confirm(page)
    expect(page).to_have_url(re.compile(r"/invoices/\d+/$"))
    invoice = CustomerInvoice.objects.get()
    expect(page.locator("h1")).to_contain_text(invoice.number)

    # The PDF for the customer has the same content.
    printed = text_of(page, f"{base_url}/invoices/{invoice.pk}/pdf/")
    for words in (invoice.number, it.customer.name, "Mapped the quays", "1,900.00", "475.00", "2,375.00"):
        assert words in printed, words

    # The auditor follows the amount back to the hour, and finds the post in the audit trail.
    sign_in(it.auditor)
    page.goto(f"{base_url}/explain/invoice/{invoice.pk}/")
    expect(page.locator("main")).to_contain_text("Mapped the quays")
    page.goto(f"{base_url}/audit/")
    expect(page.locator("main")).to_contain_text(invoice.number)
    assert verify.findings(it.entity) == []


def confirm(page):
    """Confirm the dialog before an action that can't be undone."""
    with page.expect_navigation():
        page.locator("dialog#confirm[open] button[value=ok]").click()


def text_of(page, address):
    """The text of a PDF, as the browser downloads it."""
    answer = page.request.get(address)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/pdf"
    pages = PdfReader(BytesIO(answer.body())).pages
    return " ".join(" ".join(each.extract_text().split()) for each in pages)


def mark_by_keyboard(page, base_url):
    """BKL-7: open the page, move through rows, select, mark, undo, mark: with the keyboard only."""
    page.goto(base_url)
    keys = page.keyboard
    keys.press("g")
    keys.press("b")
    expect(page.get_by_role("heading", level=1)).to_contain_text("backlog")
    expect(page.locator("table[data-keys]")).to_be_visible()
    keys.press("ArrowDown")
    keys.press("Space")
    keys.press("Shift+ArrowDown")
    expect(page.locator("[data-count]")).to_have_text("2 selected")
    expect(page.locator("[data-sum]")).to_contain_text("1,900.00")
    keys.press("r")
    expect_message(page, "2 items marked ready to invoice")
    keys.press("u")
    expect_message(page, "2 items restored")
    keys.press("u")
    expect_message(page, "There is nothing to undo here.")
    keys.press("ArrowDown")
    keys.press("a")
    keys.press("r")
    expect_message(page, "2 items marked ready to invoice")
    expect(page.locator("td .chip.ready").filter(has_text="Ready to invoice")).to_have_count(2)


def test_an_administrator_sets_up_and_cannot_change_billed_rows(page, base_url, sign_in, it):
    """Section 11: Django admin is for the set-up; business rows are read-only there."""
    entry = time_entry(it)
    administrator = UserFactory(is_staff=True)
    MembershipFactory(user=administrator, entity=it.entity, role="administrator")
    sign_in(administrator)
    page.goto(f"{base_url}/")
    page.get_by_role("link", name=re.compile("^Set-up")).click()
    page.goto(f"{base_url}/admin/contracts/invoicefrequency/add/")
    page.get_by_label("Legal entity").or_(page.locator("select[name=entity]")).first.wait_for()
    page.locator("input[name=code]").fill("MONTHLY")
    page.locator("input[name=name]").fill("Every month")
    page.locator("select[name=rhythm]").select_option("monthly")
    page.locator("input[name=days]").fill("31")
    page.locator("button[name=_save], input[name=_save]").first.click()
    assert InvoiceFrequency.objects.filter(code="MONTHLY").exists()
    page.goto(f"{base_url}/admin/actuals/entry/{entry.pk}/change/")
    expect(page.locator("button[name=_save], input[name=_save]")).to_have_count(0)
    page.goto(f"{base_url}/")
    assert page.request.get(f"{base_url}/backlog/").status == 403


def test_a_member_copies_last_week_and_moves_in_it_with_arrow_keys(page, base_url, sign_in, it):
    """APP-1"""
    last_monday = it.entity.today() - datetime.timedelta(days=7 + it.entity.today().weekday())
    time_entry(it, hours="6", date=last_monday, status="draft")
    sign_in(it.member)
    page.goto(f"{base_url}/time/")
    page.get_by_text("Copy last week").click()
    press(page, "Rows and hours, as drafts")
    cells = page.locator("input[data-cell]")
    expect(cells.first).to_have_value("6")
    cells.first.select_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.type("2,25")
    expect(page.locator("[data-week-total]")).to_have_text("8.25")
    press(page, "Save", exact=True)
    expect(page.locator("input[data-cell]").nth(1)).to_have_value("2.25")


def test_a_filter_puts_only_filled_fields_in_the_address(page, base_url, sign_in, it):
    """With every empty field, the address of a list with many filters would be too long for the server."""
    sign_in(it.manager)
    page.goto(f"{base_url}/backlog/")
    page.get_by_role("searchbox", name="Search", exact=True).fill("design")
    expect(page).to_have_url(f"{base_url}/backlog/?q=design")
