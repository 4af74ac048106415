"""Rows that differ from an imported entry in hours, text or billing only (IMP-1)."""

import pytest
from django.utils import timezone

from actuals import importing
from actuals.importing import Mapping, NotImported
from actuals.models import Entry
from contracts.models import Project
from invoicing_site.models import AuditEvent
from tests import factories
from tests.actuals.importing import errors, look, take
from tests.actuals.test_import_choices import BEFORE, command
from tests.actuals.test_import_pages import preview


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.mark.parametrize(
    "line",
    [
        "2025-03-31,ANNA,NO1-P1,DESIGN,5,Drawings",
        "2025-03-31,ANNA,NO1-P1,DESIGN,8,Drawings of the piers",
        "2025-03-31,ANNA,NO1-P1,DESIGN,5,Drawings of the piers",
    ],
)
def test_a_row_that_differs_in_hours_or_text_only_is_changed(co, line):
    """IMP-1: it is never added without a decision."""
    take(co, BEFORE)
    entry = Entry.objects.get()
    content = BEFORE.splitlines()[0] + f"\n{line}\n"

    seen = look(co, content)
    assert [(each.row.number, each.entry_id, each.quantity) for each in seen.changed] == [(2, entry.pk, 8)]
    assert [problem.field for problem in seen.errors] == ["changed"]
    with pytest.raises(NotImported):
        take(co, content)

    left = take(co, content + "\n", Mapping(answers={"changed": "skip"}))
    assert (left.added, left.preview.left_out) == (0, {"changed": 1})
    assert take(co, content, Mapping(answers={"changed": "add"})).added == 1


@pytest.mark.parametrize(
    "line",
    [
        "2025-04-01,ANNA,NO1-P1,DESIGN,5,Drawings",
        "2025-03-31,MAGNE,NO1-P1,DESIGN,5,Drawings",
        "2025-03-31,ANNA,NO1-P1,,5,Drawings",
        "2025-03-31,ANNA,NO1-P2,,5,Drawings",
    ],
)
def test_another_day_person_project_or_task_is_different_work(co, line):
    """IMP-1"""
    factories.ProjectFactory(entity=co.entity, code="NO1-P2")
    take(co, BEFORE)
    assert take(co, BEFORE.splitlines()[0] + f"\n{line}\n").added == 1


def test_more_work_of_the_same_day_is_new(co):
    """IMP-1: the file still has the row of the entry, so nothing has changed."""
    take(co, BEFORE)
    assert take(co, BEFORE + "2025-03-31,ANNA,NO1-P1,DESIGN,1,Call\n").added == 1


def test_work_of_another_program_or_entered_by_hand_is_not_changed(co):
    """IMP-1"""
    factories.time_entry(co, hours="3", date="2025-04-01")
    take(co, BEFORE)
    content = "Date,Member,Project,Task,Time,Comment\n2025-03-31,ANNA,NO1-P1,DESIGN,5,Drawings\n"
    assert take(co, content).added == 1


ID_HEAD = "date,resource,project,hours,description,billable,external_id\n"
AN_ENTRY = f"{ID_HEAD}2025-03-31,ANNA,NO1-P1,8,Piers,yes,T-1\n"
CHANGED = f"{ID_HEAD}2025-03-31,ANNA,NO1-P1,5,Two piers,no,T-1\n2025-04-01,ANNA,NO1-P1,1,Call,yes,T-2\n"
CHANGE = Mapping(answers={"changed": "change"})


def state(entry):
    entry.refresh_from_db()
    return str(entry.quantity.normalize()), entry.description, entry.imported_billing


def test_a_changed_row_with_an_id_needs_an_answer_and_does_not_stop_others(co):
    """IMP-1: it is left out or changes its draft; it can't be added, because its id exists."""
    take(co, AN_ENTRY)
    entry = Entry.objects.get()
    seen = look(co, CHANGED)
    assert [problem.field for problem in seen.errors] == ["changed"]
    assert seen.found["changed"].answers == ("skip", "change")
    for answer in ("skip", "add"):
        done = take(co, CHANGED + "\n" * (answer == "add"), Mapping(answers={"changed": answer}))
        assert (done.added, done.changed) == (1, 0)
        assert done.preview.left_out == {"changed": 1}
        assert state(entry) == ("8", "Piers", "")
        Entry.objects.exclude(pk=entry.pk).delete()

    done = take(co, CHANGED, CHANGE)
    assert (done.added, done.changed, done.already_there) == (1, 1, 0)
    assert state(entry) == ("5", "Two piers", "non_chargeable")
    assert entry.status == "draft"
    event = AuditEvent.objects.filter(action="actuals.import").latest("pk")
    (change,) = event.detail["changed"]
    assert change["before"] == {"quantity": "8.0000", "description": "Piers", "imported_billing": ""}

    again = take(co, CHANGED, CHANGE)
    assert (again.added, again.changed, again.already_there) == (0, 0, 2)
    seen = look(co, CHANGED + "\n", CHANGE)
    assert (seen.to_add, seen.to_change, seen.already_there, seen.errors) == ([], [], 2, [])


