"""An attacker who owns the database: no trigger fires, no foreign key or constraint is checked."""

from contextlib import contextmanager

from django.db import connection, transaction

from invoicing_site.floor import guards
from tests.invoicing_site.sample_company.alterations import decide_deferred


@contextmanager
def without_triggers():
    """Without triggers, and with deferred checks of foreign keys, as the owner of the database can."""
    decide_deferred()
    guards.drop(connection)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    yield


@contextmanager
def intruder():
    """A cursor without constraints and triggers; they are restored at the end of the block."""
    decide_deferred()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield cursor
        else:
            guards.drop(connection)
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            try:
                yield cursor
            finally:
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
        transaction.set_rollback(True)


def drop_constraints(cursor, table):
    """On PostgreSQL: drop all checks and unique indexes of a table except the primary key."""
    if connection.vendor != "postgresql":
        return
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u')", [table]
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}" CASCADE')
    cursor.execute(
        "SELECT indexrelid::regclass::text FROM pg_index"
        " WHERE indrelid = %s::regclass AND indisunique AND NOT indisprimary",
        [table],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")


def another_value(field):
    """SQL for a value that differs from the current value of the column."""
    column, kind = f'"{field.column}"', field.get_internal_type()
    if field.is_relation:
        return f"coalesce({column}, 0) + 1000000"
    if kind in {"CharField", "TextField", "EmailField", "URLField"}:
        rest = f"substr({column}, 2)"
        return (
            f"CASE WHEN {column} IS NULL OR {column} = '' THEN 'x'"
            f" WHEN substr({column}, 1, 1) = 'x' THEN 'y' || {rest} ELSE 'x' || {rest} END"
        )
    if kind == "BooleanField":
        return f"NOT coalesce({column}, false)"
    if kind == "DateField":
        return "'1999-12-31'"
    if kind == "DateTimeField":
        return "'1999-12-31 23:59:59'"
    if kind == "JSONField":
        return """'{"another": 1}'"""
    return f"coalesce({column}, 0) + {1 if kind == 'DecimalField' else 1000}"
