"""The rows of a small company, many times, as a few statements of SQL each table; PostgreSQL only.

Row `t` becomes the rows `t * copies + k`, so that every key of a copy is known without looking it up, and
rows stay in the order in which they were written. Set-up, such as accounts and price lists, is not copied.
Numbers of documents go on without gaps, and the hashes of the vouchers are computed again (`chained`).
"""

from collections import defaultdict

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

from actuals.models import EntryImport
from benchmarks import chained
from contracts import models as contracts
from invoicing_site.floor import seals
from invoicing_site.models import AuditEvent, SealPending
from ledger import models as ledger
from ledger.books import balances
from ledger.books.operations import rebuild_balances

SHARED = {
    contracts.LegalEntity,
    contracts.Membership,
    contracts.OrganizationalUnit,
    contracts.PaymentTerm,
    contracts.BillingTaxGroup,
    contracts.ItemTaxGroup,
    contracts.ExchangeRate,
    contracts.ProjectGroup,
    contracts.Role,
    contracts.Category,
    contracts.MeasureUnit,
    contracts.Product,
    contracts.InvoiceFrequency,
    contracts.NumberSequence,
    contracts.SequenceCounter,
    contracts.PriceList,
    contracts.RolePrice,
    contracts.RolePriceOverride,
    contracts.PriceMarkup,
    contracts.CategoryPrice,
    contracts.ProductPrice,
    EntryImport,
    ledger.FiscalYear,
    ledger.FiscalPeriod,
    ledger.Account,
    ledger.Dimension,
    ledger.DimensionValue,
    ledger.DimensionSet,
    ledger.DimensionSetValue,
    ledger.Profile,
    ledger.PostingAccount,
    ledger.TaxCode,
    ledger.TaxRate,
    ledger.BillingTaxGroupCode,
    ledger.ItemTaxGroupCode,
}
# Sums of other rows, which are computed again.
KEPT = {kind.model for kind in balances.KINDS}
# Rows of which there is only one, such as the profile of the whole company.
ONCE = {
    ledger.ProfileAssignment: "t.project_id IS NULL AND t.contract_id IS NULL AND t.group_id IS NULL",
    ledger.ProposalLayout: "t.customer_id IS NULL AND t.contract_id IS NULL",
}
_CODE = "t.\"{0}\" || CASE WHEN k > 0 THEN '-' || k ELSE '' END"
_WORDS = "CASE WHEN k > 0 AND t.\"{0}\" <> '' THEN k || ' ' ELSE '' END || t.\"{0}\""
_PLACE = '(t."{0}" - 1) * {1} + k + 1'
# The next numbers, as `renumbered` gives them, for millions of vouchers.
_DIGITS = "split_part(t.\"{0}\", '-', 3)"
_SEQ = f"(({_DIGITS}::bigint - 1) * {{1}} + k + 1)::text"
_NUMBERED = (
    f"split_part(t.\"{{0}}\", '-', 1) || '-' || split_part(t.\"{{0}}\", '-', 2) || '-' || "
    f"lpad({_SEQ}, greatest(length({_DIGITS}), length({_SEQ})), '0')"
)
# What a copy has instead; {0} is the column and {1} the number of copies.
SPECIAL = {
    "contracts_customer.number": _CODE,
    "contracts_project.code": _CODE,
    "contracts_projectcontract.code": _CODE,
    "contracts_resource.code": _CODE,
    "contracts_resource.user_id": 'CASE WHEN k = 0 THEN t."{0}" END',
    "ledger_customerinvoice.buyer_number": _CODE,
    "ledger_customerinvoice.seq": _PLACE,
    "ledger_voucher.number": _NUMBERED,
    "ledger_voucher.position": _PLACE,
}
# Texts that name a document, a contract, a project, a customer or a person of the copy.
NUMBER = r"\m[A-Z]+-\d{4}-\d+"
TEXTS = {
    NUMBER: f"CASE WHEN {{0}} ~ '{NUMBER.replace('{', '{{').replace('}', '}}')}' "
    "THEN pg_temp.renumbered({0}, k, {1}) ELSE {0} END",
    r"\m[CP]-[12]0\d\d\M": r"CASE WHEN k = 0 THEN {0} ELSE "
    r"regexp_replace({0}, '\m([CP]-[12]0\d\d)\M', '\1-' || k, 'g') END",
    r"\(demo\)": "CASE WHEN k = 0 THEN {0} ELSE replace({0}, '(demo)', '(demo ' || k || ')') END",
    r"\m(Eksempel|Primjer)\M": r"CASE WHEN k = 0 THEN {0} ELSE "
    r"regexp_replace({0}, '\m(Eksempel|Primjer)\M', '\1 ' || k, 'g') END",
}
_RENUMBERED = rf"""
    CREATE FUNCTION pg_temp.renumbered(said text, k integer, copies integer) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN old IS NULL THEN said
               ELSE replace(said, old, head || lpad(seq, greatest(length(digits), length(seq)), '0')) END
        FROM (SELECT *, ((digits::bigint - 1) * copies + k + 1)::text AS seq
              FROM (SELECT substring(said FROM '{NUMBER}') AS old,
                           substring(said FROM '(\m[A-Z]+-\d{{4}}-)\d+') AS head,
                           substring(said FROM '\m[A-Z]+-\d{{4}}-(\d+)') AS digits) one) two
    $$
"""
_NOTED = 50_000  # ids in a note


