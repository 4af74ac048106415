"""The hashes of vouchers, calculated by PostgreSQL from the rows as they stand.

PostgreSQL builds the text of `ledger.books.chain` many times faster than Python. A voucher with equal hashes
is unchanged, because another text has another hash. All others are calculated again in Python, also those
with characters that are written in another way here, so a mistake here can cost time but hides nothing.
"""

from functools import cache

from django.db import connection, models, transaction

from actuals.models import Actual
from ledger.books import chain
from ledger.models import (
    CustomerInvoice,
    CustomerTransaction,
    InvoiceLine,
    InvoiceProposal,
    InvoiceReference,
    InvoiceTax,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    Voucher,
)
from proforma.models import DetailActual, LineDetail, ProformaLine

_MOST_ARGUMENTS = 90  # PostgreSQL's functions take 100


def unchanged(entity, first: int, last: int) -> set[int]:
    """The vouchers of these positions that balance in one currency and have the hashes of their content.

    Empty on SQLite, so that Python calculates them all.
    """
    if connection.vendor != "postgresql":
        return set()
    found = set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL datestyle = 'ISO'")
        for of in chain.FORMATS:
            cursor.execute(_statement(of), [of, entity.pk, first, last])
            found.update(key for (key,) in cursor.fetchall())
    return found


@cache
def _statement(of):
    text = {model: canonical(model, of, _alias(model)) for model in chain.FORMATS[of]}
    table = {model: model._meta.db_table for model in [*text, InvoiceProposal, ProformaLine, LineDetail]}

    def behind(model, source):
        said = f"SELECT {text[model]} AS said FROM {source}"
        return f"""(SELECT string_agg(E'\\n' || said, '' ORDER BY said COLLATE "C") FROM ({said}) each)"""

    def of_voucher(model):
        return behind(model, f"{table[model]} {_alias(model)} WHERE {_alias(model)}.voucher_id = voucher.id")

    def of_invoice(model):
        alias = _alias(model)
        return behind(model, f"{table[model]} {alias} WHERE {alias}.invoice_id = customerinvoice.id")

    details = f"""{table[ProformaLine]} line
        JOIN {table[LineDetail]} detail ON detail.line_id = line.id
        JOIN {table[DetailActual]} detailactual ON detailactual.detail_id = detail.id
        {{more}} WHERE line.proforma_id = proposal.proforma_id"""
    actual = f"JOIN {table[Actual]} actual ON actual.id = detailactual.actual_id"
    content = _hash(
        of, text[Voucher], *map(of_voucher, (LedgerEntry, CustomerTransaction, ProjectTransaction))
    )
    journal = _hash(of, text[JournalLine], r"E'\n'", text[Actual])
    invoice = _hash(
        of,
        text[CustomerInvoice],
        *map(of_invoice, (InvoiceLine, InvoiceTax, InvoiceReference)),
        behind(DetailActual, details.format(more="")),
        behind(Actual, details.format(more=actual)),
    )
    return f"""SELECT voucher.id FROM {table[Voucher]} voucher
    WHERE voucher.hash_format = %s AND voucher.entity_id = %s
    AND voucher.position >= %s AND voucher.position <= %s
    AND voucher.hash = {content}
    AND CASE voucher.kind
    WHEN '{Voucher.Kind.JOURNAL}' THEN voucher.claims_hash = (
        SELECT {journal} FROM {table[JournalLine]} journalline
        JOIN {table[Actual]} actual ON actual.id = journalline.actual_id
        WHERE journalline.id = voucher.journal_line_id)
    WHEN '{Voucher.Kind.INVOICE}' THEN voucher.claims_hash = (
        SELECT {invoice} FROM {table[CustomerInvoice]} customerinvoice
        JOIN {table[InvoiceProposal]} proposal ON proposal.id = customerinvoice.proposal_id
        WHERE customerinvoice.voucher_id = voucher.id)
    ELSE true END
    AND (SELECT count(*) = 0 OR min(currency COLLATE "C") = max(currency COLLATE "C")
        AND sum(debit) = sum(credit) AND sum(accounting_debit) = sum(accounting_credit)
        FROM {table[LedgerEntry]} entry WHERE entry.voucher_id = voucher.id)"""


def _hash(of, *texts):
    return sha256(_concat(f"'ledgerline {of}'", r"E'\n'", *texts))


def sha256(text):
    """SQL for the hash of a text."""
    return f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"


def _alias(model):
    return model._meta.model_name


def canonical(model, of: int, alias: str, **instead: str) -> str:
    """SQL for `chain.canonical` of a row in format `of`; `instead` has other SQL for some of its values."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    parts = [f"""'["{model._meta.label_lower}"'"""]
    for name in chain.FORMATS[of][model].split():
        parts += _value(fields[name], instead.get(name) or f'{alias}."{fields[name].column}"')
    parts.append("']'")
    some = [parts[at : at + _MOST_ARGUMENTS] for at in range(0, len(parts), _MOST_ARGUMENTS)]
    return _concat(*(_concat(*each) for each in some))


def _concat(*texts):
    return f"concat({', '.join(texts)})"


def _value(field, column):
    """SQL expressions whose texts follow each other, for one value with the comma before it."""
    field = getattr(field, "target_field", field)
    if isinstance(field, models.DateTimeField):
        said = f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
    elif isinstance(field, models.BooleanField):
        said = f"CASE WHEN {column} THEN 'yes' WHEN NOT {column} THEN 'no' END"
    elif isinstance(field, models.CharField | models.TextField):
        ascii = f"octet_length({column}) = char_length({column})"
        said = f"to_json({column})::text"
        return ["','", f"coalesce(CASE WHEN {ascii} THEN {said} ELSE {_escaped(said)} END, 'null')"]
    else:
        said = column
    return ["','", f"""coalesce('"' || {said} || '"', 'null')"""]


def _escaped(said):
    """A text of JSON in ASCII only."""
    one = r"CASE WHEN ascii(c) < 128 THEN c ELSE '\u' || lpad(to_hex(ascii(c)), 4, '0') END"
    return (
        f"(SELECT string_agg({one}, '' ORDER BY n) "
        f"FROM unnest(string_to_array({said}, NULL)) WITH ORDINALITY AS letters (c, n))"
    )
