"""What an import would do, calculated from the file and the stored data before anything is written."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from decimal import Decimal

from actuals import oddities
from actuals.importing.catalogue import Catalogue, plural
from actuals.importing.choices import CHOICES, Found
from actuals.importing.comparing import Changed, compare, find_changed
from actuals.importing.mapping import Mapping
from actuals.importing.reading import RowReader
from actuals.importing.rows import Problem, Row
from actuals.importing.tables import Table
from actuals.importing.totals import Totals, totals_of
from actuals.importing.unnamed import Unnamed, give_categories
from actuals.models import Entry, EntryImport
from contracts.models import ItemTaxGroup
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import in_chunks, totals
from invoicing_site.floor.reasons import Reason

_CHUNK = 5000
_TOLD_EVERY = 1000


@dataclass
class Preview:
    """What an import of the file would do. If there is one error, it would do nothing.

    Each row is in one of these groups: to add, to change, already there, left out, open (needs an answer),
    wrong (has an error), or a total. mapping: how the file was read, with the program that wrote it. found:
    the rows of each choice, by its name. passed_over: by row number, the choice that leaves the row out
    before it is read. totals_of_others: the totals of rows that add nothing and have no error. earlier: the
    earlier import of this same file, if any. within: the keys of the projects for which the user may import
    (None: all).
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
    passed_over: dict[int, str] = field(default_factory=dict)
    taken_for_totals: int = 0
    totals_of_others: Totals = field(default_factory=Totals)
    unnamed: Unnamed = field(default_factory=Unnamed)
    within: Set[int] | None = None

    @property
    def to_add(self) -> list[Row]:
        return [row for row in self.rows if row.is_new]

    @property
    def to_change(self) -> list[Row]:
        """Rows that change their entries, which are drafts."""
        return [row for row in self.rows if row.is_change]

    @property
    def to_create(self) -> dict[str, list]:
        """The master data that would be created, by kind."""
        made = self.catalogue.new if self.catalogue else {}
        return {plural(kind): things for kind, things in made.items() if things}

    @property
    def already_there(self) -> int:
        """Rows with an existing entry that does not change."""
        return sum(
            row.is_there
            for row in self.rows
            if not (row.left_out or row.is_open or row.is_refused or row.is_change)
        )

    @property
    def left_out(self) -> dict[str, int]:
        """The number of rows that each choice leaves out, by its name."""
        counts = Counter(self.passed_over.values())
        counts["changed"] = sum(row.left_out for row in self.rows if not (row.is_open or row.is_refused))
        return {name: counts[name] for name in CHOICES if counts[name]}

    @property
    def open(self) -> int:
        """Rows that need an answer."""
        return sum(row.is_open and not row.is_refused for row in self.rows)

    @property
    def wrong(self) -> int:
        """Rows with errors."""
        return len({problem.row for problem in self.errors if problem.row})

    @property
    def totals(self) -> Totals:
        """The totals of all rows without errors, to compare with those of the program that wrote the file."""
        found = self.totals_to_add
        found.include(self.totals_of_others)
        return found

    @property
    def totals_to_add(self) -> Totals:
        return totals_of(self.to_add)

    def as_json(self) -> dict:
        return {
            "file": self.name,
            "format": self.mapping.format,
            "rows": self.total,
            "to_add": len(self.to_add),
            "to_change": len(self.to_change),
            "already_there": self.already_there,
            "left_out": self.left_out,
            "open": self.open,
            "wrong": self.wrong,
            "taken_for_totals": self.taken_for_totals,
            "earlier_import": self.earlier and self.earlier.pk,
            "to_create": {kind: [thing.code for thing in made] for kind, made in self.to_create.items()},
            "choices": {name: each.as_json() for name, each in self.found.items()},
            "time_without_category": self.unnamed.as_json(),
            "changed": [each.as_json() for each in self.changed],
            "totals": self.totals.as_json(),
            "totals_to_add": self.totals_to_add.as_json(),
            "errors": [problem.as_json() for problem in self.errors],
            "warnings": [problem.as_json() for problem in self.warnings],
        }


