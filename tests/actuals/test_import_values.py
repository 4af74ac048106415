"""The value of one cell of a file, and cells that are ambiguous."""

import datetime
from decimal import Decimal

import pytest

from actuals.importing.values import Invalid, date_format_of, date_of, hours_of, number_of, prose_of, text_of


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("7.5", "7.5"),
        ("7,5", "7.5"),
        (",5", "0.5"),
        (".25", "0.25"),
        ("8", "8"),
        ("8.", "8"),
        (" 8 ", "8"),
        ("+8", "8"),
        ("-7,5", "-7.5"),
        ("\u22127.5", "-7.5"),
        ("0,125", "0.125"),
        ("1234,567", "1234.567"),
        ("1.125", "1.125"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234,567", "1234.567"),
        ("1\u202f234", "1234"),
        ("1'234.50", "1234.50"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        (8, "8"),
        (7.5, "7.5"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "1e-7"),
    ],
)
def test_numbers_as_people_write_them(cell, number):
    """IMP-1"""
    assert number_of(cell) == Decimal(number)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "abc",
        "7,5 h",
        "1,2,3",
        "1.2.3",
        "12,34.5",
        "1,23,456",
        "--5",
        "1e3",
        "NaN",
        "Infinity",
        "٣",
        "7½",
        "9" * 41,
        True,
        float("nan"),
        float("inf"),
        datetime.date(2025, 1, 1),
    ],
)
def test_cells_that_are_not_numbers(cell):
    """IMP-1"""
    with pytest.raises(Invalid, match="is not a number"):
        number_of(cell)


@pytest.mark.parametrize("cell", ["1,234", "12,345", "-999,000"])
def test_a_comma_that_could_separate_thousands_is_refused(cell):
    """IMP-1"""
    with pytest.raises(Invalid, match="can be read in two ways"):
        number_of(cell)


@pytest.mark.parametrize(
    ("cell", "sign", "number"),
    [
        ("1,234", ",", "1.234"),
        ("1.234", ",", "1234"),
        ("1.234,5", ",", "1234.5"),
        ("1,234", ".", "1234"),
        ("1,234.5", ".", "1234.5"),
        ("7.5", ",", None),
        ("7,5", ".", None),
        ("1.234.5", ",", None),
    ],
)
def test_the_decimal_separator_can_be_set(cell, sign, number):
    """IMP-1"""
    if number is None:
        with pytest.raises(Invalid):
            number_of(cell, sign)
    else:
        assert number_of(cell, sign) == Decimal(number)


@pytest.mark.parametrize(
    ("cell", "hours"),
    [
        ("7:30", "7.5"),
        ("07:30:00", "7.5"),
        ("0:20", "0.3333"),
        ("26:15", "26.25"),
        ("7,5", "7.5"),
        (datetime.time(7, 30), "7.5"),
        (datetime.timedelta(hours=26, minutes=15), "26.25"),
        (datetime.timedelta(days=-1, hours=23), "-1"),
        (datetime.timedelta(seconds=1799, microseconds=997_120), "0.5"),
        (datetime.timedelta(seconds=1799), "0.4997"),
        ("1h 30m", "1.5"),
        ("1 hour 30 minutes", "1.5"),
        ("1 hour, 30 minutes and 36 seconds", "1.51"),
        ("90 min", "1.5"),
        ("90m", "1.5"),
        ("1.5h", "1.5"),
        ("8,0 timer", "8"),
        ("2 Std.", "2"),
        ("1.234 h", "1.234"),
        ("PT1H30M", "1.5"),
        ("PT90M", "1.5"),
        ("P0Y0M0DT1H30M0S0F", "1.5"),
        ("P1DT2H", "26"),
    ],
)
def test_hours_as_times_and_as_words(cell, hours):
    """IMP-1"""
    assert hours_of(cell) == Decimal(hours)


