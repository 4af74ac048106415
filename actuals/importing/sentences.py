"""What is said of a cell that says nothing, zero, or less."""

from decimal import Decimal

from actuals.importing.choices import CHOICES
from actuals.importing.values import Invalid
from invoicing_site.floor import money

# The choice that may leave out a row without it.
_LEFT_OUT = {"hours": "empty", "project": "no_project"}


def missing(field: str) -> str:
    """That nothing stands there."""
    return f"The {'hours are' if field == 'hours' else f'{field} is'} missing{_remedy(field, '.')}"


def kept(found: Decimal, text: str, field: str) -> Decimal:
    """A quantity as it is kept; Invalid where that is nothing."""
    rounded = money.rounded_quantity(found)
    if rounded < 0:
        raise Invalid(
            f"{text} is negative, and an import only adds work: to take work back, correct or recall the "
            "entry it was recorded with."
        )
    if found and not rounded:
        raise Invalid(f"{text} comes to less than 0.0001, the least that is kept.")
    if not rounded:
        raise Invalid(f"The {field} must not be zero{_remedy(field, ': take the row out of the file.')}")
    return rounded


def _remedy(field, otherwise) -> str:
    if field not in _LEFT_OUT:
        return otherwise
    rows = CHOICES[_LEFT_OUT[field]].rows
    return f": correct the row, or answer “Leave out” for rows {rows[:1].lower()}{rows[1:]}."
