"""Order numbers of customers: which one a row takes, and what is left of each (CON-12).

Pure but for the loading. Used is what is on drafts, confirmed and posted under an order, net and in the
contract's currency, less what was credited or returned of it. What has the number of an order but was
entered before it counts as well. Under the contract's lock nothing else can take
what a book says is left.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from django.db.models import Q

from actuals.models import Actual, BillingType
from actuals.naming import title_of
from contracts.models import PurchaseOrder, TransactionClass
from invoicing_site.floor import formatting, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import totals
from proforma.models import LineDetail, ProformaInvoice

PO_AMOUNT, PO_DATES = "PO-AMOUNT", "PO-DATES"
_ZERO = Decimal(0)
# Of orders with room for some of a draft, and of what has none there, so many are named.
_NAMED = 3
_BY_PROFORMA = "detail_actual__detail__line__proforma"


class Order(NamedTuple):
    """An order number with its days, what it is good for, and what is used of it; None is without end."""

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
        """By how much what is used of it comes to more than its amount."""
        return _ZERO if self.amount is None else max(self.used - self.amount, _ZERO)

    @property
    def validity(self) -> str:
        """Its days in words."""
        return wording.span(self.valid_from, self.valid_to)

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from or date.min) <= day <= self.ends


class Shortage(NamedTuple):
    """That an order has too little room for what is billed under it, or should have been."""

    number: str
    amount: Decimal
    left: Decimal
    missing: Decimal
    order_id: int
    currency: str
    used: Decimal | None = None  # of the order it stands under, with what it bills itself

    @property
    def sentence(self) -> str:
        amount = partial(formatting.amount, currency=self.currency)
        if self.used is not None:
            return (
                f"Order {self.number} is for {amount(self.amount)}; {amount(self.used)} is on proformas "
                "under it, "
                f"{amount(self.missing)} too much."
            )
        return (
            f"Order {self.number}: {amount(self.left)} left of {amount(self.amount)}, "
            f"{amount(self.missing)} too little."
        )


@dataclass
class OrderBook:
    """The orders of some contract customers, and what a plan has taken of each so far."""

    orders: list[Order] = field(default_factory=list)

    def __post_init__(self):
        self._taken = defaultdict(Decimal)
        self._of = defaultdict(list)
        for order in sorted(self.orders, key=lambda order: (order.ends, order.pk)):
            self._of[order.contract_customer_id].append(order)

    def take(self, contract_customer_id: int, day: date, amount: Decimal) -> Order | None:
        """The valid order that ends first and has room for the whole amount, which it then has less of.

        A row is never split. A negative amount makes no room for others: it may still be taken back.
        """
        for order in self._of[contract_customer_id]:
            if order.is_valid_on(day) and self._has_room(order, amount):
                self._taken[order.pk] += max(amount, _ZERO)
                return order
        return None

    def _has_room(self, order, amount):
        return order.left is None or amount <= max(order.left - self._taken[order.pk], _ZERO)


def load_orders(contracts: Iterable[int], *, customers: Iterable[int] | None = None) -> list[Order]:
    """The orders of these contracts, by contract, with what is used of them: at most three queries."""
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
    """The order of the customer that a text is the number of, in any case and with any spaces around it."""
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
    """Corrections are left out: what they will give back is given back when they are confirmed."""
    open_ones = ProformaInvoice.objects.open().filter(kind=ProformaInvoice.Kind.INVOICE)
    details = LineDetail.objects.chargeable().filter(line__proforma__in=open_ones)
    return details.exclude(transaction_class=TransactionClass.RETAINER)


def _billed():
    """Billed sales, and what took them back."""
    actuals = Actual.objects.filter(
        type=Actual.Type.BILLED_SALES, billing_type=BillingType.CHARGEABLE, detail_actual__isnull=False
    )
    return actuals.exclude(transaction_class=TransactionClass.RETAINER)


def shortages(proforma: ProformaInvoice) -> list[Shortage]:
    """The orders that have too little room for this proforma, as it stands now; worst first.

    Of one under an order: that order, where all under it come to more than its amount. Of one without any:
    the orders that are valid on the days of its work and have no room for it, which is why it has none.
    """
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return []
    orders = load_orders([proforma.contract_id], customers=[proforma.contract_customer_id])
    needed = defaultdict(Decimal)
    if own := _own(orders, proforma):
        needs = sum((amount for _, amount in _rows_of(proforma)), _ZERO)
        found = own.over and needs > 0
        return (
            [Shortage(own.number, own.amount, _ZERO, own.over, own.pk, proforma.currency, own.used)]
            if found
            else []
        )
    if not proforma.order_reference and orders:
        for day, amount in _rows_of(proforma):
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


def unknown_order(proforma: ProformaInvoice) -> str:
    """That the order number in the header is none of the contract's for this customer; or nothing.

    Where the customer has no order at all, the number is only words on the invoice.
    """
    if not proforma.order_reference or order_of(proforma):
        return ""
    orders = PurchaseOrder.objects.filter(contract_customer=proforma.contract_customer_id)
    numbers = list(orders.order_by("pk").values_list("number", flat=True))
    if not numbers:
        return ""
    few = ", ".join(numbers[:3]) + (" and others" if len(numbers) > 3 else "")
    return (
        f"The contract has no order {proforma.order_reference} of this customer, only {few}: what is left "
        "of the order is not checked. Enter another number in the header, or have the order added."
    )


def refuse_outside_order(proforma: ProformaInvoice, days: Iterable[date], *, way_out: str) -> None:
    """Refused where a day of work is none on which the order of the proforma is valid."""
    if sentence := _outside(order_of(proforma), days):
        raise Refused(
            f"{sentence}: {way_out}, or give proforma {proforma.number} another order number first.",
            code=PO_DATES,
        )


def outside_order(proforma: ProformaInvoice) -> str:
    """That it bills work of a day on which its order is not valid, as half a sentence; or nothing.

    A correction gives back to the order it was billed under, also an expired one.
    """
    if proforma.kind == ProformaInvoice.Kind.CORRECTION or (order := order_of(proforma)) is None:
        return ""
    return _outside(order, days_of(proforma))


def days_of(proforma: ProformaInvoice) -> set[date]:
    """The days of what counts under an order."""
    return {day for day, _ in _rows_of(proforma)}


def _outside(order, days) -> str:
    outside = [day for day in days if not order.is_valid_on(day)] if order else []
    if not outside:
        return ""
    return f"Order {order.number} is valid {order.validity}, and {wording.day(min(outside))} is outside"


def _room(order):
    return Decimal("Infinity") if order.left is None else order.left


def _rows_of(proforma):
    """The day and the amount of each row of it that counts under an order."""
    if proforma.status == ProformaInvoice.Status.CONFIRMED:
        rows = _billed().filter(**{_BY_PROFORMA: proforma})
    else:
        rows = _charged_on_drafts().filter(line__proforma=proforma)
    return rows.order_by("pk").values_list("date", "amount")


def order_of(proforma: ProformaInvoice) -> Order | None:
    """The order that the proforma is linked to, or has the number of, with what is used of it now."""
    if proforma.purchase_order_id is None and not proforma.order_reference:
        return None
    return _own(load_orders([proforma.contract_id], customers=[proforma.contract_customer_id]), proforma)


def _own(orders, proforma):
    if proforma.purchase_order_id:
        return next(order for order in orders if order.pk == proforma.purchase_order_id)
    return named(orders, proforma.contract_customer_id, proforma.order_reference)


def order_that_fits(proforma: ProformaInvoice) -> Order | None:
    """The order that a draft without one could take now: valid on all its days, with room for all of it."""
    if proforma.order_reference or proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return None
    rows = list(_rows_of(proforma))
    needed = sum((amount for _, amount in rows), _ZERO)
    orders = load_orders([proforma.contract_id], customers=[proforma.contract_customer_id]) if rows else []
    fitting = [
        order
        for order in orders
        if (order.left is None or needed <= order.left) and all(order.is_valid_on(day) for day, _ in rows)
    ]
    return min(fitting, key=lambda order: (order.ends, order.pk), default=None)


def orders_that_fit_some(proforma: ProformaInvoice) -> str:
    """Of a draft that no order fits as a whole, which have room for some of its details; or nothing.

    Each row would take an order as it does when a proforma is created. What was added by hand stays: nothing
    makes it anew.
    """
    if proforma.order_reference or proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return ""
    if not (orders := load_orders([proforma.contract_id], customers=[proforma.contract_customer_id])):
        return ""
    details = _charged_on_drafts().filter(line__proforma=proforma).order_by("date", "pk")
    details = list(details.select_related("task", "category", "product"))
    book, fitting, staying = OrderBook(orders), defaultdict(int), []
    for each in details:
        order = each.backlog_item_id and book.take(proforma.contract_customer_id, each.date, each.amount)
        if order:
            fitting[order.number] += 1
        else:
            staying.append(f"“{title_of(each)}” of {wording.day(each.date)}")
    if not fitting:
        return ""
    fits = ", ".join(f"order {number} has room for {n}" for number, n in list(fitting.items())[:_NAMED])
    more = f" and {len(staying) - _NAMED} more" if len(staying) > _NAMED else ""
    rest = f", not for {', '.join(staying[:_NAMED])}{more}" if staying else ""
    return f"It has no order number: {fits} of its {wording.counted(len(details), 'detail')}{rest}."
