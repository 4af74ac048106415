"""Cost prices and sales prices of work (PRC-1 to PRC-6).

A `PriceBook` is loaded once, in a constant number of queries, and then finds any number of prices in memory.
It never writes: the caller that creates an actual stores the result, which fixes the price (PRC-5).
"""

import datetime
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from contracts.models import (
    Category,
    CategoryPrice,
    ContractCustomer,
    ContractPriceList,
    LegalEntity,
    OrganizationalUnit,
    PriceList,
    PriceMarkup,
    Product,
    ProductPrice,
    ProjectContract,
    Role,
    RolePrice,
    RolePriceOverride,
    TransactionClass,
)
from contracts.price_rows import Listed, Reasoning, narrowest_override, plain, role_row
from contracts.rates import Rates
from invoicing_site.floor import formatting, money

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Work:
    """The values of one entry that decide its price.

    `unit_id` and `company_id` are those of the resource; `unit` is the unit of measure, "h" for time.
    """

    transaction_class: str
    date: datetime.date
    role_id: int | None = None
    unit_id: int | None = None
    company_id: int | None = None
    category_id: int | None = None
    product_id: int | None = None
    unit: str = ""
    quantity: Decimal = Decimal(1)
    cost_net: Decimal | None = None
    cost_currency: str = ""
    cost_tax_not_deducted: Decimal = _ZERO
    sales_price: Decimal | None = None
    cost: "Priced | None" = None  # the recorded cost, if the work is already approved


@dataclass(frozen=True, slots=True)
class Priced:
    """The price of one unit of some work, and how it was found.

    If the total is known first and the price is calculated from it, `amount` is this total: a cost given on
    the entry, or sales at cost or with a markup on cost (`at_cost`). Else `amount` is None, and the total is
    quantity × price. If there is no price, it is 0, `is_missing` is true and `warning` is a sentence for
    users; `way` says what a billing administrator can do about it, on the list `list_to_fix`, if anything.
    """

    kind: str
    price: Decimal
    currency: str
    base_price: Decimal = _ZERO  # before markups
    markup: Decimal = _ZERO  # the sum of the markups, in percent
    price_list: PriceList | None = None
    role_price: RolePrice | None = None
    override: RolePriceOverride | None = None
    category_price: CategoryPrice | None = None
    product_price: ProductPrice | None = None
    amount: Decimal | None = None
    at_cost: bool = False
    is_missing: bool = False
    reasoning: str = ""
    warning: str = ""
    way: str = ""
    list_to_fix: PriceList | None = None


