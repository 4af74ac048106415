"""The hashes of vouchers in SQL: the text that `ledger.books.chain` writes, for all vouchers at once."""

from actuals.models import Actual
from invoicing_site.verify.hashed import canonical, sha256
from ledger.books.chain import CURRENT
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

VOUCHERS = "benchmark_vouchers"  # all of them, with hashes that do not hold yet
_PREVIOUS = "~" * 64  # where the hash of the previous voucher belongs
_FORMAT = f"'ledgerline {CURRENT}'"
_JOINED = "string_agg(said, E'\\n' ORDER BY said COLLATE \"C\")"
_LOOP = f"""
    CREATE FUNCTION pg_temp.chained() RETURNS TABLE (id bigint, previous_hash text, hash text)
    LANGUAGE plpgsql AS $$
    DECLARE
        voucher record;
        entity bigint := 0;
    BEGIN
        FOR voucher IN SELECT * FROM benchmark_said ORDER BY entity_id, "position" LOOP
            previous_hash := CASE WHEN entity = voucher.entity_id THEN hash ELSE '' END;
            entity := voucher.entity_id;
            id := voucher.id;
            hash := replace(voucher.said, '{_PREVIOUS}', previous_hash);
            hash := {sha256("hash")};
            RETURN NEXT;
        END LOOP;
    END $$
"""


def chain(cursor):
    """Insert the vouchers of the temporary table with their hashes, and store the last ones."""
    cursor.execute("SET LOCAL enable_mergejoin = off")
    for model in (
        JournalLine,
        Actual,
        LedgerEntry,
        ProjectTransaction,
        InvoiceLine,
        DetailActual,
        LineDetail,
    ):
        cursor.execute(f"ANALYZE {model._meta.db_table}")
    cursor.execute(f"ANALYZE {VOUCHERS}")

    def said(model, alias, **instead):
        return canonical(model, CURRENT, alias, **instead)

    def together(name, key, sql):
        cursor.execute(
            f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS "
            f"SELECT {key}, {_JOINED} AS said FROM ({sql}) rows GROUP BY {key}"
        )
        cursor.execute(f"ANALYZE {name}")

    for name, model in (("lines", InvoiceLine), ("taxes", InvoiceTax), ("refs", InvoiceReference)):
        table = model._meta.db_table
        together(
            f"benchmark_{name}", "invoice_id", f"SELECT invoice_id, {said(model, 'r')} AS said FROM {table} r"
        )
    for name, model in (("details", DetailActual), ("actuals", Actual)):
        together(
            f"benchmark_{name}",
            "proforma_id",
            f"""
            SELECT l.proforma_id, {said(model, "r" if model is DetailActual else "a")} AS said
            FROM {DetailActual._meta.db_table} r JOIN {LineDetail._meta.db_table} d ON d.id = r.detail_id
            JOIN {ProformaLine._meta.db_table} l ON l.id = d.line_id
            JOIN {Actual._meta.db_table} a ON a.id = r.actual_id
            """,
        )
    parts = ("lines", "taxes", "refs", "details", "actuals")
    cursor.execute(
        f"""
        CREATE TEMPORARY TABLE benchmark_claims ON COMMIT DROP AS
        SELECT v.id, {_hash(said(JournalLine, "j"), said(Actual, "a"))} AS claims_hash
        FROM {VOUCHERS} v JOIN {JournalLine._meta.db_table} j ON j.id = v.journal_line_id
        JOIN {Actual._meta.db_table} a ON a.id = j.actual_id
        UNION ALL
        SELECT i.voucher_id,
          {_hash(said(CustomerInvoice, "i"), *(f"{each}.said" for each in parts))}
        FROM {CustomerInvoice._meta.db_table} i
        JOIN {InvoiceProposal._meta.db_table} p ON p.id = i.proposal_id
        LEFT JOIN benchmark_lines lines ON lines.invoice_id = i.id
        LEFT JOIN benchmark_taxes taxes ON taxes.invoice_id = i.id
        LEFT JOIN benchmark_refs refs ON refs.invoice_id = i.id
        LEFT JOIN benchmark_details details ON details.proforma_id = p.proforma_id
        LEFT JOIN benchmark_actuals actuals ON actuals.proforma_id = p.proforma_id
        """
    )
    cursor.execute("ANALYZE benchmark_claims")
    groups = (("entries", LedgerEntry), ("customer", CustomerTransaction), ("project", ProjectTransaction))
    for name, model in groups:
        table = model._meta.db_table
        together(
            f"benchmark_{name}", "voucher_id", f"SELECT voucher_id, {said(model, 'r')} AS said FROM {table} r"
        )
    voucher = said(Voucher, "v", claims_hash="c.claims_hash", previous_hash=f"'{_PREVIOUS}'::text")
    cursor.execute(
        f"""
        CREATE TEMPORARY TABLE benchmark_said ON COMMIT DROP AS
        SELECT v.id, v.entity_id, v."position",
          concat_ws(E'\\n', {_FORMAT}, {voucher}, entries.said, customer.said, project.said) AS said
        FROM {VOUCHERS} v JOIN benchmark_claims c ON c.id = v.id
        LEFT JOIN benchmark_entries entries ON entries.voucher_id = v.id
        LEFT JOIN benchmark_customer customer ON customer.voucher_id = v.id
        LEFT JOIN benchmark_project project ON project.voucher_id = v.id
        """
    )
    cursor.execute(_LOOP)
    cursor.execute(
        "CREATE TEMPORARY TABLE benchmark_hashes ON COMMIT DROP AS SELECT * FROM pg_temp.chained()"
    )
    cursor.execute("ANALYZE benchmark_hashes")
    fresh = {"claims_hash": "c", "previous_hash": "h", "hash": "h"}
    columns = [field.column for field in Voucher._meta.concrete_fields]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f'{fresh.get(column, "v")}."{column}"' for column in columns)
    cursor.execute(
        f"""
        INSERT INTO {Voucher._meta.db_table} ({names}) SELECT {values} FROM {VOUCHERS} v
        JOIN benchmark_claims c ON c.id = v.id JOIN benchmark_hashes h ON h.id = v.id ORDER BY v.id
        """
    )
    cursor.execute(
        f"""
        UPDATE contracts_numbersequence s SET chain_hash = v.hash FROM {Voucher._meta.db_table} v
        WHERE s.kind = 'voucher' AND v.entity_id = s.entity_id AND v."position" = s.chain_length
        """
    )


def _hash(*texts):
    """As `chain.digest`."""
    return sha256(f"concat_ws(E'\\n', {_FORMAT}, {', '.join(texts)})")
