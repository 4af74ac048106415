"""Lists too long to be counted, added up and numbered: the backlog, from its fourth item on (BKL-1)."""

import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse

from actuals.models import Entry
from backlog.models import BacklogItem
from invoicing_site.screens import paging
from tests.factories import company, contract, ready_item, time_entry

pytestmark = pytest.mark.django_db
BACKLOG = "/backlog/"


@pytest.fixture
def it(client, settings):
    settings.LIST_COUNTED = 3
    it = company()
    it.deal = contract(it, confirmed=True)
    client.force_login(it.manager)
    return it


def items(it, n, **fields):
    return [ready_item(it, it.deal, status="not_ready", **fields) for _ in range(n)]


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(page.content.decode())))


def keys(page):
    return [row.record.pk for row in page.context["table"].paginated_rows]


def links(page):
    """The links to other pages, by their texts."""
    found = re.findall(
        r'<a class="btn"[^>]*href="([^"]+)">(First|Previous|Next|Last)<', page.content.decode()
    )
    return {text: BACKLOG + unescape(address) for address, text in found}


def test_a_long_list_is_counted_and_added_up_on_demand(it, client):
    """BKL-1: 4 items of 1,000 each."""
    items(it, 3, amount=Decimal(1000))
    page = client.get(BACKLOG)
    assert (page.context["matching"], page.context["is_capped"]) == (3, False)
    assert [each["sum"] for each in page.context["sums"]] == [Decimal(3000)]
    items(it, 1, amount=Decimal(1000))
    page = client.get(BACKLOG)
    assert (page.context["matching"], page.context["is_capped"], page.context["sums"]) == (3, True, [])
    assert "3+ items Count all" in words(page)
    assert "Totals on demand: add up all items that match" in words(page)
    page = client.get(BACKLOG, {"_count": "1"})
    assert (page.context["matching"], page.context["is_capped"]) == (4, False)
    assert [each["sum"] for each in page.context["sums"]] == [Decimal(4000)]
    assert "4 items" in words(page)
    assert "on demand" not in words(page)
    assert "_count" not in unescape(page.content.decode())


def test_a_list_without_totals_offers_the_count_only(it, client, settings):
    settings.LIST_COUNTED = 0
    client.force_login(it.auditor)
    page = client.get(reverse("audit_trail"))
    assert "0+ events Count all" in words(page)
    assert "on demand" not in words(page)


def test_all_rows_of_a_long_list_are_selected_by_a_link(it, client):
    """BKL-2: it works without JavaScript, and nothing is selected by a page that does not request it."""
    items(it, 4, amount=Decimal(1000))
    page = client.get(BACKLOG)
    assert page.context["stamp"] == ""
    assert 'name="all_matching" value="0"' in page.content.decode()
    [address] = set(re.findall(r'href="(\?_all=1)"', page.content.decode()))
    page = client.get(BACKLOG + address)
    text = page.content.decode()
    assert "All 4 items that match are selected." in words(page)
    assert 'name="all_matching" value="1"' in text
    assert text.count("checked disabled data-everything>") == 4
    assert "_all=1" not in re.sub(r"<(a|noscript)[^>]*>Select all.*", "", text).partition("</form>")[2]
    form = dict(re.findall(r'name="(filter|stamp|all_matching)" value="([^"]*)"', text))
    client.post(reverse("mark_ready"), form)
    assert BacklogItem.objects.ready().count() == 4


def test_a_page_that_did_not_select_all_has_no_stamp_to_post(it, client):
    """BKL-2"""
    items(it, 4)
    page = client.get(BACKLOG)
    data = {"all_matching": "1", "filter": page.context["query"], "stamp": page.context["stamp"]}
    client.post(reverse("mark_ready"), data)
    assert not BacklogItem.objects.ready().exists()


def test_a_long_list_has_pages_from_the_first_to_the_last_and_back(it, client, monkeypatch):
    monkeypatch.setattr("invoicing_site.screens.lists.PAGE_SIZES", (2, 2))
    days = [date(2025, 3, day) for day in (5, 3, 3, 9, 3, 7, 1)]
    made = [items(it, 1, date=day)[0] for day in days]
    expected = [each.pk for each in sorted(made, key=lambda each: (each.date, each.pk))]
    for address, order in ((BACKLOG, expected), (f"{BACKLOG}?sort=-date", expected[::-1])):
        page, seen = client.get(address), []
        assert sorted(links(page)) == ["Last", "Next"]
        assert "1–2 of 3+" in words(page)
        while "Next" in links(page):
            seen += keys(page)
            page = client.get(links(page)["Next"])
        assert seen + keys(page) == order
        page = client.get(links(client.get(address))["Last"])
        assert keys(page) == order[-2:]
        assert sorted(links(page)) == ["First", "Previous"]
        back = client.get(links(page)["Previous"])
        assert keys(back) == order[3:5]
        assert keys(client.get(links(back)["Next"])) == order[5:]
        for _ in range(2):
            back = client.get(links(back)["Previous"])
        assert keys(back) == order[:2]
        assert "1–2 of 3+" in words(back)
        assert keys(client.get(links(page)["First"])) == order[:2]


