"""The due date of an invoice."""

import datetime

import pytest

from contracts.models import PaymentTerm
from ledger.document.translations import TEXTS, Words
from ledger.invoicing.payment_terms import due_date, in_words
from ledger.setup import standard

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


@pytest.mark.parametrize(
    ("method", "days", "day_of_month", "english", "norwegian"),
    [
        (NET, 30, None, "30 days net", "Netto 30 dager"),
        (NET, 1, None, "1 day net", "Netto 1 dag"),
        (NET, 0, None, "Due immediately", "Forfaller straks"),
        (IMMEDIATE, 30, None, "Due immediately", "Forfaller straks"),
        (END_OF_MONTH, 30, None, "30 days from the end of the month", "30 dager fra månedens slutt"),
        (END_OF_MONTH, 0, None, "By the end of the month", "Innen månedens slutt"),
        (DAY_OF_MONTH, 0, 20, "On day 20 of the month", "Den 20. i måneden"),
        (
            DAY_OF_MONTH,
            10,
            20,
            "On day 20 of the month, after 10 days at the earliest",
            "Den 20. i måneden, tidligst etter 10 dager",
        ),
    ],
)
def test_the_terms_are_in_the_customers_language(method, days, day_of_month, english, norwegian):
    """PRP-9 DOC-1: regardless of their name in the set-up."""
    term = PaymentTerm(name="Standard", method=method, days=days, day_of_month=day_of_month)

    assert [in_words(term, Words(language)) for language in ("en", "nb")] == [english, norwegian]
    assert in_words(None, Words("nb")) == ""


def test_the_standard_legal_texts_are_available_in_every_language():
    """PST-4 DOC-4"""
    shipped = {text for *_, text in standard.TAX_CODES.values() if text}

    assert [sorted(shipped - texts.keys()) for texts in TEXTS.values()] == [[], []]
    assert Words("nb").of_setup("Reverse charge") == "Omvendt avgiftsplikt"
    assert Words("nb").of_setup("Fritatt etter § 6-22.") == "Fritatt etter § 6-22."
