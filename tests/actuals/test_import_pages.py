"""Import by page: file, columns, preview, confirm; all or nothing, and nothing twice (IMP-1)."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from actuals.models import Entry, EntryImport
from tests import factories

OURS = """date,resource,project,hours,description
2026-03-02,ANNA,NO1-P1,7.5,Drawings
2026-03-03,ANNA,NO1-P1,4,
"""


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.fixture
def manager(co, client):
    client.force_login(co.manager)
    return client


def send(client, text=OURS, name="march.csv", format_="ledgerline"):
    file = SimpleUploadedFile(name, text.encode())
    return client.post("/import/new/", {"file": file, "format": format_})


def preview(client, text=OURS, **columns):
    assert send(client, text).url == "/import/columns/"
    assert client.post("/import/columns/", columns).url == "/import/preview/"
    return client.get("/import/preview/")


def test_who_may_import(co, client):
    """SEC-1"""
    people = [(co.manager, 200), (co.accountant, 200), (co.member, 403), (co.auditor, 403)]
    for person, status in people:
        client.force_login(person)
        assert client.get("/import/").status_code == status
        assert client.get("/import/new/").status_code == status
        assert client.get("/import/preview/").status_code == (302 if status == 200 else 403)
        assert client.post("/import/preview/").status_code == (302 if status == 200 else 403)


def test_nothing_is_imported_before_it_is_confirmed(co, manager):
    """IMP-1"""
    page = preview(manager)
    assert "Import 2 entries" in page.text
    assert Entry.objects.count() == 0

    response = manager.post("/import/preview/", {"submit": "1"}, follow=True)

    done = EntryImport.objects.get()
    assert response.redirect_chain[-1][0] == f"/import/{done.pk}/"
    assert "2 entries imported and submitted for approval." in response.text
    assert list(Entry.objects.values_list("status", flat=True)) == ["submitted", "submitted"]
    assert "11.5 h" in response.text
    assert "Drawings" in manager.get(f"/import/{done.pk}/entries/").text
    assert "march.csv" in manager.get("/import/").text
    assert manager.get("/import/preview/").url == "/import/new/"


def test_importing_the_same_file_again_adds_no_entries(co, manager):
    """IMP-1"""
    preview(manager)
    manager.post("/import/preview/")
    page = preview(manager).text
    assert page.count("This file was already imported") == 1
    assert ". It adds no entries." in page
    assert "0 entries added: 2 were imported before." in manager.post("/import/preview/", follow=True).text
    assert Entry.objects.count() == 2


def test_only_open_choices_are_shown(co, manager):
    """IMP-1"""
    page = preview(manager, OURS.replace("7.5", "soon")).text
    assert "Answer the questions above" not in page
    assert "Correct the file or its columns, and update the preview." in page
    assert '<form method="post" class="slow">' in page  # no section around the two buttons
    asks = OURS.replace("description", "exported").replace("Drawings", "yes")
    assert "Answer the questions above" in preview(manager, asks).text


def test_the_preview_shows_who_can_approve(co, manager):
    """APP-2: users can't approve what they import themselves."""
    page = preview(manager).text
    assert "Nobody could approve 2 entries on NO1-P1" in page
    assert "Ask an accountant to import the file, or ask a billing administrator to add one" in page

    other = factories.UserFactory(username="kari", first_name="Kari", last_name="Nord")
    co.project.managers.add(other)
    said = f"can&#x27;t approve what you import yourself: {other} can approve 2 entries on NO1-P1."
    assert said in preview(manager).text

    co.resource.user = other
    co.resource.save()
    assert "Nobody could approve 2 entries on NO1-P1" in preview(manager).text

    co.entity.allow_own_approval = True
    co.entity.save()
    assert "approve 2 entries" not in preview(manager).text


