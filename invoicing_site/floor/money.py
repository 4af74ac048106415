"""Money arithmetic, and the only file that rounds.

Amounts are `Decimal` in a currency and have that currency's minor unit (MON-1); quantities have 4 decimals,
unit prices 6, exchange rates 9, percentages 6. Halves are rounded away from zero. A float is a TypeError,
and products are exact: Python's default precision of 28 digits is not enough for a long quantity times a long
price, so products are calculated here and not with a plain `*`.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import NamedTuple

_NO_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS = "CLF UYW"

_MINOR_UNITS = {
    **dict.fromkeys(_NO_MINOR_UNIT.split(), Decimal("1")),
    **dict.fromkeys(_THREE_DECIMALS.split(), Decimal("0.001")),
    **dict.fromkeys(_FOUR_DECIMALS.split(), Decimal("0.0001")),
}
_CENT = Decimal("0.01")
_QUANTITY_STEP = Decimal("0.0001")
_PRICE_STEP = Decimal("0.000001")
_RATE_STEP = Decimal("0.000000001")
_PERCENT_STEP = Decimal("0.000001")
_MARGIN_STEP = Decimal("0.1")
_SUM_STEP = Decimal("0.0001")
_HUNDRED = Decimal(100)

_TRAPPED = [InvalidOperation, DivisionByZero, Overflow]
_ROUNDING = Context(prec=80, rounding=ROUND_HALF_UP, traps=_TRAPPED)
# Sums and products must be exact; an inexact one is a bug and raises an exception.
_EXACT = Context(prec=80, traps=[*_TRAPPED, Inexact])


class Share(NamedTuple):
    """One customer's part of a line: a quantity with 4 decimals, an amount in the currency's minor unit."""

    quantity: Decimal
    amount: Decimal


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of an ISO 4217 currency: 1 for JPY, 0.01 for EUR, 0.001 for BHD."""
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code.")
    if not currency.isupper():
        raise ValueError(f"The currency code {currency!r} is not in upper case.")
    return _MINOR_UNITS.get(currency, _CENT)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units of its currency, half away from zero (MON-1)."""
    return _to(amount, minor_unit(currency))


def rounded_quantity(quantity: Decimal) -> Decimal:
    """A quantity or a number of hours with 4 decimals, half away from zero."""
    return _to(quantity, _QUANTITY_STEP)


def rounded_price(price: Decimal) -> Decimal:
    """A unit price with 6 decimals, half away from zero."""
    return _to(price, _PRICE_STEP)


def rounded_rate(rate: Decimal) -> Decimal:
    """An exchange rate with 9 decimals, half away from zero."""
    return _to(rate, _RATE_STEP)


def rounded_percent(percent: Decimal) -> Decimal:
    """A percentage with 6 decimals, half away from zero."""
    return _to(percent, _PERCENT_STEP)


def rounded_margin(percent: Decimal) -> Decimal:
    """A margin in percent with one decimal, as reports show it."""
    return _to(percent, _MARGIN_STEP)


def rounded_sum(total: Decimal) -> Decimal:
    """A sum of stored amounts or quantities as the database returned it, with 4 decimals again."""
    return _to(total, _SUM_STEP)


def priced(quantity: Decimal, price: Decimal, currency: str) -> Decimal:
    """Quantity times unit price, rounded once (MON-2); exact for all values that a column can store."""
    return rounded(_EXACT.multiply(_decimal(quantity), _decimal(price)), currency)


def converted(amount: Decimal, rate: Decimal, currency: str) -> Decimal:
    """The amount times the exchange rate, rounded once in the currency it is converted to (MON-5)."""
    return rounded(_EXACT.multiply(_decimal(amount), _decimal(rate)), currency)


def percentage(amount: Decimal, percent: Decimal, currency: str) -> Decimal:
    """The percentage of the amount, rounded once, such as a tax or a discount."""
    return rounded(_percent_of(_decimal(amount), _decimal(percent)), currency)


def split(amount: Decimal, percents: Sequence[Decimal], rounding: int, currency: str) -> list[Decimal]:
    """Shares that add up to the rounded amount; the rest goes to share number `rounding` (MON-3).

    ValueError if a percentage is negative or they do not add up to 100. A share of 0 % gets 0, except the
    rounding share, which always takes the rest.
    """
    return _split(amount, percents, rounding, minor_unit(currency))


def split_quantity(quantity: Decimal, percents: Sequence[Decimal], rounding: int) -> list[Decimal]:
    """`split` for a quantity: shares with 4 decimals."""
    return _split(quantity, percents, rounding, _QUANTITY_STEP)


def split_line(
    quantity: Decimal, price: Decimal, percents: Sequence[Decimal], rounding: int, currency: str
) -> list[Share]:
    """Split hours with a unit price over customers; the rounding share gets the rest of both (MON-9).

    The amounts add up to quantity × price of the whole. The rounding share's amount may therefore differ
    from its own quantity × price, by one minor unit per share at most.
    """
    quantity = rounded_quantity(quantity)
    quantities = split_quantity(quantity, percents, rounding)
    amounts = [priced(part, price, currency) for part in quantities]
    _take_the_rest(amounts, rounding, priced(quantity, price, currency))
    return [Share(*share) for share in zip(quantities, amounts, strict=True)]


def equal_parts(amount: Decimal, n: int, currency: str) -> list[Decimal]:
    """The amount in n parts, one a period: each rounded, the last gets the rest (MON-3)."""
    if n < 1:
        raise ValueError("An amount is divided into at least one part.")
    amount = rounded(amount, currency)
    parts = [rounded(_ROUNDING.divide(amount, Decimal(n)), currency)] * n
    _take_the_rest(parts, n - 1, amount)
    return parts


def largest_remainder(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Shares in proportion to the weights that add up to the total, each less than a minor unit off (MON-4).

    ValueError if the total is not in whole minor units. Totals and weights may be negative; the shares of the
    negated total are the negated shares. Ties go to the earlier share. If all weights are 0, the first share
    gets everything; if the weights add up to 0, their absolute values count. If there are positive and
    negative weights and the exact shares are known, use `adding_up`, which does not magnify the rounding of
    the total.
    """
    sizes, _ = _as_integers(weights)
    if not sizes:
        raise ValueError("A total can't be divided among no shares.")
    if not any(sizes):
        sizes[0] = 1
    if not sum(sizes):
        sizes = [abs(size) for size in sizes]
    units = _units(total, currency)
    if sum(sizes) < 0:
        sizes = [-size for size in sizes]
    return _in_currency(_apportioned(units, [units * size for size in sizes], sum(sizes)), currency)


