"""Reads the rows of a file: each becomes an entry, is left out by a choice, or gets all its errors."""

import datetime
import re
import zoneinfo
from collections import defaultdict
from decimal import Decimal
from functools import partial

from actuals.importing import sentences, values
from actuals.importing.catalogue import Catalogue
from actuals.importing.choices import Found
from actuals.importing.mapping import Mapping
from actuals.importing.programs import DURATIONS, FIELDS
from actuals.importing.rows import Problem, Row
from actuals.importing.tables import Table
from actuals.importing.totals import Totals
from actuals.importing.values import Invalid, Unsaved, shortened, text_of
from actuals.models import Entry, EntryImport
from invoicing_site.floor import bounds, characters, checked, currencies, days, money
from invoicing_site.floor.reasons import Amount, Reason

_LENGTHS = {
    name: Entry._meta.get_field(name).max_length
    for name in ("description", "internal_comment", "external_id", "unit")
}
_CLASSES = {
    "": Entry.Class.TIME,
    "expenses": Entry.Class.EXPENSE,
    "materials": Entry.Class.MATERIAL,
    "fees": Entry.Class.FEE,
    **{choice.value: choice for choice in Entry.Class},
}
_HOURS = {"", "h", "hr", "hrs", "hour", "hours"}


_TOTALS = {"total", "totals", "grand total", "subtotal", "sum", "summe", "gesamt", "totalt", "i alt"}
_CURRENCY = re.compile(r"(?:.* - )?([A-Za-z]{3})")  # Harvest writes “Euro - EUR”
# Hours and minutes of one row must agree, except for rounding.
_ROUNDING = Decimal("0.02")


