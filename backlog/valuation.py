"""The cost of an entry, and what its customers may be billed for it, before anything is written (APP-2).

Approving saves the result, a preview only shows it, and confirming a contract uses it for work that was
approved before.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.urls import reverse

from actuals.models import Actual, BillingType, Entry, PriceDecision
from backlog.models import BacklogItem
from backlog.sharing import Decision, Delivered
from contracts.chargeability import Coverage
from contracts.models import ContractLine, ProjectContract
from contracts.pricing import PriceBook, Priced, Work
from contracts.rates import Rates, agreed
from invoicing_site.floor import bounds, checked, formatting, money
from invoicing_site.floor.errors import Refused

FIXED_PRICE = ContractLine.BillingMethod.FIXED_PRICE


@dataclass(frozen=True)
class PricedEntry:
    """One entry with its unsaved cost, the line that covers it, and the work to bill, if any."""

    entry: Entry
    line: ContractLine | None
    cost: Actual
    delivered: Delivered | None
    warnings: list[str]
    terms: str  # price per unit and billing as text; shown to the approver, and compared when approving
    outside: str = ""  # a sentence if a line covers such work, but not on that day (CON-12)
    elsewhere: ContractLine | None = None  # the line that would cover it if it were not invoiced elsewhere
    missing: tuple[Priced, ...] = ()  # missing prices

    @property
    def price(self) -> Priced | None:
        return self.delivered.price if self.delivered else None


class EntryPricing:
    """Coverage and prices for some entries of one legal entity, loaded once for all of them."""

    def __init__(self, entity, entries, contracts, paper):
        self.entries, self.contracts, self.paper = entries, contracts, paper
        self.coverage = Coverage.load(entity, {entry.project_id for entry in entries})
        self.prices = PriceBook.load(entity, list(contracts.values()))
        self.worth = Worth(entity)

    def of(self, entry: Entry, decision: Decision | None = None) -> PricedEntry:
        """The values of one entry.

        Refused if a cost can't be converted into the contract's currency (FX-MISSING), and if a price or an
        amount is too large to be stored (TOO-MANY-DIGITS, ENTRY-TOO-LARGE).
        """
        work = work_of(entry)
        covered = covering(self.coverage, entry, decision.billing_type if decision else "")
        line = covered.line if covered else None
        elsewhere = None if covered else _line_for(self.coverage, entry)
        elsewhere = elsewhere and elsewhere.line
        outside = "" if line or elsewhere else outside_of(self.coverage, entry)
        contract = line and self.contracts[line.contract_id]
        price = self.prices.cost(work, contract)
        self.worth.require_amount_in_bounds(price, entry.quantity, entry.date)
        cost = cost_actual(entry, line, self.paper.of(price), price)
        warnings = [each for each in (outside, price.warning) if each]
        if line is None or line.billing_method == FIXED_PRICE:
            terms = _terms(covered, elsewhere=elsewhere)
            missing = tuple(each for each in [price] if each.is_missing)
            return PricedEntry(entry, line, cost, None, warnings, terms, outside, elsewhere, missing)
        cost_price, price = price, self.prices.sales(work, contract)
        self.worth.require_amount_in_bounds(price, most_of(entry, decision), entry.date, contract)
        warnings += [price.warning] if price.warning else []
        delivered = Delivered.of(
            entry, line, covered.is_chargeable, cost, price, self.paper.of(price), decision
        )
        missing = tuple(each for each in (cost_price, price) if each.is_missing)
        return PricedEntry(entry, line, cost, delivered, warnings, _terms(covered, price), missing=missing)


def _terms(covered, price=None, elsewhere=None) -> str:
    if covered is None:
        return "cost only, invoiced elsewhere" if elsewhere else "cost only, no contract line"
    line = f"line {covered.line.number} of contract {covered.line.contract.code}"
    if price is None:
        return f"cost only, fixed-price {line}"
    charged = "chargeable" if covered.is_chargeable else "non-chargeable"
    return f"{formatting.number(price.price)} {price.currency}, {charged}, {line}"


def way_to(price, then) -> str:
    """What can be done about a missing price, and what to do after that.

    Empty if nothing can be done (PRC-6).
    """
    return f"Have a billing administrator {price.way}; then {then}." if price.way else ""


def page_of(price) -> str:
    """The address of the price list to change, or of all price lists."""
    if price.list_to_fix is None:
        return reverse("admin:contracts_pricelist_changelist")
    return reverse("admin:contracts_pricelist_change", args=[price.list_to_fix.pk])


def most_of(entry, decision=None):
    """The larger of the submitted and the billed quantity."""
    return max(entry.quantity, (decision and decision.billable_quantity) or 0)


class Worth:
    """Checks amounts of entries of one legal entity, in their currency and in the accounting currency."""

    def __init__(self, entity):
        self.entity = entity

    def require_amount_in_bounds(self, price, quantity, day, contract=None):
        """Refused if an amount of one entry is too large to be stored or posted.

        In accounting currency it is checked only if a rate is known; a sale has the rate of its `contract`.
        """
        amount = money.priced(quantity, price.price, price.currency)
        if price.amount is not None:
            amount = max(amount, price.amount)  # the larger one, if more is billed than was submitted
        if reason := bounds.amount_too_large(amount, price.currency):
            raise Refused("ENTRY-TOO-LARGE", why=reason)
        checked.figure(price.price, Actual, "price")
        rate = self._rate(price.currency, day, contract)
        if rate is None:
            return
        if reason := bounds.converted_too_large(amount, price.currency, rate, self.entity.currency):
            raise Refused("ENTRY-TOO-LARGE", why=reason)

    def _rate(self, currency, day, contract):
        """The rate that the journal will use (PST-5); None if none is needed or known."""
        if currency == self.entity.currency:
            return None
        return agreed(contract, currency, self.entity.currency) or self._rates.found(currency, day)

    @cached_property
    def _rates(self):
        return Rates.load(self.entity)


def covering(coverage, entry, billing_type=""):
    """The confirmed contract line that covers the entry, and whether it is charged; or None.

    Work that was invoiced elsewhere (IMP-1) is not sold again, unless its approver set a billing type.
    """
    covered = _line_for(coverage, entry)
    is_sold = covered is not None and covered.line.billing_method != FIXED_PRICE
    if is_sold and entry.imported_billing == Entry.ImportedBilling.COST_ONLY and not billing_type:
        return None
    return covered


def _line_for(coverage, entry):
    return coverage.line_for(
        transaction_class=entry.transaction_class,
        project_id=entry.project_id,
        task_id=entry.task_id,
        date=entry.date,
        role_id=entry.priced_role_id,
        category_id=entry.category_id,
    )


def outside_of(coverage, entry) -> str:
    """A sentence if a confirmed line covers such work, but not on the entry's day (CON-12); else empty."""
    return coverage.outside(entry.transaction_class, entry.project_id, entry.task_id, entry.date)


