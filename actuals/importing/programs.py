"""The programs whose files can be read: one declaration for each.

A rule names the column of a field. `A
B` is the first column that has a value, and `A+B` joins both with a space. An exact duration comes before a
rounded one.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from actuals.importing.tables import normalized
from actuals.models import EntryImport

FIELDS = (
    "class",
    "date",
    "resource",
    "project",
    "task",
    "category",
    "subcategory",
    "role",
    "product",
    "quantity",
    "minutes",
    "seconds",
    "unit",
    "description",
    "comment",
    "external_id",
    "amount",
    "tax",
    "deductible_tax",
    "currency",
    "price",
    "billable",
    "invoiced",
    "exported",
)
REQUIRED = ("date", "project")
# The possible columns of a duration, the most exact first, and how many of its units make an hour.
DURATIONS = {"seconds": 3600, "minutes": 60, "quantity": 1}

_US, _DAY_MONTH_YEAR = "%m/%d/%Y", "%d/%b/%y"


@dataclass(frozen=True)
class Program:
    """The format of one program's files.

    columns: rule by field. signs: headings that together identify the program ("A
    B" if one of them is enough). constants: a value by field, for rows without one. date_format: the
    program's default for dates that are not ISO. zone: of times without a zone. nothing: texts that mean an
    empty cell.
    """

    columns: dict[str, str]
    signs: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    date_format: str = ""
    zone: str = ""
    nothing: tuple[str, ...] = ()


_Format = EntryImport.Format
FORMATS = {
    _Format.LEDGERLINE: Program(
        {name: name for name in FIELDS}
        | {"quantity": "hours|quantity", "comment": "comment|internal comment"},
        signs=("date", "project", "resource"),
    ),
    _Format.KIMAI: Program(
        {
            "external_id": "ID",
            "date": "Date",
            "quantity": "Duration",
            "resource": "Email|Username|User|Name|Alias",
            "project": "Project number|Project",
            "task": "Activity number|Activity",
            "description": "Description",
            "billable": "Billable",
            "exported": "Exported",
        },
        signs=("Date", "Duration", "Activity|Activity number"),
    ),
    _Format.HARVEST: Program(
        {
            "date": "Date",
            "quantity": "Hours",
            "resource": "Employee Id|First Name+Last Name",
            "project": "Project Code|Project",
            "task": "Task",
            "description": "Notes",
            "billable": "Billable?",
            "invoiced": "Invoiced?",
        },
        signs=("Date", "Hours", "Task", "First Name", "Last Name"),
        date_format=_US,
    ),
    _Format.TOGGL: Program(
        {
            "date": "Start date",
            "quantity": "Duration",
            "resource": "Email|User|Member",
            "project": "Project",
            "task": "Task",
            "description": "Description",
            "billable": "Billable",
        },
        signs=("Start date", "Start time", "Duration", "User|Member"),
        nothing=("-",),
    ),
    _Format.CLOCKIFY: Program(
        {
            "date": "Start Date",
            "quantity": "Duration (h)|Duration (decimal)",
            "resource": "Email|User",
            "project": "Project",
            "task": "Task",
            "description": "Description",
            "billable": "Billable",
            "invoiced": "Invoiced",
        },
        signs=("Start Date", "User", "Duration (h)|Duration (decimal)"),
        date_format=_US,
    ),
    _Format.SOLIDTIME: Program(
        {
            "date": "Start",
            "quantity": "Duration|Duration (decimal)",
            "resource": "User",
            "project": "Project",
            "task": "Task",
            "description": "Description",
            "billable": "Billable",
        },
        signs=("Start", "End", "User", "Duration", "Duration (decimal)"),
        zone="UTC",
    ),
    _Format.JIRA: Program(
        {
            "external_id": "Worklog ID",
            "date": "Started|Work date|Start date",
            "seconds": "Time Spent (seconds)|Time spent seconds",
            "quantity": "Hours|Time spent",
            "resource": "Author email|Author|Username|Full name",
            "project": "Project name|Project|Project key",
            "description": "Issue key+Comment|Issue key+Work description|Comment|Work description|Issue key",
        },
        signs=("Worklog ID|Issue key", "Started|Work date|Start date"),
        date_format=_DAY_MONTH_YEAR,
    ),
    _Format.DYNAMICS: Program(
        {
            "date": "Date",
            "minutes": "Duration",
            "resource": "Bookable Resource",
            "project": "Project",
            "task": "Project Task",
            "role": "Resource Category|Role",
            "description": "External Comments|Description",
        },
        signs=("Date", "Duration", "Bookable Resource"),
        date_format=_US,
    ),
    _Format.ODOO: Program(
        {
            "external_id": "External ID|ID",
            "date": "Date",
            "quantity": "Time Spent|Hours Spent|Duration (Hours)|Quantity",
            "resource": "Employee",
            "project": "Project",
            "task": "Task",
            "description": "Description",
        },
        signs=("Date", "Employee", "Project", "Time Spent|Hours Spent|Duration (Hours)|Quantity"),
    ),
    _Format.EVERHOUR: Program(
        {
            "date": "Date",
            "quantity": "Time|Reported time|Time (decimal)",
            "resource": "Email|Member|Team member",
            "project": "Project",
            "task": "Task",
            "description": "Comment|Comments|Notes",
        },
        signs=("Date", "Member|Team member", "Project", "Time|Reported time|Time (decimal)"),
        date_format=_US,
    ),
    _Format.HARVEST_EXPENSES: Program(
        {
            "date": "Date",
            "resource": "Employee Id|First Name+Last Name",
            "project": "Project Code|Project",
            "category": "Expense Category|Category",
            "description": "Notes",
            "amount": "Amount|Total Cost|Total|Cost",
            "currency": "Currency",
            "billable": "Billable?",
            "invoiced": "Invoiced?",
        },
        signs=(
            "Date",
            "Expense Category|Category",
            "Amount|Total Cost|Total|Cost",
            "First Name",
            "Last Name",
        ),
        constants={"class": "expense"},
        date_format=_US,
    ),
    _Format.EXPENSIFY: Program(
        {
            "external_id": "Transaction ID|Expense ID",
            "date": "Timestamp|Date",
            "resource": "Employee email|Submitter|From",
            "project": "Tag",
            "category": "Category",
            "description": "Merchant+Description|Merchant+Comment|Merchant",
            "amount": "Original Amount|Amount",
            "currency": "Original Currency|Currency",
            "billable": "Billable",
        },
        signs=("Timestamp|Date", "Merchant", "Amount", "Category"),
        constants={"class": "expense"},
        date_format=_US,
    ),
}


def parts_of(rule: str) -> list[str]:
    """Every heading in a rule."""
    return [part for alternative in rule.split("|") for part in alternative.split("+")]


def headings_of(rules: Collection[str]) -> set[str]:
    return {normalized(part) for rule in rules for part in (rule, *parts_of(rule))}


ALL_HEADINGS = headings_of([rule for program in FORMATS.values() for rule in program.columns.values()])


def recognized(header: Collection[str]) -> str:
    """The program with such a header: the one with the most signs in it; otherwise our own format."""
    columns = {normalized(heading) for heading in header if heading}
    fitting = [
        (len(program.signs), format_)
        for format_, program in FORMATS.items()
        if all(columns & headings_of([sign]) for sign in program.signs)
    ]
    return max(fitting, key=lambda each: each[0])[1] if fitting else _Format.LEDGERLINE
