"""One row of a file as the entry it would be, or every reason why it can be none."""

import datetime
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import is_currency

from actuals.importing import values
from actuals.importing.catalogue import Catalogue
from actuals.importing.formats import FIELDS, Mapping
from actuals.importing.tables import Table
from actuals.importing.values import Invalid, shortened, text_of
from actuals.models import Entry, EntryImport
from contracts.models import Category, Product, Project, Resource, Role, Task
from invoicing_site import characters, money

EARLIEST = datetime.date(1990, 1, 1)
DAYS_AHEAD = 366
_MOST_QUANTITY = Decimal(10) ** 11
_MOST_AMOUNT = Decimal(10) ** 15
_MOST_PRICE = Decimal(10) ** 13
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


@dataclass(frozen=True)
class Problem:
    """What is wrong or odd: on which row (None: the whole file), in which field, as a sentence."""

    row: int | None
    field: str
    message: str

    def __str__(self):
        place = ", ".join(part for part in (f"row {self.row}" if self.row else "", self.field) if part)
        return f"{place}: {self.message}" if place else self.message


@dataclass(slots=True)
class Row:
    """One row of the file as the entry it is or would be."""

    number: int
    transaction_class: str
    date: datetime.date
    project: Project
    task: Task | None
    resource: Resource | None
    role: Role | None
    category: Category | None
    product: Product | None
    quantity: Decimal
    unit: str
    description: str
    internal_comment: str
    cost_currency: str
    cost_net: Decimal | None
    cost_tax: Decimal | None
    cost_tax_deductible: Decimal | None
    sales_price: Decimal | None
    external_id: str = ""
    entry_id: int | None = None

    @property
    def is_there(self) -> bool:
        """Whether its entry exists already."""
        return self.entry_id is not None

    def entry(self, **fields) -> Entry:
        """The unsaved entry; all that it refers to must be saved by now."""
        content = dict(zip(STORED, self.content(), strict=True))
        return Entry(**content, external_id=self.external_id, **fields)

    def content(self) -> tuple:
        """What an existing entry must agree with, in the order of `STORED`."""
        return tuple(
            getattr(getattr(self, name), "pk", None) if name in _LINKS else getattr(self, name)
            for name in CONTENT
        )

    def identity(self) -> str:
        """The content in words that stay the same however a file spells it."""
        words = []
        for name in CONTENT:
            value = getattr(self, name)
            if value is None:
                words.append("")
            elif name in _LINKS:
                words.append(value.code)
            elif isinstance(value, Decimal):
                words.append(format(value.normalize(), "f"))
            else:
                words.append(str(value))
        return "\x1f".join(words)


_LINKS = {"project", "task", "resource", "role", "category", "product"}
CONTENT = [name for name in Row.__dataclass_fields__ if name not in ("number", "external_id", "entry_id")]
STORED = [f"{name}_id" if name in _LINKS else name for name in CONTENT]


