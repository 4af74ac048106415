"""Locks, exact sums and fast inserts, on both databases."""

import datetime
import uuid
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from io import BytesIO
from itertools import islice, repeat
from operator import attrgetter

from django.core.exceptions import EmptyResultSet
from django.db import connections, models, router
from django.db.models import Exists, OuterRef
from django.db.models import fields as stock
from django.db.transaction import TransactionManagementError

from invoicing_site.floor import money
from invoicing_site.floor.fields import CurrencyField, ExactDecimalField


class LockingQuerySet(models.QuerySet):
    """Rows that can be locked before they are checked. On SQLite, the transaction itself is the lock."""

    def locked(self):
        """Locked against change, in primary-key order; rows that refer to them may still be inserted."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def claimed(self, count: int) -> list:
        """The keys of the first rows that no other transaction has locked, in order; locked until commit."""
        keys = self.order_by("pk").values_list("pk", flat=True)
        return list(keys.select_for_update(no_key=True, skip_locked=True)[:count])

    def held(self) -> list:
        """The rows, read again and protected against changes until commit (a shared lock).

        Several transactions can hold a row at the same time; `locked` waits for all of them.
        """
        connection = _in_transaction(self.db)
        rows = self.order_by("pk")
        if connection.vendor == "postgresql":
            rows = rows.filter(pk__in=_hold(rows.values_list("pk", flat=True), connection))
        return list(rows)


def _hold(keys, connection) -> list:
    # Django has no FOR SHARE. PostgreSQL checks the condition again for rows that it had to wait for.
    try:
        sql, params = keys.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    table = connection.ops.quote_name(keys.query.get_initial_alias())
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FOR SHARE OF {table}", params)
        return [key for (key,) in cursor.fetchall()]


def _in_transaction(using):
    connection = connections[using]
    if not connection.in_atomic_block:
        raise TransactionManagementError("Call this inside a transaction.")
    return connection


class ExactSum(models.Aggregate):
    """The sum of a column of at most 4 decimals, as a Decimal with 4 decimals; 0 for no rows, never None.

    Exact on both databases, on SQLite for sums up to 1e11: its columns store floats, so whole
    ten-thousandths are added.
    """

    function = "SUM"
    name = "ExactSum"
    arity = 1
    window_compatible = False
    empty_result_set_value = Decimal("0.0000")

    def __init__(self, expression, *, filter=None, output_field=None):
        # Wider than any column, because a sum has more digits than its parts.
        output_field = output_field or models.DecimalField(max_digits=30, decimal_places=4)
        super().__init__(expression, filter=filter, output_field=output_field)

    def as_sql(self, compiler, connection, **extra_context):
        try:
            sql, params = super().as_sql(compiler, connection, **extra_context)
        except EmptyResultSet:  # a filter that matches nothing
            return "0", ()
        return f"COALESCE({sql}, 0)", params

    def as_sqlite(self, compiler, connection, **extra_context):
        whole = self.copy()
        whole.template = "SUM(CAST(ROUND(%(expressions)s * 10000) AS INTEGER))"
        sql, params = whole.as_sql(compiler, connection, **extra_context)
        return f"CAST(ROUND({sql} / 10000.0, 4) AS NUMERIC)", params

    def get_db_converters(self, connection):
        return [*super().get_db_converters(connection), _four_decimals]


def _four_decimals(value, expression, connection):
    return money.rounded_sum(value)


def lacks(model, relation: str, of: str = "pk"):
    """The condition that no row of the reverse relation refers to a row of the model: `NOT EXISTS`.

    `relation=None` in a filter is a join that PostgreSQL takes for one row, and so plans for one. `of` is the
    path to the row of the model.
    """
    field = model._meta.get_field(relation).field
    return ~Exists(field.model._base_manager.filter(**{field.name: OuterRef(of)}))


def values_of(model, name: str) -> list:
    """The values of an indexed column, in order: one look into the index for each value, not for each row."""
    connection = connections[router.db_for_read(model)]
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(model._meta.get_field(name).column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(value) AS (SELECT MIN({column}) FROM {table} UNION ALL "
            f"SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value) FROM found "
            "WHERE found.value IS NOT NULL) SELECT value FROM found WHERE value IS NOT NULL"
        )
        return [value for (value,) in cursor.fetchall()]


def total(queryset, field="amount") -> Decimal:
    """The exact sum of a field or an expression over the rows."""
    return queryset.aggregate(exact_total=ExactSum(field))["exact_total"]


def totals(queryset, by: str | Sequence[str] = ("currency",), field="amount") -> dict:
    """The exact sum for each value of `by`, in its order; keys are tuples if `by` has several fields."""
    by = (by,) if isinstance(by, str) else tuple(by)
    rows = queryset.order_by(*by).values(*by).annotate(exact_total=ExactSum(field))
    rows = rows.values_list(*by, "exact_total")
    return {keys[0] if len(by) == 1 else tuple(keys): exact for *keys, exact in rows}


def analyze(*tables):
    """Update the planner's statistics of these models' tables; called after an action on very many rows.

    With the statistics of an empty table, the planner would scan the whole table.
    """
    connection = connections[router.db_for_write(tables[0])]
    with connection.cursor() as cursor:
        for model in tables:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def in_chunks(rows: Iterable, size: int) -> Iterator[list]:
    """The rows in lists of at most `size`."""
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk


def by_keys(rows, name: str, keys: Iterable[int]) -> Iterator:
    """The rows whose field has one of the keys; a query for each 5,000 keys."""
    for chunk in in_chunks(sorted(keys), 5000):
        yield from rows.filter(**{f"{name}__in": chunk})


def streamed(rows, size: int) -> Iterator:
    """The rows of a queryset in its order, of which `size` are in memory at a time.

    The keys are read at once. So a row whose place in the order changes is neither missing nor there twice,
    and no cursor of the server is needed, which a pool of connections could not keep.
    """
    for keys in in_chunks(list(rows.values_list("pk", flat=True)), size):
        found = rows.order_by().in_bulk(keys)
        yield from (found[key] for key in keys if key in found)


def draw_ids(model, n: int) -> list[int]:
    """Reserve primary keys for n new rows of the model, in ascending order."""
    if not n:
        return []
    table, column = model._meta.db_table, model._meta.pk.column
    connection = _in_transaction(router.db_for_write(model))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "WITH own AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, %s)::regclass AS sequence) "
                "SELECT nextval(sequence) FROM own, generate_series(1, %s)",
                [connection.ops.quote_name(table), column, n],
            )
            return sorted(key for (key,) in cursor.fetchall())
        # The transaction locks the whole database, so reading and increasing the sequence is one step.
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [n, table])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, n])
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        (last,) = cursor.fetchone()
        return list(range(last - n + 1, last + 1))


def write_rows(model, rows: Iterable, batch_size: int = 5000) -> list:
    """Insert unsaved instances fast and return them, saved: COPY on PostgreSQL, `bulk_create` on SQLite.

    Primary keys can be reserved with `draw_ids`; missing ones are reserved here. Defaults, choices and
    `auto_now_add` work as in `save()`; expressions and database defaults do not, and no signal is sent.
    """
    rows = list(rows)
    using = router.db_for_write(model)
    connection = _in_transaction(using)
    assert not model._meta.parents, "Models with rows in two tables are not supported."
    assert all(type(row) is model and row._state.adding for row in rows), f"Unsaved {model.__name__} only."
    keyless = [row for row in rows if row.pk is None]
    for row, key in zip(keyless, draw_ids(model, len(keyless)), strict=True):
        row.pk = key
    if connection.vendor != "postgresql":
        return model._base_manager.using(using).bulk_create(rows, batch_size=batch_size)
    if rows:
        _copy(model, rows, batch_size, connection)
    for row in rows:
        row._state.adding, row._state.db = False, using
    return rows


def _copy(model, rows, batch_size, connection):
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    _take_over_keys([field for field in fields if field.is_relation], rows)
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    sql = f"COPY {connection.ops.quote_name(model._meta.db_table)} ({columns}) FROM STDIN"
    texts = [_column(field, connection) for field in fields]
    for chunk in in_chunks(rows, batch_size):
        # Column by column, so that the conversion is selected once per column.
        lines = map("\t".join, zip(*(text(chunk) for text in texts), strict=True))
        content = "\n".join(lines)
        if "\0" in content:
            raise ValueError(f"A text of {model._meta.verbose_name} holds a NUL character.")
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.cursor.copy_expert(sql, BytesIO(content.encode()))


def _take_over_keys(relations, rows):
    """Set foreign keys to rows that had no key when they were assigned."""
    for field in relations:
        for row in rows:
            related = row._state.fields_cache.get(field.name)
            if related is not None and getattr(row, field.attname) is None:
                key = getattr(related, field.target_field.attname)
                if key is None:
                    raise ValueError(f"{field} refers to a row that is not saved.")
                setattr(row, field.attname, key)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _moment(stamp: datetime.datetime) -> str:
    if stamp.tzinfo is None:
        raise ValueError(f"{stamp} has no time zone.")
    return stamp.isoformat()


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

# Conversions of Python values for COPY, by exact type.
_TEXTS = {
    type(None): lambda value: "\\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    str: _escaped,
    Decimal: str,
    datetime.date: str,
    datetime.datetime: _moment,
    datetime.time: datetime.time.isoformat,
    datetime.timedelta: lambda value: f"{value.days} days {value.seconds}.{value.microseconds:06} seconds",
    uuid.UUID: str,
    bytes: lambda value: "\\\\x" + value.hex(),
    memoryview: lambda value: "\\\\x" + value.hex(),
}

# Field types whose values need no preparation.
_READY = {
    CurrencyField: str,
    stock.CharField: str,
    stock.TextField: str,
    stock.BooleanField: bool,
    stock.IntegerField: int,
    stock.BigIntegerField: int,
    stock.SmallIntegerField: int,
    stock.PositiveIntegerField: int,
    stock.PositiveBigIntegerField: int,
    stock.PositiveSmallIntegerField: int,
    stock.AutoField: int,
    stock.BigAutoField: int,
    models.ForeignKey: int,
    models.OneToOneField: int,
    stock.DateField: datetime.date,
    stock.DateTimeField: datetime.datetime,
    stock.TimeField: datetime.time,
    stock.DurationField: datetime.timedelta,
    stock.UUIDField: uuid.UUID,
}


def _column(field, connection):
    """A function from rows to the texts of one column; fast if all values have the column's type."""
    ready = Decimal if isinstance(field, ExactDecimalField) else _READY.get(type(field))
    write = (lambda value: str(field.unrounded(value))) if ready is Decimal else _TEXTS.get(ready)
    # Only some fields have a pre_save; calling it for all the others would take most of the time.
    if type(field).pre_save is models.Field.pre_save:
        value_of = attrgetter(field.attname)
    else:
        value_of = partial(field.pre_save, add=True)

    def texts(rows):
        values = list(map(value_of, rows))
        kinds = set(map(type, values))
        if kinds == {ready}:
            return map(write, values)
        if ready and kinds == {type(None)}:
            return repeat("\\N", len(values))
        if ready and kinds == {ready, type(None)}:
            return ("\\N" if value is None else write(value) for value in values)
        return (_text(field.get_db_prep_save(value, connection), field) for value in values)

    return texts


def _text(value, field) -> str:
    for kind in (type(value), *type(value).__mro__):
        if kind in _TEXTS:
            return _TEXTS[kind](value)
    # psycopg2 wraps JSON, bytes and addresses; COPY needs the wrapped value.
    if hasattr(value, "dumps"):
        return _escaped(value.dumps(value.adapted))
    if hasattr(value, "adapted"):
        return _text(bytes(value.adapted), field)
    if hasattr(value, "addr"):
        return _escaped(value.addr)
    raise TypeError(f"{field} cannot be written in bulk as {type(value).__name__}.")