class PriceBook:
    """The cost prices of an entity and the sales prices of some of its contracts.

    The same values always give the same `Priced` object, also for different days between two changes of a
    price, so that all of them can share one stored price decision.
    """

    def __init__(self, entity, contracts, lists, names):
        self._entity = entity
        self._sales_lists = contracts
        self._cost_lists = lists
        self._names = names
        self._answers = {}
        self._same = {}
        self._changes = sorted({day for each in self._all_lists() for day in each.changes()})

    @classmethod
    def load(cls, entity: LegalEntity, contracts: Iterable[ProjectContract]) -> "PriceBook":
        """Load all lists that can apply to work on these contracts, and to the cost of the entity's work."""
        pks = {contract.pk for contract in contracts}
        attached = list(
            ContractPriceList.objects.filter(
                contract__in=pks, price_list__kind=PriceList.Kind.SALES
            ).select_related("price_list")
        )
        costs = list(
            PriceList.objects.filter(
                entity=entity, kind=PriceList.Kind.COST, customer=None, contract=None
            ).order_by("code")
        )
        primary = dict(
            ContractCustomer.objects.filter(contract__in=pks, is_primary=True).values_list(
                "contract", "customer"
            )
        )
        listed = _read({row.price_list_id: row.price_list for row in attached}, costs)
        sales = {pk: _ContractLists(primary.get(pk)) for pk in pks}
        for row in attached:
            sales[row.contract_id].lists.append(listed[row.price_list_id])
        names = {
            model: dict(model.objects.filter(entity=entity).values_list("pk", "name"))
            for model in (Role, OrganizationalUnit, Category, Product)
        }
        return cls(entity, sales, [listed[price_list.pk] for price_list in costs], names)

    def sales(self, work: Work, contract: ProjectContract) -> Priced:
        """The sales price of one unit of the work, in the contract's currency; the contract must be loaded.

        Refused (FX-MISSING) only if a cost in another currency has to be converted and has no exchange rate.
        """
        return self._answer(self._sales, work, contract)

    def cost(self, work: Work, contract: ProjectContract | None = None) -> Priced:
        """The cost of one unit of the work, in the currency of its cost price list.

        A recorded cost stays unchanged (CON-6). A cost that the entry itself states, with the tax that can't
        be deducted, comes before all price lists. If the contract that covers the work has a contracting unit
        with a list, that list applies (PRC-2).
        """
        return self._answer(self._cost, work, contract)

    # The same values have one result.

    def _answer(self, find, work, contract):
        # Of the contract, only the contracting unit affects costs.
        whose = contract and (contract.unit_id if find == self._cost else contract.pk)
        key: tuple = (
            find.__name__,
            whose,
            bisect_right(self._changes, work.date),
            work.transaction_class,
            work.role_id,
            work.unit_id,
            work.company_id,
            work.category_id,
            work.product_id,
            work.unit,
            work.sales_price,
        )
        if work.cost_net is not None or work.transaction_class in _AT_COST:
            # The result depends on this amount, converted on this day.
            key += work.date, work.quantity, work.cost_net, work.cost_currency, work.cost_tax_not_deducted
        if work.cost is not None:
            key += (work.cost,)
        if key not in self._answers:
            priced = find(work, contract)
            self._answers[key] = self._same.setdefault(priced, priced)
        return self._answers[key]

    def _all_lists(self):
        yield from self._cost_lists
        for contract in self._sales_lists.values():
            yield from contract.lists

    # Sales.

    def _sales(self, work, contract):
        scope = self._sales_lists[contract.pk]
        why = Reasoning()
        if work.transaction_class == TransactionClass.FEE and work.sales_price is not None:
            why.note(f"Agreed on the entry: {plain(work.sales_price)} {contract.currency} — chosen")
            return self._priced("sales", work.sales_price, contract.currency, why)
        listed, warning = _sales_list(scope.lists, contract, work.date, why)
        if listed is None:
            extended = _extended(scope.lists, contract, work.date)
            return self._missing("sales", contract.currency, why, warning, **extended)
        if work.transaction_class == TransactionClass.TIME:
            row = role_row(listed.role_prices, work, why)
            if row is None:
                return self._nothing_for(work, "sales", listed, why)
            scopes = {"contract": contract.pk, "customer": scope.customer_id}
            return self._role_priced("sales", listed, row, scopes, work, why, warning)
        if work.transaction_class == TransactionClass.MATERIAL:
            return self._product_priced("sales", listed, work, why, warning)
        return self._category_sales(listed, contract, work, why, warning)

    def _category_sales(self, listed, contract, work, why, warning):
        row = listed.category_row(work, why)
        if row is None:
            return self._nothing_for(work, "sales", listed, why)
        markup = listed.markup(work, why)
        found = {"category_price": row, "price_list": listed.price_list}
        if row.method == CategoryPrice.Method.PER_UNIT:
            return self._priced(
                "sales", row.price, contract.currency, why, markup=markup, warning=warning, **found
            )
        cost = self.cost(work, contract)
        if cost.amount is None and cost.category_price is None:
            why.note("The entry has no cost")
            warning = "The entry is billed at cost and has no cost, so the price is 0."
            return self._missing("sales", contract.currency, why, warning, at_cost=True, **found)
        if row.method == CategoryPrice.Method.MARKUP:
            markup += row.markup
        if work.cost is not None and cost.amount is not None:
            why.note(f"The cost as recorded: {plain(cost.amount)} {cost.currency}")
        base, old = self._in_currency_of(contract, _whole(cost, work), cost.currency, work.date, why)
        warning = " ".join(filter(None, [warning, *(each.english for each in old)]))
        amount = money.percentage(base, _HUNDRED + markup, contract.currency) if markup else base
        why.note(f"Total: {plain(amount)} {contract.currency}")
        return Priced(
            kind="sales",
            price=_of_one(amount, work.quantity),
            currency=contract.currency,
            base_price=_of_one(base, work.quantity),
            markup=markup,
            amount=amount,
            at_cost=True,
            reasoning=why.text(),
            warning=warning,
            **found,
        )

    def _in_currency_of(self, contract, amount, currency, day, why):
        """A cost in the contract's currency, by its agreed rate if it has one, else by the official rate.

        Also the reasons why a rate may be outdated (FX-OLD).
        """
        if currency == contract.currency:
            return money.rounded(amount, currency), []
        rate = self._rates.on(currency, day)
        into = contract.fixed_exchange_rate or self._rates.on(contract.currency, day)
        if into != 1:
            rate = money.rounded_rate(rate / into)
        kind = "agreed" if contract.fixed_exchange_rate else "official"
        why.note(f"{plain(amount)} {currency} at {plain(rate)} ({kind} rate of {formatting.day(day)})")
        used = [currency] if contract.fixed_exchange_rate else [currency, contract.currency]
        return money.converted(amount, rate, contract.currency), self._rates.old((each, day) for each in used)

    @cached_property
    def _rates(self):
        return Rates.load(self._entity)

    # Cost.

    def _cost(self, work, contract):
        if work.cost is not None:
            return work.cost
        why = Reasoning()
        if work.cost_net is not None:
            return self._own_cost(work, why)
        listed = _cost_list(self._cost_lists, self._entity, work, contract and contract.unit_id, why)
        if work.transaction_class == TransactionClass.FEE:
            return self._cost_of_a_fee(listed, work, why)
        if listed is None:
            warning = f"{self._entity} has no cost price list for that day: the cost is 0."
            way = "add a cost price list for that day"
            return self._missing("cost", self._entity.currency, why, warning, way=way)
        if work.transaction_class == TransactionClass.TIME:
            row = role_row(listed.role_prices, work, why, may_drop=True)
            if row is None:
                return self._nothing_for(work, "cost", listed, why)
            return self._role_priced("cost", listed, row, {}, work, why)
        if work.transaction_class == TransactionClass.MATERIAL:
            return self._product_priced("cost", listed, work, why)
        row = listed.category_row(work, why)
        if row is None or row.method != CategoryPrice.Method.PER_UNIT:
            return self._nothing_for(work, "cost", listed, why)
        return self._category_cost(listed, row, work, why)

    def _own_cost(self, work, why):
        currency = work.cost_currency or self._entity.currency
        amount = money.rounded(work.cost_net + work.cost_tax_not_deducted, currency)
        why.note(
            f"What the entry cost: {plain(work.cost_net)} net + {plain(work.cost_tax_not_deducted)} tax that "
            f"can't be deducted = {plain(amount)} {currency} — chosen"
        )
        return self._priced("cost", _of_one(amount, work.quantity), currency, why, amount=amount)

    def _cost_of_a_fee(self, listed, work, why):
        row = listed.category_row(work, why) if listed else None
        if row is None or row.method != CategoryPrice.Method.PER_UNIT:
            why.note("No cost was entered for the fee: 0")
            return self._priced("cost", _ZERO, self._entity.currency, why)
        return self._category_cost(listed, row, work, why)

    def _category_cost(self, listed, row, work, why):
        markup, currency = listed.markup(work, why), listed.price_list.currency
        return self._priced(
            "cost", row.price, currency, why, markup=markup, category_price=row, price_list=listed.price_list
        )

    # Both cost and sales.

    def _role_priced(self, kind, listed, row, scopes, work, why, warning=""):
        override = narrowest_override(listed.overrides.get(row.pk, ()), scopes, work.date, row, why)
        base = override.price if override else row.price
        return self._priced(
            kind,
            base,
            listed.price_list.currency,
            why,
            markup=listed.markup(work, why),
            price_list=listed.price_list,
            role_price=row,
            override=override,
            warning=warning,
        )

    def _product_priced(self, kind, listed, work, why, warning=""):
        row = listed.product_row(work, why)
        if row is None:
            return self._nothing_for(work, kind, listed, why)
        return self._priced(
            kind,
            row.price,
            listed.price_list.currency,
            why,
            price_list=listed.price_list,
            product_price=row,
            warning=warning,
        )

    def _priced(self, kind, base, currency, why, *, markup=_ZERO, **found):
        price = money.rounded_price(money.exact_percentage(base, _HUNDRED + markup)) if markup else base
        if markup:
            why.note(f"{plain(base)} + {plain(markup)} % = {plain(price)}")
        return Priced(
            kind=kind,
            price=price,
            currency=currency,
            base_price=base,
            markup=markup,
            reasoning=why.text(),
            **found,
        )

    def _nothing_for(self, work, kind, listed, why):
        """The result if no row of the list fits: price 0, and a warning that names what has no price."""
        noun = "cost" if kind == "cost" else "price"
        price_list, words = listed.price_list, self._words(work)
        warning = f"Price list “{price_list}” has no price for {words}: the {noun} is 0."
        found = {"price_list": price_list, "way": f"add one to “{price_list}”", "list_to_fix": price_list}
        return self._missing(kind, price_list.currency, why, warning, **found)

    @staticmethod
    def _missing(kind, currency, why, warning, **found):
        why.note("No price: 0")
        found = {**found, "warning": warning}
        return Priced(
            kind=kind, price=_ZERO, currency=currency, is_missing=True, reasoning=why.text(), **found
        )

    def _words(self, work):
        if work.transaction_class == TransactionClass.TIME:
            role = self._names[Role].get(work.role_id)
            unit = self._names[OrganizationalUnit].get(work.unit_id)
            return (f"role {role}" if role else "work without a role") + (f" of {unit}" if unit else "")
        model, pk = (Product, work.product_id) if work.product_id else (Category, work.category_id)
        return f"{self._names[model].get(pk, 'this')} by {work.unit or 'unit'}"


