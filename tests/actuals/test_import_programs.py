"""The exports of other programs: headings as these programs write them, data invented."""

import datetime
from decimal import Decimal

import pytest

from actuals.importing import FORMATS, Mapping, recognized
from actuals.models import Entry
from tests import factories
from tests.actuals.importing import SAY_HOW, errors, look, take, warnings


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.mark.parametrize(
    ("format_", "content", "entry"),
    [
        (
            "kimai",
            "Date,From,To,Duration,Currency,Alias,Username,Email,Customer,Project,Activity,Description,"
            "Project number\n"
            "2025-03-31,09:00,16:30,7.5,NOK,Anna,member.no1,,Road,Bridge,Design,Piers,NO1-P1\n"
            ",,,7.5,,,,,,,,,\n",
            "7.5000 DESIGN Piers",
        ),
        (
            "harvest",
            "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,Approved?,First Name,"
            "Last Name,Roles,Employee?,Billable Rate,Billable Amount,Cost Rate,Cost Amount,Currency,"
            "External Reference URL\n"
            '2025-03-31,Road,Bridge,"",Design,Piers,7.50,Yes,No,No,Anna,"",,Yes,0,0,0,0,NOK,\n',
            "7.5000 DESIGN Piers",
        ),
        (
            "toggl",
            "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,"
            "Duration,Tags,Amount ()\n"
            "Anna,member.no1@example.com,Road,Bridge,,Piers,No,2025-03-31,09:00:00,2025-03-31,16:30:36,"
            "07:30:36,,\n",
            "7.5100 None Piers",
        ),
        (
            "clockify",
            '"Project","Client","Description","Task","User","Group","Email","Tags","Billable","Start Date",'
            '"Start Time","End Date","End Time","Duration (h)","Duration (decimal)","Billable Rate (NOK)",'
            '"Billable Amount (NOK)"\n'
            '"Bridge","Road","Piers","Design","Anna","","","","Yes","03/31/2025","09:00:00 AM","03/31/2025",'
            '"04:30:00 PM","07:30:00","7.50","0","0"\n',
            "7.5000 DESIGN Piers",
        ),
    ],
)
def test_the_exports_of_other_programs(co, format_, content, entry):
    """IMP-1: headings as these programs write them, data invented."""
    mapping = Mapping(format=format_, date_format="MM/DD/YYYY" if format_ == "clockify" else "")

    seen = look(co, content, mapping)
    take(co, content, mapping)

    assert errors(seen) == []
    imported = Entry.objects.get()
    assert f"{imported.quantity} {imported.task and imported.task.code} {imported.description}" == entry
    assert (imported.resource, imported.project) == (co.resource, co.project)
    assert imported.date == datetime.date(2025, 3, 31)
    assert imported.source.format == format_
    assert take(co, content, mapping).added == 0


def test_a_row_of_totals_is_left_out_with_a_warning(co):
    content = "Date,Duration,User,Project\n2025-03-31,7.5,Anna,Bridge\n,7.5,,\n"

    assert warnings(look(co, content, Mapping(format="kimai")))[-1] == (
        "row 3: This row has no date, project or person. It is read as a total."
    )
    assert "row 3, date: The date is missing." in errors(
        look(co, content, Mapping(columns={"quantity": "Duration", "resource": "User"}))
    )


def entries():
    found = Entry.objects.order_by("pk").select_related("project", "resource", "task", "category")
    return [
        {
            "date": str(each.date),
            "project": each.project.code,
            "resource": each.resource and each.resource.code,
            "quantity": str(each.quantity),
            "description": each.description,
            "cost": each.cost_net is not None and f"{each.cost_net:.2f} {each.cost_currency}",
            "billing": each.imported_billing,
            "external_id": each.external_id if each.external_program else "",
        }
        for each in found
    ]


A_DAY = {
    "date": "2025-03-31",
    "project": "NO1-P1",
    "resource": "ANNA",
    "quantity": "1.5000",
    "description": "Piers",
    "cost": False,
    "billing": "",
    "external_id": "",
}
AN_EXPENSE_ROW = A_DAY | {"quantity": "1.0000", "cost": "412.50 EUR"}
EXPORTS = [
    (
        "jira",  # Tempo's own report
        "Issue Key,Issue summary,Hours,Work date,Username,Full name,Project Key,Project Name,"
        "Work Description\n"
        "ROAD-7,Bridge,1.5,2025-03-31,ANNA,Anna,ROAD,Bridge,Piers\n",
        A_DAY | {"description": "ROAD-7 Piers"},
    ),
    (
        "jira",  # dates as Jira shows them
        "Issue key,Started,Author,Time spent,Project,Comment\n"
        "ROAD-7,31/Mar/25 9:30 AM,Anna,1h 30m,Bridge,Piers\n",
        A_DAY | {"description": "ROAD-7 Piers"},
    ),
    (
        "odoo",
        "External ID,Date,Employee,Project,Task,Description,Time Spent\n"
        "__export__.line_12,2025-03-31,Anna,Bridge,Design,Piers,1.50\n",
        A_DAY | {"external_id": "__export__.line_12"},
    ),
    (
        "everhour",
        "Date,Member,Client,Project,Task,Time,Comment\n03/31/2025,Anna,Road,Bridge,Design,1:30,Piers\n",
        A_DAY,
    ),
    (
        "kimai",
        "Date,From,To,Duration,Username,Customer,Project,Activity,Description,Billable\n"
        "2025-03-31,09:00,10:30,1:30,ANNA,Road,Bridge,Design,Piers,0\n",
        A_DAY | {"billing": "non_chargeable"},
    ),
    (
        "harvest",
        "Date,Client,Project,Task,Notes,Hours,Billable?,Invoiced?,First Name,Last Name\n"
        "2025-03-31,Road,Bridge,Design,Piers,1.5,Yes,Yes,Anna,\n",
        A_DAY | {"billing": "cost_only"},
    ),
    (
        "harvest_expenses",
        "Date,Client,Project,Project Code,Category,Notes,Amount,Billable?,Invoiced?,First Name,"
        "Last Name,Currency\n"
        "2025-03-31,Road,Bridge,,Travel,Piers,412.50,No,No,Anna,,Euro - EUR\n",
        AN_EXPENSE_ROW | {"billing": "non_chargeable"},
    ),
    (
        "expensify",
        "Timestamp,Merchant,Amount,MCC,Category,Tag,Description,Reimbursable,Original Currency,"
        "Original Amount,Receipt\n"
        "2025-03-31 10:11:12,Rail,4800.00,,Travel,Bridge,to the site,yes,EUR,412.50,http://x\n",
        AN_EXPENSE_ROW | {"description": "Rail to the site", "resource": None},
    ),
]


