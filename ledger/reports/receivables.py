"""Open amounts of customers at the end of a day, by age, with their transactions (PST-8).

A past day always gives the same result: a settlement counts from its own date, and only between transactions
that exist on that day, so that open amounts add up to the balance. Positive amounts are owed by the customer;
payments and credits that are not settled yet are negative.

Only open transactions are read, and for a past day also those that were closed since (`closed_on`).
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from contracts.models import Customer, LegalEntity
from invoicing_site.floor.querysets import ExactSum, in_chunks, totals
from ledger.models import Account, CustomerTransaction, Settlement, Voucher
from ledger.reports.control import ControlBalance, control_balances

_ZERO = Decimal(0)
_CHUNK = 5000

# The date from which a transaction counts: of its document, or of its voucher, which can differ (PRP-8).
_DOCUMENT, _BOOKS = "date", "voucher__date"


@dataclass(frozen=True)
class Ages:
    """An amount by days past the due date; on the due date it is not overdue."""

    not_due: Decimal = _ZERO
    days_1_30: Decimal = _ZERO
    days_31_60: Decimal = _ZERO
    days_61_90: Decimal = _ZERO
    over_90: Decimal = _ZERO

    @property
    def overdue(self) -> Decimal:
        return self.total - self.not_due

    @property
    def total(self) -> Decimal:
        return sum(self.columns, _ZERO)

    @property
    def columns(self) -> tuple[Decimal, ...]:
        """The amounts in the order of `AGES`."""
        return tuple(getattr(self, name) for name in AGES)

    def __add__(self, other: "Ages") -> "Ages":
        return Ages(*map(sum, zip(self.columns, other.columns, strict=True)))


AGES = tuple(Ages.__dataclass_fields__)


@dataclass(frozen=True)
class AgingRow(Ages):
    """The open amounts of one customer in one currency, by days past the due date."""

    customer: Customer = None
    currency: str = ""


def aging(customers: QuerySet[Customer], *, on: datetime.date) -> list[AgingRow]:
    """Open amounts at the end of that day by document date, as in statements.

    By customer number and currency, without customers with 0 in all columns. A transaction without a due
    date, such as an unsettled payment, ages from its own date. Four queries.
    """
    people = {customer.pk: customer for customer in customers}
    rows = [
        AgingRow(*ages.columns, customer=people[customer], currency=currency)
        for (customer, currency), ages in _aged(people, on, _DOCUMENT, _IN_CURRENCY).items()
        if any(ages.columns)
    ]
    return sorted(rows, key=lambda row: (row.customer.number, row.customer.pk, row.currency))


@dataclass(frozen=True)
class ReceivableRow:
    """The open amounts of one customer in one currency: in that currency and in accounting currency."""

    customer: Customer
    currency: str
    own: Ages
    books: Ages


@dataclass(frozen=True)
class AgedReceivables:
    """All open amounts of customers of an entity at the end of a day, with the control accounts (PST-6).

    `books` are amounts in accounting currency at the posted rates; only these can be added up over
    currencies.
    """

    entity: LegalEntity
    on: datetime.date
    rows: tuple[ReceivableRow, ...]
    accounts: tuple[ControlBalance, ...]

    @property
    def books(self) -> Ages:
        return sum((row.books for row in self.rows), Ages())

    @property
    def ledger(self) -> Decimal:
        return sum((account.balance for account in self.accounts), _ZERO)

    @property
    def difference(self) -> Decimal:
        """Ledger less subledger."""
        return self.ledger - self.books.total


def aged_receivables(entity: LegalEntity, *, on: datetime.date) -> AgedReceivables:
    """Open amounts at the end of that day by accounting date, as in the general ledger.

    By customer number and currency, without rows whose columns are all 0. Nine queries.
    """
    people = Customer.objects.filter(entity=entity).in_bulk()
    own = _aged(people, on, _BOOKS, _IN_CURRENCY)
    books = _aged(people, on, _BOOKS, _IN_BOOKS)
    rows = [
        ReceivableRow(people[customer], currency, own.get((customer, currency), Ages()), ages)
        for (customer, currency), ages in books.items()
        if any(ages.columns) or any(own[customer, currency].columns)
    ]
    rows.sort(key=lambda row: (row.customer.number, row.customer.pk, row.currency))
    accounts = control_balances(entity, Account.Control.CUSTOMER, on=on)
    return AgedReceivables(entity, on, tuple(rows), accounts)


@dataclass(frozen=True)
class OpenTransaction:
    """A transaction that was open at the end of a day, in its currency and in accounting currency."""

    transaction: CustomerTransaction
    on: datetime.date
    open: Decimal
    accounting_open: Decimal

    @property
    def settled(self) -> Decimal:
        return self.transaction.amount - self.open

    @property
    def days(self) -> int:
        """Days past the due date, or past its own date if it has no due date; 0 if it is not overdue."""
        return max(0, (self.on - (self.transaction.due_date or self.transaction.date)).days)

    @property
    def age(self) -> str:
        """Its column in `AGES`."""
        return AGES[min(4, (self.days + 29) // 30)]


def open_transactions(customers: Iterable[int], *, on: datetime.date) -> list[OpenTransaction]:
    """The transactions behind `aged_receivables` for these customers (keys); the oldest due date first.

    By customer. Vouchers are loaded, with the invoice if there is one. Six queries, and one more for
    thousands of rows.
    """
    rows = _there(customers, on, _BOOKS)
    settlements = counted_settlements(Settlement.objects.all(), on, _BOOKS)
    own = _settled(settlements, rows, *_IN_CURRENCY[1:])
    books = _settled(settlements, rows, *_IN_BOOKS[1:])
    left = {}
    for key, amount, accounting_amount in rows.values_list("pk", "amount", "accounting_amount"):
        found = amount - own[key], accounting_amount - books[key]
        if any(found):
            left[key] = found
    loaded = [
        row
        for keys in in_chunks(list(left), _CHUNK)
        for row in CustomerTransaction.objects.filter(pk__in=keys).select_related(
            "customer", "voucher__invoice"
        )
    ]
    loaded.sort(key=lambda row: (row.customer.number, row.customer_id, row.due_date or row.date, row.pk))
    return [OpenTransaction(row, on, *left[row.pk]) for row in loaded]


def counted_settlements(settlements, until, dated=_DOCUMENT):
    """Settlements that count on a day, between transactions that count on it; undone ones cancel out."""
    days = {f"{side}__{dated}__lte": until for side in ("debit", "credit")}
    return settlements.filter(date__lte=until, **days)


def settled_of(transactions: QuerySet[CustomerTransaction], *, on: datetime.date) -> dict[int, Decimal]:
    """The settled amount of each of these transactions at the end of a day, with its sign."""
    return _settled(counted_settlements(Settlement.objects.all(), on), transactions, *_IN_CURRENCY[1:])


def _settled(settlements, transactions, debit_amount, credit_amount):
    settled = defaultdict(Decimal)
    for side, field, sign in (("debit", debit_amount, 1), ("credit", credit_amount, -1)):
        own = settlements.filter(**{f"{side}__in": transactions.values("pk")})
        for key, amount in totals(own, by=side, field=field).items():
            settled[key] += sign * amount
    return settled


# The field of a transaction, and those by which a settlement reduces its debit and its credit.
_IN_CURRENCY = "amount", "amount", "amount"
_IN_BOOKS = "accounting_amount", "debit_accounting_amount", "credit_accounting_amount"


def _there(customers, on, dated):
    """The transactions that exist on a day and may be open at its end.

    Without those that post the exchange difference of a settlement: the settlement already reduces each side
    by its posted amount, so the difference is included.
    """
    rows = CustomerTransaction.objects.open_on(on).filter(customer__in=customers, **{f"{dated}__lte": on})
    return rows.exclude(voucher__kind=Voucher.Kind.SETTLEMENT)


def _aged(customers, on, dated, fields) -> dict[tuple[int, str], Ages]:
    """The open amounts by customer and currency, also if they are 0; three queries."""
    sums = defaultdict(Ages)
    rows, settlements = _there(customers, on, dated), counted_settlements(Settlement.objects.all(), on, dated)
    of_transaction, of_debit, of_credit = fields
    _age(sums, rows, "", of_transaction, on, 1)
    _age(sums, settlements.filter(debit__in=rows.values("pk")), "debit__", of_debit, on, -1)
    _age(sums, settlements.filter(credit__in=rows.values("pk")), "credit__", of_credit, on, 1)
    return sums


def _age(sums, rows, side, field, on, sign):
    """Add up the rows by customer, currency and age of the transaction that `side` refers to."""
    days = [on - datetime.timedelta(days=n) for n in (0, 30, 60, 90)]
    conditions = (
        Q(due__gte=days[0]),
        Q(due__lt=days[0], due__gte=days[1]),
        Q(due__lt=days[1], due__gte=days[2]),
        Q(due__lt=days[2], due__gte=days[3]),
        Q(due__lt=days[3]),
    )
    by = (f"{side}customer", f"{side}currency")
    found = (
        rows.annotate(due=Coalesce(f"{side}due_date", f"{side}date"))
        .order_by(*by)
        .values_list(*by)
        .annotate(
            **{
                name: ExactSum(field, filter=condition)
                for name, condition in zip(AGES, conditions, strict=True)
            }
        )
    )
    for customer, currency, *columns in found:
        sums[customer, currency] += Ages(*(sign * amount for amount in columns))
