"""The project subledger: cost, revenue, work in progress and margin of one project (PST-8)."""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from contracts.models import Project, TransactionClass
from invoicing_site.floor import money
from invoicing_site.floor.querysets import ExactSum
from ledger.models import ProjectBalance, ProjectTransaction, Voucher

_ZERO = Decimal(0)
_Kind = ProjectTransaction.Kind
_CLASSES = (
    TransactionClass.TIME,
    TransactionClass.EXPENSE,
    TransactionClass.MATERIAL,
    TransactionClass.FEE,
    TransactionClass.MILESTONE,
)


@dataclass(frozen=True)
class ProjectFigures:
    """Posted amounts of one class, or of all (`transaction_class` is empty), in accounting currency.

    `hours` are those of the cost of time. `unbilled` is in the subledger only and on no account. `accrued` is
    net of what invoices have reversed. `earned` is revenue: invoiced, accrued, recognized, and on account if
    that is posted directly to revenue. Disbursements are neither cost nor revenue: `disbursed` is the part
    that invoices charged, at cost.
    """

    transaction_class: str
    hours: Decimal
    cost: Decimal
    unbilled: Decimal
    accrued: Decimal
    revenue: Decimal
    on_account: Decimal
    recognized: Decimal
    earned: Decimal
    disbursed: Decimal

    @property
    def label(self) -> str:
        return TransactionClass(self.transaction_class).label if self.transaction_class else "all"

    @property
    def margin(self) -> Decimal:
        """Revenue earned less all cost, including cost on WIP accounts."""
        return self.earned - self.cost

    @property
    def billed(self) -> Decimal:
        """The invoiced net amount, including on account, whether or not it is revenue already."""
        return self.revenue + self.on_account

    @property
    def gross_margin(self) -> Decimal:
        """The billed amount less all cost (CON-8)."""
        return self.billed - self.cost

    @property
    def gross_margin_percent(self) -> Decimal | None:
        """The gross margin in percent of the billed amount (CON-8); None if nothing was billed."""
        return money.rounded_percent(self.gross_margin * 100 / self.billed) if self.billed else None


@dataclass(frozen=True)
class ProjectMonth:
    """One calendar month by its first day: cost, and revenue earned, in accounting currency."""

    month: datetime.date
    cost: Decimal
    revenue: Decimal


@dataclass(frozen=True)
class WorkInProgress:
    """The balances of WIP accounts, in accounting currency.

    Accrued and recognized sales value, cost, the amount invoiced on account (positive; a credit in the
    ledger), and disbursements that are not charged yet.
    """

    sales: Decimal
    cost: Decimal
    on_account: Decimal
    disbursements: Decimal


@dataclass(frozen=True)
class ProjectStatement:
    """A project from `start` to `end`, both included, by accounting date, in its entity's currency.

    `classes` always has time, expense, material, fee and milestone, in this order. `months` has every month
    of the period; the first and the last one have only the days in the period. `before` and `to_date` are the
    amounts of all classes up to the start, and up to the end.
    """

    project: Project
    currency: str
    start: datetime.date
    end: datetime.date
    classes: tuple[ProjectFigures, ...]
    total: ProjectFigures
    before: ProjectFigures
    to_date: ProjectFigures
    months: tuple[ProjectMonth, ...]
    opening: WorkInProgress
    closing: WorkInProgress


def project_statement(project: Project, *, start: datetime.date, end: datetime.date) -> ProjectStatement:
    """The statement of one project. Two queries at most if its entity is loaded.

    It reads stored balances, and rows of periods that are longer than a month or not wholly before or in the
    statement.
    """
    assert start <= end, "A period ends on or after the day it begins."
    earlier, within = [], []
    for cell in _cells(project, start, end):
        (earlier if cell.day < start else within).append(cell)

    own, months = defaultdict(list), defaultdict(list)
    for cell in within:
        own[cell.transaction_class].append(cell)
        months[cell.day.replace(day=1)].append(cell)
    classes = [*_CLASSES, *sorted(own.keys() - set(_CLASSES))]
    return ProjectStatement(
        project=project,
        currency=project.entity.currency,
        start=start,
        end=end,
        classes=tuple(_figures(name, own[name]) for name in classes),
        total=_figures("", within),
        before=_figures("", earlier),
        to_date=_figures("", earlier + within),
        months=tuple(_month(month, months[month]) for month in _months(start, end)),
        opening=_in_progress(earlier),
        closing=_in_progress(earlier + within),
    )


