"""The shared screens, tested with the backlog: selection, export, saved views, refusals."""

import gc
import re
import weakref
from datetime import date
from decimal import Decimal
from io import BytesIO

import django_tables2 as tables
import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from redis.exceptions import ConnectionError as RedisConnectionError

from actuals.models import Entry
from backlog.models import BacklogItem
from backlog.operations import approve, mark_ready
from backlog.tables import BacklogTable
from invoicing_site.models import Notice, SavedView
from invoicing_site.screens import export
from invoicing_site.screens.tables import Table
from proforma.operations import create_proformas
from tests.factories import UserFactory, company, contract, expense_entry, ready_item, time_entry
from tests.factories.rows import MembershipFactory

pytestmark = pytest.mark.django_db
BACKLOG = "/backlog/"


@pytest.fixture
def it(client):
    it = company()
    it.deal = contract(it, confirmed=True)
    client.force_login(it.manager)
    return it


def waiting(it, n=1, **fields):
    return [ready_item(it, it.deal, status="not_ready", **fields) for _ in range(n)]


def marked():
    return set(BacklogItem.objects.ready().values_list("pk", flat=True))


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def all_matching(client, query=""):
    """The data that the page posts if all matching rows are selected."""
    context = client.get(f"{BACKLOG}?{query}&_all=1").context
    return {"all_matching": "1", "filter": context["query"], "stamp": context["stamp"]}


def test_rows_are_selected_by_their_keys(it, client):
    """BKL-2"""
    first, second = waiting(it, 2)
    response = client.post(reverse("mark_ready"), {"pk": [first.pk]}, follow=True)
    assert marked() == {first.pk}
    assert messages_of(response) == ["1 item marked ready to invoice."]


def test_all_matching_rows_are_selected_by_the_filter(it, client):
    """BKL-2"""
    items = waiting(it, 3, description="design")
    other = waiting(it, 1, description="travel")
    client.post(reverse("mark_ready"), all_matching(client, "q=design"))
    assert marked() == {item.pk for item in items}
    assert other[0].pk not in marked()


def test_selecting_all_is_refused_when_rows_were_added_meanwhile(it, client):
    """BKL-2: the number of rows that was shown must be the number that changes."""
    waiting(it, 2)
    shown = all_matching(client)
    waiting(it, 1)
    response = client.post(reverse("mark_ready"), shown, follow=True)
    assert marked() == set()
    assert "had 2 rows when you selected all, and now it has 3." in messages_of(response)[0]


def test_selecting_all_is_refused_when_a_row_was_replaced(it, client):
    """BKL-2: the count is the same, the rows are not."""
    first = waiting(it, 2)[0]
    shown = all_matching(client)
    BacklogItem.objects.filter(pk=first.pk).update(status="canceled")
    waiting(it, 1)
    client.post(reverse("mark_ready"), shown)
    assert marked() == set()


def test_rows_of_others_cannot_be_selected(it, client):
    """SEC-1"""
    foreign = company(code="AWAY")
    item = ready_item(foreign, contract(foreign, confirmed=True), status="not_ready")
    response = client.post(reverse("mark_ready"), {"pk": [item.pk]}, follow=True)
    assert marked() == set()
    assert messages_of(response) == ["Nothing is selected. Select the rows, then press the button again."]


def test_a_visible_row_that_the_user_cannot_change_is_skipped(it, client):
    """SEC-1: an auditor who also manages a contract sees all rows, and marks those of that contract."""
    both = UserFactory()
    MembershipFactory(user=both, entity=it.entity, role="auditor")
    MembershipFactory(user=both, entity=it.entity, role="manager")
    (item,) = waiting(it)
    client.force_login(both)
    assert client.get(BACKLOG).context["matching"] == 1
    client.post(reverse("mark_ready"), {"pk": [item.pk]})
    assert marked() == set()


