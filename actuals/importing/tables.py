"""Read a file as a header and rows of cells: CSV in common encodings and with common separators, or XLSX."""

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
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 200_000
_MOST_SECONDS = 90  # seconds to read a workbook; one of 200,000 rows takes a third of that
_MOST_RECORD = 4 * 1024 * 1024  # characters of one row of CSV
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")  # for that process; no keys or passwords
_MOST_TITLES = 20  # rows above the header
_SEPARATORS = ",;\t"
_SEPARATOR_LINE = re.compile(r'\A"?sep=([,;\t])"?\r?\n', re.IGNORECASE)

# Control characters that no program writes; a few are accepted, with a warning on their row.
_UNWRITTEN = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_UNWRITTEN = 50

# The beginnings of markup files, regardless of their names.
_MARKUP = re.compile(r"\s*<(!doctype|html|head|meta|body|style|table|\?xml|!--)", re.IGNORECASE)


@dataclass
class Table:
    """The header and the non-empty rows below it, with their row numbers in a spreadsheet."""

    header: list[str]
    rows: list[tuple[int, list]]
    warnings: list[Reason] = field(default_factory=list)
    is_workbook: bool = False

    @property
    def columns(self) -> dict[str, list[int]]:
        """The positions of each `normalized` heading; several if the heading occurs more than once."""
        found = {}
        for index, heading in enumerate(self.header):
            if heading:
                found.setdefault(normalized(heading), []).append(index)
        return found


def normalized(heading: str) -> str:
    """A heading for comparison: in lower case, with single spaces in place of spaces and underscores."""
    return " ".join(heading.replace("_", " ").casefold().split())


def read_table(content: bytes, *, known: Collection[str] = (), sheet: str = "", name: str = "") -> Table:
    """Read the table in a CSV or XLSX file of that name.

    `known` are normalized headings; they help to find the separator. Refused if the file is too large, is not
    a table, or has no row below its header.
    """
    if len(content) > MOST_BYTES:
        raise Refused("FILE-TOO-LARGE", most=MOST_BYTES // 1024**2)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused("FILE-IS-XLS")
    if content.startswith(b"%PDF"):
        raise Refused("FILE-IS-PDF")
    table = _workbook(content, known, sheet) if is_workbook(content) else _csv(content, known)
    if not table.rows and not table.is_workbook and name.casefold().endswith((".xlsx", ".xlsm")):
        raise Refused("FILE-NOT-XLSX")
    if not table.rows:
        raise Refused("FILE-NO-ROWS")
    return table


def is_workbook(content: bytes) -> bool:
    """Whether the content starts as a ZIP archive: an XLSX file does, a CSV file never."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _csv(content: bytes, known) -> Table:
    text, notes = _decoded(content)
    if len(_UNWRITTEN.findall(text[:2000])) > _MOST_UNWRITTEN:
        raise Refused("FILE-NOT-TEXT")
    if _MARKUP.match(text[:1000]):
        if "office:document" in text[:5000]:
            raise Refused("FILE-IS-FODS")
        if "schemas-microsoft-com:office:spreadsheet" in text[:5000]:
            raise Refused("FILE-IS-XML")
        raise Refused("FILE-IS-HTML")
    first_row = 1
    chosen = _SEPARATORS
    if match := _SEPARATOR_LINE.match(text):
        text, chosen, first_row = text[match.end() :], match[1], 2
    separator = max(chosen, key=lambda sign: _fits(text, sign, known))
    return _table(enumerate(_records(text, separator), first_row), known, notes)


def _decoded(content: bytes) -> tuple[str, list[Reason]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16"), []
        except UnicodeDecodeError:
            raise Refused("FILE-NOT-UTF-16") from None
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        note = Reason("FILE-READ-AS-WESTERN", byte=error.start + 1)
    try:
        return content.decode("cp1252"), [note]
    except UnicodeDecodeError:
        return content.decode("latin-1"), [note]


def _fits(text, separator, known) -> tuple[int, int]:
    """The number of known headings in the header, and of all headings, if this is the separator."""
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
                raise Refused("FILE-LONG-ROW", most=_MOST_RECORD)
            yield line

    # strict: an unclosed quote is an error, not one cell with the rest of the file in it.
    reader = csv.reader(lines(), delimiter=separator, strict=True)
    try:
        for record in reader:
            yield record
            taken = 0
    except csv.Error as error:
        raise Refused("FILE-BAD-CSV", line=reader.line_num, error=str(error)) from None


def _table(numbered, known, notes, *, is_workbook=False) -> Table:
    """The header, and the non-empty rows below it."""
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
            raise Refused("FILE-MANY-CELLS", most=workbook.MOST_CELLS)
    if not kept:
        raise Refused("FILE-EMPTY")
    n = _header_of([record for _, record in kept[: _MOST_TITLES + 1]], known)
    if n:
        row = kept[n][0]
        notes = [*notes, Reason("FILE-HAS-TITLES", row=str(row))]
    header, rows = _header(kept[n][1]), kept[n + 1 :]
    if len(rows) > MOST_ROWS:
        raise _too_many()
    return Table(header, rows, notes, is_workbook)


def _header_of(rows, known) -> int:
    """The row that is the header: the first one, unless a later one has more known headings."""
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
        raise Refused("FILE-MANY-COLUMNS", most=workbook.MOST_COLUMNS)
    return header


def _too_many():
    return Refused("FILE-MANY-ROWS", most=MOST_ROWS)


def _workbook(content: bytes, known, sheet: str) -> Table:
    """Read it in a separate process, which is stopped after a timeout (see `workbook`)."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer:
        source.write(content)
        source.seek(0)
        # Isolated: it uses none of our modules or settings.
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
            raise Refused("WORKBOOK-TOO-SLOW")
        answer.seek(0)
        return _answered(answer, known, sheet)


def _answered(answer, known, sheet) -> Table:
    found = (json.loads(line) for line in answer)
    about = _unrefused(next(found))
    notes = []
    if len(about["sheets"]) > 1 and not sheet:
        notes = [Reason("WORKBOOK-ONE-SHEET-READ", sheet=about["read"], count=len(about["sheets"]))]
    rows = ((row[0], [_cell(cell) for cell in row[1]]) for row in map(_unrefused, found))
    return _table(rows, known, notes, is_workbook=True)


def _unrefused(value):
    if isinstance(value, dict) and "refused" in value:
        raise Refused.because(Reason.from_json({**value["refused"], "remedy": ""}))
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
