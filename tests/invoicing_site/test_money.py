"""Rounding, splitting and sharing of money."""

from decimal import Decimal as D

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from invoicing_site.floor import fields, money

EVERY_KIND = ["JPY", "EUR", "BHD", "CLF"]

currencies = st.sampled_from(EVERY_KIND)
amounts = st.decimals(min_value=D("-999999999999"), max_value=D("999999999999"), places=4)
quantities = st.decimals(min_value=D("-99999"), max_value=D("99999"), places=4)
prices = st.decimals(min_value=D("0"), max_value=D("999999"), places=6)


@st.composite
def percents(draw):
    """One to eight percentages with up to 6 decimals that add up to 100; some of them may be 0."""
    cuts = sorted(draw(st.lists(st.integers(0, 100_000_000), max_size=7)))
    edges = [0, *cuts, 100_000_000]
    return [D(high - low).scaleb(-6) for low, high in zip(edges, edges[1:], strict=False)]


@pytest.mark.parametrize(
    ("currency", "unit"),
    [("JPY", "1"), ("KRW", "1"), ("EUR", "0.01"), ("BHD", "0.001"), ("TND", "0.001"), ("UYW", "0.0001")],
)
def test_every_currency_has_its_minor_unit(currency, unit):
    """MON-1"""
    assert money.minor_unit(currency) == D(unit)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "E1R", "ÄUR", None])
def test_an_invalid_currency_code_is_refused(code):
    """MON-1"""
    with pytest.raises(ValueError, match="currency code"):
        money.minor_unit(code)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("2.345", "EUR", "2.35"),
        ("-2.345", "EUR", "-2.35"),
        ("2.344999", "EUR", "2.34"),
        ("0.5", "JPY", "1"),
        ("-0.5", "JPY", "-1"),
        ("1.2345", "BHD", "1.235"),
        ("7", "EUR", "7.00"),
        ("-0.004", "EUR", "0.00"),
        ("99999999999999999999999999999999999.995", "EUR", "100000000000000000000000000000000000.00"),
    ],
)
def test_halves_are_rounded_away_from_zero(amount, currency, expected):
    """MON-1"""
    assert str(money.rounded(D(amount), currency)) == expected


def test_quantities_keep_four_decimals_prices_six_rates_nine():
    """MON-1"""
    assert str(money.rounded_quantity(D("1.00005"))) == "1.0001"
    assert str(money.rounded_price(D("-1.0000005"))) == "-1.000001"
    assert str(money.rounded_rate(D("0.1234567895"))) == "0.123456790"
    assert str(money.rounded_percent(D("33.3333335"))) == "33.333334"
    assert str(money.rounded_sum(D("12.3"))) == "12.3000"


@pytest.mark.parametrize("wrong", [1.5, True, "1.5", None])
def test_nothing_but_decimals_and_integers_is_money(wrong):
    """MON-1"""
    with pytest.raises(TypeError):
        money.rounded(wrong, "EUR")


@pytest.mark.parametrize("wrong", ["NaN", "Infinity"])
def test_infinite_values_are_refused(wrong):
    """MON-1"""
    with pytest.raises(ValueError, match="not an amount"):
        money.rounded(D(wrong), "EUR")


def test_a_product_is_rounded_once_and_never_cut_off():
    """MON-2"""
    assert money.priced(D("7.5"), D("133.33"), "EUR") == D("999.98")
    # 29 digits before the rounding: one more than Python's default precision.
    assert money.priced(D("98765432109.8765"), D("1000000.000001"), "JPY") == D("98765432109975265")


def test_converting_uses_the_rate_and_rounds_in_the_other_currency():
    """MON-5"""
    assert money.converted(D("100.00"), D("161.235"), "JPY") == D("16124")
    assert money.converted(D("-10.10"), D("0.5"), "EUR") == D("-5.05")
    assert money.percentage(D("20.20"), D("25"), "EUR") == D("5.05")


def test_the_rest_of_a_split_goes_to_the_rounding_share():
    """MON-3"""
    thirds = [D("33.33"), D("33.33"), D("33.34")]
    assert money.split(D("100.01"), thirds, 0, "EUR") == [D("33.34"), D("33.33"), D("33.34")]
    assert money.split(D("-0.05"), [D(50), D(50)], 1, "EUR") == [D("-0.03"), D("-0.02")]
    assert money.split(D("1000"), thirds, 2, "JPY") == [D("333"), D("333"), D("334")]


