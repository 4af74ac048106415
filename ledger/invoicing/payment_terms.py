"""The due date and the payment terms of an invoice (PRP-9)."""

import calendar
import datetime

from contracts.models import PaymentTerm
from ledger.document.translations import Words

_Method = PaymentTerm.Method


def due_date(term: PaymentTerm | None, invoice_date: datetime.date) -> datetime.date:
    """The due date of an invoice of that date; without a term it is due at once.

    A fixed day of the month is the first such day after the invoice date and after the term's days. In a
    shorter month it is the last day.
    """
    if term is None or term.method == _Method.IMMEDIATE:
        return invoice_date
    if term.method == _Method.END_OF_MONTH:
        return _last_day(invoice_date) + datetime.timedelta(days=term.days)
    if term.method == _Method.DAY_OF_MONTH:
        return _day_of_month(term.day_of_month, invoice_date + datetime.timedelta(days=max(term.days, 1)))
    return invoice_date + datetime.timedelta(days=term.days)


def in_words(term: PaymentTerm | None, words: Words) -> str:
    """The term in the customer's language; its name in the set-up is internal."""
    if term is None:
        return ""
    days = words.say("terms_day" if term.days == 1 else "terms_days", term.days)
    if term.method == _Method.END_OF_MONTH:
        return words.say("terms_end_of_month", days) if term.days else words["terms_by_end_of_month"]
    if term.method == _Method.DAY_OF_MONTH:
        by_day = words.say("terms_day_of_month", term.day_of_month)
        return words.say("terms_at_least", by_day, days) if term.days else by_day
    if term.method == _Method.IMMEDIATE or not term.days:
        return words["terms_immediate"]
    return words.say("terms_net", days)


def _day_of_month(number, earliest):
    last = _last_day(earliest)
    day = earliest.replace(day=min(number, last.day))
    if day >= earliest:
        return day
    last = _last_day(last + datetime.timedelta(days=1))
    return last.replace(day=min(number, last.day))


def _last_day(day):
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