@transaction.atomic
def multiply(copies: int):
    """Replace the rows of all companies by this number of copies, keeping every rule of the books.

    Needs a superuser: no trigger and no foreign key is checked meanwhile. `verify_ledger` checks it all.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for setting in (
            "session_replication_role = replica",
            "synchronous_commit = off",
            "work_mem = '256MB'",
            "maintenance_work_mem = '1GB'",
            "timezone = 'UTC'",
            "datestyle = 'ISO'",
        ):
            cursor.execute(f"SET LOCAL {setting}")
        cursor.execute("CREATE SCHEMA template")
        cursor.execute(_RENUMBERED)
        indices = _drop_indices(cursor)
        for model in copied():
            _copy(cursor, model, copies)
        _shared(cursor, copies)
        for model in KEPT:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
        chained.chain(cursor)
        for sql in indices:
            cursor.execute(sql)
        for sql in connection.ops.sequence_reset_sql(no_style(), copied()):
            cursor.execute(sql)
        cursor.execute("DROP SCHEMA template CASCADE")
        _note(cursor)
        cursor.execute("SET LOCAL session_replication_role = origin")
    for entity in contracts.LegalEntity.objects.all():
        rebuild_balances(entity)


def copied() -> list:
    """The models whose rows are multiplied."""
    rooms = ("contracts", "actuals", "backlog", "proforma", "ledger")
    found = [m for room in rooms for m in apps.get_app_config(room).get_models(include_auto_created=True)]
    return [model for model in found if model not in SHARED | KEPT] + [AuditEvent]


def _copy(cursor, model, copies):
    table = model._meta.db_table
    cursor.execute(f"CREATE TABLE template.{table} AS TABLE {table}")
    cursor.execute(f"DELETE FROM {table}")
    fields = model._meta.concrete_fields
    target = table
    if model is ledger.Voucher:
        target = chained.VOUCHERS
        cursor.execute(f"CREATE TEMPORARY TABLE {target} (LIKE {table}) ON COMMIT DROP")
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(_value(cursor, table, field, copies) for field in fields)
    cursor.execute(
        f"""
        INSERT INTO {target} ({names}) SELECT {values}
        FROM (SELECT *, generate_series(0, {copies - 1}) AS k
              FROM (SELECT * FROM template.{table} ORDER BY 1) one) t
        WHERE k = 0 OR NOT ({_only_once(model)})
        """
    )


def _only_once(model):
    if model is AuditEvent:
        return f"subject_type IN ({_labels(SHARED)})"
    return ONCE.get(model, "false")


def _labels(some):
    return ", ".join(f"'{model._meta.label_lower}'" for model in some)


def _value(cursor, table, field, copies):
    """SQL for a column of copy k of row t."""
    column = f't."{field.column}"'
    special = SPECIAL.get(f"{table}.{field.column}")
    if special:
        return special.format(field.column, copies)
    if field.primary_key or (field.is_relation and field.related_model in copied()):
        return f"{column} * {copies} + k"
    if table == AuditEvent._meta.db_table and field.name == "subject_id":
        key = f"({column}::bigint * {copies} + k)::text"
        return f"CASE WHEN t.subject_type IN ({_labels(copied())}) THEN {key} ELSE {column} END"
    is_text = isinstance(field, models.CharField | models.TextField | models.JSONField)
    if not is_text or field.name.startswith("seller_"):
        return column
    if field.name == "description":
        return _WORDS.format(field.column)
    return _text(cursor, table, field, column, copies)


def _text(cursor, table, field, column, copies):
    is_json = isinstance(field, models.JSONField)
    plain = value = f"{column}::text" if is_json else column
    for pattern, changed in TEXTS.items():
        cursor.execute(f"SELECT bool_or({plain} ~ %s) FROM template.{table} t", [pattern])
        if cursor.fetchone()[0]:
            value = changed.format(value, copies)
    return column if value == plain else f"({value}){'::jsonb' if is_json else ''}"


def _shared(cursor, copies):
    """Data of the set-up about the rows: keys of the first copy, and the last numbers."""
    several = set(copied())
    for model in SHARED:
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model in several:
                cursor.execute(
                    f'UPDATE {model._meta.db_table} SET "{field.column}" = "{field.column}" * {copies}'
                )
    cursor.execute(f"UPDATE contracts_sequencecounter SET last = last * {copies}")
    cursor.execute(f"UPDATE contracts_numbersequence SET chain_length = chain_length * {copies}")


def _drop_indices(cursor):
    """Drop all indices but those of the keys; return the SQL that creates them again."""
    tables = [model._meta.db_table for model in copied()]
    cursor.execute(
        """
        SELECT c.conname, t.relname, pg_get_constraintdef(c.oid) FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'u' AND t.relname = ANY(%s)
        """,
        [tables],
    )
    unique = cursor.fetchall()
    for name, table, _ in unique:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    cursor.execute(
        """
        SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_class t ON t.oid = x.indrelid WHERE NOT x.indisprimary AND t.relname = ANY(%s)
        """,
        [tables],
    )
    plain = cursor.fetchall()
    for name, _ in plain:
        cursor.execute(f'DROP INDEX "{name}"')
    return [
        *(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {sql}' for name, table, sql in unique),
        *(sql for _, sql in plain),
    ]


def _note(cursor):
    """Note all final rows for the next seals, as the triggers do, and forget seals of the small company."""
    for table in ("invoicing_site_sealedrows", "invoicing_site_seal", SealPending._meta.db_table):
        cursor.execute(f"DELETE FROM {table}")
    final = defaultdict(set)
    for kind in seals.declared():
        if not kind.sealed_with:
            final[kind.table].add(f"({kind.when.replace('OLD.', 'old.')})")
    for table, when in final.items():
        cursor.execute(
            f"""
            INSERT INTO {SealPending._meta.db_table} (table_name, guard, ids, noted_at)
            SELECT '{table}', '', string_agg(id::text, ',' ORDER BY id), now()
            FROM (SELECT old.id, row_number() OVER (ORDER BY old.id) / {_NOTED} AS part
                  FROM "{table}" old WHERE {" OR ".join(sorted(when))}) held GROUP BY part
            """
        )
