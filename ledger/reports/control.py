"""Control accounts and their subledgers, at any date (PST-6): for pages, and for `verify_ledger`."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from contracts.models import Customer, LegalEntity, Project
from ledger.models import (
    Account,
    AccountBalance,
    CustomerBalance,
    CustomerTransaction,
    LedgerEntry,
    PartyBalance,
    ProjectBalance,
    ProjectTransaction,
)
from ledger.reports.kept import Day, summed

_Control = Account.Control
_Kind = ProjectTransaction.Kind
_ZERO = Decimal(0)
_NOTHING = (_ZERO, _ZERO)


@dataclass(frozen=True)
class Compared:
    """The amounts of one customer or project in one currency, in the ledger and in the subledger.

    `key` is None for entries on a control account without customer or project. Amounts are debit less credit,
    in the currency and, at the posted rates, in accounting currency.
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

    Without subledgers that have no account and no rows. Thirteen queries; two more at most for differences.
    """
    day = Day(entity, on)
    controlling = _balances_of(Account.objects.filter(entity=entity).exclude(control=_Control.NONE), day)
    result = []
    for control, (name, *_) in _SUBLEDGERS.items():
        own = tuple(row for row in controlling if row.account.control == control)
        rows = _compared(entity, control, day)
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
    """The accounts that control one subledger, by all vouchers dated up to that day. Three queries."""
    return _balances_of(Account.objects.filter(entity=entity, control=control), Day(entity, on))


def _balances_of(accounts, day) -> tuple[ControlBalance, ...]:
    accounts = list(accounts.order_by("number"))
    balances = day.sums(
        AccountBalance.objects.filter(account__in=accounts),
        LedgerEntry.objects.filter(account__in=accounts),
        ("account",),
        {"debit": "accounting_debit", "credit": "accounting_credit"},
    )
    return tuple(ControlBalance(row, _net(balances[row.pk,])[0]) for row in accounts)


# By control: the party of its entries, its subledger rows, and 1 if debits increase these.
_SUBLEDGERS = {
    _Control.CUSTOMER: ("customer", {}, 1),
    _Control.WIP_SALES: ("project", {"kind__in": [_Kind.ACCRUED, _Kind.RECOGNIZED], "in_balance": True}, 1),
    _Control.WIP_COST: ("project", {"kind": _Kind.COST, "in_balance": True}, 1),
    _Control.ON_ACCOUNT: ("project", {"kind": _Kind.ON_ACCOUNT, "in_balance": True}, -1),
    _Control.DISBURSEMENT: ("project", {"kind": _Kind.DISBURSEMENT, "in_balance": True}, 1),
}
_SIDES = ("debit", "credit", "accounting_debit", "accounting_credit")
_AMOUNTS = ("amount", "accounting_amount")


def _compared(entity, control, day) -> list[Compared]:
    """Ledger and subledger of one control at the end of a day, from kept balances: two queries."""
    name, conditions, _ = _SUBLEDGERS[_Control(control)]
    kept, table = {
        "customer": (CustomerBalance, CustomerTransaction),
        "project": (ProjectBalance, ProjectTransaction),
    }[name]
    by, of_entity = (name, "currency"), {f"{name}__entity": entity}
    on_accounts = {"account__entity": entity, "account__control": control}
    return _agreement(
        control,
        day.sums(
            PartyBalance.objects.filter(**on_accounts),
            LedgerEntry.objects.filter(**on_accounts),
            by,
            dict(zip(_SIDES, _SIDES, strict=True)),
        ),
        day.sums(
            kept.objects.filter(**of_entity, **conditions),
            table.objects.filter(**conditions),
            by,
            dict(zip(_AMOUNTS, _AMOUNTS, strict=True)),
        ),
    )


def compared(entity: LegalEntity, control: str) -> list[Compared]:
    """Ledger and subledger of one control, for each customer or project and currency, from their rows.

    For `verify_ledger`, which does not trust kept balances: two queries. The order is always the same.
    """
    name, conditions, _ = _SUBLEDGERS[_Control(control)]
    table = CustomerTransaction if name == "customer" else ProjectTransaction
    by = (name, "currency")
    entries = LedgerEntry.objects.filter(voucher__entity=entity, account__control=control)
    rows = table.objects.filter(voucher__entity=entity, **conditions)
    return _agreement(control, summed(entries, by, _SIDES), summed(rows, by, _AMOUNTS))


def _agreement(control, entries, rows) -> list[Compared]:
    *_, sign = _SUBLEDGERS[_Control(control)]
    result = []
    for place in sorted(entries.keys() | rows.keys(), key=str):
        own, books = _net(entries.get(place, _NOTHING * 2))
        other, other_books = rows.get(place, _NOTHING)
        result.append(Compared(*place, own, sign * other, books, sign * other_books))
    return result


def _net(sides) -> list[Decimal]:
    """Each debit less its credit."""
    return [debit - credit for debit, credit in zip(sides[::2], sides[1::2], strict=True)]
