"""Not-to-exceed limits once more, when what was committed becomes billed (PRO-6)."""

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from actuals.models import BillingType
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from contracts.models import TransactionClass
from proforma.models import LineDetail

COMMITTED = BacklogItem.LimitStatus.COMMITTED


class Broken(NamedTuple):
    """A limit that a confirm would go over: its level and amount, and by how much."""

    level: str
    limit: Decimal
    over: Decimal


def limits_at_stake(proforma) -> list[Broken]:
    """The limits that confirming this draft, as it stands now, would go over; worst first."""
    if not LimitBook.load(proforma.contract).limits:
        return []
    items = {item.pk: item for item in BacklogItem.objects.filter(detail__line__proforma=proforma)}
    return broken_limits(proforma, LineDetail.objects.on_proforma(proforma), items)


def broken_limits(proforma, details, items) -> list[Broken]:
    """The limits that this proforma uses more of than was committed for it, and goes over; worst first.

    What one detail gives back another may take. A limit that was already broken, and gets no worse, is no
    trouble of this proforma.
    """
    book = LimitBook.load(proforma.contract)
    if not book.limits:
        return []
    before = {key: book.used[key] for key in book.limits}
    for (line, is_milestone), amount in _increases(proforma, details, items).items():
        book.commit(amount, proforma.contract_customer_id, line, is_milestone=is_milestone)
    broken = [
        Broken(key[0], limit, book.used[key] - limit)
        for key, limit in book.limits.items()
        if book.used[key] > limit and book.used[key] > before[key]
    ]
    return sorted(broken, key=lambda found: -found.over)


def _increases(proforma, details, items):
    """How much more is billed than was committed, by contract line, milestones apart."""
    contract_lines = dict(proforma.lines.values_list("pk", "contract_line"))
    increases = defaultdict(Decimal)
    for detail in details:
        item = items.get(detail.backlog_item_id)
        where = (
            contract_lines[detail.line_id],
            detail.transaction_class == TransactionClass.MILESTONE,
        )
        if detail.billing_type == BillingType.CHARGEABLE:
            increases[where] += detail.amount
        if item is not None and item.limit_status == COMMITTED:
            increases[where] -= item.amount
    return increases
