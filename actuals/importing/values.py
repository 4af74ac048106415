"""Cells as texts, numbers, hours and dates. What cannot be read is `Invalid`, with a phrase that says why."""

import datetime
import re
from decimal import Decimal

from invoicing_site import money

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_SPACES = re.compile(r"[\s\u00a0\u2007\u202f]+")
_APOSTROPHES = re.compile("['\u2019]")  # as the Swiss set off thousands
_GROUPED = re.compile(r"[0-9]{1,3}( [0-9]{3})+([.,][0-9]*)?")
_PLAIN = re.compile(r"[0-9]+|[0-9]*[.,][0-9]+|[0-9]+[.,]")
_THOUSANDS = {sign: re.compile(rf"[0-9]{{1,3}}([{sign}][0-9]{{3}})+") for sign in ".,"}
_CLOCK = re.compile(r"([0-9]{1,5}):([0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]+)?)?")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]*(?:Z|[+-][0-9:]+)?)?")
_WORDS = {"YYYY": "%Y", "MMM": "%b", "MM": "%m", "DD": "%d", "YY": "%y"}
_MOST_DIGITS = 40  # longer than any number a column holds


class Invalid(ValueError):
    """This cell cannot be read; the text goes on after “row 7, hours:”."""


def shortened(text: str, length: int) -> str:
    """The text, or its beginning and an ellipsis: a file may hold a novel where a code should be."""
    return text if len(text) <= length else text[: length - 1] + "…"


def text_of(cell) -> str:
    """Any cell as one line of text; a number without decimals as people write it."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _SPACES.sub(" ", _CONTROL.sub(" ", cell)).strip()
    if isinstance(cell, float):
        return format(cell, ".15g")
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return str(cell)


def prose_of(cell) -> str:
    """A cell of free text: line breaks stay, control characters don't."""
    if not isinstance(cell, str):
        return text_of(cell)
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", text).strip()


def number_of(cell, decimal: str = "") -> Decimal:
    """The number in a cell, exactly as it stands there.

    `decimal` is the sign before the decimals, or empty: then a lone point is one, and a comma only where it
    cannot set off thousands.
    """
    if isinstance(cell, bool | datetime.date | datetime.time | datetime.timedelta):
        raise Invalid(f"“{text_of(cell)}” is not a number.")
    if isinstance(cell, int):
        return Decimal(cell)
    text = text_of(cell)
    if isinstance(cell, float):
        # Fifteen digits are what a spreadsheet knows and shows: 0.1 + 0.2 is 0.3 there.
        value = Decimal(text)
        if not value.is_finite():
            raise Invalid(f"“{text}” is not a number.")
        return value
    sign = ""
    if text[:1] in {"-", "+", "\u2212"}:
        sign = "" if text[0] == "+" else "-"
        text = text[1:].lstrip()
    text = _APOSTROPHES.sub(" ", text)
    if len(text) <= _MOST_DIGITS and (plain := _plain(text, decimal)) is not None:
        return Decimal(sign + plain)
    raise Invalid(f"“{shortened(text_of(cell), 40)}” is not a number.")


def _plain(text, decimal) -> str | None:
    """Digits with a point before the decimals, or None where the text is no number."""
    if _GROUPED.fullmatch(text):
        text = text.replace(" ", "")
        if not decimal and "," in text:
            decimal = ","  # spaces set off the thousands, so the comma does not
    if decimal:
        other = "." if decimal == "," else ","
        whole, _, rest = text.partition(decimal)
        if _THOUSANDS[other].fullmatch(whole):
            whole = whole.replace(other, "")
        if other in whole or other in rest:
            return None
        text = f"{whole}.{rest}" if decimal in text else whole
        return text if _PLAIN.fullmatch(text) else None
    if "." in text and "," in text:
        last = max(".,", key=text.rfind)
        return _plain(text, last)
    if text.count(",") > 1 or text.count(".") > 1:
        sign = "," if "," in text else "."
        return text.replace(sign, "") if _THOUSANDS[sign].fullmatch(text) else None
    if "," in text and _THOUSANDS[","].fullmatch(text) and not text.startswith("0"):
        raise Invalid(
            f"“{text}” can be read in two ways: write {text.replace(',', '.')} or {text.replace(',', '')}, "
            "or say which sign stands before the decimals."
        )
    return text.replace(",", ".") if _PLAIN.fullmatch(text) else None


def hours_of(cell, decimal: str = "") -> Decimal:
    """Hours as a number, or as hours:minutes(:seconds), not rounded."""
    if isinstance(cell, datetime.timedelta):
        return _hours(cell.days * 86400 + cell.seconds)
    if isinstance(cell, datetime.time):
        return _hours(cell.hour * 3600 + cell.minute * 60 + cell.second)
    if isinstance(cell, str) and (match := _CLOCK.fullmatch(text_of(cell))):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return _hours(hours * 3600 + minutes * 60 + seconds)
    try:
        return number_of(cell, decimal)
    except Invalid as trouble:
        if "two ways" in str(trouble):
            raise
        raise Invalid(
            f"“{shortened(text_of(cell), 40)}” is not a number of hours: write 7.5 or 7:30."
        ) from None


def _hours(seconds: int) -> Decimal:
    return money.rounded_quantity(Decimal(seconds) / 3600)


def date_of(cell, date_format: str = "") -> datetime.date:
    """The day in a cell: a date of the spreadsheet, or text in the given `strptime` format, else ISO."""
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    text = text_of(cell)
    try:
        if isinstance(cell, str) and date_format:
            return datetime.datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a plain day
        if isinstance(cell, str) and (match := _ISO.fullmatch(text)):
            return datetime.date.fromisoformat(match[1])
    except (ValueError, OverflowError):
        pass
    if isinstance(cell, str):
        expected = f"in the format {date_format}" if date_format else "such as 2025-03-31"
        raise Invalid(f"“{shortened(text, 40)}” is not a date {expected}.")
    raise Invalid(f"“{shortened(text, 40)}” is not a date: format the column as dates.")


def date_format_of(text: str) -> str:
    """A `strptime` format from itself, or from words such as DD.MM.YYYY; ValueError if it tells no day."""
    if "%" not in text:
        for word, code in _WORDS.items():
            text = re.sub(rf"(?<!%){word}", code, text)
    day = datetime.date(2001, 2, 3)
    try:
        tells = datetime.datetime.strptime(day.strftime(text), text).date() == day  # noqa: DTZ007 - a plain day
    except (ValueError, KeyError, IndexError, re.error):
        tells = False
    if not tells:
        raise ValueError(text)
    return text
