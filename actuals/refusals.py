"""The sentences of refusals about entries and actuals, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    # The owner of an entry, and its class.
    "RESOURCE-INACTIVE": _(
        "%(resource)s is no longer active. Ask an administrator to activate the resource."
    ),
    "OTHER-PERSON": _("%(resource)s is another person. You can only enter your own work."),
    "NOT-YOURS-TO-CHANGE": _("%(entry)s is not yours. Only its owner can change it."),
    "NOT-YOURS-TO-SUBMIT": _(
        "%(entry)s is not yours. Its owner, a project manager or an accountant can submit it."
    ),
    "NOT-YOURS-TO-RECALL": _("%(entry)s is not yours. Only its owner can recall it."),
    "NO-RESOURCE": _(
        "You are not a resource of %(entity)s yet, so you can't enter anything here. Ask an administrator "
        "to add you as a resource."
    ),
    # The records to which an entry refers.
    "OF-OTHER-ENTITY": _("%(thing)s belongs to another legal entity."),
    "PROJECT-CLOSED": _("Project %(project)s is closed for entries. Choose another project."),
    "TASK-OF-OTHER-PROJECT": _("Task %(task)s does not belong to project %(project)s."),
    "CATEGORY-OTHER-CLASS": _("%(category)s is not a category for %(kind)s."),
    # Quantities and amounts.
    "QUANTITY-ZERO": _("The quantity must be greater than zero."),
    "LONG-DAY": _("%(day)s would have %(hours)s hours, and a day has 24. Enter fewer hours."),
    "NEGATIVE-AMOUNT": _("%(amount)s is below zero. Enter 0 or more."),
    "EXPENSE-TOO-LARGE": _("%(why)s Check the amount, or enter it as several expenses."),
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
        "%(entry)s can't be submitted: %(resource)s belongs to another legal entity. Choose a resource of "
        "the legal entity that owns the project."
    ),
    "ENTRY-GONE": _("One of the selected entries no longer exists. Check the list again."),
    "ENTRIES-SEVERAL-ENTITIES": _(
        "The selected entries belong to several legal entities. Select those of one legal entity at a time."
    ),
    "NO-DRAFT-SELECTED": _(
        "Nothing was submitted. Only drafts are submitted here. Change a rejected entry first, or open it "
        "to submit it as it is."
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
        "Nothing was saved: %(count)s entered value can't be saved. The reason is shown next to it.",
        "Nothing was saved: %(count)s entered values can't be saved. The reason is shown next to each.",
        "count",
    ),
    "WEEK-NEGATIVE-HOURS": _("Hours can't be negative. To reduce work, reduce the hours of its entry."),
    "WEEK-OVER-24-HOURS": _("A day has 24 hours."),
    "WEEK-HOURS-TOO-SMALL": _("This is less than 0.0001 hours. Empty the cell to remove its hours."),
    "WEEK-DESCRIPTION-TOO-LONG": _("The description is longer than %(most)s characters."),
    "WEEK-DESCRIPTION-INVISIBLE": _("The description can't be saved. %(why)s"),
    "WEEK-UNKNOWN-PROJECT": _("The project does not exist in this legal entity."),
    "WEEK-UNKNOWN-TASK": _("The task does not exist in project %(project)s."),
    "WEEK-UNKNOWN-ROLE": _("The role does not exist in this legal entity."),
    "WEEK-UNKNOWN-CATEGORY": _("The category does not exist for time in this legal entity."),
    "WEEK-ROW-CHANGED": _("Another person changed this row. Check it, then save again."),
    "WEEK-SEVERAL-ENTRIES": _(
        "The description was not saved, because a day has several entries. Open each entry to describe it."
    ),
    "WEEK-ROW-LOCKED": _(
        "The description was not saved, because this row is %(states)s and keeps its own. Recall its entries "
        "to change it, or open the week again to keep it."
    ),
    "WEEK-HOURS-DELETED": _("Another person deleted these hours. Save again to enter them again."),
    "WEEK-HOURS-CHANGED": _(
        "Another person changed this cell: it has %(hours)s hours, %(states)s. Your hours were not saved."
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
        "The file is a web page (HTML), although its name says otherwise. Open it in a spreadsheet program "
        "and save it as .xlsx, or export it as CSV."
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
    # The mapping of a file.
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
        "There is no category “%(category)s” for time, because the legal entity has no categories for time."
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
        "%(person)s is no longer allowed to import entries into %(entity)s. Another person has to import "
        "the file."
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
    "IMPORT-NOTHING-NEW": _("No entries were added. Every row was imported before or left out."),
    "IMPORT-DRAFTS-CHANGED": ngettext_lazy(
        "%(count)s draft was changed.", "%(count)s drafts were changed.", "count"
    ),
    # Warnings about a file.
    "FILE-IMPORTED-BEFORE": _("This file was already imported on %(day)s. It adds no entries."),
    "FILE-IMPORTED-IN-PART": _(
        "This file was already imported on %(day)s. It is read with the same options as before, and only "
        "rows without an entry can be added."
    ),
    "FILE-READ-AS-WESTERN": _(
        "The file is not UTF-8 (byte %(byte)s). It was read as Windows-1252 (Western). Check that letters "
        "such as ø, é and ü are right."
    ),
    "FILE-HAS-TITLES": _("Row %(row)s was read as the header, and the rows above it as titles."),
    "WORKBOOK-ONE-SHEET-READ": _(
        "Only the first of %(count)s sheets was read, “%(sheet)s”. Enter the name of another sheet to read "
        "it."
    ),
    "COLUMNS-IGNORED": ngettext_lazy(
        "The column %(columns)s is ignored.",
        "The columns %(columns)s are ignored.",
        "count",
    ),
    "NEW-WITHOUT-TAX-GROUP": _("New records have no item tax group yet: %(records)s."),
    "NEW-WITHOUT-ROLE": _("New resources have no role yet, unless each row has one: %(records)s."),
    "NEW-WITHOUT-LINE": _("New projects have no contract line yet: %(records)s."),
    "CHOICE-OPEN": ngettext_lazy(
        "%(rows)s: %(found)s. Choose what to do with it before you import the file.",
        "%(rows)s: %(found)s. Choose what to do with them before you import the file.",
        "count",
    ),
    # Cells of a file.
    "CELL-NOT-A-NUMBER": _("“%(text)s” is not a number."),
    "CELL-AMBIGUOUS": _(
        "“%(text)s” can be read in two ways: write %(decimal)s or %(whole)s, or choose the decimal sign."
    ),
    "CELL-NOT-HOURS": _("“%(text)s” is not a number of hours: write 7.5 or 7:30."),
    "CELL-IN-DAYS": _(
        "“%(text)s” is a number of days, and the length of a working day is not known. Choose a column in "
        "hours, minutes or seconds."
    ),
    "CELL-NOT-YES-OR-NO": _("“%(text)s” is neither yes nor no."),
    "CELL-OUTSIDE-CALENDAR": _("“%(text)s” is not a valid day in the time zone of the legal entity."),
    "CELL-NOT-A-DATE": _("“%(text)s” is not a date. Format the column as dates."),
    "CELL-NOT-AN-ISO-DATE": _(
        "“%(text)s” is not a date such as 2025-03-31. Correct it, or enter how the file writes dates in "
        "“Date format”."
    ),
    "CELL-OTHER-DATE-FORMAT": _(
        "“%(text)s” is not a date in the format %(format)s. Correct it, or enter how the file writes dates "
        "in “Date format”."
    ),
    "CELL-NO-USUAL-DATE": _(
        "“%(text)s” is not a date such as 2025-03-31, or in the format %(format)s. Correct it, or enter how "
        "the file writes dates in “Date format”."
    ),
    "CELL-FORMULA": _(
        "Cell %(cell)s has a formula, but its value was not saved. Open the workbook in a spreadsheet "
        "program, save it, and choose it again."
    ),
    "CELL-NEGATIVE": _(
        "%(text)s is negative, and an import only adds work. To reduce work, correct or recall its entry."
    ),
    "CELL-NEGATIVE-AMOUNT": _("%(amount)s is negative. Correct the entry that it belongs to instead."),
    "CELL-NEGATIVE-PRICE": _("%(price)s is negative."),
    "CELL-TOO-SMALL": _("%(text)s is less than 0.0001, the smallest quantity that can be saved."),
    "CELL-TOO-LARGE": _("“%(text)s” is too large. The largest possible value is %(most)s."),
    "HOURS-ZERO": _(
        "The hours are zero. Correct the row, or answer “Leave out” for rows without a duration, or still "
        "running."
    ),
    "HOURS-MISSING": _(
        "The hours are missing. Correct the row, or answer “Leave out” for rows without a duration, or "
        "still running."
    ),
    "HOURS-OR-TIME": _("%(number)s is read as hours. If it means %(time)s, format the cells as times."),
    "DURATIONS-DIFFER": _(
        "The column for %(unit)s has %(hours)s hours, and the column for hours has %(other)s. Each column "
        "is read as the whole duration. Choose one of them."
    ),
    "FIELD-ZERO": _("The %(field)s is zero. Remove the row from the file."),
    "FIELD-MISSING": _("The %(field)s is missing."),
    "PROJECT-MISSING": _(
        "The project is missing. Correct the row, or answer “Leave out” for rows without a project."
    ),
    "PROJECT-NOT-MANAGED": _("You don't manage project %(project)s. Its manager can import this row."),
    "DATE-FORMAT-OF-PROGRAM": _(
        "The date is read as %(format)s, the default format of this program. If this is wrong, enter the "
        "date format."
    ),
    "DAY-UNUSUAL": _("It is %(phrase)s."),
    "CLASS-UNKNOWN": _("There is no class “%(name)s”. The classes are %(classes)s."),
    "SUBCATEGORY-ALONE": _("There is a subcategory, but no category."),
    "MATERIAL-CATEGORY": _("The category is not read, because materials have a product instead."),
    "UNIT-NOT-HOURS": _("“%(unit)s” is not a unit for time here. Use hours (h)."),
    "UNIT-TOO-LONG": _("“%(unit)s” is longer than %(most)s characters."),
    "AMOUNT-NOT-READ": _("Amounts are only read for expenses and materials."),
    "PRICE-NOT-READ": _("Prices are only read for fees. Other work gets its price from price lists."),
    "TEXT-SHORTENED": _("Only the first %(most)s characters are saved."),
    "PERSON-INACTIVE": _("%(person)s is no longer active."),
    # Records that a row refers to.
    "NAME-AMBIGUOUS": _("Several %(kinds)s have the name “%(name)s”. Use the code."),
    "CODE-TOO-LONG": _("“%(code)s” can't be created. A code has at most %(most)s characters."),
    "RECORD-UNKNOWN": _("There is no %(kind)s “%(name)s”."),
    "RECORD-UNKNOWN-BUT": _("There is no %(kind)s “%(name)s”. The most similar one is “%(nearest)s”."),
    "TASK-UNKNOWN": _("There is no task “%(name)s” in project %(project)s."),
    "TASK-UNKNOWN-BUT": _(
        "There is no task “%(name)s” in project %(project)s. The most similar one is “%(nearest)s”."
    ),
    "CATEGORY-UNKNOWN": _("There is no category “%(name)s” for %(group)s."),
    "CATEGORY-UNKNOWN-BUT": _(
        "There is no category “%(name)s” for %(group)s. The most similar one is “%(nearest)s”."
    ),
    # Rows of a file.
    "ROW-EXTRA-CELLS": _("The row has more cells than the header. Check separators and quotation marks."),
    "ROW-IS-TOTAL": _("This row has no date, project or person. It is read as a total."),
    "ROW-IS-NAMED-TOTAL": _("The row begins with “%(text)s” and has no project. It is read as a total."),
    "SAME-ON-MORE-ROWS": ngettext_lazy(
        "%(why)s The same applies to %(count)s more row.",
        "%(why)s The same applies to %(count)s more rows.",
        "count",
    ),
    "ID-TOO-LONG": _("The id is longer than %(most)s characters."),
    "ID-REPEATED": _("Row %(row)s already has the id “%(id)s”."),
    "ID-NOT-MANAGED": _(
        "The entry with the id “%(id)s” is on a project that you don't manage. Give the row another id, or "
        "ask an accountant to import the file."
    ),
    "ID-OTHER-CONTENT": _(
        "Entry %(entry)s already has the id “%(id)s”, with other content (%(fields)s). An import only "
        "changes hours, text and billing of a draft. Change or correct the entry, or give the row another "
        "id."
    ),
    "ROW-OTHER-CONTENT": _(
        "Entry %(entry)s was imported from this row, and has other content now (%(fields)s). An import only "
        "changes hours, text and billing of a draft. Change or correct the entry."
    ),
    "ENTRY-STAYS": _("The entry was changed after it was imported, and is not changed by this import."),
    "LONG-DAY-OF-ROW": _(
        "%(person)s would have %(hours)s hours on %(day)s, more than a day has. Correct the hours or the "
        "date in the file."
    ),
    "LONG-DAY-WITH-OTHERS": _(
        "%(person)s would have %(hours)s hours on %(day)s (%(here)s of them already entered), more than a "
        "day has. Correct the hours or the date in the file."
    ),
    "LONG-DAY-OF-ROWS": _(
        "%(person)s would have %(hours)s hours on %(day)s (from %(count)s rows of the file), more than a "
        "day has. Correct the hours or the date in the file."
    ),
    "LONG-DAY-OF-ROWS-WITH-OTHERS": _(
        "%(person)s would have %(hours)s hours on %(day)s (%(here)s of them already entered, the others "
        "from %(count)s rows of the file), more than a day has. Correct the hours or the date in the file."
    ),
    "LONG-DAY-ELSEWHERE": _(
        "%(person)s would have more than %(most)s hours on %(day)s, including those on projects that you "
        "don't manage. Correct the hours or the date in the file, or ask an accountant to import it."
    ),
}
