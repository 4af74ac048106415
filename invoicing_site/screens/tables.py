"""Columns that look the same in every list: the main cell, amounts, hours, days, statuses, links.

On a page they render HTML; in a file (`Table.as_values`) they return plain values, and secondary values that
the page shows in small print (currency, unit and so on) get their own columns.
"""

from decimal import Decimal
from functools import cache

import django_tables2 as tables
from django.core.exceptions import FieldDoesNotExist
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django_tables2 import utils
from django_tables2.data import TableQuerysetData

from invoicing_site.floor import formatting, money
from invoicing_site.floor.querysets import in_chunks, streamed
from invoicing_site.screens import signatures
from invoicing_site.templatetags import ledgerline as tags

signatures.keep()

# The number of records per chunk of a file; `load` is called once per chunk.
CHUNK = 1000


def follow(record, path):
    """The value at the end of a path such as customer__name, or the result of a function of the record.

    None if a link is missing.
    """
    if callable(path):
        return path(record)
    for name in path.replace(".", "__").split("__"):
        record = getattr(record, name, None)
        if record is None:
            return None
    return record


class Table(tables.Table):
    """Base class of tables. The selection adds up `row_amount`; `selectable` adds check boxes.

    Subclasses set Meta with model, fields (or declare columns) and may set `row_amount`, `row_currency`.
    """

    prefixed_per_page_field = None  # only the page sizes that the page offers are accepted
    selectable = False
    wide = False  # more columns than fit on a screen: it scrolls horizontally, and its header is not sticky
    adds_up = ""  # the name of what the totals count, if it is not the rows
    row_amount = ""
    row_currency = "currency"
    is_too_long = False  # to be sorted by other columns than the `indexed`
    # The columns by which even a very long list is sorted: an index has their order, and no value is missing.
    indexed = ()

    class Meta:
        template_name = "screens/table.html"

    def __init__(self, *args, **kwargs):
        attrs = {"data-row": lambda record: getattr(record, "pk", None)}
        if self.row_amount:
            attrs["data-amount"] = lambda record: follow(record, self.row_amount)
            attrs["data-currency"] = lambda record: follow(record, self.row_currency)
        kwargs.setdefault("row_attrs", attrs)
        kwargs.setdefault("template_name", "screens/table.html")
        kwargs.setdefault("default", "–")
        super().__init__(*args, **kwargs)

    def sort_by_index_only(self):
        """Let readers sort by the `indexed` columns only, and say so."""
        for each in self.columns.iterall():
            each.column.orderable = each.name in self.indexed
        self.is_too_long = True
        self.still_sorted = [str(each.header) for each in self.columns if each.name in self.indexed]

    def can_select(self, record):
        """Whether the row can be selected."""
        return True

    def load(self, records):
        """Read additional data for the columns of these records: those of a page, or one chunk of a file."""

    def records(self):
        """All records in order, without keeping them in memory."""
        if isinstance(self.data, TableQuerysetData):
            return streamed(self.data.data, CHUNK)
        return iter(self.data)

    def label(self, record):
        """The label of the row's check box: customer, kind and amount, so that it is unique."""
        return str(record)

    def as_values(self, exclude_columns=()):
        """Rows of plain values for a file, the headings first.

        A record with amounts in several currencies has one row per currency; its quantities and counts are in
        the first one, so that every column adds up.
        """
        shown = [each for each in self.columns.iterall() if each.name not in (exclude_columns or ())]
        sides = [self._beside(shown, place) for place in range(len(shown))]
        headings = []
        for column, side in zip(shown, sides, strict=True):
            headings += [_heading(column), *side]
        yield headings
        cells = [_cell_of(each, self) for each in shown]
        several = [each.column for each in shown if isinstance(each.column, AmountsColumn)]
        for chunk in in_chunks(self.records(), CHUNK):
            self.load(chunk)
            for record in chunk:
                yield from self._lines_of(record, shown, cells, sides, several)

    def _lines_of(self, record, shown, cells, sides, several):
        """The lines of a file for one record: one per currency, at least one."""
        found = dict.fromkeys(code for each in several for code in each.sums(record, self))
        for number, currency in enumerate(found or [None]):
            values = []
            for column, cell, side in zip(shown, cells, sides, strict=True):
                if isinstance(column.column, AmountsColumn):
                    values.append(column.column.amount_in(record, self, currency))
                else:
                    value = cell(record)
                    is_repeated = number and isinstance(value, Decimal | int)
                    values.append(None if is_repeated else value)
                values += [value_of(record, currency) for value_of in side.values()]
            yield values

    def _beside(self, shown, place):
        """The additional columns of a file after a column: by heading, a function of record and currency."""
        column = shown[place].column
        taken = {_heading(each) for each in shown}
        side = {
            heading: lambda record, currency, path=path: follow(record, path)
            for heading, path in getattr(column, "also", {}).items()
            if heading not in taken
        }
        if isinstance(column, AmountColumn) and column.currency:
            later = [each.column for each in shown[place + 1 :]]
            # Amounts in one currency share its column, after the last of them.
            if all(getattr(each, "currency", None) != column.currency for each in later):
                side["Currency"] = lambda record, currency: currency or column.currency_of(record, self)
        return side


