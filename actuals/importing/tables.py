"""A file of bytes as a header and rows of cells: CSV in the encodings and separators people have, or XLSX."""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from actuals.importing.values import shortened, text_of
from invoicing_site.errors import Refused

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 200_000
_MOST_COLUMNS = 200
_MOST_SHEET_ROWS = 1_048_576  # what a spreadsheet can have; a file may claim more
_MOST_UNPACKED = 10 * MOST_BYTES
_SEPARATORS = ",;\t"
_SEPARATOR_LINE = re.compile(r'\A"?sep=([,;\t])"?\r?\n', re.IGNORECASE)
_BINARY = {
    b"\xd0\xcf\x11\xe0": "It is an old Excel workbook (.xls): save it as .xlsx or CSV.",
    b"%PDF": "It is a PDF: export the entries as CSV or XLSX.",
}

# It remarks on styles and extensions that it does not know; who imports hours can do nothing about them.
warnings.filterwarnings("ignore", module=r"openpyxl\.")


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


def read_table(content: bytes, *, known: Collection[str] = (), sheet: str = "") -> Table:
    """The table in a CSV or XLSX file.

    `known` are normalized headings that the separator is recognized by. Refused with a sentence for what is
    too large, is no table, or has no row below its header.
    """
    if len(content) > MOST_BYTES:
        raise Refused(
            f"The file has {len(content):,} bytes; at most {MOST_BYTES:,} (50 MB) are read: split it.",
            code="FILE-SIZE",
        )
    for beginning, remedy in _BINARY.items():
        if content.startswith(beginning):
            raise Refused(f"This file is neither CSV nor XLSX. {remedy}", code="FILE-FORMAT")
    table = _workbook(content, sheet) if is_workbook(content) else _csv(content, known)
    if not table.rows:
        raise Refused("The file has no rows below its header: there is nothing to import.", code="FILE-EMPTY")
    return table


def is_workbook(content: bytes) -> bool:
    """Whether it begins as a ZIP archive, which an XLSX file is and no CSV."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _csv(content: bytes, known) -> Table:
    text, notes = _decoded(content)
    first_row = 1
    chosen = _SEPARATORS
    if match := _SEPARATOR_LINE.match(text):
        text, chosen, first_row = text[match.end() :], match[1], 2
    separator = max(chosen, key=lambda sign: _fits(text, sign, known))
    header, rows = _taken(_records(text, separator), first_row)
    return Table(header, rows, notes)


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
    """How many headings of the first record are known, and how many there are, if this is the separator."""
    try:
        record = next((record for record in _records(text, separator) if any(record)), [])
    except Refused:
        return 0, 0
    return sum(normalized(heading) in known for heading in record), len(record)


def _records(text, separator) -> Iterator[list[str]]:
    # strict: an unclosed quote is an error, not one cell with the rest of the file in it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from reader
    except csv.Error as trouble:
        raise Refused(
            f"The file is not proper CSV near line {reader.line_num}: {trouble}. Look at the quotes there.",
            code="FILE-FORMAT",
        ) from None


def _taken(records, first_row=1) -> tuple[list[str], list]:
    """The first record that holds anything is the header; empty ones are passed over."""
    header, rows = None, []
    for number, record in enumerate(records, first_row):
        if number > _MOST_SHEET_ROWS:
            raise _too_many()
        if not any(map(text_of, record)):
            continue
        if header is None:
            header = _header(record)
            continue
        if len(rows) == MOST_ROWS:
            raise _too_many()
        rows.append((number, record))
    if header is None:
        raise Refused("The file is empty: there is nothing to import.", code="FILE-EMPTY")
    return header, rows


def _header(record) -> list[str]:
    header = [shortened(text_of(cell), 100) for cell in record]
    while header and not header[-1]:
        header.pop()
    if len(header) > _MOST_COLUMNS:
        raise Refused(
            f"The file has {len(header)} columns, and at most {_MOST_COLUMNS} are read: is its first row the "
            "header, and are its cells separated by comma, semicolon or tab?",
            code="FILE-FORMAT",
        )
    return header


def _too_many():
    return Refused(f"The file has more than {MOST_ROWS:,} rows: split it into several.", code="FILE-SIZE")


def _workbook(content: bytes, sheet: str) -> Table:
    import openpyxl  # late: it is slow to load, and CSV does without

    try:
        return _read_workbook(openpyxl, content, sheet)
    except Refused:
        raise
    except Exception as trouble:  # whatever a parser of ZIP and XML can come upon in a damaged file
        raise Refused(
            "The file begins like an XLSX workbook but cannot be read: open it in a spreadsheet program and "
            f"save it again ({type(trouble).__name__}: {shortened(str(trouble), 100)}).",
            code="FILE-FORMAT",
        ) from trouble


def _read_workbook(openpyxl, content, sheet) -> Table:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > _MOST_UNPACKED:
            raise Refused(
                "The workbook is too large when unpacked: split it, or save it as CSV.", code="FILE-SIZE"
            )
    # Cells of formulas give the value that was saved with them.
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    try:
        page, notes = _page(book, sheet)
        page.reset_dimensions()  # many programs write wrong ones
        beginning = page.iter_rows(values_only=True, max_col=_MOST_COLUMNS + 1)
        width = len(next((_header(row) for row in _limited(beginning) if any(map(text_of, row))), []))
        # One column more than the header has, so that a row which is too long is noticed.
        rows = page.iter_rows(values_only=True, max_col=width + 1)
        header, rows = _taken(_limited(rows))
    finally:
        book.close()
    return Table(header, rows, notes, is_workbook=True)


def _limited(rows):
    for number, row in enumerate(rows):
        if number > _MOST_SHEET_ROWS:
            raise _too_many()
        yield row


def _page(book, sheet):
    if sheet:
        for page in book.worksheets:
            if normalized(page.title) == normalized(sheet):
                return page, []
        names = ", ".join(page.title for page in book.worksheets)
        raise Refused(f"The workbook has no sheet “{sheet}”; it has {names}.", code="FILE-FORMAT")
    if not book.worksheets:
        raise Refused("The workbook has no sheet with cells.", code="FILE-EMPTY")
    page, *others = book.worksheets
    notes = []
    if others:
        notes = [
            f"Only the first of {len(others) + 1} sheets, “{page.title}”, was read; name another to read it."
        ]
    return page, notes
