"""Amounts, numbers and dates in the formats of pages; each expected text is a literal."""

import datetime
from decimal import Decimal

import pytest
from babel import Locale

from invoicing_site.floor import formatting
from invoicing_site.templatetags import ledgerline as tags

NOV_20 = datetime.date(2026, 11, 20)


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1234.5", "NOK", "1,234.50"),
        ("1234.5000", "EUR", "1,234.50"),
        ("-1234.5", "NOK", "−1,234.50"),
        ("0", "NOK", "0.00"),
        ("-0.00", "NOK", "0.00"),
        ("1200.0000", "JPY", "1,200"),
        ("0", "JPY", "0"),
        ("1200.0000", "KWD", "1,200.000"),
        ("0.1255", "KWD", "0.1255"),  # nothing is hidden
        ("1.23456", "NOK", "1.23456"),
        ("1200", "", "1,200.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(value, currency, text):
    """MON-1"""
    assert formatting.amount(Decimal(value), currency) == text


def test_an_amount_is_shown_with_its_currency():
    assert formatting.currency_first(Decimal("1200"), "JPY") == "JPY 1,200"
    assert formatting.currency_last(Decimal("1200"), "JPY") == "1,200 JPY"
    assert formatting.currency_last(Decimal("12.5"), "KWD") == "12.500 KWD"


@pytest.mark.parametrize(
    ("value", "text"),
    [("1200.000000", "1,200"), ("133.33", "133.33"), ("-0.5", "−0.5"), ("1E+3", "1,000"), ("0.00", "0")],
)
def test_a_number_has_no_zeros_at_its_end(value, text):
    assert formatting.number(Decimal(value)) == text


@pytest.mark.parametrize(("value", "text"), [("1200.50", "1200.5"), ("-3", "-3"), ("1E+3", "1000")])
def test_a_typed_number_has_no_commas(value, text):
    assert formatting.typed(Decimal(value)) == text


def test_quantities_and_percentages_have_four_decimals_at_most():
    assert formatting.quantity(Decimal("12.33333")) == "12.3333"
    assert formatting.percent(Decimal("33.333333")) == "33.3333 %"
    assert formatting.margin(Decimal("-12.25")) == "−12.3 %"
    assert formatting.count(12000) == "12,000"
    assert formatting.change(Decimal("1200"), 2) == "+1,200.00"
    assert formatting.change(Decimal("-1200"), 0) == "−1,200"


@pytest.mark.parametrize(
    ("value", "text"), [(1_500_000, "1.5M"), (200_000, "200k"), (-50, "−50"), (0, "0"), (2 * 10**9, "2G")]
)
def test_the_scale_of_a_chart_is_short(value, text):
    assert formatting.short(Decimal(value)) == text


def test_a_day_is_unambiguous():
    assert formatting.day(NOV_20) == "20 Nov 2026"
    assert formatting.day(datetime.date(999, 1, 2)) == "2 Jan 0999"
    assert formatting.weekday(NOV_20) == "Fri 20"
    assert formatting.long_day(NOV_20) == "Friday 20 November"
    assert formatting.month(NOV_20) == "November 2026"
    assert formatting.short_month(NOV_20) == "Nov 2026"
    assert (
        formatting.moment(datetime.datetime(2026, 11, 20, 9, 5, tzinfo=datetime.UTC)) == "20 Nov 2026 09:05"
    )
    assert (
        formatting.stamp(datetime.datetime(2026, 11, 20, 9, 5, 7, tzinfo=datetime.UTC))
        == "20 Nov 2026 09:05:07"
    )
    assert formatting.span(NOV_20, None) == "from 20 Nov 2026"
    assert formatting.span(None, None) == "on any day"


@pytest.mark.parametrize(
    ("language", "amount", "yen", "percent", "day"),
    [
        ("nb", "1\xa0234,50", "1\xa0200", "12,5\xa0%", "20. nov. 2026"),
        ("de", "1.234,50", "1.200", "12,5\xa0%", "20.11.2026"),
        ("en_GB", "1,234.50", "1,200", "12.5\xa0%", "20 Nov 2026"),
    ],
)
def test_a_document_writes_them_as_its_language_does(language, amount, yen, percent, day):
    locale = Locale.parse(language)
    assert formatting.amount(Decimal("1234.5"), "NOK", locale=locale) == amount
    assert formatting.amount(Decimal("1200.0000"), "JPY", locale=locale) == yen
    assert formatting.percent(Decimal("12.5"), locale=locale) == percent
    assert formatting.day(NOV_20, locale=locale) == day


def test_a_price_on_a_page_has_the_decimals_of_its_currency():
    assert tags.price(Decimal("1200.000000"), "JPY") == "1,200"
    assert tags.price(Decimal("1200.000000"), "KWD") == "1,200.000"
    assert tags.price(Decimal("133.333333"), "NOK") == "133.333333"
    assert tags.rate(Decimal("11")) == "11.00"