class RowReader:
    """Reads rows one by one; what is wrong with them gathers in `errors`, what is odd in `oddities`."""

    def __init__(self, table: Table, entity, mapping: Mapping, catalogue: Catalogue, on: datetime.date):
        self.readers, self.ignored = mapping.readers(table)
        self.errors = []
        self._entity, self._mapping, self._catalogue = entity, mapping, catalogue
        self._header_length, self._is_workbook = len(table.header), table.is_workbook
        self._latest = on + datetime.timedelta(days=DAYS_AHEAD)
        self._odd = defaultdict(list)
        self._dates = {}
        self._first_rows = {}
        self._present = [name for name in FIELDS if name in self.readers or name in mapping.constants]
        if "task" in self._present:
            self._load_tasks(table)

    def read(self, number, cells) -> Row | None:
        """The row, or None where it has an error or is no entry at all."""
        cell = dict.fromkeys(FIELDS)
        for name in self._present:
            cell[name] = self._cell(name, cells)
        if self._is_total(cell):
            self.odd(number, "", "This row has no date, project or person: it was taken for a total.")
            return None
        errors_before = len(self.errors)
        for name, value in cell.items():
            if isinstance(value, str) and (sentence := characters.trouble(values.prose_of(value))):
                self._refuse(number, name, sentence)
        if any(map(text_of, cells[self._header_length :])):
            self._refuse(number, "", "It has more cells than the header: look at separators and quotes.")
        row = self._row(number, cell)
        return row if len(self.errors) == errors_before else None

    def odd(self, number, field, message):
        """Something to look at; many rows that are odd in the same way are one warning."""
        self._odd[field, message].append(number)

    def warnings(self) -> list[Problem]:
        found = []
        for (field, message), numbers in self._odd.items():
            if len(numbers) > 1:
                message += f" The same on {len(numbers) - 1:,} more row{'s' if len(numbers) > 2 else ''}."
            found.append(Problem(numbers[0], field, message))
        return found

    def _load_tasks(self, table):
        texts = {text_of(self._cell("project", cells)) for _, cells in table.rows}
        projects = (self._catalogue.known("project", text) for text in texts if text)
        self._catalogue.load_tasks([project for project in projects if project is not None])

    def _cell(self, name, cells):
        reader = self.readers.get(name)
        cell = reader(cells) if reader else None
        if cell is None or (isinstance(cell, str) and not text_of(cell)):
            return self._mapping.constants.get(name)
        return cell

    def _is_total(self, cell):
        """Other programs add the sum of the hours below; our own format has no such row."""
        ours = self._mapping.format == EntryImport.Format.LEDGERLINE
        return not (ours or any(text_of(cell[name]) for name in ("date", "project", "resource")))

    def _row(self, number, cell) -> Row:
        transaction_class = self._class(number, cell["class"])
        is_time = transaction_class == Entry.Class.TIME
        is_material = transaction_class == Entry.Class.MATERIAL
        project = self._find(number, "project", cell["project"], required=True)
        product = self._find(number, "product", cell["product"], required=is_material)
        currency, net, tax, deductible = self._costs(number, cell, transaction_class)
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
            quantity=self._quantity(number, cell["quantity"], transaction_class),
            unit=self._unit(number, cell["unit"], transaction_class, product),
            description=self._prose(number, "description", "description", cell["description"]),
            internal_comment=self._prose(number, "comment", "internal_comment", cell["comment"]),
            cost_currency=currency,
            cost_net=net,
            cost_tax=tax,
            cost_tax_deductible=deductible,
            sales_price=self._price(number, cell["price"], transaction_class),
            external_id=self._external_id(number, cell["external_id"]),
        )

    def _refuse(self, number, field, message):
        self.errors.append(Problem(number, field, message))

    def _class(self, number, cell):
        text = text_of(cell).casefold()
        if text not in _CLASSES:
            known = ", ".join(Entry.Class.values)
            self._refuse(number, "class", f"There is no class “{shortened(text, 40)}”: it is one of {known}.")
        return _CLASSES.get(text, "")

    def _date(self, number, cell):
        text = text_of(cell)
        if not text:
            return self._refuse(number, "date", "The date is missing." + self._formula())
        key = cell if isinstance(cell, str) else (type(cell), cell)
        day = self._dates.get(key)
        if day is None:
            try:
                day = self._dates[key] = values.date_of(cell, self._mapping.date_format)
            except Invalid as trouble:
                return self._refuse(number, "date", str(trouble))
        if day < EARLIEST or day > self._latest:
            side = f"before {EARLIEST}" if day < EARLIEST else f"after {self._latest}, over a year from now"
            return self._refuse(number, "date", f"{day} is out of range: it is {side}.")
        return day

    def _find(self, number, field, cell, *, scope=None, required=False):
        text = text_of(cell)
        if not text:
            if required:
                self._refuse(number, field, f"The {field} is missing." + self._formula())
            return None
        try:
            return self._catalogue.find(field, text, scope)
        except Invalid as trouble:
            self._refuse(number, field, str(trouble))
            return None

    def _category(self, number, cell, transaction_class):
        text, below = text_of(cell["category"]), text_of(cell["subcategory"])
        if below and not text:
            self._refuse(number, "category", "There is a subcategory, but no category.")
            return None
        if transaction_class in (Entry.Class.MATERIAL, ""):
            if text and transaction_class:
                self.odd(number, "category", "Materials have a product and no category: it is not read.")
            return None
        required = transaction_class != Entry.Class.TIME
        text = f"{text}/{below}" if below else text
        return self._find(number, "category", text, scope=str(transaction_class), required=required)

    def _quantity(self, number, cell, transaction_class):
        is_time = transaction_class == Entry.Class.TIME
        field = "hours" if is_time else "quantity"
        text = text_of(cell)
        if not text:
            if transaction_class in (Entry.Class.EXPENSE, Entry.Class.FEE):
                return Decimal(1)
            return self._refuse(number, field, f"The {field} is missing.".replace("hours is", "hours are"))
        read = values.hours_of if is_time else values.number_of
        value = self._number(number, field, cell, _MOST_QUANTITY, read)
        if value is None:
            return None
        value = money.rounded_quantity(value)
        if value < 0:
            return self._refuse(
                number,
                field,
                f"{text} is negative, and an import only adds work: to take work back, correct or recall the "
                "entry it was recorded with.",
            )
        if not value:
            return self._refuse(number, field, f"The {field} must not be zero: leave such rows out.")
        return value

    def _unit(self, number, cell, transaction_class, product):
        text = text_of(cell)
        if transaction_class == Entry.Class.TIME:
            if text.casefold() not in _HOURS:
                self._refuse(
                    number, "unit", f"“{shortened(text, 40)}” is no unit of time here: give hours (h)."
                )
            return "h"
        if len(text) > _LENGTHS["unit"]:
            self._refuse(
                number, "unit", f"“{shortened(text, 40)}” is longer than {_LENGTHS['unit']} characters."
            )
        return text or (product.unit if product else "each")

    def _costs(self, number, cell, transaction_class):
        names = ("amount", "tax", "deductible_tax")
        given = [name for name in names if text_of(cell[name])]
        if transaction_class not in (Entry.Class.EXPENSE, Entry.Class.MATERIAL):
            if given:
                self.odd(number, given[0], "Amounts are read for expenses and materials only.")
            return "", None, None, None
        if not given and transaction_class == Entry.Class.MATERIAL:
            return "", None, None, None
        currency = text_of(cell["currency"]) or self._entity.currency
        if len(currency) != 3 or not is_currency(currency):
            self._refuse(number, "currency", f"“{shortened(currency, 40)}” is not a currency such as EUR.")
            return "", None, None, None
        net, tax, deductible = (self._amount(number, name, cell[name], currency) for name in names)
        if "amount" not in given:
            self._refuse(number, "amount", "The net amount is missing." + self._formula())
        if tax and "deductible_tax" not in given:
            self._refuse(
                number, "deductible_tax", "Say how much of the tax can be deducted: all of it, a part, or 0."
            )
        elif tax is not None and deductible is not None and deductible > tax:
            self._refuse(number, "deductible_tax", f"{deductible} is more than the tax, {tax}.")
        return currency, net, tax, deductible

    def _amount(self, number, field, cell, currency):
        """An amount in whole minor units; nothing is 0, and None is an error that was noted."""
        if not text_of(cell):
            return Decimal(0)
        value = self._number(number, field, cell, _MOST_AMOUNT, values.number_of)
        if value is None:
            return None
        if value < 0:
            return self._refuse(
                number, field, f"{value} is negative: correct the entry it belongs to instead."
            )
        if money.rounded(value, currency) != value:
            return self._refuse(number, field, f"{value} has more decimals than {currency} has.")
        return money.rounded(value, currency)

    def _price(self, number, cell, transaction_class):
        if not text_of(cell):
            return None
        if transaction_class != Entry.Class.FEE:
            return self.odd(number, "price", "Prices are read for fees only: the others have price lists.")
        value = self._number(number, "price", cell, _MOST_PRICE, values.number_of)
        if value is not None and value < 0:
            return self._refuse(number, "price", f"{value} is negative.")
        return value if value is None else money.rounded_price(value)

    def _number(self, number, field, cell, bound, read):
        try:
            value = read(cell, self._mapping.decimal)
        except Invalid as trouble:
            return self._refuse(number, field, str(trouble))
        if abs(value) >= bound:
            return self._refuse(number, field, f"“{shortened(text_of(cell), 40)}” is too large.")
        return value

    def _external_id(self, number, cell):
        text = text_of(cell)
        if len(text) > _LENGTHS["external_id"]:
            self._refuse(number, "external_id", f"It is longer than {_LENGTHS['external_id']} characters.")
        elif text and (first := self._first_rows.setdefault(text, number)) != number:
            self._refuse(number, "external_id", f"“{text}” stands on row {first} already.")
        return text

    def _prose(self, number, field, column, cell):
        text = values.prose_of(cell)
        if len(text) > _LENGTHS[column]:
            text = text[: _LENGTHS[column]].rstrip()
            self.odd(number, field, f"Only its first {_LENGTHS[column]} characters are kept.")
        return text

    def _formula(self):
        """Why a cell that shows something may be empty here."""
        if not self._is_workbook:
            return ""
        return " If a formula stands there, save the workbook in a spreadsheet program first."
