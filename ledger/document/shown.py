"""All texts and amounts of an invoice's document, from the stored invoice (DOC-1).

`content_of` reads the rows, `printed` puts them in order, `page` writes them in the customer's language.
"""

import re
from dataclasses import dataclass

from contracts.models import PaymentReferenceKind
from ledger.document import printed
from ledger.document.translations import Words
from ledger.models import CustomerInvoice, InvoiceLine, InvoiceReference, InvoiceTax

LOGO_URL = "ledgerline:/logo"
_KIDS = (PaymentReferenceKind.KID_MOD_10, PaymentReferenceKind.KID_MOD_11)
_INK = "#17202e"
_FIGURES_A_COLUMN = 19  # the number of characters that fit into a column of the payment details
_NARROW = len("1,234,567.89")  # the longest amount of a tax table next to the totals


@dataclass(frozen=True)
class Content:
    """All data of a document: the stored invoice with its rows, or planned ones."""

    invoice: CustomerInvoice
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]
    references: list[InvoiceReference]
    is_preview: bool = False


def content_of(invoice: CustomerInvoice) -> Content:
    """The rows of a posted invoice, in four queries for any size."""
    return Content(
        invoice,
        list(InvoiceLine.objects.filter(invoice=invoice).order_by("number")),
        list(InvoiceTax.objects.filter(invoice=invoice).order_by("pk")),
        list(InvoiceReference.objects.filter(invoice=invoice).select_related("original").order_by("pk")),
    )


def page(content: Content) -> dict:
    """All texts and amounts of the document, in the customer's language and number formats."""
    invoice = content.invoice
    words = Words(invoice.language)
    sections = _sections(content, printed.sections(content.lines, invoice.currency), words)
    return {
        "words": words,
        "language": words.language,
        "page_words": words["page"].split("{}"),
        "accent": _color(invoice.seller_accent_color),
        "is_preview": content.is_preview,
        "title": words["preview" if content.is_preview else invoice.kind],
        "number": "" if content.is_preview else invoice.number,
        "notice": _notice(content, words),
        "currency": invoice.currency,
        "issued": invoice.invoice_date.isoformat(),
        "seller": _seller(invoice, words),
        "buyer": _buyer(invoice, words),
        "facts": _facts(content, words),
        "due": _due(content, words),
        "header_text": invoice.header_text.strip(),
        "footer_text": invoice.footer_text.strip(),
        "sections": sections,
        "widths": _widths(sections, words),
        "totals": _totals(content, words),
        "tax_table": _tax_table(content, words),
        "payment": _payment(content, words),
        "annex": _annex(content, words),
    }


def _notice(content, words):
    if content.is_preview:
        return words["preview_note"]
    return words["request_note"] if content.invoice.kind == CustomerInvoice.Kind.PAYMENT_REQUEST else ""


def _seller(invoice, words):
    address = [invoice.seller_street, f"{invoice.seller_postal_code} {invoice.seller_city}".strip()]
    if invoice.seller_country != invoice.buyer_country:
        address.append(words.country(invoice.seller_country))
    return {
        "name": invoice.seller_name,
        "logo": LOGO_URL if invoice.seller_logo_id else "",
        "address": [line for line in address if line],
        "identifiers": _seller_identifiers(invoice, words),
        "contact": [
            text for text in (invoice.seller_email, invoice.seller_phone, invoice.seller_website) if text
        ],
    }


def _seller_identifiers(invoice, words):
    """The organization number as the law of the seller's country requires it (DOC-4)."""
    if invoice.seller_country != "NO":
        return [
            f"{words[key]} {value}"
            for key, value in (
                ("organization_number", invoice.seller_organization_number),
                ("vat_number", invoice.seller_vat_number),
            )
            if value
        ]
    number = re.sub(r"\D", "", invoice.seller_vat_number or invoice.seller_organization_number)
    found = []
    if number:
        found = [f"NO {number} MVA" if invoice.seller_vat_number else f"Org.nr. {number}"]
    if invoice.seller_in_company_register:
        found.append("Foretaksregisteret")
    return found


def _buyer(invoice, words):
    address = [
        words.say("attention", invoice.buyer_contact) if invoice.buyer_contact else "",
        invoice.buyer_street,
        f"{invoice.buyer_postal_code} {invoice.buyer_city}".strip(),
        words.country(invoice.buyer_country) if invoice.buyer_country != invoice.seller_country else "",
    ]
    identifiers = [
        f"{words[key]} {value}"
        for key, value in (
            ("organization_number", invoice.buyer_organization_number),
            ("vat_number", invoice.buyer_vat_number),
        )
        if value
    ]
    return {
        "name": invoice.buyer_name,
        "address": [line for line in address if line],
        "identifiers": identifiers,
    }


