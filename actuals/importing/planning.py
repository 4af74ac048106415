"""What an import would do, worked out from the file and what is known, before anything is written."""

import datetime
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from actuals import oddities
from actuals.importing.catalogue import Catalogue, plural
from actuals.importing.choices import CHOICES, Found
from actuals.importing.comparing import Changed, compare, find_changed
from actuals.importing.formats import Mapping
from actuals.importing.reading import RowReader
from actuals.importing.rows import Problem, Row
from actuals.importing.tables import Table
from actuals.importing.totals import Totals, totals_of
from actuals.models import Entry, EntryImport
from contracts.models import ItemTaxGroup
from invoicing_site.errors import Refused
from invoicing_site.querysets import in_chunks, totals

_HOURS_A_DAY = 24
_CHUNK = 5000
_TOLD_EVERY = 1000


@dataclass
class Preview:
    """What an import of the file would do. With one error in it, it would do nothing.

    mapping: how it was read, with the program that wrote it. found: by the name of a choice, the rows that it
    is about. left_out: those that their choice leaves out, by its name.
    """

    name: str
    total: int = 0
    rows: list[Row] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    earlier: EntryImport | None = None
    catalogue: Catalogue | None = None
    mapping: Mapping = field(default_factory=Mapping)
    found: dict[str, Found] = field(default_factory=dict)
    changed: list[Changed] = field(default_factory=list)

    @property
    def to_add(self) -> list[Row]:
        return [row for row in self.rows if row.is_new]

    @property
    def to_create(self) -> dict[str, list]:
        """Master data that would be made, by kind."""
        made = self.catalogue.new if self.catalogue else {}
        return {plural(kind): things for kind, things in made.items() if things}

    @property
    def already_there(self) -> int:
        """Rows whose entries exist with this very content."""
        return self.total if self.earlier else sum(row.is_there and not row.left_out for row in self.rows)

    @property
    def left_out(self) -> dict[str, int]:
        skipped = {
            name: each.rows for name, each in self.found.items() if self.mapping.answer(name) == "skip"
        }
        return {name: rows for name, rows in skipped.items() if rows}

    @property
    def totals(self) -> Totals:
        """What all rows of the file come to that can be read, to compare with what its program says."""
        return totals_of(self.rows)

    @property
    def totals_to_add(self) -> Totals:
        return totals_of(self.to_add)

    def as_json(self) -> dict:
        return {
            "file": self.name,
            "format": self.mapping.format,
            "rows": self.total,
            "to_add": len(self.to_add),
            "already_there": self.already_there,
            "left_out": self.left_out,
            "earlier_import": self.earlier and self.earlier.pk,
            "to_create": {kind: [thing.code for thing in made] for kind, made in self.to_create.items()},
            "choices": {name: each.as_json() for name, each in self.found.items()},
            "changed": [each.as_json() for each in self.changed],
            "totals": self.totals.as_json(),
            "totals_to_add": self.totals_to_add.as_json(),
            "errors": [_json(problem) for problem in self.errors],
            "warnings": [_json(problem) for problem in self.warnings],
        }


def _json(problem):
    return {"row": problem.row, "field": problem.field, "message": problem.message}


def plan(
    table: Table,
    entity,
    mapping: Mapping,
    *,
    name: str,
    on: datetime.date,
    within=None,
    tell: Callable[[int, int], None],
) -> Preview:
    """Every row as an entry, or what is wrong with it; reads the database and writes nothing.

    Refused where the file as a whole does not fit the mapping. `tell` hears how many rows of all are read.
    """
    catalogue = Catalogue(entity, mapping.create, _item_tax_group(entity, mapping.item_tax_group))
    reader = RowReader(table, entity, mapping, catalogue, on)
    rows, total = [], len(table.rows)
    for n, (number, cells) in enumerate(table.rows):
        if n % _TOLD_EVERY == 0:
            tell(n, total)
        if row := reader.read(number, cells):
            rows.append(row)
    errors = reader.errors
    changed, trouble = compare(rows, entity, mapping, reader)
    errors += trouble
    changed += find_changed(rows, entity, mapping)
    found = _counted(reader.found, rows, changed)
    # A row with an id is an error of its own row; only the others are a question.
    asked = {**found, "changed": Found()} if all(each.row.external_program for each in changed) else found
    errors += _questions(asked, mapping)
    new = [row for row in rows if row.is_new]
    errors += _judge(new, reader)
    errors += _out_of_reach(new, within)
    return Preview(
        name,
        total=total,
        rows=rows,
        errors=sorted(errors, key=lambda problem: problem.row or 0),
        warnings=[
            *_about_the_file(table, reader, catalogue),
            *sorted([*reader.warnings(), *_long_days(new, entity)], key=lambda problem: problem.row),
        ],
        catalogue=catalogue,
        mapping=mapping,
        found=found,
        changed=changed,
    )


