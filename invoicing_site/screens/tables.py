"""Columns that look the same in every list: the main cell, amounts, hours, days, statuses, links."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from invoicing_site.templatetags import ledgerline as tags


def follow(record, path):
    """What stands at the end of a path such as customer__name; None where a link is missing."""
    for name in path.replace(".", "__").split("__"):
        record = getattr(record, name, None)
        if record is None:
            return None
    return record


class Table(tables.Table):
    """A table of ours. `amount`/`currency` name what the selection adds up; `selectable` gives boxes.

    Subclasses set Meta with model, fields (or declare columns) and may set `row_amount`, `row_currency`.
    """

    selectable = False
    wide = False  # more columns than a screen has room for: it scrolls sideways, and its head does not stick
    adds_up = ""  # what the totals above it count, where that is not its rows
    row_amount = ""
    row_currency = "currency"

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

    def can_select(self, record):
        """Whether the row's box can be ticked."""
        return True

    def label(self, record):
        """The row in words, for its box."""
        return str(record)


def cells(css, header_css=None):
    return {"td": {"class": css}, "th": {"class": css if header_css is None else header_css}}


class MainColumn(tables.Column):
    """What the row is: a link to its page, and a quieter second line (`sub`, a path or a function)."""

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


class TextColumn(tables.Column):
    """A text with a quieter second line."""

    def __init__(self, *args, sub="", **kwargs):
        super().__init__(*args, **kwargs)
        self.sub = sub

    def render(self, value, record):
        sub = self.sub(record) if callable(self.sub) else follow(record, self.sub) if self.sub else ""
        return format_html('<div>{}</div><div class="sub">{}</div>', value, sub) if sub else value

    def value(self, value):
        return value


class AmountColumn(tables.Column):
    """An amount in the currency at `currency` (a path); `explain` gives the address that explains it."""

    def __init__(self, *args, currency="currency", explain=None, main=True, **kwargs):
        kwargs.setdefault("attrs", cells("num amount" if main else "num", "num"))
        super().__init__(*args, **kwargs)
        self.currency, self.explain = currency, explain

    def render(self, value, record):
        code = follow(record, self.currency) if self.currency else ""
        return tags.amount(value, code, self.explain(record) if self.explain else "")

    def value(self, value):
        return value


class QuantityColumn(tables.Column):
    """A quantity with its unit: 7.5 h."""

    def __init__(self, *args, unit="unit", **kwargs):
        kwargs.setdefault("attrs", cells("num"))
        super().__init__(*args, **kwargs)
        self.unit = unit

    def render(self, value, record):
        return tags.quantity(value, follow(record, self.unit) if self.unit else "")

    def value(self, value):
        return value


class DayColumn(tables.Column):
    """A date nobody misreads: 20 Nov 2026."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", cells("nowrap"))
        super().__init__(*args, **kwargs)

    def render(self, value):
        return tags.day(value)

    def value(self, value):
        return value


class StatusColumn(tables.Column):
    """A status as a chip."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", cells("c-status", ""))
        super().__init__(*args, **kwargs)

    def render(self, record, bound_column):
        return tags.status(record, bound_column.accessor)

    def value(self, value):
        return value
