"""Frozen invoices to draw, as posting would have left them; nothing here is saved."""

import datetime
from decimal import Decimal

from ledger.documents import Content
from ledger.models import CustomerInvoice, InvoiceLine, InvoiceReference, InvoiceTax

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
        "payment_reference": "2026000428",
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
        "seller_organisation_number": "999999999",
        "seller_vat_number": "999999999",
        "seller_in_company_register": True,
        "seller_email": "invoice@fjordlys.example",
        "seller_phone": "+47 22 00 00 00",
        "seller_website": "https://fjordlys.example",
        "seller_bank_account": "1234 56 78903",
        "seller_iban": "NO9386011117947",
        "seller_bic": "DNBANOKK",
        "seller_accent_colour": "#1f5fbf",
        "buyer_number": "10042",
        "buyer_name": "Havneverket KF",
        "buyer_contact": "Kari Nordmann",
        "buyer_street": "Sjøgata 3",
        "buyer_postal_code": "8006",
        "buyer_city": "Bodø",
        "buyer_country": "NO",
        "buyer_organisation_number": "888888888",
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
    """An invoice with the given rows, or one line and its tax; the rest changes the header."""
    header = invoice(**changes)
    lines = [line()] if lines is None else lines
    taxes = [tax()] if taxes is None else taxes
    originals = [InvoiceReference(invoice=header, original=original) for original in references]
    return Content(header, lines, taxes, originals, is_preview)
