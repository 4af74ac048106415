"""Empties the database after a test that commits."""

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

# What `post_migrate` writes once for the whole run.
_STAYS = {ContentType._meta.db_table, Permission._meta.db_table, "django_migrations"}


def empty_tables():
    """Delete every row from PostgreSQL, in a fraction of the time that TRUNCATE and new guards take."""
    tables = [table for table in connection.introspection.table_names() if table not in _STAYS]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT FROM \"{t}\")" for t in tables))
        full = [table for (table,) in cursor.fetchall()]
        for statement in (
            *(f'ALTER TABLE "{table}" DISABLE TRIGGER USER' for table in full),
            *(f'DELETE FROM "{table}"' for table in full),
            "SET CONSTRAINTS ALL IMMEDIATE",
            *(f'ALTER TABLE "{table}" ENABLE TRIGGER USER' for table in full),
        ):
            cursor.execute(statement)
