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

    One or two letters have to be the beginning of a word.
    """
    for word in text.split()[:_MOST_WORDS]:
        rows = rows.filter(_holds(rows.model, fields, word))
    return rows


def newest(rows, n: int):
    """The newest n of the rows that contain a text, newest first."""
    # PostgreSQL expects frequent words: by the order of keys it would read all rows for a rare one.
    keys = list(rows.order_by().values_list("pk", flat=True)[: _MOST_KEYS + 1])
    if len(keys) <= _MOST_KEYS:
        rows = rows.filter(pk__in=sorted(keys)[-n:])
    return rows.order_by("-pk")[:n]


def _holds(model, fields, word):
    found, elsewhere = Q(), {}
    for path in fields:
        hops, other, column = _parted(model, path)
        if hops and column in _declared.get(other, ()):
            elsewhere.setdefault((hops, other), []).append(column)
        else:
            found |= _has(path, word)
    for (hops, other), columns in elsewhere.items():
        there = Q()
        for column in columns:
            there |= _has(column, word)
        rows = other._base_manager.filter(there).order_by()
        keys = list(rows.values_list("pk", flat=True)[: _MOST_KEYS + 1])
        # Keys let an index of the foreign key take part.
        found |= Q(**{f"{hops}__in": keys if len(keys) <= _MOST_KEYS else rows.values("pk")})
    return found


def _has(path, word):
    if len(word) >= _LETTERS:
        return Q(**{f"{path}__icontains": word})
    return Q(**{f"{path}__istartswith": word}) | Q(**{f"{path}__icontains": f" {word}"})


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
