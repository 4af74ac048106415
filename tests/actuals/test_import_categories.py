"""The category of imported time without a category in the file (IMP-1, JRN-3)."""

import pytest
from django.core.management import CommandError

from actuals.importing import Mapping
from actuals.models import Entry
from backlog.operations import approve, mark_ready
from contracts.models import Category
from ledger.invoicing.estimates import estimate
from proforma.operations import create_for_items
from tests import factories
from tests.actuals.importing import TODAY, errors, look, take
from tests.actuals.test_import_choices import command
from tests.actuals.test_import_pages import preview

HEAD = "date,resource,project,category,hours"
FILE = f"{HEAD}\n2025-03-31,ANNA,NO1-P1,,8\n2025-04-01,ANNA,NO1-P1,WORK,1\n"


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def co(db):
    return factories.company()


def category(co, code, **fields):
    fields = {"item_tax_group": co.item_tax_group, **fields}
    return factories.CategoryFactory(
        entity=co.entity, transaction_class="time", code=code, name=code.capitalize(), **fields
    )


def given():
    return list(Entry.objects.order_by("date", "pk").values_list("category__code", flat=True))


@pytest.mark.parametrize(
    "content",
    [
        "User,Email,Project,Start Date,Duration (h)\nAnna,,NO1-P1,03/31/2025,8:00\n",
        "User,Project,Start date,Start time,Duration\nANNA,NO1-P1,2025-03-31,09:00,8:00:00\n",
        "Date,Project,Task,Hours,First Name,Last Name,Employee Id\n2025-03-31,NO1-P1,,8,A,B,ANNA\n",
        f"{HEAD}\n2025-03-31,ANNA,NO1-P1,,8\n",
    ],
    ids=["clockify", "toggl", "harvest", "ours"],
)
def test_time_without_a_category_is_taxed_like_time_of_the_week_page(co, content):
    """IMP-1 JRN-3: 8 h at 200 are 1,600, and 25 % tax are 400."""
    contract = factories.contract(co, confirmed=True)
    seen = look(co, content)
    assert seen.unnamed.in_words() == "1 row of time has no category: it gets Work."
    take(co, content, submit=True, by=co.accountant)
    assert given() == ["WORK"]
    (item,) = approve(Entry.objects.all(), by=co.manager).items
    mark_ready([item], by=co.manager)
    (draft,) = create_for_items([item], on=TODAY, by=co.manager)
    assert (draft.contract, estimate(draft).tax) == (contract, 400)


def test_the_first_category_is_the_default_as_on_the_week_page(co, client):
    """IMP-1 JRN-3: it is shown, another one can be selected, and only time without a category gets it."""
    admin = category(co, "ADMIN")
    client.force_login(co.member)
    grid = client.get("/time/").text
    assert f'<option value="{admin.pk}" selected>Admin</option>' in grid

    client.force_login(co.accountant)
    page = preview(client, FILE).text
    assert "1 row of time has no category: it gets Admin, one of 2 categories of time." in page
    assert '<option value="ADMIN" selected>Admin</option>' in page
    assert '<td data-label="Category">ADMIN</td>' in page
    client.post("/import/preview/", {"choose": "1", "format": "ledgerline", "time_category": "WORK"})
    assert "it gets Work, one of 2 categories" in client.get("/import/preview/").text
    client.post("/import/columns/", {})  # on the next and the previous page, the choice stays
    assert "it gets Work, one of 2 categories" in client.get("/import/preview/").text
    client.post("/import/preview/", {})
    assert given() == ["WORK", "WORK"]


def test_the_week_page_uses_the_same_default_if_no_category_is_posted(co, client):
    """JRN-3"""
    category(co, "ADMIN")
    client.force_login(co.member)
    page = client.post("/time/", {"action": "add", "add_project": co.project.pk})
    (row,) = page.context["rows"]
    assert row.category.code == "ADMIN"


def test_the_command_takes_a_category(co, tmp_path):
    """IMP-1"""
    category(co, "ADMIN")
    file = tmp_path / "march.csv"
    file.write_text(FILE)
    with pytest.raises(
        CommandError, match="There is no category “WRK” for time. The categories for time are ADMIN and WORK."
    ):
        command(file, "--time-category", "WRK")
    said = command(file, "--time-category", "WORK")
    assert "1 row of time has no category: it gets Work, one of 2 categories of time." in said
    assert given() == ["WORK", "WORK"]


def test_a_category_without_an_item_tax_group_is_shown(co):
    """IMP-1 JRN-3: without an item tax group no invoice can be posted"""
    Category.objects.filter(pk=co.time.pk).update(item_tax_group=None)
    assert look(co, FILE).unnamed.in_words() == (
        "1 row of time has no category: it gets Work, which has no item tax group."
    )
    content = FILE.replace("WORK", "")
    co.time.delete()
    assert look(co, content).unnamed.in_words() == (
        "2 rows of time have no category, and the legal entity has no category for time: they get no "
        "category and no item tax group. Ask an administrator to add a category for time first."
    )
    take(co, content)
    assert given() == [None, None]


@pytest.mark.parametrize("external_id", ["T-1", ""])
@pytest.mark.parametrize("here", [None, "ADMIN", "WORK"])
def test_a_row_finds_its_entry_regardless_of_the_entrys_category(co, external_id, here):
    """IMP-1: nothing twice, even if the entry was imported without a category or got another one since."""
    category(co, "ADMIN")
    head = "date,resource,project,hours,external_id\n"
    take(co, f"{head}2025-03-31,ANNA,NO1-P1,8,{external_id}\n")
    Entry.objects.update(category=here and Category.objects.get(code=here))
    seen = look(co, f"{head}2025-03-31,ANNA,NO1-P1,8,{external_id}\n2025-04-01,ANNA,NO1-P1,1,T-2\n")
    assert (errors(seen), seen.changed, seen.already_there, len(seen.to_add)) == ([], [], 1, 1)


def test_categories_are_not_mentioned_if_all_rows_have_one(co, client):
    """IMP-1"""
    category(co, "ADMIN")
    client.force_login(co.accountant)
    page = preview(client, FILE.replace(",,8", ",WORK,8")).text
    assert "names no category" not in page
    assert 'name="time_category"' not in page
    assert look(co, FILE, Mapping(time_category="")).as_json()["time_without_category"]["gets"] == "ADMIN"


def test_new_entries_show_category_and_amount(co, client):
    """IMP-1: an expense has both"""
    client.force_login(co.accountant)
    page = preview(
        client,
        "class,date,resource,project,category,amount,currency\n"
        "expense,2025-03-31,ANNA,NO1-P1,TRAVEL,412.50,EUR\n",
    ).text
    assert '<td data-label="Category">TRAVEL</td>' in page
    assert "412.50" in page.split("New entries</h2>")[1]
