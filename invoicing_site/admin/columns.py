"""Columns of the admin's lists: statuses, amounts, numbers and dates, formatted."""

import datetime
from decimal import Decimal
from functools import cache

from django.core.exceptions import ObjectDoesNotExist
from django.utils.html import format_html
from django.utils.text import capfirst
from unfold.decorators import display

from invoicing_site.floor import formatting


def entity_of(row, path):
    """The legal entity at the end of the path from a row; None if a link is missing."""
    try:
        for name in path.split("__"):
            row = getattr(row, name)
            if row is None:
                return None
    except (AttributeError, ObjectDoesNotExist):
        return None
    return row


def chip(name, description=None, **colors):
    """A column that shows a status as a chip: success, info, warning or danger, by its stored value."""

    @display(description=description or capfirst(name.replace("_", " ")), ordering=name, label=colors)
    def show(row):
        return getattr(row, name), getattr(row, f"get_{name}_display")()

    show.__name__ = name
    return show


def sentence(name, description=None):
    """A column with the sentence of a stored reason; empty if there is none."""

    @display(description=description or capfirst(name.replace("_", " ")))
    def show(row):
        reason = getattr(row, name)
        return reason.sentence if reason else ""

    return show


def amount(name, description=None, currency="currency"):
    """A column with an amount: the currency, then the number with the currency's decimals."""

    @display(description=description or capfirst(name.replace("_", " ")), ordering=name)
    def show(row):
        value, code = getattr(row, name), entity_of(row, currency)
        return None if value is None else money_text(value, code)

    show.__name__ = name
    return show


@cache
def through(path, description):
    """A column with a related row of a related row, with its own heading."""

    @display(description=description, ordering=path)
    def show(row):
        return entity_of(row, path)

    show.path = path
    return show


@cache
def day(path, description):
    """A column with a date such as 20 Nov 2026, and the time if there is one."""

    @display(description=description, ordering=path)
    def show(row):
        value = entity_of(row, path)
        if value is None:
            return None
        is_moment = isinstance(value, datetime.datetime)
        text = formatting.moment(value) if is_moment else formatting.day(value)
        return format_html('<span class="whitespace-nowrap">{}</span>', text)

    show.path = path
    return show


def money_text(value, currency):
    """NOK 1,234.50 in figures of one width."""
    text = formatting.currency_first(Decimal(value), currency or "")
    return format_html('<span class="whitespace-nowrap tabular-nums">{}</span>', text)


@cache
def figure(path, description):
    """A column with a price, a rate or a percentage, without trailing zeros."""

    @display(description=description, ordering=path)
    def show(row):
        value = entity_of(row, path)
        return None if value is None else formatting.number(value)

    show.path = path
    return show
