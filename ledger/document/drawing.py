"""Renders the document of an invoice as HTML and PDF, from its content only (DOC-1).

WeasyPrint needs system libraries and is imported only when a PDF is created.
"""

import atexit
import re
import threading
import unicodedata
from functools import cache
from urllib.parse import urljoin

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from ledger.document.shown import LOGO_URL, Content, page
from ledger.models import CustomerInvoice

PDF_TYPE = "application/pdf"
_BASE = "ledgerline:/documents/"
_CSS = "documents/invoice.css"
# Static faces of the weights in the style sheet: with a variable font, a page takes twice the time.
FONTS = tuple(
    f"fonts/inter-{part}-{weight}.ttf" for weight in (300, 400, 500, 600) for part in ("latin", "latin-ext")
)
_loaded = threading.local()
atexit.register(lambda: vars(_loaded).clear())  # before WeasyPrint's modules are gone


def preview(invoice, lines, taxes, references=()) -> bytes:
    """The PDF of an invoice that is not posted, marked as proforma (PRP-3). The rows need not be saved."""
    return pdf(Content(invoice, list(lines), list(taxes), list(references), is_preview=True))


def file_name(invoice: CustomerInvoice) -> str:
    """A file name that is valid on every system: INV-2026-000001.pdf."""
    plain = unicodedata.normalize("NFKD", invoice.number).encode("ascii", "ignore").decode()
    return (re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.") or "invoice") + ".pdf"


def pdf(content: Content) -> bytes:
    """The document as PDF. Only our style sheet, our fonts and the stored logo are loaded."""
    weasyprint = _weasyprint()
    style, fonts = _style(weasyprint)
    fetcher = _fetcher(content.invoice)
    document = weasyprint.HTML(string=html(content), base_url=_BASE, url_fetcher=fetcher)
    return document.write_pdf(
        stylesheets=[style],
        font_config=fonts,
        pdf_variant="pdf/a-3b",
        pdf_tags=True,
        # In place of a random one, so that the bytes do not depend on the time.
        pdf_identifier=f"{content.invoice.entity_id}/{content.invoice.number}".encode(),
    )


def html(content: Content) -> str:
    """The document as HTML, for the PDF and for tests that read it."""
    return render_to_string("documents/invoice.html", page(content))


@cache
def static_file(name: str) -> bytes:
    found = finders.find(name)
    if not found:
        raise FileNotFoundError(f"static/{name}")
    with open(found, "rb") as file:
        return file.read()


def _weasyprint():
    try:
        import weasyprint
    except OSError:
        raise Refused("PDF-LIBRARIES") from None
    return weasyprint


def _style(weasyprint):
    """The style sheet and its fonts, loaded once per thread."""
    from weasyprint.text.fonts import FontConfiguration

    if not hasattr(_loaded, "style"):
        fonts = FontConfiguration()
        sheet = weasyprint.CSS(
            string=static_file(_CSS).decode(), base_url=_BASE, url_fetcher=_fetcher(), font_config=fonts
        )
        _loaded.style = sheet, fonts
    return _loaded.style


def _fetcher(invoice=None):
    """Loads our fonts and the logo of an invoice, and refuses every other address."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OnlyOurs(URLFetcher):
        def fetch(self, url, headers=None):
            for name in FONTS:
                if url == urljoin(_BASE, f"../{name}"):
                    return URLFetcherResponse(url, static_file(name), {"Content-Type": "font/ttf"})
            if url == LOGO_URL and invoice and invoice.seller_logo_id:
                logo = invoice.seller_logo
                return URLFetcherResponse(url, files.read(logo), {"Content-Type": logo.media_type})
            raise ValueError(f"A document can't load this address: {url}")

    return OnlyOurs()
