"""Creates the PDF of a posted invoice once, and stores it (DOC-1)."""

from django.db import IntegrityError

from invoicing_site.floor import audit, files, transaction
from ledger.document import drawing
from ledger.document.shown import content_of
from ledger.models import CustomerInvoice, Document


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


@transaction.atomic
def _keep(invoice, drawn):
    stored = files.store(drawn, name=drawing.file_name(invoice), media_type=drawing.PDF_TYPE)
    document = Document.objects.create(invoice=invoice, kind=Document.Kind.PDF, file=stored)
    audit.record("ledger.draw", invoice, entity=invoice.entity.code, kind=document.kind, sha256=stored.sha256)
    return document


def _drawn(invoice):
    return Document.objects.filter(invoice=invoice, kind=Document.Kind.PDF).select_related("file").first()
