"""Rendering the invoice as PDF, once, from stored data and our own files only."""

import io
import re
import socket
import sys
import threading
from decimal import Decimal

import pypdf
import pytest
from django.db import connection
from fontTools.ttLib import TTFont

from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent, StoredFile
from ledger.document import drawing, operations, shown
from ledger.document.translations import TEXTS
from ledger.models import Document
from tests.factories import company
from tests.ledger.sample_invoices import content, invoice, line, saved_invoice, tax
from tests.threads import ended

D = Decimal


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.DATA = tmp_path


def pages_of(pdf):
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return [" ".join(page.extract_text().replace("\xa0", " ").split()) for page in reader.pages]


def test_a_preview_is_a_pdf_of_rows_that_need_not_be_saved():
    """PRP-3"""
    (page,) = pages_of(drawing.preview(invoice(), [line()], [tax()]))
    assert "Proforma" in page
    assert "INV-2026-000042" not in page


def test_a_long_invoice_repeats_its_headings_and_numbers_its_pages():
    """DOC-1"""
    lines = [line(n, description=f"Work no. {n}") for n in range(1, 67)]
    pages = pages_of(drawing.pdf(content(lines)))

    assert len(pages) == 4
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of 4" in page
        assert "NO 999999999 MVA" in page
    for page in pages[:3]:
        assert "Date Description Quantity Price Amount" in page
    assert "Invoice INV-2026-000042" in pages[1]
    assert "Work no. 66" in pages[3]
    assert "Total incl. VAT" in pages[3]


def test_rendering_uses_no_network(monkeypatch):
    def no_network(*_):
        raise AssertionError("A document was about to ask the network.")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    (page,) = pages_of(drawing.pdf(content()))
    assert "1,250.00" in page


@pytest.mark.parametrize("url", ["http://example.com/", "file:///etc/passwd", "ledgerline:/logo", "data:,x"])
def test_the_fetcher_returns_only_our_own_files(url):
    with pytest.raises(ValueError, match="can't load this address"):
        drawing._fetcher(invoice()).fetch(url)


def test_our_font_is_embedded_in_the_file():
    reader = pypdf.PdfReader(io.BytesIO(drawing.pdf(content())))
    fonts = {font.get_object()["/BaseFont"] for font in reader.pages[0]["/Resources"]["/Font"].values()}
    assert {font.partition("+")[2].partition("-")[0] for font in fonts} == {"Inter"}


