"""The export of a list: CSV (UTF-8 with a byte order mark for spreadsheets) or XLSX.

A file is written row by row, so that the memory does not depend on the number of rows.
"""

import re
import tempfile
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import chain, islice

from django.http import FileResponse, Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify
from xlsxwriter import Workbook

from invoicing_site.floor import formatting
from invoicing_site.floor.errors import Refused

XLSX_ROWS = 100_000  # more rows take longer than a browser waits; a CSV download starts at once

_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are full-width characters
_FORMULA = re.compile(f"[{_SIGNS}]")
# Spreadsheets of other countries split a line at these, even inside quotes, so a formula may follow.
_SPLIT = re.compile(rf"([;|\t\r\n][\s\"]*)(?=[{_SIGNS}])")
_SEPARATORS = re.compile(r"[,;|\t\r\n\"]")
_SUSPECT = re.compile(f"^[{_SIGNS}]|{_SEPARATORS.pattern}")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MEASURED = 200  # rows that are measured for the column widths
_NARROWEST, _WIDEST = 8, 60


def check_length(kind, rows):
    """Refuse an XLSX file with too many of these rows; the message suggests CSV."""
    if kind == "xlsx" and (count := rows.order_by().count()) > XLSX_ROWS:
        raise Refused("EXPORT-TOO-LONG", rows=count, most=XLSX_ROWS)


def exported(table, kind, *, name):
    """The response with all rows of the table and the visible columns."""
    file_name = f"{slugify(name) or 'list'}.{kind}"
    if kind == "csv":
        response = StreamingHttpResponse(_csv(table.as_values()), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{file_name}"'
        return response
    if kind == "xlsx":
        file = _xlsx(table.as_values(), name)
        return FileResponse(file, as_attachment=True, filename=file_name, content_type=_XLSX)
    raise Http404("A list can be exported as csv or xlsx.")


def _plain(value):
    """A number, a date, or a text without characters that spreadsheets can't store."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).replace(tzinfo=None) if value.tzinfo else value
        return value.replace(microsecond=0)
    if value is None or isinstance(value, Decimal | int | date):
        return value
    return _NOT_IN_XML.sub("", str(value))


# CSV


def _csv(rows):
    yield "\ufeff"
    for row in rows:
        yield ",".join(map(_field, row)) + "\r\n"


def _field(value):
    """A field of a CSV. A text that a spreadsheet would read as a formula is marked as text.

    In countries where a comma is not the separator, quotes inside a line have no effect and a text is split
    at the local separator, so text after such a separator is marked as well.
    """
    value = _plain(value)
    if value is None:
        return ""
    if not isinstance(value, str) or not _SUSPECT.search(value):
        return str(value)
    text = _SPLIT.sub(r"\1'", value)
    if _FORMULA.match(text):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if _SEPARATORS.search(text) else text


# XLSX


def _xlsx(rows, name):
    """A workbook in a temporary file that is deleted when it is closed. Rows are written as they come."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    # A text stays a text: it becomes no formula, no link and no number.
    texts = dict.fromkeys(["strings_to_formulas", "strings_to_urls", "strings_to_numbers"], False)
    with Workbook(file, {"constant_memory": True, **texts}) as book:
        sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", name).strip()[:31] or "List")
        sheet.freeze_panes(1, 0)
        rows = iter(rows)
        headings = next(rows)
        first = list(islice(rows, _MEASURED))
        for place, width in enumerate(_widths([headings, *first])):
            sheet.set_column(place, place, width)
        sheet.write_row(0, 0, headings, book.add_format({"bold": True}))
        write, last = _writer(book, sheet), 0
        for last, row in enumerate(chain(first, rows), 1):
            for place, value in enumerate(row):
                write(last, place, _plain(value))
        sheet.autofilter(0, 0, last, len(headings) - 1)
    file.seek(0)
    return file


def _writer(book, sheet):
    """A function that writes a cell: a number shows all its decimals, 1250.50 and not 1250.5."""

    @cache
    def decimals(places):
        return book.add_format({"num_format": f"#,##0.{'0' * places}"} if places > 0 else {})

    day = book.add_format({"num_format": "yyyy-mm-dd"})
    time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    text = book.add_format({"quote_prefix": True})  # stays a text after editing

    def write(row, column, value):
        if isinstance(value, str):
            sheet.write_string(row, column, value, text if _FORMULA.match(value) else None)
        elif isinstance(value, Decimal):
            sheet.write_number(row, column, value, decimals(-value.as_tuple().exponent))
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value, time)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, day)
        elif value is not None:
            sheet.write(row, column, value)

    return write


def _widths(rows):
    for column in zip(*rows, strict=True):
        longest = max(len(_shown(value)) for value in column)
        yield min(max(longest + 2, _NARROWEST), _WIDEST)


def _shown(value):
    value = _plain(value)
    if value is None:
        return ""
    return formatting.number(value) if isinstance(value, Decimal | int) else str(value)
