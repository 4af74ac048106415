"""The hash chain of the vouchers (PST-7): the same text from rows being posted and from stored rows.

A voucher's hash covers its own fields, its entries, its rows in both subledgers, a hash of what it books, and
the hash of the previous voucher. The columns are listed here by name, so that a column that is added later
changes no old hash. Decimals are written with all places of their column, days and times in ISO 8601, times
in UTC.

These lists are a format with a number. Each voucher stores the number of its format, which is hashed too. To
hash other columns, add a format and make it the current one. A format with posted vouchers never changes.
"""

import datetime
import hashlib
import json
from collections import namedtuple
from decimal import Decimal
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from django.db import models

from actuals.models import Actual
from contracts.models import LegalEntity, NumberSequence
from invoicing_site.floor.fields import ExactDecimalField
from ledger.models import (
    CustomerInvoice,
    CustomerTransaction,
    InvoiceLine,
    InvoiceReference,
    InvoiceTax,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    Voucher,
)
from proforma.models import DetailActual

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode

_FIRST = {
    Voucher: (
        "entity_id number kind date document_date period_id text journal_line_id reverses_id position"
        " hash_format claims_hash previous_hash posted_at posted_by_id"
    ),
    LedgerEntry: (
        "number account_id debit credit currency rate accounting_debit accounting_credit dimensions_id"
        " project_id customer_id tax_code_id tax_percent tax_base due_date text"
    ),
    CustomerTransaction: (
        "customer_id kind document_number date due_date amount currency rate accounting_amount reference"
    ),
    ProjectTransaction: (
        "project_id contract_line_id actual_id kind transaction_class date quantity amount currency"
        " accounting_amount in_balance"
    ),
    JournalLine: (
        "id journal_id actual_id accounting_date exchange_rate accounting_amount billing_tax_group_id"
        " item_tax_group_id dimensions_id line_property"
    ),
    Actual: (
        "id entity_id batch_id type transaction_class date accounting_date project_id task_id resource_id"
        " role_id category_id product_id contract_id contract_line_id contract_customer_id quantity unit"
        " price amount currency billing_type description entry_id milestone_part_id retainer_id cost_id"
        " reverses_id replaces_id"
    ),
    CustomerInvoice: (
        "proposal_id entity_id customer_id contract_customer_id kind type_code sequence_id number year"
        " seq invoice_date accounting_date due_date period_from period_to language payment_reference"
        " payment_reference_kind order_reference buyer_reference contract_code contract_name payment_terms"
        " place_of_delivery header_text footer_text with_annex seller_name seller_street"
        " seller_postal_code seller_city seller_country seller_organization_number seller_vat_number"
        " seller_in_company_register seller_electronic_address_scheme seller_electronic_address"
        " seller_email seller_phone seller_website seller_bank_account seller_iban seller_bic"
        " seller_logo_id seller_accent_color buyer_number buyer_name buyer_contact buyer_street"
        " buyer_postal_code buyer_city buyer_country buyer_organization_number buyer_vat_number"
        " buyer_electronic_address_scheme buyer_electronic_address delivery currency accounting_currency"
        " rate net_rate net tax total accounting_net accounting_tax"
        " accounting_total"
    ),
    InvoiceLine: (
        "proposal_line_id number section section_title section_mode summary transaction_class date"
        " description project task resource role category billing_type quantity unit unit_code price net tax"
        " tax_category tax_percent"
    ),
    InvoiceTax: (
        "tax_code_id code name category percent legal_text exemption_code base tax accounting_base"
        " accounting_tax"
    ),
    InvoiceReference: "invoice_id original_id",
    DetailActual: "detail_id actual_id part",
}
# The columns of each row, by the number of the format; the current format is the default.
FORMATS = {1: _FIRST}
CURRENT = 1


def plain(model: type[models.Model]) -> Any:
    """A class for rows of the model as tuples of their columns: much faster to read than instances.

    `canonical` writes the same text for both.
    """
    row = namedtuple(model.__name__, [field.attname for field in model._meta.concrete_fields])  # noqa: PYI024
    row.stored_as = model  # type: ignore[attr-defined]  # what `canonical` looks for
    return row