def plan(
    table: Table,
    entity,
    mapping: Mapping,
    *,
    name: str,
    on: datetime.date,
    own=(),
    within=None,
    report: Callable[[int, int], None],
) -> Preview:
    """Read every row as an entry or an error; reads the database and writes nothing.

    Refused if the file as a whole does not match the mapping. `own` are the keys of earlier imports of this
    same file. `within` are the keys of the projects for which the user may import: rows on other projects are
    errors, and are not compared with existing entries (SEC-1). `report` is called with the number of rows
    read and of all rows.
    """
    group = _item_tax_group(entity, mapping.item_tax_group)
    catalogue = Catalogue(entity, mapping.create, group, within)
    reader = RowReader(table, entity, mapping, catalogue, on)
    rows, total = [], len(table.rows)
    for n, (number, cells) in enumerate(table.rows):
        if n % _TOLD_EVERY == 0:
            report(n, total)
        if row := reader.read(number, cells):
            rows.append(row)
    errors = reader.errors
    changed, differing = compare(rows, entity, mapping, reader, own, within)
    errors += differing
    changed += find_changed(rows, entity, mapping)
    found = _counted(reader.found, rows, changed)
    errors += _questions(found, mapping)
    new = [row for row in rows if row.is_new]
    errors += _check(new, reader)
    changing = [row for row in rows if row.is_change]
    errors += long_days([*new, *changing], entity, within)
    _mark(rows, changed, errors, mapping, found)
    unnamed = give_categories([row for row in rows if row.is_new], entity, mapping.time_category)
    for row in rows:
        if not (row.is_new or row.is_refused):
            reader.totals.add_row(row)
    return Preview(
        name,
        total=total,
        rows=rows,
        errors=sorted(errors, key=lambda problem: problem.row or 0),
        warnings=[
            *_about_the_file(table, reader, catalogue),
            *sorted(reader.warnings(), key=lambda problem: problem.row or 0),
        ],
        catalogue=catalogue,
        mapping=mapping,
        found=found,
        changed=changed,
        passed_over=reader.left_out,
        taken_for_totals=reader.taken_for_totals,
        totals_of_others=reader.totals,
        unnamed=unnamed,
        within=within,
    )


def _counted(found, rows, changed) -> dict[str, Found]:
    """The rows of each choice: those that were left out before they were read, and new ones."""
    for row in rows:
        if row.flag and not row.is_there:
            found[row.flag].add(*row.worth())
    for each in changed:
        found["changed"].add(*each.row.worth())
    if changed:
        found["changed"].answers = (
            "skip",
            *(["change"] if any(each.can_change for each in changed) else []),
            *(["add"] if not all(each.row.is_there for each in changed) else []),
        )
    return {name: found[name] for name in CHOICES if name in found}


def _mark(rows, changed, errors, mapping, found):
    """Set on each row whether it has an error, and whether it needs an answer."""
    wrong = {problem.row for problem in errors}
    for row in rows:
        row.is_refused = row.number in wrong
        row.is_open = bool(row.flag) and not row.is_there and not mapping.answer(row.flag)
    for each in changed:
        each.row.is_open |= _is_asked("changed", found["changed"], mapping)


def _is_asked(name, found, mapping) -> bool:
    """Whether the choice needs an answer; it does not if only one answer is possible."""
    return bool(found.rows) and len(found.answers) != 1 and not mapping.answer(name)


def _questions(found, mapping) -> list[Problem]:
    """An error for each choice that needs an answer."""
    return [
        Problem(
            None,
            name,
            Reason("CHOICE-OPEN", rows=CHOICES[name].rows, found=each.in_words(), count=each.rows),
        )
        for name, each in found.items()
        if _is_asked(name, each, mapping)
    ]


def _item_tax_group(entity, code):
    if not code:
        return None
    try:
        return ItemTaxGroup.objects.get(entity=entity, code=code)
    except ItemTaxGroup.DoesNotExist:
        raise Refused("MAPPING-ITEM-TAX-GROUP", group=code) from None


