"""The rows of a file: every error by row, and warnings."""

import datetime
from decimal import Decimal

import pytest

from actuals.importing import NotImported
from actuals.models import Entry, EntryImport
from contracts.models import Project
from invoicing_site.models import StoredFile
from tests import factories
from tests.actuals.importing import (
    HEADER,
    LEAVE_OUT,
    LEAVE_OUT_PROJECT,
    SAY_HOW,
    csv,
    errors,
    look,
    row,
    take,
    warnings,
)


@pytest.fixture
def co(db):
    return factories.company(books=False)


ERRORS = [
    ({"date": ""}, "date: The date is missing."),
    ({"date": "31.03.2025"}, f"date: “31.03.2025” is not a date such as 2025-03-31. {SAY_HOW}"),
    (
        {"date": "1989-12-31"},
        "date: 31 Dec 1989 is out of range. Choose a day between 1 Jan 1990 and 11 Apr 2026.",
    ),
    (
        {"date": "2026-04-12"},
        "date: 12 Apr 2026 is out of range. Choose a day between 1 Jan 1990 and 11 Apr 2026.",
    ),
    ({"project": ""}, f"project: The project is missing. {LEAVE_OUT_PROJECT}"),
    ({"project": "NO1-P2"}, "project: There is no project “NO1-P2”. The most similar one is “NO1-P1”."),
    ({"project": "Brigde"}, "project: There is no project “Brigde”. The most similar one is “NO1-P1”."),
    ({"project": "zzz"}, "project: There is no project “zzz”."),
    ({"resource": ""}, "resource: The resource is missing."),
    ({"resource": "ANA"}, "resource: There is no resource “ANA”. The most similar one is “ANNA”."),
    (
        {"task": "DESING"},
        "task: There is no task “DESING” in project NO1-P1. The most similar one is “DESIGN”.",
    ),
    (
        {"category": "WORKS"},
        "category: There is no category “WORKS” for time. The most similar one is “WORK”.",
    ),
    ({"category": "TRAVEL"}, "category: There is no category “TRAVEL” for time."),
    ({"role": "Consultent"}, "role: There is no role “Consultent”. The most similar one is “CONSULTANT”."),
    ({"hours": ""}, f"hours: The hours are missing. {LEAVE_OUT}"),
    ({"hours": "0"}, f"hours: The hours are zero. {LEAVE_OUT}"),
    ({"hours": "0.00004"}, "hours: 0.00004 is less than 0.0001, the smallest quantity that can be saved."),
    ({"hours": "many"}, "hours: “many” is not a number of hours: write 7.5 or 7:30."),
    ({"hours": "1" * 12}, "hours: “111111111111” is too large. The largest possible value is 1,000,000."),
    (
        {"hours": "-1"},
        "hours: -1 is negative, and an import only adds work. To reduce work, correct or recall its entry.",
    ),
    (
        {"hours": '"1,234"'},
        "hours: “1,234” can be read in two ways: write 1.234 or 1234, or choose the decimal sign.",
    ),
    ({"external_id": "x" * 101}, "external_id: The id is longer than 100 characters."),
]


@pytest.mark.parametrize(("wrong", "message"), ERRORS, ids=lambda value: str(value)[:30])
def test_an_error_names_row_field_and_remedy(co, wrong, message):
    """IMP-1"""
    seen = look(co, csv(row(), row(**wrong)))

    assert errors(seen) == [f"row 3, {message}"]


def test_every_error_of_every_row_is_listed_and_nothing_is_imported(co):
    """IMP-1"""
    content = csv(row(), row(hours="0", project="?"), row(), row(date="soon"))

    with pytest.raises(NotImported) as refusal:
        take(co, content, name="march.csv")

    assert str(refusal.value) == (
        "2 of 4 rows of march.csv can't be imported, so nothing was imported. First error: "
        "row 3, project: There is no project “?”."
    )
    assert refusal.value.code == "IMPORT-ERRORS"
    assert [(problem.row, problem.field) for problem in refusal.value.preview.errors] == [
        (3, "project"),
        (3, "hours"),
        (5, "date"),
    ]
    assert not Entry.objects.exists()
    assert not EntryImport.objects.exists()
    assert not StoredFile.objects.exists()


