"""The queue of the posted invoices that wait for their PDF."""

import json

import pytest
from django.core.management import call_command

from invoicing_site.verify import findings
from ledger.document import operations
from ledger.document.operations import draw
from ledger.invoicing.operations.posting import post
from ledger.models import InvoiceToDocument
from tests.factories import contract
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def posted(no1, monkeypatch):
    """Two posted invoices; no real PDFs."""
    monkeypatch.setattr("ledger.document.drawing.pdf", lambda content: b"%PDF-1.7")
    deal = contract(no1, confirmed=True)
    return [post(proposed(no1, work(no1, deal)), by=no1.accountant, on=MARCH_31) for _ in range(2)]


def waiting():
    return list(InvoiceToDocument.objects.order_by("pk").values_list("invoice", flat=True))


def test_a_posted_invoice_waits_until_its_pdf_is_stored(posted):
    """DOC-1"""
    first, second = posted
    assert waiting() == [first.pk, second.pk]
    draw(first)
    assert waiting() == [second.pk]
    operations.draw_waiting(200)
    assert waiting() == []
    assert (first.documents.count(), second.documents.count()) == (1, 1)


def test_verifying_names_what_is_not_queued_and_rebuilding_repairs_it(no1, posted, capsys):
    """DOC-1: one invoice lost its row, one got another although it has a PDF."""
    has_one, lost = posted
    draw(has_one)
    InvoiceToDocument.objects.all().delete()
    InvoiceToDocument.objects.create(invoice=has_one, entity=no1.entity)

    assert [found.sentence for found in findings(no1.entity) if found.code == "QUEUE"] == [
        f"Invoice {lost.pk} neither waits for a document nor has one.",
        f"Invoice {has_one.pk} is in the queue for a document, but does not need one.",
    ]
    call_command("rebuild_queues", "--entity", "NO1", "--json")
    assert json.loads(capsys.readouterr().out)["queues"][2] == {"queue": "document", "added": 1, "removed": 1}
    assert waiting() == [lost.pk]
