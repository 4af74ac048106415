"""A list as a file: plain values, every amount with a column for its currency (BKL-1, MON-1)."""

import csv
import re
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from django.db import transaction
from django.urls import reverse
from openpyxl import load_workbook

from backlog.models import BacklogItem
from contracts.models import Customer
from ledger.models import CustomerInvoice
from tests.test_access import world
from tests.test_lists import FILLED, UNDER, copies, numbered, vouchers

pytestmark = pytest.mark.django_db

# List: the headings of its amounts, in their order; the currency follows the last.
AMOUNTS = {
    "backlog": ["Amount", "Charged"],
    "milestones": ["Amount"],
    "entries": ["Net"],
    "expenses": ["Tax", "Net"],
    "imported_entries": ["Net"],
    "approvals": ["Amount"],
    "approved": ["Sales"],
    "imports": [],
    "contracts": ["Value", "Billed", "Remaining", "Ready"],
    "hub": ["Value", "Billed", "Remaining", "Ready"],
    "proformas": ["Net total", "Tax", "Total"],
    "runs": ["Total"],
    "journals": ["Cost", "Unbilled sales"],
    "journal": ["Amount"],
    "proposals": ["Net", "Tax", "Total"],
    "proposal_lines": ["Net"],
    "invoices": ["Net", "Tax", "Total", "Open"],
    "vouchers": ["Debits"],
    "customers": ["Open", "Not due", "1–30 days", "31–60 days", "61–90 days", "Over 90 days"],
    "projects": ["Cost", "Invoiced revenue", "Invoiced on account", "Disbursements billed", "Gross margin"],
    "audit_trail": [],
    "seals": [],
}
# Other columns with numbers.
OTHER_NUMBERS = {
    "Quantity",
    "Price",
    "Billed so far",
    "Rows",
    "Added",
    "Run number",
    "Created",
    "Failed",
    "Nothing ready",
    "Lines",
    "In error",
    "Rate",
    "No.",
    "Hours",
    "Seal",
}
# The columns of the totals above the list.
ADDED_UP = {
    "backlog": "Charged",
    "milestones": "Amount",
    "expenses": "Net",
    "proformas": "Net total",
    "journal": "Amount",
    "proposals": "Net",
    "proposal_lines": "Net",
    "invoices": "Total",
    "vouchers": "Debits",
}
LISTS = sorted([*FILLED, *UNDER])

_MARKUP = re.compile(r"</?[a-zA-Z]|&[a-z]+;")
_AMOUNT_AS_TEXT = re.compile(r"[A-Z]{3} ?-?[\d.,]+|-?[\d.,]+ ?[A-Z]{3}|[-−]?\d+[.,]\d+")
_DAY_AS_TEXT = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}.*|\d{4}-\d\d-\d\d.*")


