"""Entries from a file: every error by row, all or nothing, and never twice."""

import datetime
import hashlib
import io
import threading
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from actuals.importing import Mapping, NotImported, import_entries, preview
from actuals.models import Entry, EntryImport
from contracts.models import Category, Project, Task
from invoicing_site import files
from invoicing_site.errors import Refused
from invoicing_site.models import AuditEvent, StoredFile
from tests import factories

TODAY = datetime.date(2025, 4, 10)
HEADER = "date,resource,project,task,category,role,hours,description,external_id"
TWO_ROWS = f"""{HEADER}
2025-03-31,ANNA,NO1-P1,DESIGN,WORK,CONSULTANT,7.5,Piers,A-1
2025-04-01,ANNA,NO1-P1,,,,2,,A-2
"""


@pytest.fixture
def co(db):
    return factories.company(books=False)


def csv(*lines, header=HEADER):
    return "\n".join([header, *lines]).encode()


def row(**fields):
    """One good row, with other fields where given."""
    good = {"date": "2025-03-31", "resource": "ANNA", "project": "NO1-P1", "hours": "7.5"}
    return ",".join({**good, **fields}.get(name, "") for name in HEADER.split(","))


def look(co, content, mapping=None, **options):
    content = content.encode() if isinstance(content, str) else content
    return preview(content, co.entity, mapping, **{"on": TODAY, **options})


def take(co, content, mapping=None, **options):
    content = content.encode() if isinstance(content, str) else content
    return import_entries(content, co.entity, mapping, **{"by": co.accountant, "on": TODAY, **options})


def errors(seen):
    return [str(problem) for problem in seen.errors]


def warnings(seen):
    return [str(problem) for problem in seen.warnings]


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
    assert (second.task, second.category, second.role, second.description) == (None, None, None, "")
    assert first.source == second.source == result.entry_import


def test_the_import_and_the_file_are_kept(co):
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


def test_a_preview_says_what_would_happen_and_writes_nothing(co):
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


def test_the_same_file_twice_adds_nothing_and_says_so(co):
    """IMP-1"""
    first = take(co, TWO_ROWS)
    again = take(co, TWO_ROWS)

    assert again.was_imported_before
    assert (again.added, again.already_there, again.entry_import) == (0, 2, first.entry_import)
    assert Entry.objects.count() == 2
    assert EntryImport.objects.count() == AuditEvent.objects.count() == 1
    seen = look(co, TWO_ROWS)
    assert (seen.already_there, seen.to_add) == (2, [])
    assert "This very file was imported on" in warnings(seen)[0]


def test_the_same_file_read_otherwise_adds_nothing_either(co):
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


def test_a_file_whose_entries_were_deleted_comes_in_again(co):
    take(co, TWO_ROWS)
    Entry.objects.all().delete()

    again = take(co, TWO_ROWS)

    assert (again.added, again.was_imported_before) == (2, False)
    assert EntryImport.objects.count() == 2


def test_rows_that_are_there_already_are_counted_and_left_alone(co):
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
        take(co, csv(row(external_id="A-2"), row(external_id="A-1", hours="8", description="More")))

    assert errors(refusal.value.preview) == [
        f"row 3, external_id: “A-1” is entry {entry.pk} already, with other content (quantity, description). "
        "An import changes no entry: change or correct that one, or give the row an id of its own."
    ]
    entry.refresh_from_db()
    assert entry.quantity == Decimal("7.5")
    assert Entry.objects.count() == 1


def test_rows_without_an_id_are_known_by_their_content(co):
    """IMP-1: two rows that are alike are two entries, and a longer file finds both again."""
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


def test_an_entry_without_an_id_that_was_changed_stays_as_it_is(co):
    take(co, csv(row()))
    Entry.objects.update(quantity=8)

    result = take(co, csv(row(), row(hours="1")))

    assert (result.added, result.already_there) == (1, 1)
    assert warnings(result.preview) == [
        "row 2: Its entry was changed after it was imported, and stays as it is."
    ]
    assert Entry.objects.order_by("pk").first().quantity == 8


def test_another_file_with_nothing_new_is_recorded_once(co):
    take(co, csv(row(external_id="A-1"), row(external_id="A-2")))
    shorter = csv(row(external_id="A-1"))

    assert take(co, shorter).entry_import == take(co, shorter).entry_import
    assert list(EntryImport.objects.order_by("pk").values_list("rows", "added")) == [(2, 2), (1, 0)]


