"""The reasons for a cell that is empty, zero or negative."""

from decimal import Decimal

from actuals.importing.values import Invalid
from invoicing_site.floor import money
from invoicing_site.floor.reasons import Reason


def missing(field: str) -> Reason:
    """The reason for an empty cell that is required."""
    if field == "hours":
        return Reason("HOURS-MISSING")
    if field == "project":
        return Reason("PROJECT-MISSING")
    return Reason("FIELD-MISSING", field=field)


def kept(found: Decimal, text: str, field: str) -> Decimal:
    """The quantity as it is stored; Invalid if it is zero, negative or rounded to zero."""
    rounded = money.rounded_quantity(found)
    if rounded < 0:
        raise Invalid("CELL-NEGATIVE", text=text)
    if found and not rounded:
        raise Invalid("CELL-TOO-SMALL", text=text)
    if not rounded and field == "hours":
        raise Invalid("HOURS-ZERO")
    if not rounded:
        raise Invalid("FIELD-ZERO", field=field)
    return rounded
