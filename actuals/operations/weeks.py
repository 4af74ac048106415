"""A week is saved as a whole: what was typed becomes drafts, or none of it does."""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from actuals.models import NAMED_BY, Entry
from actuals.oddities import HOURS_A_DAY
from actuals.operations.entries import demand_no_facts, own_resource, submit
from actuals.weeks import NotSaved, RowKey, TypedRow, base_of, days_of, entries_of, is_described, plain
from contracts.models import Category, Project, Resource, Role, Task
from invoicing_site.floor import audit, characters, days, moves, transaction


@dataclass
class SavedWeek:
    created: list[Entry] = field(default_factory=list)
    changed: list[Entry] = field(default_factory=list)
    deleted: list[Entry] = field(default_factory=list)
    # Not changed: their row was described anew, and what was handed in keeps its words.
    kept_words: list[Entry] = field(default_factory=list)

    def __bool__(self):
        return bool(self.created or self.changed or self.deleted)


@dataclass
class SubmittedWeek:
    """What was handed in, and the rejected entries that were left out because nobody changed them."""

    submitted: list[Entry]
    left_out: list[Entry]


@transaction.atomic
def save_week(resource: Resource, monday: datetime.date, rows: list[TypedRow], *, by) -> SavedWeek:
    """Make, change and delete one's own drafts of a week as they were typed: all cells or none.

    Only what differs from what its typist saw is touched; where somebody else changed the same cell meanwhile
    it is refused (NotSaved), never overwritten. More than 24 hours a day, closed projects and what belongs to
    another company or project are refused, each beside its cell.
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
    plan.judge_days()
    if plan.problems:
        raise NotSaved("WEEK-NOT-SAVED", count=len(plan.problems), problems=plan.problems)
    return plan.write(monday)


@transaction.atomic
def submit_week(resource: Resource, monday: datetime.date, rows: list[TypedRow], *, by) -> SubmittedWeek:
    """Save the week and hand in its drafts, in one step.

    What was rejected goes in again once it was changed, which makes it a draft; what still says the same is
    left out. Whoever means to hand that in as it is submits the entry itself.
    """
    save_week(resource, monday, rows, by=by)
    entries = entries_of(resource, monday)
    submitted = submit(entries.filter(status=Entry.Status.DRAFT), by=by)
    left_out = entries.filter(status=Entry.Status.REJECTED).select_related(*NAMED_BY)
    return SubmittedWeek(submitted, list(left_out.order_by("date", "pk")))


@dataclass
class _Known:
    """What the keys of rows may name."""

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
    """What saving would do, judged before anything is written."""

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
        trouble = self._why_not(row.key)
        if trouble and any(typed.hours or typed.trouble for typed in changed.values()):
            self.problems[row.key, None] = trouble
            return
        if len(row.description) > 500:
            self.problems[row.key, None] = "The description is longer than 500 characters."
            return
        if sentence := characters.trouble(row.description):
            self.problems[row.key, None] = f"The description can't be kept. {sentence}"
            return
        for day, typed in changed.items():
            self._cell(row, day, typed)
        if row.is_described_anew:
            self._describe(row, changed)

    def _why_not(self, key):
        project, entity = self.projects.get(key.project), self.resource.entity_id
        if project is None or project.entity_id != entity:
            return "There is no such project in this company."
        if not project.is_open:
            return f"Project {project} is closed for entries."
        task = self.known.tasks.get(key.task)
        if key.task and (task is None or task.project_id != project.pk):
            return f"There is no such task in project {project}."
        if key.role and key.role not in self.known.roles:
            return "There is no such role in this company."
        if key.category and key.category not in self.known.categories:
            return "There is no such category for time in this company."
        if not self.resource.is_active:
            return f"{self.resource} is no longer active: ask an administrator."
        return ""

    def _cell(self, row, day, typed):
        place = row.key, day
        entries = self.cells.get(place, [])
        if typed.trouble:
            self.problems[place] = typed.trouble
        elif base_of(entries) != typed.base or not all(moves.allows(entry, "amend") for entry in entries):
            if sum((entry.quantity for entry in entries), Decimal(0)) != typed.hours:
                self.problems[place] = _changed_meanwhile(entries)
        elif typed.hours and (reason := days.why_not_worked(day, self.today)):
            self.problems[place] = reason.sentence
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
        """The row's words, on all of it that can still be changed; never on nothing in silence."""
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
                self.problems[key, None] = (
                    "Somebody changed this row meanwhile; look at it as it is now, then save again."
                )
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

    def judge_days(self):
        """No day is longer than 24 hours, whatever its rows; what is rejected still doesn't count."""
        hours: dict = defaultdict(Decimal)
        gone = {entry.pk for entry in self.result.deleted}
        for entry in [*(each for found in self.cells.values() for each in found), *self.result.created]:
            counts = entry.status != Entry.Status.REJECTED
            if counts and (entry.pk is None or entry.pk not in gone):
                hours[entry.date] += entry.quantity
        for place, day in self._touched.items():
            if hours[day] > HOURS_A_DAY:
                self.problems.setdefault(
                    place, f"This day would have {plain(hours[day])} hours, more than a day has."
                )

    def write(self, monday) -> SavedWeek:
        done = self.result
        if not done:
            return done
        demand_no_facts(done.deleted)
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
        return "The description was not saved: a day holds several entries. Open them to describe each."
    states = " and ".join(sorted({entry.get_status_display() for entry in entries} - {"draft", "rejected"}))
    return (
        f"The description was not saved: this row is {states} and keeps its own. Recall its entries to "
        "change it, or open the week again to leave it."
    )


def _changed_meanwhile(entries):
    if not entries:
        return "Somebody deleted these hours meanwhile. Save again to enter them anew."
    hours = plain(sum((entry.quantity for entry in entries), Decimal(0)))
    states = ", ".join(sorted({entry.get_status_display() for entry in entries}))
    return f"Changed meanwhile: {hours} h, {states}. Your hours were not saved."
