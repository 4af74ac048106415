"""An import does not show or change entries of projects that the user does not manage (SEC-1, IMP-1)."""

from decimal import Decimal

import pytest

from actuals.importing import Mapping, NotImported, projects_within
from actuals.models import Entry, EntryImport
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories
from tests.actuals.importing import errors, look, take, warnings
from tests.actuals.test_import_background import asked
from tests.actuals.test_import_pages import preview
from tests.background import do_jobs

HEAD = "date,resource,project,hours,description"
KIMAI = "ID,Date,Duration,User,Project,Activity,Description"
SECRET = f"{HEAD}\n2025-03-31,ANNA,SECRET,7.25,Negotiating the takeover\n"
NOT_YOURS = "row 2, project: You don't manage project SECRET. Its manager can import this row."


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
@factories.remembered
def co(db):
    it = factories.company(books=False)
    it.secret = factories.ProjectFactory(entity=it.entity, code="SECRET", name="Takeover")
    factories.TaskFactory(project=it.secret, code="NEGOTIATE", name="Negotiate")
    return it


def within(co):
    return projects_within(co.manager, co.entity)


def seen_by_manager(co, content, mapping=None):
    return look(co, content, mapping, within=within(co))


def refused(co, content, mapping=None):
    """The refusal for the manager; asserts that nothing was imported."""
    before = Entry.objects.count(), EntryImport.objects.count()
    with pytest.raises(Refused) as refusal:
        take(co, content, mapping, by=co.manager, within=within(co))
    assert (Entry.objects.count(), EntryImport.objects.count()) == before
    return refusal.value


@pytest.mark.parametrize("answer", ["", "skip", "change", "add"])
@pytest.mark.parametrize(
    ("before", "probe"),
    [
        (SECRET, f"{HEAD}\n2025-03-31,ANNA,SECRET,1,x\n"),
        (SECRET, SECRET + "\n"),  # otherwise it would already exist
        (
            f"{KIMAI}\n77,2025-03-31,3:15,ANNA,SECRET,,Negotiating the takeover\n",
            f"{KIMAI}\n77,2025-03-31,1:00,ANNA,SECRET,,x\n",
        ),
        (
            f"{KIMAI}\n77,2025-03-31,3:15,ANNA,SECRET,,Negotiating the takeover\n",
            f"{KIMAI}\n77,2025-03-31,3:15,ANNA,SECRET,,Negotiating the takeover\n\n",
        ),
    ],
    ids=["like", "same", "id", "same id"],
)
def test_a_row_on_another_managers_project_is_not_compared(co, before, probe, answer):
    """SEC-1: the result is the same if there is no such entry."""
    mapping = Mapping(answers={"changed": answer} if answer else {})
    nothing_there = seen_by_manager(co, probe, mapping).as_json()
    take(co, before)

    seen = seen_by_manager(co, probe, mapping)

    assert seen.as_json() == nothing_there
    assert errors(seen) == [NOT_YOURS]
    assert (seen.changed, seen.already_there, seen.to_add, seen.left_out) == ([], 0, [], {})
    assert isinstance(refused(co, probe, mapping), NotImported)


def test_the_preview_page_shows_nothing_of_other_projects(co, client):
    """SEC-1"""
    take(co, SECRET)
    client.force_login(co.manager)
    page = preview(client, f"{HEAD}\n2025-03-31,ANNA,SECRET,1,x\n").text
    assert "You don&#x27;t manage project SECRET" in page
    assert [word for word in ("7.25", "Negotiating", "Changed rows", "/entries/") if word in page] == []


def test_the_error_about_an_unreachable_entry_shows_only_its_id(co):
    """SEC-1: the row is on a project of the manager, the entry is not."""
    take(co, f"{KIMAI}\n77,2025-03-31,3:15,ANNA,SECRET,,Negotiating the takeover\n")
    probe = f"{KIMAI}\n77,2025-03-31,3:15,ANNA,NO1-P1,,Negotiating the takeover\n"
    for mapping in (Mapping(), Mapping(answers={"changed": "skip"}), Mapping(answers={"changed": "change"})):
        seen = seen_by_manager(co, probe, mapping)
        assert errors(seen) == [
            "row 2, external_id: The entry with the id “77” is on a project that you don't manage. Give the "
            "row another id, or ask an accountant to import the file."
        ]
        assert seen.changed == []
        refused(co, probe, mapping)


def test_an_entry_that_was_moved_to_another_project_does_not_change_and_is_not_shown(co):
    """SEC-1: not even if its billing differs from the file."""
    head = f"{HEAD},invoiced"
    take(co, f"{head}\n2025-03-31,ANNA,NO1-P1,7,Piers,no\n", by=co.manager)
    Entry.objects.update(project=co.secret, description="Takeover", quantity=3)

    mapping = Mapping(answers={"changed": "change"})
    seen = seen_by_manager(co, f"{head}\n2025-03-31,ANNA,NO1-P1,7,Piers,yes\n", mapping)

    assert (seen.changed, seen.errors, seen.to_add, seen.to_change) == ([], [], [], [])
    assert warnings(seen) == [
        "row 2: The entry was changed after it was imported, and is not changed by this import."
    ]


