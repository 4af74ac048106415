"""Figures and texts as people and files hand them in, checked at the door of an operation.

A form checks its fields too; but operations are called by commands, jobs and other programs as well, and what
SQLite would store without a word PostgreSQL would refuse with a technical error.
"""

from decimal import Decimal

from invoicing_site.floor import characters, money, wording
from invoicing_site.floor.errors import Refused


def figure(value: Decimal, model, name: str) -> Decimal:
    """The value itself, if that column of the model can keep it exactly; Refused otherwise."""
    field = model._meta.get_field(name)
    if not value.is_finite():
        raise Refused(f"“{value}” is not {wording.a(field.verbose_name)}.", code="BAD-FIGURE")
    try:
        return field.unrounded(value)
    except ValueError:
        whole = field.digits - field.places
        raise Refused(
            f"The {field.verbose_name} {value:f} can't be kept: at most {whole} digits before the decimal "
            f"point and {field.places} after it.",
            code="BAD-FIGURE",
        ) from None


def too_fine(amount: Decimal, currency: str) -> str:
    """That the amount has more decimals than its currency, as a sentence; empty where it has not (MON-1)."""
    if amount == money.rounded(amount, currency):
        return ""
    return f"{wording.number(amount)} has more decimals than {currency} has."


def words(text: str, model, name: str) -> str:
    """The text itself, if it fits into that column of the model and everybody can see all of it."""
    field = model._meta.get_field(name)
    if sentence := characters.trouble(text):
        raise Refused(f"The {field.verbose_name} can't be kept. {sentence}", code="BAD-TEXT")
    if field.max_length and len(text) > field.max_length:
        raise Refused(
            f"The {field.verbose_name} has {len(text)} characters; at most {field.max_length} can be kept.",
            code="BAD-TEXT",
        )
    return text
