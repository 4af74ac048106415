"""The customer subledger: statements (PST-8).

All amounts are in the currency of the transaction, positive if the customer owes.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from contracts.models import Customer
from invoicing_site.floor.querysets import totals
from ledger.models import CustomerBalance, CustomerTransaction
from ledger.reports.receivables import settled_of

_ZERO = Decimal(0)


@dataclass(frozen=True)
class StatementRow:
    """One transaction with its settled and its open amount at the end of the statement.

    `settled` and `open` add up to `amount` and have its sign; `balance` is the customer's balance after it.
    """

    transaction: CustomerTransaction
    settled: Decimal
    balance: Decimal

    @property
    def date(self) -> datetime.date:
        return self.transaction.date

    @property
    def document(self) -> str:
        """The document's number; the kind of transaction if it has none."""
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
    """The opening balance, each transaction of the period by its own date, and the closing balance.

    Transactions have their voucher loaded, with the invoice if there is one. Five queries.
    """
    assert start <= end, "A period ends on or after the day it begins."
    everything = CustomerTransaction.objects.filter(customer=customer)
    first = start.replace(day=1)
    balances = totals(CustomerBalance.objects.filter(customer=customer, month__lt=first))
    for currency, amount in totals(everything.filter(date__gte=first, date__lt=start)).items():
        balances[currency] = balances.get(currency, _ZERO) + amount
    rows = defaultdict(list)
    transactions = everything.filter(date__range=(start, end)).select_related("voucher__invoice")
    settled = settled_of(transactions, on=end)
    opening = dict(balances)
    for row in transactions.order_by("date", "voucher__position", "pk"):
        balances[row.currency] = balances.get(row.currency, _ZERO) + row.amount
        rows[row.currency].append(StatementRow(row, settled[row.pk], balances[row.currency]))
    parts = (
        CurrencyStatement(currency, opening.get(currency, _ZERO), tuple(rows[currency]))
        for currency in sorted(balances)
    )
    return CustomerStatement(customer, start, end, tuple(part for part in parts if part.rows or part.opening))
