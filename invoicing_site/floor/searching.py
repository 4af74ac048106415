"""Search for words in texts: one condition, and the indexes that serve it on PostgreSQL.

A model declares the columns in which people search. On PostgreSQL they get a trigram index, which finds a
part of a word among millions of rows; SQLite reads the columns. Texts of other rows are looked up first, by
their own index, so that the condition names keys instead of joining rows.
"""

import hashlib

from django.db import connections, transaction
from django.db.models import Q

_PREFIX = "search_"
_LETTERS = 3  # of a word that is looked for inside of a text: a trigram index needs as many
_MOST_KEYS = 1000
_MOST_WORDS = 8
_declared: dict = {}


def declare(model, *fields: str):
    """People search for words in these columns of the model."""
    _declared[model] = fields


def containing(rows, fields, text: str):
    """The rows in which each word of the text is a part of one of the fields, or of a path to another row.

    One or two letters have to be the beginning of the field.
    """
    for word in text.split()[:_MOST_WORDS]:
        rows = rows.filter(_holds(rows.model, fields, word))
    return rows


def _holds(model, fields, word):
    lookup = "icontains" if len(word) >= _LETTERS else "istartswith"
    found, indexed = Q(), {}
    for path in fields:
        hops, other, column = _parted(model, path)
        if column in _declared.get(other, ()):
            indexed.setdefault((hops, other), []).append(column)
        else:
            found |= Q(**{f"{path}__{lookup}": word})
    for (hops, other), columns in indexed.items():
        there = Q()
        for column in columns:
            there |= Q(**{f"{column}__{lookup}": word})
        found |= _among(hops, other._base_manager.filter(there).order_by(), there)
    return found


def _among(hops, rows, condition):
    """By their keys if the rows are few: the planner takes a rare word for a frequent one."""
    keys = list(rows.values_list("pk", flat=True)[: _MOST_KEYS + 1])
    if len(keys) <= _MOST_KEYS:
        return Q(**{f"{hops or 'pk'}__in": keys})
    return Q(**{f"{hops}__in": rows.values("pk")}) if hops else condition


def _parted(model, path):
    """The path to another row, the model of that row, and its column."""
    hops = []
    while "__" in path:
        name, _, rest = path.partition("__")
        field = model._meta.get_field(name)
        if not field.is_relation:
            break  # a key of a JSON column
        hops, model, path = [*hops, name], field.related_model, rest
    return "__".join(hops), model, path


def install(connection):
    """Create the indexes of the declared columns and remove all others; PostgreSQL only."""
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes "
            "WHERE starts_with(indexname, %s) AND schemaname = current_schema()",
            [_PREFIX],
        )
        present = {name for (name,) in cursor.fetchall()}
        tables = set(connection.introspection.table_names(cursor))
        wanted = {_name(model): model for model in _declared if model._meta.db_table in tables}
        for name in present - wanted.keys():
            cursor.execute(f'DROP INDEX "{name}"')
        if wanted.keys() - present:
            # The owner of the database may create it: it is a trusted extension.
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for name in wanted.keys() - present:
            model = wanted[name]
            columns = ", ".join(
                f'UPPER("{model._meta.get_field(field).column}"::text) gin_trgm_ops'  # as icontains writes it
                for field in _declared[model]
            )
            cursor.execute(f'CREATE INDEX "{name}" ON "{model._meta.db_table}" USING gin ({columns})')


def install_after_migrate(sender, using, **kwargs):
    """Receiver of `post_migrate`."""
    install(connections[using])


def _name(model) -> str:
    columns = hashlib.sha256(" ".join(_declared[model]).encode()).hexdigest()[:8]
    return f"{_PREFIX}{model._meta.db_table}"[:50] + f"_{columns}"
