"""Entries from a file: all or nothing, and never twice."""

import datetime
import hashlib
import io
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from actuals.importing import Mapping, NotImported
from actuals.models import Entry, EntryImport
from contracts.models import Project, Task
from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent, StoredFile
from tests import factories
from tests.actuals.importing import HEADER, TWO_ROWS, csv, errors, look, row, take, warnings
from tests.threads import ended


@pytest.fixture
def co(db):
    return factories.company(books=False)


def test_time_is_imported_as_drafts(co):
    """IMP-1"""
    result = take(co, TWO_ROWS, name="march.csv")

    assert (result.added, result.already_there) == (2, 0)
    first, second = Entry.objects.order_by("pk")
    assert (first.entity, first.transaction_class, first.date) == (
        co.entity,
        "time",
        datetime.date(2025, 3, 31),
    )
    assert (first.resource, first.project, first.task) == (co.resource, co.project, co.task)
    assert (first.category, first.role) == (co.time, co.role)
    assert (first.quantity, first.unit, first.description) == (Decimal("7.5"), "h", "Piers")
    assert (first.status, first.created_by, first.external_id) == ("draft", co.accountant, "A-1")
    assert (second.task, second.category, second.role, second.description) == (None, co.time, None, "")
    assert first.source == second.source == result.entry_import


def test_the_import_and_the_file_are_stored(co):
    """IMP-1"""
    mapping = Mapping(date_format="YYYY-MM-DD")
    take(co, TWO_ROWS, mapping, name="march.csv")

    kept = EntryImport.objects.get()
    assert (kept.entity, kept.imported_by, kept.rows, kept.added) == (co.entity, co.accountant, 2, 2)
    assert (kept.format, kept.mapping) == ("ledgerline", {"date_format": "YYYY-MM-DD"})
    assert (kept.file.name, kept.file.media_type) == ("march.csv", "text/csv")
    assert kept.file.sha256 == hashlib.sha256(TWO_ROWS.encode()).hexdigest()
    assert files.read(kept.file) == TWO_ROWS.encode()
    event = AuditEvent.objects.get()
    assert (event.action, event.by, event.entity) == ("actuals.import", co.accountant, "NO1")
    assert event.subject_id == str(kept.pk)
    assert (event.detail["rows"], event.detail["added"], event.detail["already_there"]) == (2, 2, 0)


def test_a_preview_shows_the_result_and_writes_nothing(co):
    """IMP-1"""
    seen = look(co, TWO_ROWS)

    assert (seen.total, len(seen.to_add), seen.already_there, seen.errors) == (2, 2, 0, [])
    assert not Entry.objects.exists()
    assert not EntryImport.objects.exists()
    assert not StoredFile.objects.exists()
    assert not AuditEvent.objects.exists()


def test_the_entries_can_be_submitted_at_once(co):
    """APP-1"""
    take(co, TWO_ROWS, submit=True)

    entry = Entry.objects.first()
    assert (entry.status, entry.submitted_by) == ("submitted", co.accountant)
    assert entry.submitted_at is not None


def test_importing_the_same_file_again_adds_no_entries(co):
    """IMP-1"""
    first = take(co, TWO_ROWS)
    again = take(co, TWO_ROWS)

    assert again.was_imported_before
    assert (again.added, again.already_there, again.entry_import) == (0, 2, first.entry_import)
    assert Entry.objects.count() == 2
    assert EntryImport.objects.count() == AuditEvent.objects.count() == 1
    seen = look(co, TWO_ROWS)
    assert (seen.already_there, seen.to_add) == (2, [])
    assert "This file was already imported on" in warnings(seen)[0]


def test_the_same_file_with_another_mapping_adds_nothing(co):
    """IMP-1"""
    content = csv(row(hours="1"), row(hours="2"))
    take(co, content)

    assert take(co, content, Mapping(constants={"role": "CONSULTANT"})).added == 0
    assert Entry.objects.count() == 2


def test_two_companies_may_import_the_same_file(co):
    elsewhere = factories.company("SE1", "SEK", books=False)
    factories.ProjectFactory(entity=elsewhere.entity, code="NO1-P1")
    content = csv(row(external_id="A-1"))

    assert take(co, content).added == take(elsewhere, content).added == 1


def test_a_file_can_be_imported_again_after_its_entries_were_deleted(co):
    take(co, TWO_ROWS)
    Entry.objects.all().delete()

    again = take(co, TWO_ROWS)

    assert (again.added, again.was_imported_before) == (2, False)
    assert EntryImport.objects.count() == 2


def test_existing_rows_are_counted_and_do_not_change(co):
    """IMP-1"""
    take(co, csv(row(external_id="A-1"), row(external_id="A-2", hours="2")))
    longer = csv(row(external_id="A-2", hours="2,0000".replace(",", ".")), row(external_id="A-3", hours="3"))

    result = take(co, longer)

    assert (result.added, result.already_there) == (1, 1)
    assert list(Entry.objects.order_by("pk").values_list("external_id", flat=True)) == ["A-1", "A-2", "A-3"]