def test_an_id_can_be_used_once_in_a_file(co):
    """IMP-1"""
    seen = look(co, csv(row(external_id="A-1"), row(), row(external_id="A-1", hours="1")))

    assert errors(seen) == ["row 4, external_id: Row 2 already has the id “A-1”."]


def test_records_of_other_companies_are_unknown(co):
    """SEC-1"""
    elsewhere = factories.company("SE1", "SEK", books=False)
    factories.ResourceFactory(entity=elsewhere.entity, code="BJORN")

    seen = look(co, csv(row(resource="BJORN"), row(project=elsewhere.project.code)))

    assert errors(seen) == [
        "row 2, resource: There is no resource “BJORN”.",
        "row 3, project: There is no project “SE1-P1”. The most similar one is “NO1-P1”.",
    ]


def test_unique_names_are_accepted(co):
    """IMP-1"""
    factories.ProjectFactory(entity=co.entity, code="P8", name="Tunnel")
    factories.ProjectFactory(entity=co.entity, code="P9", name="Tunnel")

    seen = look(
        co,
        csv(
            row(project="bridge", task="design", role="consultant"), row(project="Tunnel"), row(project="p9")
        ),
    )

    assert errors(seen) == ["row 3, project: Several projects have the name “Tunnel”. Use the code."]
    assert seen.rows[0].project == co.project
    assert seen.rows[0].task == co.task
    assert seen.rows[1].project.code == "P9"


def test_people_are_found_by_email_and_user_name(co):
    seen = look(co, csv(row(resource=co.member.email.upper()), row(resource=co.member.username)))

    assert [found.resource for found in seen.rows] == [co.resource, co.resource]


def test_expenses_materials_and_fees(co):
    """IMP-1, APP-8"""
    header = (
        "class,date,resource,project,category,product,quantity,unit,amount,tax,deductible_tax,currency,price"
    )
    take(
        co,
        csv(
            'expense,2025-03-31,ANNA,NO1-P1,TRAVEL,,,,"1.234,50","308,63",100,EUR,',
            "expense,2025-03-31,,NO1-P1,TRAVEL,,120,km,480,,,,",
            "material,2025-03-31,,NO1-P1,,CABLE,3.5,,,,,,",
            "fee,2025-03-31,,NO1-P1,FEE,,,,,,,,1500.125",
            header=header,
        ),
    )

    expense, mileage, material, fee = Entry.objects.order_by("pk")
    assert (expense.transaction_class, expense.category, expense.resource) == (
        "expense",
        co.travel,
        co.resource,
    )
    assert (expense.quantity, expense.unit, expense.cost_currency) == (1, "each", "EUR")
    assert (expense.cost_net, expense.cost_tax, expense.cost_tax_deductible) == (
        Decimal("1234.50"),
        Decimal("308.63"),
        Decimal("100"),
    )
    assert (mileage.quantity, mileage.unit, mileage.cost_net, mileage.cost_tax) == (120, "km", 480, 0)
    assert (mileage.cost_currency, mileage.resource) == ("NOK", None)
    assert (material.product, material.quantity, material.unit) == (
        co.product,
        Decimal("3.5"),
        co.product.unit,
    )
    assert (material.cost_net, material.cost_currency) == (None, "")
    assert (fee.category, fee.quantity, fee.sales_price) == (co.fee, 1, Decimal("1500.125"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "hour,NO1-P1,,,,,,,",
            "class: There is no class “hour”. The classes are time, expense, material and fee.",
        ),
        ("expense,NO1-P1,,,1,10,,,", "category: The category is missing."),
        ("expense,NO1-P1,TRAVEL,,1,,,,", "amount: The net amount is missing."),
        (
            "expense,NO1-P1,TRAVEL,,1,100,25,,",
            "deductible_tax: Enter how much of the tax is deductible: all of it, a part, or 0.",
        ),
        (
            "expense,NO1-P1,TRAVEL,,1,100,25,30,",
            "deductible_tax: The deductible tax, 30.00 NOK, is more than the tax, 25.00 NOK.",
        ),
        ("expense,NO1-P1,TRAVEL,,1,100.005,,,", "amount: 100.005 has more decimals than NOK allows."),
        ("expense,NO1-P1,TRAVEL,,1,100.5,,,JPY", "amount: 100.5 has more decimals than JPY allows."),
        (
            "expense,NO1-P1,TRAVEL,,1,-100,,,",
            "amount: −100 is negative. Correct the entry that it belongs to instead.",
        ),
        ("expense,NO1-P1,TRAVEL,,1,100,,,kr", "currency: “kr” is not a currency in use, such as EUR."),
        ("material,NO1-P1,,,1,,,,", "product: The product is missing."),
        (
            "material,NO1-P1,,CABEL,1,,,,",
            "product: There is no product “CABEL”. The most similar one is “CABLE”.",
        ),
        ("material,NO1-P1,,CABLE,,,,,", "quantity: The quantity is missing."),
        ("fee,NO1-P1,FEE,,two,,,,", "quantity: “two” is not a number."),
    ],
)
def test_errors_of_expenses_materials_and_fees(co, line, message):
    """IMP-1"""
    header = "class,project,category,product,quantity,amount,tax,deductible_tax,currency,date"
    seen = look(co, csv(f"{line},2025-03-31", header=header))

    assert errors(seen)[0] == f"row 2, {message}"


