"""The stored content of an invoice: seller, buyer, dates, references, and the texts of its lines (PST-3).

Pure: loaded data in, unsaved rows out. The texts of summaries are in the customer's language.
"""

import datetime
from collections.abc import Hashable, Iterable
from decimal import Decimal

from actuals.models import BillingType
from contracts.models import Task, TransactionClass
from invoicing_site.floor import money
from ledger.document.translations import Words
from ledger.invoicing.load import Billed, InvoiceFacts
from ledger.invoicing.payment_terms import due_date, in_words
from ledger.invoicing.tax import TaxAt
from ledger.models import CustomerInvoice, InvoiceLine
from ledger.models.proposals import SectionMode, SummaryBy
from proforma.models import LineDetail

_ZERO = Decimal(0)
_Kind = CustomerInvoice.Kind

# UNTDID 1001: invoice, credit note, prepayment invoice.
_TYPE_CODES = {_Kind.INVOICE: "380", _Kind.CREDIT_NOTE: "381"}
_PREPAYMENT = "386"
_LONGEST_DESCRIPTION = InvoiceLine._meta.get_field("description").max_length
_WEEKS = {"en": "Week {week}, {year}", "nb": "Uke {week}, {year}"}


def type_code(facts: InvoiceFacts, kind: str) -> str:
    """The type code of UNTDID 1001; an invoice with advances only is a prepayment invoice."""
    classes = {line.detail.transaction_class for line in facts.lines}
    if kind == _Kind.INVOICE and classes == {TransactionClass.RETAINER}:
        return _PREPAYMENT
    return _TYPE_CODES[kind]


def header_of(facts: InvoiceFacts) -> CustomerInvoice:
    """The header of the invoice, without number, kind and amounts."""
    proposal, proforma = facts.proposal, facts.proforma
    entity, customer, share = facts.entity, facts.customer, facts.contract_customer
    dates = [delivered_on(facts, line.detail) for line in facts.lines]
    return CustomerInvoice(
        proposal=proposal,
        entity=entity,
        customer=customer,
        contract_customer=share,
        invoice_date=facts.invoice_date,
        accounting_date=facts.accounting_date,
        due_date=facts.due_date,
        period_from=min(dates, default=None),
        period_to=max(dates, default=None),
        language=customer.language,
        order_reference=proforma.order_reference,
        buyer_reference=proforma.buyer_reference,
        contract_code=facts.contract.code,
        contract_name=facts.contract.name,
        payment_terms=_terms(facts),
        place_of_delivery=proposal.place_of_delivery,
        header_text=proposal.header_text,
        footer_text=proposal.footer_text,
        with_annex=proposal.with_annex,
        seller_name=entity.name,
        seller_street=entity.street,
        seller_postal_code=entity.postal_code,
        seller_city=entity.city,
        seller_country=entity.country,
        seller_organization_number=entity.organization_number,
        seller_vat_number=entity.vat_number,
        seller_in_company_register=entity.in_company_register,
        seller_electronic_address_scheme=entity.electronic_address_scheme,
        seller_electronic_address=entity.electronic_address,
        seller_email=entity.email,
        seller_phone=entity.phone,
        seller_website=entity.website,
        seller_bank_account=entity.bank_account,
        seller_iban=entity.iban,
        seller_bic=entity.bic,
        seller_logo=entity.logo,
        seller_accent_color=entity.accent_color,
        buyer_number=customer.number,
        buyer_name=proforma.bill_to_name,
        buyer_contact=proforma.contact_name,
        buyer_street=proforma.street,
        buyer_postal_code=proforma.postal_code,
        buyer_city=proforma.city,
        buyer_country=proforma.country,
        buyer_organization_number=proforma.organization_number,
        buyer_vat_number=proforma.vat_number,
        buyer_electronic_address_scheme=proforma.electronic_address_scheme,
        buyer_electronic_address=proforma.electronic_address,
        delivery=proposal.delivery,
        currency=facts.currency,
        accounting_currency=entity.currency,
    )


def _terms(facts) -> str:
    """The payment terms as text; a due date that somebody entered replaces them (PRP-2)."""
    words = Words(facts.customer.language)
    if facts.due_date != due_date(facts.payment_term, facts.invoice_date):
        return words.say("terms_by_date", words.date(facts.due_date))
    return in_words(facts.payment_term, words)


def delivered_on(facts: InvoiceFacts, detail: LineDetail) -> datetime.date:
    """The printed delivery date (EN 16931 BT-72); a correction repeats that of its original."""
    if original := facts.corrected_line(detail):
        return original.date
    return delivery_day(
        detail.transaction_class, detail.date, facts.proforma.accounting_date, facts.invoice_date
    )


