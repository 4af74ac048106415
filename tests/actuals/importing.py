"""Rows and files for tests of the import, and helpers to read its messages."""

import datetime
import io

import openpyxl

from actuals.importing import preview
from actuals.operations.imports import import_entries

TODAY = datetime.date(2025, 4, 10)
HEADER = "date,resource,project,task,category,role,hours,description,external_id"
TWO_ROWS = f"""{HEADER}
2025-03-31,ANNA,NO1-P1,DESIGN,WORK,CONSULTANT,7.5,Piers,A-1
2025-04-01,ANNA,NO1-P1,,,,2,,A-2
"""
LEAVE_OUT = "Correct the row, or answer “Leave out” for rows without a duration, or still running."
LEAVE_OUT_PROJECT = "Correct the row, or answer “Leave out” for rows without a project."
SAY_HOW = "Correct it, or enter how the file writes dates in “Date format”."


def csv(*lines, header=HEADER):
    return "\n".join([header, *lines]).encode()


def row(**fields):
    """One valid row; the given fields replace its values."""
    good = {"date": "2025-03-31", "resource": "ANNA", "project": "NO1-P1", "hours": "7.5"}
    return ",".join({**good, **fields}.get(name, "") for name in HEADER.split(","))


def look(co, content, mapping=None, **options):
    content = content.encode() if isinstance(content, str) else content
    return preview(content, co.entity, mapping, **{"on": TODAY, **options})


def take(co, content, mapping=None, **options):
    content = content.encode() if isinstance(content, str) else content
    return import_entries(content, co.entity, mapping, **{"by": co.accountant, "on": TODAY, **options})


def errors(seen):
    return [str(problem) for problem in seen.errors]


def warnings(seen):
    return [str(problem) for problem in seen.warnings]


def book(*rows):
    result, workbook = io.BytesIO(), openpyxl.Workbook()
    for cells in rows:
        workbook.active.append(cells)
    workbook.save(result)
    return result.getvalue()
