"""The days of a frequency."""

import datetime
from itertools import islice

import pytest
from django.core.exceptions import ValidationError

from contracts.frequencies import cutoff_of, days_of
from contracts.models import InvoiceFrequency

WEEKLY, MONTHLY, WEEKDAY = "weekly", "monthly", "weekday"


def first(n, start, **fields):
    frequency = InvoiceFrequency(**fields)
    return [f"{day:%Y-%m-%d}" for day in islice(days_of(frequency, datetime.date.fromisoformat(start)), n)]


def test_weekly_on_a_weekday():
    """SCH-1: 1 January 2025 is a Wednesday."""
    assert first(3, "2025-01-01", rhythm=WEEKLY, weekday=0) == ["2025-01-06", "2025-01-13", "2025-01-20"]
    assert first(2, "2025-01-01", rhythm=WEEKLY, weekday=2) == ["2025-01-01", "2025-01-08"]


def test_every_two_weeks():
    """SCH-1"""
    assert first(3, "2025-01-01", rhythm=WEEKLY, every=2, weekday=4) == [
        "2025-01-03",
        "2025-01-17",
        "2025-01-31",
    ]


def test_monthly():
    """SCH-1"""
    assert first(3, "2025-01-15", rhythm=MONTHLY, days="1") == ["2025-02-01", "2025-03-01", "2025-04-01"]
    assert first(1, "2025-01-01", rhythm=MONTHLY, days="1") == ["2025-01-01"]


def test_twice_a_month():
    """SCH-1"""
    assert first(4, "2025-01-10", rhythm=MONTHLY, days="16, 1") == [
        "2025-01-16",
        "2025-02-01",
        "2025-02-16",
        "2025-03-01",
    ]


def test_the_31st_is_the_last_day_of_any_month():
    """SCH-1"""
    assert first(4, "2024-01-31", rhythm=MONTHLY, days="31") == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
    ]
    assert first(3, "2025-02-01", rhythm=MONTHLY, days="30,31") == ["2025-02-28", "2025-03-30", "2025-03-31"]


def test_quarterly_counts_from_the_month_of_the_start():
    """SCH-1"""
    assert first(3, "2025-02-01", rhythm=MONTHLY, every=3, days="1") == [
        "2025-02-01",
        "2025-05-01",
        "2025-08-01",
    ]
    assert first(2, "2025-11-20", rhythm=MONTHLY, every=3, days="1") == ["2026-02-01", "2026-05-01"]


def test_the_second_tuesday_and_the_last_friday():
    """SCH-1"""
    assert first(3, "2025-01-01", rhythm=WEEKDAY, weekday=1, nth=2) == [
        "2025-01-14",
        "2025-02-11",
        "2025-03-11",
    ]
    assert first(3, "2025-01-01", rhythm=WEEKDAY, weekday=4, nth=-1) == [
        "2025-01-31",
        "2025-02-28",
        "2025-03-28",
    ]
    assert first(1, "2025-01-15", rhythm=WEEKDAY, weekday=1, nth=2) == ["2025-02-11"]
    assert first(1, "2025-09-01", rhythm=WEEKDAY, weekday=0, nth=1) == ["2025-09-01"]


def test_days_end_where_dates_end():
    assert first(9, "9999-12-20", rhythm=MONTHLY, days="24") == ["9999-12-24"]
    assert first(9, "9999-12-20", rhythm=WEEKLY, weekday=4) == ["9999-12-24", "9999-12-31"]


@pytest.mark.parametrize("wrong", ["0", "32", "1;16", "first", "1,,2", "-1", "1.5"])
def test_invalid_days_are_refused(wrong):
    """SCH-1"""
    with pytest.raises(ValidationError):
        InvoiceFrequency(rhythm=MONTHLY, days=wrong).clean()


def test_days_can_have_spaces():
    frequency = InvoiceFrequency(rhythm=MONTHLY, days=" 16 , 1 ")
    frequency.clean()

    assert frequency.day_numbers == [1, 16]


def test_days_at_the_end_of_short_months():
    """SCH-1: the 29th and the 30th of February are its last day, once, in leap years and others."""
    assert first(3, "2024-01-30", rhythm=MONTHLY, days="30") == ["2024-01-30", "2024-02-29", "2024-03-30"]
    assert first(3, "2025-01-30", rhythm=MONTHLY, days="29") == ["2025-02-28", "2025-03-29", "2025-04-29"]
    assert first(4, "2024-02-01", rhythm=MONTHLY, days="29,30,31") == [
        "2024-02-29",
        "2024-03-29",
        "2024-03-30",
        "2024-03-31",
    ]
    assert first(3, "2024-02-29", rhythm=MONTHLY, every=12, days="29") == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
    ]


def test_quarters_that_begin_on_the_last_day_of_a_month():
    """SCH-1"""
    assert first(4, "2024-11-30", rhythm=MONTHLY, every=3, days="31") == [
        "2024-11-30",
        "2025-02-28",
        "2025-05-31",
        "2025-08-31",
    ]


def test_the_cutoff_is_the_day_before_or_the_run_day():
    """SCH-1"""
    run_day = datetime.date(2024, 2, 29)

    assert cutoff_of(InvoiceFrequency(), run_day) == datetime.date(2024, 2, 28)
    assert cutoff_of(InvoiceFrequency(cutoff_on_run_day=True), run_day) == run_day
    assert cutoff_of(InvoiceFrequency(), datetime.date(2024, 3, 1)) == run_day
