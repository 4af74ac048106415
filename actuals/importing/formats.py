"""Which column of a file is which field of ours: our own format, those of other programs, and a mapping."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from actuals.importing.catalogue import KINDS, plural
from actuals.importing.tables import Table, normalized
from actuals.importing.values import date_format_of, text_of
from actuals.models import EntryImport
from invoicing_site.errors import Refused

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
    "unit",
    "description",
    "comment",
    "external_id",
    "amount",
    "tax",
    "deductible_tax",
    "currency",
    "price",
)
REQUIRED = ("date", "project")
CREATABLE = tuple(plural(kind) for kind in KINDS)

# One line a field: the first of several headings that holds anything counts; + joins cells with a space.
_OURS = {name: name for name in FIELDS} | {
    "quantity": "hours|quantity",
    "comment": "comment|internal comment",
}
FORMATS = {
    EntryImport.Format.LEDGERLINE: _OURS,
    EntryImport.Format.KIMAI: {
        "external_id": "ID",
        "date": "Date",
        "quantity": "Duration",
        "resource": "Email|Username|User|Name|Alias",
        "project": "Project number|Project",
        "task": "Activity number|Activity",
        "description": "Description",
    },
    EntryImport.Format.HARVEST: {
        "date": "Date",
        "quantity": "Hours",
        "resource": "Employee Id|First Name+Last Name",
        "project": "Project Code|Project",
        "task": "Task",
        "description": "Notes",
    },
    EntryImport.Format.TOGGL: {
        "date": "Start date",
        "quantity": "Duration",
        "resource": "Email|User",
        "project": "Project",
        "task": "Task",
        "description": "Description",
    },
    EntryImport.Format.CLOCKIFY: {
        "date": "Start Date",
        "quantity": "Duration (decimal)|Duration (h)",
        "resource": "Email|User",
        "project": "Project",
        "task": "Task",
        "description": "Description",
    },
}


@dataclass(frozen=True)
class Mapping:
    """How one file is to be read.

    columns: heading by field, over those of the format ("A|B": the first that holds anything; "A+B": both).
    constants: a value by field, for every row that has none. date_format: of `strptime`, or as DD.MM.YYYY.
    decimal: "," or "." where numbers could be read in two ways. sheet: of a workbook, else its first.
    create: what may be made when a row names it and nobody knows it; item_tax_group: the code that new
    categories and products get, else that of the category above (“Design” for “Design/Drawings”).
    """

    format: str = EntryImport.Format.LEDGERLINE
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    date_format: str = ""
    decimal: str = ""
    sheet: str = ""
    create: tuple[str, ...] = ()
    item_tax_group: str = ""

    def checked(self) -> "Mapping":
        """The mapping with its date format in `strptime` codes; refused where it makes no sense."""
        if self.format not in EntryImport.Format.values:
            raise _wrong(f"There is no file format “{self.format}”", EntryImport.Format.values)
        for name in (*self.columns, *self.constants):
            if name not in FIELDS:
                raise _wrong(f"There is no field “{name}”", FIELDS)
        for kind in self.create:
            if kind not in CREATABLE:
                raise _wrong(f"An import creates no “{kind}”", CREATABLE)
        if self.decimal not in ("", ",", "."):
            raise _wrong(f"The sign before decimals cannot be “{self.decimal}”", (",", "."))
        date_format = self.date_format
        if date_format:
            try:
                date_format = date_format_of(date_format)
            except ValueError:
                raise Refused(
                    f"The date format “{self.date_format}” does not tell year, month and day: write it as "
                    "DD.MM.YYYY or %d.%m.%Y.",
                    code="MAPPING",
                ) from None
        return Mapping(**{**self._values(), "date_format": date_format})

    def as_json(self) -> dict:
        """What was not left at its default, as it is kept with the import."""
        nothing = Mapping()._values()
        return {name: value for name, value in asdict(self).items() if value != nothing[name]}

    @classmethod
    def kept(cls, values: dict) -> "Mapping":
        """The mapping that `as_json` kept."""
        return cls(**{**values, "create": tuple(values.get("create", ()))})

    def _values(self):
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def headings(self) -> set[str]:
        """Every heading that means something here, normalized."""
        rules = {**FORMATS[self.format], **self.columns}.values()
        return {normalized(part) for rule in rules for part in (rule, *_parts(rule))}

    def readers(self, table: Table) -> tuple[dict[str, Callable], list[str]]:
        """For each field a function from a row's cells to its cell, and the headings that nothing reads.

        Refused where a mapped column is not in the file, a heading that is needed stands twice, or a field
        that every row needs has neither column nor constant.
        """
        found, used = {}, set()
        for name, rule in FORMATS[self.format].items():
            columns = _columns(rule, table, self.format, mapped=False)
            if columns and name not in self.columns:
                found[name] = columns
        for name, rule in self.columns.items():
            found[name] = _columns(rule, table, self.format, mapped=True)
        for columns in found.values():
            used.update(index for alternative in columns for index in alternative)
        missing = [name for name in REQUIRED if name not in found and name not in self.constants]
        if missing:
            raise Refused(
                f"The file has no column for {' and '.join(missing)}: its columns are "
                f"{_listed(table.header)}. Rename one, or say which one it is.",
                code="MAPPING",
            )
        ignored = [text for index, text in enumerate(table.header) if text and index not in used]
        return {name: _reader(columns) for name, columns in found.items()}, ignored


def _parts(rule: str) -> list[str]:
    return [part for alternative in rule.split("|") for part in alternative.split("+")]


def _columns(rule, table, format_, *, mapped) -> list[list[int]]:
    """Alternatives, each a list of positions to be joined; empty when the file has none of them."""
    columns = table.columns
    if normalized(rule) in columns:
        return [[_only(rule, columns)]]
    alternatives = []
    for alternative in rule.split("|"):
        parts = [alternative] if normalized(alternative) in columns else alternative.split("+")
        absent = [part for part in parts if normalized(part) not in columns]
        if not absent:
            alternatives.append([_only(part, columns) for part in parts])
        elif mapped:
            raise Refused(
                f"The file has no column “{absent[0].strip()}”: its columns are {_listed(table.header)}.",
                code="MAPPING",
            )
    return alternatives


def _only(heading, columns) -> int:
    positions = columns[normalized(heading)]
    if len(positions) > 1:
        raise Refused(
            f"The heading “{heading.strip()}” stands over {len(positions)} columns: rename all but one.",
            code="MAPPING",
        )
    return positions[0]


def _reader(alternatives):
    if len(alternatives) == 1 and len(alternatives[0]) == 1:
        ((index,),) = alternatives
        return lambda cells: cells[index] if index < len(cells) else None

    def read(cells):
        for positions in alternatives:
            parts = [cells[index] for index in positions if index < len(cells)]
            parts = [part for part in parts if part is not None and text_of(part)]
            if len(parts) == 1:
                return parts[0]
            if parts:
                return " ".join(map(text_of, parts))
        return None

    return read


def _listed(names) -> str:
    return ", ".join(f"“{name}”" for name in names if name)


def _wrong(what, allowed) -> Refused:
    return Refused(f"{what}; there is {', '.join(allowed)}.", code="MAPPING")
