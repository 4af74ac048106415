"""Saving and submitting a week: all cells or none."""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from actuals.models import NAMED_BY, Entry
from actuals.oddities import HOURS_A_DAY
from actuals.operations.entries import own_resource, require_never_approved, submit
from actuals.weeks import NotSaved, RowKey, TypedRow, base_of, days_of, entries_of, is_described, plain
from contracts.models import Category, Project, Resource, Role, Task
from invoicing_site.floor import audit, characters, days, moves, transaction
from invoicing_site.floor.reasons import Reason


@dataclass
class SavedWeek:
    created: list[Entry] = field(default_factory=list)
    changed: list[Entry] = field(default_factory=list)
    deleted: list[Entry] = field(default_factory=list)
    # Rows with a new description, where submitted entries keep their own.
    kept_words: list[Entry] = field(default_factory=list)

    def __bool__(self):
        return bool(self.created or self.changed or self.deleted)


@dataclass
class SubmittedWeek:
    """The submitted entries, and the rejected ones that were not submitted because nobody changed them."""

    submitted: list[Entry]
    left_out: list[Entry]


@transaction.atomic
def save_week(resource: Resource, monday: datetime.date, rows: list[TypedRow], *, by) -> SavedWeek:
    """Create, change and delete the user's own drafts of a week as entered: all cells or none.

    Only cells that differ from what the page showed are changed. NotSaved, with the problem of each cell, if
    another user changed the same cell, a day has more than 24 hours, a project is closed, or a record belongs
    to another legal entity or project.
    """
    resource = own_resource(resource, by)
    week = set(days_of(monday))
    stored = entries_of(resource, monday)
    wanted = {row.key.project for row in rows} | set(stored.values_list("project", flat=True))
    projects = {row.pk: row for row in Project.objects.filter(pk__in=wanted).held()}
    cells = defaultdict(list)
    for entry in stored.select_related("project").locked():
        cells[RowKey.of(entry), entry.date].append(entry)
    plan = _Plan(resource, by, cells, projects, _Known.of(resource.entity_id, rows))
    for row in rows:
        plan.add(row, week)
    plan.check_days()
    if plan.problems:
        raise NotSaved("WEEK-NOT-SAVED", count=len(plan.problems), problems=plan.problems)
    return plan.write(monday)


@transaction.atomic
def submit_week(resource: Resource, monday: datetime.date, rows: list[TypedRow], *, by) -> SubmittedWeek:
    """Save the week and submit its drafts, in one step.

    A rejected entry becomes a draft when it is changed, and is submitted. One that was not changed is left
    out; it can be submitted on its own page.
    """
    save_week(resource, monday, rows, by=by)
    entries = entries_of(resource, monday)
    submitted = submit(entries.filter(status=Entry.Status.DRAFT), by=by)
    left_out = entries.filter(status=Entry.Status.REJECTED).select_related(*NAMED_BY)
    return SubmittedWeek(submitted, list(left_out.order_by("date", "pk")))


@dataclass
class _Known:
    """The records to which the keys of rows can refer."""

    tasks: dict
    roles: dict
    categories: dict

    @classmethod
    def of(cls, entity, rows):
        keys = [row.key for row in rows]
        return cls(
            Task.objects.in_bulk({key.task for key in keys if key.task}),
            Role.objects.filter(entity=entity).in_bulk({key.role for key in keys if key.role}),
            Category.objects.filter(entity=entity, transaction_class=Entry.Class.TIME).in_bulk(
                {key.category for key in keys if key.category}
            ),
        )


