"""The pages of posted invoices and of vouchers: access, content, downloads."""

import hashlib
import io
import zipfile
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from ledger.document import drawing
from ledger.document import views as views
from ledger.invoicing.operations import posting
from ledger.models import CustomerTransaction, Document, Settlement, Voucher
from tests import factories, stored
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 drawn once"


@pytest.fixture(autouse=True)
def _the_last_of_march(monkeypatch, tmp_path, settings):
    """Every day is 31 March 2025; a PDF is a few bytes, stored in a separate folder."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)
    monkeypatch.setattr(drawing, "pdf", lambda content: PDF + content.invoice.number.encode())
    settings.DATA = tmp_path


@factories.remembered
def invoiced(no1, contract, hours="10"):
    """Post an invoice of hours at 100, with 25 % tax."""
    return posting.post(proposed(no1, work(no1, contract, hours=hours)), by=no1.accountant, on=MARCH_31)


@pytest.fixture
def invoice(no1, contract):
    return invoiced(no1, contract)


@pytest.fixture
def accountant(client, no1):
    """The client, signed in as the accountant."""
    client.force_login(no1.accountant)
    return client


def words(response):
    return response.content.decode()


def listed(response):
    return list(response.context["object_list"])


def queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("role", "invoices", "vouchers"),
    [
        ("accountant", 200, 200),
        ("auditor", 200, 200),
        ("manager", 200, 403),
        ("member", 403, 403),
        ("administrator", 403, 403),
    ],
)
def test_who_can_see_invoices_and_vouchers(client, no1, invoice, role, invoices, vouchers):
    """SEC-1"""
    client.force_login(getattr(no1, role))

    assert client.get("/invoices/").status_code == invoices
    assert client.get("/vouchers/").status_code == vouchers
    hidden = {200: 200, 403: 404}
    assert client.get(f"/invoices/{invoice.pk}/").status_code == hidden[invoices]
    assert client.get(f"/invoices/{invoice.pk}/pdf/").status_code == hidden[invoices]
    assert client.get(f"/vouchers/{invoice.voucher_id}/").status_code == hidden[vouchers]


def test_invoices_of_another_company_are_not_found(client, no1, invoice):
    """SEC-1"""
    client.force_login(factories.company("SE1", books=False).accountant)

    for path in (f"invoices/{invoice.pk}", f"invoices/{invoice.pk}/pdf", f"vouchers/{invoice.voucher_id}"):
        assert client.get(f"/{path}/").status_code == 404
    assert listed(client.get("/invoices/")) == listed(client.get("/vouchers/")) == []
    response = client.post("/invoices/download/", {"pk": invoice.pk}, follow=True)
    assert "Nothing is selected" in words(response)


def test_a_manager_sees_invoices_of_their_contracts_and_no_books(client, no1, contract, invoice):
    """SEC-1"""
    client.force_login(no1.manager)
    assert listed(client.get("/invoices/")) == [invoice]
    text = words(client.get(invoice.get_absolute_url()))
    assert invoice.proposal.proforma.get_absolute_url() in text
    assert invoice.voucher.get_absolute_url() not in text
    assert invoice.proposal.get_absolute_url() not in text

    no1.project.managers.clear()
    contract.managers.clear()
    assert client.get(invoice.get_absolute_url()).status_code == 404


# Invoices


def test_the_page_shows_the_invoice_as_issued(accountant, invoice):
    """PST-3: 10 hours at 100 are 1,000 net, 250 tax, 1,250 in total."""
    text = words(accountant.get(invoice.get_absolute_url()))

    for figure in ("1,000.00", "250.00", "1,250.00", "25 %"):
        assert figure in text
    line = invoice.lines.get()
    assert f"/explain/line/{line.pk}/" in text
    assert f"/explain/invoice/{invoice.pk}/" in text
    assert invoice.voucher.get_absolute_url() in text
    assert "None yet. Open the PDF" in text


def test_the_list_adds_up_and_filters(accountant, no1, contract, invoice):
    """1,250 and 625 are 1,875"""
    half = invoiced(no1, contract, hours="5")

    assert "1,875.00" in words(accountant.get("/invoices/"))
    assert listed(accountant.get(f"/invoices/?q={half.number}")) == [half]
    assert listed(accountant.get("/invoices/?kind=credit_note")) == []
    assert len(listed(accountant.get(f"/invoices/?customer={no1.customer.pk}&since=2025-03-31"))) == 2
    assert listed(accountant.get("/invoices/?since=2025-04-01")) == []


def test_the_open_amount_is_the_rest_after_settlements(accountant, no1, contract, invoice, monkeypatch):
    """PAY-1: 1,250 less 250 are 1,000, due on 30 April"""
    owed = CustomerTransaction.objects.get(voucher=invoice.voucher)
    other = invoiced(no1, contract, hours="5")
    paid = CustomerTransaction.objects.get(voucher=other.voucher)
    settle(owed, paid, "250")
    url = "/invoices/?sort=total"
    assert [row.open_amount for row in listed(accountant.get(url))] == [Decimal(875), Decimal(1000)]
    settle(owed, paid, "1000")

    assert listed(accountant.get("/invoices/?paid=settled")) == [invoice]
    assert listed(accountant.get("/invoices/?paid=open")) == [other]
    assert listed(accountant.get("/invoices/?paid=overdue")) == []
    monkeypatch.setattr(LegalEntity, "today", lambda self: other.due_date.replace(year=2026))
    overdue = accountant.get("/invoices/?paid=overdue")
    assert listed(overdue) == [other]
    assert "365 days overdue" in words(overdue)


def settle(debit, credit, amount):
    # The other row represents the payment; only the open amounts matter here.
    amount = Decimal(amount)
    Settlement.objects.create(
        debit=debit,
        credit=credit,
        date=MARCH_31,
        amount=amount,
        debit_accounting_amount=amount,
        credit_accounting_amount=amount,
    )


@pytest.mark.parametrize("url", ["/invoices/", "/vouchers/", "/vouchers/?kind=invoice"])
def test_the_lists_take_as_many_queries_for_many_rows(accountant, no1, contract, invoice, url):
    accountant.get(url)
    few = queries(accountant, url)
    for _ in range(3):
        invoiced(no1, contract)

    assert queries(accountant, url) == few


def test_the_pages_take_as_many_queries_for_many_lines(accountant, no1, contract, invoice):
    proposal = proposed(no1, *(work(no1, contract) for _ in range(4)))
    long = posting.post(proposal, by=no1.accountant, on=MARCH_31)
    accountant.get(invoice.get_absolute_url())

    assert queries(accountant, long.get_absolute_url()) == queries(accountant, invoice.get_absolute_url())
    assert queries(accountant, long.voucher.get_absolute_url()) == queries(
        accountant, invoice.voucher.get_absolute_url()
    )


# Documents


def test_the_pdf_is_created_once_and_downloaded_as_stored(accountant, invoice, monkeypatch):
    """DOC-1"""
    first = accountant.get(f"/invoices/{invoice.pk}/pdf/")
    monkeypatch.setattr(drawing, "pdf", lambda content: b"another")
    second = accountant.get(f"/invoices/{invoice.pk}/pdf/")

    assert first.content == second.content == PDF + invoice.number.encode()
    assert first["Content-Type"] == "application/pdf"
    assert first["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
    assert first["X-Content-Type-Options"] == "nosniff"
    assert Document.objects.count() == 1
    assert hashlib.sha256(first.content).hexdigest() in words(accountant.get(invoice.get_absolute_url()))


def test_without_the_libraries_a_message_is_shown(accountant, invoice, monkeypatch):
    """DOC-1"""

    def no_libraries(content):
        raise Refused("PDF-LIBRARIES")

    monkeypatch.setattr(drawing, "pdf", no_libraries)
    response = accountant.get(f"/invoices/{invoice.pk}/pdf/")

    assert response.status_code == 503
    assert "Pango and HarfBuzz are not installed" in words(response)
    assert not Document.objects.exists()


def test_a_missing_file_is_not_created_again(accountant, invoice):
    """DOC-1"""
    accountant.get(f"/invoices/{invoice.pk}/pdf/")
    stored.path(Document.objects.get().file).unlink()

    response = accountant.get(f"/invoices/{invoice.pk}/pdf/")

    assert response.status_code == 503
    assert "An administrator can restore it from the backup." in words(response)


def test_many_pdfs_are_in_one_archive(accountant, no1, contract, invoice):
    """DOC-1"""
    other = invoiced(no1, contract)
    response = accountant.post("/invoices/download/", {"pk": [invoice.pk, other.pk]})

    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        assert archive.namelist() == [f"{invoice.number}.pdf", f"{other.number}.pdf"]
        assert archive.read(f"{other.number}.pdf") == PDF + other.number.encode()


def test_too_many_for_one_archive_are_refused(accountant, no1, contract, invoice, monkeypatch):
    other = invoiced(no1, contract)
    chosen = {"pk": [invoice.pk, other.pk]}

    monkeypatch.setattr(views, "DRAWN_AT_ONCE", 1)
    assert "1 of these 2 PDFs is not created yet" in words(
        accountant.post("/invoices/download/", chosen, follow=True)
    )
    monkeypatch.setattr(views, "IN_AN_ARCHIVE", 1)
    response = accountant.post("/invoices/download/", chosen, follow=True)
    assert "2 invoices are selected, and one archive holds at most 1" in words(response)


# Vouchers


def test_the_page_of_a_voucher(accountant, no1, invoice):
    """PST-1 PST-7"""
    text = words(accountant.get(invoice.voucher.get_absolute_url()))

    assert "1,250.00" in text
    assert invoice.get_absolute_url() in text
    assert invoice.voucher.hash in text
    assert invoice.voucher.previous_hash in text
    for entry in invoice.voucher.entries.select_related("account"):
        assert str(entry.account) in text


def test_the_page_of_a_journal_voucher(accountant, no1, contract, invoice):
    """JRN-4"""
    line = no1.entity.journals.get().lines.filter(voucher__isnull=False).first()
    text = words(accountant.get(line.voucher.get_absolute_url()))

    assert f"/explain/actual/{line.actual_id}/" in text
    assert line.journal.get_absolute_url() in text


def test_vouchers_can_be_searched(accountant, no1, invoice):
    voucher, account = invoice.voucher, invoice.voucher.entries.order_by("number").first().account

    assert listed(accountant.get("/vouchers/?kind=invoice")) == [voucher]
    assert voucher in listed(accountant.get(f"/vouchers/?account={account.pk}"))
    assert voucher in listed(accountant.get(f"/vouchers/?customer={no1.customer.pk}"))
    assert listed(accountant.get(f"/vouchers/?q={invoice.number}")) == [voucher]
    # Unbilled sales of this company have no entry, but their voucher belongs to the project.
    assert len(listed(accountant.get(f"/vouchers/?project={no1.project.pk}"))) == Voucher.objects.count()
    assert listed(accountant.get("/vouchers/?until=2024-12-31")) == []
    assert listed(accountant.get("/vouchers/?kind=invoice"))[0].amount == Decimal(1250)
