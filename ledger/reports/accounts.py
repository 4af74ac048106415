"""The trial balance, in accounting currency (PST-6)."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from contracts.models import LegalEntity
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

    An account that only earlier years posted on, and whose balance is 0, has no row. Eight queries at most.
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


def _sums(entity, day) -> dict[int, tuple[Decimal, Decimal]]:
    """The debits and credits of each account until the end of the day."""
    found = Day(entity, day).sums(
        AccountBalance.objects.filter(account__entity=entity),
        LedgerEntry.objects.all(),
        ("account",),
        {"debit": "accounting_debit", "credit": "accounting_credit"},
    )
    return {account: sums for (account,), sums in found.items()}
