"""The only place that formats amounts, numbers and dates.

Pages, sentences, commands, charts and files use English formats: 1,234.50, 20 Nov 2026. A document passes the
`locale` of its customer's language. Amounts and prices are not rounded: a value with more decimals than its
currency shows all of them.
"""

import datetime
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from django.utils import timezone

from invoicing_site.floor import money

_MINUS = "\N{MINUS SIGN}"
_MOST_DECIMALS = 12
_UNKNOWN_DECIMALS = 2  # of an amount without a currency
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


# Numbers


def number(value: Decimal | int, least: int = 0, *, locale: Locale | None = None) -> str:
    """1,200 or 133.33: with at least this number of decimals, and more only if the value has them."""
    if locale is not None:
        pattern = "#,##0." + "0" * least + "#" * (_MOST_DECIMALS - least)
        return _plain(format_decimal(value, format=pattern, locale=locale))
    value = Decimal(value)
    whole, _, rest = f"{value if value else value.copy_abs():,f}".partition(".")
    rest = rest.rstrip("0").ljust(least, "0")
    return (f"{whole}.{rest}" if rest else whole).replace("-", _MINUS)


def typed(value: Decimal | int) -> str:
    """1200.5: the value for an input field, without commas and trailing zeros."""
    value = Decimal(value)
    text = f"{value if value else value.copy_abs():f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(n: int) -> str:
    """A count, such as 12,000."""
    return number(n)


def change(value: Decimal | int, least: int = 0) -> str:
    """+1,200 or −300: a difference with its sign."""
    return ("+" if value >= 0 else "") + number(value, least)


def percent(value: Decimal, *, locale: Locale | None = None) -> str:
    """25 %, with four decimals at most."""
    space = " " if locale is None else "\N{NO-BREAK SPACE}"
    return f"{number(money.rounded_quantity(Decimal(value)), locale=locale)}{space}%"


def margin(value: Decimal) -> str:
    """80.0 %: a margin, with one decimal."""
    return f"{number(money.rounded_margin(value), 1)} %"


def quantity(value: Decimal) -> str:
    """7.5 or 12.3333: hours, kilometers, pieces, with four decimals at most."""
    return number(money.rounded_quantity(Decimal(value)))


def short(value: Decimal) -> str:
    """1.5M, 200k, 50: the scale of a chart."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(value) >= size:
            return number(value / size) + unit
    return number(value)


# Amounts


def decimals(currency: str) -> int:
    """The number of decimals of this currency: JPY 0, EUR 2, KWD 3; 2 without a currency."""
    return -money.minor_unit(currency).as_tuple().exponent if currency else _UNKNOWN_DECIMALS


def amount(value: Decimal, currency: str = "", *, locale: Locale | None = None) -> str:
    """1,234.50 with the decimals of its currency; also for unit prices, which can have more."""
    return number(value, decimals(currency), locale=locale)


def currency_first(value: Decimal, currency: str) -> str:
    """NOK 1,234.50."""
    return f"{currency} {amount(value, currency)}".lstrip()


def currency_last(value: Decimal, currency: str) -> str:
    """1,234.50 NOK."""
    return f"{amount(value, currency)} {currency}".rstrip()


# Days


def day(value: datetime.date, *, locale: Locale | None = None) -> str:
    """20 Nov 2026, with a year of four digits."""
    if locale is not None:
        return _plain(format_date(value, "medium", locale=locale))
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year:04}"


def time(value: datetime.datetime | datetime.time) -> str:
    """14:05."""
    return f"{value.hour:02}:{value.minute:02}"


def moment(value: datetime.datetime) -> str:
    """20 Nov 2026 14:05, in the time zone of the reader."""
    value = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(value.date())} {time(value)}"


def stamp(value: datetime.datetime) -> str:
    """20 Nov 2026 14:05:09, in the time zone of the reader."""
    value = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{moment(value)}:{value.second:02}"


def weekday(value: datetime.date) -> str:
    """Fri 20."""
    return f"{_WEEKDAYS[value.weekday()]} {value.day}"


def long_day(value: datetime.date) -> str:
    """Friday 20 November, for screen readers."""
    return format_date(value, "EEEE d MMMM", locale="en")


def month(value: datetime.date, *, locale: Locale | None = None) -> str:
    """November 2026."""
    return _plain(format_skeleton("yMMMM", value, locale=locale or Locale("en")))


def short_month(value: datetime.date) -> str:
    """Nov 2026."""
    return f"{_MONTHS[value.month - 1]} {value.year:04}"


def span(first: datetime.date | None, last: datetime.date | None) -> str:
    """From 1 Jan 2026 until 31 Dec 2026, either of which may be open."""
    said = [f"from {day(first)}"] if first else []
    said += [f"until {day(last)}"] if last else []
    return " ".join(said) or "on any day"


def _plain(text: str) -> str:
    """With a minus sign (U+2212), and spaces that the document's font includes."""
    return text.replace("-", _MINUS).replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")