def _counted(found, rows, changed) -> dict[str, Found]:
    """By choice, the rows that it is about: those that were not read any further, and new ones that were."""
    for row in rows:
        if row.flag and not row.is_there:
            found[row.flag].add(*row.worth())
    for each in changed:
        found["changed"].add(*each.row.worth())
    return {name: found[name] for name in CHOICES if name in found}


def _questions(found, mapping) -> list[Problem]:
    """What has to be answered before anything is imported."""
    return [
        Problem(
            None,
            name,
            f"{CHOICES[name].rows}: {each.in_words()}. Say what becomes of them before anything is imported.",
        )
        for name, each in found.items()
        if each.rows and not mapping.answer(name)
    ]


def _item_tax_group(entity, code):
    if not code:
        return None
    try:
        return ItemTaxGroup.objects.get(entity=entity, code=code)
    except ItemTaxGroup.DoesNotExist:
        raise Refused(f"There is no item tax group “{code}”.", code="MAPPING") from None


def _about_the_file(table, reader, catalogue) -> list[Problem]:
    found = [Problem(None, "", message) for message in (*table.warnings, *catalogue.remarks())]
    if reader.ignored:
        names = ", ".join(f"“{heading}”" for heading in reader.ignored)
        found.append(Problem(None, "", f"Nothing is read from the columns {names}."))
    return found


def _judge(new, reader) -> list[Problem]:
    """What forbids an entry that is really new, or is worth a look."""
    errors = []
    for row in new:
        project, resource = row.project, row.resource
        if not project.is_open:
            errors.append(
                Problem(
                    row.number,
                    "project",
                    f"Project {project.code} is closed for entries: open it, or choose another one.",
                )
            )
        for phrase in oddities.of_day(row.date, project, reader.on):
            reader.odd(row.number, "date", f"It is {phrase}.")
        if resource and not resource.is_active:
            reader.odd(row.number, "resource", f"{resource.code} {resource.name} is no longer active.")
    return errors


def _out_of_reach(new, within) -> list[Problem]:
    """Rows on projects that whoever imports may not enter work on."""
    if within is None:
        return []
    return [
        Problem(
            row.number, "project", f"You don't manage project {row.project.code}: its manager imports this."
        )
        for row in new
        if row.project.pk is not None and row.project.pk not in within
    ]


def _long_days(new, entity) -> list[Problem]:
    """Days of one resource over 24 hours, with what was entered before."""
    hours, last_row = defaultdict(Decimal), {}
    for row in new:
        if row.transaction_class == Entry.Class.TIME:
            day = row.resource.code, row.date
            hours[day] += row.quantity
            last_row[day] = row
    resources = {row.resource.pk for row in last_row.values() if row.resource.pk}
    if resources:
        codes = {row.resource.pk: row.resource.code for row in last_row.values()}
        dates = [date for _, date in hours]
        before = Entry.objects.filter(
            entity=entity, transaction_class=Entry.Class.TIME, date__range=(min(dates), max(dates))
        ).exclude(status=Entry.Status.REJECTED)
        for chunk in in_chunks(resources, _CHUNK):
            found = totals(before.filter(resource__in=chunk), by=("resource", "date"), field="quantity")
            for (resource, date), quantity in found.items():
                if (codes[resource], date) in hours:
                    hours[codes[resource], date] += quantity
    return [
        Problem(
            last_row[code, date].number,
            "hours",
            f"{code} has {total.normalize():f} hours on {date}, more than a day has.",
        )
        for (code, date), total in hours.items()
        if total > _HOURS_A_DAY
    ]