def test_a_time_unit_is_hours(co):
    header = HEADER + ",unit"

    seen = look(co, csv(row() + ",d", row() + ",Hours", header=header))

    assert errors(seen) == ["row 2, unit: “d” is not a unit for time here. Use hours (h)."]


def test_hours_are_rounded_to_four_decimals(co):
    """MON-1"""
    seen = look(co, csv(row(hours="0.33335"), row(hours="0:20")))

    assert [found.quantity for found in seen.rows] == [Decimal("0.3334"), Decimal("0.3333")]


def test_a_day_over_24_hours_is_an_error(co):
    """APP-10: including existing entries, without rejected ones."""
    day = datetime.date(2025, 3, 31)
    factories.time_entry(co, hours="10", date=day)
    factories.time_entry(co, hours="24", date=day, status="rejected")

    seen = look(co, csv(row(hours="7"), row(hours="7.25"), row(hours="24", date="2025-04-01")))

    assert errors(seen) == [
        "row 3, hours: Anna would have 24.25 hours on 31 Mar 2025 (10 of them already entered, the others "
        "from 2 rows of the file), more than a day has. Correct the hours or the date in the file."
    ]
    assert warnings(seen) == []


def test_unusual_values_are_warnings_and_equal_ones_are_merged(co):
    Project.objects.update(starts=datetime.date(2025, 4, 1))
    co.resource.is_active = False
    co.resource.save()
    header = HEADER + ",Remarks,price"

    seen = look(co, csv(row(description="x" * 501) + ",hello,9", row(hours="1") + ",,", header=header))

    assert seen.errors == []
    assert warnings(seen) == [
        "The column “Remarks” is ignored.",
        "row 2, description: Only the first 500 characters are saved.",
        "row 2, price: Prices are only read for fees. Other work gets its price from price lists.",
        "row 2, date: It is dated outside of project NO1-P1, which runs from 1 Apr 2025 without an end. "
        "The same applies to 1 more row.",
        "row 2, resource: ANNA Anna is no longer active. The same applies to 1 more row.",
    ]
    assert seen.rows[0].description == "x" * 500


def test_a_row_with_more_cells_than_the_header_is_an_error(co):
    seen = look(co, csv(row() + ",,", row(hours="2") + ",and more"))

    assert errors(seen) == [
        "row 3: The row has more cells than the header. Check separators and quotation marks."
    ]