@pytest.fixture(scope="module")
def whole_company(django_db_setup, django_db_blocker):
    """Created once; rolled back with the transaction around all tests of this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield world("NO1")
        transaction.set_rollback(True)


@pytest.fixture
def it(whole_company, db):
    return whole_company


def filled(name, it, client):
    """The address of the list with some rows, half of them in euro if that matters, and its reader."""
    who, fill, row = (*FILLED[name], None) if name in FILLED else UNDER[name]
    fill(it, 5)
    if name == "backlog":
        euro_work(it, 2)
        spared_work(it)
    if name == "imported_entries":
        copies(it.rows["expense"], 2, source=it.rows["import"])
    if name in ("invoices", "customers"):
        euro_invoices(it, 2)
    client.force_login(getattr(it, who))
    return reverse(name, args=[it.rows[row].pk] if row else [])


def euro_work(it, n):
    actual = it.rows["sale"]
    facts = copies(actual, n, entry=None, cost=None, currency="EUR")
    item = BacklogItem.objects.get(actual=actual)
    copies(
        item,
        n,
        actual_id=lambda i: facts[i].pk,
        status="not_ready",
        limit_status="na",
        currency="EUR",
        amount=Decimal("250.50"),
    )


def spared_work(it):
    """Non-chargeable work of 100: a row of the file that is in no total."""
    (fact,) = copies(it.rows["sale"], 1, entry=None, cost=None, billing_type="non_chargeable")
    item = BacklogItem.objects.get(actual=it.rows["sale"])
    copies(item, 1, actual_id=fact.pk, status="not_ready", limit_status="na", amount=Decimal(100))


def euro_invoices(it, n):
    own = it.rows["invoice"]
    made = copies(it.rows["proforma"], n, number=numbered("P"), batch=None, status="draft")
    held = copies(own.proposal, n, proforma_id=lambda i: made[i].pk, number=numbered("R"))
    books = vouchers(it, n)
    last = CustomerInvoice.objects.order_by("seq").last().seq
    return copies(
        own,
        n,
        number=numbered("E"),
        seq=lambda i: last + 1 + i,
        proposal_id=lambda i: held[i].pk,
        voucher_id=lambda i: books[i].pk,
        currency="EUR",
    )


def sheet(client, address, query):
    """The rows of the list as an XLSX file: a dictionary of each, by heading."""
    book = load_workbook(BytesIO(client.get(address, query | {"_export": "xlsx"}).getvalue()))
    headings, *rows = book.active.iter_rows(values_only=True)
    assert len(set(headings)) == len(headings), headings
    return list(headings), [dict(zip(headings, row, strict=True)) for row in rows]


def text(client, address, query):
    """The rows of the list as a CSV file."""
    content = client.get(address, query | {"_export": "csv"}).getvalue().decode("utf-8-sig")
    return list(csv.DictReader(StringIO(content)))


def test_every_list_declares_its_amount_columns():
    assert sorted(AMOUNTS) == LISTS


@pytest.mark.parametrize("name", LISTS)
def test_a_file_has_plain_values_and_currencies(name, it, client):
    """BKL-1, MON-1: no markup, no amount or day as text, amounts in minor units, each with its currency."""
    address = filled(name, it, client)
    columns = client.get(address).context["columns"]
    for query in ({}, {"_columns": [column for column, _, _ in columns]}):
        headings, rows = sheet(client, address, query)
        assert rows
        amounts = [heading for heading in AMOUNTS[name] if heading in headings]
        assert not query or amounts == AMOUNTS[name]
        if amounts:
            assert headings[headings.index(amounts[-1]) + 1] == "Currency"
            assert name == "runs" or any(row[heading] is not None for row in rows for heading in amounts)
        for row in rows:
            for heading, value in row.items():
                if isinstance(value, str):
                    for wrong in (_MARKUP.search, _AMOUNT_AS_TEXT.fullmatch, _DAY_AS_TEXT.fullmatch):
                        assert not wrong(value), (heading, value)
                elif isinstance(value, int | float):
                    assert heading in amounts or heading in OTHER_NUMBERS, heading
                else:
                    assert value is None or isinstance(value, date | datetime), (heading, value)
            if any(row[heading] is not None for heading in amounts):
                assert row["Currency"] in ("NOK", "EUR")

        lines = text(client, address, query)
        assert len(lines) == len(rows)
        assert list(lines[0]) == headings
        for line in lines:
            for heading in headings:
                assert not _MARKUP.search(line[heading])
                if heading in amounts:
                    assert re.fullmatch(r"(-?\d+\.\d\d)?", line[heading]), (heading, line[heading])
                elif heading in OTHER_NUMBERS:
                    assert re.fullmatch(r"(-?\d+(\.\d*[1-9])?)?", line[heading]), (heading, line[heading])


def added_up(rows, heading):
    sums = defaultdict(Decimal)
    for row in rows:
        if row[heading]:
            sums[row["Currency"]] += Decimal(row[heading])
    return dict(sums)


@pytest.mark.parametrize("name", LISTS)
def test_a_file_adds_up_to_the_totals_of_its_page(name, it, client):
    """BKL-1: by currency, the same totals as above the list."""
    address = filled(name, it, client)
    page = client.get(address).context
    shown = {each["currency"]: each["sum"] for each in page["sums"] if each["sum"]}
    if name == "hub":  # the open amount of its contracts, which is not a column
        return
    if name not in ADDED_UP:
        assert not shown
        return
    assert added_up(text(client, address, {}), ADDED_UP[name]) == shown
    assert (name not in ("backlog", "invoices")) or len(shown) == 2


def test_a_customer_of_two_currencies_has_a_row_for_each(it, client, monkeypatch):
    """PST-8: each open amount is in one row, and the rows add up to the total of the page."""
    euro_invoices(it, 1)
    client.force_login(it.accountant)
    address = reverse("customers")
    customer = it.rows["customer"]

    def aged(screen, customers):
        return [
            _Aged(customer, "NOK", Decimal("100.5000")),
            _Aged(customer, "EUR", Decimal("20.0000")),
        ]

    monkeypatch.setattr("ledger.reports.views.customers.Customers.aged", aged)
    own = [row for row in text(client, address, {}) if row["Number"] == customer.number]
    assert [(row["Open"], row["Over 90 days"], row["Currency"]) for row in own] == [
        ("100.50", "100.50", "NOK"),
        ("20.00", "20.00", "EUR"),
    ]
    others = [row for row in text(client, address, {}) if row["Number"] != customer.number]
    assert len(others) == Customer.objects.filter(entity=it.entity).count() - 1


class _Aged:
    """The open amount of a customer in one currency, all of it old."""

    not_due = days_1_30 = days_31_60 = days_61_90 = Decimal(0)

    def __init__(self, customer, currency, total):
        self.customer, self.currency = customer, currency
        self.total = self.overdue = self.over_90 = total


def test_a_run_of_two_currencies_counts_its_contracts_once(it, client, monkeypatch):
    run = it.rows["run"]
    totals = {run.pk: {"NOK": Decimal("1250.0100"), "EUR": Decimal(80)}}
    monkeypatch.setattr("proforma.tables.run_totals", lambda runs, user: totals)
    client.force_login(it.manager)
    first, second = (row for row in text(client, reverse("runs"), {}) if row["Run"].endswith(f" {run.pk}"))
    assert (first["Total"], first["Currency"]) == ("1250.01", "NOK")
    assert (second["Total"], second["Currency"]) == ("80.00", "EUR")
    assert first["Run"] == second["Run"]
    assert first["Created"].isdigit()
    assert second["Created"] == second["Failed"] == second["Nothing ready"] == ""


def test_an_invoice_has_its_days_as_days(it, client):
    """BKL-1: as ISO dates in a CSV, as real dates in a workbook, the due date in a column of its own."""
    invoice = it.rows["invoice"]
    client.force_login(it.accountant)
    for name, number in (("invoices", invoice.number), ("proposals", invoice.proposal.number)):
        _, rows = sheet(client, reverse(name), {})
        row = next(row for row in rows if number in row.values())
        assert row["Invoice date"].date() == invoice.invoice_date
        assert row["Due"].date() == invoice.due_date
        line = next(row for row in text(client, reverse(name), {}) if number in row.values())
        assert line["Invoice date"] == invoice.invoice_date.isoformat()
        assert line["Due"] == invoice.due_date.isoformat()
        assert row["Contract"] == line["Contract"] == invoice.contract_code
