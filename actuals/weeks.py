"""The week of one resource as a grid: a row per project, task, role and category, a cell per day."""

import datetime
import zlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from actuals.importing import values
from actuals.models import Entry
from contracts.models import Category, Project, Role, Task
from invoicing_site.floor import formatting, money, moves
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason

DAYS = 7
MOST_ROWS = 60
_MOST_HOURS = 24


def monday_of(day: datetime.date) -> datetime.date:
    return day - datetime.timedelta(days=day.weekday())


def days_of(monday: datetime.date) -> list[datetime.date]:
    return [monday + datetime.timedelta(days=n) for n in range(DAYS)]


class RowKey(NamedTuple):
    """The primary keys that identify a row of the grid; as text they are part of the names of its inputs."""

    project: int
    task: int | None
    role: int | None
    category: int | None

    def __str__(self):
        return "-".join("" if each is None else str(each) for each in self)

    @classmethod
    def read(cls, text: str) -> "RowKey | None":
        parts = text.split("-")
        if len(parts) != len(cls._fields) or not parts[0]:
            return None
        if any(part and not (part.isascii() and part.isdigit() and len(part) < 18) for part in parts):
            return None
        return cls(*(int(part) if part else None for part in parts))

    @classmethod
    def of(cls, entry: Entry) -> "RowKey":
        return cls(entry.project_id, entry.task_id, entry.role_id, entry.category_id)


def base_of(entries) -> str:
    """The content of a cell when the page was rendered, to detect changes by other users."""
    if len(entries) != 1:
        return "" if not entries else "several"
    entry = entries[0]
    return f"{entry.pk}:{plain(entry.quantity)}:{zlib.crc32(entry.description.encode()):08x}"


def is_described(entries) -> bool:
    """Whether the description of the row applies: the cell has at most one entry, which can be changed."""
    return len(entries) < 2 and all(moves.allows(entry, "amend") for entry in entries)


def plain(quantity: Decimal) -> str:
    return formatting.typed(quantity)


@dataclass
class Typed:
    """The input of a cell: the hours, or why they can't be read; `base` is what the page showed before."""

    text: str = ""
    base: str = ""
    hours: Decimal = Decimal(0)
    problem: Reason | None = None
    description: str = ""  # the description of this day; if empty, that of the row

    @classmethod
    def read(cls, text: str, base: str) -> "Typed":
        text = text.strip()[:40]
        typed = cls(text, base)
        if not text:
            return typed
        try:
            hours = values.hours_of(text, "," if "," in text else ".")
            typed.hours = money.rounded_quantity(hours)
        except values.Invalid as invalid:
            typed.problem = invalid.reason
            return typed
        if typed.hours < 0:
            typed.problem = Reason("WEEK-NEGATIVE-HOURS")
        elif typed.hours > _MOST_HOURS:
            typed.problem = Reason("WEEK-OVER-24-HOURS")
        elif hours and not typed.hours:
            typed.problem = Reason("WEEK-HOURS-TOO-SMALL")
        return typed

    @property
    def is_changed(self) -> bool:
        # Compared as texts: the input from the form may not be a number.
        before = self.base.split(":")[1] if ":" in self.base else "0"
        return bool(self.problem) or before != plain(self.hours)


@dataclass
class TypedRow:
    """The input of one row."""

    key: RowKey
    cells: dict[datetime.date, Typed] = field(default_factory=dict)
    description: str = ""
    description_before: str = ""

    @property
    def has_new_description(self) -> bool:
        return self.description != self.description_before


class NotSaved(Refused):
    """Nothing was saved because of problems: `problems` by row and day (None: the whole row)."""

    def __init__(self, code, /, *, problems, **params):
        super().__init__(code, **params)
        self.problems = problems


@dataclass
class Cell:
    """One row on one day."""

    day: datetime.date
    entries: list[Entry] = field(default_factory=list)
    typed: Typed | None = None
    problem: Reason | None = None
    base: str = ""

    @property
    def hours(self) -> Decimal:
        return sum((entry.quantity for entry in self.entries), Decimal(0))

    @property
    def counted(self) -> Decimal:
        """The hours that count for the day: all except rejected ones (APP-10)."""
        counting = (entry for entry in self.entries if entry.status != Entry.Status.REJECTED)
        return sum((entry.quantity for entry in counting), Decimal(0))

    @property
    def counted_text(self) -> str:
        return plain(self.counted)

    @property
    def entry(self) -> Entry | None:
        return self.entries[0] if len(self.entries) == 1 else None

    @property
    def is_locked(self) -> bool:
        return not is_described(self.entries)

    @property
    def description(self) -> str:
        texts = {entry.description for entry in self.entries}
        return texts.pop() if len(texts) == 1 else ""

    @property
    def saved_text(self) -> str:
        return plain(self.hours) if self.entries else ""

    @property
    def text(self) -> str:
        return self.typed.text if self.typed else self.saved_text

    @property
    def rejected(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.status == Entry.Status.REJECTED]


