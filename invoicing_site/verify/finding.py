"""The findings of the verification, and shared helpers."""

from dataclasses import dataclass
from decimal import Decimal

from invoicing_site.floor import formatting

CHUNK = 2000


@dataclass(frozen=True, order=True)
class Finding:
    """One finding: a stable code, the code of the legal entity, the row, and a sentence.

    `where` has the form `app.model:pk`, or is empty if the finding concerns no single row.
    """

    code: str
    entity: str
    number: str
    where: str
    sentence: str


def amount(value: Decimal, currency: str = "") -> str:
    """An amount for a sentence, with all its decimals."""
    return formatting.currency_last(value, currency)


def percent(value: Decimal) -> str:
    """A rate for a sentence."""
    return formatting.percent(value)


def where(model, key) -> str:
    """The reference of a row, without loading it."""
    return f"{model._meta.label_lower}:{key}"
