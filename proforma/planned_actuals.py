"""The actuals that confirming creates for one detail: pure functions (PRO-5).

However a detail was edited, its unbilled sales net to zero and its billed sales equal it (invariant 2).
"""

from decimal import Decimal
from typing import NamedTuple

from actuals.models import Actual, BillingType
from proforma.models import DetailActual

Part = DetailActual.Part
UNBILLED = Actual.Type.UNBILLED_SALES
BILLED = Actual.Type.BILLED_SALES
ZERO = Decimal(0)


class Terms(NamedTuple):
    """The quantity, price, amount and billing type of a detail or an actual."""

    quantity: Decimal
    price: Decimal
    amount: Decimal
    billing_type: str

    @classmethod
    def of(cls, row):
        """The terms of a detail or of an actual."""
        return cls(row.quantity, row.price, row.amount, row.billing_type)


class PlannedActual(NamedTuple):
    """One actual to be created: its part of the detail, and which part of the same detail it reverses.

    `reverses` is a part, or ORIGINAL for the unbilled sales of the detail's backlog item.
    """

    part: str
    type: str
    terms: Terms  # for a reversal, with the opposite sign
    reverses: str = ""


ORIGINAL = "original"


def actuals_of_work(edited: Terms, original: Terms) -> list[PlannedActual]:
    """The actuals of delivered time, expense, material or fee, edited or not."""
    planned = [PlannedActual(Part.REVERSAL, UNBILLED, _negative(original), ORIGINAL)]
    if edited == original:
        return [*planned, PlannedActual(Part.BILLED, BILLED, edited)]
    planned += _passed_through(edited, Part.UNBILLED, Part.UNBILLED_REVERSAL, Part.BILLED)
    if rest := rest_of(edited, original):
        planned += _passed_through(rest, Part.REST, Part.REST_REVERSAL, Part.REST_BILLED)
    return planned


def actuals_of_work_by_hand(edited: Terms) -> list[PlannedActual]:
    """The actuals of work that was added by hand, on a time-and-material line."""
    return _passed_through(edited, Part.UNBILLED, Part.UNBILLED_REVERSAL, Part.BILLED)


def actuals_billed_only(edited: Terms) -> list[PlannedActual]:
    """The actual of a milestone, or of work added by hand on a fixed-price line: nothing was unbilled."""
    return [PlannedActual(Part.BILLED, BILLED, edited)]


def rest_of(edited: Terms, original: Terms) -> Terms | None:
    """The unbilled, non-chargeable rest of a lowered detail; None if the amount is not lower.

    Its amount is original − edited. Its quantity is original − edited, but at least 0: 10 h × 1,000 billed as
    10 h × 800 leaves 0 h and 2,000. Its price is that of the original.
    """
    amount = original.amount - edited.amount
    if amount <= 0:
        return None
    quantity = max(original.quantity - edited.quantity, ZERO)
    return Terms(quantity, original.price, amount, BillingType.NON_CHARGEABLE)


def _passed_through(terms, unbilled, reversal, billed):
    return [
        PlannedActual(unbilled, UNBILLED, terms),
        PlannedActual(reversal, UNBILLED, _negative(terms), unbilled),
        PlannedActual(billed, BILLED, terms),
    ]


def _negative(terms):
    return terms._replace(quantity=-terms.quantity, amount=-terms.amount)
