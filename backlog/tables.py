"""What people see of the backlog."""

from django.urls import reverse
from django.utils.html import format_html

from backlog.models import BacklogItem
from invoicing_site.screens.tables import (
    AmountColumn,
    DayColumn,
    MainColumn,
    QuantityColumn,
    StatusColumn,
    Table,
    TextColumn,
)
from invoicing_site.templatetags.ledgerline import plain_amount


def _what(item):
    actual = item.actual
    parts = [actual.get_transaction_class_display().capitalize()]
    parts += [str(each) for each in (actual.resource, actual.role) if each]
    trouble = _trouble(item)
    text = " · ".join(parts)
    return format_html('{} · <span class="warn">{}</span>', text, trouble) if trouble else text


def _trouble(item):
    """Why it can't be billed now, in a few words."""
    if item.limit_status == BacklogItem.LimitStatus.FAILED:
        return f"Over the limit by {plain_amount(item.limit_over, item.currency)}"
    if item.needs_price:
        return "No price found"
    if item.hold_until:
        return f"On hold: {item.hold_reason or item.hold_until}"
    return ""


def explain_item(item):
    return reverse("explain", args=["actual", item.actual_id])


class BacklogTable(Table):
    description = MainColumn(
        verbose_name="Item", accessor="title", order_by="description", url=explain_item, sub=_what
    )
    project = TextColumn(
        accessor="actual.project.code", verbose_name="Project", sub="contract_customer__customer__name"
    )
    contract = TextColumn(accessor="contract.code", verbose_name="Contract")
    date = DayColumn()
    quantity = QuantityColumn(accessor="actual.quantity", unit="actual__unit", verbose_name="Quantity")
    price = AmountColumn(accessor="actual.price", currency="", main=False, verbose_name="Price")
    amount = AmountColumn(explain=explain_item)
    billing_type = StatusColumn(
        accessor="actual.billing_type", verbose_name="Billing type", attrs={"td": {"class": "c-hide"}}
    )
    limit_status = StatusColumn(verbose_name="Limit", attrs={"td": {"class": "c-hide"}})
    status = StatusColumn()

    selectable = True
    row_amount = "amount"

    def label(self, record):
        return f"{record.title}, {record.actual.project.code}"
