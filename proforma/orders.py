"""Orders of customers: which order a row uses, and what is left of each (CON-12).

Pure except for loading. The used amount is what drafts, confirmed and posted proformas bill under an order,
net and in the contract's currency, minus what was credited or returned. Proformas with the number of an order
that was added later count too. Under the contract's lock the amounts left can't change.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from actuals.models import Actual, BillingType
from actuals.naming import title_of
from contracts.models import PurchaseOrder, TransactionClass
from invoicing_site.floor import formatting
from invoicing_site.floor.querysets import totals
from invoicing_site.floor.reasons import Amount, Reason
from proforma.models import LineDetail, ProformaInvoice

PO_AMOUNT, PO_DATES = "PO-AMOUNT", "PO-DATES"
_ZERO = Decimal(0)
# At most this many orders and details are named in a message.
_NAMED = 3
_BY_PROFORMA = "detail_actual__detail__line__proforma"


class Order(NamedTuple):
    """An order with its dates, its amount and the used amount; None means unlimited."""

    pk: int
    contract_id: int
    contract_customer_id: int
    number: str
    valid_from: date | None = None
    valid_to: date | None = None
    amount: Decimal | None = None
    used: Decimal = _ZERO

    @property
    def ends(self) -> date:
        return self.valid_to or date.max

    @property
    def left(self) -> Decimal | None:
        return None if self.amount is None else self.amount - self.used

    @property
    def over(self) -> Decimal:
        """The amount used in excess of its amount, or zero."""
        return _ZERO if self.amount is None else max(self.used - self.amount, _ZERO)

    @property
    def validity(self) -> str:
        """Its dates as text."""
        return formatting.span(self.valid_from, self.valid_to)

    is_valid_on = PurchaseOrder.is_valid_on


# The dates and amounts of what counts under an order.
Rows = Sequence[tuple[date, Decimal]]


class Shortage(NamedTuple):
    """An order whose amount is too small for what is billed under it, or would be."""

    number: str
    amount: Decimal
    left: Decimal
    missing: Decimal
    order_id: int
    currency: str
    used: Decimal | None = None  # if it is the proforma's own order; includes what the proforma bills

    @property
    def reason(self) -> Reason:
        amounts = {
            "amount": Amount(self.amount, self.currency),
            "missing": Amount(self.missing, self.currency),
        }
        if self.used is not None:
            used = Amount(self.used, self.currency)
            return Reason("ORDER-EXCEEDED", order=self.number, used=used, **amounts)
        return Reason("ORDER-TOO-SMALL", order=self.number, left=Amount(self.left, self.currency), **amounts)


@dataclass
class OrderBook:
    """The orders of some contract customers, and the amounts that a plan uses of each so far."""

    orders: list[Order] = field(default_factory=list)

    def __post_init__(self):
        self._taken = defaultdict(Decimal)
        self._of = defaultdict(list)
        for order in sorted(self.orders, key=lambda order: (order.ends, order.pk)):
            self._of[order.contract_customer_id].append(order)

    def take(self, contract_customer_id: int, day: date, amount: Decimal) -> Order | None:
        """The valid order that ends first and has enough left for the whole amount; uses that amount of it.

        A row is never split. A negative amount does not make room for others, as it may be removed.
        """
        for order in self._of[contract_customer_id]:
            if order.is_valid_on(day) and self._has_room(order, amount):
                self._taken[order.pk] += max(amount, _ZERO)
                return order
        return None

    def _has_room(self, order, amount):
        return order.left is None or amount <= max(order.left - self._taken[order.pk], _ZERO)


def load_orders(contracts: Iterable[int], *, customers: Iterable[int] | None = None) -> list[Order]:
    """The orders of these contracts, by contract, with their used amounts: at most three queries."""
    found = PurchaseOrder.objects.filter(contract_customer__contract__in=contracts)
    found = found.order_by("contract_customer__contract", "pk")
    if customers is not None:
        found = found.filter(contract_customer__in=customers)
    columns = ("contract_customer__contract", "contract_customer", "number")
    columns = ("pk", *columns, "valid_from", "valid_to", "amount")
    orders = [Order(*row) for row in found.values_list(*columns)]
    used = _used([order for order in orders if order.amount is not None])
    return [order._replace(used=used.get(order.pk, _ZERO)) for order in orders]


def named(orders: Iterable[Order], contract_customer_id: int, text: str) -> Order | None:
    """The customer's order with this number, ignoring case and surrounding spaces; None if there is none."""
    text = text.strip()
    meant = [
        order
        for order in orders
        if order.contract_customer_id == contract_customer_id and order.number.casefold() == text.casefold()
    ]
    return next((order for order in meant if order.number == text), meant[0] if meant else None)