_BILLING = AN_ENTRY.replace("yes", "no")
_HOURS = AN_ENTRY.replace(",8,", ",5,")


@pytest.mark.parametrize(
    ("status", "content", "way"),
    [
        ("submitted", _BILLING, "Submitted: the approver can choose the billing type."),
        ("submitted", _HOURS, "Submitted: an import can change it after its owner recalls it."),
        (
            "rejected",
            _BILLING,
            "Rejected: the approver can choose the billing type after it is submitted again.",
        ),
        ("rejected", _HOURS, "Rejected: its owner can change it and submit it again."),
        ("approved", _BILLING, "Approved: cancel its approval to choose another billing type."),
        (
            "approved",
            _HOURS,
            "Approved: an import can change it after its approval is canceled and it is recalled.",
        ),
    ],
)
def test_rows_of_submitted_entries_are_left_out_with_the_next_step(co, client, status, content, way):
    """IMP-1: there is nothing to decide, and the other rows are imported."""
    take(co, AN_ENTRY)
    Entry.objects.update(
        status=status,
        decided_at=None if status == "submitted" else timezone.now(),
        priced_company=co.entity,
    )
    content += "2025-04-01,ANNA,NO1-P1,1,Call,yes,T-2\n"
    client.force_login(co.accountant)
    page = preview(client, content)
    seen = page.context["preview"]
    assert (seen.errors, len(seen.to_add), seen.left_out) == ([], 1, {"changed": 1})
    assert way in page.text
    assert 'name="changed"' not in page.text
    assert (take(co, content, CHANGE).changed, state(Entry.objects.order_by("pk")[0])) == (
        0,
        ("8", "Piers", ""),
    )


def test_a_decision_of_the_approver_is_not_a_change(co):
    """IMP-1: the billing type of the entry counts, and not the first value in the file."""
    take(co, AN_ENTRY)
    decided = {"status": "approved", "decided_at": timezone.now(), "priced_company": co.entity}
    Entry.objects.update(billing_type="non_chargeable", **decided)
    assert look(co, _BILLING).changed == []
    Entry.objects.update(billing_type="chargeable")
    assert len(look(co, _BILLING).changed) == 1


def test_a_draft_on_a_closed_project_is_not_changed(co):
    """IMP-1 APP-10"""
    take(co, AN_ENTRY)
    Project.objects.update(is_open=False)
    (changed,) = look(co, _HOURS, CHANGE).changed
    assert changed.way == (
        "Its project is closed for entries: an import can change it after the project is opened."
    )
    assert take(co, _HOURS, CHANGE).changed == 0


def test_changed_hours_count_with_the_day(co):
    """IMP-1 APP-10: 8 + 16 h are a day; 9 instead of 8 are one too many, 7 are not"""
    head = "date,resource,project,hours,external_id\n"
    take(co, f"{head}2025-03-31,ANNA,NO1-P1,8,T-1\n2025-03-31,ANNA,NO1-P1,16,T-2\n")
    (message,) = errors(look(co, f"{head}2025-03-31,ANNA,NO1-P1,9,T-1\n", CHANGE))
    assert message.startswith("row 2, hours: Anna would have 25 hours on 31 Mar 2025")
    content = f"{head}2025-03-31,ANNA,NO1-P1,7,T-1\n2025-03-31,ANNA,NO1-P1,1,T-3\n"
    done = take(co, content, CHANGE)
    assert (done.added, done.changed) == (1, 1)


def test_a_draft_that_another_user_changes_is_checked_again(co, monkeypatch):
    """IMP-1: the other user's change is not overwritten."""
    take(co, AN_ENTRY)
    plan, looks = importing.plan, []

    def plan_and_submit(*args, **options):
        seen = plan(*args, **options)
        looks.append(len(seen.to_change))
        Entry.objects.update(status="submitted", priced_company=co.entity)
        return seen

    monkeypatch.setattr(importing, "plan", plan_and_submit)
    done = take(co, CHANGED, CHANGE)
    assert (looks, done.added, done.changed) == ([1, 0], 1, 0)
    assert state(Entry.objects.order_by("pk")[0]) == ("8", "Piers", "")


