"""The card of one account: its entries with the balance after each, in accounting currency (PST-6)."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from invoicing_site.floor.querysets import ExactSum, streamed
from ledger.models import Account, AccountBalance, LedgerEntry
from ledger.reports.kept import Day

_ZERO = Decimal(0)
_A_DAY = datetime.timedelta(days=1)
_COLUMNS = {"debit": "accounting_debit", "credit": "accounting_credit"}
_ORDER = ("voucher__date", "voucher", "number")  # keys of vouchers rise with their positions
_CHUNK = 2000


@dataclass(frozen=True)
class LedgerCard:
    """One account from `start` to `end`, both included, in accounting currency, debit less credit."""

    account: Account
    start: datetime.date
    end: datetime.date
    opening: Decimal
    debit: Decimal
    credit: Decimal
    entries: "CardEntries"

    @property
    def closing(self) -> Decimal:
        return self.opening + self.debit - self.credit


@dataclass(frozen=True)
class _Part:
    """The entries of the card in one fiscal period, and the balance before them."""

    rows: QuerySet[LedgerEntry]
    count: int
    opening: Decimal


class CardEntries:
    """The entries of a card for a paginator, in the order of the books: date, voucher, entry.

    Each entry has its `voucher` loaded and `running`, the account's balance after it. Only the fiscal periods
    that a page touches are read.
    """

    def __init__(self, parts: Iterable[_Part]):
        self._parts = tuple(parts)

    def count(self) -> int:
        return sum(part.count for part in self._parts)

    def __iter__(self) -> Iterator[LedgerEntry]:
        for part in self._parts:
            yield from _run(streamed(_loaded(part.rows), _CHUNK), part.opening)

    def __getitem__(self, chosen: slice) -> list[LedgerEntry]:
        start, stop, _ = chosen.indices(self.count())
        found: list[LedgerEntry] = []
        for part in self._parts:
            first, last = max(start, 0), min(stop, part.count)
            if first < last:
                in_order = part.rows.order_by(*_ORDER)
                before = in_order[:first].aggregate(**_SUMS)
                opening = part.opening + before["of_debit"] - before["of_credit"]
                keys = list(in_order[first:last].values_list("pk", flat=True))  # rows are wide to be sorted
                rows = _loaded(part.rows).in_bulk(keys)
                found += _run((rows[key] for key in keys), opening)
            start, stop = start - part.count, stop - part.count
        return found


_SUMS = {f"of_{name}": ExactSum(column) for name, column in _COLUMNS.items()}


def _loaded(rows):
    return rows.select_related("voucher", "project", "customer").order_by(*_ORDER)


def _run(entries, balance):
    for entry in entries:
        balance += entry.accounting_debit - entry.accounting_credit
        entry.running = balance
        yield entry


def ledger_card(account: Account, *, start: datetime.date, end: datetime.date) -> LedgerCard:
    """The entries of one account with a running balance; the opening balance includes all earlier postings.

    Three queries, up to two more for periods that are not whole in it, and those of the pages that are read.
    """
    assert start <= end, "A period ends on or after the day it begins."
    own = AccountBalance.objects.filter(account=account)
    rows = LedgerEntry.objects.filter(account=account)
    before = Day(account.entity_id, start - _A_DAY).sums(own, rows, ("account",), _COLUMNS)
    debit_before, credit_before = before[account.pk,]
    opening = balance = debit_before - credit_before
    debit = credit = _ZERO
    parts = []
    for starts, ends, count, *sums in _periods(own, start, end):
        first, last = max(starts, start), min(ends, end)
        for days in ((starts, first - _A_DAY), (last + _A_DAY, ends)):
            if days[0] <= days[1]:
                outside = _dated(rows, account, days).aggregate(count=Count("pk"), **_SUMS)
                count -= outside["count"]
                sums = [own - outside[name] for own, name in zip(sums, _SUMS, strict=True)]
        parts.append(_Part(_dated(rows, account, (first, last)), count, balance))
        balance += sums[0] - sums[1]
        debit, credit = debit + sums[0], credit + sums[1]
    return LedgerCard(account, start, end, opening, debit, credit, CardEntries(parts))


def _periods(balances, start, end):
    """The periods of the card in their order: the days, the number of entries, debit and credit."""
    days = ("period__starts", "period__ends")
    found = balances.filter(period__starts__lte=end, period__ends__gte=start).order_by(*days)
    return found.values_list(*days).annotate(
        entries=Sum("count"), sum_of_debit=ExactSum("debit"), sum_of_credit=ExactSum("credit")
    )


def _dated(rows, account, days):
    return rows.filter(voucher__entity=account.entity_id, voucher__date__range=days)