def _used(orders) -> dict[int, Decimal]:
    if not orders:
        return {}
    used = defaultdict(Decimal)
    keys, customers = [order.pk for order in orders], {order.contract_customer_id for order in orders}
    sources = ((_charged_on_drafts(), "line__proforma"), (_billed(), _BY_PROFORMA))
    for rows, path in sources:
        linked = Q(**{f"{path}__purchase_order__in": keys})
        by_text = Q(**{f"{path}__purchase_order": None, f"{path}__contract_customer__in": customers})
        by_text &= ~Q(**{f"{path}__order_reference": ""})
        by = [f"{path}__{name}" for name in ("purchase_order", "contract_customer", "order_reference")]
        for (key, customer, text), amount in totals(rows.filter(linked | by_text), by=by).items():
            order = None if key else named(orders, customer, text)
            if key or order:
                used[key or order.pk] += amount
    return used


def _charged_on_drafts():
    """Details of drafts, without corrections: these count once they are confirmed."""
    open_ones = ProformaInvoice.objects.open().filter(kind=ProformaInvoice.Kind.INVOICE)
    details = LineDetail.objects.chargeable().filter(line__proforma__in=open_ones)
    return details.exclude(transaction_class=TransactionClass.RETAINER)


def counts(actual: Actual) -> bool:
    """Whether an actual that confirming created counts under an order: billed sales, and their reversals."""
    return (
        actual.type == Actual.Type.BILLED_SALES
        and actual.billing_type == BillingType.CHARGEABLE
        and actual.transaction_class != TransactionClass.RETAINER
    )


def _billed():
    """The actuals that count, of all proformas."""
    actuals = Actual.objects.filter(
        type=Actual.Type.BILLED_SALES, billing_type=BillingType.CHARGEABLE, detail_actual__isnull=False
    )
    return actuals.exclude(transaction_class=TransactionClass.RETAINER)


def shortages(
    proforma: ProformaInvoice, *, orders: list[Order] | None = None, rows: Rows | None = None
) -> list[Shortage]:
    """The orders whose amount is too small for this proforma; the largest shortage first.

    If it has an order: that order, if everything under it is more than its amount. If it has none: the orders
    that are valid on the dates of its work but have too little left, which is why it has none. `orders` are
    those of its contract customer, and `rows` the dates and amounts that count under them; both are read if
    they are not given.
    """
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return []
    orders = _orders_of(proforma) if orders is None else orders
    rows = _rows_of(proforma) if rows is None else rows
    needed: dict[int, Decimal] = defaultdict(Decimal)
    if own := own_order(orders, proforma):
        needs = sum((amount for day, amount in rows), _ZERO)
        found = own.over and needs > 0
        return (
            [Shortage(own.number, own.amount, _ZERO, own.over, own.pk, proforma.currency, own.used)]
            if found
            else []
        )
    if not proforma.order_reference and orders:
        for day, amount in rows:
            if valid := [order for order in orders if order.is_valid_on(day)]:
                needed[max(valid, key=_room).pk] += amount
    found = [
        Shortage(
            order.number,
            order.amount,
            max(order.left, _ZERO),
            needed[order.pk] - max(order.left, _ZERO),
            order.pk,
            proforma.currency,
        )
        for order in orders
        if order.left is not None and needed[order.pk] > max(order.left, _ZERO)
    ]
    return sorted(found, key=lambda shortage: -shortage.missing)


def unknown_order(proforma: ProformaInvoice) -> Reason | None:
    """That the contract has no order with the number in the header; None if it has.

    None also if the customer has no orders at all: then the number is only text on the invoice.
    """
    if not proforma.order_reference or order_of(proforma):
        return None
    orders = PurchaseOrder.objects.filter(contract_customer=proforma.contract_customer_id)
    numbers = list(orders.order_by("pk").values_list("number", flat=True)[: _NAMED + 1])
    if not numbers:
        return None
    if len(numbers) > _NAMED:
        numbers[_NAMED:] = [_("others")]
    return Reason("ORDER-UNKNOWN", order=proforma.order_reference, orders=numbers)


