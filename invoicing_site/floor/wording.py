"""How a day and a count are said in sentences for people, the same in operations, pages and commands."""

import datetime
import re
from decimal import Decimal

from babel import Locale


def day(value: datetime.date) -> str:
    """20 Nov 2026: a day that nobody can misread, its year always with four digits."""
    return f"{value.day} {value:%b} {value.year:04}"


def span(first: datetime.date | None, last: datetime.date | None) -> str:
    """From 1 Jan 2026 until 31 Dec 2026, either of which may be open."""
    said = [f"from {day(first)}"] if first else []
    said += [f"until {day(last)}"] if last else []
    return " ".join(said) or "on any day"


def number(value: Decimal) -> str:
    """1,200 and 133.33: a price, a rate or a percentage without the zeros at its end."""
    text = f"{value:,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def country(code: str) -> str:
    """Norway, of NO; a code that nobody knows stays as it is."""
    return Locale.parse("en").territories.get(code, code)


def counted(n: int, one: str, many: str = "") -> str:
    """1 line, 12 lines; `many` where an s doesn't make it."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def capital(text: str) -> str:
    """The words as they begin a sentence: "Proforma 12 is confirmed".

    What is no plain word, such as a file's name or a code, keeps its case, and so does all after the first.
    """
    first = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def sentence(text: str) -> str:
    """A whole sentence, with a capital and a full stop."""
    return capital(text).rstrip(".") + "."


def a(noun: str) -> str:
    """A proforma, an expense, a unit, an hour: the noun with its article."""
    sounds_like_a_vowel = re.match(r"(?!uni|use|eu)[aeiou]|hour", noun, re.IGNORECASE)
    return f"{'an' if sounds_like_a_vowel else 'a'} {noun}"