def project_figures(projects) -> dict[int, ProjectFigures]:
    """The amounts of all classes until now, for each project by key. One query."""
    projects = list(projects)
    own = {project.pk: [] for project in projects}
    balances = ProjectBalance.objects.filter(project__in=projects)
    for project, *cells in _summed(balances, "project", *_BY, "voucher_kind"):
        own[project].append(_Cell(None, *cells))
    return {key: _figures("", cells) for key, cells in own.items()}


_BY = ("transaction_class", "kind", "in_balance")


@dataclass(frozen=True)
class _Cell:
    day: datetime.date | None  # a day of the month that it belongs to
    transaction_class: str
    kind: str
    in_balance: bool
    voucher_kind: str
    quantity: Decimal
    amount: Decimal


def _cells(project, start, end) -> Iterator[_Cell]:
    """All cells until `end`: each is of one month, and either before `start` or not."""
    balances = ProjectBalance.objects.filter(project=project, period__starts__lte=end)
    period = ("period", "period__starts", "period__ends")
    in_parts = set()
    for key, first, last, *cells in _summed(balances, *period, *_BY, "voucher_kind"):
        if last < start or (start <= first and last <= end and first.replace(day=1) == last.replace(day=1)):
            yield _Cell(last, *cells)
        else:
            in_parts.add(key)
    if in_parts:
        rows = ProjectTransaction.objects.filter(project=project, voucher__period__in=in_parts, date__lte=end)
        for row in _summed(rows, "date", *_BY, "voucher__kind"):
            yield _Cell(*row)


def _summed(rows, *by):
    """Quantity and amount in accounting currency of balances or transactions."""
    sums = {"exact_quantity": ExactSum("quantity"), "exact_amount": ExactSum("accounting_amount")}
    return rows.order_by(*by).values_list(*by).annotate(**sums)


def _sum(cells, kind, **only):
    return sum(
        (
            cell.amount
            for cell in cells
            if cell.kind == kind and all(getattr(cell, name) == value for name, value in only.items())
        ),
        _ZERO,
    )


def _figures(transaction_class, cells) -> ProjectFigures:
    hours = (
        cell.quantity
        for cell in cells
        if cell.kind == _Kind.COST and cell.transaction_class == TransactionClass.TIME
    )
    return ProjectFigures(
        transaction_class=str(transaction_class),
        hours=sum(hours, _ZERO),
        cost=_sum(cells, _Kind.COST),
        unbilled=_sum(cells, _Kind.UNBILLED),
        accrued=_sum(cells, _Kind.ACCRUED),
        revenue=_sum(cells, _Kind.REVENUE),
        on_account=_sum(cells, _Kind.ON_ACCOUNT),
        recognized=_sum(cells, _Kind.RECOGNIZED),
        earned=_earned(cells),
        disbursed=-_sum(cells, _Kind.DISBURSEMENT, voucher_kind=Voucher.Kind.INVOICE),
    )


def _earned(cells):
    straight = _sum(cells, _Kind.ON_ACCOUNT, in_balance=False)
    return sum((_sum(cells, kind) for kind in (_Kind.REVENUE, _Kind.ACCRUED, _Kind.RECOGNIZED)), straight)


def _in_progress(cells) -> WorkInProgress:
    return WorkInProgress(
        sales=_sum(cells, _Kind.ACCRUED, in_balance=True) + _sum(cells, _Kind.RECOGNIZED, in_balance=True),
        cost=_sum(cells, _Kind.COST, in_balance=True),
        on_account=_sum(cells, _Kind.ON_ACCOUNT, in_balance=True),
        disbursements=_sum(cells, _Kind.DISBURSEMENT),
    )


def _month(month, cells) -> ProjectMonth:
    return ProjectMonth(month, cost=_sum(cells, _Kind.COST), revenue=_earned(cells))


def _months(start, end):
    """The first days of all calendar months from that of `start` to that of `end`."""
    month = start.replace(day=1)
    while month <= end:
        yield month
        month = (month + datetime.timedelta(days=31)).replace(day=1)