def outside_order(
    proforma: ProformaInvoice, *, orders: list[Order] | None = None, rows: Rows | None = None
) -> Reason | None:
    """That it bills work dated outside the validity of its order; None if it doesn't.

    A correction belongs to the order of the corrected proforma, even if that has expired. `orders` and `rows`
    as for `shortages`.
    """
    has_order = proforma.purchase_order_id or proforma.order_reference
    if proforma.kind == ProformaInvoice.Kind.CORRECTION or not has_order:
        return None
    days = days_of(proforma) if rows is None else {day for day, amount in rows}
    return days_outside_order(proforma, days, orders=orders)


def days_outside_order(
    proforma: ProformaInvoice, days: Iterable[date], *, orders: list[Order] | None = None
) -> Reason | None:
    """That the order of the proforma is not valid on one of the days; None if it is, or without an order."""
    order = order_of(proforma) if orders is None else own_order(orders, proforma)
    outside = [day for day in days if not order.is_valid_on(day)] if order else []
    if not outside:
        return None
    values = {"order": order.number, "day": min(outside)}
    if order.valid_from is None:
        return Reason("ORDER-VALID-UNTIL", last=order.valid_to, **values)
    if order.valid_to is None:
        return Reason("ORDER-VALID-FROM", first=order.valid_from, **values)
    return Reason("ORDER-VALID-BETWEEN", first=order.valid_from, last=order.valid_to, **values)


def days_of(proforma: ProformaInvoice) -> set[date]:
    """The dates of the details that count under an order."""
    return {day for day, amount in _rows_of(proforma)}


def _room(order):
    return Decimal("Infinity") if order.left is None else order.left


def _rows_of(proforma):
    """The date and the amount of each row that counts under an order."""
    if proforma.status == ProformaInvoice.Status.CONFIRMED:
        rows = _billed().filter(**{_BY_PROFORMA: proforma})
    else:
        rows = _charged_on_drafts().filter(line__proforma=proforma)
    return rows.order_by("pk").values_list("date", "amount")


def order_of(proforma: ProformaInvoice) -> Order | None:
    """The order that the proforma is linked to, or whose number it has, with its used amount."""
    if proforma.purchase_order_id is None and not proforma.order_reference:
        return None
    return own_order(_orders_of(proforma), proforma)


def _orders_of(proforma):
    return load_orders([proforma.contract_id], customers=[proforma.contract_customer_id])


def own_order(orders: list[Order], proforma: ProformaInvoice) -> Order | None:
    """The one of these orders that the proforma is linked to, or whose number it has."""
    if proforma.purchase_order_id:
        return next(order for order in orders if order.pk == proforma.purchase_order_id)
    return named(orders, proforma.contract_customer_id, proforma.order_reference)


def order_that_fits(proforma: ProformaInvoice) -> Order | None:
    """The order that a draft without one could have: valid on all its dates, with enough left."""
    if proforma.order_reference or proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return None
    rows = list(_rows_of(proforma))
    needed = sum((amount for day, amount in rows), _ZERO)
    orders = _orders_of(proforma) if rows else []
    fitting = [
        order
        for order in orders
        if (order.left is None or needed <= order.left)
        and all(order.is_valid_on(day) for day, amount in rows)
    ]
    return min(fitting, key=lambda order: (order.ends, order.pk), default=None)


def orders_that_fit_some(proforma: ProformaInvoice) -> Reason | None:
    """For a draft that no order fits as a whole: the orders with enough left for some of its details.

    Each row gets an order as it does when a proforma is created. Details added by hand have no backlog item,
    so no new proforma can have them.
    """
    if proforma.order_reference or proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return None
    if not (orders := _orders_of(proforma)):
        return None
    details = _charged_on_drafts().filter(line__proforma=proforma).order_by("date", "pk")
    details = list(details.select_related("task", "category", "product"))
    book, fitting, staying = OrderBook(orders), defaultdict(int), []
    for each in details:
        order = each.backlog_item_id and book.take(proforma.contract_customer_id, each.date, each.amount)
        if order:
            fitting[order.number] += 1
        else:
            staying.append(f"“{title_of(each)}” ({formatting.day(each.date)})")
    if not fitting:
        return None
    why = [
        Reason("ORDER-HAS-ROOM", order=number, fitting=n, count=len(details))
        for number, n in list(fitting.items())[:_NAMED]
    ]
    if len(staying) > _NAMED:
        more = len(staying) - _NAMED
        why.append(Reason("NO-ORDER-HAS-ROOM-MORE", details=staying[:_NAMED], more=more))
    elif staying:
        why.append(Reason("NO-ORDER-HAS-ROOM", details=staying))
    return Reason("ORDERS-FIT-SOME", why=why)