def delivery_day(transaction_class: str, date: datetime.date, *billed: datetime.date) -> datetime.date:
    """The delivery date; a milestone that is billed before its planned date was also reached before it."""
    return min(date, *billed) if transaction_class == TransactionClass.MILESTONE else date


def lines_of(
    facts: InvoiceFacts, tax: dict[Hashable, Decimal], codes: dict[int, list[TaxAt]]
) -> list[InvoiceLine]:
    """The lines in printed order; `tax` and `codes` are by key of the proposal line."""
    quantities = _charged_quantities(facts.billed)
    words = Words(facts.customer.language)
    return [
        _line(number, line, facts, tax[line.pk], codes[line.pk], quantities, words)
        for number, line in enumerate(facts.lines, start=1)
    ]


def _charged_quantities(billed: Iterable[Billed]) -> dict[int, Decimal]:
    """The charged quantity of each detail; of a correction the difference."""
    quantities: dict = {}
    for share in billed:
        if share.billing_type == BillingType.CHARGEABLE:
            quantities[share.detail_id] = quantities.get(share.detail_id, _ZERO) + share.quantity
    return quantities


def _line(number, line, facts, tax, codes, quantities, words) -> InvoiceLine:
    detail, section = line.detail, facts.the("section", line.section_id)
    quantity, price = detail.quantity, detail.price
    if detail.corrects_id:
        quantity = quantities.get(detail.pk, _ZERO)
        quantity, price = _difference(quantity, price, line.amount, facts.currency)
    names = {name: facts.the(name, getattr(detail, f"{name}_id")) for name in _NAMED}
    if detail.transaction_class in _OF_NOBODY:
        names["resource"] = names["role"] = None
    texts = {name: _said(names[name]) for name in _PRINTED}
    return InvoiceLine(
        proposal_line_id=line.pk,
        number=number,
        section=section.number,
        section_title=section.title,
        section_mode=section.mode,
        summary=_summary(section, detail, delivered_on(facts, detail), names, words),
        transaction_class=detail.transaction_class,
        date=delivered_on(facts, detail),
        description=_described(facts, detail, names, words),
        **texts,
        billing_type=detail.billing_type,
        quantity=quantity,
        unit=detail.unit,
        unit_code=facts.unit_codes.get(detail.unit, ""),
        price=price,
        net=line.amount,
        tax=tax,
        tax_category=codes[0].code.category,
        # Several codes have no common rate.
        tax_percent=codes[0].percent if len(codes) == 1 else None,
    )


_PRINTED = ("project", "task", "resource", "role", "category")
_NAMED = (*_PRINTED, "product")
# The customer is not shown who spent it, or in which role.
_OF_NOBODY = (TransactionClass.EXPENSE, TransactionClass.MATERIAL)


def _said(thing) -> str:
    """The name that the customer knows: without our task codes, with the project code."""
    if isinstance(thing, Task):
        return thing.name
    return str(thing or "")


def _difference(quantity, price, amount, currency):
    """Quantity and price of a correction; if both changed, one piece of the whole amount."""
    if money.priced(quantity, price, currency) == amount:
        return quantity, price
    return Decimal(1 if amount >= 0 else -1), abs(amount)


def _described(facts, detail, names, words) -> str:
    """The description of a line, or the name of its product or milestone.

    A part of a milestone names the whole amount too, because its own amount is not in the contract.
    """
    milestone = facts.the("milestone", detail.backlog_item_id)
    of_its_own = names["product"] or milestone
    text = detail.description or (of_its_own.name if of_its_own else "")
    if milestone is None or milestone.amount == milestone.whole:
        return text
    whole = words.say("part_of", words.amount(milestone.whole, facts.currency))
    return f"{text[: _LONGEST_DESCRIPTION - len(whole) - 1]} {whole}"


def _summary(section, detail, day, names, words) -> str:
    """The name of the summary line (PRP-3); empty in a section with details."""
    if section.mode != SectionMode.SUMMARY:
        return ""
    kind = words[detail.transaction_class]
    if section.summary_by == SummaryBy.ROLE:
        return str(names["role"] or names["category"] or names["product"] or kind)
    if section.summary_by == SummaryBy.TASK:
        return _said(names["task"] or names["project"]) or kind
    if section.summary_by == SummaryBy.CATEGORY:
        return str(names["category"] or names["product"] or kind)
    if section.summary_by == SummaryBy.WEEK:
        year, week, _ = day.isocalendar()
        return _WEEKS[words.language].format(week=week, year=year)
    if section.summary_by == SummaryBy.MONTH:
        return words.month(day)
    return section.title or kind