ERRORS = [
    ({"date": ""}, "date: The date is missing."),
    ({"date": "31.03.2025"}, "date: “31.03.2025” is not a date such as 2025-03-31."),
    ({"date": "1989-12-31"}, "date: 1989-12-31 is out of range: it is before 1990-01-01."),
    (
        {"date": "2026-04-12"},
        "date: 2026-04-12 is out of range: it is after 2026-04-11, over a year from now.",
    ),
    ({"project": ""}, "project: The project is missing."),
    ({"project": "NO1-P2"}, "project: There is no project “NO1-P2”: did you mean “NO1-P1”?"),
    ({"project": "Brigde"}, "project: There is no project “Brigde”: did you mean “NO1-P1”?"),
    ({"project": "zzz"}, "project: There is no project “zzz”."),
    ({"resource": ""}, "resource: The resource is missing."),
    ({"resource": "ANA"}, "resource: There is no resource “ANA”: did you mean “ANNA”?"),
    ({"task": "DESING"}, "task: There is no task “DESING” in project NO1-P1: did you mean “DESIGN”?"),
    ({"category": "WORKS"}, "category: There is no category “WORKS” for time: did you mean “WORK”?"),
    ({"category": "TRAVEL"}, "category: There is no category “TRAVEL” for time."),
    ({"role": "Consultent"}, "role: There is no role “Consultent”: did you mean “CONSULTANT”?"),
    ({"hours": ""}, "hours: The hours are missing."),
    ({"hours": "0"}, "hours: The hours must not be zero: leave such rows out."),
    ({"hours": "0.00004"}, "hours: The hours must not be zero: leave such rows out."),
    ({"hours": "many"}, "hours: “many” is not a number of hours: write 7.5 or 7:30."),
    ({"hours": "1" * 12}, "hours: “111111111111” is too large."),
    (
        {"hours": "-1"},
        "hours: -1 is negative, and an import only adds work: to take work back, correct or recall the entry "
        "it was recorded with.",
    ),
    (
        {"hours": '"1,234"'},
        "hours: “1,234” can be read in two ways: write 1.234 or 1234, or say which sign stands before the "
        "decimals.",
    ),
    ({"external_id": "x" * 101}, "external_id: It is longer than 100 characters."),
]


@pytest.mark.parametrize(("wrong", "message"), ERRORS, ids=lambda value: str(value)[:30])
def test_an_error_names_row_field_and_remedy(co, wrong, message):
    """IMP-1"""
    seen = look(co, csv(row(), row(**wrong)))

    assert errors(seen) == [f"row 3, {message}"]


