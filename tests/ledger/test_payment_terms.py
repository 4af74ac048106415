"""When an invoice is due."""

import datetime

import pytest

from contracts.models import PaymentTerm
from ledger.payment_terms import due_date

NET, END_OF_MONTH, DAY_OF_MONTH, IMMEDIATE = PaymentTerm.Method


def day(text):
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("method", "days", "day_of_month", "invoiced", "due"),
    [
        (NET, 14, None, "2025-03-20", "2025-04-03"),
        (NET, 30, None, "2025-01-31", "2025-03-02"),
        (NET, 30, None, "2024-01-31", "2024-03-01"),
        (NET, 0, None, "2025-03-20", "2025-03-20"),
        (END_OF_MONTH, 0, None, "2025-02-10", "2025-02-28"),
        (END_OF_MONTH, 0, None, "2025-02-28", "2025-02-28"),
        (END_OF_MONTH, 15, None, "2025-02-10", "2025-03-15"),
        (END_OF_MONTH, 30, None, "2025-12-31", "2026-01-30"),
        (DAY_OF_MONTH, 0, 20, "2025-03-10", "2025-03-20"),
        (DAY_OF_MONTH, 0, 20, "2025-03-19", "2025-03-20"),
        (DAY_OF_MONTH, 0, 20, "2025-03-20", "2025-04-20"),
        (DAY_OF_MONTH, 0, 20, "2025-12-21", "2026-01-20"),
        (DAY_OF_MONTH, 0, 31, "2025-01-31", "2025-02-28"),
        (DAY_OF_MONTH, 0, 31, "2025-02-27", "2025-02-28"),
        (DAY_OF_MONTH, 0, 30, "2024-02-10", "2024-02-29"),
        (DAY_OF_MONTH, 14, 20, "2025-03-10", "2025-04-20"),
        (DAY_OF_MONTH, 10, 20, "2025-03-10", "2025-03-20"),
        (IMMEDIATE, 30, None, "2025-03-20", "2025-03-20"),
    ],
)
def test_the_due_date_follows_the_terms(method, days, day_of_month, invoiced, due):
    """PRP-9"""
    term = PaymentTerm(method=method, days=days, day_of_month=day_of_month)

    assert due_date(term, day(invoiced)) == day(due)


def test_without_terms_an_invoice_is_due_at_once():
    """PRP-9"""
    assert due_date(None, day("2025-03-20")) == day("2025-03-20")