def work_of(entry, cost=None):
    """The values of the entry for the price lists; with its recorded cost, if there is one (CON-6)."""
    return Work(
        transaction_class=entry.transaction_class,
        date=entry.date,
        role_id=entry.priced_role_id,
        unit_id=entry.priced_unit_id,
        company_id=entry.priced_company_id,
        category_id=entry.category_id,
        product_id=entry.product_id,
        unit=entry.unit,
        quantity=entry.quantity,
        cost_net=entry.cost_net,
        cost_currency=entry.cost_currency,
        cost_tax_not_deducted=(entry.cost_tax or Decimal(0)) - (entry.cost_tax_deductible or Decimal(0)),
        sales_price=entry.sales_price,
        cost=cost and _recorded(entry, cost),
    )


def _recorded(entry, cost):
    """The recorded cost as a price; without a total if the entry itself states no cost."""
    decision = cost.price_decision
    is_known = entry.cost_net is not None or bool(decision and decision.category_price_id)
    return Priced(
        kind="cost", price=cost.price, currency=cost.currency, amount=cost.amount if is_known else None
    )


def cost_actual(entry, line, decision, price):
    """The cost of an entry: hours at the role's cost, or the paid amount without deductible tax (APP-8)."""
    amount = price.amount
    if amount is None:
        amount = money.priced(entry.quantity, price.price, price.currency)
    return Actual(
        type=Actual.Type.COST,
        transaction_class=entry.transaction_class,
        date=entry.date,
        accounting_date=entry.date,
        project_id=entry.project_id,
        task_id=entry.task_id,
        resource_id=entry.resource_id,
        role_id=entry.priced_role_id,
        category_id=entry.category_id,
        product_id=entry.product_id,
        contract_id=line.contract_id if line else None,
        contract_line=line,
        quantity=entry.quantity,
        unit=entry.unit,
        price=price.price,
        amount=amount,
        currency=price.currency,
        description=entry.description,
        booked_by=Actual.BookedBy.JOURNAL,
        price_decision=decision,
        entry=entry,
    )


def backlog_item(actual, book):
    """The backlog item of a new share, tested against the limits under the contract's lock (NTE-1, NTE-4)."""
    item = BacklogItem(
        actual=actual,
        contract_id=actual.contract_id,
        contract_line_id=actual.contract_line_id,
        contract_customer_id=actual.contract_customer_id,
        date=actual.date,
        amount=actual.amount,
        currency=actual.currency,
        description=actual.description,
        needs_price=bool(actual.price_decision and actual.price_decision.is_missing)
        and actual.billing_type == BillingType.CHARGEABLE,
    )
    if actual.billing_type == BillingType.CHARGEABLE:
        book.test_item(item)
    return item


class Pricings:
    """The price decisions of one batch: one row for all work with the same price."""

    def __init__(self, batch):
        self.batch = batch
        self.rows = {}

    def of(self, price):
        """The row for a price from the price book; work with the same price has the same price object."""
        if id(price) not in self.rows:
            # Keep the price with its row: its id() is unique only while the object exists.
            self.rows[id(price)] = (
                price,
                PriceDecision(
                    batch=self.batch,
                    kind=price.kind,
                    price_list=price.price_list,
                    role_price=price.role_price,
                    override=price.override,
                    category_price=price.category_price,
                    product_price=price.product_price,
                    base_price=price.base_price,
                    markup=price.markup,
                    price=price.price,
                    is_missing=price.is_missing,
                    reasoning=price.reasoning,
                ),
            )
        return self.rows[id(price)][1]

    def made(self):
        """The rows to save with `record_decisions`."""
        return [row for _, row in self.rows.values()]


def contracts_of(entity, entries):
    """The confirmed contracts with a line on the entries' projects.

    With `locked`, no other transaction can bill or close them.
    """
    lines = ContractLine.objects.filter(project__in={entry.project_id for entry in entries})
    return ProjectContract.objects.filter(
        entity=entity, status=ProjectContract.Status.CONFIRMED, pk__in=lines.values("contract")
    )