def test_the_message_has_an_undo(it, client):
    """BKL-2"""
    (item,) = waiting(it)
    response = client.post(reverse("mark_ready"), {"pk": [item.pk]}, follow=True)
    (message,) = response.context["messages"]
    client.post(message.extra_tags.removeprefix("undo:"))
    assert marked() == set()


def test_the_action_of_another_user_cannot_be_undone(it, client):
    """SEC-1"""
    (item,) = waiting(it)
    response = client.post(reverse("mark_ready"), {"pk": [item.pk]}, follow=True)
    (message,) = response.context["messages"]
    other = UserFactory()
    MembershipFactory(user=other, entity=it.entity, role="manager")
    client.force_login(other)
    assert client.post(message.extra_tags.removeprefix("undo:")).status_code == 404
    assert marked() == {item.pk}


def test_skipped_rows_are_named(it, client):
    """BKL-2, NTE-2"""
    (item,) = waiting(it)
    (failed,) = waiting(it, limit_status="not_evaluated")
    it.deal.limit = 100
    it.deal.save()
    response = client.post(reverse("mark_ready"), {"pk": [item.pk, failed.pk]}, follow=True)
    assert "1 item marked ready to invoice." in messages_of(response)[0]
    assert "Not changed: 1 not tested against its limit." in messages_of(response)[0]


def test_an_action_returns_to_the_filtered_list(it, client):
    (item,) = waiting(it, description="design")
    response = client.post(reverse("mark_ready"), {"pk": [item.pk], "filter": "q=design"})
    assert response.url == f"{BACKLOG}?q=design"


def test_totals_are_per_currency_for_the_whole_filter(it, client):
    """BKL-1"""
    waiting(it, 3)  # 7.5 h × 200 each, unless the factory says otherwise
    amounts = sum(BacklogItem.objects.values_list("amount", flat=True))
    (sums,) = client.get(f"{BACKLOG}?_size=25").context["sums"]
    assert (sums["currency"], sums["n"], sums["sum"]) == ("NOK", 3, amounts)


def test_the_shown_rows_are_exported(it, client):
    """BKL-1"""
    waiting(it, 2, description="=1+1")
    text = b"".join(client.get(f"{BACKLOG}?_export=csv&_columns=amount")).decode("utf-8-sig")
    lines = text.splitlines()
    assert lines[0] == "Item,Amount,Charged,Currency"
    assert lines[1].startswith("'=1+1,")  # no spreadsheet reads it as a formula
    assert len(lines) == 3
    content = client.get(f"{BACKLOG}?_export=xlsx").getvalue()
    assert load_workbook(BytesIO(content)).active.max_row == 3
    assert client.get(f"{BACKLOG}?_export=exe").status_code == 404


def test_a_printed_list_names_the_company_and_the_time(it, client):
    """The toolbar shows the filter in words, and is printed too."""
    waiting(it, description="design")
    page = client.get(f"{BACKLOG}?q=design").content.decode()
    (head,) = re.findall(r'<p class="print-only">(.*?)</p>', page)
    today = timezone.localtime()
    assert head.startswith(f"{it.entity.name} · printed {today.day} {today:%b %Y} ")
    assert head.endswith(f" by {it.manager}")
    assert "design<a" in page.partition('class="toolbar"')[2]