def test_the_file_of_another_user_shows_no_rows(co):
    """SEC-1: the mapping would reveal the project of the work."""
    text = "date,resource,hours,description\n2025-03-31,ANNA,7.25,Negotiating\n"
    take(co, text, Mapping(constants={"project": "SECRET"}))
    sentence = (
        "This file was imported before, and some of its rows are on projects that you don't manage. Ask an "
        "accountant to import the missing rows."
    )
    mapping = Mapping(constants={"project": "NO1-P1"})
    seen = seen_by_manager(co, text, mapping)
    assert (errors(seen), warnings(seen), seen.earlier) == ([sentence], [], None)
    assert refused(co, text, mapping).code == "IMPORT-REACH"


def test_the_users_own_file_is_recognized(co):
    """IMP-1"""
    text = f"{HEAD}\n2025-03-31,ANNA,NO1-P1,7.25,Piers\n"
    take(co, text, by=co.manager, within=within(co))
    seen = seen_by_manager(co, text)
    assert (seen.already_there, seen.errors) == (1, [])
    assert seen.earlier == EntryImport.objects.get()


def test_unknown_names_get_no_suggestions_from_other_projects(co):
    """SEC-1"""
    seen = seen_by_manager(co, f"{HEAD}\n2025-03-31,ANNA,SECRE,1,\n")
    assert errors(seen) == ["row 2, project: There is no project “SECRE”."]
    head = "date,resource,project,task,hours"
    seen = seen_by_manager(co, f"{head}\n2025-03-31,ANNA,Takeover,NEGOTIAT,1\n")
    assert errors(seen) == [
        "row 2, project: You don't manage project Takeover. Its manager can import this row."
    ]


ELSEWHERE = (
    "row 2, hours: Anna would have more than 24 hours on 31 Mar 2025, including those on projects that you "
    "don't manage. Correct the hours or the date in the file, or ask an accountant to import it."
)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("16.75", []),  # 16.75 + 7.25 = 24
        ("17", [ELSEWHERE]),
        ("24", [ELSEWHERE]),
    ],
)
def test_a_full_day_does_not_show_the_hours_on_other_projects(co, hours, expected):
    """SEC-1, APP-10"""
    take(co, SECRET)
    assert errors(seen_by_manager(co, f"{HEAD}\n2025-03-31,ANNA,NO1-P1,{hours},\n")) == expected


def test_hours_on_own_projects_are_counted_separately(co):
    """SEC-1, APP-10: 23 + 2 are too many in any case; an accountant sees the total of 32.25."""
    take(co, f"{HEAD}\n2025-03-31,ANNA,NO1-P1,2,Piers\n" + SECRET.splitlines()[1] + "\n")
    text = f"{HEAD}\n2025-03-31,ANNA,NO1-P1,23,More\n"
    (own,) = errors(seen_by_manager(co, text, Mapping(answers={"changed": "add"})))
    (all_of_it,) = errors(look(co, text, Mapping(answers={"changed": "add"})))
    assert "Anna would have 25 hours on 31 Mar 2025 (2 of them already entered)" in own
    assert "Anna would have 32.25 hours on 31 Mar 2025 (9.25 of them already entered)" in all_of_it


def test_a_day_that_became_full_does_not_show_the_hours_on_other_projects(co, monkeypatch):
    """SEC-1, APP-10: the day is checked again when its rows are written."""
    take(co, SECRET)
    monkeypatch.setattr("actuals.importing.planning.long_days", lambda *_: [])
    said = refused(co, f"{HEAD}\n2025-03-31,ANNA,NO1-P1,24,\n").message
    assert said == f"Nothing was imported. {ELSEWHERE.removeprefix('row 2, hours: ')}"


def test_control_totals_count_only_what_the_file_says(co):
    """SEC-1"""
    take(co, SECRET)
    seen = seen_by_manager(co, f"{HEAD}\n2025-03-31,ANNA,SECRET,1,x\n2025-03-31,ANNA,NO1-P1,2,y\n").as_json()
    people = {"ANNA Anna": {"rows": 1, "hours": "2", "amounts": {}}}
    assert seen["totals"]["people"] == people
    assert (seen["totals"]["hours"], seen["totals_to_add"]["hours"]) == ("2", "2")
    assert (seen["already_there"], seen["choices"]) == (0, {})


def test_a_worker_shows_no_more_than_the_page(co):
    """SEC-1"""
    take(co, SECRET)
    waiting = asked(co, f"{HEAD}\n2025-03-31,ANNA,SECRET,1,x\n")
    do_jobs()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.added, Entry.objects.count()) == ("failed", 0, 1)
    assert waiting.message.sentence == (
        "1 of 1 row of march.csv can't be imported, so nothing was imported. First error: " + NOT_YOURS
    )


def test_only_users_who_can_see_an_import_see_who_requested_it(co):
    """SEC-1: managers see their own imports, accountants all of the company."""
    first = asked(co, by=co.accountant)
    with pytest.raises(Refused) as refusal:
        asked(co, by=co.manager)
    assert (refusal.value.code, refusal.value.params) == ("IMPORT-AT-WORK-HIDDEN", {})
    assert EntryImport.objects.get() == first


def test_accountants_and_the_command_import_for_all_projects(co):
    """IMP-1"""
    take(co, SECRET)
    probe = f"{HEAD}\n2025-03-31,ANNA,SECRET,1,x\n"
    for seen in (look(co, probe), look(co, probe, within=projects_within(co.accountant, co.entity))):
        assert [(each.quantity, each.description) for each in seen.changed] == [
            (Decimal("7.25"), "Negotiating the takeover")
        ]
    assert AuditEvent.objects.filter(action="actuals.import").count() == 1
