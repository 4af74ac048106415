"""Compares the rows that both sides wrote: counts, sums and extreme values of every column of every table."""

from decimal import Decimal

from django.apps import apps
from django.db import connections, models

from benchmarks.databases import BY_HAND, OURS

APPS = ["contracts", "actuals", "backlog", "proforma", "ledger"]

# Columns that the hand-written SQL leaves empty, or fills with a value of the same length.
LEFT_OUT = {
    "actuals_pricedecision.reasoning",
    "contracts_numbersequence.chain_hash",
    "ledger_voucher.claims_hash",
    "ledger_voucher.previous_hash",
    "ledger_voucher.hash",
    "ledger_voucher.posted_in",  # the transaction's id
}


class Unequal(Exception):
    """The hand-written SQL wrote other rows than the product, so it is no lower bound."""


def compare():
    """Unequal, with every difference, unless each column of each table is equal on both sides."""
    ours, by_hand = (fingerprint(connections[alias]) for alias in (OURS, BY_HAND))
    differences = [
        f"{name}: ours {value}, by hand {by_hand[name]}"
        for name, value in ours.items()
        if value != by_hand[name]
    ]
    if differences:
        raise Unequal("\n".join(["Ours and hand-written SQL made different rows.", *differences]))


def rows(alias: str) -> int:
    """The number of rows in all compared tables."""
    with connections[alias].cursor() as cursor:
        counts = (f"(SELECT count(*) FROM {model._meta.db_table})" for model in _models())
        cursor.execute(f"SELECT {' + '.join(counts)}")
        return cursor.fetchone()[0]


def fingerprint(connection) -> dict[str, tuple]:
    """The compared values of each column, by table.column; the number of rows, by table.*."""
    result = {}
    for model in _models():
        table = model._meta.db_table
        columns = {"*": ["count(*)"]}
        for field in model._meta.concrete_fields:
            if not field.primary_key and f"{table}.{field.column}" not in LEFT_OUT:
                columns[field.column] = _looks(field, connection.ops.quote_name(field.column))
        with connection.cursor() as cursor:
            looks = ", ".join(look for looks in columns.values() for look in looks)
            cursor.execute(f"SELECT {looks} FROM {table}")
            values = iter(cursor.fetchone())
        for column, looks in columns.items():
            result[f"{table}.{column}"] = tuple(_plain(next(values)) for _ in looks)
    return result


def _models():
    return [model for app in APPS for model in apps.get_app_config(app).get_models()]


def _looks(field, column) -> list[str]:
    count = f"count({column})"
    if isinstance(field, models.ForeignKey):
        return [count, f"count(DISTINCT {column})"]
    if isinstance(field, models.DecimalField):
        return [count, f"round(sum({column}), 4)"]
    if isinstance(field, models.BooleanField):
        return [count, f"sum(CASE WHEN {column} THEN 1 ELSE 0 END)"]
    if field.choices:
        return [count, f"min({column})", f"max({column})", f"sum(length({column}))"]
    if isinstance(field, models.CharField | models.TextField):
        # The length is not compared, because it depends on the wording.
        return [count, f"count(DISTINCT {column})", f"count(nullif({column}, ''))"]
    if isinstance(field, models.IntegerField):
        return [count, f"sum({column})"]
    if isinstance(field, models.DateTimeField | models.JSONField):
        return [count]
    assert isinstance(field, models.DateField), field
    return [count, f"min({column})", f"max({column})"]


def _plain(value):
    """A comparable value: SQLite returns floats, PostgreSQL decimals of any scale and dates."""
    if isinstance(value, float | Decimal):
        return Decimal(str(value)).quantize(Decimal("0.0001")).normalize() + 0
    return value