def _heading(bound):
    return getattr(bound.column, "heading", "") or str(bound.header)


def _cell_of(bound, table):
    """A function of a record that returns the value of its cell in a file, as django-tables2 does.

    What is the same for each record (the path, the arguments of the column's function) is worked out once.
    """
    *way, last = bound.accessor.bits
    empty, value_of = bound.column.empty_values, bound.value
    names, takes_all = utils.signature(value_of)
    given = {"column": bound.column, "bound_column": bound, "table": table}
    given = {name: given[name] for name in given if takes_all or name in names}
    takes_value, takes_record = ("value" in names or takes_all), ("record" in names or takes_all)

    def cell(record):
        owner = record
        for name in way:
            owner = getattr(owner, name, None)
        value = record.get(last) if isinstance(record, dict) else _value_at(owner, last)
        if value in empty:
            return None
        if takes_value:
            given["value"] = value
        if takes_record:
            given["record"] = record
        return value_of(**given)

    return cell


def _value_at(owner, name):
    """The value of an attribute: of a field with choices its label, of a method its result."""
    if display := _display(type(owner), name):
        return display(owner)
    value = getattr(owner, name, None)
    return value() if callable(value) else value


@cache
def _display(model, name):
    """The function that returns the label of a field with choices; None for other attributes."""
    try:
        has_choices = bool(model._meta.get_field(name).choices)
    except (AttributeError, FieldDoesNotExist):
        return None
    return getattr(model, f"get_{name}_display", None) if has_choices else None


def plain_number(value):
    """A number without trailing zeros; other values unchanged."""
    if not isinstance(value, Decimal):
        return value
    return Decimal(formatting.typed(value))


def in_minor_units(value, currency):
    """An amount with the decimals of its currency; None if there is none."""
    if value is None or value == "":
        return None
    return money.rounded(value, currency) if currency else plain_number(value)


def amount_in_words(value, currency):
    """NOK 1,234.50, for a sentence or a label; empty if there is none."""
    return "" if value is None else formatting.currency_first(value, currency)


