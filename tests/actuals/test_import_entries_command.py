"""The command line of the import, and the example in its documentation."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from actuals.importing import CREATABLE, FIELDS, FORMATS
from actuals.models import Entry
from tests import factories
from tests.actuals.importing import LEAVE_OUT, SAY_HOW

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "import.md"
CSV = """date,resource,project,hours,external_id
2025-03-31,ANNA,NO1-P1,7.5,A-1
2025-04-01,ANNA,NO1-P1,2,A-2
"""


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "march.csv"
    file.write_text(CSV)
    return file


def run(file, *arguments, entity="NO1"):
    out = StringIO()
    call_command("import_entries", str(file), "--entity", entity, *arguments, stdout=out)
    return out.getvalue()


def test_a_preview_and_then_the_import(co, file):
    """IMP-1"""
    assert run(file, "--preview") == (
        "2 of 2 rows would be added, 0 were imported before.\n"
        "2 rows of time have no category: they get Work.\n"
        "In the file, 31 Mar 2025 to 1 Apr 2025: 2 rows, 9.5 h. New: 2 rows, 9.5 h.\n"
        "  ANNA Anna: 2 rows, 9.5 h.\n"
    )
    assert not Entry.objects.exists()

    assert run(file) == (
        "2 of 2 rows added as drafts, 0 were imported before.\n2 rows of time have no category: they get "
        "Work.\n"
    )
    again = run(file)

    assert re.fullmatch(
        r"Warning: This file was already imported on \d+ \w{3} \d{4}. It adds no entries.\n"
        r"0 of 2 rows added as drafts, 2 were imported before.\n",
        again,
    )
    assert Entry.objects.count() == 2


def test_the_command_shows_who_can_approve(co, file):
    """APP-2"""
    answer = run(file, "--preview", "--by", co.manager.username)
    assert answer.startswith("Warning: Nobody could approve 2 entries on NO1-P1: ")
    assert "Warning: Nobody could approve" in run(file, "--submit", "--by", co.manager.username)


def test_submitted_by_somebody(co, file):
    """APP-1"""
    answer = run(file, "--submit", "--by", co.accountant.username)

    assert answer.startswith("2 of 2 rows added and submitted, 0 were imported before.\n")
    entry = Entry.objects.first()
    assert (entry.status, entry.created_by, entry.submitted_by) == (
        "submitted",
        co.accountant,
        co.accountant,
    )


def test_errors_are_listed_and_nothing_is_imported(co, file):
    """IMP-1"""
    file.write_text(CSV.replace("7.5", "0").replace("2025-04-01", "soon"))
    out = StringIO()

    with pytest.raises(
        CommandError, match="2 of 2 rows of march.csv can.t be imported, so nothing was imported"
    ):
        call_command("import_entries", str(file), "--entity", "NO1", stdout=out)

    assert out.getvalue().splitlines()[:2] == [
        f"Error: row 2, hours: The hours are zero. {LEAVE_OUT}",
        f"Error: row 3, date: “soon” is not a date such as 2025-03-31. {SAY_HOW}",
    ]
    with pytest.raises(CommandError, match="Nothing is imported while there are errors"):
        run(file, "--preview")
    assert not Entry.objects.exists()


def test_long_lists_of_errors_are_shortened(co, file):
    header, row, _ = CSV.splitlines()
    file.write_text("\n".join([header, *[row.replace("7.5", "0")] * 60]))
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("import_entries", str(file), "--entity", "NO1", stdout=out)

    assert "… and 69 more (error); --json has them all." in out.getvalue()


def test_answers_as_json(co, file):
    preview = json.loads(run(file, "--preview", "--json"))
    result = json.loads(run(file, "--json"))

    totals = {
        "rows": 2,
        "hours": "9.5",
        "amounts": {},
        "first_day": "2025-03-31",
        "last_day": "2025-04-01",
        "people": {"ANNA Anna": {"rows": 2, "hours": "9.5", "amounts": {}}},
        "unread_rows": [],
    }
    assert preview == {
        "file": "march.csv",
        "format": "ledgerline",
        "rows": 2,
        "to_add": 2,
        "to_change": 0,
        "already_there": 0,
        "left_out": {},
        "open": 0,
        "wrong": 0,
        "taken_for_totals": 0,
        "earlier_import": None,
        "to_create": {},
        "choices": {},
        "time_without_category": {
            "rows": 2,
            "gets": "WORK",
            "said": "2 rows of time have no category: they get Work.",
        },
        "changed": [],
        "totals": totals,
        "totals_to_add": totals,
        "errors": [],
        "warnings": [],
        "approval": [],
    }
    assert (result["added"], result["submitted"]) == (2, False)
    assert result["import"] == Entry.objects.first().source_id


def test_errors_as_json(co, file):
    file.write_text(CSV.replace("7.5", "0"))
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("import_entries", str(file), "--entity", "NO1", "--json", stdout=out)

    assert json.loads(out.getvalue())["errors"] == [
        {
            "row": 2,
            "field": "hours",
            "code": "HOURS-ZERO",
            "params": {},
            "message": f"The hours are zero. {LEAVE_OUT}",
        }
    ]


def test_every_option_reaches_the_import(co, file):
    file.write_text("Day\tWho\tTime\tWhat\n31.03.2025\tANNA\t1,125\tNew task\n")

    answer = run(
        file,
        *("--map", "date=Day", "--map", "resource=Who", "--map", "quantity=Time", "--map", "task=What"),
        *(
            "--set",
            "project=NO1-P1",
            "--set",
            "category=Talk",
            "--date-format",
            "DD.MM.YYYY",
            "--decimal",
            ",",
        ),
        *("--create", "tasks, categories", "--item-tax-group", "SERVICES"),
    )

    entry = Entry.objects.get()
    assert (str(entry.date), str(entry.quantity)) == ("2025-03-31", "1.1250")
    assert (entry.task.code, entry.category.code) == ("New task", "Talk")
    assert entry.category.item_tax_group == co.item_tax_group
    assert answer == (
        "New tasks created: 1.\nNew categories created: 1.\n1 of 1 row added as a draft, 0 were imported "
        "before.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "nobody"], "There is no active user “nobody”."),
        (["--map", "date"], "“date” must have the form field=value."),
        (["--create", "everything"], "An import can.t create “everything”"),
    ],
)
def test_inconsistent_options_are_refused(co, file, arguments, message):
    with pytest.raises(CommandError, match=message):
        run(file, *arguments)


def test_an_unknown_company_or_file(co, file, tmp_path):
    with pytest.raises(CommandError, match="There is no legal entity “XX”."):
        run(file, entity="XX")
    with pytest.raises(CommandError, match="nowhere.csv can.t be read: No such file"):
        run(tmp_path / "nowhere.csv")
    with pytest.raises(CommandError, match="can.t be read: Is a directory"):
        run(tmp_path)


def test_the_documented_example_is_imported(co, file):
    """IMP-1"""
    (example,) = re.findall(r"```csv\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    file.write_text(example)

    assert run(file).startswith("4 of 4 rows added as drafts, 0 were imported before.\n")
    assert list(Entry.objects.order_by("pk").values_list("transaction_class", "external_id")) == [
        ("time", "T-1001"),
        ("time", "T-1002"),
        ("expense", "E-77"),
        ("fee", "F-3"),
    ]


def test_all_fields_formats_and_kinds_are_documented():
    text = DOCUMENTATION.read_text()

    for name in (*FIELDS, *CREATABLE, *(name for name in FORMATS if name != "ledgerline")):
        assert f"`{name}`" in text, name