def test_the_page_changes_drafts(co, client):
    """IMP-1"""
    take(co, AN_ENTRY)
    client.force_login(co.accountant)
    page = preview(client, _BILLING)
    assert "Draft: an import can change it." in page.text
    assert "(billable)" in page.text
    assert "(non-chargeable)" in page.text
    client.post("/import/preview/", {"choose": "1", "format": "ledgerline", "changed": "change"})
    page = client.get("/import/preview/").text
    assert "Change 1 draft</button>" in page
    assert "Submit the new entries" not in page
    page = client.post("/import/preview/", {}, follow=True).text
    assert "1 draft changed." in page
    assert "1 draft was changed." in page
    assert state(Entry.objects.get()) == ("8", "Piers", "non_chargeable")


@pytest.mark.parametrize("external_id", ["A-1", ""])
@pytest.mark.parametrize(
    ("before", "after", "words", "billing"),
    [
        ("yes,no", "yes,yes", ("billable", "cost only"), "cost_only"),
        ("yes,no", "no,no", ("billable", "non-chargeable"), "non_chargeable"),
        ("yes,yes", "yes,no", ("cost only", "billable"), ""),
    ],
)
def test_a_row_that_is_now_invoiced_elsewhere_is_changed(co, external_id, before, after, words, billing):
    """IMP-1: otherwise its entry would be billed twice."""
    head = "date,resource,project,hours,billable,invoiced,external_id\n"
    take(co, f"{head}2025-03-31,ANNA,NO1-P1,8,{before},{external_id}\n")
    entry = Entry.objects.get()
    content = f"{head}2025-03-31,ANNA,NO1-P1,8,{after},{external_id}\n2025-04-01,ANNA,NO1-P1,1,yes,no,A-2\n"
    seen = look(co, content)
    assert [(each.entry_id, each.billing) for each in seen.changed] == [(entry.pk, words)]
    assert [problem.field for problem in seen.errors] == ["changed"]
    done = take(co, content, Mapping(answers={"changed": "skip"}))
    assert (done.added, done.preview.left_out) == (1, {"changed": 1})
    done = take(co, content + "\n", CHANGE)
    assert (done.added, done.changed, state(entry)[2]) == (0, 1, billing)


def test_the_command_reports_changed_rows(co, tmp_path):
    """IMP-1"""
    head = "date,resource,project,hours,invoiced\n"
    take(co, f"{head}2025-03-31,ANNA,NO1-P1,8,no\n")
    key = Entry.objects.get().pk
    file = tmp_path / "march.csv"
    file.write_text(f"{head}2025-03-31,ANNA,NO1-P1,8,yes\n")
    said = command(file, "--preview", "--changed", "skip")
    assert (
        f"Changed: row 2 has 8, cost only; entry {key} 8, billable. Draft: an import can change it." in said
    )
    assert "1 draft would be changed." in command(file, "--preview", "--changed", "change")
    assert command(file, "--changed", "change") == (
        "0 of 1 row added as drafts, 0 were imported before.\n1 draft changed.\n"
    )
    Entry.objects.update(status="submitted", imported_billing="", priced_company=co.entity)
    said = command(file, "--preview")
    assert f"entry {key} 8, billable. Submitted: the approver can choose the billing type." in said


def test_as_many_queries_for_many_changed_rows_as_for_few(co, django_assert_num_queries):
    """IMP-1"""
    head = "date,resource,project,hours\n"
    lines = [f"2025-03-{day:02},ANNA,NO1-P1" for day in range(1, 31)]
    take(co, head + "\n".join(f"{line},8" for line in lines))
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for some in (lines[:2], lines):
        with CaptureQueriesContext(connection) as queries:
            seen = look(co, head + "\n".join(f"{line},5" for line in some))
        assert len(seen.changed) == len(some)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_page_shows_changed_rows(co, client):
    """IMP-1"""
    client.force_login(co.accountant)
    take(co, BEFORE)
    page = preview(client, BEFORE.replace(",8,", ",5,")).text
    assert f'<a href="/entries/{Entry.objects.get().pk}/">' in page
    assert "Changed since they were imported: 1 row with 5 h" in page
