"""A file of bytes as a header and rows of cells: CSV in the encodings and separators people have, or XLSX."""

import csv
import datetime
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from actuals.importing import workbook
from actuals.importing.values import Unsaved, shortened, text_of
from invoicing_site.floor import formatting
from invoicing_site.floor.errors import Refused

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 200_000
_MOST_SECONDS = 90  # to read a workbook; one of 200,000 rows takes a third of it
_MOST_RECORD = 4 * 1024 * 1024  # characters of one row of CSV
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")  # of that process; no keys or passwords
_MOST_TITLES = 20  # rows above the header
_SEPARATORS = ",;\t"
_SEPARATOR_LINE = re.compile(r'\A"?sep=([,;\t])"?\r?\n', re.IGNORECASE)
_BINARY = {
    b"\xd0\xcf\x11\xe0": "It is an old Excel workbook (.xls), or has a password: save it as .xlsx or CSV.",
    b"%PDF": "It is a PDF: export the entries as CSV or XLSX.",
}

# What no program writes into a text; a few are accepted, with a warning on their row.
_UNWRITTEN = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_UNWRITTEN = 50

# What begins with one of these, whatever it is called.
_MARKUP = re.compile(r"\s*<(!doctype|html|head|meta|body|style|table|\?xml|!--)", re.IGNORECASE)
_MARKUP_REMEDIES = {
    "office:document": "It is an OpenDocument file (.fods): save it as .xlsx or CSV.",
    "schemas-microsoft-com:office:spreadsheet": "It is XML of Excel 2003: save it as .xlsx or CSV.",
    "": "It is a web page (HTML), whatever its name says: open it in a spreadsheet program and save it as "
    ".xlsx, or export it as CSV.",
}


@dataclass
class Table:
    """The header and the rows below it that hold anything, with their numbers as a spreadsheet shows them."""

    header: list[str]
    rows: list[tuple[int, list]]
    warnings: list[str] = field(default_factory=list)
    is_workbook: bool = False

    @property
    def columns(self) -> dict[str, list[int]]:
        """Positions by `normalized` heading; more than one where a heading stands twice."""
        found = {}
        for index, heading in enumerate(self.header):
            if heading:
                found.setdefault(normalized(heading), []).append(index)
        return found


def normalized(heading: str) -> str:
    """A heading as it is compared: without case, with single spaces for spaces and underscores."""
    return " ".join(heading.replace("_", " ").casefold().split())


def read_table(content: bytes, *, known: Collection[str] = (), sheet: str = "", name: str = "") -> Table:
    """The table in a CSV or XLSX file of that name.

    `known` are normalized headings that the separator is recognized by. Refused with a sentence for what is
    too large, is no table, or has no row below its header.
    """
    if len(content) > MOST_BYTES:
        raise Refused(
            f"The file has {formatting.count(len(content))} bytes; at most {formatting.count(MOST_BYTES)} "
            "(50 MB) are read: split it.",
            code="FILE-SIZE",
        )
    for beginning, remedy in _BINARY.items():
        if content.startswith(beginning):
            raise Refused(f"This file is neither CSV nor XLSX. {remedy}", code="FILE-FORMAT")
    table = _workbook(content, known, sheet) if is_workbook(content) else _csv(content, known)
    if not table.rows and not table.is_workbook and name.casefold().endswith((".xlsx", ".xlsm")):
        raise Refused(
            "This file is no XLSX workbook, whatever its name says: open it in the program that wrote it, "
            "and save it as .xlsx or CSV.",
            code="FILE-FORMAT",
        )
    if not table.rows:
        raise Refused("The file has no rows below its header: there is nothing to import.", code="FILE-EMPTY")
    return table