def test_every_error_is_shown_by_row_and_nothing_is_imported(co, manager):
    """IMP-1"""
    text = OURS + "2026-03-04,NOBODY,NO1-P1,1,\n2026-03-05,ANNA,NO1-P9,1,\nsoon,ANNA,NO1-P1,1,\n"
    page = preview(manager, text).text
    assert "There is no resource “NOBODY”" in page
    assert "Row 6" in page
    assert "“soon” is not a date" in page
    assert "Import 2 entries" not in page
    assert (
        "can&#x27;t be imported, so nothing was imported"
        in manager.post("/import/preview/", follow=True).text
    )
    assert Entry.objects.count() == 0


def test_many_errors_are_limited_with_their_total(co, manager):
    text = OURS + "soon,ANNA,NO1-P1,1,\n" * 250
    page = preview(manager, text).text
    assert "And 50 more errors, 250 in all." in page


def test_managers_import_for_projects_they_manage_and_accountants_for_all(co, client):
    """SEC-1"""
    factories.ProjectFactory(entity=co.entity, code="OTHER")
    text = OURS + "2026-03-04,ANNA,OTHER,1,\n"
    client.force_login(co.manager)
    assert "Row 4" in preview(client, text).text
    response = client.post("/import/preview/", follow=True)
    assert "You don&#x27;t manage project OTHER" in response.text
    assert Entry.objects.count() == 0

    client.force_login(co.accountant)
    preview(client, text)
    client.post("/import/preview/")
    assert Entry.objects.count() == 3


def test_only_accountants_create_missing_records(co, client):
    text = OURS + "2026-03-04,ANNA,NEW,1,\n"
    client.force_login(co.manager)
    assert "There is no project “NEW”" in preview(client, text, create=["projects"]).text
    client.force_login(co.accountant)
    assert "Projects (1)" in preview(client, text, create=["projects"]).text


def test_columns_are_mapped_and_constants_fill_missing_values(co, manager):
    text = "Day;Who;Time\n02.03.2026;ANNA;7,5\n"
    send(manager, text)
    page = manager.get("/import/columns/").text
    assert "02.03.2026" in page
    mapping = {
        "column-date": "Day",
        "column-resource": "Who",
        "column-quantity": "Time",
        "constant-project": "NO1-P1",
        "date_format": "DD.MM.YYYY",
        "decimal": ",",
    }
    assert "does not have year" in manager.post("/import/columns/", mapping | {"date_format": "DD"}).text
    manager.post("/import/columns/", mapping)
    assert 'value="DD.MM.YYYY"' in manager.get("/import/columns/").text
    manager.post("/import/preview/")
    assert str(Entry.objects.get().quantity.normalize()) == "7.5"
    assert EntryImport.objects.get().mapping["constants"] == {"project": "NO1-P1"}


def test_a_column_that_is_not_in_the_file_is_refused(co, manager):
    send(manager)
    page = manager.post("/import/columns/", {"column-date": "Nope"})
    assert page.status_code == 200
    assert "Nope is not one of the available choices" in page.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "The submitted file is empty."),
        ("%PDF-1.7", "The file is a PDF"),
        ("date,project\n", "has no rows below its header"),
    ],
)
def test_a_file_that_is_not_a_table_is_refused_on_the_upload_page(co, manager, content, reason):
    page = send(manager, content)
    assert page.status_code == 200
    assert reason in page.text


def test_another_sheet_can_be_chosen_if_one_does_not_exist(co, manager):
    book, content = Workbook(), io.BytesIO()
    for line in OURS.splitlines():
        book.active.append(line.split(","))
    book.save(content)
    file = SimpleUploadedFile("march.xlsx", content.getvalue())
    manager.post("/import/new/", {"file": file, "format": "ledgerline"})
    manager.post("/import/columns/", {"sheet": "March"})
    assert "The workbook has no sheet “March”" in manager.get("/import/preview/").text
    assert 'value="March"' in manager.get("/import/columns/").text
    manager.post("/import/columns/", {"sheet": "Sheet"})
    manager.post("/import/preview/")
    assert Entry.objects.count() == 2


