"""Rows that need a decision, on the page and by command; control totals (IMP-1)."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils.html import escape

from actuals.importing import Mapping, NotImported
from actuals.models import Entry, EntryImport
from tests import factories
from tests.actuals.importing import LEAVE_OUT, errors, look, take, warnings
from tests.actuals.test_import_pages import preview, send

HEAD = "date,resource,project,hours,description,billable,invoiced,exported"
MARKED = f"""{HEAD}
2025-03-31,ANNA,NO1-P1,7.5,Drawn,yes,no,no
2025-04-01,ANNA,NO1-P1,2,Answer,no,no,no
2025-04-02,ANNA,NO1-P1,3,Billed,yes,yes,yes
2025-04-03,ANNA,NO1-P1,4,Sent,yes,no,yes
2025-04-04,ANNA,NO1-P1,0:20,Sent for nothing,no,no,yes
"""
OPEN = (
    "exported: Marked as exported: 2 rows with 4.3333 h. Choose what to do with them before you import the "
    "file."
)


BEFORE = "date,resource,project,task,hours,description\n2025-03-31,ANNA,NO1-P1,DESIGN,8,Drawings\n"


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def co(db):
    return factories.company(books=False)


def imported():
    return list(Entry.objects.order_by("date").values_list("description", "imported_billing"))


def test_exported_rows_need_a_decision_and_have_no_default(co):
    """IMP-1"""
    with pytest.raises(NotImported) as refusal:
        take(co, MARKED)
    assert errors(refusal.value.preview) == [OPEN]
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            {"exported": "bill"},
            {"Drawn": "", "Answer": "non_chargeable", "Billed": "cost_only", "Sent": ""}
            | {"Sent for nothing": "non_chargeable"},
        ),
        (
            {"exported": "cost"},
            {"Drawn": "", "Answer": "non_chargeable", "Billed": "cost_only", "Sent": "cost_only"}
            | {"Sent for nothing": "cost_only"},
        ),
        (
            {"exported": "skip"},
            {"Drawn": "", "Answer": "non_chargeable", "Billed": "cost_only"},
        ),
        (
            {"exported": "skip", "invoiced": "skip"},
            {"Drawn": "", "Answer": "non_chargeable"},
        ),
    ],
)
def test_billable_invoiced_and_exported(co, answers, expected):
    """IMP-1"""
    result = take(co, MARKED, Mapping(answers=answers))

    assert dict(imported()) == expected
    assert result.entry_import.mapping == {"answers": answers}
    assert sum(result.preview.left_out.values()) == 5 - len(expected)


def test_a_value_that_is_neither_yes_nor_no_is_an_error(co):
    """IMP-1"""
    assert errors(look(co, f"{HEAD}\n2025-03-31,ANNA,NO1-P1,1,,perhaps,,\n")) == [
        "row 2, billable: “perhaps” is neither yes nor no."
    ]


def test_rows_that_are_left_out_are_not_checked(co):
    """IMP-1: such as old work on projects that do not exist here."""
    content = f"{HEAD}\n2025-03-31,ANNA,OLD,1,,,,yes\n2025-03-31,ANNA,NO1-P1,2,,,,\n"
    assert len(look(co, content).errors) == 1
    assert take(co, content, Mapping(answers={"exported": "skip"})).added == 1


def test_rows_that_were_imported_before_need_no_decision(co):
    """IMP-1"""
    take(co, MARKED, Mapping(answers={"exported": "bill"}))
    assert look(co, MARKED + "\n").errors == []


def test_a_flag_with_an_earlier_answer_is_not_a_change_while_its_question_is_open(co):
    """IMP-1"""
    take(co, MARKED, Mapping(answers={"exported": "cost"}))
    seen = look(co, MARKED + "\n")
    assert (seen.changed, seen.errors) == ([], [])


# Totals


def test_control_totals_by_person_and_currency(co):
    """IMP-1: 8 h and 1:20 of Anna; 100.50 + 99.50 EUR and 480 NOK."""
    seen = look(
        co,
        "class,date,resource,project,hours,category,amount,currency\n"
        "time,2025-03-31,ANNA,NO1-P1,8,,,\n"
        "time,2025-04-02,ANNA,NO1-P1,1:20,,,\n"
        "time,2025-04-01,MAGNE,NO1-P1,2,,,\n"
        "expense,2025-04-01,ANNA,NO1-P1,,TRAVEL,100.50,EUR\n"
        "expense,2025-04-05,ANNA,NO1-P1,,TRAVEL,99.50,EUR\n"
        "expense,2025-04-01,,NO1-P1,,TRAVEL,480,\n",
    )
    assert seen.as_json()["totals"] == {
        "rows": 6,
        "hours": "11.3333",
        "amounts": {"EUR": "200.00", "NOK": "480.00"},
        "first_day": "2025-03-31",
        "last_day": "2025-04-05",
        "people": {
            "ANNA Anna": {"rows": 4, "hours": "9.3333", "amounts": {"EUR": "200.00"}},
            "MAGNE Magne": {"rows": 1, "hours": "2", "amounts": {}},
            "Nobody": {"rows": 1, "hours": "0", "amounts": {"NOK": "480.00"}},
        },
        "unread_rows": [],
    }


def test_totals_of_new_rows_exclude_existing_ones(co):
    """IMP-1"""
    take(co, BEFORE)
    seen = look(co, BEFORE + "2025-04-01,ANNA,NO1-P1,,1,Call\n")
    assert (seen.totals.hours, seen.totals_to_add.hours) == (9, 1)
    assert str(seen.totals_to_add.first_day) == "2025-04-01"


FILE = (
    "date,resource,project,hours,exported\n"
    "2025-03-31,ANNA,NO1-P1,7.5,\n"
    "2025-04-01,ANNA,,2,\n"
    "2025-04-02,ANNA,NO1-P1,4,yes\n"
    "2025-04-03,ANNA,NO1-P1,1:60,\n"
    "2025-04-04,BO,NO1-P1,1,\n"
    "2025-04-05,ANNA,NO1-P1,30,\n"
    "0026-04-05,ANNA,NO1-P1,99999999999999,\n"
    "2025-04-06,ANNA,,x,\n"
    "Total,,,44.5,\n"
)


def test_control_totals_count_no_row_with_an_error(co):
    """IMP-1: 7.5 h are new; 4 and 2 h are left out, and one of these has an unreadable value.

    The other rows have errors: an invalid duration, an unknown person, too many hours, a wrong year and
    hours.
    """
    seen = look(co, FILE, Mapping(answers={"exported": "skip", "no_project": "skip"}))
    new, others, totals = (
        each.as_json() for each in (seen.totals_to_add, seen.totals_of_others, seen.totals)
    )
    assert (new["rows"], new["hours"]) == (1, "7.5")
    assert (others["rows"], others["hours"], others["unread_rows"]) == (3, "6", [9])
    assert (totals["rows"], totals["hours"], totals["unread_rows"]) == (4, "13.5", [9])
    assert (new["first_day"], new["last_day"]) == ("2025-03-31", "2025-03-31")
    assert (totals["first_day"], totals["last_day"]) == ("2025-03-31", "2025-04-06")
    assert totals["people"] == {"ANNA Anna": {"rows": 4, "hours": "13.5", "amounts": {}}}
    assert seen.totals.about_unread() == (
        "Row 9 is counted without its hours or amount, which can't be read."
    )


def _counts(seen):
    return [len(seen.to_add), seen.already_there, seen.left_out, seen.open, seen.taken_for_totals, seen.wrong]


@pytest.mark.parametrize(
    ("answers", "counts"),
    [
        ({}, [1, 0, {}, 1, 1, 6]),
        ({"exported": "bill"}, [2, 0, {}, 0, 1, 6]),
        ({"exported": "skip"}, [1, 0, {"exported": 1}, 0, 1, 6]),
        ({"exported": "skip", "no_project": "skip"}, [1, 0, {"exported": 1, "no_project": 2}, 0, 1, 4]),
    ],
)
def test_each_row_counts_once(co, answers, counts):
    """IMP-1: of 9 rows, neither a row with an error nor one without a decision is counted as new."""
    seen = look(co, FILE, Mapping(answers=answers))
    assert (seen.total, _counts(seen)) == (9, counts)


def test_an_existing_row_counts_once(co):
    """IMP-1: one row exists, one exists and is changed, one is new."""
    head = "date,resource,project,hours,external_id\n"
    one, two, three = (f"2025-03-{day},ANNA,NO1-P1,8,T-{day}\n" for day in (10, 11, 12))
    take(co, head + one + two)
    content = head + one + two.replace(",8,", ",5,") + three
    assert _counts(look(co, content, Mapping(answers={"changed": "skip"}))) == [1, 1, {"changed": 1}, 0, 0, 0]
    seen = look(co, content)
    assert len(seen.to_add) + seen.already_there + seen.open + seen.wrong == seen.total == 3


def test_the_page_and_the_command_count_new_rows_and_others(co, client, tmp_path):
    """IMP-1: 7.5 h are new, 2 h have no project and are left out; a row has an error."""
    content = (
        "date,resource,project,hours\n2025-03-31,ANNA,NO1-P1,7.5\n2025-04-01,ANNA,,2\nsoon,ANNA,NO1-P1,x\n"
    )
    client.force_login(co.manager)
    preview(client, content)
    client.post("/import/preview/", {"choose": "1", "format": "ledgerline", "no_project": "skip"})
    page = " ".join(client.get("/import/preview/").text.split())
    assert "New: 31 Mar 2025 to 31 Mar 2025. The file: 2 rows with 9.5 h, 31 Mar 2025 to 1 Apr 2025." in page
    assert "1 row with errors is not counted." in page
    file = tmp_path / "march.csv"
    file.write_text(content)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_entries", file, "--entity", "NO1", "--no-project", "skip", stdout=out)
    said = out.getvalue()
    assert "Of 3 rows: 1 new, 0 imported before, 1 left out (without a project), 1 with errors.\n" in said
    assert "In the file, 31 Mar 2025 to 1 Apr 2025: 2 rows, 9.5 h. New: 1 row, 7.5 h.\n" in said


# Deciding again


def test_rows_that_were_left_out_can_be_decided_again(co, client):
    """IMP-1: importing the same file again adds the rows that were left out, and nothing twice.

    Counts are correct.
    """
    client.force_login(co.manager)
    take(co, MARKED, Mapping(answers={"exported": "skip", "invoiced": "skip"}))
    assert Entry.objects.count() == 2

    page = preview(client, MARKED)
    assert "Marked as exported: 2 rows with 4.3333 h" in page.text
    assert page.context["preview"].already_there == 2
    assert page.text.count("This file was already imported on") == 1
    page = client.post(
        "/import/preview/",
        {"choose": "1", "format": "ledgerline", "exported": "bill", "invoiced": "skip"},
        follow=True,
    )
    assert "Import 2 entries" in page.text
    assert "only rows without an entry can be added" in page.text
    client.post("/import/preview/", {"seen": page.context["seen"]})
    assert [text for text, _ in imported()] == ["Drawn", "Answer", "Sent", "Sent for nothing"]

    again = take(co, MARKED)
    assert (again.added, again.already_there, Entry.objects.count()) == (1, 4, 5)
    assert take(co, MARKED).added == 0


def test_the_same_file_with_another_mapping_adds_only_rows_that_were_left_out(co):
    """IMP-1: a project for the rows without one; imported rows are not read in another way."""
    content = "date,resource,project,hours\n2025-03-31,ANNA,NO1-P1,1\n2025-04-01,ANNA,,2\n"
    take(co, content, Mapping(answers={"no_project": "skip"}))
    constants = {"project": "NO1-P1", "role": "CONSULTANT"}
    again = take(co, content, Mapping(constants=constants))
    assert (again.added, again.already_there) == (1, 1)
    assert again.entry_import.mapping == {"format": "ledgerline", "constants": {"project": "NO1-P1"}}
    assert take(co, content, Mapping(constants=constants)).added == 0


def test_an_entry_that_was_edited_here_is_not_an_error_of_the_same_file(co):
    """IMP-1"""
    content = "date,resource,project,hours,external_id\n2025-03-31,ANNA,NO1-P1,8,T-1\n"
    take(co, content)
    Entry.objects.update(quantity=5)
    again = take(co, content)
    assert (again.added, again.already_there) == (0, 1)
    assert Entry.objects.get().quantity == 5


def test_a_message_says_that_all_rows_are_left_out_again(co, client):
    """IMP-1"""
    client.force_login(co.manager)
    take(co, MARKED, Mapping(answers={"exported": "skip"}))
    preview(client, MARKED)
    answers = {"choose": "1", "format": "ledgerline", "exported": "skip", "invoiced": "cost"}
    client.post("/import/preview/", answers)
    page = client.post("/import/preview/", follow=True)
    assert "0 entries added: 3 were imported before, 2 rows are left out." in page.text


# The same on the page and by command


def test_the_page_imports_what_it_showed(co, client):
    """IMP-1"""
    client.force_login(co.manager)
    page = preview(client, MARKED)
    assert escape(OPEN.removeprefix("exported: ")) in page.text
    assert "Import 5 entries" not in page.text
    assert "31 Mar 2025" in page.text
    assert "16.8333" in page.text

    answered = client.post(
        "/import/preview/",
        {"choose": "1", "format": "ledgerline", "exported": "cost", "invoiced": "skip"},
        follow=True,
    )
    assert "Import 4 entries" in answered.text
    assert "Left out: marked as invoiced" in answered.text
    client.post("/import/preview/", {"seen": page.context["seen"]})
    assert not Entry.objects.exists()  # the page that was shown had no answer yet

    client.post("/import/preview/", {"seen": answered.context["seen"]})
    assert [billing for _, billing in imported()] == ["", "non_chargeable", "cost_only", "cost_only"]
    done = EntryImport.objects.get()
    assert done.mapping["answers"] == {"exported": "cost", "invoiced": "skip"}
    assert "Cost only: exported means invoiced" in client.get(done.get_absolute_url()).text


def test_the_program_can_be_chosen_on_the_preview(co, client):
    """IMP-1"""
    client.force_login(co.manager)
    send(client, "Date,Duration,Project,Bookable Resource\n2025-03-31,90,Bridge,Anna\n", format_="")
    client.post("/import/columns/", {"column-date": "Date"})
    assert client.get("/import/preview/").context["work"]["format"] == "dynamics"
    page = client.post("/import/preview/", {"choose": "1", "format": "kimai"}, follow=True)
    assert page.context["work"]["format"] == "kimai"
    assert "The resource is missing." in page.text


def test_an_invalid_answer_changes_nothing(co, client):
    client.force_login(co.manager)
    preview(client, MARKED)
    page = client.post(
        "/import/preview/", {"choose": "1", "format": "ledgerline", "exported": "x"}, follow=True
    )
    assert "Choose one of the answers that the page offers." in page.text


def test_the_page_of_columns_keeps_the_answers(co, client):
    """IMP-1"""
    client.force_login(co.manager)
    preview(client, MARKED)
    client.post("/import/preview/", {"choose": "1", "format": "ledgerline", "exported": "bill"})
    client.post("/import/columns/", {})
    assert client.get("/import/preview/").context["preview"].errors == []


def command(path, *options):
    out = io.StringIO()
    call_command("import_entries", path, "--entity", "NO1", *options, stdout=out)
    return out.getvalue()


def test_the_command_asks_and_takes_answers(co, tmp_path):
    """IMP-1"""
    file = tmp_path / "march.csv"
    file.write_text(MARKED)
    with pytest.raises(CommandError, match="Marked as exported: 2 rows with 4.3333 h"):
        command(file)

    assert command(file, "--preview", "--exported", "bill") == (
        "5 of 5 rows would be added, 0 were imported before.\n"
        "5 rows of time have no category: they get Work.\n"
        "In the file, 31 Mar 2025 to 4 Apr 2025: 5 rows, 16.8333 h. New: 5 rows, 16.8333 h.\n"
        "  ANNA Anna: 5 rows, 16.8333 h.\n"
    )
    answer = json.loads(command(file, "--json", "--exported", "skip", "--invoiced", "skip"))
    assert (answer["added"], answer["left_out"]) == (2, {"invoiced": 1, "exported": 2})


def test_the_command_names_rows_that_could_be_left_out(co, tmp_path):
    """IMP-1"""
    file = tmp_path / "march.csv"
    file.write_text("date,resource,project,hours\n2025-03-31,ANNA,NO1-P1,\n2025-03-31,ANNA,NO1-P1,1\n")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_entries", file, "--entity", "NO1", stdout=out)
    assert out.getvalue().splitlines() == [
        f"Error: row 2, hours: The hours are missing. {LEAVE_OUT}",
        "Of 2 rows: 1 new, 0 imported before, 1 with errors.",
        "In the file, 31 Mar 2025 to 31 Mar 2025: 1 row, 1 h. New: 1 row, 1 h.",
        "  ANNA Anna: 1 row, 1 h.",
        "Without a duration, or still running: 1 row; --empty skip.",
    ]
    assert command(file, "--empty", "skip") == (
        "1 of 2 rows added as a draft, 0 were imported before.\n"
        "Left out: 1, without a duration, or still running.\n"
        "1 row of time has no category: it gets Work.\n"
    )
    assert Entry.objects.get().quantity == Decimal(1)
    assert warnings(look(co, file.read_bytes())) != []
