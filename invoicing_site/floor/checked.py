"""Checks of the numbers and texts that an operation is given.

A form checks its fields too; but operations are also called by commands, jobs and other programs, and what
SQLite would save as it is, PostgreSQL would refuse with a technical error.
"""

from decimal import Decimal

from invoicing_site.floor import characters, money
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason


def figure(value: Decimal, model, name: str) -> Decimal:
    """The value itself, if that column of the model can keep it exactly; Refused otherwise."""
    field = model._meta.get_field(name)
    if not value.is_finite():
        raise Refused("NOT-A-NUMBER", value=str(value), field=field.verbose_name)
    try:
        return field.unrounded(value)
    except ValueError:
        whole = field.digits - field.places
        raise Refused(
            "TOO-MANY-DIGITS", field=field.verbose_name, value=value, whole=whole, places=field.places
        ) from None


def too_fine(amount: Decimal, currency: str) -> Reason | None:
    """That the amount has more decimals than its currency; None where it has not (MON-1)."""
    if amount == money.rounded(amount, currency):
        return None
    return Reason("AMOUNT-DECIMALS", amount=amount, currency=currency)


def words(text: str, model, name: str) -> str:
    """The text itself, if it fits into that column of the model and everybody can see all of it."""
    field = model._meta.get_field(name)
    if why := characters.trouble(text):
        raise Refused("TEXT-INVISIBLE", field=field.verbose_name, why=why)
    if field.max_length and len(text) > field.max_length:
        raise Refused("TEXT-TOO-LONG", field=field.verbose_name, count=len(text), most=field.max_length)
    return text