def adding_up(total: Decimal, exact: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The exact shares in whole minor units, adding up to the total by largest remainder (MON-4).

    For tax: `exact` is each line's unrounded tax, `total` the tax rounded once. If the total is the rounded
    sum, each share is less than a minor unit off; a larger difference is spread evenly. Signs may be mixed.
    """
    sizes, scale = _as_integers(exact)
    if not sizes:
        raise ValueError("A total can't be divided among no shares.")
    places = _places(minor_unit(currency))
    return _in_currency(
        _apportioned(_units(total, currency), [size * 10**places for size in sizes], 10**scale), currency
    )


def exact_percentage(amount: Decimal, percent: Decimal) -> Decimal:
    """The percentage of the amount, not rounded, for `adding_up`."""
    return _percent_of(_decimal(amount), _decimal(percent))


def _decimal(value: Decimal | int) -> Decimal:
    if type(value) is not Decimal:
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise TypeError(f"Money is Decimal, made from strings or integers, not {type(value).__name__}.")
        value = Decimal(value)
    if not value.is_finite():
        raise ValueError(f"{value} is not an amount.")
    return value


def _to(value: Decimal, step: Decimal) -> Decimal:
    # plus() turns a negative zero into zero, so that no invoice shows -0.00.
    return _ROUNDING.plus(_ROUNDING.quantize(_decimal(value), step))


def _percent_of(value: Decimal, percent: Decimal) -> Decimal:
    return _EXACT.scaleb(_EXACT.multiply(value, percent), -2)


def _split(value: Decimal, percents: Sequence[Decimal], rounding: int, step: Decimal) -> list[Decimal]:
    percents = [_decimal(percent) for percent in percents]
    if any(percent < 0 for percent in percents) or _sum(percents) != _HUNDRED:
        raise ValueError("The percentages of a split are not negative and add up to 100.")
    if not 0 <= rounding < len(percents):
        raise ValueError(f"A split over {len(percents)} has no rounding share number {rounding}.")
    value = _to(value, step)
    shares = [_to(_percent_of(value, percent), step) for percent in percents]
    _take_the_rest(shares, rounding, value)
    return shares


def _take_the_rest(shares: list[Decimal], index: int, total: Decimal) -> None:
    shares[index] = _EXACT.add(shares[index], _EXACT.subtract(total, _sum(shares)))


def _sum(values: Sequence[Decimal]) -> Decimal:
    result = Decimal(0)
    for value in values:
        result = _EXACT.add(result, value)
    return result


def _as_integers(values: Sequence[Decimal]) -> tuple[list[int], int]:
    """The values times ten to the power of the second result, as integers: these divide without rounding."""
    values = [_decimal(value) for value in values]
    scale = max((max(0, _places(value)) for value in values), default=0)
    return [int(_EXACT.scaleb(value, scale)) for value in values], scale


def _places(value: Decimal) -> int:
    """How many decimals it is written with; negative for 1E+2."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # neither infinite nor not a number
    return -exponent


def _units(total: Decimal, currency: str) -> int:
    if rounded(total, currency) != total:
        raise ValueError(f"{total} is not in whole minor units of {currency}.")
    return int(_ROUNDING.divide(_decimal(total), minor_unit(currency)))


def _in_currency(units: list[int], currency: str) -> list[Decimal]:
    unit = minor_unit(currency)
    return [_EXACT.multiply(Decimal(share), unit) for share in units]


def _apportioned(total: int, numerators: list[int], denominator: int) -> list[int]:
    """Integers near numerator / denominator that add up to the total, by largest remainder."""
    # Calculate with positive numbers, so that a credit mirrors its invoice to the cent.
    if (total or next((n for n in numerators if n), 0)) < 0:
        return [-share for share in _apportioned(-total, [-n for n in numerators], denominator)]
    floors, remainders = zip(*(divmod(numerator, denominator) for numerator in numerators), strict=True)
    each, ones = divmod(total - sum(floors), len(floors))
    order = sorted(range(len(floors)), key=lambda index: -remainders[index])
    shares = [floor + each for floor in floors]
    for index in order[:ones]:
        shares[index] += 1
    return shares