def test_filtering_updates_the_list_only(it, client):
    waiting(it)
    part = client.get(BACKLOG, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "1 item" in part


def test_invalid_values_in_the_address_are_no_error(it, client):
    for query in ("page=x", "customer=x", "since=yesterday", "sort=nothing", "_size=99999", "status=%00"):
        assert client.get(f"{BACKLOG}?{query}").status_code in (200, 404), query


def test_a_view_is_saved_by_name_for_its_user(it, client):
    data = {"page": "backlog", "name": "Old work", "query": "until=2025-01-31", "next": BACKLOG}
    client.post(reverse("save_view"), data)
    client.post(reverse("save_view"), data | {"query": "until=2025-02-28"})
    (view,) = SavedView.objects.all()
    assert view.query == "until=2025-02-28"
    assert "Old work" in client.get(BACKLOG).content.decode()
    client.force_login(it.auditor)
    assert "Old work" not in client.get(BACKLOG).content.decode()
    assert client.post(reverse("delete_view", args=[view.pk])).status_code == 404


def test_the_return_address_stays_on_this_site(it, client):
    response = client.post(
        reverse("save_view"), {"page": "backlog", "name": "x", "next": "https://evil.example/"}
    )
    assert response.url == "/"


def test_another_company_is_chosen(it, client):
    """SEC-1"""
    other, foreign = company(code="OTHER"), company(code="AWAY")
    MembershipFactory(user=it.manager, entity=other.entity, role="manager")
    client.post(reverse("choose_entity"), {"entity": other.entity.pk})
    assert client.get("/").wsgi_request.entity == other.entity
    assert client.post(reverse("choose_entity"), {"entity": foreign.entity.pk}).status_code == 404


def test_a_role_counts_in_its_own_company_only(it, client):
    """SEC-1: manager here, member there: no backlog there."""
    other = company(code="OTHER")
    MembershipFactory(user=it.manager, entity=other.entity, role="member")
    client.post(reverse("choose_entity"), {"entity": other.entity.pk})
    assert client.get(BACKLOG).status_code == 403


def test_users_see_their_own_notices_only(it, client):
    Notice.objects.create(user=it.manager, text="The run of today is finished.")
    Notice.objects.create(user=it.accountant, text="A secret.")
    page = client.get(reverse("notices")).content.decode()
    assert "The run of today is finished." in page
    assert "A secret." not in page
    client.post(reverse("read_notices"))
    assert Notice.objects.filter(read_at=None).count() == 1


def test_an_operation_refuses_get(it, client):
    assert client.get(reverse("mark_ready")).status_code == 405


@pytest.mark.parametrize("key", ["²", "9" * 25, "9" * 5000, "-1", "x\0y"])
def test_an_invalid_key_selects_no_row(it, client, key):
    """An invalid key is ignored; the other rows are selected."""
    item = waiting(it)[0]
    client.post(reverse("mark_ready"), {"pk": [key, item.pk]})
    assert marked() == {item.pk}
    assert client.post(reverse("mark_ready"), {"pk": key}).status_code == 302
    addresses = [f"{BACKLOG}?_size={key}", f"{BACKLOG}aging/?group={key}", f"/search/?q={key}"]
    addresses += [f"/proformas/?run={key}", f"/proformas/new/?contract={key}"]
    for address in addresses:
        assert client.get(address).status_code == 200, address
    assert client.post("/proformas/new/", {"contracts": key, "cutoff": "2026-03-31"}).status_code == 200
    assert client.post("/runs/new/", {"projects": key, "as_of": "2026-03-31"}).status_code == 200
    client.post("/views/save/", {"name": f"A{key}", "page": "backlog", "query": key})
    assert SavedView.objects.get().name.startswith("A")


def test_a_stamp_with_too_many_digits_selects_nothing(it, client):
    """BKL-2."""
    waiting(it)
    page = client.post(reverse("mark_ready"), {"all_matching": "1", "filter": "", "stamp": "9" * 5000})
    assert page.status_code == 302
    assert marked() == set()


def test_an_address_names_at_most_two_hundred_rows(it, client):
    """More keys than SQLite takes are no error."""
    item = waiting(it)[0]
    rows = "-".join(map(str, [item.pk, *range(10**6, 10**6 + 260_000)]))
    context = client.get(BACKLOG, {"rows": rows}).context
    assert context["matching"] == 1


@pytest.mark.parametrize("query", ["until=2026-02-30", "contract=999999", "q=" + "a" * 60_000])
def test_an_invalid_filter_selects_nothing(it, client, query):
    """BKL-2: a list without the filter would show, and mark, all rows."""
    waiting(it, 2)
    context = client.get(f"{BACKLOG}?{query}&_all=1").context
    assert context["matching"] == 0
    client.post(reverse("mark_ready"), {"all_matching": "1", "filter": query, "stamp": "2-3"})
    client.post(reverse("mark_ready"), {"all_matching": "1", "filter": query, "stamp": context["stamp"]})
    assert marked() == set()


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31", "1989-12-31"])
def test_aging_ignores_unreasonable_days(it, client, on):
    page = client.get(f"{BACKLOG}aging/?on={on}")
    assert "Enter a valid date. The page shows today." in page.content.decode()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=1+1", "=1+1"),
        ("\n=1+1", "\n=1+1"),
        ("＝1+1", "＝1+1"),
        ("\x0b=1+1", "=1+1"),
        ("Over\x0bview", "Overview"),
        ("a=1", "a=1"),
    ],
)
def test_no_text_of_a_workbook_is_a_formula(it, client, text, kept):
    """EXP-1: the cell is a text, also after editing, and no character is added."""
    waiting(it, description=text)
    content = client.get(f"{BACKLOG}?_export=xlsx").getvalue()
    cell = load_workbook(BytesIO(content)).active["A2"]
    assert (cell.value, cell.data_type) == (kept, "s")
    assert cell.quotePrefix == (kept != "Overview" and kept != "a=1")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("=1+1", "'=1+1"),
        ("a=1", "a=1"),
        ("Design, phase 2", '"Design, phase 2"'),
        ("x;y", '"x;y"'),
        ("x|y", '"x|y"'),
        ("x;=cmd", '"x;\'=cmd"'),
        ("x; +cmd", '"x; \'+cmd"'),
        ('x;"=cmd', '"x;""\'=cmd"'),
        ("x\t@cmd", '"x\t\'@cmd"'),
        ("x|-cmd", '"x|\'-cmd"'),
        ("x\n=cmd", '"x\n\'=cmd"'),
        ('say "hi"', '"say ""hi"""'),
        ("\n=1+1", "\"'\n'=1+1\""),
    ],
)
def test_no_text_of_a_csv_is_a_formula_in_any_country(it, client, text, field):
    """EXP-1: also where a spreadsheet splits lines at semicolons, tabs or bars, in spite of our quotes."""
    waiting(it, description=text)
    lines = client.get(f"{BACKLOG}?_export=csv&_columns=amount").getvalue().decode("utf-8-sig")
    assert lines.startswith(f"Item,Amount,Charged,Currency\r\n{field},200.00,200.00,NOK\r\n")


