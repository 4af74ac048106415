"""Dates and counts in sentences, the same in operations, pages and commands."""

import datetime
import re
from decimal import Decimal

from babel import Locale


def day(value: datetime.date) -> str:
    """A date such as 20 Nov 2026, with a year of four digits."""
    return f"{value.day} {value:%b} {value.year:04}"


def span(first: datetime.date | None, last: datetime.date | None) -> str:
    """A range such as “from 1 Jan 2026 until 31 Dec 2026”; either end may be open."""
    said = [f"from {day(first)}"] if first else []
    said += [f"until {day(last)}"] if last else []
    return " ".join(said) or "on any day"


def number(value: Decimal) -> str:
    """A price, a rate or a percentage without trailing zeros, such as 1,200 and 133.33."""
    text = f"{value:,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def country(code: str) -> str:
    """The name of a country, such as Norway for NO; an unknown code is returned unchanged."""
    return Locale.parse("en").territories.get(code, code)


def counted(n: int, one: str, many: str = "") -> str:
    """A count such as “1 line” or “12 lines”; `many` is an irregular plural."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """The text with a capital letter at the beginning: "Proforma 12 is confirmed".

    If the first word is not a plain word, such as a file name or a code, it keeps its case.
    """
    first = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def sentence(text: str) -> str:
    """A whole sentence, with a capital letter and a full stop."""
    return capital(text).rstrip(".") + "."


def a(noun: str) -> str:
    """The noun with its article: a proforma, an expense, a unit, an hour."""
    sounds_like_a_vowel = re.match(r"(?!uni|use|eu)[aeiou]|hour", noun, re.IGNORECASE)
    return f"{'an' if sounds_like_a_vowel else 'a'} {noun}"