@pytest.mark.parametrize(("format_", "content", "expected"), EXPORTS, ids=[each[0] for each in EXPORTS])
def test_programs_are_recognized_by_their_headings(co, format_, content, expected):
    """IMP-1"""
    result = take(co, content)

    assert result.entry_import.format == format_
    assert entries() == [expected]
    assert take(co, content + "\n").added == 0


def test_no_program_is_mistaken_for_another():
    """IMP-1: each by the headings that only this program has."""
    for format_, program in FORMATS.items():
        assert recognized([sign.partition("|")[0] for sign in program.signs]) == format_
    assert recognized(["Day", "Who", "Time"]) == "ledgerline"


def test_a_program_can_be_chosen_instead(co):
    """IMP-1: only D365 files have minutes."""
    content = "Date,Duration,Project,Bookable Resource\n2025-03-31,90,Bridge,Anna\n"
    assert look(co, content).rows[0].quantity == Decimal("1.5")
    own = Mapping("ledgerline", {"quantity": "Duration", "resource": "Bookable Resource"})
    assert look(co, content, own).rows[0].quantity == 90


def test_a_mapped_column_replaces_those_of_the_program(co):
    """IMP-1"""
    content = "Date,Duration,Project,Bookable Resource,Booked\n2025-03-31,90,Bridge,Anna,2\n"
    assert look(co, content, Mapping(columns={"quantity": "Booked"})).rows[0].quantity == 2


@pytest.mark.parametrize(
    ("header", "cells", "hours"),
    [
        ("hours,minutes", ",90", "1.5"),
        ("hours,minutes", "1.5,90", "1.5"),
        ("hours,minutes,seconds", ",,1199", "0.3331"),  # 1199 s / 3600 = 0.33306
        ("minutes,seconds", "20,1200", "0.3333"),
    ],
)
def test_minutes_and_seconds(co, header, cells, hours):
    """IMP-1"""
    seen = look(co, f"date,resource,project,{header}\n2025-03-31,ANNA,NO1-P1,{cells}\n")
    assert errors(seen) == []
    assert seen.rows[0].quantity == Decimal(hours)


def test_hours_and_minutes_that_differ_are_an_error(co):
    """IMP-1: 1 h and 30 min can be one duration of 1.5 h, or the same duration in two units."""
    seen = look(co, "date,resource,project,hours,minutes\n2025-03-31,ANNA,NO1-P1,1,30\n")
    assert errors(seen) == [
        "row 2, hours: The column for minutes has 0.5 hours, and the column for hours has 1. Each column is "
        "read as the whole duration. Choose one of them."
    ]


@pytest.mark.parametrize(
    ("started", "zone", "day"),
    [
        ("2025-03-31T22:30:00Z", "", "2025-04-01"),  # summer time: half past midnight in Oslo
        ("2025-03-31T23:30:00+02:00", "", "2025-03-31"),
        ("2025-03-31T20:30:00.000-0500", "", "2025-04-01"),
        ("2025-03-31 22:30:00", "", "2025-03-31"),
        ("2025-03-31 22:30:00", "UTC", "2025-04-01"),
        ("2025-03-31", "UTC", "2025-03-31"),
    ],
)
def test_times_with_a_zone_are_days_of_the_company(co, started, zone, day):
    """IMP-1"""
    seen = look(co, f"date,resource,project,hours\n{started},ANNA,NO1-P1,1\n", Mapping(zone=zone))
    assert str(seen.rows[0].date) == day


def test_an_unknown_time_zone_is_refused(co):
    content = "date,resource,project,hours\n2025-03-31,ANNA,NO1-P1,1\n"
    assert errors(look(co, content, Mapping(zone="Oslo"))) == [
        "There is no time zone “Oslo”. Write it as UTC or Europe/Oslo."
    ]


def test_dates_that_a_program_usually_writes_in_another_format(co):
    """IMP-1: an assumed date format is a warning."""
    head = "Project,Description,User,Start Date,Duration (h)\n"
    seen = look(co, head + "Bridge,a,Anna,03/04/2025,01:00:00\nBridge,b,Anna,31/03/2025,01:00:00\n")
    assert str(seen.rows[0].date) == "2025-03-04"
    assert errors(seen) == [
        f"row 3, date: “31/03/2025” is not a date such as 2025-03-31, or in the format MM/DD/YYYY. {SAY_HOW}"
    ]
    seen = look(co, head + "Bridge,b,Anna,31/03/2025,01:00:00\n", Mapping(date_format="DD/MM/YYYY"))
    assert seen.rows[0].date == datetime.date(2025, 3, 31)