def test_a_workbook_reads_well(it, client):
    """BKL-1: a bold and fixed heading, a filter, fitting widths, and a sheet named after the list."""
    waiting(it, 2, description="A description of some length")
    content = client.get(f"{BACKLOG}?_export=xlsx&_columns=amount").getvalue()
    sheet = load_workbook(BytesIO(content)).active
    assert sheet.title == "Time and material backlog"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:D3"
    assert all(cell.font.bold for cell in sheet[1])
    assert not sheet["A2"].font.bold
    assert sheet.column_dimensions["A"].width == 30.7109375  # 28 characters, and some room
    assert sheet.column_dimensions["D"].width == 10.7109375  # "Currency"


@pytest.mark.parametrize("size", ["-1", "5000", "999999999999999999999"])
def test_no_address_chooses_another_page_size(it, client, size):
    page = client.get(f"{BACKLOG}?per_page={size}&_size={size}")
    assert page.status_code == 200
    assert page.context["page_size"] == 50


def test_no_file_is_cut_off(it, client, monkeypatch):
    """BKL-1: a CSV has all rows; a workbook that would be too long is refused with advice."""
    waiting(it, 3)
    monkeypatch.setattr(export, "XLSX_ROWS", 2)
    answer = client.get(f"{BACKLOG}?_export=xlsx&q=", follow=True)
    assert answer.redirect_chain == [(f"{BACKLOG}?q=", 302)]
    assert "3 rows are too many for an Excel file" in answer.content.decode()
    assert len(client.get(f"{BACKLOG}?_export=csv").getvalue().splitlines()) == 4


