"""Which column is which field, and the records that are created for unknown names."""

from decimal import Decimal

import pytest

from actuals.importing import Mapping
from actuals.models import Entry
from contracts.models import Category, Task
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories
from tests.actuals.importing import HEADER, TWO_ROWS, csv, errors, look, row, take, warnings


@pytest.fixture
def co(db):
    return factories.company(books=False)


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

    (too_long,) = errors(seen)
    assert too_long.startswith("row 3, hours: Anna would have 1,000 hours on 31 Mar 2025")
    first, second = seen.rows
    assert (first.resource.code, first.project, first.quantity) == ("B1", co.project, Decimal("1.125"))
    assert (first.external_id, first.role, first.description) == ("1", co.role, "Work")
    assert (second.resource, second.quantity, second.description) == (co.resource, 1000, "Hi")


@pytest.mark.parametrize(
    ("mapping", "code", "message"),
    [
        (
            Mapping(columns={"date": "Day"}),
            "MAPPING-UNKNOWN-COLUMN",
            "The file has no column “Day”. Its columns are “date”, “resource”",
        ),
        (
            Mapping(columns={"hours": "Hours"}),
            "MAPPING-FIELD",
            "There is no field “hours”. The fields are class, date",
        ),
        (Mapping(constants={"houres": "1"}), "MAPPING-FIELD", "There is no field “houres”"),
        (
            Mapping(format="sap"),
            "MAPPING-FORMAT",
            "There is no file format “sap”. Choose one of ledgerline, kimai",
        ),
        (
            Mapping(create=("customers",)),
            "MAPPING-CREATE",
            "An import can't create “customers”. It can create projects, tasks",
        ),
        (Mapping(decimal="'"), "MAPPING-DECIMAL", "The decimal sign can't be “'”"),
        (
            Mapping(date_format="MM.YYYY"),
            "MAPPING-DATE-FORMAT",
            "The date format “MM.YYYY” does not have year, month and day",
        ),
        (Mapping(item_tax_group="NOPE"), "MAPPING-ITEM-TAX-GROUP", "There is no item tax group “NOPE”"),
    ],
)
def test_a_wrong_mapping_is_refused(co, mapping, code, message):
    """IMP-1"""
    (problem,) = look(co, TWO_ROWS, mapping).errors

    assert problem.row is None
    assert problem.reason.code == code
    assert problem.message.startswith(message)
    with pytest.raises(Refused) as refusal:
        take(co, TWO_ROWS, mapping)
    assert refusal.value.code == code


def test_columns_that_every_row_needs(co):
    """IMP-1"""
    (missing,) = errors(look(co, "resource,hours\nANNA,1\n"))
    (twice,) = errors(look(co, "date,project,Date,hours\n2025-03-31,NO1-P1,2025-03-31,1\n"))

    assert missing == (
        "The file has no column for date and project. Its columns are “resource” and “hours”. "
        "Choose the right ones."
    )
    assert twice == "2 columns have the heading “date”. Rename all but one."


def test_missing_tasks_and_categories_are_created_if_requested(co):
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
    assert warnings(seen) == ["New records have no item tax group yet: Meeting."]
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


def test_all_records_of_a_row_can_be_created(co):
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


def test_a_code_that_is_too_long_is_not_created(co):
    seen = look(co, csv(row(task="x" * 61)), Mapping(create=("tasks",)))

    (message,) = errors(seen)
    assert message.startswith("row 2, task: “xxxx")
    assert message.endswith("can't be created. A code has at most 60 characters.")