def test_a_page_stays_in_its_place_when_rows_before_it_go(it, client, monkeypatch):
    monkeypatch.setattr("invoicing_site.screens.lists.PAGE_SIZES", (2, 2))
    made = items(it, 6)
    second = links(client.get(BACKLOG))["Next"]
    BacklogItem.objects.filter(pk__in=[each.pk for each in made[:2]]).update(status="canceled")
    assert keys(client.get(second)) == [each.pk for each in made[2:4]]
    BacklogItem.objects.filter(pk__in=[each.pk for each in made[2:]]).update(status="canceled")
    assert keys(client.get(second)) == []


@pytest.mark.parametrize(
    "page",
    [
        "x",
        "99",
        "after:",
        "after:7",
        "after:[]",
        'after:["2025-03-01"]',
        'after:["yesterday","1"]',
        'after:["2025-03-01","1e999999"]',
        'after:["2025-03-01","99999999999999999999"]',
        'after:["2025-03-01","\\u0000"]',
        'after:["2025-03-01",{"a":1}]',
        "before:" + "[" * 5000,
    ],
)
def test_an_invalid_place_is_the_first_page(it, client, page):
    made = items(it, 4)
    found = client.get(BACKLOG, {"page": page})
    assert keys(found) == [each.pk for each in made]


def test_an_invalid_text_or_number_is_no_place(it, client):
    items(it, 4)
    for name, value in (("description", "\\ud800"), ("amount", "1e999999"), ("amount", "NaN")):
        page = client.get(BACKLOG, {"sort": name, "page": f'after:["{value}","1"]'})
        assert len(keys(page)) == 4


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_of_the_calendar_is_no_place(it, client, time):
    client.force_login(it.auditor)
    page = client.get(reverse("audit_trail"), {"sort": "at", "page": f'after:["{time}","1"]'})
    assert page.status_code == 200
    assert page.context["table"].page.start == 1


def test_a_very_long_list_is_sorted_by_indexed_columns_only(it, client, settings):
    settings.LIST_SORTED = 5
    made = items(it, 5, amount=Decimal(1000)) + items(it, 1, amount=Decimal(10))
    page = client.get(BACKLOG, {"sort": "amount"})
    assert keys(page) == [each.pk for each in made]
    text = page.content.decode()
    assert "too long to be sorted by that column. Filter it first, or sort it by Date." in words(page)
    assert re.search(r'href="\?sort=-?date"', text)
    assert not re.search(r'<a href="\?sort=-?amount"', text)
    settings.LIST_SORTED = 6
    page = client.get(BACKLOG, {"sort": "amount"})
    assert keys(page)[0] == made[-1].pk
    assert "too long to be sorted" not in words(page)
    settings.LIST_SORTED = 5
    assert keys(client.get(BACKLOG, {"sort": "-date"})) == [each.pk for each in made[::-1]]


# Two of the four are decided, by the same person.
@pytest.mark.parametrize("sort", ["decided_at", "-decided_at", "decided_by__email", "-decided_by__email"])
def test_missing_values_are_last_in_every_order_of_pages(it, sort):
    entries = [time_entry(it, "1", status="draft") for _ in range(4)]
    Entry.objects.filter(pk=entries[0].pk).update(decided_at="2025-03-02T00:00Z", decided_by=it.manager)
    Entry.objects.filter(pk=entries[2].pk).update(decided_at="2025-03-01T00:00Z", decided_by=it.manager)
    zero, one, two, three = (entry.pk for entry in entries)
    expected = [two, zero, one, three] if "decided_at" in sort else [zero, two, one, three]
    if sort.startswith("-"):
        expected.reverse()
    rows = Entry.objects.order_by(sort)
    page, seen = paging.placed(rows, "", 1), []
    while page.next:
        seen += page.object_list
        page = paging.placed(rows, page.next, 1)
    assert [entry.pk for entry in [*seen, *page.object_list]] == expected
    page, seen = paging.placed(rows, "last", 1), []
    while page.previous:
        seen += page.object_list
        page = paging.placed(rows, page.previous, 1)
    assert [entry.pk for entry in [*seen, *page.object_list]] == expected[::-1]


def test_one_place_is_read_by_one_comparison(it):
    """So that PostgreSQL finds it in an index."""
    rows = BacklogItem.objects.order_by("date", "pk")
    order = paging.Order(rows)
    place = order.read('["2025-03-01","7"]')
    sql = str(order.rows(after=place).query)
    assert re.search(r'\("\w+"\."date", "\w+"\."id"\) > \(', sql), sql
