"""Not-to-exceed limits, tested again when committed work becomes billed (PRO-6)."""

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from actuals.models import BillingType
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from contracts.models import TransactionClass
from proforma.models import LineDetail

COMMITTED = BacklogItem.LimitStatus.COMMITTED


class Exceeded(NamedTuple):
    """A limit that confirming would exceed: its level and amount, and the amount over it."""

    level: str
    limit: Decimal
    over: Decimal


def exceeded_by_draft(proforma) -> list[Exceeded]:
    """The limits that confirming this draft now would exceed; the largest excess first."""
    if not LimitBook.load(proforma.contract).limits:
        return []
    items = {item.pk: item for item in BacklogItem.objects.filter(detail__line__proforma=proforma)}
    return exceeded_limits(proforma, LineDetail.objects.on_proforma(proforma), items)


def exceeded_limits(proforma, details, items) -> list[Exceeded]:
    """The limits that this proforma exceeds by billing more than was committed; the largest excess first.

    A decrease on one detail balances an increase on another. A limit that was already exceeded, and is not
    exceeded further, does not count.
    """
    book = LimitBook.load(proforma.contract)
    if not book.limits:
        return []
    before = {key: book.used[key] for key in book.limits}
    for (line, is_milestone), amount in _increases(proforma, details, items).items():
        book.commit(amount, proforma.contract_customer_id, line, is_milestone=is_milestone)
    exceeded = [
        Exceeded(key[0], limit, book.used[key] - limit)
        for key, limit in book.limits.items()
        if book.used[key] > limit and book.used[key] > before[key]
    ]
    return sorted(exceeded, key=lambda found: -found.over)


def _increases(proforma, details, items):
    """The amount billed minus the amount committed, by contract line and separately for milestones."""
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
