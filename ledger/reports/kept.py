"""Balances at the end of a day: the stored ones of all periods that have begun, less the rows dated later.

So a page reads a few balances of each period, and the rows of one period at most: none on its last day, and
none today unless something is dated in the future.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import QuerySet, Value

from contracts.models import LegalEntity
from invoicing_site.floor.querysets import ExactSum
from ledger.models import FiscalPeriod

_ZERO = Decimal(0)


class Day:
    """The end of a day in the books of an entity."""

    def __init__(self, entity: LegalEntity | int, day: datetime.date):
        self._day = day
        self._inside = FiscalPeriod.objects.filter(entity=entity, starts__lte=day, ends__gt=day).first()

    def sums(
        self, kept: QuerySet, rows: QuerySet, by: tuple[str, ...], columns: dict[str, str]
    ) -> dict[tuple, tuple[Decimal, ...]]:
        """The sums of the columns at the end of the day, by the values of `by`, in one statement.

        `kept` are balances and `rows` what they sum. `by` are columns of both, and `columns` has each column
        of a balance with that of a row.
        """
        found = _sums(kept.filter(period__starts__lte=self._day), by, columns, sign=1)
        if inside := self._inside:
            days = self._day + datetime.timedelta(days=1), inside.ends
            later = rows.filter(voucher__entity=inside.entity_id, voucher__date__range=days)
            found = found.union(_sums(later, by, columns.values(), sign=-1), all=True)
        return _added(found, len(by), len(columns))


def summed(rows: QuerySet, by: tuple[str, ...], columns: Iterable[str]) -> dict[tuple, tuple[Decimal, ...]]:
    """The sums of the columns over the rows, by the values of `by`."""
    return _added(_sums(rows, by, columns, sign=1), len(by), len(tuple(columns)))


def _sums(rows, by, columns, *, sign):
    sums = {f"sum_of_{name}": ExactSum(name) for name in columns}
    return rows.order_by().values_list(*by).annotate(**sums, sign=Value(sign))


def _added(found, width, columns):
    result = defaultdict(lambda: (_ZERO,) * columns)
    for *cells, sign in found:
        key = tuple(cells[:width])
        result[key] = tuple(own + sign * other for own, other in zip(result[key], cells[width:], strict=True))
    return result