_AT_COST = (TransactionClass.EXPENSE, TransactionClass.FEE)


class _ContractLists:
    """The sales price lists of one contract, and the customer whose overrides apply to it."""

    def __init__(self, customer_id):
        self.customer_id = customer_id
        self.lists = []


def _read(sales_lists, cost_lists):
    """All rows of the price lists, by the key of the list."""
    listed = {pk: Listed(price_list) for pk, price_list in sales_lists.items()}
    listed |= {price_list.pk: Listed(price_list) for price_list in cost_lists}
    overrides = defaultdict(list)
    dated = RolePriceOverride.objects.filter(role_price__price_list__in=listed)
    for override in dated.order_by("valid_from", "pk"):
        overrides[override.role_price_id].append(override)
    prices = RolePrice.objects.filter(price_list__in=listed).select_related("role", "company", "unit")
    for price in prices.order_by("pk"):
        it = listed[price.price_list_id]
        it.role_prices.append(price)
        if price.pk in overrides:
            it.overrides[price.pk] = overrides[price.pk]
    for markup in PriceMarkup.objects.filter(price_list__in=listed).order_by("name"):
        listed[markup.price_list_id].markups.append(markup)
    for category in CategoryPrice.objects.filter(price_list__in=listed):
        listed[category.price_list_id].category_prices[category.category_id, category.unit] = category
    for product in ProductPrice.objects.filter(price_list__in=listed):
        listed[product.price_list_id].product_prices[product.product_id, product.unit] = product
    return listed