class RowReader:
    """Reads rows one by one; collects errors in `errors` and warnings in `oddities`."""

    def __init__(self, table: Table, entity, mapping: Mapping, catalogue: Catalogue, on: datetime.date):
        self.readers, self.ignored = mapping.readers(table)
        self.errors = []
        self.found = defaultdict(Found)
        self.totals = Totals()  # of rows that are left out
        self.left_out = {}  # by row number, the choice that leaves the row out
        self.taken_for_totals = 0
        self._home = zoneinfo.ZoneInfo(entity.time_zone)
        zone = mapping.zone or mapping.program.zone
        self._zone = zoneinfo.ZoneInfo(zone) if zone else None
        self._entity, self._mapping, self._catalogue = entity, mapping, catalogue
        self._header_length, self._is_workbook = len(table.header), table.is_workbook
        self.on = on
        self._odd = {}
        self._usual_format = Reason(
            "DATE-FORMAT-OF-PROGRAM", format=values.in_words(mapping.program.date_format)
        )
        self._dates = {}
        self._first_rows = {}
        self._present = [name for name in FIELDS if name in self.readers or mapping.value(name) is not None]
        if "task" in self._present:
            self._load_tasks(table)

    def read(self, number, cells) -> Row | None:
        """The row; None if it has an error, is left out or is a row of totals."""
        own = {name: reader(cells) for name, reader in self.readers.items()}
        if self._is_total(number, own, cells):
            self.taken_for_totals += 1
            return None
        cell = dict.fromkeys(FIELDS)
        for name in self._present:
            value = own.get(name)
            cell[name] = self._mapping.value(name) if _is_nothing(value) else value
        errors_before = len(self.errors)
        row = self._checked_row(number, cell, cells)
        if len(self.errors) > errors_before:
            self.left_out.pop(number, None)
            return None
        if row is None:
            self._count(number, cell)
        return row

    def _count(self, number, cell):
        """Add a row that is left out to the totals, as far as it can be read: its program counts it too."""
        text = text_of(cell["resource"])
        person = self._catalogue.known("resource", text) if text else None
        is_time = _CLASSES.get(text_of(cell["class"]).casefold()) == Entry.Class.TIME
        try:
            day = None if _is_nothing(cell["date"]) else self._read_date(cell["date"])
        except Invalid:
            day = None
        self.totals.add(person, shortened(text, 60), day, *self._worth(cell, is_time))
        name, value = self._duration(cell) if is_time else ("amount", cell["amount"])
        unread = self._hours(cell) is True if is_time else self._amount_is_unread(value)
        if unread:
            self.totals.unread.append(number)

    def _amount_is_unread(self, value):
        try:
            values.number_of(value, self._mapping.decimal)
        except Invalid:
            return not _is_nothing(value)
        return False

    def _checked_row(self, number, cell, cells) -> Row | None:
        for name, value in cell.items():
            if isinstance(value, str) and (reason := characters.problem(values.prose_of(value))):
                self._refuse(number, name, reason)
        if any(map(text_of, cells[self._header_length :])):
            self._refuse(number, "", Reason("ROW-EXTRA-CELLS"))
        transaction_class = self._class(number, cell["class"])
        self._refuse_formulas(number, cell, transaction_class)
        flag = self._flag(number, cell)
        if self._is_left_out(number, cell, transaction_class, flag):
            return None
        return self._row(number, cell, transaction_class, flag)

    def _refuse_formulas(self, number, cell, transaction_class):
        for name, value in cell.items():
            if isinstance(value, Unsaved):
                is_hours = name == "quantity" and transaction_class == Entry.Class.TIME
                field = "hours" if is_hours else name
                self._refuse(number, field, Reason("CELL-FORMULA", cell=value.name))

    def _flag(self, number, cell) -> str:
        """“invoiced” or “exported” if the file says that about the row, else empty."""
        return next((name for name in ("invoiced", "exported") if self._says(number, cell, name)), "")

    def _says(self, number, cell, name):
        try:
            return values.yes_or_no(cell[name])
        except Invalid as invalid:
            return self._refuse(number, name, invalid.reason)

    def _is_left_out(self, number, cell, transaction_class, flag) -> bool:
        """Whether a choice leaves the row out; counts the row under each choice that is about it."""
        is_time = transaction_class == Entry.Class.TIME
        kinds = {
            "no_project": _is_nothing(cell["project"]),
            "empty": is_time and not self._hours(cell),
            flag: bool(flag) and self._mapping.answer(flag) == "skip",
        }
        for name, applies in kinds.items():
            if applies:
                self.found[name].add(*self._worth(cell, is_time))
                if self._mapping.answer(name) == "skip":
                    self.left_out[number] = name
                    return True
        return False

    def _hours(self, cell):
        """Hours, unrounded if rounding would make them 0.

        0 if empty; True if they can't be read or stored.
        """
        name, value = self._duration(cell)
        if isinstance(value, Unsaved):
            return True
        if not text_of(value):
            return 0
        try:
            hours = self._read_hours(name, value)
            return money.rounded_quantity(hours) or hours != 0
        except (Invalid, ArithmeticError):
            return True

    def _worth(self, cell, is_time):
        """Hours, amount and currency, as far as they can be read."""
        if is_time:
            hours = self._hours(cell)
            return (hours if isinstance(hours, Decimal) else None,)
        try:
            amount = values.number_of(cell["amount"], self._mapping.decimal)
        except Invalid:
            amount = None
        return None, amount, self._currency(cell)

    def odd(self, number, field, reason):
        """Add a warning; rows with the same reason share one."""
        # One code can have many different values, so the values are part of the key.
        key = field, reason.code, *map(str, reason.params.values())
        self._odd.setdefault(key, (field, reason, []))[2].append(number)

    def warnings(self) -> list[Problem]:
        found = []
        for field, reason, numbers in self._odd.values():
            if more := len(numbers) - 1:
                reason = Reason("SAME-ON-MORE-ROWS", why=reason, count=more)
            found.append(Problem(numbers[0], field, reason))
        return found

    def _load_tasks(self, table):
        texts = {text_of(self._cell("project", cells)) for _, cells in table.rows}
        projects = [self._catalogue.known("project", text) for text in texts if text]
        self._catalogue.load_tasks([each for each in projects if each and self._catalogue.reaches(each)])

    def _cell(self, name, cells):
        value = self.readers[name](cells) if name in self.readers else None
        return self._mapping.value(name) if _is_nothing(value) else value

    def _is_total(self, number, own, cells):
        """Whether the row has totals.

        Other programs add the hours below; our own format has only named totals.
        """
        if any(text_of(own.get(name)) for name in ("project", "resource")):
            return False
        first = next(filter(None, map(text_of, cells)), "").rstrip(":").strip()
        if first.casefold() in _TOTALS:
            self.odd(number, "", Reason("ROW-IS-NAMED-TOTAL", text=first))
            return True
        ours = self._mapping.format == EntryImport.Format.LEDGERLINE
        if ours or text_of(own.get("date")):
            return False
        self.odd(number, "", Reason("ROW-IS-TOTAL"))
        return True

    def _row(self, number, cell, transaction_class, flag) -> Row:
        is_time = transaction_class == Entry.Class.TIME
        is_material = transaction_class == Entry.Class.MATERIAL
        project = self._project(number, cell["project"])
        product = self._find(number, "product", cell["product"], required=is_material)
        currency, net, tax, deductible = self._costs(number, cell, transaction_class)
        external_id = self._external_id(number, cell["external_id"])
        return Row(
            number=number,
            transaction_class=transaction_class,
            date=self._date(number, cell["date"]),
            project=project,
            task=project and self._find(number, "task", cell["task"], scope=project),
            resource=self._find(number, "resource", cell["resource"], required=is_time),
            role=self._find(number, "role", cell["role"]),
            category=self._category(number, cell, transaction_class),
            product=product,
            quantity=self._quantity(number, cell, transaction_class),
            unit=self._unit(number, cell["unit"], transaction_class, product),
            description=self._prose(number, "description", "description", cell["description"]),
            internal_comment=self._prose(number, "comment", "internal_comment", cell["comment"]),
            cost_currency=currency,
            cost_net=net,
            cost_tax=tax,
            cost_tax_deductible=deductible,
            sales_price=self._price(number, cell["price"], transaction_class),
            external_program=self._mapping.format if external_id else "",
            external_id=external_id,
            flag=flag,
            imported_billing=self._imported_billing(number, cell, flag),
        )

    def _project(self, number, cell):
        """The project.

        An error if the user may not import for it, and then the row is not compared further (SEC-1).
        """
        project = self._find(number, "project", cell, required=True)
        if project and not self._catalogue.reaches(project):
            text = shortened(text_of(cell), 60)
            return self._refuse(number, "project", Reason("PROJECT-NOT-MANAGED", project=text))
        return project

    def _imported_billing(self, number, cell, flag) -> str:
        """The requested billing of the entry, for its approval (IMP-1)."""
        if flag and self._mapping.answer(flag) == "cost":
            return Entry.ImportedBilling.COST_ONLY
        is_billable = _is_nothing(cell["billable"]) or self._says(number, cell, "billable")
        return "" if is_billable else Entry.ImportedBilling.NON_CHARGEABLE

    def _refuse(self, number, field, reason):
        self.errors.append(Problem(number, field, reason))

    def _class(self, number, cell):
        text = text_of(cell).casefold()
        if text not in _CLASSES:
            known = Entry.Class.values
            self._refuse(number, "class", Reason("CLASS-UNKNOWN", name=shortened(text, 40), classes=known))
        return _CLASSES.get(text, "")

    def _date(self, number, cell):
        text = text_of(cell)
        if not text:
            return self._missing(number, "date", cell)
        key = cell if isinstance(cell, str) else (type(cell), cell)
        day = self._dates.get(key)
        if day is None:
            try:
                day = self._dates[key] = self._read_date(cell)
            except Invalid as invalid:
                return self._refuse(number, "date", invalid.reason)
        if self._is_usual(cell):
            self.odd(number, "date", self._usual_format)
        if reason := days.why_not_worked(day, self.on):
            return self._refuse(number, "date", reason)
        return day

    def _is_usual(self, cell):
        """Whether the date needs the program's default format."""
        return (
            not self._mapping.date_format
            and bool(self._mapping.program.date_format)
            and not values.is_iso(cell)
        )

    def _read_date(self, cell):
        if not self._is_usual(cell):
            return values.date_of(cell, self._mapping.date_format, zone=self._zone, home=self._home)
        usual = self._mapping.program.date_format
        try:
            return values.date_of(text_of(cell).partition(" ")[0], usual)
        except Invalid:
            text = shortened(text_of(cell), 40)
            raise Invalid("CELL-NO-USUAL-DATE", text=text, format=values.in_words(usual)) from None

    def _missing(self, number, field, cell, name=""):
        """Add an error for a missing value; not if the cell has a formula, which is already an error."""
        if not isinstance(cell, Unsaved):
            self._refuse(number, field, sentences.missing(name or field))

    def _find(self, number, field, cell, *, scope=None, required=False):
        text = text_of(cell)
        if not text:
            if required:
                self._missing(number, field, cell)
            return None
        try:
            return self._catalogue.find(field, text, scope)
        except Invalid as invalid:
            self._refuse(number, field, invalid.reason)
            return None

    def _category(self, number, cell, transaction_class):
        text, below = text_of(cell["category"]), text_of(cell["subcategory"])
        if below and not text:
            self._refuse(number, "category", Reason("SUBCATEGORY-ALONE"))
            return None
        if transaction_class in (Entry.Class.MATERIAL, ""):
            if text and transaction_class:
                self.odd(number, "category", Reason("MATERIAL-CATEGORY"))
            return None
        required = transaction_class != Entry.Class.TIME
        text = f"{text}/{below}" if below else text
        return self._find(number, "category", text, scope=str(transaction_class), required=required)

    def _duration(self, cell):
        """The most exact cell with the row's duration, and its field."""
        return next(
            ((name, cell[name]) for name in DURATIONS if not _is_nothing(cell[name])), ("quantity", None)
        )

    def _read_hours(self, name, cell):
        return values.hours_of(cell, self._mapping.decimal, DURATIONS[name])

    def _quantity(self, number, cell, transaction_class):
        is_time = transaction_class == Entry.Class.TIME
        name, value = self._duration(cell) if is_time else ("quantity", cell["quantity"])
        field = "hours" if is_time else "quantity"
        text = text_of(value)
        if not text:
            if transaction_class in (Entry.Class.EXPENSE, Entry.Class.FEE):
                return Decimal(1)
            return self._missing(number, field, value)
        read = partial(values.hours_of, in_an_hour=DURATIONS[name]) if is_time else values.number_of
        found = self._number(number, field, value, bounds.MOST_QUANTITY, read)
        if found is None:
            return None
        if is_time:
            self._look_twice(number, cell, name, found)
        try:
            return sentences.kept(found, text, field)
        except Invalid as invalid:
            return self._refuse(number, field, invalid.reason)

    def _look_twice(self, number, cell, name, hours):
        """Warn if another column contradicts the hours, or if they may be a fraction of a day."""
        other = cell["quantity"]
        if name != "quantity" and not _is_nothing(other):
            try:
                is_same = abs(self._read_hours("quantity", other) - hours) <= _ROUNDING
            except Invalid:  # such as “1d 2h”, so a column of seconds is read first
                is_same = True
            if not is_same:
                reason = Reason("DURATIONS-DIFFER", unit=name, hours=hours, other=text_of(other))
                self._refuse(number, "hours", reason)
        elif self._is_workbook and isinstance(cell[name], float) and values.looks_like_a_part_of_a_day(hours):
            clock = values.on_a_clock(hours * 24)
            self.odd(number, "hours", Reason("HOURS-OR-TIME", number=text_of(cell[name]), time=clock))

    def _unit(self, number, cell, transaction_class, product):
        text = text_of(cell)
        if transaction_class == Entry.Class.TIME:
            if text.casefold() not in _HOURS:
                self._refuse(number, "unit", Reason("UNIT-NOT-HOURS", unit=shortened(text, 40)))
            return "h"
        if len(text) > _LENGTHS["unit"]:
            reason = Reason("UNIT-TOO-LONG", unit=shortened(text, 40), most=_LENGTHS["unit"])
            self._refuse(number, "unit", reason)
        return text or (product.unit if product else "each")

    def _costs(self, number, cell, transaction_class):
        names = ("amount", "tax", "deductible_tax")
        given = [name for name in names if text_of(cell[name])]
        if transaction_class not in (Entry.Class.EXPENSE, Entry.Class.MATERIAL):
            if given:
                self.odd(number, given[0], Reason("AMOUNT-NOT-READ"))
            return "", None, None, None
        if not given and transaction_class == Entry.Class.MATERIAL:
            return "", None, None, None
        currency = self._currency(cell)
        if reason := currencies.problem(shortened(currency, 40)):
            self._refuse(number, "currency", reason)
            return "", None, None, None
        net, tax, deductible = (self._amount(number, name, cell[name], currency) for name in names)
        if "amount" not in given:
            self._missing(number, "amount", cell["amount"], "net amount")
        if tax and "deductible_tax" not in given:
            self._refuse(number, "deductible_tax", Reason("DEDUCTIBLE-MISSING"))
        elif tax is not None and deductible is not None and deductible > tax:
            reason = Reason(
                "DEDUCTIBLE-OVER-TAX", deductible=Amount(deductible, currency), tax=Amount(tax, currency)
            )
            self._refuse(number, "deductible_tax", reason)
        elif None not in (net, tax) and (why := bounds.amount_too_large(net + tax, currency)):
            self._refuse(number, "amount", Reason("EXPENSE-TOO-LARGE", why=why))
        return currency, net, tax, deductible

    def _currency(self, cell):
        text = text_of(cell["currency"]) or self._entity.currency
        match = _CURRENCY.fullmatch(text)
        return match[1].upper() if match and " - " in text else text

    def _amount(self, number, field, cell, currency):
        """An amount in whole minor units; 0 if the cell is empty, None after an error."""
        if not text_of(cell):
            return Decimal(0)
        value = self._number(number, field, cell, bounds.MOST_AMOUNT, values.number_of)
        if value is None:
            return None
        if value < 0:
            return self._refuse(number, field, Reason("CELL-NEGATIVE-AMOUNT", amount=value))
        if reason := checked.too_fine(value, currency):
            return self._refuse(number, field, reason)
        return money.rounded(value, currency)

    def _price(self, number, cell, transaction_class):
        if not text_of(cell):
            return None
        if transaction_class != Entry.Class.FEE:
            return self.odd(number, "price", Reason("PRICE-NOT-READ"))
        value = self._number(number, "price", cell, bounds.MOST_AMOUNT, values.number_of)
        if value is not None and value < 0:
            return self._refuse(number, "price", Reason("CELL-NEGATIVE-PRICE", price=value))
        return value if value is None else money.rounded_price(value)

    def _number(self, number, field, cell, most, read):
        try:
            value = read(cell, self._mapping.decimal)
        except Invalid as invalid:
            return self._refuse(number, field, invalid.reason)
        if abs(value) > most:
            text = shortened(text_of(cell), 40)
            return self._refuse(number, field, Reason("CELL-TOO-LARGE", text=text, most=most))
        return value

    def _external_id(self, number, cell):
        text = text_of(cell)
        if len(text) > _LENGTHS["external_id"]:
            self._refuse(number, "external_id", Reason("ID-TOO-LONG", most=_LENGTHS["external_id"]))
        elif text and (first := self._first_rows.setdefault(text, number)) != number:
            self._refuse(number, "external_id", Reason("ID-REPEATED", id=text, row=str(first)))
        return text

    def _prose(self, number, field, column, cell):
        text = values.prose_of(cell)
        if len(text) > _LENGTHS[column]:
            text = text[: _LENGTHS[column]].rstrip()
            self.odd(number, field, Reason("TEXT-SHORTENED", most=_LENGTHS[column]))
        return text


def _is_nothing(cell) -> bool:
    return cell is None or (isinstance(cell, str) and not text_of(cell))