def _about_the_file(table, reader, catalogue) -> list[Problem]:
    found = [Problem(None, "", reason) for reason in (*table.warnings, *catalogue.remarks())]
    if reader.ignored:
        columns = [f"“{heading}”" for heading in reader.ignored]
        found.append(Problem(None, "", Reason("COLUMNS-IGNORED", columns=columns, count=len(columns))))
    return found


def _check(new, reader) -> list[Problem]:
    """Errors and warnings about entries that are new."""
    errors = []
    for row in new:
        project, resource = row.project, row.resource
        if not project.is_open:
            errors.append(
                Problem(
                    row.number,
                    "project",
                    Reason("PROJECT-CLOSED", project=project.code),
                )
            )
        for phrase in oddities.of_day(row.date, project, reader.on):
            reader.odd(row.number, "date", Reason("DAY-UNUSUAL", phrase=phrase))
        if resource and not resource.is_active:
            reader.odd(
                row.number, "resource", Reason("PERSON-INACTIVE", person=f"{resource.code} {resource.name}")
            )
    return errors


def long_days(new, entity, within=None) -> list[Problem]:
    """Days on which a resource would have more than 24 hours, including existing entries (APP-10).

    Hours on projects outside `within` count too, but their number is not shown (SEC-1).
    """
    added: dict[tuple, Decimal] = defaultdict(Decimal)
    rows = defaultdict(list)
    for row in new:
        if row.transaction_class == Entry.Class.TIME:
            day = row.resource.code, row.date
            added[day] += row.added_quantity
            rows[day].append(row)
    here, elsewhere = _hours_here(rows, entity, within)
    found = []
    for day, hours in added.items():
        known = hours + here[day]
        if known > oddities.HOURS_A_DAY:
            found.append((day, _too_long(rows[day], hours, here[day])))
        elif known + elsewhere[day] > oddities.HOURS_A_DAY:
            found.append((day, _too_long_elsewhere(rows[day][-1])))
    return [Problem(rows[day][-1].number, "hours", reason) for day, reason in found]


def _hours_here(days, entity, within) -> tuple[dict, dict]:
    """The existing hours by code and date, except rejected ones: on projects within reach, and on others."""
    here: dict[tuple, Decimal] = defaultdict(Decimal)
    elsewhere: dict[tuple, Decimal] = defaultdict(Decimal)
    codes = {row.resource.pk: row.resource.code for rows in days.values() for row in rows if row.resource.pk}
    if not codes:
        return here, elsewhere
    dates = [date for _, date in days]
    before = Entry.objects.filter(
        entity=entity, transaction_class=Entry.Class.TIME, date__range=(min(dates), max(dates))
    ).exclude(status=Entry.Status.REJECTED)
    by = ("resource", "date") if within is None else ("resource", "date", "project")
    for chunk in in_chunks(codes, _CHUNK):
        found = totals(before.filter(resource__in=chunk), by=by, field="quantity")
        for (resource, date, *project), quantity in found.items():
            is_in_reach = within is None or project[0] in within
            (here if is_in_reach else elsewhere)[codes[resource], date] += quantity
    return here, elsewhere


def _too_long(rows, added, here) -> Reason:
    """The error for a day with too many hours; `here` are the existing hours."""
    name, day, n = rows[-1].resource.name, rows[-1].date, len(rows)
    hours = added + here
    if here and n > 1:
        return Reason("LONG-DAY-OF-ROWS-WITH-OTHERS", person=name, day=day, hours=hours, here=here, count=n)
    if here:
        return Reason("LONG-DAY-WITH-OTHERS", person=name, day=day, hours=hours, here=here)
    if n > 1:
        return Reason("LONG-DAY-OF-ROWS", person=name, day=day, hours=hours, count=n)
    return Reason("LONG-DAY-OF-ROW", person=name, day=day, hours=hours)


def _too_long_elsewhere(row) -> Reason:
    most = oddities.HOURS_A_DAY
    return Reason("LONG-DAY-ELSEWHERE", person=row.resource.name, day=row.date, most=most)