def _sales_list(lists, contract, day, why):
    """The contract's list for that day, and a warning if it replaces a more specific one, or is missing.

    The contract's own list comes before its customer's, and that before a standard one.
    """
    right = [each for each in lists if each.price_list.currency == contract.currency]
    valid = [each for each in right if each.is_valid(day)]
    chosen = min(valid, key=lambda each: (each.rank, each.price_list.pk), default=None)
    if chosen:
        why.note(f"Price list “{chosen.price_list}” — chosen")
    others = []
    for each in lists:
        if each not in right:
            others.append((each, f"it is in {each.price_list.currency}"))
        elif each not in valid:
            others.append((each, "not valid on that day"))
        elif chosen and each is not chosen:
            others.append((each, f"“{chosen.price_list}” comes first"))
    why.passed_over([(f"Price list “{each.price_list}”", because) for each, because in others], "price lists")
    narrower = [each for each in right if not chosen or each.rank < chosen.rank]
    expired = f"Price list “{narrower[0].price_list}” is not valid on that day: " if narrower else ""
    if chosen is None:
        missing = f"Contract {contract} has no sales price list in {contract.currency} for that day"
        return None, f"{expired or missing + ': '}the price is 0."
    return chosen, f"{expired}the price is from “{chosen.price_list}”." if expired else ""


def _extended(lists, contract, day):
    """The list whose last day can be moved, if a list of the contract ended before that day."""
    ended = [each for each in lists if each.price_list.valid_to and each.price_list.valid_to < day]
    ended = [each for each in ended if each.price_list.currency == contract.currency]
    if not ended:
        return {}
    price_list = min(ended, key=lambda each: (each.rank, each.price_list.pk)).price_list
    return {"way": f"move the last day of “{price_list}”", "list_to_fix": price_list}


def _cost_list(lists, entity, work, contracting_unit_id, why):
    """The list of the contracting unit, else of the resource's unit, else of the entity itself (PRC-2).

    If there are several, one in the accounting currency comes first.
    """
    valid = [each for each in lists if each.is_valid(work.date)]
    owners = {None: "of the legal entity"}
    if work.unit_id:
        owners = {work.unit_id: "of the resource's unit"} | owners
    if contracting_unit_id:
        owners = {contracting_unit_id: "of the contracting unit"} | owners
    for unit, whose in owners.items():
        fitting = [each for each in valid if each.price_list.unit_id == unit]
        if fitting:
            own = entity.currency
            chosen = min(fitting, key=lambda each: (each.price_list.currency != own, each.price_list.pk))
            why.note(f"Cost price list “{chosen.price_list}” {whose} — chosen")
            return chosen
    return None


def _whole(priced, work):
    if priced.amount is not None:
        return priced.amount
    return money.priced(work.quantity, priced.price, priced.currency)


def _of_one(amount, quantity):
    return money.rounded_price(amount / quantity)