def _facts(content, words):
    invoice = content.invoice
    contract = " ".join(
        dict.fromkeys(part for part in (invoice.contract_code, invoice.contract_name) if part)
    )
    facts = [
        ("invoice_date", words.date(invoice.invoice_date)),
        ("period", words.period(invoice.period_from, invoice.period_to)),
        ("customer_number", invoice.buyer_number),
        ("buyer_reference", invoice.buyer_reference),
        ("order_reference", invoice.order_reference),
        ("contract", contract),
        # DOC-4: a Norwegian document has a place of delivery, and a date.
        ("place_of_delivery", invoice.place_of_delivery if invoice.seller_country == "NO" else ""),
    ]
    label = (
        "corrects" if invoice.total < 0 or invoice.kind == CustomerInvoice.Kind.CREDIT_NOTE else "refers_to"
    )
    for reference in content.references:
        original = reference.original
        facts.append((label, words.say("dated", original.number, words.date(original.invoice_date))))
    return [(words[key], value) for key, value in facts if value]


def _due(content, words):
    """The amount and the due date, in the largest letters on the page."""
    invoice = content.invoice
    if invoice.total < 0:
        label, amount = "in_your_favor", -invoice.total
    else:
        label, amount = "amount_due" if invoice.total else "nothing_due", invoice.total
    return {
        "label": words[label],
        "amount": words.amount(amount, invoice.currency),
        "date": words.date(invoice.due_date) if invoice.total > 0 else "",
        # A long one leaves no room for the amount; it is in the payment details too.
        "reference": invoice.payment_reference
        if invoice.total > 0 and len(invoice.payment_reference) <= 25
        else "",
        "reference_label": _reference_label(invoice, words),
        "is_credit": invoice.total < 0,
    }


def _sections(content, sections, words):
    currency = content.invoice.currency
    shown = [line for section in sections for line in section.lines]
    with_tax = len({(line.tax_category, line.tax_percent) for line in shown}) > 1
    decimals = max((_decimals(line.quantity) for line in shown), default=0)
    return [
        {
            "title": section.title,
            "with_date": any(line.date for line in section.lines),
            "with_tax": with_tax,
            "lines": [_line(line, words, currency, min(decimals, 2)) for line in section.lines],
            # For a single section without a title, the totals are the same.
            "subtotal": words.amount(section.net, currency) if len(sections) > 1 else "",
            "subtotal_label": (
                words.say("subtotal", section.title) if section.title else words["subtotal_plain"]
            ),
        }
        for section in sections
    ]