def canonical(row, of: int | None = None) -> str:
    """The content of one row as a text, the same before it is saved and after it is read."""
    kind = type(row)
    label, read, writers = _reader(getattr(kind, "stored_as", kind), of or CURRENT)
    values = [None if v is None else write(v) for v, write in zip(read(row), writers, strict=True)]
    return _encode([label, *values])


def digest(*texts: str, of: int | None = None) -> str:
    """SHA-256 over the format and the texts, in hexadecimal; the boundaries of the texts count too."""
    return hashlib.sha256("\n".join([f"ledgerline {of or CURRENT}", *texts]).encode()).hexdigest()


def claims_of_journal_line(line: JournalLine, of: int | None = None) -> str:
    """The hash of what a journal voucher books: the line as it is posted, and its actual."""
    return digest(canonical(line, of), canonical(line.actual, of), of=of)


def claims_of_invoice(invoice, lines, taxes, references, details, of: int | None = None) -> str:
    """The hash of what an invoice voucher books: the whole invoice, and the actuals that it bills.

    `details` are the `DetailActual` rows of its proforma, with their actuals; rows may come in any order.
    """
    return claims_of_numbered(invoice, texts_behind(lines, taxes, references, details, of), of)


def texts_behind(lines, taxes, references, details, of: int | None = None) -> list[str]:
    """The part of `claims_of_invoice` that does not depend on the number of the invoice."""
    groups = (lines, taxes, references, details, [link.actual for link in details])
    return [text for rows in groups for text in texts_of(rows, of)]


def claims_of_numbered(invoice, texts: list[str], of: int | None = None) -> str:
    """`claims_of_invoice` with the texts behind the invoice."""
    return digest(canonical(invoice, of), *texts, of=of)


def voucher_hash(voucher, entries, customer_transactions, project_transactions) -> str:
    """The voucher's hash in its own format, over rows in any order.

    `voucher.hash_format`, `previous_hash` and `claims_hash` are within.
    """
    of = voucher.hash_format
    groups = (entries, customer_transactions, project_transactions)
    return hash_of_texts(voucher, *(texts_of(rows, of) for rows in groups))


def texts_of(rows, of: int | None = None) -> list[str]:
    """The content of rows as texts, in an order that does not depend on theirs."""
    return sorted(canonical(row, of) for row in rows)


def hash_of_texts(voucher, entries, customer_transactions, project_transactions) -> str:
    """`voucher_hash` with the texts of the rows."""
    of = voucher.hash_format
    return digest(canonical(voucher, of), *entries, *customer_transactions, *project_transactions, of=of)


def heads() -> dict[str, str]:
    """The length of each legal entity's chain and the hash of its last voucher, by the entity's code."""
    rows = NumberSequence.objects.filter(kind=NumberSequence.Kind.VOUCHER).exclude(chain_hash="")
    rows = rows.order_by("entity__code").values_list("entity__code", "chain_length", "chain_hash")
    return {code: f"{length} {last}" for code, length, last in rows}


def lost(code: str, head: str) -> str | None:
    """None if the chain of a legal entity contains a head from `heads`; else the voucher in its place, or "".

    Unknown codes return None too.
    """
    length, last = head.split()
    voucher = Voucher.objects.filter(entity__code=code, position=length).first()
    if voucher:
        return None if voucher.hash == last else f"{voucher._meta.label_lower}:{voucher.pk}"
    return "" if LegalEntity.objects.filter(code=code).exists() else None


@cache
def _reader(model, of):
    names = FORMATS[of][model].split()
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return model._meta.label_lower, attrgetter(*names), [_writer(fields[name]) for name in names]


def _writer(field):
    if isinstance(field, ExactDecimalField):
        places = f".{field.places}f"

        @lru_cache(maxsize=10_000)  # most amounts, rates and zeros are repeated often
        def fixed(value):
            # Never rounds: a value with more decimals than its column is a ValueError.
            return format(field.unrounded(Decimal(value)) + 0, places)

        return fixed
    return _text if isinstance(field, _IN_ISO) else str


_IN_ISO = (models.DateField, models.BooleanField)  # a DateTimeField is a DateField


def _text(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
