"""Stored balances: what a posting adds to them, and where they differ from their rows (PST-6, PST-8).

Postings are added in Python, from exact decimals: SQLite would add floats.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from django.db.models import Count, F, Model, Q, Value
from django.db.models.functions import Coalesce, TruncMonth

from contracts.models import LegalEntity
from invoicing_site.floor.querysets import ExactSum
from ledger.books.plan import VoucherPlan
from ledger.models import (
    Account,
    AccountBalance,
    CustomerBalance,
    CustomerTransaction,
    LedgerEntry,
    PartyBalance,
    PeriodBalance,
    ProjectBalance,
    ProjectTransaction,
    Voucher,
)

# The number of rows, then the sum of each column.
Sums = tuple[Decimal, ...]


@dataclass(frozen=True, eq=False)
class Kind:
    """A table of balances and the rows that it sums.

    `key` has the path from a row to each column of the key, and `columns` the column that each sum adds up.
    Rows that `only` excludes have no balance.
    """

    model: type[Model]
    rows: type[Model]
    key: dict[str, object]
    columns: dict[str, str]
    only: Q = field(default_factory=Q)
    entity: str = "voucher__entity"  # of the rows

    @property
    def sums(self) -> tuple[str, ...]:
        return ("count", *self.columns)

    def key_of(self, balance) -> tuple:
        return tuple(getattr(balance, self.model._meta.get_field(name).attname) for name in self.key)

    def new(self, key) -> Model:
        """A balance of nothing."""
        names = (self.model._meta.get_field(name).attname for name in self.key)
        return self.model(**dict(zip(names, key, strict=True)), **dict.fromkeys(self.sums, 0))

    def stored(self, keys: Iterable[tuple]) -> dict[tuple, Model]:
        """The balances of these keys, and perhaps a few more, as they are now."""
        rows = self.model._base_manager.all()
        for name, values in zip(self.key, zip(*keys, strict=True), strict=True):
            if self.model._meta.get_field(name).null:  # as in the unique index
                rows = rows.alias(**{f"{name}_or_0": Coalesce(F(name), 0)})
                name, values = f"{name}_or_0", [value or 0 for value in values]
            rows = rows.filter(**{f"{name}__in": set(values)})
        return {self.key_of(row): row for row in rows}


OF_PERIOD = Kind(PeriodBalance, Voucher, {"period": "period"}, {}, entity="entity")
OF_ACCOUNT = Kind(
    AccountBalance,
    LedgerEntry,
    {"account": "account", "period": "voucher__period", "dimensions": "dimensions"},
    {"debit": "accounting_debit", "credit": "accounting_credit"},
)
OF_PARTY = Kind(
    PartyBalance,
    LedgerEntry,
    {
        "account": "account",
        "period": "voucher__period",
        "project": "project",
        "customer": "customer",
        "currency": "currency",
    },
    {name: name for name in ("debit", "credit", "accounting_debit", "accounting_credit")},
    only=~Q(account__control=Account.Control.NONE),
)
OF_CUSTOMER = Kind(
    CustomerBalance,
    CustomerTransaction,
    {
        "customer": "customer",
        "period": "voucher__period",
        "currency": "currency",
        "month": TruncMonth("date"),
    },
    {name: name for name in ("amount", "accounting_amount")},
)
OF_PROJECT = Kind(
    ProjectBalance,
    ProjectTransaction,
    {
        "project": "project",
        "period": "voucher__period",
        "kind": "kind",
        "transaction_class": "transaction_class",
        "in_balance": "in_balance",
        "voucher_kind": "voucher__kind",
        "currency": "currency",
    },
    {name: name for name in ("quantity", "amount", "accounting_amount")},
)
KINDS = (OF_PERIOD, OF_ACCOUNT, OF_PARTY, OF_CUSTOMER, OF_PROJECT)


def raised(plans: Iterable[VoucherPlan]) -> Iterator[tuple[Kind, list[Model]]]:
    """The balances that the plans change, each once, with what the plans add to them.

    They are read here, under the lock of the voucher sequence. New ones have no primary key.
    """
    for kind, added in _added(plans).items():
        stored = kind.stored(added)
        balances = []
        for key, sums in added.items():
            balance = stored.get(key) or kind.new(key)
            for name, amount in zip(kind.sums, sums, strict=True):
                setattr(balance, name, getattr(balance, name) + amount)
            balances.append(balance)
        yield kind, balances


def _added(plans) -> dict[Kind, dict[tuple, list[Decimal]]]:
    """The sums of the plans, by kind and key; kinds without rows are left out."""
    result: dict[Kind, dict[tuple, list[Decimal]]] = defaultdict(dict)
    for plan in plans:
        for kind, key, amounts in _rows_of(plan):
            sums = result[kind].get(key)
            if sums is None:
                result[kind][key] = [Decimal(1), *amounts]
                continue
            sums[0] += 1
            for place, amount in enumerate(amounts, start=1):
                sums[place] += amount
    return result


def _rows_of(plan):
    """Each row of the plan for each of its balances: the kind, the key and the amounts."""
    period = plan.period.pk
    yield OF_PERIOD, (period,), ()
    for entry in plan.entries:
        account, project, customer = entry.account, _key(entry.project), _key(entry.customer)
        books = entry.accounting_debit, entry.accounting_credit
        yield OF_ACCOUNT, (account.pk, period, _key(entry.dimensions)), books
        if account.control:
            place = account.pk, period, project, customer, entry.currency
            yield OF_PARTY, place, (entry.debit, entry.credit, *books)
    for row in plan.customer_transactions:
        place = row.customer_id, period, row.currency, row.date.replace(day=1)
        yield OF_CUSTOMER, place, (row.amount, row.accounting_amount)
    for row in plan.project_transactions:
        sort = row.kind, row.transaction_class, row.in_balance, plan.kind
        amounts = row.quantity, row.amount, row.accounting_amount
        yield OF_PROJECT, (row.project_id, period, *sort, row.currency), amounts


def _key(row) -> int | None:
    return None if row is None else row.pk


@dataclass(frozen=True)
class Difference:
    """A balance (None: it is missing) that differs from its rows: what is kept, and what the rows sum to."""

    kind: Kind
    key: tuple
    kept: Sums
    rows: Sums
    balance: int | None


def differences(entity: LegalEntity, periods: Iterable[int] | None = None) -> Iterator[Difference]:
    """The balances of the entity that differ from their rows; one statement for each table.

    By default in all fiscal periods.

    Both sides are read by the same statement, so that nothing is posted between them.
    """
    for kind in KINDS:
        width = len(kind.key)
        for key, sides in groupby(_both_sides(kind, entity, periods), key=itemgetter(slice(width))):
            kept = rows = (Decimal(0),) * len(kind.sums)
            balance = None
            for side in sides:
                if side[-1]:
                    kept, balance = side[width:-1], side[-1]
                else:
                    rows = side[width:-1]
            if kept != rows:
                yield Difference(kind, key, kept, rows, balance)


def _both_sides(kind, entity, periods):
    """The sums of the rows and the balances, by key; last the primary key of the balance (0 for rows)."""
    first = next(iter(kind.key))
    by = {f"by_{name}": F(path) if isinstance(path, str) else path for name, path in kind.key.items()}
    rows = kind.rows._base_manager.filter(kind.only, **{kind.entity: entity}).order_by()
    kept = kind.model._base_manager.filter(**{f"{first}__entity": entity}).order_by()
    if periods is not None:
        rows, kept = rows.filter(**{f"{kind.key['period']}__in": periods}), kept.filter(period__in=periods)
    rows = rows.annotate(**by).values_list(*by)
    rows = rows.annotate(
        sum_count=Count("pk"), **{f"sum_{name}": ExactSum(column) for name, column in kind.columns.items()}
    ).annotate(balance=Value(0))
    both = rows.union(kept.values_list(*kind.key, *kind.sums, "pk"), all=True)
    return both.order_by(*by).iterator(chunk_size=5000)