def test_documents_in_several_threads_have_the_same_bytes():
    """The style sheet and its fonts are loaded once per thread, and used for every document of it."""
    drawn = {drawing.pdf(content())}
    threads = [
        threading.Thread(target=lambda: drawn.update(drawing.pdf(content()) for _ in range(2)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    ended(*threads)
    assert len(drawn) == 1


def test_every_weight_has_the_characters_of_the_web_pages():
    """DOC-5"""
    for name in drawing.FONTS:
        part = name.rpartition("-")[0]
        assert characters_of(name) == characters_of(f"{part}-wght-normal.woff2"), name


def characters_of(font):
    with TTFont(io.BytesIO(drawing.static_file(font))) as opened:
        return set(opened.getBestCmap())


def test_the_stored_logo_is_printed_instead_of_the_name(db):
    logo = files.store(_a_png(), name="logo.png", media_type="image/png")
    reader = pypdf.PdfReader(io.BytesIO(drawing.pdf(content(seller_logo=logo))))
    assert len(reader.pages[0].images) == 1
    assert not pypdf.PdfReader(io.BytesIO(drawing.pdf(content()))).pages[0].images


def _a_png():
    from PIL import Image

    held = io.BytesIO()
    Image.new("RGB", (30, 10), "#1f5fbf").save(held, "PNG")
    return held.getvalue()


def test_without_the_system_libraries_rendering_is_refused(monkeypatch):
    class Missing:
        def find_spec(self, name, *_):
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(Refused, match="Pango and HarfBuzz are not installed") as refusal:
        drawing.pdf(content())
    assert refusal.value.code == "PDF-LIBRARIES"


def test_the_bytes_are_stored_before_the_transaction_begins(db, monkeypatch):
    """DOC-1: a bucket can be slow, and no other transaction waits for a lock meanwhile."""
    depths, save = [], files.Folder._save

    def noted(self, name, content):
        depths.append(len(connection.savepoint_ids))
        return save(self, name, content)

    monkeypatch.setattr(files.Folder, "_save", noted)
    monkeypatch.setattr(drawing, "pdf", lambda content: b"%PDF drawn")
    posted, outside = saved_invoice(company()), len(connection.savepoint_ids)
    operations.draw(posted)
    assert depths == [outside]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("INV-2026-000042", "INV-2026-000042.pdf"),
        ("Å 7/2026", "A-7-2026.pdf"),
        ("../..", "invoice.pdf"),
    ],
)
def test_the_file_is_named_after_the_invoice(number, name):
    assert drawing.file_name(invoice(number=number)) == name


def test_a_document_is_rendered_once_and_its_bytes_are_stored(db, monkeypatch):
    """DOC-1"""
    posted = saved_invoice(company())
    first = operations.draw(posted)
    kept = files.read(first.file)

    monkeypatch.setattr(drawing, "pdf", None)  # rendering it again would fail
    assert operations.draw(posted) == first
    assert files.read(first.file) == kept
    assert (first.kind, first.file.media_type, first.file.name) == (
        "pdf",
        "application/pdf",
        "INV-2026-000042.pdf",
    )
    assert "INV-2026-000042" in pages_of(kept)[0]
    event = AuditEvent.objects.get(action="ledger.draw")
    assert event.detail == {"kind": "pdf", "sha256": first.file.sha256}
    assert event.subject_id == str(posted.pk)


def test_only_stored_data_is_read(db, django_assert_num_queries):
    """PST-3: an invoice never reads the current customer or entity."""
    it = company()
    posted = saved_invoice(it)
    before = drawing.html(shown.content_of(posted))

    it.customer.name, it.entity.name, it.project.name = "Renamed customer", "Renamed seller", "Renamed work"
    for row in (it.customer, it.entity, it.project):
        row.save()
    fresh = type(posted).objects.get(pk=posted.pk)
    with django_assert_num_queries(3):
        after = drawing.html(shown.content_of(fresh))

    assert after == before
    assert "Havneverket KF" in after
    assert "Renamed" not in after


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_renderings_at_once_store_one_document(monkeypatch):
    """DOC-1"""
    posted = saved_invoice(company())
    both_have_drawn = threading.Barrier(2, timeout=30)
    draw_pdf = drawing.pdf

    def slowly(content):
        drawn = draw_pdf(content) + threading.current_thread().name.encode()
        both_have_drawn.wait()
        return drawn

    monkeypatch.setattr(drawing, "pdf", slowly)
    found = []

    def work():
        try:
            found.append(operations.draw(posted))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    ended(*threads)

    assert len(found) == 2
    assert found[0] == found[1]
    assert Document.objects.count() == 1
    assert StoredFile.objects.count() == 1
    assert AuditEvent.objects.filter(action="ledger.draw").count() == 1
    assert files.read(found[0].file).startswith(b"%PDF")


@pytest.mark.parametrize(("lines", "notes"), [(1, True), (8, True), (10, True), (16, False)])
def test_a_short_invoice_has_one_page(lines, notes):
    """DOC-1: lines, totals, tax and payment on one A4 page."""
    plain = {} if notes else {"task": "", "role": "", "resource": "", "category": ""}
    rows = [line(n, description=f"Work no. {n}", **plain) for n in range(1, lines + 1)]

    (page,) = pages_of(drawing.pdf(content(rows)))

    assert f"Work no. {lines}" in page
    assert "Payment reference" in page or "KID" in page
    assert "Page 1 of 1" in page


@pytest.mark.parametrize("iban", ["HR1210010051863000160", "MT84MALT011000012345MTLCAST001S"])
def test_an_iban_is_never_broken_over_two_lines(iban):
    """DOC-1"""
    (page,) = pypdf.PdfReader(io.BytesIO(drawing.pdf(content(seller_iban=iban)))).pages
    lines = page.extract_text().replace("\xa0", " ").splitlines()
    assert any(iban in line.replace(" ", "") for line in lines)


@pytest.mark.parametrize("lines", range(9, 19))
def test_the_payment_details_are_on_the_page_of_the_total(lines):
    """DOC-1: for any number of lines, the payment details are never alone on a page."""
    rows = [line(n, description=f"Work no. {n}") for n in range(1, lines + 1)]
    *_, last = pages_of(drawing.pdf(content(rows)))
    for text in (f"Work no. {lines - 1}", f"Work no. {lines}", "Total incl. VAT", "VAT summary", "IBAN"):
        assert text in last


@pytest.mark.parametrize(
    ("changes", "is_beside"),
    [
        ({}, True),
        ({"base": D("1234567.89")}, True),
        ({"base": D("12345678.90")}, False),  # more than fit
        ({"category": "E", "legal_text": "Exempt under section 3-6"}, False),
    ],
)
def test_tax_is_next_to_the_totals_if_it_fits(changes, is_beside):
    """DOC-1: long texts and two currencies take the width of the page."""
    assert ('class="close side-by-side"' in drawing.html(content(taxes=[tax(**changes)]))) is is_beside
    foreign = content(currency="EUR", taxes=[tax(**changes)])
    assert 'class="close side-by-side"' not in drawing.html(foreign)


def test_a_norwegian_invoice_has_no_english_words():
    """DOC-1"""
    english = set(TEXTS["en"].values()) - set(TEXTS["nb"].values())
    page = pages_of(drawing.pdf(content(language="nb", payment_terms="Netto 30 dager")))[0]

    # Whole words, except those of the sample itself.
    said = f" {page} ".replace("Harbour renewal", "").replace("Structural analysis of quay 4", "")
    found = {text for text in english if re.search(rf"(?<![\w.]){re.escape(text)}(?![\w.])", said)}
    assert found == set()
    assert "Netto 30 dager" in page
