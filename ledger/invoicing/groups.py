"""Which proposals are posted in one transaction (PST-1).

A transaction holds the number sequences of its entity, and on SQLite the whole database. So a group has at
most 5,000 actuals, and on SQLite about half a second of work, as measured by the group before.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.models import Count

from ledger.invoicing.claims import by_keys
from ledger.models import InvoiceProposal
from proforma.models import ProformaInvoice

MOST = 5000
HALF_A_SECOND = 500_000_000  # nanoseconds
_FIRST_ON_SQLITE = 200


def grouped(proposals: Sequence[InvoiceProposal]) -> Iterator[list[InvoiceProposal]]:
    """The proposals in groups of one entity, each in the given order.

    A correction is a group of its own, because it needs the posted invoice that it corrects.
    """
    sizes = _sizes([proposal.proforma_id for proposal in proposals])
    is_on_sqlite = connection.vendor == "sqlite"
    most = min(_FIRST_ON_SQLITE, MOST) if is_on_sqlite else MOST
    left = deque(sorted(proposals, key=lambda row: row.entity_id))
    while left:
        group = [left.popleft()]
        size, is_correction = sizes[group[0].proforma_id]
        while left and not is_correction and left[0].entity_id == group[0].entity_id:
            more, is_next_one = sizes[left[0].proforma_id]
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
