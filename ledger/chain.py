"""The hash chain of the vouchers (PST-7): the same text from rows being posted and from rows read back.

A voucher's hash covers its own fields, its entries, its rows in both subledgers, a hash of the claims that it
books, and the hash of the voucher before it. What a text is made of is listed here by name, so that a column
added later changes no old hash. Decimals are written with all the places of their column, days and moments in
ISO 8601, moments in UTC.
"""

import datetime
import hashlib
import json
from decimal import Decimal
from functools import cache
from operator import attrgetter

from actuals.models import Actual
from invoicing_site.fields import ExactDecimalField
from ledger.models import CustomerTransaction, JournalLine, LedgerEntry, ProjectTransaction, Voucher

_VERSION = "ledgerline 1"

_COLUMNS = {
    Voucher: (
        "entity_id number kind date document_date period_id text journal_line_id reverses_id position"
        " claims_hash previous_hash posted_at posted_by_id"
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
}


def canonical(row) -> str:
    """What one row says, as a text that is the same before it is saved and after it was read back."""
    label, read, writers = _reader(type(row))
    values = [None if v is None else write(v) for v, write in zip(read(row), writers, strict=True)]
    return json.dumps([label, *values], ensure_ascii=True, separators=(",", ":"))


def digest(*texts: str) -> str:
    """SHA-256 over texts, in hexadecimal; where one ends and the next begins counts too."""
    return hashlib.sha256("\n".join([_VERSION, *texts]).encode()).hexdigest()


def claims_of_journal_line(line: JournalLine) -> str:
    """The hash of what a journal voucher books: the line as it is posted, and its actual."""
    return digest(canonical(line), canonical(line.actual))


def voucher_hash(voucher, entries, customer_transactions, project_transactions) -> str:
    """The voucher's hash, over rows in any order; `voucher.previous_hash` and `claims_hash` are within."""
    return digest(
        canonical(voucher),
        *sorted(map(canonical, entries)),
        *sorted(map(canonical, customer_transactions)),
        *sorted(map(canonical, project_transactions)),
    )


@cache
def _reader(model):
    names = _COLUMNS[model].split()
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return model._meta.label_lower, attrgetter(*names), [_writer(fields[name]) for name in names]


def _writer(field):
    if isinstance(field, ExactDecimalField):
        places = f".{field.places}f"

        def fixed(value):
            # Never rounds: a value with more decimals than its column is a ValueError.
            return format(field.unrounded(Decimal(value)) + 0, places)

        return fixed
    return _text


def _text(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
