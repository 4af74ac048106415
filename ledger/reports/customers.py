"""The customer subledger: statements, and how old is what customers owe (PST-8).

All in the currency of the transaction, positive where the customer owes. Settlements count from their own
date on, and only between transactions that are there by then, so that open amounts add up to the balance.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from contracts.models import Customer
from invoicing_site.querysets import ExactSum, totals
from ledger.models import CustomerTransaction, Settlement

_ZERO = Decimal(0)


@dataclass(frozen=True)
class StatementRow:
    """One transaction: what it is for, what of it was settled by the end of the statement, what is open.

    `settled` and `open` add up to `amount` and have its sign; `balance` is that of the customer after it.
    """

    transaction: CustomerTransaction
    settled: Decimal
    balance: Decimal

    @property
    def date(self) -> datetime.date:
        return self.transaction.date

    @property
    def document(self) -> str:
        """The document's number; the kind of transaction where it has none."""
        return self.transaction.document_number or self.transaction.get_kind_display()

    @property
    def due_date(self) -> datetime.date | None:
        return self.transaction.due_date

    @property
    def amount(self) -> Decimal:
        return self.transaction.amount

    @property
    def open(self) -> Decimal:
        return self.amount - self.settled


@dataclass(frozen=True)
class CurrencyStatement:
    """A customer's account in one currency."""

    currency: str
    opening: Decimal
    rows: tuple[StatementRow, ...]

    @property
    def closing(self) -> Decimal:
        return self.rows[-1].balance if self.rows else self.opening


@dataclass(frozen=True)
class CustomerStatement:
    """A customer's account from `start` to `end`, both included, one part for each currency in order.

    A currency without a balance before and without a transaction in the period has no part.
    """

    customer: Customer
    start: datetime.date
    end: datetime.date
    currencies: tuple[CurrencyStatement, ...]


def customer_statement(customer: Customer, *, start: datetime.date, end: datetime.date) -> CustomerStatement:
    """What was owed before, each transaction of the period by its own date, and what is owed afterwards.

    Transactions have their voucher loaded, with the invoice where there is one. Four queries.
    """
    assert start <= end, "A period ends on or after the day it begins."
    everything = CustomerTransaction.objects.filter(customer=customer)
    balances = totals(everything.filter(date__lt=start))
    settled = _settled(Settlement.objects.filter(debit__customer=customer), end)
    rows = defaultdict(list)
    transactions = everything.filter(date__range=(start, end)).select_related("voucher__invoice")
    opening = dict(balances)
    for row in transactions.order_by("date", "voucher__position", "pk"):
        balances[row.currency] = balances.get(row.currency, _ZERO) + row.amount
        rows[row.currency].append(StatementRow(row, settled[row.pk], balances[row.currency]))
    parts = (
        CurrencyStatement(currency, opening.get(currency, _ZERO), tuple(rows[currency]))
        for currency in sorted(balances)
    )
    return CustomerStatement(customer, start, end, tuple(part for part in parts if part.rows or part.opening))


@dataclass(frozen=True)
class AgeingRow:
    """What one customer has open in one currency, by days past the due date; credits are negative."""

    customer: Customer
    currency: str
    not_due: Decimal
    days_1_30: Decimal
    days_31_60: Decimal
    days_61_90: Decimal
    over_90: Decimal

    @property
    def overdue(self) -> Decimal:
        return self.total - self.not_due

    @property
    def total(self) -> Decimal:
        return self.not_due + self.days_1_30 + self.days_31_60 + self.days_61_90 + self.over_90


def ageing(customers: QuerySet[Customer], *, on: datetime.date) -> list[AgeingRow]:
    """What was open at the end of that day, by customer number and currency; customers who owe nothing and
    are owed nothing in any column are left out.

    What is due on the day itself is not overdue. A transaction without a due date, such as a payment that
    settles nothing yet, ages from its own date. Four queries.
    """
    people = {customer.pk: customer for customer in customers}
    transactions = CustomerTransaction.objects.filter(customer__in=people, date__lte=on)
    amounts = defaultdict(lambda: dict.fromkeys(_BUCKETS, _ZERO))
    _age(amounts, transactions, "", on, 1)
    settlements = _settlements(Settlement.objects.filter(debit__customer__in=people), on)
    _age(amounts, settlements, "debit__", on, -1)
    _age(amounts, settlements, "credit__", on, 1)
    rows = [
        AgeingRow(people[customer], currency, **columns)
        for (customer, currency), columns in amounts.items()
        if any(columns.values())
    ]
    return sorted(rows, key=lambda row: (row.customer.number, row.customer.pk, row.currency))


def _settlements(settlements, until):
    """Those that stand on a day, between transactions that stand on it too; undone ones cancel out."""
    return settlements.filter(date__lte=until, debit__date__lte=until, credit__date__lte=until)


def _settled(settlements, until) -> dict[int, Decimal]:
    """What is settled of each transaction, with its sign."""
    rows = _settlements(settlements, until)
    settled = defaultdict(Decimal)
    for side, sign in (("debit", 1), ("credit", -1)):
        for key, amount in totals(rows, by=side).items():
            settled[key] += sign * amount
    return settled


_BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90")


def _age(amounts, rows, side, on, sign):
    """Add the rows up by customer, currency and age of the transaction that `side` leads to."""
    days = [on - datetime.timedelta(days=n) for n in (0, 30, 60, 90)]
    conditions = (
        Q(due__gte=days[0]),
        Q(due__lt=days[0], due__gte=days[1]),
        Q(due__lt=days[1], due__gte=days[2]),
        Q(due__lt=days[2], due__gte=days[3]),
        Q(due__lt=days[3]),
    )
    by = (f"{side}customer", f"{side}currency")
    sums = (
        rows.annotate(due=Coalesce(f"{side}due_date", f"{side}date"))
        .order_by(*by)
        .values_list(*by)
        .annotate(
            **{
                name: ExactSum("amount", filter=condition)
                for name, condition in zip(_BUCKETS, conditions, strict=True)
            }
        )
    )
    for customer, currency, *columns in sums:
        own = amounts[customer, currency]
        for name, amount in zip(_BUCKETS, columns, strict=True):
            own[name] += sign * amount