def test_a_known_id_with_other_content_is_an_error_and_changes_nothing(co):
    """IMP-1"""
    take(co, csv(row(external_id="A-1")))
    entry = Entry.objects.get()

    with pytest.raises(NotImported) as refusal:
        take(co, csv(row(external_id="A-2"), row(external_id="A-1", date="2025-04-02", description="More")))

    assert errors(refusal.value.preview) == [
        f"row 3, external_id: Entry {entry.pk} already has the id “A-1”, with other content (date and "
        "description). An import only changes hours, text and billing of a draft. Change or correct the "
        "entry, or give the row another id."
    ]
    entry.refresh_from_db()
    assert str(entry.date) == "2025-03-31"
    assert Entry.objects.count() == 1


def test_rows_without_an_id_are_known_by_their_content(co):
    """IMP-1: two identical rows are two entries, and a longer file finds both again."""
    alike = row(description="Meeting")
    take(co, csv(alike, alike))
    assert Entry.objects.count() == 2

    result = take(co, csv(alike, row(hours="1"), alike, alike))

    assert (result.added, result.already_there) == (2, 2)
    assert Entry.objects.count() == 4


def test_the_spelling_of_a_row_does_not_matter(co):
    """IMP-1"""
    take(co, csv(row(task="DESIGN")))
    header = HEADER.replace(",", ";")

    result = take(co, csv("2025-03-31;anna;no1-p1;Design;;;7,50;;", header=header))

    assert (result.added, result.already_there) == (0, 1)


def test_an_entry_without_an_id_that_was_edited_does_not_change(co):
    take(co, csv(row()))
    Entry.objects.update(quantity=8)

    result = take(co, csv(row(), row(hours="1")))

    assert (result.added, result.already_there) == (1, 1)
    assert warnings(result.preview) == [
        "row 2: The entry was changed after it was imported, and is not changed by this import."
    ]
    assert Entry.objects.order_by("pk").first().quantity == 8


def test_another_file_with_nothing_new_is_recorded_once(co):
    take(co, csv(row(external_id="A-1"), row(external_id="A-2")))
    shorter = csv(row(external_id="A-1"))

    assert take(co, shorter).entry_import == take(co, shorter).entry_import
    assert list(EntryImport.objects.order_by("pk").values_list("rows", "added")) == [(2, 2), (1, 0)]


def test_new_work_on_a_closed_project_is_refused_and_existing_work_is_accepted(co):
    """IMP-1"""
    take(co, csv(row(external_id="A-1")))
    Project.objects.update(is_open=False)

    seen = look(co, csv(row(external_id="A-1"), row(external_id="A-2")))

    assert errors(seen) == ["row 3, project: Project NO1-P1 is closed for entries. Choose another project."]
    assert seen.already_there == 1


def test_a_project_that_is_closed_while_the_import_runs_refuses_it(co, monkeypatch):
    from actuals.operations import imports

    looked_at = imports.looked_at

    def closing(*args):
        seen = looked_at(*args)
        Project.objects.update(is_open=False)
        return seen

    monkeypatch.setattr(imports, "looked_at", closing)

    with pytest.raises(Refused, match="just closed for entries"):
        take(co, TWO_ROWS)
    assert not Entry.objects.exists()


def test_an_uploaded_file_has_a_name_and_is_read_up_to_the_limit(co):
    upload = io.BytesIO(TWO_ROWS.encode())
    upload.name = "/somewhere/march.csv"

    assert take(co, upload).entry_import.file.name == "march.csv"


def test_many_rows_cost_as_many_queries_as_few(co):
    def queries(count, first):
        lines = [
            row(external_id=f"N-{first + n}", hours="1", date=f"2025-03-{n % 28 + 1:02}")
            for n in range(count)
        ]
        with CaptureQueriesContext(connection) as context:
            take(co, csv(*lines))
        return len(context)

    queries(1, 5000)  # the very first row takes one more query on SQLite
    assert queries(20, 1000) == queries(2, 0) < 30


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("contents", ["the same file", "files that overlap"])
def test_two_imports_at_once_add_every_row_once(contents):
    """IMP-1: the second import finds the rows, and the tasks that were created."""
    co = factories.company(books=False)
    lines = [row(task=f"NEW-{n % 3}", external_id=f"A-{n}", hours="0.25") for n in range(50)]
    both = [csv(*lines), csv(*lines if contents == "the same file" else lines[10:])]
    start, results = threading.Barrier(2), []

    def import_one(content):
        try:
            start.wait(20)
            results.append(take(co, content, Mapping(create=("tasks",))))
        finally:
            connection.close()

    threads = [threading.Thread(target=import_one, args=[content]) for content in both]
    for thread in threads:
        thread.start()
    ended(*threads)

    assert len(results) == 2
    assert sum(result.added for result in results) == Entry.objects.count() == 50
    assert Task.objects.filter(code__startswith="NEW-").count() == 3
