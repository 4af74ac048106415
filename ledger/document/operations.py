"""Creates the PDF of a posted invoice once, and stores it (DOC-1)."""

import logging
from collections.abc import Iterable

from django.db import IntegrityError

from invoicing_site.floor import audit, files, queues, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import write_rows
from invoicing_site.floor.reasons import Reason
from ledger.document import drawing
from ledger.document.shown import content_of
from ledger.models import CustomerInvoice, Document, InvoiceToDocument

logger = logging.getLogger(__name__)


def draw(invoice: CustomerInvoice) -> Document:
    """Create the PDF and store it; a second call, also at the same time, returns the first PDF.

    Creating it is slow, so it is done outside the transaction that stores it. Refused (PDF-LIBRARIES) if the
    system libraries are missing.
    """
    if first := _drawn(invoice):
        return first
    drawn = drawing.pdf(content_of(invoice))
    files.write(drawn)  # before the transaction: a bucket may be slow
    try:
        return _keep(invoice, drawn)
    except IntegrityError:
        if first := _drawn(invoice):
            return first
        raise


def wait_for_document(invoices: Iterable[CustomerInvoice]) -> None:
    """Add these invoices to the queue for documents, in the transaction that posts them."""
    rows = [InvoiceToDocument(invoice_id=each.pk, entity_id=each.entity_id) for each in invoices]
    write_rows(InvoiceToDocument, rows)


def draw_waiting(most: int) -> None:
    """Create the PDFs of invoices that wait, at most so many; one that fails does not stop the others.

    An invoice whose PDF failed is tried again after a pause. If the system libraries are missing, no other
    PDF can be created either.
    """
    waiting = InvoiceToDocument.objects.due().select_related("invoice").order_by("pk")[:most]
    for invoice in [row.invoice for row in waiting]:
        try:
            draw(invoice)
        except Refused as refusal:
            logger.warning("%s: %s", invoice, refusal)
            if refusal.code == "PDF-LIBRARIES":
                return
            _try_later(invoice, refusal.reason)
        except Exception:
            logger.exception("The document of %s could not be created.", invoice)
            _try_later(invoice, Reason("DOCUMENT-FAILED"))


@transaction.atomic
def _try_later(invoice, reason):
    queues.keep_waiting(InvoiceToDocument, {invoice.pk: reason})


@transaction.atomic
def _keep(invoice, drawn):
    stored = files.store(drawn, name=drawing.file_name(invoice), media_type=drawing.PDF_TYPE)
    document = Document.objects.create(invoice=invoice, kind=Document.Kind.PDF, file=stored)
    queues.leave(InvoiceToDocument, [invoice.pk])
    audit.record("ledger.draw", invoice, entity=invoice.entity.code, kind=document.kind, sha256=stored.sha256)
    return document


def _drawn(invoice):
    return Document.objects.filter(invoice=invoice, kind=Document.Kind.PDF).select_related("file").first()
