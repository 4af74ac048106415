"""The sentences of what entries and actuals refuse, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    # Whose entry, and of what.
    "RESOURCE-INACTIVE": _("%(resource)s is no longer active. Ask an administrator."),
    "OTHER-PERSON": _("%(resource)s is another person. Everybody enters their own work."),
    "NOT-YOURS-TO-CHANGE": _("%(entry)s is not yours. Only its owner can change it."),
    "NOT-YOURS-TO-SUBMIT": _(
        "%(entry)s is not yours. Its owner, a project manager or an accountant can submit it."
    ),
    "NOT-YOURS-TO-RECALL": _("%(entry)s is not yours. Only its owner can recall it."),
    "NO-RESOURCE": _(
        "You are not a resource of %(entity)s yet, so you can't enter anything here. Ask an administrator to "
        "add you as a resource."
    ),
    # What an entry refers to.
    "OF-OTHER-ENTITY": _("%(thing)s belongs to another company."),
    "PROJECT-CLOSED": _("Project %(project)s is closed for entries. Choose another project."),
    "TASK-OF-OTHER-PROJECT": _("Task %(task)s does not belong to project %(project)s."),
    "CATEGORY-OTHER-CLASS": _("%(category)s is not a category for %(kind)s."),
    # Quantities and amounts.
    "QUANTITY-ZERO": _("The quantity must be greater than zero."),
    "LONG-DAY": _("%(day)s would have %(hours)s hours, and a day has 24. Enter fewer hours."),
    "NEGATIVE-AMOUNT": _("%(amount)s is below zero. Enter 0 or more."),
    "EXPENSE-TOO-LARGE": _("%(why)s Look for a typing error, or enter it as several expenses."),
    "DEDUCTIBLE-MISSING": _("Enter how much of the tax is deductible: all of it, a part, or 0."),
    "DEDUCTIBLE-OVER-TAX": _("The deductible tax, %(deductible)s, is more than the tax, %(tax)s."),
    # Changing, submitting, deleting.
    "ENTRY-CHANGED": _(
        "%(entry)s was changed by another person. Open it again, so that their change is not lost."
    ),
    "ENTRY-WAS-APPROVED": _(
        "Entry %(entry)s was approved before, and its reversed actuals refer to it. It can't be deleted. "
        "Leave it as a draft."
    ),
    "SUBMIT-PROJECT-CLOSED": _(
        "%(entry)s can't be submitted: project %(project)s is closed for entries. Open the project, or move "
        "the entry to another one."
    ),
    "SUBMIT-OTHER-ENTITY": _(
        "%(entry)s can't be submitted: %(resource)s works for another company. Choose a resource of the "
        "company that owns the project."
    ),
    "ENTRY-GONE": _("One of the selected entries no longer exists. Look at the list again."),
    "ENTRIES-SEVERAL-ENTITIES": _(
        "The selected entries belong to several companies. Select those of one company at a time."
    ),
    "NO-DRAFT-SELECTED": _(
        "Nothing was submitted. Only drafts are submitted here. Change a rejected entry first, or open it to "
        "submit it as it is."
    ),
    "NO-SUBMITTED-SELECTED": _("Nothing was recalled. Only submitted entries can be recalled."),
    "NO-OPEN-SELECTED": _("Nothing was deleted. Only drafts and rejected entries can be deleted."),
    # Actuals.
    "ACTUAL-IS-REVERSAL": _(
        "Actual %(actual)s is the reversal of actual %(original)s and can't be reversed itself."
    ),
    "ACTUAL-REVERSED": _("Actual %(actual)s is already reversed, by actual %(reversal)s."),
    # The week page.
    "WEEK-NOT-SAVED": ngettext_lazy(
        "Nothing was saved: %(count)s thing can't be saved as typed. The reason is shown next to it.",
        "Nothing was saved: %(count)s things can't be saved as typed. The reason is shown next to each.",
        "count",
    ),
    "ROW-NEEDS-PROJECT": _("Choose a project that is open for entries."),
    "ROW-OTHER-TASK": _("This task does not belong to %(project)s. Choose one of its tasks."),
    "ROW-EXISTS": _("This row already exists."),
    # Files that can't be read.
    "FILE-TOO-LARGE": _("The file is larger than %(most)s MB. Split it."),
    "FILE-IS-XLS": _(
        "The file is an old Excel workbook (.xls), or it has a password. Save it as .xlsx or CSV, without a "
        "password."
    ),
    "FILE-IS-PDF": _("The file is a PDF. Export the entries as CSV or XLSX."),
    "FILE-IS-FODS": _("The file is an OpenDocument file (.fods). Save it as .xlsx or CSV."),
    "FILE-IS-ODS": _("The file is an OpenDocument file (.ods). Save it as .xlsx or CSV."),
    "FILE-IS-XLSB": _("The file is a binary Excel workbook (.xlsb). Save it as .xlsx or CSV."),
    "FILE-IS-XML": _("The file is an XML file of Excel 2003. Save it as .xlsx or CSV."),
    "FILE-IS-WORD": _("The file is a Word document. Export the entries as CSV or XLSX."),
    "FILE-IS-NUMBERS": _("The file is a Numbers document. Export it as .xlsx or CSV."),
    "FILE-IS-HTML": _(
        "The file is a web page (HTML), whatever its name is. Open it in a spreadsheet program and save it "
        "as .xlsx, or export it as CSV."
    ),
    "FILE-NOT-XLSX": _(
        "The file is not an XLSX workbook, although its name says so. Open it in the program that wrote it, "
        "and save it as .xlsx or CSV."
    ),
    "FILE-NOT-TEXT": _("The file is neither CSV nor XLSX. Export the entries as CSV or XLSX."),
    "FILE-NOT-UTF-16": _("The file begins as UTF-16 text, but the rest is not UTF-16. Save it as UTF-8."),
    "FILE-BAD-CSV": _(
        "The file is not valid CSV near line %(line)s: %(error)s. Check the quotation marks there."
    ),
    "FILE-EMPTY": _("The file is empty."),
    "FILE-NO-ROWS": _("The file has no rows below its header."),
    "FILE-LONG-ROW": _(
        "One row of the file has more than %(most)s characters. Check the line ends and quotation marks."
    ),
    "FILE-MANY-ROWS": _("The file has more than %(most)s rows. Split it into several files."),
    "FILE-MANY-CELLS": _("The file has more than %(most)s cells. Split it, or remove columns."),
    "FILE-MANY-COLUMNS": _(
        "The first row has more than %(most)s columns. Check that it is the header, and that its cells are "
        "separated by commas, semicolons or tabs."
    ),
    "WORKBOOK-DAMAGED": _(
        "The workbook is damaged or incomplete. Open it in a spreadsheet program and save it again, or "
        "export it again."
    ),
    "WORKBOOK-NO-SHEET": _("The workbook has no sheet with cells."),
    "WORKBOOK-OTHER-SHEETS": _("The workbook has no sheet “%(sheet)s”. Its sheets are %(sheets)s."),
    "WORKBOOK-COMPRESSION": _("The workbook uses an unusual compression. Save it as .xlsx again."),
    "WORKBOOK-ENTITIES": _("The workbook declares XML entities, which are not read. Save it as .xlsx again."),
    "WORKBOOK-TOO-LARGE": _("The workbook is too large when unpacked. Split it, or save the sheet as CSV."),
    "WORKBOOK-TOO-SLOW": _(
        "Reading the workbook takes too much time or memory. Split it, or save the sheet as CSV."
    ),
    "WORKBOOK-MANY-ROWS": _("The sheet has more than %(most)s rows. Split it into several files."),
    "WORKBOOK-LONG-TEXT": _(
        "A cell of the workbook has more than %(most)s characters, the limit of spreadsheet programs. "
        "Shorten it."
    ),
    "WORKBOOK-LONG-CELL": _(
        "Cell %(cell)s has more than %(most)s characters, the limit of spreadsheet programs. Shorten it."
    ),
    # How a file is read.
    "MAPPING-FORMAT": _("There is no file format “%(format)s”. Choose one of %(formats)s."),
    "MAPPING-FIELD": _("There is no field “%(field)s”. The fields are %(fields)s."),
    "MAPPING-CREATE": _("An import can't create “%(kind)s”. It can create %(kinds)s."),
    "MAPPING-DECIMAL": _("The decimal sign can't be “%(sign)s”. It is a comma or a point."),
    "MAPPING-CHOICE": _("There is no choice “%(choice)s”. The choices are %(choices)s."),
    "MAPPING-ANSWER": _("“%(answer)s” is not an answer to %(option)s. The answers are %(answers)s."),
    "MAPPING-ZONE": _("There is no time zone “%(zone)s”. Write it as UTC or Europe/Oslo."),
    "MAPPING-DATE-FORMAT": _(
        "The date format “%(format)s” does not have year, month and day. Write it as DD.MM.YYYY or "
        "%%d.%%m.%%Y."
    ),
    "MAPPING-NO-COLUMN": _(
        "The file has no column for %(fields)s. Its columns are %(columns)s. Choose the right ones."
    ),
    "MAPPING-UNKNOWN-COLUMN": _("The file has no column “%(column)s”. Its columns are %(columns)s."),
    "MAPPING-HEADING-REPEATED": _("%(count)s columns have the heading “%(heading)s”. Rename all but one."),
    "MAPPING-CATEGORY": _(
        "There is no category “%(category)s” for time. The categories for time are %(categories)s."
    ),
    "MAPPING-NO-CATEGORIES": _(
        "There is no category “%(category)s” for time, because the company has no categories for time."
    ),
    "MAPPING-ITEM-TAX-GROUP": _("There is no item tax group “%(group)s”."),
    # Imports.
    "IMPORT-CREATES": _(
        "Only accountants can create missing records. Import without creating them, or ask an accountant to "
        "import the file."
    ),
    "IMPORT-REACH": _(
        "This file was imported before, and some of its rows are on projects that you don't manage. Ask an "
        "accountant to import the missing rows."
    ),
    "IMPORT-RIGHTS": _(
        "%(person)s is no longer allowed to import entries into %(entity)s. Another person has to import the "
        "file."
    ),
    "IMPORT-AT-WORK": _(
        "%(file)s is already being imported: %(who)s requested it on %(day)s at %(time)s, %(how)s. This "
        "request was not saved. Wait until that import is finished, then preview the file again."
    ),
    "IMPORT-AT-WORK-HIDDEN": _(
        "This file is already being imported by another person. This request was not saved. Wait until that "
        "import is finished, then preview the file again."
    ),
    "IMPORT-FILE-ERROR": _("%(why)s"),
    "IMPORT-ERRORS": ngettext_lazy(
        "%(wrong)s of %(rows)s row of %(file)s can't be imported, so nothing was imported. First error: row "
        "%(row)s, %(field)s: %(why)s",
        "%(wrong)s of %(rows)s rows of %(file)s can't be imported, so nothing was imported. First error: row "
        "%(row)s, %(field)s: %(why)s",
        "rows",
    ),
    "IMPORT-ROW-ERRORS": ngettext_lazy(
        "%(wrong)s of %(rows)s row of %(file)s can't be imported, so nothing was imported. First error: row "
        "%(row)s: %(why)s",
        "%(wrong)s of %(rows)s rows of %(file)s can't be imported, so nothing was imported. First error: row "
        "%(row)s: %(why)s",
        "rows",
    ),
    "IMPORT-LONG-DAY": _("Nothing was imported. %(why)s"),
    "IMPORT-ENTRY-CHANGED": _(
        "Nothing was imported, because entry %(entry)s was just changed. Preview the file again."
    ),
    "IMPORT-PROJECT-CLOSED": _(
        "Nothing was imported, because project %(project)s was just closed for entries. Open it, or choose "
        "another project."
    ),
    "IMPORT-INTERNAL-ERROR": _("Internal error (%(error)s). The log has the details."),
    "IMPORT-GAVE-UP": _("Internal error. Import the file again."),
    "IMPORT-NOTHING-NEW": _("No entries were added. Each row was imported before, or was left out."),
    "IMPORT-DRAFTS-CHANGED": ngettext_lazy(
        "%(count)s draft was changed.", "%(count)s drafts were changed.", "count"
    ),
}
