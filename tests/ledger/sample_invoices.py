"""Final invoices for documents, as posting would create them."""

import datetime
from decimal import Decimal

from ledger.document.shown import Content
from ledger.models import (
    CustomerInvoice,
    FiscalPeriod,
    FiscalYear,
    InvoiceLine,
    InvoiceProposal,
    InvoiceReference,
    InvoiceTax,
    ProposalLine,
    ProposalSection,
    TaxCode,
    Voucher,
)
from proforma.models import LineDetail, ProformaInvoice, ProformaLine
from tests.factories import contract

D = Decimal
NOV_20 = datetime.date(2026, 11, 20)


def invoice(**changes) -> CustomerInvoice:
    """A Norwegian company's invoice of 1,000 + 250 to a Norwegian customer."""
    values = {
        "kind": "invoice",
        "type_code": "380",
        "number": "INV-2026-000042",
        "year": 2026,
        "seq": 42,
        "entity_id": 1,
        "invoice_date": NOV_20,
        "accounting_date": NOV_20,
        "due_date": datetime.date(2026, 12, 20),
        "period_from": datetime.date(2026, 10, 1),
        "period_to": datetime.date(2026, 10, 31),
        "language": "en",
        "payment_reference": "20260004286",
        "payment_reference_kind": "kid10",
        "order_reference": "PO-77812",
        "buyer_reference": "Kari Nordmann",
        "contract_code": "K-1001",
        "contract_name": "Harbour renewal",
        "payment_terms": "30 days net",
        "seller_name": "Fjordlys Consulting AS",
        "seller_street": "Storgata 14",
        "seller_postal_code": "0184",
        "seller_city": "Oslo",
        "seller_country": "NO",
        "seller_organization_number": "999999999",
        "seller_vat_number": "999999999",
        "seller_in_company_register": True,
        "seller_email": "invoice@fjordlys.example",
        "seller_phone": "+47 22 00 00 00",
        "seller_website": "https://fjordlys.example",
        "seller_bank_account": "1234 56 78903",
        "seller_iban": "NO9386011117947",
        "seller_bic": "DNBANOKK",
        "seller_accent_color": "#1f5fbf",
        "buyer_number": "10042",
        "buyer_name": "Havneverket KF",
        "buyer_contact": "Kari Nordmann",
        "buyer_street": "Sjøgata 3",
        "buyer_postal_code": "8006",
        "buyer_city": "Bodø",
        "buyer_country": "NO",
        "buyer_organization_number": "888888888",
        "delivery": "mail",
        "currency": "NOK",
        "accounting_currency": "NOK",
        "rate": D(1),
        "net_rate": D(1),
        "net": D("1000.00"),
        "tax": D("250.00"),
        "total": D("1250.00"),
        "accounting_net": D("1000.00"),
        "accounting_tax": D("250.00"),
        "accounting_total": D("1250.00"),
    }
    return CustomerInvoice(**(values | changes))


def line(number=1, **changes) -> InvoiceLine:
    """5 hours at 200, taxed at 25 %."""
    values = {
        "number": number,
        "section": 1,
        "section_mode": "detail",
        "transaction_class": "time",
        "date": datetime.date(2026, 10, 1),
        "description": "Structural analysis of quay 4",
        "project": "P-1 Harbour renewal",
        "task": "A-2 Analysis",
        "resource": "Ola Hansen",
        "role": "Senior consultant",
        "category": "Work",
        "billing_type": "chargeable",
        "quantity": D("5"),
        "unit": "h",
        "price": D("200"),
        "net": D("1000.00"),
        "tax": D("250.00"),
        "tax_category": "S",
        "tax_percent": D("25"),
    }
    return InvoiceLine(**(values | changes))


def tax(**changes) -> InvoiceTax:
    """25 % of 1,000."""
    values = {
        "code": "S25",
        "name": "Output VAT, standard",
        "category": "S",
        "percent": D("25"),
        "base": D("1000.00"),
        "tax": D("250.00"),
        "accounting_base": D("1000.00"),
        "accounting_tax": D("250.00"),
    }
    return InvoiceTax(**(values | changes))


def content(lines=None, taxes=None, references=(), is_preview=False, **changes) -> Content:
    """The content of an invoice with the given rows, or with one line and its tax.

    `changes` are for the header.
    """
    header = invoice(**changes)
    lines = [line()] if lines is None else lines
    taxes = [tax()] if taxes is None else taxes
    originals = [InvoiceReference(invoice=header, original=original) for original in references]
    return Content(header, lines, taxes, originals, is_preview)


def saved_invoice(company, **changes) -> CustomerInvoice:
    """The sample invoice of the company, saved with one line, its tax, and the rows that it requires.

    Its voucher has no entries: this is for documents, not for the books.
    """
    agreement = contract(company, confirmed=True)
    share = agreement.customers.get()
    it = company.entity
    period, _ = FiscalPeriod.objects.get_or_create(
        entity=it,
        starts=datetime.date(2026, 11, 1),
        ends=datetime.date(2026, 11, 30),
        defaults={
            "number": 11,
            "year": FiscalYear.objects.get_or_create(
                entity=it,
                year=2026,
                defaults={
                    "name": "2026",
                    "starts": datetime.date(2026, 1, 1),
                    "ends": datetime.date(2026, 12, 31),
                },
            )[0],
        },
    )
    proforma = ProformaInvoice.objects.create(
        entity=it,
        number="PRO-1",
        contract=agreement,
        contract_customer=share,
        customer=share.customer,
        currency=agreement.currency,
        cutoff=NOV_20,
        accounting_date=NOV_20,
    )
    proposal = InvoiceProposal.objects.create(
        proforma=proforma, entity=it, number="PRO-1", contract_customer=share, status="open"
    )
    detail = LineDetail.objects.create(
        line=ProformaLine.objects.create(proforma=proforma, contract_line=agreement.lines.get(), number=1),
        transaction_class="time",
        date=NOV_20,
        quantity=D(5),
        price=D(200),
        amount=D(1000),
    )
    proposal_line = ProposalLine.objects.create(
        proposal=proposal,
        section=ProposalSection.objects.create(proposal=proposal, number=1),
        detail=detail,
        number=1,
        amount=D(1000),
    )
    voucher = Voucher.objects.create(
        entity=it,
        number="V-1",
        kind="invoice",
        date=NOV_20,
        document_date=NOV_20,
        period=period,
        position=1,
        hash_format=1,
        claims_hash="0" * 64,
        hash="0" * 64,
    )
    saved = invoice(
        **{
            "entity_id": it.pk,
            "proposal": proposal,
            "voucher": voucher,
            "customer": share.customer,
            "contract_customer": share,
            "sequence": it.number_sequences.get(kind="invoice"),
            **changes,
        }
    )
    saved.save()
    row = line(invoice=saved, proposal_line=proposal_line)
    row.save()
    code = TaxCode.objects.create(entity=it, code="SAMPLE25", name="Sample", category="S")
    tax(invoice=saved, tax_code=code).save()
    return saved
