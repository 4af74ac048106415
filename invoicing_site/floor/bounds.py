"""Upper bounds of quantities and amounts, for forms, files and other programs (APP-10).

The columns can store a thousand times as much, so that later sums, taxes and conversions fit.
"""

from decimal import Decimal

from invoicing_site.floor import money
from invoicing_site.floor.reasons import Amount, Reason

# Of one entry, or of one detail of a proforma.
MOST_QUANTITY = Decimal(1_000_000)
MOST_AMOUNT = Decimal(1_000_000_000_000)
# Of one document, or of one line in the books.
MOST_TOTAL = Decimal(100_000_000_000_000)


def quantity_too_large(quantity: Decimal) -> Reason | None:
    """The reason if a quantity is too large, else None."""
    if abs(quantity) <= MOST_QUANTITY:
        return None
    return Reason("QUANTITY-TOO-LARGE", quantity=quantity, most=MOST_QUANTITY)


def amount_too_large(amount: Decimal, currency: str, most: Decimal = MOST_AMOUNT) -> Reason | None:
    """The reason if an amount is too large, else None."""
    if abs(amount) <= most:
        return None
    amount = Amount(money.rounded(amount, currency), currency)
    return Reason("AMOUNT-TOO-LARGE", amount=amount, most=most)


def converted_too_large(
    amount: Decimal, currency: str, rate: Decimal, into: str, most: Decimal = MOST_AMOUNT
) -> Reason | None:
    """The same for an amount converted to another currency at this rate."""
    converted = money.converted(amount, rate, into)
    if abs(converted) <= most:
        return None
    return Reason(
        "CONVERTED-TOO-LARGE",
        amount=Amount(money.rounded(amount, currency), currency),
        rate=rate,
        converted=Amount(converted, into),
        most=most,
    )