class Record:
    """A row of a table that is in no database."""

    a = "Row"


class Records(Table):
    """Counts how many of its rows are in memory at once."""

    a = tables.Column()
    alive, most = weakref.WeakSet(), 0

    def records(self):
        for _ in range(500):
            record = Record()
            self.alive.add(record)
            self.most = max(self.most, len(self.alive))
            yield record


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_takes_no_more_memory_for_more_rows(kind, monkeypatch):
    """BKL-1: of 500 rows in chunks of 20 few are in memory at once; a workbook is a file on disk."""
    monkeypatch.setattr("invoicing_site.screens.tables.CHUNK", 20)
    table = Records([])
    response = export.exported(table, kind, name="Numbers")
    assert sum(map(len, response.streaming_content)) > 2000
    gc.collect()
    assert 20 <= table.most <= 60
    assert kind == "csv" or response.file_to_stream.fileno()


def test_a_list_is_read_from_the_database_row_by_row(it, client):
    """BKL-1: rows already written to the file are not kept in memory."""
    waiting(it, 3)
    table = BacklogTable(BacklogItem.objects.with_counted())
    assert len(list(table.as_values())) == 4
    assert table.data.data._result_cache is None


def test_pages_are_not_cached_by_browsers_and_proxies(it, client):
    """SEC-1: the next user of the same browser does not see it."""
    for address, status in ((BACKLOG, 200), ("/", 200), ("/journals/", 403), ("/contracts/99999/", 404)):
        response = client.get(address)
        assert (response.status_code, response["Cache-Control"]) == (status, "private, no-store")


def test_costs_are_explained_to_users_who_can_see_them(client):
    """ACT-2 section 11: the manager bills 8 h at 200.

    The cost of 800 is not shown to managers and members.
    """
    it = company(cost_price=100, sales_price=200)
    contract(it, confirmed=True)
    entry = time_entry(it, "8")
    approve([entry], by=it.manager)
    sale = entry.actuals.get(type="unbilled")
    words, figure = "Its cost is 800.00", '"cost"'
    for person, sees in ((it.manager, False), (it.accountant, True), (it.auditor, True)):
        client.force_login(person)
        for kind, pk in (("actual", sale.pk), ("entry", entry.pk)):
            page = client.get(reverse("explain", args=[kind, pk])).content.decode()
            data = client.get(reverse("explain", args=[kind, pk]), {"format": "json"}).content.decode()
            assert "1,600.00" in page
            assert (words in page, words in data, figure in data) == (sees, sees, sees)
    client.force_login(it.member)
    assert words not in client.get(reverse("explain", args=["entry", entry.pk])).content.decode()


def test_the_cost_of_an_expense_is_explained_to_users_who_can_see_costs(client):
    """APP-8 section 11"""
    it = company()
    entry = expense_entry(it, cost_net=Decimal(321))
    for person, sees in ((it.manager, False), (it.accountant, True)):
        client.force_login(person)
        page = client.get(reverse("explain", args=["entry", entry.pk])).content.decode()
        assert ("it cost 321.00" in page) == sees


