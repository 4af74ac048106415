"""The export of a list: CSV (UTF-8 with a byte order mark for spreadsheets) or XLSX.

A file is written row by row, so that the memory does not depend on the number of rows.
"""

import re
import tempfile
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice

from django.http import FileResponse, Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from invoicing_site.floor import formatting
from invoicing_site.floor.errors import Refused

XLSX_ROWS = 100_000  # more rows take longer than a browser waits; a CSV download starts at once

_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are full-width characters
_FORMULA = re.compile(f"[{_SIGNS}]")
# Spreadsheets of other countries split a line at these, even inside quotes, so a formula may follow.
_SPLIT = re.compile(rf"([;|\t\r\n][\s\"]*)(?=[{_SIGNS}])")
_SEPARATORS = re.compile(r"[,;|\t\r\n\"]")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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
    return ILLEGAL_CHARACTERS_RE.sub("", str(value))


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
    if not isinstance(value, str):
        return str(value)
    text = _SPLIT.sub(r"\1'", value)
    if _FORMULA.match(text):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if _SEPARATORS.search(text) else text


# XLSX


def _xlsx(rows, name):
    """A workbook in a temporary file that is deleted when it is closed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\']", " ", name).strip()[:31] or "List")
    sheet.freeze_panes = "A2"
    rows = iter(rows)
    headings = next(rows)
    first = list(islice(rows, _MEASURED))
    for place, width in enumerate(_widths([headings, *first]), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    bold = Font(bold=True)
    head = [_cell(sheet, heading) for heading in headings]
    for cell in head:
        cell.font = bold
    sheet.append(head)
    last = 1
    for row in chain(first, rows):
        sheet.append([_cell(sheet, value) for value in row])
        last += 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(headings))}{last}"
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return file


def _cell(sheet, value):
    """A cell: a number shows all its decimals, 1250.50 and not 1250.5; a text is never a formula."""
    value = _plain(value)
    if value is None:
        return WriteOnlyCell(sheet)
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
        if _FORMULA.match(value):
            cell.quotePrefix = True  # stays a text after editing
    elif isinstance(value, Decimal) and (places := -value.as_tuple().exponent) > 0:
        cell.number_format = f"#,##0.{'0' * places}"
    return cell


def _widths(rows):
    for column in zip(*rows, strict=True):
        longest = max(len(_shown(value)) for value in column)
        yield min(max(longest + 2, _NARROWEST), _WIDEST)


def _shown(value):
    value = _plain(value)
    if value is None:
        return ""
    return formatting.number(value) if isinstance(value, Decimal | int) else str(value)
