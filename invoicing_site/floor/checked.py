"""Checks of the numbers and texts that an operation receives.

Forms check their fields too, but operations are also called by commands, jobs and other programs. SQLite
would save invalid values, PostgreSQL would refuse them with a technical error.
"""

from decimal import Decimal

from invoicing_site.floor import characters, money
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason


def figure(value: Decimal, model, name: str) -> Decimal:
    """Return the value if that column of the model can store it exactly; Refused otherwise."""
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
    """The reason if the amount has more decimals than its currency, else None (MON-1)."""
    if amount == money.rounded(amount, currency):
        return None
    return Reason("AMOUNT-DECIMALS", amount=amount, currency=currency)


def words(text: str, model, name: str) -> str:
    """Return the text if it fits into that column and has no invisible characters; Refused otherwise."""
    field = model._meta.get_field(name)
    if why := characters.problem(text):
        raise Refused("TEXT-INVISIBLE", field=field.verbose_name, why=why)
    if field.max_length and len(text) > field.max_length:
        raise Refused("TEXT-TOO-LONG", field=field.verbose_name, count=len(text), most=field.max_length)
    return text
