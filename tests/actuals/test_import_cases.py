"""Files as time trackers write them, on the page and by command: the imported entries, row by row (IMP-1)."""

import csv
import datetime
import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from actuals.importing import Mapping, preview
from actuals.models import Entry
from actuals.operations.imports import import_entries
from invoicing_site.explain import find
from invoicing_site.floor.errors import Refused
from tests import factories
from tests.actuals.importing import LEAVE_OUT, LEAVE_OUT_PROJECT

FILES = Path(__file__).with_name("files")
GRID, FLEET = "P-1001", "P-1002"


@pytest.fixture
def co(db, settings, tmp_path):
    settings.DATA = tmp_path
    it = factories.company(books=False, time_zone="Europe/Oslo")
    for code, name in ((GRID, "Grid operations support"), (FLEET, "Fleet reporting")):
        project = factories.ProjectFactory(entity=it.entity, code=code, name=name)
        for task in ("Analysis", "Build", "Support"):
            factories.TaskFactory(project=project, code=task.upper(), name=task)
    it.senior = factories.RoleFactory(entity=it.entity, code="SENIOR", name="Senior consultant")
    it.resource.name = "Anna Eksempel"
    it.resource.save()
    it.member.email = "member@ledgerline.example"
    it.member.save()
    return it


def path_of(file) -> Path:
    """A file of this folder by its name, or any other by its path."""
    return FILES / file


class Page:
    """Upload, choose and confirm, without a mapping."""

    def __init__(self, co, client):
        self.client = client
        client.force_login(co.accountant)

    def take(self, name, constants=None, **choices):
        path = path_of(name)
        file = SimpleUploadedFile(path.name, path.read_bytes())
        self.client.post("/import/new/", {"file": file})
        mapping = {f"constant-{field}": value for field, value in (constants or {}).items()}
        self.client.post("/import/columns/", mapping)
        seen = self.client.get("/import/preview/").context
        if seen is None:
            return None
        if choices:
            choices |= {"choose": "1", "format": seen["work"]["format"]}
            self.client.post("/import/preview/", choices)
            seen = self.client.get("/import/preview/").context
        shown = [str(problem) for problem in seen["preview"].errors]
        self.client.post("/import/preview/", {"seen": seen["seen"]})
        return shown


class Command:
    def __init__(self, co, client):
        self.by = co.accountant.username

    def take(self, name, constants=None, **choices):
        options = [f"--set={field}={value}" for field, value in (constants or {}).items()]
        options += [f"--{choice.replace('_', '-')}={answer}" for choice, answer in choices.items()]
        out = io.StringIO()
        try:
            call_command("import_entries", path_of(name), "--by", self.by, *options, stdout=out)
        except CommandError:
            return [line.removeprefix("Error: ") for line in out.getvalue().splitlines() if "Error" in line]
        return []


@pytest.fixture(params=[Page, Command])
def way(request, co, client):
    return request.param(co, client)


def entries():
    found = Entry.objects.order_by("date", "pk").select_related("project", "task")
    return [
        (
            each.date.strftime("%m-%d"),
            each.project.code,
            each.task and each.task.name,
            str(each.quantity),
            each.imported_billing,
            each.description,
        )
        for each in found
    ]


# Hours are calculated by hand: 20 min is 1200 s / 3600 = 0.3333 h; 1:00:01 is 3601 s = 1.0003 h.
COME_IN = {
    "clockify_detailed.csv": [
        ("11-01", GRID, None, "0.3333", "", "twenty minutes"),
        ("11-02", GRID, None, "0.1667", "", "ten min"),
        ("11-03", GRID, None, "1.0833", "", "1:05"),
        ("11-04", GRID, None, "1.5000", "", "exact"),
        ("11-05", GRID, None, "1.0003", "", "one second over"),
    ],
    "d365_minutes.csv": [("11-02", GRID, "Build", "8.0000", "", "Design")],
    "jira_worklog.csv": [
        ("11-02", GRID, None, "1.5000", "", "GRID-1 Did"),
        ("11-03", GRID, None, "10.0000", "", "GRID-1 Did"),
    ],
    "kimai_iso_duration.csv": [("11-02", GRID, "Analysis", "1.5000", "", "Work")],
    "other_program_same_id.csv": [("11-20", GRID, None, "2.0000", "", "Another program same number")],
    "toggl_new.csv": [
        ("11-02", GRID, None, "1.5000", "", "Grid model"),
        ("11-02", FLEET, "Build", "0.3333", "", "Call, long"),
        ("11-03", FLEET, "Support", "2.2583", "", "Night shift"),  # 2:15:30 is 8130 s
    ],
    "x_fraction_general.xlsx": [
        ("11-02", GRID, None, "0.0625", "", "1:30 as a fraction with format General")
    ],
    "x_titlerow.xlsx": [("11-02", GRID, None, "1.5000", "", "x")],
}