@pytest.mark.parametrize(
    ("cell", "in_an_hour", "hours"),
    [(480, 60, "8"), ("20", 60, "0.3333"), (5400.0, 3600, "1.5"), ("1:30", 60, "1.5"), ("2 h", 60, "2")],
)
def test_a_number_is_in_the_unit_of_its_column(cell, in_an_hour, hours):
    """IMP-1: times and words have their own unit."""
    assert hours_of(cell, "", in_an_hour).quantize(Decimal("0.0001")) == Decimal(hours)


@pytest.mark.parametrize("cell", ["1d 2h", "2 days", "1 w"])
def test_a_duration_in_days_is_refused(cell):
    """IMP-1"""
    with pytest.raises(Invalid, match="the length of a working day is not known"):
        hours_of(cell)


@pytest.mark.parametrize(
    "cell",
    [
        *("7:60", "7:5", "seven", "1h 90m", "30m 1h", "1 h h", "P", "PT", "P1M"),
        datetime.datetime(1900, 1, 1, 6),  # noqa: DTZ001
    ],
)
def test_cells_that_are_not_hours(cell):
    """IMP-1"""
    with pytest.raises(Invalid, match="not a number of hours: write 7.5 or 7:30"):
        hours_of(cell)


@pytest.mark.parametrize(
    ("cell", "date_format", "day"),
    [
        ("2025-03-31", "", (2025, 3, 31)),
        (" 2025-03-31 ", "", (2025, 3, 31)),
        ("2025-03-31T23:59:59+02:00", "", (2025, 3, 31)),
        ("2025-03-31 00:00:00", "", (2025, 3, 31)),
        (datetime.datetime(2025, 3, 31, 23, 59), "", (2025, 3, 31)),  # noqa: DTZ001
        (datetime.date(2025, 3, 31), "%d.%m.%Y", (2025, 3, 31)),
        ("31.03.2025", "%d.%m.%Y", (2025, 3, 31)),
        ("05-Feb-04", "%d-%b-%y", (2004, 2, 5)),
    ],
)
def test_dates(cell, date_format, day):
    """IMP-1"""
    assert date_of(cell, date_format) == datetime.date(*day)


@pytest.mark.parametrize(
    ("cell", "date_format"),
    [
        ("31.03.2025", ""),
        ("03/04/2025", ""),
        ("20250331", ""),
        ("2025-02-30", ""),
        ("0000-01-01", ""),
        ("2025-03-31", "%d.%m.%Y"),
        ("31.02.2025", "%d.%m.%Y"),
        (45000, ""),
        (45000.0, "%d.%m.%Y"),
        (True, ""),
    ],
)
def test_cells_that_are_not_dates(cell, date_format):
    """IMP-1"""
    with pytest.raises(Invalid, match="is not a date"):
        date_of(cell, date_format)


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("DD.MM.YYYY", "%d.%m.%Y"),
        ("YYYY-MM-DD", "%Y-%m-%d"),
        ("DD-MMM-YY", "%d-%b-%y"),
        ("MM/DD/YYYY", "%m/%d/%Y"),
        ("%d.%m.%Y", "%d.%m.%Y"),
    ],
)
def test_a_date_format_in_words(text, date_format):
    assert date_format_of(text) == date_format


@pytest.mark.parametrize("text", ["DD.MM", "%Y", "%Y%Y", "%", "%q", "date", "%H:%M", "\ud800"])
def test_a_format_must_include_the_day(text):
    with pytest.raises(ValueError, match=r".*"):
        date_format_of(text)


def test_cells_as_text():
    assert text_of(" a\u00a0 b\n c\x00\ufeff ") == "a b c"
    assert text_of(1001) == "1001"
    assert text_of(1001.0) == "1001"
    assert text_of(7.25) == "7.25"
    assert text_of(None) == ""
    assert text_of(datetime.datetime(2025, 3, 31)) == "2025-03-31"  # noqa: DTZ001
    assert prose_of(" one\r\ntwo\x07\ud800 ") == "one\ntwo"
