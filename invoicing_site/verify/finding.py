"""What verification says, and what all its parts share."""

from dataclasses import dataclass
from decimal import Decimal

from invoicing_site.floor import formatting

CHUNK = 2000


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong: a stable code, the number it stands under, the row, and a sentence.

    `where` reads `app.model:pk`, or is empty where it concerns no single row.
    """

    code: str
    entity: str
    number: str
    where: str
    sentence: str


def amount(value: Decimal, currency: str = "") -> str:
    """An amount for a sentence, to the last decimal that differs."""
    return formatting.currency_last(value, currency)


def percent(value: Decimal) -> str:
    """A rate for a sentence."""
    return formatting.percent(value)


def where(model, key) -> str:
    """The reference of a row that need not be loaded."""
    return f"{model._meta.label_lower}:{key}"