def is_workbook(content: bytes) -> bool:
    """Whether it begins as a ZIP archive, which an XLSX file is and no CSV."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _csv(content: bytes, known) -> Table:
    text, notes = _decoded(content)
    if len(_UNWRITTEN.findall(text[:2000])) > _MOST_UNWRITTEN:
        raise Refused(
            "This file is neither CSV nor XLSX, whatever its name says: what it holds is no text. Export the "
            "entries as CSV or XLSX.",
            code="FILE-FORMAT",
        )
    if _MARKUP.match(text[:1000]):
        remedy = next(remedy for sign, remedy in _MARKUP_REMEDIES.items() if sign in text[:5000])
        raise Refused(f"This file is neither CSV nor XLSX. {remedy}", code="FILE-FORMAT")
    first_row = 1
    chosen = _SEPARATORS
    if match := _SEPARATOR_LINE.match(text):
        text, chosen, first_row = text[match.end() :], match[1], 2
    separator = max(chosen, key=lambda sign: _fits(text, sign, known))
    return _table(enumerate(_records(text, separator), first_row), known, notes)


def _decoded(content: bytes) -> tuple[str, list[str]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16"), []
        except UnicodeDecodeError:
            raise Refused(
                "The file begins as UTF-16 but is not: save it as UTF-8.", code="FILE-FORMAT"
            ) from None
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as trouble:
        note = (
            f"The file is not UTF-8 (byte {trouble.start + 1}); it was read as Windows-1252 (Western). "
            "Look whether letters such as ø, é and ü are right."
        )
    try:
        return content.decode("cp1252"), [note]
    except UnicodeDecodeError:
        return content.decode("latin-1"), [note]


def _fits(text, separator, known) -> tuple[int, int]:
    """How many headings of the header are known, and how many there are, if this is the separator."""
    beginning = []
    try:
        for record in _records(text, separator):
            if any(record):
                beginning.append(record)
            if len(beginning) > _MOST_TITLES:
                break
    except Refused:
        pass
    if not beginning:
        return 0, 0
    header = beginning[_header_of(beginning, known)]
    return _known(header, known), len(header)


def _records(text, separator) -> Iterator[list[str]]:
    taken = 0

    def lines():
        nonlocal taken
        for line in io.StringIO(text, newline=""):
            taken += len(line)
            if taken > _MOST_RECORD:
                raise Refused(
                    f"One row of the file has more than {formatting.count(_MOST_RECORD)} characters: look "
                    "at line ends and "
                    "quotes.",
                    code="FILE-FORMAT",
                )
            yield line

    # strict: an unclosed quote is an error, not one cell with the rest of the file in it.
    reader = csv.reader(lines(), delimiter=separator, strict=True)
    try:
        for record in reader:
            yield record
            taken = 0
    except csv.Error as trouble:
        raise Refused(
            f"The file is not proper CSV near line {reader.line_num}: {trouble}. Look at the quotes there.",
            code="FILE-FORMAT",
        ) from None


def _table(numbered, known, notes, *, is_workbook=False) -> Table:
    """The header, and the rows below it that hold anything."""
    kept, cells = [], 0
    for number, record in numbered:
        while record and not (isinstance(record[-1], Unsaved) or text_of(record[-1])):
            record.pop()
        if record:
            kept.append((number, record))
            cells += len(record)
        if number > workbook.MOST_SHEET_ROWS or len(kept) > MOST_ROWS + 1 + _MOST_TITLES:
            raise _too_many()
        if cells > workbook.MOST_CELLS:
            raise Refused(
                f"The file has more than {formatting.count(workbook.MOST_CELLS)} cells: split it, or leave "
                "columns out.",
                code="FILE-SIZE",
            )
    if not kept:
        raise Refused("The file is empty: there is nothing to import.", code="FILE-EMPTY")
    n = _header_of([record for _, record in kept[: _MOST_TITLES + 1]], known)
    if n:
        row = kept[n][0]
        notes = [*notes, f"The rows above row {row} were taken for titles, and row {row} for the headings."]
    header, rows = _header(kept[n][1]), kept[n + 1 :]
    if len(rows) > MOST_ROWS:
        raise _too_many()
    return Table(header, rows, notes, is_workbook)


def _header_of(rows, known) -> int:
    """Which of the first rows is the header: the first, unless a later one has more known headings."""
    counts = [_known(row, known) for row in rows]
    best = counts.index(max(counts))
    return best if counts[best] >= 2 else 0


def _known(row, known) -> int:
    return len({normalized(cell) for cell in row if isinstance(cell, str)} & set(known))


def _header(record) -> list[str]:
    header = [shortened(text_of(cell), 100) for cell in record]
    while header and not header[-1]:
        header.pop()
    if len(header) > workbook.MOST_COLUMNS:
        raise Refused(
            f"The first row has {len(header)} columns or more, and at most {workbook.MOST_COLUMNS} are read: "
            "is it the header, and are its cells separated by comma, semicolon or tab?",
            code="FILE-FORMAT",
        )
    return header


def _too_many():
    return Refused(
        f"The file has more than {formatting.count(MOST_ROWS)} rows: split it into several.", code="FILE-SIZE"
    )


def _workbook(content: bytes, known, sheet: str) -> Table:
    """Read in a process of its own, which is stopped when it takes too long (see `workbook`)."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer:
        source.write(content)
        source.seek(0)
        # Isolated: it needs nothing of ours, not even the settings.
        command = [sys.executable, "-I", workbook.__file__, json.dumps(sheet)]
        try:
            done = subprocess.run(
                command,
                stdin=source,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                timeout=_MOST_SECONDS,
                check=False,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        except subprocess.TimeoutExpired:
            done = None
        if done is None or done.returncode != 0:
            raise Refused(
                "Reading the workbook takes too much time or memory: split it, or save the sheet as CSV.",
                code="FILE-SIZE",
            )
        answer.seek(0)
        return _answered(answer, known, sheet)


def _answered(answer, known, sheet) -> Table:
    found = (json.loads(line) for line in answer)
    about = _unrefused(next(found))
    notes = []
    if len(about["sheets"]) > 1 and not sheet:
        notes = [
            f"Only the first of {len(about['sheets'])} sheets, “{about['read']}”, was read; name another to "
            "read it."
        ]
    rows = ((row[0], [_cell(cell) for cell in row[1]]) for row in map(_unrefused, found))
    return _table(rows, known, notes, is_workbook=True)


def _unrefused(value):
    if isinstance(value, dict) and "refused" in value:
        code, sentence = value["refused"]
        raise Refused(sentence, code=code)
    return value


def _cell(value):
    if not isinstance(value, dict):
        return value
    if "number" in value:
        return json.loads(value["number"])
    if "date" in value:
        kind = datetime.datetime if "T" in value["date"] else datetime.date
        return kind.fromisoformat(value["date"])
    if "seconds" in value:
        return datetime.timedelta(seconds=value["seconds"])
    return Unsaved(value["formula"])