class _Plan:
    """The changes and problems of a week, found before anything is written."""

    def __init__(self, resource, by, cells, projects, known):
        self.resource, self.by, self.cells = resource, by, cells
        self.today = resource.entity.today()
        self.projects, self.known = projects, known
        self.problems = {}
        self.result = SavedWeek()
        self.before = {}
        self._touched = {}

    def add(self, row: TypedRow, week):
        changed = {day: typed for day, typed in row.cells.items() if typed.is_changed and day in week}
        problem = self._why_not(row.key)
        if problem and any(typed.hours or typed.problem for typed in changed.values()):
            self.problems[row.key, None] = problem
            return
        if len(row.description) > 500:
            self.problems[row.key, None] = Reason("WEEK-DESCRIPTION-TOO-LONG", most=500)
            return
        if why := characters.problem(row.description):
            self.problems[row.key, None] = Reason("WEEK-DESCRIPTION-INVISIBLE", why=why)
            return
        for day, typed in changed.items():
            self._cell(row, day, typed)
        if row.has_new_description:
            self._describe(row, changed)

    def _why_not(self, key):
        project, entity = self.projects.get(key.project), self.resource.entity_id
        if project is None or project.entity_id != entity:
            return Reason("WEEK-UNKNOWN-PROJECT")
        if not project.is_open:
            return Reason("PROJECT-CLOSED", project=project)
        task = self.known.tasks.get(key.task)
        if key.task and (task is None or task.project_id != project.pk):
            return Reason("WEEK-UNKNOWN-TASK", project=project)
        if key.role and key.role not in self.known.roles:
            return Reason("WEEK-UNKNOWN-ROLE")
        if key.category and key.category not in self.known.categories:
            return Reason("WEEK-UNKNOWN-CATEGORY")
        if not self.resource.is_active:
            return Reason("RESOURCE-INACTIVE", resource=self.resource)
        return None

    def _cell(self, row, day, typed):
        place = row.key, day
        entries = self.cells.get(place, [])
        if typed.problem:
            self.problems[place] = typed.problem
        elif base_of(entries) != typed.base or not all(moves.allows(entry, "amend") for entry in entries):
            if sum((entry.quantity for entry in entries), Decimal(0)) != typed.hours:
                self.problems[place] = _changed_meanwhile(entries)
        elif typed.hours and (reason := days.why_not_worked(day, self.today)):
            self.problems[place] = reason
        elif typed.hours and entries:
            self._change(entries[0], quantity=typed.hours)
            self._touched[place] = day
        elif typed.hours:
            self.result.created.append(self._new(row, day, typed))
            self._touched[place] = day
        elif entries:
            self.result.deleted.append(entries[0])

    def _new(self, row, day, typed):
        key = row.key
        return Entry(
            entity=self.resource.entity,
            transaction_class=Entry.Class.TIME,
            date=day,
            project=self.projects[key.project],
            task_id=key.task,
            resource=self.resource,
            role_id=key.role,
            category_id=key.category,
            quantity=typed.hours,
            unit="h",
            description=typed.description or row.description,
            created_by=self.by,
        )

    def _describe(self, row, changed):
        """Put the row's description on all entries that can still be changed; a problem if there are none."""
        kept, takes_words = [], any(RowKey.of(entry) == row.key for entry in self.result.created)
        for (key, day), entries in self.cells.items():
            if key != row.key:
                continue
            if not is_described(entries):
                kept += [entry for entry in entries if entry.description != row.description]
                continue
            takes_words |= entries[0] not in self.result.deleted
            if entries[0] in self.result.deleted or entries[0].description == row.description:
                continue
            seen = row.cells.get(day)
            is_as_seen = seen is not None and base_of(entries) == seen.base
            if not is_as_seen and (key, day) not in self._touched:
                self.problems[key, None] = Reason("WEEK-ROW-CHANGED")
                return
            self._change(entries[0], description=row.description)
        if kept and not takes_words:
            self.problems[row.key, None] = _keeps_its_words(kept)
        self.result.kept_words += kept

    def _change(self, entry, **values):
        self.before.setdefault(entry.pk, (entry.quantity, entry.description))
        entry.status = Entry.Status.DRAFT
        for name, value in values.items():
            setattr(entry, name, value)
        if entry not in self.result.changed:
            self.result.changed.append(entry)

    def check_days(self):
        """Add a problem for each day with more than 24 hours in all rows; rejected entries don't count."""
        hours: dict = defaultdict(Decimal)
        gone = {entry.pk for entry in self.result.deleted}
        for entry in [*(each for found in self.cells.values() for each in found), *self.result.created]:
            counts = entry.status != Entry.Status.REJECTED
            if counts and (entry.pk is None or entry.pk not in gone):
                hours[entry.date] += entry.quantity
        for place, day in self._touched.items():
            if hours[day] > HOURS_A_DAY:
                self.problems.setdefault(place, Reason("LONG-DAY", day=day, hours=hours[day]))

    def write(self, monday) -> SavedWeek:
        done = self.result
        if not done:
            return done
        require_never_approved(done.deleted)
        deleted = [_words(entry) for entry in done.deleted]
        Entry.objects.filter(pk__in=[entry.pk for entry in done.deleted]).delete()
        for entry in done.changed:
            entry.save(update_fields=["quantity", "description", "status"])
        for entry in done.created:
            entry.save(force_insert=True)
        audit.record(
            "actuals.save_week",
            self.resource,
            by=self.by,
            entity=self.resource.entity.code,
            week=monday,
            created=[_words(entry) for entry in done.created],
            changed=[
                {**_words(entry), "before": [plain(before[0]), before[1]]}
                for entry in done.changed
                for before in [self.before[entry.pk]]
            ],
            deleted=deleted,
        )
        return done


def _words(entry):
    return {
        "entry": entry.pk,
        "date": entry.date,
        "project": entry.project_id,
        "hours": plain(entry.quantity),
        "description": entry.description,
    }


def _keeps_its_words(entries):
    if all(moves.allows(entry, "amend") for entry in entries):
        return Reason("WEEK-SEVERAL-ENTRIES")
    locked = {entry.status for entry in entries} - {Entry.Status.DRAFT, Entry.Status.REJECTED}
    return Reason("WEEK-ROW-LOCKED", states=[Entry.Status(status) for status in sorted(locked)])


def _changed_meanwhile(entries):
    if not entries:
        return Reason("WEEK-HOURS-DELETED")
    hours = sum((entry.quantity for entry in entries), Decimal(0))
    states = [Entry.Status(status) for status in sorted({entry.status for entry in entries})]
    return Reason("WEEK-HOURS-CHANGED", hours=hours, states=states)
