"""Characters that the fonts of the document can't print are refused by name before posting."""

import datetime

import pytest
from django.urls import reverse

from contracts.models import LegalEntity, Project
from invoicing_site.floor.errors import Refused
from invoicing_site.screens.remedies import address_of
from ledger.document import glyphs
from ledger.document.translations import Words
from ledger.invoicing.checks import check
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import edit_header
from ledger.models import CustomerInvoice
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


def missing(proposal, on=MARCH_31):
    return [(r.message, r.remedy) for r in check(proposal, on=on) if r.code == "GLYPH-MISSING"]


def test_the_field_and_its_characters_are_named(no1, contract):
    """DOC-5"""
    no1.customer.name = "Αθήνα AS"
    no1.customer.save()
    proposal = proposed(no1, work(no1, contract))
    assert missing(proposal) == [
        (
            "The field “buyer name” can't be printed: the fonts of the document don't have “Α” GREEK CAPITAL "
            "LETTER ALPHA (U+0391), “θ” GREEK SMALL LETTER THETA (U+03B8), “ή” GREEK SMALL LETTER ETA WITH "
            "TONOS (U+03AE) and …. Return the proposal, so that the project manager can write it in other "
            "letters on the draft.",
            reverse("return_proposal", args=[proposal.pk]),
        )
    ]
    with pytest.raises(Refused, match="The field “buyer name” can't be printed") as refused:
        post(proposal, by=no1.accountant, on=MARCH_31)
    assert refused.value.code == "GLYPH-MISSING"
    assert not CustomerInvoice.objects.exists()


def test_lines_and_texts_are_checked_too(no1, contract):
    """DOC-5: of several lines with the same text, the first one is named."""
    items = [work(no1, contract, description="10 ‰ off", date=datetime.date(2025, 3, day)) for day in (3, 4)]
    proposal = proposed(no1, *items)
    edit_header(proposal, by=no1.accountant, footer_text="Thank you ★")
    sentences = [sentence for sentence, _ in missing(proposal)]
    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "The field “footer text” can't be printed",
        "The field “description” of line 1 can't be printed",
    ]
    assert "“‰” PER MILLE SIGN (U+2030)" in sentences[1]


def test_each_field_links_to_the_page_where_it_can_be_changed(no1, contract, client):
    """DOC-5 MON-8: texts of the proforma can be changed after a return, others where they are entered."""
    LegalEntity.objects.update(street="★ 1")
    Project.objects.update(name="★ 2")
    proposal = proposed(no1, work(no1, contract, description="★ 3"))
    edit_header(proposal, by=no1.accountant, place_of_delivery="★ 4")
    proposal.sections.update(title="★ 5")

    found = {sentence[10:].partition(" can't")[0]: remedy for sentence, remedy in missing(proposal)}
    assert found == {
        "“seller street”": reverse("admin:contracts_legalentity_change", args=[no1.entity.pk]),
        "“project” of line 1": "admin:contracts_project_changelist",
        "“description” of line 1": reverse("return_proposal", args=[proposal.pk]),
        "“place of delivery”": reverse("edit_proposal", args=[proposal.pk]),
        "“section title” of line 1": reverse("proposal_sections", args=[proposal.pk]),
    }
    assert all(map(address_of, found.values()))
    client.force_login(no1.accountant)
    shown = client.get(proposal.get_absolute_url()).content.decode()
    edit = reverse("edit_proposal", args=[proposal.pk])
    assert f'Write it in other letters in the header. <a href="{edit}">Edit the header</a>' in shown
    assert '<span class="muted">GLYPH-MISSING</span>' in shown
    assert "Go there" not in shown


@pytest.mark.parametrize(
    "text", ["Ærlig Øl & Čevapčići Š.A. – “x” € 5\u00a0000", "cafe\u0301\nligne 2\t½ × ²"]
)
def test_letters_of_europe_can_be_printed(text):
    """DOC-5: a letter and a separate accent count as the one letter that is printed."""
    assert glyphs.undrawn(text) == ""


@pytest.mark.parametrize("language", ["en", "nb"])
def test_all_our_own_words_can_be_printed(language):
    """DOC-5"""
    texts = "".join(str(text) for text in Words(language).texts.values())
    assert len(texts) > 500
    assert glyphs.undrawn(texts) == ""
