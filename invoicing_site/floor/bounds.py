"""Upper bounds of quantities and amounts, for forms, files and other programs (APP-10).

The columns can store a thousand times as much, so that later sums, taxes and conversions fit.
"""

from decimal import Decimal

from invoicing_site.floor import formatting, money
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


# The same as sentences, for rooms that have no table of refusals yet.


def why_not_quantity(quantity: Decimal) -> str:
    """That a quantity is too large, as a sentence; empty where it can be kept."""
    if abs(quantity) <= MOST_QUANTITY:
        return ""
    return (
        f"{formatting.number(quantity)} is too large a quantity (at most {formatting.count(MOST_QUANTITY)}): "
        "use a larger unit, or divide it."
    )


def over(amount: Decimal, currency: str, most: Decimal = MOST_AMOUNT) -> str:
    """That an amount is too large, as the beginning of a sentence; empty where it can be kept."""
    if abs(amount) <= most:
        return ""
    text = formatting.currency_last(money.rounded(amount, currency), currency)
    return f"{text} is too large an amount (at most {formatting.number(most)})"


def over_converted(
    amount: Decimal, currency: str, rate: Decimal, into: str, most: Decimal = MOST_AMOUNT
) -> str:
    """The same for an amount converted to another currency at this rate."""
    said = over(money.converted(amount, rate, into), into, most)
    text = formatting.currency_last(money.rounded(amount, currency), currency)
    return said and f"{text} at {formatting.number(rate)}: {said}"
