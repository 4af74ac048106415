"""Drawing the PDF of a posted invoice, once, and keeping it (DOC-1)."""

from django.db import IntegrityError

from invoicing_site.floor import audit, files, transaction
from ledger.document import drawing
from ledger.document.shown import content_of
from ledger.models import CustomerInvoice, Document


def draw(invoice: CustomerInvoice) -> Document:
    """Draw the PDF and keep it; a second drawing, also one at the same moment, returns the first.

    Drawing takes its time, so it happens outside the transaction that keeps the result. Refused where the
    libraries for PDF are missing.
    """
    if first := _drawn(invoice):
        return first
    drawn = drawing.pdf(content_of(invoice))
    files.write(drawn)  # before the transaction: a bucket may take its time
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
