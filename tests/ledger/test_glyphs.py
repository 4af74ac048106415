"""What the fonts of the document can't draw is refused by name, before anything is posted."""

import datetime

import pytest
from django.urls import reverse

from invoicing_site.errors import Refused
from ledger import glyphs
from ledger.checks import check
from ledger.models import CustomerInvoice
from ledger.operations.posting import post
from ledger.operations.proposals import edit_header
from ledger.translations import Words
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def no1():
    return factories.company()


@pytest.fixture
def contract(no1):
    return factories.contract(no1, confirmed=True)


def missing(proposal, on=MARCH_31):
    return [(r.message, r.remedy) for r in check(proposal, on=on) if r.code == "GLYPH-MISSING"]


def test_the_field_and_its_characters_are_named(no1, contract):
    """DOC-5"""
    no1.customer.name = "Αθήνα AS"
    no1.customer.save()
    proposal = proposed(no1, work(no1, contract))
    assert missing(proposal) == [
        (
            "The buyer name can't be printed: the fonts of the document lack “Α” GREEK CAPITAL LETTER ALPHA "
            "(U+0391), “θ” GREEK SMALL LETTER THETA (U+03B8), “ή” GREEK SMALL LETTER ETA WITH TONOS (U+03AE) "
            "and others. Write it in other letters.",
            reverse("admin:contracts_customer_change", args=[no1.customer.pk]),
        )
    ]
    with pytest.raises(Refused, match="The buyer name can't be printed") as refused:
        post(proposal, by=no1.accountant, on=MARCH_31)
    assert refused.value.code == "GLYPH-MISSING"
    assert not CustomerInvoice.objects.exists()


def test_lines_and_texts_are_looked_at_too(no1, contract):
    """DOC-5: of lines that hold the same the first is named."""
    items = [work(no1, contract, description="10 ‰ off", date=datetime.date(2025, 3, day)) for day in (3, 4)]
    proposal = proposed(no1, *items)
    edit_header(proposal, by=no1.accountant, footer_text="Thank you ★")
    sentences = [sentence for sentence, _ in missing(proposal)]
    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "The footer text can't be printed",
        "The description of line 1 can't be printed",
    ]
    assert "“‰” PER MILLE SIGN (U+2030)" in sentences[1]


@pytest.mark.parametrize(
    "text", ["Ærlig Øl & Čevapčići Š.A. – “x” € 5\u00a0000", "cafe\u0301\nligne 2\t½ × ²"]
)
def test_letters_of_europe_are_drawn(text):
    """DOC-5: letters with a mark of their own count as the one letter they are drawn as."""
    assert glyphs.undrawn(text) == ""


@pytest.mark.parametrize("language", ["en", "nb"])
def test_every_word_of_our_own_is_drawn(language):
    """DOC-5"""
    texts = "".join(str(text) for text in Words(language).texts.values())
    assert len(texts) > 500
    assert glyphs.undrawn(texts) == ""
