"""What a list shows, as a file: CSV (UTF-8, with a mark that spreadsheets know) or XLSX."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are their full-width forms
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def exported(table, kind, *, name, limit):
    """All rows of the table's data, at most `limit`, with the columns that are shown."""
    rows = table.as_values()
    if kind == "csv":
        response = StreamingHttpResponse(_csv(rows, limit), content_type="text/csv; charset=utf-8")
    elif kind == "xlsx":
        response = HttpResponse(_xlsx(rows, limit), content_type=_XLSX)
    else:
        raise Http404("A list can be had as csv or xlsx.")
    response["Content-Disposition"] = f'attachment; filename="{slugify(name) or "list"}.{kind}"'
    return response


def _harmless(text):
    """A text that a spreadsheet would take for a formula is marked as text; what none can keep goes."""
    text = ILLEGAL_CHARACTERS_RE.sub("", text)
    return "'" + text if text[:1] in _FORMULA else text


def _plain(value):
    if isinstance(value, datetime):
        value = timezone.localtime(value).replace(tzinfo=None) if value.tzinfo else value
        return value.replace(microsecond=0)
    if value is None or isinstance(value, Decimal | int | date):
        return value
    return _harmless(str(value))


class _Echo:
    def write(self, text):
        return text


def _csv(rows, limit):
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for number, row in enumerate(rows):
        if number > limit:
            break
        yield writer.writerow([_plain(value) for value in row])


def _cell(sheet, value):
    """A number that has decimals shows all of them: 1250.50 and not 1250.5."""
    places = -value.as_tuple().exponent if isinstance(value, Decimal) else 0
    if places < 1:
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = f"#,##0.{'0' * places}"
    return cell


def _xlsx(rows, limit):
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for number, row in enumerate(rows):
        if number > limit:
            break
        sheet.append([_cell(sheet, _plain(value)) for value in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
