"""Which proposals are created, filled in or posted in one transaction (PST-1).

A transaction holds the number sequences of its entity, and on SQLite the whole database. So a group has at
most 5,000 actuals, and on SQLite about half a second of work, as measured by the group before.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Count

from invoicing_site.floor.querysets import by_keys
from proforma.models import ProformaInvoice

Row = TypeVar("Row", bound=Any)
MOST = 5000
HALF_A_SECOND = 500_000_000  # nanoseconds
_FIRST_ON_SQLITE = 200


def grouped(
    rows: Sequence[Row], proforma: Callable[[Row], int] = attrgetter("proforma_id")
) -> Iterator[list[Row]]:
    """The rows in groups of one entity, each in the given order; `proforma` is the key of their proforma.

    A correction is a group of its own, because it needs what it corrects, posted or with its lines.
    """
    sizes = _sizes(map(proforma, rows))
    is_on_sqlite = connection.vendor == "sqlite"
    most = min(_FIRST_ON_SQLITE, MOST) if is_on_sqlite else MOST
    left = deque(sorted(rows, key=lambda row: row.entity_id))
    while left:
        group = [left.popleft()]
        size, is_correction = sizes[proforma(group[0])]
        while left and not is_correction and left[0].entity_id == group[0].entity_id:
            more, is_next_one = sizes[proforma(left[0])]
            if is_next_one or size + more > most:
                break
            group.append(left.popleft())
            size += more
        begun = time.perf_counter_ns()
        yield group
        if is_on_sqlite:
            taken = time.perf_counter_ns() - begun
            most = min(size * HALF_A_SECOND // taken, MOST)


def _sizes(proformas) -> dict[int, tuple[int, bool]]:
    """The number of details of each proforma, at least 1, and whether it is a correction."""
    rows = ProformaInvoice.objects.order_by().annotate(details=Count("lines__details"))
    rows = by_keys(rows.values_list("pk", "details", "corrects"), "pk", proformas)
    return {key: (max(count, 1), corrects is not None) for key, count, corrects in rows}