def test_a_share_of_zero_percent_is_zero_unless_it_takes_the_rest():
    """MON-3"""
    assert money.split(D("10.01"), [D(100), D(0)], 0, "EUR") == [D("10.01"), D("0.00")]
    # Both halves of 0.01 are rounded up, and the third share is the difference.
    assert money.split(D("0.01"), [D(50), D(50), D(0)], 2, "EUR") == [D("0.01"), D("0.01"), D("-0.01")]


@pytest.mark.parametrize(
    ("shares", "rounding"),
    [(["50", "49.999999"], 0), (["150", "-50"], 0), ([], 0), (["100"], 1), (["50", "50"], -1)],
)
def test_a_split_that_is_not_100_percent_is_an_error(shares, rounding):
    """MON-3"""
    with pytest.raises(ValueError, match="split"):
        money.split(D("10"), [D(share) for share in shares], rounding, "EUR")


def test_splitting_hours_splits_the_quantity_and_the_amount():
    """MON-9: the figures of the rule itself"""
    shares = money.split_line(D("7.5"), D("133.33"), [D("33.33"), D("33.33"), D("33.34")], 2, "EUR")

    assert shares == [
        money.Share(D("2.4998"), D("333.30")),
        money.Share(D("2.4998"), D("333.30")),
        money.Share(D("2.5004"), D("333.38")),
    ]
    assert str(shares[2].amount) == "333.38"


def test_equal_parts_leave_the_rest_to_the_last():
    """MON-3"""
    assert money.equal_parts(D("100"), 3, "EUR") == [D("33.33"), D("33.33"), D("33.34")]
    assert money.equal_parts(D("-100"), 3, "EUR") == [D("-33.33"), D("-33.33"), D("-33.34")]
    assert money.equal_parts(D("20"), 3, "JPY") == [D("7"), D("7"), D("6")]
    with pytest.raises(ValueError, match="at least one"):
        money.equal_parts(D("100"), 0, "EUR")


def test_tax_is_shared_so_that_it_adds_up():
    """MON-4: two codes of 25 % on 10.10 each have tax 5.05, not 5.06"""
    assert money.largest_remainder(D("5.05"), [D("10.10"), D("10.10")], "EUR") == [D("2.53"), D("2.52")]
    assert money.largest_remainder(D("7.58"), [D("10.10")] * 3, "EUR") == [D("2.53"), D("2.53"), D("2.52")]
    exact = [money.exact_percentage(D("10.10"), D(25))] * 2
    assert money.adding_up(D("5.05"), exact, "EUR") == [D("2.53"), D("2.52")]


def test_a_credit_is_the_mirror_image_of_its_invoice():
    """MON-4"""
    assert money.largest_remainder(D("-5.05"), [D("-10.10"), D("-10.10")], "EUR") == [D("-2.53"), D("-2.52")]
    assert money.largest_remainder(D("-5.05"), [D("10.10"), D("10.10")], "EUR") == [D("-2.53"), D("-2.52")]


def test_with_zero_weights_the_first_gets_everything():
    """MON-4"""
    assert money.largest_remainder(D("0.03"), [D(0), D(0)], "EUR") == [D("0.03"), D("0.00")]
    assert money.largest_remainder(D("0.03"), [D(5), D(-5)], "EUR") == [D("0.02"), D("0.01")]
    assert money.largest_remainder(D("3"), [D(0), D(1), D(1)], "JPY") == [D(0), D(2), D(1)]
    with pytest.raises(ValueError, match="among no shares"):
        money.largest_remainder(D("0.03"), [], "EUR")


def test_a_total_that_is_not_in_minor_units_cannot_be_shared():
    """MON-4"""
    with pytest.raises(ValueError, match="minor units"):
        money.largest_remainder(D("0.005"), [D(1)], "EUR")


def test_lines_of_mixed_signs_keep_their_own_tax():
    """MON-4: 25 % of 1000.00 and of -999.98, together 0.01"""
    exact = [D("250.00"), D("-249.995")]

    assert money.adding_up(D("0.01"), exact, "EUR") == [D("250.00"), D("-249.99")]
    assert money.adding_up(D("-0.01"), [-tax for tax in exact], "EUR") == [D("-250.00"), D("249.99")]


