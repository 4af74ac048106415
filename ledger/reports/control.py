"""Control accounts and their subledgers, at any date (PST-6): for pages, and for `verify_ledger`."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from contracts.models import Customer, LegalEntity, Project
from invoicing_site.floor.querysets import ExactSum
from ledger.models import Account, CustomerTransaction, LedgerEntry, ProjectTransaction

_Control = Account.Control
_Kind = ProjectTransaction.Kind
_ZERO = Decimal(0)
_NOTHING = (_ZERO, _ZERO)


@dataclass(frozen=True)
class Compared:
    """What the ledger and the subledger say of one customer or project in one currency.

    `key` is None for entries on a control account that name nobody. Amounts are debit less credit, in the
    currency and in accounting currency, at the rates they were posted at.
    """

    key: int | None
    currency: str
    ledger: Decimal
    subledger: Decimal
    accounting_ledger: Decimal
    accounting_subledger: Decimal

    @property
    def agrees(self) -> bool:
        return self.ledger == self.subledger and self.accounting_ledger == self.accounting_subledger


@dataclass(frozen=True)
class ControlBalance:
    """The balance of one control account, in accounting currency, debit less credit."""

    account: Account
    balance: Decimal


@dataclass(frozen=True)
class ControlAccount:
    """All accounts that control one subledger, and the total of that subledger, in accounting currency.

    `differing` has each customer or project (None: entries without one) whose rows differ; this is possible
    although the totals agree.
    """

    control: str
    accounts: tuple[ControlBalance, ...]
    ledger: Decimal
    subledger: Decimal
    differing: tuple[tuple[Customer | Project | None, Compared], ...]

    @property
    def label(self) -> str:
        return _Control(self.control).label

    @property
    def difference(self) -> Decimal:
        """Ledger less subledger."""
        return self.ledger - self.subledger

    @property
    def agrees(self) -> bool:
        return not self.differing


def control_accounts(entity: LegalEntity, *, on: datetime.date) -> list[ControlAccount]:
    """Each subledger with its control accounts, by all vouchers dated up to that day.

    Without subledgers that have no account and no rows. Twelve queries; two more at most for the differences.
    """
    controlling = _balances_of(Account.objects.filter(entity=entity).exclude(control=_Control.NONE), on)
    result = []
    for control, (name, *_) in _SUBLEDGERS.items():
        own = tuple(row for row in controlling if row.account.control == control)
        rows = compared(entity, control, until=on)
        if not own and not rows:
            continue
        differing = [row for row in rows if not row.agrees]
        model = Customer if name == "customer" else Project
        named = model.objects.in_bulk([row.key for row in differing if row.key is not None])
        result.append(
            ControlAccount(
                control=control,
                accounts=own,
                ledger=sum((row.accounting_ledger for row in rows), _ZERO),
                subledger=sum((row.accounting_subledger for row in rows), _ZERO),
                differing=tuple((named.get(row.key), row) for row in differing),
            )
        )
    return result


def control_balances(entity: LegalEntity, control: str, *, on: datetime.date) -> tuple[ControlBalance, ...]:
    """The accounts that control one subledger, by all vouchers dated up to that day. Two queries."""
    return _balances_of(Account.objects.filter(entity=entity, control=control), on)


def _balances_of(accounts, on) -> tuple[ControlBalance, ...]:
    accounts = list(accounts.order_by("number"))
    entries = LedgerEntry.objects.filter(account__in=accounts, voucher__date__lte=on)
    balances = {key: books for (key,), (_, books) in _balances(entries, ("account",)).items()}
    return tuple(ControlBalance(row, balances.get(row.pk, _ZERO)) for row in accounts)


# By control: the party of its entries, its subledger rows, and 1 if debits increase these.
_SUBLEDGERS = {
    _Control.CUSTOMER: ("customer", {}, 1),
    _Control.WIP_SALES: ("project", {"kind__in": [_Kind.ACCRUED, _Kind.RECOGNISED], "in_balance": True}, 1),
    _Control.WIP_COST: ("project", {"kind": _Kind.COST, "in_balance": True}, 1),
    _Control.ON_ACCOUNT: ("project", {"kind": _Kind.ON_ACCOUNT, "in_balance": True}, -1),
    _Control.DISBURSEMENT: ("project", {"kind": _Kind.DISBURSEMENT, "in_balance": True}, 1),
}


def compared(entity: LegalEntity, control: str, *, until: datetime.date | None = None) -> list[Compared]:
    """Ledger and subledger of one control, for each customer or project and currency: two queries.

    Of the vouchers dated up to a day, or of all. The order is always the same.
    """
    name, conditions, sign = _SUBLEDGERS[_Control(control)]
    table = CustomerTransaction if name == "customer" else ProjectTransaction
    entries = LedgerEntry.objects.filter(voucher__entity=entity, account__control=control)
    rows = table.objects.filter(voucher__entity=entity, **conditions)
    if until is not None:
        entries, rows = entries.filter(voucher__date__lte=until), rows.filter(voucher__date__lte=until)
    by = (name, "currency")
    sums = rows.order_by(*by).values_list(*by)
    sums = sums.annotate(exact_own=ExactSum("amount"), exact_books=ExactSum("accounting_amount"))
    subledger = {(key, currency): (sign * own, sign * books) for key, currency, own, books in sums}
    ledger = _balances(entries, by)
    result = []
    for place in sorted(ledger.keys() | subledger.keys(), key=str):
        own, books = ledger.get(place, _NOTHING)
        other, other_books = subledger.get(place, _NOTHING)
        result.append(Compared(*place, own, other, books, other_books))
    return result


def _balances(entries, by) -> dict[tuple, tuple[Decimal, Decimal]]:
    """Debit less credit in both currencies, by key."""
    sums = entries.order_by(*by).values_list(*by)
    sums = sums.annotate(
        exact_debit=ExactSum("debit"),
        exact_credit=ExactSum("credit"),
        exact_books_debit=ExactSum("accounting_debit"),
        exact_books_credit=ExactSum("accounting_credit"),
    )
    return {
        tuple(place): (debit - credit, books_debit - books_credit)
        for *place, debit, credit, books_debit, books_credit in sums
    }
