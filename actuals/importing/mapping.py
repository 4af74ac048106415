"""Which column of a file is which field: by the declaration of its program, changed by a mapping."""

import zoneinfo
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from actuals.importing.catalogue import KINDS, plural
from actuals.importing.choices import CHOICES, option_of
from actuals.importing.programs import (
    ALL_HEADINGS,
    DURATIONS,
    FIELDS,
    FORMATS,
    REQUIRED,
    Program,
    headings_of,
    recognized,
)
from actuals.importing.tables import Table, normalized
from actuals.importing.values import Unsaved, date_format_of, text_of
from actuals.models import NAMED, EntryImport
from invoicing_site.floor.errors import Refused

CREATABLE = tuple(plural(kind) for kind in KINDS)


@dataclass(frozen=True)
class Mapping:
    """How one file is read.

    format: the program that wrote it; if empty, it is recognized by its headings. columns: heading by field,
    instead of those of the format ("A
    B": the first that has a value; "A+B": both). constants: a value by field, for rows without one.
    date_format: for `strptime`, or such as DD.MM.YYYY. zone: of times without a zone. decimal: "," or ".",
    for numbers that can be read in two ways. sheet: of a workbook, by default the first. answers: the answer
    to each choice, by its name. time_category: the code of the category for time without one; if empty, the
    default category. create: the kinds of records that are created if a row has an unknown name.
    item_tax_group: the code for new categories and products; by default that of the category above (“Design”
    for “Design/Drawings”).
    """

    format: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    date_format: str = ""
    zone: str = ""
    decimal: str = ""
    sheet: str = ""
    create: tuple[str, ...] = ()
    item_tax_group: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    time_category: str = ""

    def checked(self) -> "Mapping":
        """The mapping with its date format in `strptime` codes; refused if it is inconsistent."""
        if self.format and self.format not in EntryImport.Format.values:
            raise Refused("MAPPING-FORMAT", format=self.format, formats=EntryImport.Format.values)
        for name in (*self.columns, *self.constants):
            if name not in FIELDS:
                raise Refused("MAPPING-FIELD", field=name, fields=FIELDS)
        for kind in self.create:
            if kind not in CREATABLE:
                raise Refused("MAPPING-CREATE", kind=kind, kinds=CREATABLE)
        if self.decimal not in ("", ",", "."):
            raise Refused("MAPPING-DECIMAL", sign=self.decimal)
        for name, answer in self.answers.items():
            if name not in CHOICES:
                raise Refused("MAPPING-CHOICE", choice=name, choices=[*CHOICES])
            if answer not in CHOICES[name].answers:
                raise Refused(
                    "MAPPING-ANSWER",
                    answer=answer,
                    option=option_of(name),
                    answers=[*CHOICES[name].answers],
                )
        if self.zone and self.zone not in zoneinfo.available_timezones():
            raise Refused("MAPPING-ZONE", zone=self.zone)
        date_format = self.date_format
        if date_format:
            try:
                date_format = date_format_of(date_format)
            except ValueError:
                raise Refused("MAPPING-DATE-FORMAT", format=self.date_format) from None
        return Mapping(**{**self._values(), "date_format": date_format})

    def as_json(self) -> dict:
        """The values that differ from the defaults, as they are stored with the import."""
        nothing = Mapping()._values()
        return {name: value for name, value in asdict(self).items() if value != nothing[name]}

    @classmethod
    def kept(cls, values: dict) -> "Mapping":
        """The mapping from `as_json`; other stored values, such as the name of the file, are ignored."""
        known = {name: value for name, value in values.items() if name != NAMED}
        return cls(**{**known, "create": tuple(values.get("create", ()))})

    def _values(self):
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def program(self) -> Program:
        return FORMATS[self.format]

    def answer(self, name: str) -> str:
        """The answer to a choice; empty if there is none yet."""
        return self.answers.get(name) or CHOICES[name].default

    def headings(self) -> set[str]:
        """Every heading that this mapping reads, normalized."""
        usual = headings_of(self.program.columns.values()) if self.format else ALL_HEADINGS
        return usual | headings_of(self.columns.values())

    def settled(self, table: Table) -> "Mapping":
        """The mapping with the program that wrote the file."""
        return self if self.format else replace(self, format=recognized(table.header))

    def value(self, name: str) -> str | None:
        """The value of a field for rows without one."""
        return self.constants.get(name, self.program.constants.get(name))

    def readers(self, table: Table) -> tuple[dict[str, Callable], list[str]]:
        """For each field a function from a row's cells to its cell, and the headings that are not read.

        Refused if a mapped column is missing in the file, if a required heading occurs twice, or if a field
        that every row needs has neither a column nor a constant.
        """
        found, used = {}, set()
        # If a column is mapped for the duration, the other duration columns of the program are not read.
        named = DURATIONS if any(name in self.columns for name in DURATIONS) else ()
        for name, rule in self.program.columns.items():
            if name in self.columns or name in named:
                continue
            if columns := _columns(rule, table, mapped=False):
                found[name] = columns
        for name, rule in self.columns.items():
            found[name] = _columns(rule, table, mapped=True)
        for columns in found.values():
            used.update(index for alternative in columns for index in alternative)
        missing = [name for name in REQUIRED if name not in found and self.value(name) is None]
        if missing:
            raise Refused("MAPPING-NO-COLUMN", fields=missing, columns=_quoted(table.header))
        ignored = [text for index, text in enumerate(table.header) if text and index not in used]
        return {name: _reader(columns, self.program.nothing) for name, columns in found.items()}, ignored


def _columns(rule, table, *, mapped) -> list[list[int]]:
    """The alternatives of a rule, each a list of columns to join; empty if the file has none of them."""
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
            raise Refused("MAPPING-UNKNOWN-COLUMN", column=absent[0].strip(), columns=_quoted(table.header))
    return alternatives


def _only(heading, columns) -> int:
    positions = columns[normalized(heading)]
    if len(positions) > 1:
        raise Refused("MAPPING-HEADING-REPEATED", heading=heading.strip(), count=len(positions))
    return positions[0]


def _reader(alternatives, nothing):
    if len(alternatives) == 1 and len(alternatives[0]) == 1 and not nothing:
        ((index,),) = alternatives
        return lambda cells: cells[index] if index < len(cells) else None

    def read(cells):
        for positions in alternatives:
            parts = [cells[index] for index in positions if index < len(cells)]
            parts = [part for part in parts if isinstance(part, Unsaved) or _holds(part, nothing)]
            if any(isinstance(part, Unsaved) for part in parts):
                return next(part for part in parts if isinstance(part, Unsaved))
            if len(parts) == 1:
                return parts[0]
            if parts:
                return " ".join(map(text_of, parts))
        return None

    return read


def _holds(part, nothing) -> bool:
    return part is not None and text_of(part) not in ("", *nothing)


def _quoted(names) -> list[str]:
    return [f"“{name}”" for name in names if name]