def test_every_error_of_every_row_is_told_and_nothing_is_imported(co):
    """IMP-1"""
    content = csv(row(), row(hours="0", project="?"), row(), row(date="soon"))

    with pytest.raises(NotImported) as refusal:
        take(co, content, name="march.csv")

    assert str(refusal.value) == (
        "2 of 4 rows of march.csv cannot be imported, so none was. The first: "
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


def test_an_id_stands_once_in_a_file(co):
    """IMP-1"""
    seen = look(co, csv(row(external_id="A-1"), row(), row(external_id="A-1", hours="1")))

    assert errors(seen) == ["row 4, external_id: “A-1” stands on row 2 already."]


def test_new_work_on_a_closed_project_is_refused_and_old_work_is_there(co):
    """IMP-1"""
    take(co, csv(row(external_id="A-1")))
    Project.objects.update(is_open=False)

    seen = look(co, csv(row(external_id="A-1"), row(external_id="A-2")))

    assert errors(seen) == [
        "row 3, project: Project NO1-P1 is closed for entries: open it, or choose another one."
    ]
    assert seen.already_there == 1


def test_a_project_that_is_closed_while_the_import_runs_refuses_it(co, monkeypatch):
    from actuals import importing

    looked_at = importing._looked_at

    def closing(*args):
        seen = looked_at(*args)
        Project.objects.update(is_open=False)
        return seen

    monkeypatch.setattr(importing, "_looked_at", closing)

    with pytest.raises(Refused, match="closed for entries just now"):
        take(co, TWO_ROWS)
    assert not Entry.objects.exists()


def test_what_other_companies_have_is_unknown(co):
    """SEC-1"""
    elsewhere = factories.company("SE1", "SEK", books=False)
    factories.ResourceFactory(entity=elsewhere.entity, code="BJORN")

    seen = look(co, csv(row(resource="BJORN"), row(project=elsewhere.project.code)))

    assert errors(seen) == [
        "row 2, resource: There is no resource “BJORN”.",
        "row 3, project: There is no project “SE1-P1”: did you mean “NO1-P1”?",
    ]


def test_names_do_where_only_one_has_them(co):
    """IMP-1"""
    factories.ProjectFactory(entity=co.entity, code="P8", name="Tunnel")
    factories.ProjectFactory(entity=co.entity, code="P9", name="Tunnel")

    seen = look(
        co,
        csv(
            row(project="bridge", task="design", role="consultant"), row(project="Tunnel"), row(project="p9")
        ),
    )

    assert errors(seen) == ["row 3, project: Several projects are called “Tunnel”: write the code."]
    assert seen.rows[0].project == co.project
    assert seen.rows[0].task == co.task
    assert seen.rows[1].project.code == "P9"


def test_people_are_known_by_their_mail_and_login(co):
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
        ("hour,NO1-P1,,,,,,,", "class: There is no class “hour”: it is one of time, expense, material, fee."),
        ("expense,NO1-P1,,,1,10,,,", "category: The category is missing."),
        ("expense,NO1-P1,TRAVEL,,1,,,,", "amount: The net amount is missing."),
        (
            "expense,NO1-P1,TRAVEL,,1,100,25,,",
            "deductible_tax: Say how much of the tax can be deducted: all of it, a part, or 0.",
        ),
        ("expense,NO1-P1,TRAVEL,,1,100,25,30,", "deductible_tax: 30.00 is more than the tax, 25.00."),
        ("expense,NO1-P1,TRAVEL,,1,100.005,,,", "amount: 100.005 has more decimals than NOK has."),
        ("expense,NO1-P1,TRAVEL,,1,100.5,,,JPY", "amount: 100.5 has more decimals than JPY has."),
        (
            "expense,NO1-P1,TRAVEL,,1,-100,,,",
            "amount: -100 is negative: correct the entry it belongs to instead.",
        ),
        ("expense,NO1-P1,TRAVEL,,1,100,,,kr", "currency: “kr” is not a currency such as EUR."),
        ("material,NO1-P1,,,1,,,,", "product: The product is missing."),
        ("material,NO1-P1,,CABEL,1,,,,", "product: There is no product “CABEL”: did you mean “CABLE”?"),
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

    assert errors(seen) == ["row 2, unit: “d” is no unit of time here: give hours (h)."]


def test_hours_are_rounded_to_four_decimals(co):
    """MON-1"""
    seen = look(co, csv(row(hours="0.33335"), row(hours="0:20")))

    assert [found.quantity for found in seen.rows] == [Decimal("0.3334"), Decimal("0.3333")]


def test_a_day_over_24_hours_is_a_warning(co):
    """IMP-1: with what was entered before, and without what was rejected."""
    day = datetime.date(2025, 3, 31)
    factories.time_entry(co, hours="10", date=day)
    factories.time_entry(co, hours="24", date=day, status="rejected")

    seen = look(co, csv(row(hours="7"), row(hours="7.25"), row(hours="24", date="2025-04-01")))

    assert seen.errors == []
    assert warnings(seen) == ["row 3, hours: ANNA has 24.25 hours on 2025-03-31, more than a day has."]


def test_oddities_are_warnings_and_alike_ones_are_one(co):
    Project.objects.update(starts=datetime.date(2025, 4, 1))
    co.resource.is_active = False
    co.resource.save()
    header = HEADER + ",Remarks,price"

    seen = look(co, csv(row(description="x" * 501) + ",hello,9", row(hours="1") + ",,", header=header))

    assert seen.errors == []
    assert warnings(seen) == [
        "Nothing is read from the columns “Remarks”.",
        "row 2, description: Only its first 500 characters are kept.",
        "row 2, price: Prices are read for fees only: the others have price lists.",
        "row 2, date: The date is outside of project NO1-P1, 2025-04-01 to its end. The same on 1 more row.",
        "row 2, resource: ANNA Anna is no longer active. The same on 1 more row.",
    ]
    assert seen.rows[0].description == "x" * 500


def test_a_row_with_more_cells_than_the_header_is_an_error(co):
    seen = look(co, csv(row() + ",,", row(hours="2") + ",and more"))

    assert errors(seen) == ["row 3: It has more cells than the header: look at separators and quotes."]


def test_columns_can_be_mapped_and_constants_set(co):
    """IMP-1"""
    header = "Day;Number;First;Last;Job code;Job;Spent;What"
    mapping = Mapping(
        columns={
            "date": "day",
            "resource": "First+Last",
            "project": "Job code|Job",
            "quantity": "Spent",
            "external_id": "Number",
            "description": "What",
        },
        constants={"role": "CONSULTANT", "description": "Work"},
        date_format="DD.MM.YYYY",
        decimal=",",
    )
    factories.ResourceFactory(entity=co.entity, code="B1", name="Bo Berg")

    seen = look(
        co,
        csv("31.03.2025;1;Bo;Berg;;Bridge;1,125;", "31.03.2025;2;;anna;NO1-P1;;1.000;Hi", header=header),
        mapping,
    )

    assert errors(seen) == []
    first, second = seen.rows
    assert (first.resource.code, first.project, first.quantity) == ("B1", co.project, Decimal("1.125"))
    assert (first.external_id, first.role, first.description) == ("1", co.role, "Work")
    assert (second.resource, second.quantity, second.description) == (co.resource, 1000, "Hi")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            Mapping(columns={"date": "Day"}),
            "The file has no column “Day”: its columns are “date”, “resource”",
        ),
        (Mapping(columns={"hours": "Hours"}), "There is no field “hours”; there is class, date"),
        (Mapping(constants={"houres": "1"}), "There is no field “houres”"),
        (Mapping(format="sap"), "There is no file format “sap”; there is ledgerline, kimai"),
        (Mapping(create=("customers",)), "An import creates no “customers”; there is projects, tasks"),
        (Mapping(decimal="'"), "The sign before decimals cannot be “'”"),
        (Mapping(date_format="MM.YYYY"), "The date format “MM.YYYY” does not tell year, month and day"),
        (Mapping(item_tax_group="NOPE"), "There is no item tax group “NOPE”"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_told(co, mapping, message):
    """IMP-1"""
    (problem,) = look(co, TWO_ROWS, mapping).errors

    assert problem.row is None
    assert problem.message.startswith(message)
    with pytest.raises(Refused, match="."):
        take(co, TWO_ROWS, mapping)


def test_columns_that_every_row_needs(co):
    """IMP-1"""
    (missing,) = errors(look(co, "resource,hours\nANNA,1\n"))
    (twice,) = errors(look(co, "date,project,Date,hours\n2025-03-31,NO1-P1,2025-03-31,1\n"))

    assert missing == (
        "The file has no column for date and project: its columns are “resource”, “hours”. "
        "Rename one, or say which one it is."
    )
    assert twice == "The heading “date” stands over 2 columns: rename all but one."


def test_missing_tasks_and_categories_are_made_where_asked_for(co):
    """IMP-1, SEC-3"""
    header = HEADER + ",subcategory"
    content = csv(
        row(task="T-7", category="WORK") + ",Bug fixing",
        row(task="t-7", category="Work", hours="1") + ",bug fixing",
        row(task="DESIGN", category="Meeting", hours="2") + ",",
        header=header,
    )
    assert len(look(co, content).errors) == 5
    mapping = Mapping(create=("tasks", "categories"))

    seen = look(co, content, mapping)
    assert seen.as_json()["to_create"] == {"tasks": ["T-7"], "categories": ["WORK/Bug fixing", "Meeting"]}
    assert warnings(seen) == ["What is made has no item tax group yet: Meeting."]
    assert not Task.objects.filter(code="T-7").exists()

    take(co, content, mapping)

    task = Task.objects.get(code="T-7")
    assert (task.project, task.name) == (co.project, "T-7")
    below, meeting = Category.objects.filter(code__in=["WORK/Bug fixing", "Meeting"]).order_by("-code")
    assert (below.transaction_class, below.item_tax_group) == ("time", co.item_tax_group)
    assert meeting.item_tax_group is None
    entries = Entry.objects.order_by("pk")
    assert [(entry.task, entry.category) for entry in entries] == [
        (task, below),
        (task, below),
        (co.task, meeting),
    ]
    made = AuditEvent.objects.filter(action__startswith="contracts.").order_by("pk")
    assert [(event.action, event.subject_type, event.subject_id, event.by) for event in made] == [
        ("contracts.create_task", "contracts.task", str(task.pk), co.accountant),
        ("contracts.create_category", "contracts.category", str(below.pk), co.accountant),
        ("contracts.create_category", "contracts.category", str(meeting.pk), co.accountant),
    ]
    assert AuditEvent.objects.get(action="actuals.import").detail["created"] == {"tasks": 1, "categories": 2}


def test_all_that_a_row_names_can_be_made(co):
    header = HEADER + ",product,class"
    kinds = ("projects", "tasks", "resources", "roles", "categories", "products")
    content = csv(
        "2025-03-31,NEW,PX,T,C,R,1,,,,",
        "2025-03-31,,PX,,,,1,,,Bolt,material",
        header=header,
    )

    take(co, content, Mapping(create=kinds, item_tax_group="SERVICES"))

    time, material = Entry.objects.order_by("pk")
    assert (time.resource.code, time.role.code, time.task.project) == ("NEW", "R", time.project)
    assert (time.category.item_tax_group, material.product.item_tax_group) == (co.item_tax_group,) * 2
    assert list(time.project.managers.all()) == [co.accountant]
    assert AuditEvent.objects.filter(action__startswith="contracts.create_").count() == 6


def test_a_code_that_is_too_long_is_not_made(co):
    seen = look(co, csv(row(task="x" * 61)), Mapping(create=("tasks",)))

    (message,) = errors(seen)
    assert message.startswith("row 2, task: “xxxx")
    assert message.endswith("cannot be made: a code has at most 60 characters.")


def book(*rows):
    result, workbook = io.BytesIO(), openpyxl.Workbook()
    for cells in rows:
        workbook.active.append(cells)
    workbook.save(result)
    return result.getvalue()


def test_a_workbook_is_imported_by_the_types_of_its_cells(co):
    """IMP-1"""
    content = book(
        ["date", "resource", "project", "hours", "external id"],
        [datetime.date(2025, 3, 31), "ANNA", "NO1-P1", 7.5, 1001],
        [datetime.datetime(2025, 4, 1, 9, 30), "ANNA", "NO1-P1", datetime.timedelta(hours=30), 1002.0],  # noqa: DTZ001
        ["2025-04-02", "ANNA", "NO1-P1", datetime.time(0, 45), "X"],
    )

    result = take(co, content, name="march.xlsx")

    assert list(Entry.objects.order_by("pk").values_list("date", "quantity", "external_id")) == [
        (datetime.date(2025, 3, 31), Decimal("7.5"), "1001"),
        (datetime.date(2025, 4, 1), Decimal("30"), "1002"),
        (datetime.date(2025, 4, 2), Decimal("0.75"), "X"),
    ]
    assert result.entry_import.file.media_type.endswith("spreadsheetml.sheet")
    assert take(co, content).was_imported_before


def test_a_formula_without_a_value_is_explained(co):
    """IMP-1"""
    seen = look(
        co, book(["date", "resource", "project", "hours"], ["2025-03-31", "=A1", "NO1-P1", 45000], [45000])
    )

    assert errors(seen)[0] == (
        "row 2, resource: The resource is missing. If a formula stands there, save the workbook in a "
        "spreadsheet program first."
    )
    assert "row 3, date: “45000” is not a date: format the column as dates." in errors(seen)


def test_an_uploaded_file_has_a_name_and_is_read_only_as_far_as_is_allowed(co):
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

    queries(1, 5000)  # the first row ever takes SQLite one more
    assert queries(28, 1000) == queries(2, 0) < 30


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("contents", ["the same file", "files that overlap"])
def test_two_imports_at_once_add_every_row_once(contents):
    """IMP-1: the one that comes second finds the rows, and the tasks that were made, there already."""
    co = factories.company(books=False)
    lines = [row(task=f"NEW-{n % 3}", external_id=f"A-{n}", hours="1") for n in range(50)]
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
    for thread in threads:
        thread.join(60)

    assert len(results) == 2
    assert sum(result.added for result in results) == Entry.objects.count() == 50
    assert Task.objects.filter(code__startswith="NEW-").count() == 3


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


def test_a_row_of_totals_is_left_out_and_told(co):
    content = "Date,Duration,User,Project\n2025-03-31,7.5,Anna,Bridge\n,7.5,,\n"

    assert warnings(look(co, content, Mapping(format="kimai")))[-1] == (
        "row 3: This row has no date, project or person: it was taken for a total."
    )
    assert "row 3, date: The date is missing." in errors(
        look(co, content, Mapping(columns={"quantity": "Duration", "resource": "User"}))
    )
