"""Sentences begin with a capital, also if they begin with a value."""

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage

from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused
from invoicing_site.screens.operations import Answer, show_answer
from ledger.invoicing.checks import CheckResult


@pytest.mark.parametrize(
    ("words", "begin"),
    [
        ("proforma PF-1 is confirmed.", "Proforma PF-1 is confirmed."),
        ("proposal: nothing", "Proposal: nothing"),
        ("Proforma PF-1", "Proforma PF-1"),
        ("c-1 Harbour is confirmed.", "c-1 Harbour is confirmed."),
        ("hours.csv adds nothing.", "hours.csv adds nothing."),
        ("8 h are left.", "8 h are left."),
        ("“x” is no day.", "“x” is no day."),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital(words, begin):
    """A word that is not plain is a name or a code, and keeps its case."""
    assert wording.capital(words) == begin


def test_refusals_messages_and_checks_begin_with_a_capital(rf):
    """Sentences that begin with the name of a row."""
    refusal = Refused("PROFORMA-EMPTY", proforma="proforma PF-1")
    assert str(refusal) == "Proforma PF-1 is empty. Add details, or delete it."
    assert CheckResult("X", "error", refusal.reason).message == str(refusal)
    request = rf.get("/")
    request.session = {}
    request._messages = FallbackStorage(request)
    show_answer(request, "proforma PF-1 is made out to the customer.")
    show_answer(request, Answer("proforma PF-1 is in review.", left={"on hold": 1}))
    assert [str(each) for each in get_messages(request)] == [
        "Proforma PF-1 is made out to the customer.",
        "Proforma PF-1 is in review. Not changed: 1 on hold.",
    ]
