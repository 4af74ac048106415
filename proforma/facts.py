"""What confirming makes of one detail: pure, from figures to the facts that follow (PRO-5).

Whatever was done to a detail, its unbilled sales net to zero and its billed sales equal it (invariant 2).
"""

from decimal import Decimal
from typing import NamedTuple

from actuals.models import Actual, BillingType
from proforma.models import DetailActual

Part = DetailActual.Part
UNBILLED = Actual.Type.UNBILLED_SALES
BILLED = Actual.Type.BILLED_SALES
ZERO = Decimal(0)


class Figures(NamedTuple):
    """How much, at what price, for which amount, charged or not."""

    quantity: Decimal
    price: Decimal
    amount: Decimal
    billing_type: str

    @classmethod
    def of(cls, row):
        """The figures of a detail or of an actual."""
        return cls(row.quantity, row.price, row.amount, row.billing_type)


class Fact(NamedTuple):
    """One actual to be made: what it is to the detail, and which part of the same detail it undoes.

    `undoes` is a part, or ORIGINAL for the unbilled sales that the detail's backlog item stands for.
    """

    part: str
    type: str
    figures: Figures  # of what it undoes with the opposite sign
    undoes: str = ""


ORIGINAL = "original"


def facts_of_work(stands: Figures, was: Figures) -> list[Fact]:
    """The facts of time, expense, material or a fee that was delivered, and of what was edited about it."""
    facts = [Fact(Part.REVERSAL, UNBILLED, _negative(was), ORIGINAL)]
    if stands == was:
        return [*facts, Fact(Part.BILLED, BILLED, stands)]
    facts += _passed_through(stands, Part.UNBILLED, Part.UNBILLED_REVERSAL, Part.BILLED)
    if rest := rest_of(stands, was):
        facts += _passed_through(rest, Part.REST, Part.REST_REVERSAL, Part.REST_BILLED)
    return facts


def facts_of_work_by_hand(stands: Figures) -> list[Fact]:
    """The facts of work that somebody added on the proforma, on a time-and-material line."""
    return _passed_through(stands, Part.UNBILLED, Part.UNBILLED_REVERSAL, Part.BILLED)


def facts_billed_only(stands: Figures) -> list[Fact]:
    """The fact of a milestone, or of work added by hand on a fixed-price line: nothing was unbilled."""
    return [Fact(Part.BILLED, BILLED, stands)]


def rest_of(stands: Figures, was: Figures) -> Figures | None:
    """What a lowered detail leaves unbilled, non-chargeable; None where the amount did not fall.

    Its amount is original − edited, its quantity the fall in quantity and at least 0: 10 h × 1,000 billed
    as 10 h × 800 leaves 0 h and 2,000. The price is the original's.
    """
    amount = was.amount - stands.amount
    if amount <= 0:
        return None
    return Figures(max(was.quantity - stands.quantity, ZERO), was.price, amount, BillingType.NON_CHARGEABLE)


def _passed_through(figures, unbilled, reversal, billed):
    return [
        Fact(unbilled, UNBILLED, figures),
        Fact(reversal, UNBILLED, _negative(figures), unbilled),
        Fact(billed, BILLED, figures),
    ]


def _negative(figures):
    return figures._replace(quantity=-figures.quantity, amount=-figures.amount)