@given(amounts, percents(), st.integers(0, 7), currencies)
def test_splits_never_lose_or_make_a_cent(amount, shares, rounding, currency):
    """MON-3"""
    assume(rounding < len(shares))

    parts = money.split(amount, shares, rounding, currency)

    assert sum(parts) == money.rounded(amount, currency)
    assert all(part == money.rounded(part, currency) for part in parts)
    assert all(part == 0 for i, part in enumerate(parts) if shares[i] == 0 and i != rounding)
    assert money.split(-amount, shares, rounding, currency) == [-part for part in parts]


@given(quantities, prices, percents(), st.integers(0, 7), currencies)
def test_split_lines_add_up_in_quantity_and_amount(quantity, price, shares, rounding, currency):
    """MON-9"""
    assume(rounding < len(shares))

    parts = money.split_line(quantity, price, shares, rounding, currency)

    assert sum(part.quantity for part in parts) == quantity
    assert sum(part.amount for part in parts) == money.priced(quantity, price, currency)
    for i, part in enumerate(parts):
        own = money.priced(part.quantity, price, currency)
        assert abs(part.amount - own) <= (len(parts) * money.minor_unit(currency) if i == rounding else 0)


@given(amounts, st.lists(amounts, min_size=1, max_size=12), currencies)
def test_shares_by_largest_remainder_add_up(amount, weights, currency):
    """MON-4"""
    total = money.rounded(amount, currency)

    parts = money.largest_remainder(total, weights, currency)

    assert sum(parts) == total
    assert all(part == money.rounded(part, currency) for part in parts)
    assert money.largest_remainder(-total, weights, currency) == [-part for part in parts]


@given(
    st.lists(st.decimals(min_value=D(0), max_value=D("9999999"), places=4), min_size=1, max_size=12),
    amounts,
    currencies,
)
def test_each_share_is_less_than_a_minor_unit_from_its_exact_amount(weights, amount, currency):
    """MON-4"""
    assume(sum(weights) > 0)
    total = money.rounded(amount, currency)

    for part, weight in zip(money.largest_remainder(total, weights, currency), weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < money.minor_unit(currency) * sum(weights)


@given(st.lists(amounts, min_size=1, max_size=12), currencies)
def test_exact_shares_of_any_sign_add_up_near_themselves(exact, currency):
    """MON-4"""
    total = money.rounded(sum(exact), currency)

    parts = money.adding_up(total, exact, currency)

    assert sum(parts) == total
    assert all(abs(part - due) <= money.minor_unit(currency) for part, due in zip(parts, exact, strict=True))
    assert money.adding_up(-total, [-due for due in exact], currency) == [-part for part in parts]


@given(amounts, st.integers(1, 120), currencies)
def test_equal_parts_add_up(amount, n, currency):
    """MON-3"""
    parts = money.equal_parts(amount, n, currency)

    assert len(parts) == n
    assert sum(parts) == money.rounded(amount, currency)
    assert len(set(parts[:-1])) <= 1


def test_money_columns_take_no_floats_and_round_nothing(db):
    """MON-1"""
    from django.db import connection

    amount = fields.AmountField(name="amount")
    assert amount.get_db_prep_save(D("1.230000"), connection) in (D("1.23"), "1.2300")
    with pytest.raises(ValueError, match="4 decimals"):
        amount.get_db_prep_save(D("1.23456"), connection)
    with pytest.raises(ValueError, match="does not keep"):
        amount.get_db_prep_save(D("NaN"), connection)
    with pytest.raises(TypeError):
        amount.get_db_prep_save(1.5, connection)


@pytest.mark.parametrize(
    ("field", "size"),
    [
        (fields.AmountField, (19, 4)),
        (fields.PriceField, (19, 6)),
        (fields.QuantityField, (15, 4)),
        (fields.PercentField, (9, 6)),
        (fields.RateField, (18, 9)),
    ],
)
def test_column_sizes_are_defined_once(field, size):
    """MON-1"""
    _, path, args, kwargs = field().clone().deconstruct()
    assert (field().max_digits, field().decimal_places) == size
    assert (path, args, kwargs) == (f"invoicing_site.floor.fields.{field.__name__}", [], {})
