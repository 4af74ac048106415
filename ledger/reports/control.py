"""Control accounts and their subledgers, at any date (PST-6): for pages, and for `verify_ledger`."""

import datetime
from collections import defaultdict
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

    Without subledgers that have no account and no rows. Five queries; two more at most for differences.
    """
    controlling = Account.objects.filter(entity=entity).exclude(control=_Control.NONE).order_by("number")
    balances = dict.fromkeys(controlling, _ZERO)
    entries, rows_of = _at_end_of(Day(entity, on), entity)
    by_key = {account.pk: account for account in balances}
    parties: dict[str, list] = defaultdict(list)
    for (key, customer, project, currency), sums in entries:
        account = by_key[key]
        _, books = _net(sums)
        balances[account] += books
        name, *_ = _SUBLEDGERS[_Control(account.control)]
        parties[account.control].append(((customer if name == "customer" else project, currency), sums))
    result = []
    for control, (name, *_) in _SUBLEDGERS.items():
        own = tuple(ControlBalance(*each) for each in balances.items() if each[0].control == control)
        rows = _agreement(control, parties[control], rows_of[control])
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
    accounts = list(Account.objects.filter(entity=entity, control=control).order_by("number"))
    balances = Day(entity, on).sums(
        AccountBalance.objects.filter(account__in=accounts),
        LedgerEntry.objects.filter(account__in=accounts),
        ("account",),
        {"debit": "accounting_debit", "credit": "accounting_credit"},
    )
    return tuple(ControlBalance(row, _net(balances[row.pk,])[0]) for row in accounts)


# By control: the party of its entries, the kinds of its project transactions, and 1 if debits increase these.
_SUBLEDGERS = {
    _Control.CUSTOMER: ("customer", (), 1),
    _Control.WIP_SALES: ("project", (_Kind.ACCRUED, _Kind.RECOGNIZED), 1),
    _Control.WIP_COST: ("project", (_Kind.COST,), 1),
    _Control.ON_ACCOUNT: ("project", (_Kind.ON_ACCOUNT,), -1),
    _Control.DISBURSEMENT: ("project", (_Kind.DISBURSEMENT,), 1),
}
_SIDES = ("debit", "credit", "accounting_debit", "accounting_credit")
_AMOUNTS = ("amount", "accounting_amount")


def _at_end_of(day, entity):
    """The entries by control account and party, and the subledger rows of each control: three queries."""
    sides, amounts = ({name: name for name in names} for names in (_SIDES, _AMOUNTS))
    entries = day.sums(
        PartyBalance.objects.filter(account__entity=entity),
        LedgerEntry.objects.exclude(account__control=_Control.NONE),
        ("account", "customer", "project", "currency"),
        sides,
    )
    of_customers = day.sums(
        CustomerBalance.objects.filter(customer__entity=entity),
        CustomerTransaction.objects.all(),
        ("customer", "currency"),
        amounts,
    )
    of_projects = day.sums(
        ProjectBalance.objects.filter(project__entity=entity, in_balance=True),
        ProjectTransaction.objects.filter(in_balance=True),
        ("kind", "project", "currency"),
        amounts,
    )
    rows_of = {
        control: [(place, sums) for (kind, *place), sums in of_projects.items() if kind in kinds]
        if kinds
        else of_customers.items()
        for control, (_, kinds, _) in _SUBLEDGERS.items()
    }
    return entries.items(), rows_of


def compared(entity: LegalEntity, control: str) -> list[Compared]:
    """Ledger and subledger of one control, for each customer or project and currency, from their rows.

    For `verify_ledger`, which does not trust stored balances: two queries. The order is always the same.
    """
    name, kinds, _ = _SUBLEDGERS[_Control(control)]
    by = (name, "currency")
    entries = LedgerEntry.objects.filter(voucher__entity=entity, account__control=control)
    if kinds:
        rows = ProjectTransaction.objects.filter(voucher__entity=entity, kind__in=kinds, in_balance=True)
    else:
        rows = CustomerTransaction.objects.filter(voucher__entity=entity)
    return _agreement(
        _Control(control), summed(entries, by, _SIDES).items(), summed(rows, by, _AMOUNTS).items()
    )


def _agreement(control, entries, rows) -> list[Compared]:
    """Both sides of each customer or project and currency; several sums of one are added up."""
    *_, sign = _SUBLEDGERS[control]
    both: dict[tuple, list[Decimal]] = {}
    for place, sums in entries:
        own, books = _net(sums)
        _add(both, place, (own, _ZERO, books, _ZERO))
    for place, (own, books) in rows:
        _add(both, place, (_ZERO, sign * own, _ZERO, sign * books))
    return [Compared(*place, *amounts) for place, amounts in sorted(both.items(), key=_text)]


def _add(sums, place, amounts):
    before = sums.setdefault(tuple(place), [_ZERO] * len(amounts))
    sums[tuple(place)] = [own + other for own, other in zip(before, amounts, strict=True)]


def _text(item):
    return str(item[0])


def _net(sides) -> list[Decimal]:
    """Each debit less its credit."""
    return [debit - credit for debit, credit in zip(sides[::2], sides[1::2], strict=True)]
