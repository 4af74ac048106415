"""The sales actuals that proformas bill, by key: the first step of loading what belongs to them.

Everything else is then looked up by these keys. A join from the proforma to the books makes PostgreSQL read
whole tables, because it cannot estimate how few rows are left after five joins.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from actuals.models import Actual
from invoicing_site.floor.querysets import by_keys
from proforma.models import LineDetail


class Claimed(NamedTuple):
    """The detail of a proforma with what it claims: a sales actual, a milestone part, or nothing."""

    proforma_id: int
    detail_id: int
    item_id: int | None
    actual_id: int | None
    milestone_part_id: int | None


class Claim(NamedTuple):
    """A sales actual on a proforma, before it was billed."""

    proforma_id: int
    detail_id: int
    actual_id: int
    cost_id: int | None
    currency: str
    amount: Decimal
    voucher_id: int | None  # None for what no journal posts, or has not posted yet


def claimed_by(proformas: Iterable[int]) -> list[Claimed]:
    """All details of these proformas, in one query."""
    details = LineDetail.objects.filter(line__proforma__in=proformas).order_by("pk")
    columns = "line__proforma pk backlog_item backlog_item__actual backlog_item__milestone_part"
    return [Claimed(*row) for row in details.values_list(*columns.split())]


def claims_of(details: Iterable[Claimed]) -> list[Claim]:
    """The claimed actuals by key, in one query."""
    detail_of = {detail.actual_id: detail for detail in details if detail.actual_id}
    columns = "pk cost currency amount type booked_by journal_line__voucher"
    actuals = Actual.objects.order_by("pk").values_list(*columns.split())
    found = []
    for key, cost, currency, amount, kind, booked_by, voucher in by_keys(actuals, "pk", detail_of):
        detail = detail_of[key]
        is_original = kind == Actual.Type.UNBILLED_SALES and booked_by == Actual.BookedBy.JOURNAL
        voucher = voucher if is_original else None
        found.append(Claim(detail.proforma_id, detail.detail_id, key, cost, currency, amount, voucher))
    return found