class Column(tables.Column):
    """A column with options for files.

    `heading` is its heading in a file, if it differs from the page. `also` defines additional columns after
    it: by heading, a path or a function of the record. A value that already has its own column is not
    repeated.
    """

    def __init__(self, *args, heading="", also=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.heading, self.also = heading, also or {}


def cells(css, header_css=None):
    return {"td": {"class": css}, "th": {"class": css if header_css is None else header_css}}


class MainColumn(Column):
    """The main column: a link to the row's page, and a secondary line (`sub`, a path or a function)."""

    def __init__(self, *args, url="", sub="", **kwargs):
        kwargs.setdefault("attrs", cells("c-main", "keep"))
        super().__init__(*args, **kwargs)
        self.url, self.sub = url, sub

    def render(self, value, record):
        if callable(self.url):
            address = self.url(record)
        else:
            address = reverse(self.url, args=[record.pk]) if self.url else ""
        main = format_html('<a href="{}">{}</a>', address, value) if address else value
        sub = self.sub(record) if callable(self.sub) else follow(record, self.sub) if self.sub else ""
        if sub:
            return format_html('<div class="main">{}</div><div class="sub">{}</div>', main, sub)
        return format_html('<div class="main">{}</div>', main)

    def value(self, value):
        return value


class TextColumn(Column):
    """A text with a secondary line."""

    def __init__(self, *args, sub="", **kwargs):
        super().__init__(*args, **kwargs)
        self.sub = sub

    def render(self, value, record):
        sub = self.sub(record) if callable(self.sub) else follow(record, self.sub) if self.sub else ""
        return format_html('<div>{}</div><div class="sub">{}</div>', value, sub) if sub else value

    def value(self, value):
        return value


class AmountColumn(Column):
    """An amount in the currency at `currency` (a path); `explain` returns the address of its explanation."""

    def __init__(self, *args, currency="currency", explain=None, main=True, **kwargs):
        kwargs.setdefault("attrs", cells("num amount" if main else "num", "num"))
        super().__init__(*args, **kwargs)
        self.currency, self.explain = currency, explain

    def currency_of(self, record, table):
        """The code of its currency."""
        return follow(record, self.currency)

    def render(self, value, record, table):
        code = self.currency_of(record, table)
        return tags.amount(value, code, self.explain(record) if self.explain else "")

    def value(self, value, record, table):
        return in_minor_units(value, self.currency_of(record, table))


class AmountsColumn(AmountColumn):
    """Amounts in several currencies: `sums` returns them by currency, for a record and its table."""

    def __init__(self, sums, **kwargs):
        super().__init__(accessor="pk", orderable=False, **kwargs)
        self.sums = sums

    def render(self, record, table):
        found = self.sums(record, table).items()
        lines = ((tags.amount(sum_, currency),) for currency, sum_ in found)
        return format_html_join("", "<div>{}</div>", lines) if found else tags.amount(None)

    def amount_in(self, record, table, currency):
        """The amount in that currency; None if there is none."""
        return in_minor_units(self.sums(record, table).get(currency), currency)

    def currency_of(self, record, table):
        return None  # no currency of its own: each row of a file has one


class PriceColumn(Column):
    """The price of a unit in the currency at `currency` (a path), that of the amount next to it."""

    def __init__(self, *args, currency="currency", **kwargs):
        kwargs.setdefault("attrs", cells("num"))
        super().__init__(*args, **kwargs)
        self.currency = currency

    def render(self, value, record):
        return tags.price(value, follow(record, self.currency))

    def value(self, value):
        return plain_number(value)


class RateColumn(Column):
    """An exchange rate, with as many decimals as it has."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", cells("num"))
        super().__init__(*args, **kwargs)

    def render(self, value):
        return tags.rate(value)

    def value(self, value):
        return plain_number(value)


class QuantityColumn(Column):
    """A quantity with its unit: 7.5 h."""

    def __init__(self, *args, unit="unit", also=None, **kwargs):
        kwargs.setdefault("attrs", cells("num"))
        super().__init__(*args, also=({"Unit": unit} if unit else {}) | (also or {}), **kwargs)
        self.unit = unit

    def render(self, value, record):
        return tags.quantity(value, follow(record, self.unit) if self.unit else "")

    def value(self, value):
        return plain_number(value)


class DayColumn(Column):
    """A date such as 20 Nov 2026."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", cells("nowrap", ""))
        super().__init__(*args, **kwargs)

    def render(self, value):
        return tags.day(value)

    def value(self, value):
        return value


class StatusColumn(Column):
    """A status as a chip."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", cells("c-status", ""))
        super().__init__(*args, **kwargs)

    def render(self, record, bound_column):
        return tags.status(record, bound_column.accessor)

    def value(self, value):
        return value