def test_the_user_chooses_the_file_again_if_it_is_missing(co, manager, settings, tmp_path):
    preview(manager)
    settings.DATA = tmp_path / "elsewhere"
    assert "is missing from the file storage" in manager.get("/import/preview/", follow=True).text


def test_a_file_belongs_to_its_user_and_company(co, client, manager):
    send(manager)
    client.force_login(co.accountant)
    assert client.get("/import/preview/").url == "/import/new/"


def test_imports_of_others(co, client):
    """SEC-1: managers see their own imports, accountants all of the company."""
    client.force_login(co.accountant)
    preview(client)
    client.post("/import/preview/")
    key = EntryImport.objects.get().pk
    other = factories.company("SE1", "SEK", books=False)
    for person, status in (
        (co.accountant, 200),
        (co.manager, 404),
        (co.member, 404),
        (other.accountant, 404),
    ):
        client.force_login(person)
        assert client.get(f"/import/{key}/").status_code == status
    client.force_login(co.manager)
    assert "Drawings" not in client.get(f"/import/{key}/entries/").text


def test_as_many_queries_for_many_rows_as_for_few(co, manager):
    def queries(rows):
        text = OURS + "".join(f"2026-04-{n:02},ANNA,NO1-P1,1,{rows}\n" for n in range(1, rows))
        preview(manager, text)
        with CaptureQueriesContext(connection) as found:
            manager.get("/import/preview/")
        return len(found)

    assert queries(2) == queries(25)


def test_another_file_in_another_tab_is_previewed_first(co, manager):
    """IMP-1: only the preview that was shown can be confirmed."""
    seen = preview(manager).context["seen"]
    preview(manager, OURS.replace("7.5", "9"))
    answer = manager.post("/import/preview/", {"seen": seen}, follow=True)
    assert "changed in another tab" in answer.content.decode()
    assert not Entry.objects.exists()
    manager.post("/import/preview/", {"seen": answer.context["seen"]})
    assert sorted(Entry.objects.values_list("quantity", flat=True)) == [4, 9]


def test_the_main_button_is_the_next_step(manager):
    """IMP-1: open questions are answered on this page; errors in rows may need other columns."""
    again = '<button class="btn primary">'
    columns = '<a class="btn primary" href="/import/columns/">Change the columns</a>'
    head = "date,resource,project,hours,exported\n"
    asked = preview(manager, f"{head}2025-03-31,ANNA,NO1-P1,8,yes\n").text
    assert (again in asked, columns in asked) == (True, False)
    wrong = preview(manager, f"{head}soon,ANNA,NO1-P1,8,\n").text
    assert (again in wrong, columns in wrong) == (False, True)


def test_one_entry_is_imported_as_a_draft(manager):
    """IMP-1"""
    preview(manager, "date,resource,project,hours\n2025-03-31,ANNA,NO1-P1,8\n")
    assert "1 entry imported as a draft." in manager.post("/import/preview/", {}, follow=True).text


def test_a_file_keeps_its_current_name(co, manager):
    """IMP-1: its bytes were stored under another name before; that earlier import keeps its name."""
    send(manager, name="clockify_detailed.csv")
    assert "clockify_detailed.csv, 2 rows" in manager.get("/import/columns/").text
    send(manager, name="c1.csv")
    manager.post("/import/columns/", {})
    page = manager.post("/import/preview/", {}, follow=True)
    assert "<h1>c1.csv" in " ".join(page.text.split())
    assert "clockify_detailed" not in page.text
    found = EntryImport.objects.get()
    assert (found.name, found.file.name) == ("c1.csv", "clockify_detailed.csv")
    assert "c1.csv" in manager.get("/import/?q=c1").text
    assert "c1.csv" not in manager.get("/import/?q=march").text
    assert "c1.csv" in manager.get(Entry.objects.first().get_absolute_url()).text