def _widths(sections, words):
    """The width in millimeters of each column of amounts: its longest text."""
    lines = [line for section in sections for line in section["lines"]]
    texts = {
        "quantity": [words["quantity"], *(f"{line['quantity']} {line['unit']}" for line in lines)],
        "price": [words["price"], *(line["price"] for line in lines)],
        "tax": [words["vat"], *(line["tax"] for line in lines)],
        "amount": [*(line["net"] for line in lines), *(section["subtotal"] for section in sections)],
    }
    return {column: 4 + 7 * max(map(len, found), default=6) // 4 for column, found in texts.items()}


def _decimals(value):
    return max(0, -value.normalize().as_tuple().exponent)


def _line(line, words, currency, decimals):
    notes = list(line.notes)
    notes += [f"{words.number(quantity, decimals)} {words.unit(unit)}" for quantity, unit in line.summed]
    return {
        "date": words.date(line.date),
        "title": line.title or words[line.transaction_class],
        "notes": " · ".join(notes),
        "quantity": words.number(line.quantity, decimals),
        "unit": words.unit(line.unit),
        "price": (words["complimentary"] if line.is_complimentary else words.amount(line.price, currency)),
        "is_complimentary": line.is_complimentary,
        "tax": _line_tax(line, words),
        "net": words.amount(line.net, currency),
    }


def _line_tax(line, words):
    if f"line_{line.tax_category}" in words.texts:
        return words[f"line_{line.tax_category}"]
    return "" if line.tax_percent is None else words.percent(line.tax_percent)


def _totals(content, words):
    invoice = content.invoice

    def amount(value):
        return words.amount(value, invoice.currency)

    if not content.taxes:
        return [{"label": words["total"], "amount": amount(invoice.total), "is_total": True}]
    return [
        {"label": words["net"], "amount": amount(invoice.net)},
        {"label": words["tax"], "amount": amount(invoice.tax)},
        {"label": words["total_with_tax"], "amount": amount(invoice.total), "is_total": True},
    ]


def _tax_table(content, words):
    invoice = content.invoice
    if not content.taxes:
        return None
    own, accounting = invoice.currency, invoice.accounting_currency
    is_foreign = own != accounting
    rows = []
    for tax in printed.taxes(content.taxes, content.lines):
        label = (
            words.say(tax.category, words.percent(tax.percent)) if tax.category in words.texts else tax.name
        )
        amounts = [words.amount(tax.base, own), words.amount(tax.tax, own)]
        if is_foreign:
            amounts += [
                words.amount(tax.accounting_base, accounting),
                words.amount(tax.accounting_tax, accounting),
            ]
        name = f"{tax.name}: {label}" if tax.name else label
        # Printed once: the standard texts are the name of the category.
        legal_texts = [text for text in tax.legal_texts if text not in label]
        rows.append({"label": name, "legal_texts": legal_texts, "amounts": amounts})
    heads = [words["tax_base"], words["tax_amount"]]
    if is_foreign:
        heads += [words.say("tax_base_in", accounting), words.say("tax_amount_in", accounting)]
    note = ""
    if is_foreign:
        rate = f"{words.number(invoice.rate, 2)} {accounting}"
        note = words.say("rate_note", accounting, rate, own)
    return {"heads": heads, "rows": rows, "note": note, "is_narrow": _is_narrow(rows)}


def _is_narrow(rows):
    """Whether the tax table fits next to the totals: two short amounts in each row, and no legal text."""
    figures = [figure for row in rows for figure in row["amounts"]]
    has_texts = any(row["legal_texts"] for row in rows)
    return len(figures) == 2 * len(rows) and not has_texts and max(map(len, figures)) <= _NARROW


def _reference_label(invoice, words):
    """The name KID is used in Norway for a reference that the bank checks."""
    return "KID" if invoice.payment_reference_kind in _KIDS else words["payment_reference"]


def _payment(content, words):
    invoice = content.invoice
    if invoice.total <= 0:
        return {"rows": [], "note": words["no_payment"] if invoice.total < 0 else ""}
    rows = [
        (words["to_pay"], f"{invoice.currency} {words.amount(invoice.total, invoice.currency)}"),
        (words["due_date"], words.date(invoice.due_date)),
        (words["account"], invoice.seller_bank_account),
        (words["iban"], _in_fours(invoice.seller_iban)),
        (words["bic"], invoice.seller_bic),
        (_reference_label(invoice, words), invoice.payment_reference),
        (words["payment_terms"], invoice.payment_terms),
    ]
    return {"rows": [_payment_row(label, value, words) for label, value in rows if value], "note": ""}


def _payment_row(label, value, words):
    """Numbers for a bank payment stay on one line, over as many columns as needed."""
    is_text = label == words["payment_terms"]
    columns = 1 if is_text else min(-(-len(value) // _FIGURES_A_COLUMN), 4)
    return {"label": label, "value": value, "is_text": is_text, "columns": columns}


def _in_fours(iban):
    compact = iban.replace(" ", "")
    return " ".join(compact[i : i + 4] for i in range(0, len(compact), 4))


def _annex(content, words):
    if not content.invoice.with_annex:
        return None
    parts = printed.annex(content.lines)
    if not parts:
        return None
    lines = [line for part in parts for line in part.lines]
    decimals = min(max(_decimals(line.quantity) for line in lines), 2)
    return {
        "title": words["annex"],
        "intro": words.say("annex_of", content.invoice.number),
        "parts": [
            {
                "project": part.project,
                "label": words.say("hours_of", part.project) if part.project else words["hours"],
                "hours": words.number(part.hours, decimals),
                "lines": [
                    {
                        "date": words.date(line.date),
                        "who": line.resource,
                        "work": line.description or line.task or line.category,
                        "task": line.task if line.description else "",
                        "hours": words.number(line.quantity, decimals),
                    }
                    for line in part.lines
                ],
            }
            for part in parts
        ],
        "total": words.number(sum(part.hours for part in parts), decimals) if len(parts) > 1 else "",
    }


def _color(text):
    return text if re.fullmatch(r"#[0-9a-fA-F]{6}", text) else _INK