def test_a_message_links_to_the_selected_rows(it, client):
    """Of two drafts and one submitted entry, the drafts are submitted; the list then has these three."""
    client.force_login(it.member)
    chosen = [time_entry(it, "5", status=status) for status in ("draft", "draft", "submitted")]
    time_entry(it, "5", status="draft")
    answer = client.post(reverse("submit_entries"), {"pk": [entry.pk for entry in chosen]}, follow=True)
    [link] = re.findall(r'<a href="([^"]+)">Show the selected rows</a>', messages_of(answer)[0])
    shown = client.get(f"{link}&_all=1").context
    assert shown["matching"] == 3
    assert {entry.pk for entry in shown["object_list"]} == {entry.pk for entry in chosen}
    assert ("Only", "the rows you selected", "") in shown["active_filters"]
    assert client.get(reverse("entries"), {"rows": "x--9999999999999999999999"}).context["matching"] == 0
    # "Select all matching" uses the same rows as the list.
    data = {"all_matching": "1", "filter": shown["query"], "stamp": shown["stamp"]}
    client.post(reverse("recall_entries"), data)
    assert Entry.objects.filter(status="draft").count() == 4


def test_long_explanations_are_shortened_on_the_page_and_complete_in_json(client):
    """ACT-2: 25 details make 25 parts.

    The page shows 20 of them, and links to the proforma for the others.
    """
    it = company()
    deal = contract(it, confirmed=True)
    approve([time_entry(it, "1") for _ in range(25)], by=it.manager)
    mark_ready(BacklogItem.objects.all(), by=it.manager)
    [draft] = create_proformas([deal], cutoff=date(2025, 3, 31), on=date(2025, 4, 1), by=None)
    client.force_login(it.manager)
    address = reverse("explain", args=["proforma", draft.pk])
    page = client.get(address).content.decode()
    assert page.count('<details class="piece"') == 20
    assert f'… and 5 more: <a href="{draft.get_absolute_url()}">' in page
    assert len(client.get(address, {"format": "json"}).json()["parts"]) == 25


def test_an_amount_is_explained_in_two_columns(client):
    """ACT-2: its calculation in one column, its bookings in the other."""
    it = company()
    contract(it, confirmed=True)
    entry = time_entry(it, "8")
    approve([entry], by=it.manager)
    client.force_login(it.accountant)
    page = client.get(reverse("explain", args=["actual", entry.actuals.get(type="unbilled").pk]))
    first, _, second = page.content.decode().partition("How it was posted")
    assert "How it was calculated" in first
    assert "8 h × " in first
    assert "is not in an integration journal yet" in second
    assert "8 h × " not in second


def test_a_form_that_is_submitted_twice_is_done_once(it, client):
    """By a double click, or by going back and submitting again."""
    client.force_login(it.member)
    address = reverse("new_material")
    page = client.get(address)
    data = {"once": page.context["once"], "date": "2025-03-10", "project": it.project.pk}
    data |= {"product": it.product.pk, "quantity": "2", "unit": it.product.unit}
    client.post(address, data)
    assert Entry.objects.count() == 1
    again = client.post(address, data, follow=True)
    assert Entry.objects.count() == 1
    assert messages_of(again)[-1] == "This form was already submitted. It was processed only once."


def test_a_form_works_while_the_cache_is_down(it, client, monkeypatch):
    """Only double clicks are not detected then."""

    def unreachable(*args, **kwargs):
        raise RedisConnectionError("nobody answers")

    client.force_login(it.member)
    address = reverse("new_material")
    data = {"once": client.get(address).context["once"], "date": "2025-03-10", "project": it.project.pk}
    data |= {"product": it.product.pk, "quantity": "2", "unit": it.product.unit}
    monkeypatch.setattr(cache, "add", unreachable)
    monkeypatch.setattr(cache, "delete", unreachable)

    assert client.post(address, data).status_code == 302
    assert Entry.objects.count() == 1


def test_a_refused_form_can_be_submitted_again(it, client):
    client.force_login(it.member)
    address = reverse("new_material")
    data = {"once": client.get(address).context["once"], "date": "2025-03-10", "project": it.project.pk}
    data |= {"product": it.product.pk, "quantity": "", "unit": it.product.unit}
    assert client.post(address, data).status_code == 200
    client.post(address, data | {"quantity": "2"})
    assert Entry.objects.count() == 1