@pytest.mark.parametrize("name", COME_IN)
def test_files_that_are_imported_without_options(way, name):
    """IMP-1: the program and the format are recognized."""
    assert way.take(name) == []
    assert entries() == COME_IN[name]


@pytest.mark.parametrize(
    ("name", "choices", "refused", "expected"),
    [
        (
            "clockify_zero_rows.csv",
            {"empty": "skip"},
            [f"row 3, hours: The hours are zero. {LEAVE_OUT}"],
            [("11-09", GRID, None, "1.0000", "", "ok")],
        ),
        (
            # Solidtime writes UTC: 23:30 on the last day of October is half past midnight in Oslo.
            "solidtime_utc.csv",
            {"empty": "skip"},
            [f"row 3, hours: The hours are missing. {LEAVE_OUT}"],
            [
                ("11-01", GRID, "Analysis", "1.0000", "", "Late call"),
                ("11-02", GRID, "Analysis", "0.3333", "", "Third"),
            ],
        ),
        (
            "toggl_no_project_row.csv",
            {"empty": "skip", "no_project": "skip"},
            [
                f"row 3, project: The project is missing. {LEAVE_OUT_PROJECT}",
                f"row 4, hours: The hours are zero. {LEAVE_OUT}",
            ],
            [("11-05", GRID, None, "1.0000", "non_chargeable", "Checks")],
        ),
    ],
)
def test_rows_are_left_out_only_after_a_decision(way, name, choices, refused, expected):
    """IMP-1: nothing is imported before the decision."""
    assert way.take(name) == refused
    assert entries() == []

    assert way.take(name, **choices) == []
    assert entries() == expected


def test_rows_without_a_project_can_get_one(way):
    """IMP-1"""
    assert way.take("toggl_no_project_row.csv", {"project": FLEET}, empty="skip") == []
    assert entries() == [
        ("11-05", GRID, None, "1.0000", "non_chargeable", "Checks"),
        ("11-05", FLEET, None, "0.3333", "non_chargeable", "Lunch walk"),
    ]


# In one of three rows, the description has a comma without quotes.
TOO_LONG = (6, 10, 23)
DURATIONS_REFUSED = {13: "1:60", 17: "1e1", 18: "１.５", 19: "1½", 21: "1:5", 24: "inf", 25: "nan"}


TOO_MANY = {10: "1234.5 hours on 10 Nov 2026", 14: "25 hours on 14 Nov 2026"}
MORE_THAN_A_DAY = "more than a day has. Correct the hours or the date in the file."


def test_durations_that_cannot_be_read_prevent_the_import(way):
    """IMP-1; APP-10: so do durations that are longer than a day."""
    refused = [
        (row, f"“{text}” is not a number of hours: write 7.5 or 7:30.")
        for row, text in DURATIONS_REFUSED.items()
    ]
    refused.append((16, "0.00001 is less than 0.0001, the smallest quantity that can be saved."))
    shown = {row: f"row {row}, hours: {words}" for row, words in refused}
    shown[14] = f"row 14, hours: Anna Eksempel would have {TOO_MANY[14]}, {MORE_THAN_A_DAY}"
    shown |= {
        row: f"row {row}: The row has more cells than the header. Check separators and quotation marks."
        for row in TOO_LONG
    }
    assert way.take("durations.csv") == [shown[row] for row in sorted(shown)]
    assert entries() == []


def test_all_other_durations_are_imported_exactly(way, tmp_path):
    """IMP-1"""
    with (FILES / "durations.csv").open(newline="", encoding="utf-8") as source:
        rows = [cells[:4] for cells in csv.reader(source)]
    wrong = {*DURATIONS_REFUSED, *TOO_MANY, 16}
    with (tmp_path / "good.csv").open("w", newline="", encoding="utf-8") as good:
        csv.writer(good).writerows(cells for row, cells in enumerate(rows, 1) if row not in wrong)

    assert way.take(tmp_path / "good.csv") == []
    assert [(day, hours) for day, _, _, hours, _, _ in entries()] == [
        *((f"11-{day:02}", "1.5000") for day in range(2, 10)),
        ("11-11", "0.5000"),
        ("11-12", "5.0000"),
        ("11-15", "0.0003"),
        ("11-20", "24.0000"),
        ("11-22", "1.5001"),  # 5400.5 s
        ("11-23", "8.0000"),
    ]


