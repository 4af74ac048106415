"""Words of sentences, the same in operations, pages and commands."""

import re

from babel import Locale

from invoicing_site.floor.formatting import count


def country(code: str) -> str:
    """The name of a country, such as Norway for NO; an unknown code is returned unchanged."""
    return Locale.parse("en").territories.get(code, code)


def counted(n: int, one: str, many: str = "") -> str:
    """A count such as “1 line” or “12 lines”; `many` is an irregular plural."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


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
