"""Accounts: the trial balance, and the card of one account. All in accounting currency (PST-6)."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import BigIntegerField, DecimalField, F, Func, QuerySet, Sum, Value, Window

from contracts.models import LegalEntity
from invoicing_site.floor.querysets import by_keys
from ledger.models import Account, AccountBalance, FiscalYear, LedgerEntry
from ledger.reports.kept import Day

_ZERO = Decimal(0)
_NOTHING = (_ZERO, _ZERO)
_A_DAY = datetime.timedelta(days=1)
_OF_THE_YEAR = {Account.Kind.REVENUE, Account.Kind.EXPENSE}


@dataclass(frozen=True)
class TrialBalanceRow:
    """One account in accounting currency: opening and closing are debit less credit."""

    account: Account
    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def closing(self) -> Decimal:
        return self.opening + self.debit - self.credit


@dataclass(frozen=True)
class TrialBalance:
    """The accounts of an entity from `start` to `end`, both included, in its accounting currency.

    Balance sheet accounts include everything that was ever posted. Revenue and expense accounts begin at 0
    with the fiscal year of `start`; the rest of earlier years is one amount, `earlier_result` (debit less
    credit: a profit is negative), which is included in `opening` and `closing`.
    """

    entity: LegalEntity
    start: datetime.date
    end: datetime.date
    rows: tuple[TrialBalanceRow, ...]
    earlier_result: Decimal

    @property
    def opening(self) -> Decimal:
        """The sum of all opening balances; 0 if the books balance."""
        return sum((row.opening for row in self.rows), self.earlier_result)

    @property
    def debit(self) -> Decimal:
        return sum((row.debit for row in self.rows), _ZERO)

    @property
    def credit(self) -> Decimal:
        return sum((row.credit for row in self.rows), _ZERO)

    @property
    def closing(self) -> Decimal:
        """The sum of all closing balances; 0 if the books balance."""
        return sum((row.closing for row in self.rows), self.earlier_result)

    @property
    def balances(self) -> bool:
        """Whether debit equals credit, before the period and in it."""
        return self.opening == 0 and self.debit == self.credit


def trial_balance(entity: LegalEntity, *, start: datetime.date, end: datetime.date) -> TrialBalance:
    """Each account with postings up to `end`, by voucher date, in order of number.

    Of one that only earlier years posted on, and left at nothing, there is no row. Eight queries at most.
    """
    assert start <= end, "A period ends on or after the day it begins."
    year = FiscalYear.objects.filter(entity=entity, starts__lte=start, ends__gte=start).first()
    until, before = (_sums(entity, day) for day in (end, start - _A_DAY))
    earlier = _sums(entity, year.starts - _A_DAY) if year else {}
    accounts = Account.objects.filter(entity=entity).in_bulk()
    rows, earlier_result = [], _ZERO
    for key, (debit, credit) in until.items():
        account = accounts[key]
        debit_before, credit_before = before.get(key, _NOTHING)
        opening = debit_before - credit_before
        if account.kind in _OF_THE_YEAR:
            debit_earlier, credit_earlier = earlier.get(key, _NOTHING)
            left = debit_earlier - credit_earlier
            opening, earlier_result = opening - left, earlier_result + left
        debit, credit = debit - debit_before, credit - credit_before
        if opening or debit or credit:
            rows.append(TrialBalanceRow(account, opening, debit, credit))
    rows.sort(key=lambda row: row.account.number)
    return TrialBalance(entity, start, end, tuple(rows), earlier_result)


def _sums(entity, day, **only) -> dict[int, tuple[Decimal, Decimal]]:
    """The debits and credits of each account until the end of the day."""
    found = Day(entity, day).sums(
        AccountBalance.objects.filter(account__entity=entity, **only),
        LedgerEntry.objects.filter(**only),
        ("account",),
        {"debit": "accounting_debit", "credit": "accounting_credit"},
    )
    return {account: sums for (account,), sums in found.items()}


_BOOK_ORDER = ("voucher__date", "voucher__position", "number")


@dataclass(frozen=True)
class LedgerCard:
    """One account from `start` to `end`, both included, in accounting currency, debit less credit.

    `rows` are its entries in the order of the books: date, voucher, entry. Each has its `voucher` loaded.
    """

    account: Account
    start: datetime.date
    end: datetime.date
    opening: Decimal
    debit: Decimal
    credit: Decimal
    rows: QuerySet[LedgerEntry]

    @property
    def closing(self) -> Decimal:
        return self.opening + self.debit - self.credit

    @property
    def entries(self) -> QuerySet[LedgerEntry]:
        """The entries to be paginated, with `running`, the balance after each, including the opening balance.

        The running balance is calculated over all entries of the period: do not filter the queryset.
        """
        movement = _Units(F("accounting_debit") - F("accounting_credit"))
        running = Window(Sum(movement), order_by=[F(name).asc() for name in _BOOK_ORDER])
        opening = Value(_units(self.opening), output_field=BigIntegerField())
        return self.rows.annotate(running=_Amount(opening + running))

    def all_entries(self) -> Iterator[LedgerEntry]:
        """All entries with `running`, for a file. They are not kept in memory."""
        running = self.opening
        for entry in by_keys(self.rows, 2000):
            running += entry.accounting_debit - entry.accounting_credit
            entry.running = running
            yield entry


def ledger_card(account: Account, *, start: datetime.date, end: datetime.date) -> LedgerCard:
    """The entries of one account with a running balance; the opening balance includes all earlier postings.

    Four queries, and one for each page of entries that is read.
    """
    assert start <= end, "A period ends on or after the day it begins."
    (debit, credit), (debit_before, credit_before) = (
        _sums(account.entity_id, day, account=account.pk).get(account.pk, _NOTHING)
        for day in (end, start - _A_DAY)
    )
    opening = debit_before - credit_before
    rows = (
        LedgerEntry.objects.filter(account=account, voucher__date__range=(start, end))
        .select_related("voucher", "project", "customer")
        .order_by(*_BOOK_ORDER)
    )
    return LedgerCard(account, start, end, opening, debit - debit_before, credit - credit_before, rows)


# `ExactSum` can't be used as a window function. A window adds whole ten-thousandths, which is exact on both
# databases.
_PLACES = 4


def _units(amount: Decimal) -> int:
    return int(amount.scaleb(_PLACES))


class _Units(Func):
    """An amount in whole ten-thousandths."""

    template = "CAST(ROUND(%(expressions)s * 10000) AS BIGINT)"
    arity = 1
    output_field = BigIntegerField()


class _Amount(Func):
    """An amount from whole ten-thousandths."""

    template = "%(expressions)s"
    arity = 1
    output_field = DecimalField(max_digits=30, decimal_places=_PLACES)

    def get_db_converters(self, connection):
        return [*super().get_db_converters(connection), _from_units]


def _from_units(value, expression, connection):
    return None if value is None else Decimal(value).scaleb(-_PLACES)