def test_a_formula_that_was_never_calculated_is_named(way):
    """IMP-1"""
    assert way.take("x_formula.xlsx") == [
        "row 2, hours: Cell D2 has a formula, but its value was not saved. Open the workbook in a "
        "spreadsheet program, save it, and choose it again."
    ]
    assert entries() == []


def test_the_same_id_in_two_programs_is_two_entries(way, tmp_path):
    """IMP-1"""
    own = "date,project,resource,hours,external_id\n2026-11-20,P-1001,ANNA,2,4711\n"
    (tmp_path / "own.csv").write_text(own)

    assert way.take(tmp_path / "own.csv") == []
    assert way.take("other_program_same_id.csv") == []

    found = Entry.objects.order_by("pk").values_list("external_program", "external_id")
    assert list(found) == [("ledgerline", "4711"), ("jira", "4711")]


def test_unusual_rows_are_warnings(co):
    """IMP-1"""

    def warnings(name):
        seen = preview((FILES / name).read_bytes(), co.entity, Mapping(), on=datetime.date(2026, 12, 1))
        return [str(each) for each in seen.warnings if "ignored" not in str(each)]

    assert warnings("x_titlerow.xlsx") == [
        "Row 3 was read as the header, and the rows above it as titles.",
        "row 5: The row begins with “Total” and has no project. It is read as a total.",
    ]
    assert warnings("x_fraction_general.xlsx") == [
        "row 2, hours: 0.0625 is read as hours. If it means 1:30, format the cells as times."
    ]
    assert warnings("d365_minutes.csv") == [
        "row 2, date: The date is read as MM/DD/YYYY, the default format of this program. If this is wrong, "
        "enter the date format."
    ]


def test_a_day_of_25_hours_prevents_the_import(way):
    """APP-10: the same limit as for hours that are typed."""
    assert way.take("x_times.xlsx") == [
        f"row 8, hours: Anna Eksempel would have 25 hours on 8 Nov 2026, {MORE_THAN_A_DAY}"
    ]
    assert entries() == []


def test_times_of_a_workbook(co):
    """IMP-1: in each of Excel's ways to store a time."""
    seen = preview((FILES / "x_times.xlsx").read_bytes(), co.entity, Mapping(), on=datetime.date(2026, 12, 1))
    assert [(f"{row.date:%m-%d}", str(row.quantity), row.description) for row in seen.rows] == [
        ("11-02", "1.5000", "timedelta"),
        ("11-03", "1.5000", "time"),
        ("11-04", "1.5000", "datetime"),
        ("11-05", "1.5000", "text date"),
        ("11-06", "0.5000", "0:30 with 7 digits [h]:mm"),
        ("11-07", "8.0000", "8:00 with 7 digits hh:mm"),
        ("11-08", "25.0000", "25:00"),
    ]


def test_an_id_that_two_programs_gave_is_explained_by_number(co):
    """IMP-1"""
    entries = [
        factories.time_entry(co, external_program=program, external_id="4711") for program in ("jira", "odoo")
    ]
    with pytest.raises(
        Refused, match=f"More than one entry has the external id “4711”. .* {entries[0].pk} or"
    ):
        find("entry", "4711")


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.iterdir()))
@pytest.mark.parametrize("answers", [{}, {"empty": "skip", "no_project": "skip", "invoiced": "skip"}])
def test_the_counts_add_up_to_the_rows(co, name, answers):
    """IMP-1: each row is counted once."""
    for _ in range(2):
        seen = preview(path_of(name).read_bytes(), co.entity, Mapping(answers=answers))
        parts = [len(seen.to_add), len(seen.to_change), seen.already_there, seen.open, seen.taken_for_totals]
        assert sum(parts) + seen.wrong + sum(seen.left_out.values()) == seen.total > 0
        assert seen.totals.rows + seen.wrong + seen.taken_for_totals == seen.total
        if seen.errors or not seen.to_add:
            break
        import_entries(path_of(name).read_bytes(), co.entity, Mapping(answers=answers), by=co.accountant)
