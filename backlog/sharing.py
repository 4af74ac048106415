"""Splits delivered work into shares of the customers: billable part, rest, shares (APP-3, MON-9)."""

from dataclasses import dataclass
from decimal import Decimal

from actuals.models import Actual, BillingType, Entry, PriceDecision
from contracts.models import ContractLine, LineCustomer
from contracts.pricing import Priced
from invoicing_site.floor import money

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True)
class Decision:
    """What the approver changed on one entry; None leaves the value as it was entered."""

    billable_quantity: Decimal | None = None
    billing_type: str | None = None


@dataclass(frozen=True)
class Part:
    """A part of an entry with one billing type."""

    billing_type: str
    quantity: Decimal


@dataclass(frozen=True)
class Delivered:
    """An entry on a time-and-material line, with its price and its parts by billing type."""

    entry: Entry
    line: ContractLine
    cost: Actual
    price: Priced
    price_decision: PriceDecision
    parts: list[Part]

    @classmethod
    def of(cls, entry, line, is_chargeable, cost, price, price_decision, decision=None):
        return cls(entry, line, cost, price, price_decision, _parts(entry, is_chargeable, decision))


def _parts(entry, is_chargeable, decision):
    """APP-3: below the submitted quantity, the rest is non-chargeable; above, there is one part.

    Work imported as not billable is non-chargeable, unless the approver sets a billing type (IMP-1).
    """
    wanted = decision.billing_type if decision else None
    if entry.imported_billing == Entry.ImportedBilling.NON_CHARGEABLE:
        wanted = wanted or BillingType.NON_CHARGEABLE
    billing_type = wanted or (BillingType.CHARGEABLE if is_chargeable else BillingType.NON_CHARGEABLE)
    billable = (
        decision.billable_quantity if decision and decision.billable_quantity is not None else entry.quantity
    )
    if billing_type == BillingType.NON_CHARGEABLE:
        return [Part(billing_type, entry.quantity)]
    parts = [Part(billing_type, billable)] if billable else []
    if billable < entry.quantity:
        parts.append(Part(BillingType.NON_CHARGEABLE, entry.quantity - billable))
    return parts


def sales_actuals(delivered, contracts) -> list[Actual]:
    """The unbilled sales of each customer for delivered work; none for a share of 0 %."""
    shares = {}
    lines = {work.line.pk for work in delivered}
    for customer in LineCustomer.objects.filter(line__in=lines).order_by("line", "pk"):
        shares.setdefault(customer.line_id, []).append(customer)
    return [
        actual
        for work in delivered
        for part, amount in _amounts(work)
        for actual in _shares(work, part, amount, shares[work.line.pk], contracts[work.line.contract_id])
    ]


def _amounts(work):
    """Each part with its amount if that is not quantity × price: for work billed at cost, and for fees.

    The total is divided in proportion to the quantities of the parts, which add up to it.
    """
    if not _is_lump(work):
        return [(part, None) for part in work.parts]
    whole = money.priced(work.entry.quantity, work.price.price, work.price.currency)
    if work.price.amount is not None:
        whole = work.price.amount
    quantities = [part.quantity for part in work.parts]
    if sum(quantities) > work.entry.quantity:
        # If more is billed than submitted, the price per unit applies to the larger quantity.
        whole = money.priced(sum(quantities), work.price.price, work.price.currency)
    return list(zip(work.parts, money.largest_remainder(whole, quantities, work.price.currency), strict=True))


def _is_lump(work):
    return work.price.at_cost or work.entry.transaction_class == Entry.Class.FEE


def _shares(work, part, amount, customers, contract):
    percents = [customer.split for customer in customers]
    rounding = next(n for n, customer in enumerate(customers) if customer.is_rounding)
    currency = work.price.currency
    if amount is None:
        shares = money.split_line(part.quantity, work.price.price, percents, rounding, currency)
        shares = [(share.quantity, work.price.price, share.amount) for share in shares]
    else:
        shares = [(ONE, share, share) for share in money.split(amount, percents, rounding, currency)]
    for customer, (quantity, price, share) in zip(customers, shares, strict=True):
        is_nothing = customer.split == 0 and not share and (amount is not None or not quantity)
        if not is_nothing:
            yield _sales_actual(work, part, customer, contract, quantity, price, share)


def _sales_actual(work, part, customer, contract, quantity, price, amount):
    entry, line = work.entry, work.line
    return Actual(
        type=Actual.Type.UNBILLED_SALES,
        transaction_class=entry.transaction_class,
        date=entry.date,
        accounting_date=entry.date,
        project_id=entry.project_id,
        task_id=entry.task_id,
        resource_id=entry.resource_id,
        role_id=work.cost.role_id,
        category_id=entry.category_id,
        product_id=entry.product_id,
        contract=contract,
        contract_line=line,
        contract_customer_id=customer.contract_customer_id,
        split=customer.split,
        is_rounding_share=customer.is_rounding and customer.split != 100,
        quantity=quantity,
        unit=entry.unit,
        price=price,
        amount=amount,
        currency=work.price.currency,
        billing_type=part.billing_type,
        description=entry.description,
        booked_by=Actual.BookedBy.JOURNAL,
        price_decision=work.price_decision,
        entry=entry,
        cost=work.cost,
    )
