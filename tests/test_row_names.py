"""Every checkbox of a row has a name that describes the row, and different rows have different names."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.operations import approve, confirm_contract, mark_ready
from ledger.invoicing.operations import proposals
from ledger.journal.operations import journals
from proforma import operations as proformas
from tests.factories import contract, contract_line, expense_entry, time_entry
from tests.factories.company import customer
from tests.factories.rows import ProjectFactory, TaskFactory
from tests.journeys.steps import APRIL_1, MARCH_31, drafted, journalled
from tests.test_access import ADDRESSES, world
from tests.test_lists import FILLED, UNDER

pytestmark = pytest.mark.django_db
SHORTEST = 12  # "Select 1806" is shorter
# Pages with checkboxes for rows: the reader, and the row of the page.
PAGES = {
    "backlog": ("manager", None),
    "milestones": ("manager", None),
    "entries": ("member", None),
    "expenses": ("member", None),
    "approvals": ("manager", None),
    "approved": ("manager", None),
    "proformas": ("manager", None),
    "proforma": ("manager", "draft"),
    "new_proforma": ("manager", None),
    "journals": ("accountant", None),
    "journal": ("accountant", "open_journal"),
    "proposals": ("accountant", None),
    "proposal_lines": ("accountant", "open_proposal"),
    "invoices": ("accountant", None),
}


class Boxes(HTMLParser):
    """The checkboxes of rows on a page: the name of each, and the text of its row without the status."""

    def __init__(self, page):
        super().__init__()
        self.found, self._row, self._in_label, self._in_status = [], None, False, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "tr":
            self._row = {"is_chosen": False, "called": "", "shows": ""}
        elif tag == "td":
            self._in_status = "c-status" in attributes.get("class", "")
        elif tag == "label":
            self._in_label = True
        elif tag == "input" and self._row and attributes.get("name") in ("pk", "contracts"):
            self._row["is_chosen"] = attributes["type"] == "checkbox"
            self._row["called"] += attributes.get("aria-label", "")

    def handle_endtag(self, tag):
        if tag == "label":
            self._in_label = False
        elif tag == "tr" and self._row:
            if self._row["is_chosen"]:
                self.found.append(tuple(" ".join(self._row[name].split()) for name in ("called", "shows")))
            self._row = None

    def handle_data(self, text):
        if self._row and not self._in_status:
            self._row["called" if self._in_label else "shows"] += f" {text}"


def work(it, status="submitted"):
    """Entries without a description that differ in day, hours, person, amount or class."""
    fields = {"status": status, "project": it.second, "description": ""}
    times = [("7.5", 3, it.resource), ("3", 3, it.resource), ("7.5", 4, it.resource)]
    times += [("7.5", 3, it.manager_resource)]
    entries = [
        time_entry(it, hours, date=date(2025, 3, day), resource=who, task=it.dredging, **fields)
        for hours, day, who in times
    ]
    return entries + [expense_entry(it, amount, date=date(2025, 3, 3), **fields) for amount in ("120", "80")]


@pytest.fixture(scope="module")
def whole_company(django_db_setup, django_db_blocker):
    """Created once; two customers share all the work of a second contract."""
    with django_db_blocker.unblock(), transaction.atomic():
        it = world("NO1")
        it.second = ProjectFactory(entity=it.entity, code="NO1-P2", name="Harbour")
        it.second.managers.add(it.manager)
        it.dredging = TaskFactory(project=it.second, name="Dredging")
        shares = [(it.customer, 50), (customer(it), 50)]
        deal = contract(it, lines=[{"project": it.second}], customers=shares)
        milestones = [{"amount": amount, "date": date(2025, 6, 1)} for amount in (6000, 4000)]
        contract_line(
            deal,
            method="fixed",
            project=it.second,
            includes_time=False,
            includes_expense=False,
            includes_material=False,
            includes_fee=False,
            milestones=milestones,
        )
        confirm_contract(deal, by=it.manager, on=MARCH_31)
        approve(work(it), by=it.manager, on=MARCH_31)
        journalled(it)
        confirmed, it.rows["draft"] = drafted(it, deal)
        proposal = proposals.create_proposal(proformas.confirm(confirmed, by=it.manager, on=APRIL_1))
        it.rows["open_proposal"] = proposals.fill_lines(proposal)
        approve(work(it), by=it.manager, on=MARCH_31)
        taken = journals.add_to_journals(it.entity, on=MARCH_31, by=it.accountant)
        it.rows["open_journal"] = taken.journals[0]
        waiting = BacklogItem.objects.open().filter(contract=deal, actual__isnull=False)
        mark_ready(waiting.filter(contract_customer=it.rows["draft"].contract_customer), by=it.manager)
        work(it)
        work(it, "draft")
        yield it
        transaction.set_rollback(True)


@pytest.fixture
def it(whole_company, db):
    return whole_company


def boxes(client, it, name):
    reader, row = PAGES[name]
    client.force_login(getattr(it, reader))
    response = client.get(reverse(name, args=[it.rows[row].pk] if row else []) + "?_size=200")
    assert response.status_code == 200
    return Boxes(response.content.decode()).found


def test_every_list_with_checkboxes_is_tested():
    chosen_from = {
        name
        for name in (*FILLED, *UNDER)
        if ADDRESSES[name].callback.view_class.actions
        and ADDRESSES[name].callback.view_class.table_class.selectable
    }
    assert sorted(chosen_from - set(PAGES)) == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_checkbox_names_its_row(name, it, client):
    """WCAG 2.4.6 and 4.1.2: with customer, contract or project, the kind of work, day and quantity."""
    found = boxes(client, it, name)
    assert found, "no row of the list can be chosen, so nothing was looked at"
    for called, _ in found:
        words = called.removeprefix("Select").removeprefix("Choose").strip()
        assert len(words) >= SHORTEST, called
        assert not words.isdigit(), called


@pytest.mark.parametrize("name", sorted(PAGES))
def test_names_need_no_query_per_row(name, it, client):
    """The names are loaded with the rows."""
    with CaptureQueriesContext(connection) as captured:
        boxes(client, it, name)
    one = re.compile(r'FROM "contracts_(task|category|product)" WHERE "contracts_\1"."id" = ')
    assert [query["sql"] for query in captured if one.search(query["sql"])] == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_different_rows_have_different_names(name, it, client):
    shown = {}
    for called, shows in boxes(client, it, name):
        assert shown.setdefault(called, shows) == shows, called


def test_work_without_a_description_is_named_after_its_role_or_category(it, client):
    """In every app, and never only with its key or its class."""
    for name, reader, *row in (
        ("approvals", it.manager),
        ("backlog", it.manager),
        ("proforma", it.manager, it.rows["draft"].pk),
        ("journal", it.accountant, it.rows["open_journal"].pk),
        ("proposal_lines", it.accountant, it.rows["open_proposal"].pk),
    ):
        client.force_login(reader)
        page = client.get(reverse(name, args=row) + "?_size=200").content.decode()
        titles = re.findall(r'<div class="main">(?:<a [^>]*>)?([^<]*)<', page)
        # Each customer's half of 7.5 and of 3 hours; costs and entries are whole.
        halves = {"Dredging, 3.75 h", "Dredging, 1.5 h"}
        assert halves <= set(titles) or {"Dredging, 7.5 h", "Dredging, 3 h"} <= set(titles), name
        assert not {"Dredging", "Travel", "Time", "Expense"} & set(titles), name


def test_an_actual_without_a_description_is_named_after_its_role_or_category(it, client):
    with transaction.atomic():
        approve(work(it), by=it.manager, on=MARCH_31)
        client.force_login(it.accountant)
        page = client.get(reverse("waiting_actuals")).content.decode()
        transaction.set_rollback(True)
    assert ">Dredging, 7.5 h</a>" in page
    assert ">Travel, 1 each</a>" in page