@dataclass
class WeekRow:
    key: RowKey
    project: Project
    task: Task | None
    role: Role | None
    category: Category | None
    cells: list[Cell]
    problem: Reason | None = None
    typed_description: str | None = None

    @property
    def is_locked(self) -> bool:
        """Whether it has entries, and none whose description can be changed here."""
        return any(cell.entries for cell in self.cells) and not self._texts(locked=False)

    @property
    def kept_descriptions(self) -> list[str]:
        """The descriptions of entries that can't be changed here."""
        return [text for text in self._texts(locked=True) if text]

    @property
    def descriptions(self) -> list[str]:
        """The descriptions of the entries that can be changed here, or else of all."""
        return self._texts(locked=self.is_locked)

    def _texts(self, *, locked):
        cells = [cell for cell in self.cells if cell.is_locked == locked]
        return sorted({entry.description for cell in cells for entry in cell.entries})

    @property
    def saved_description(self) -> str:
        return self.descriptions[0] if len(self.descriptions) == 1 else ""

    @property
    def description(self) -> str:
        return self.saved_description if self.typed_description is None else self.typed_description

    @property
    def common_description(self) -> str:
        """The description that all its entries have; empty if they differ."""
        texts = {entry.description for cell in self.cells for entry in cell.entries}
        return texts.pop() if len(texts) == 1 else ""

    @property
    def is_said_only(self) -> bool:
        """Whether the descriptions can only be read: unless one was entered that is not saved yet."""
        return self.is_locked and self.description == self.saved_description

    @property
    def is_varied(self) -> bool:
        return len(self.descriptions) > 1

    @property
    def label(self) -> str:
        parts = [self.project.code, self.task and self.task.name, self.role and self.role.name]
        return ", ".join(part for part in parts if part)

    @property
    def counted(self) -> Decimal:
        return sum((cell.counted for cell in self.cells), Decimal(0))


def entries_of(resource, monday: datetime.date):
    """The time entries of the resource in that week."""
    return Entry.objects.filter(
        resource=resource,
        entity=resource.entity_id,
        transaction_class=Entry.Class.TIME,
        date__range=(monday, monday + datetime.timedelta(days=DAYS - 1)),
    )


def week(resource, monday, *, typed=(), problems=None, empty=()) -> list[WeekRow]:
    """The rows of the grid: stored entries, unsaved input, and problems.

    `empty` are rows that were added and have no hours yet; a stored row with the same key replaces them.
    """
    problems = problems or {}
    typed, found = {row.key: row for row in typed}, {}
    entries = entries_of(resource, monday).select_related("project", "task", "role", "category")
    for entry in entries.order_by("date", "pk"):
        found.setdefault(RowKey.of(entry), []).append(entry)
    rows = [
        WeekRow(key, first.project, first.task, first.role, first.category, _cells(monday, entries))
        for key, entries in found.items()
        for first in entries[:1]
    ]
    typed |= {row.key: row for row in empty if row.key not in found and row.key not in typed}
    rows += _without_entries([key for key in typed if key not in found], resource.entity_id, monday)
    for row in rows:
        words = typed.get(row.key)
        row.problem = problems.get((row.key, None))
        for cell in row.cells:
            cell.problem = problems.get((row.key, cell.day))
            if words and cell.day in words.cells and not cell.is_locked:
                cell.typed = words.cells[cell.day]
        if words:
            row.typed_description = words.description
    return sorted(
        rows, key=lambda row: (row.project.code, str(row.task or ""), str(row.role or ""), row.key[3] or 0)
    )


def _cells(monday, entries):
    by_day = {}
    for entry in entries:
        by_day.setdefault(entry.date, []).append(entry)
    return [Cell(day, by_day.get(day, []), base=base_of(by_day.get(day, []))) for day in days_of(monday)]


def _without_entries(keys, entity, monday):
    """Rows that were added and have no entries yet; records of other legal entities are ignored."""
    if not keys:
        return
    projects = Project.objects.filter(entity=entity).in_bulk({key.project for key in keys})
    tasks = Task.objects.filter(project__in=projects).in_bulk({key.task for key in keys if key.task})
    roles = Role.objects.filter(entity=entity).in_bulk({key.role for key in keys if key.role})
    categories = Category.objects.filter(entity=entity, transaction_class="time").in_bulk(
        {key.category for key in keys if key.category}
    )
    for key in keys:
        project, task = projects.get(key.project), tasks.get(key.task)
        role, category = roles.get(key.role), categories.get(key.category)
        if project is None or (key.task and (task is None or task.project_id != key.project)):
            continue
        if (key.role and role is None) or (key.category and category is None):
            continue
        yield WeekRow(key, project, task, role, category, _cells(monday, []))


def with_last_week(rows: list[WeekRow], typed: list[TypedRow], last: list[WeekRow], *, hours: bool):
    """The input with the rows of the previous week added, and with its hours in empty cells.

    Each day keeps its description, if the row of this week has none. Closed projects are left out. Returns
    the rows, and the hours that were filled in.
    """
    stored = {row.key: row for row in rows}
    merged = {row.key: row for row in typed}
    filled = Decimal(0)
    for before in last:
        if not before.project.is_open:
            continue
        now = merged.get(before.key)
        if now is None:
            kept = stored.get(before.key)
            now = TypedRow(before.key, {}, *([kept.saved_description] * 2 if kept else []))
            merged[before.key] = now
        if before.key not in stored:
            now.description = now.description or before.common_description
        if not hours:
            continue
        cells = stored[before.key].cells if before.key in stored else [None] * DAYS
        for cell, old in zip(cells, before.cells, strict=True):
            day = old.day + datetime.timedelta(days=DAYS)
            there = now.cells.get(day)
            if (cell and cell.entries) or (there and there.text) or not old.hours:
                continue
            now.cells[day] = Typed.read(plain(old.hours), "")
            now.cells[day].description = now.description or old.description
            filled += old.hours
    return list(merged.values()), filled


def copied(resource, monday: datetime.date, typed: list[TypedRow], *, hours: bool):
    """`with_last_week` with the stored rows and hours."""
    last = week(resource, monday - datetime.timedelta(days=DAYS))
    return with_last_week(week(resource, monday), typed, last, hours=hours)
