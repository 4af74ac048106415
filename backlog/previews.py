"""What approving would create, calculated by the same code as approving, and never saved (APP-2, NTE-1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from actuals.models import Actual, BillingType, Entry
from backlog.approval_warnings import ApprovalWarnings
from backlog.approvers import Deciding, why_not_decided
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.sharing import Decision, sales_actuals
from backlog.valuation import (
    FIXED_PRICE,
    EntryPricing,
    PricedEntry,
    Pricings,
    backlog_item,
    contracts_of,
    page_of,
    way_to,
)
from contracts.models import ContractLine
from contracts.pricing import Priced
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason


@dataclass
class Preview:
    """The result of approving one entry now; nothing of it is saved.

    `items` are tested against the unused amounts of the limits now. `crowded` is true if the entry alone fits
    within its limits, but not after the entries before it in the same preview.
    """

    entry: Entry
    refused: Reason | None = None
    remedy: str = ""  # the page where the cause of the refusal can be fixed
    line: ContractLine | None = None
    cost: Actual | None = None
    sales: list[Actual] = field(default_factory=list)
    items: list[BacklogItem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    approval_warnings: list[str] = field(default_factory=list)
    price: Decimal | None = None
    terms: str = ""
    outside: str = ""
    elsewhere: ContractLine | None = None
    missing: tuple[Priced, ...] = ()
    crowded: bool = False

    @property
    def currency(self) -> str:
        return self.sales[0].currency if self.sales else ""

    @property
    def amount(self) -> Decimal | None:
        """The amount that the customers would be charged; None if approving creates a cost only."""
        if not self.sales:
            return None
        return sum((s.amount for s in self.sales if s.billing_type == BillingType.CHARGEABLE), Decimal(0))

    @property
    def billing_types(self) -> list[str]:
        """The billing types of the sales that it would create, chargeable first."""
        found = {sale.billing_type for sale in self.sales}
        return [each for each in BillingType if each in found]

    @property
    def over(self) -> list[BacklogItem]:
        """The shares that would exceed a limit."""
        return [item for item in self.items if item.limit_status == BacklogItem.LimitStatus.FAILED]

    @property
    def is_limited(self) -> bool:
        na = BacklogItem.LimitStatus.NOT_APPLICABLE
        return any(item.limit_status != na for item in self.items)

    @property
    def has_no_price(self) -> bool:
        """Whether no sales price was found: its price is 0, and it can't be billed (PRC-6)."""
        return any(each.kind == "sales" for each in self.missing)

    @property
    def ways(self) -> list[tuple[str, str]]:
        """What can be done about missing prices, each with the address of the page."""
        found = ((way_to(each, "approve it"), page_of(each)) for each in self.missing)
        return [(sentence, page) for sentence, page in found if sentence]

    @property
    def is_fixed_price(self) -> bool:
        return self.line is not None and self.line.billing_method == FIXED_PRICE

    @property
    def margin(self) -> Decimal | None:
        """The charged amount less the cost, if both have the same currency."""
        if self.amount is None or self.cost is None or self.cost.currency != self.currency:
            return None
        return self.amount - self.cost.amount


def preview(entries, *, by, decisions: Mapping[int, Decision] | None = None) -> dict[int, Preview]:
    """The results of approving entries of one legal entity, by entry key.

    The number of queries does not depend on the number of entries. Each entry must have its project, task,
    resource with unit, and role loaded.
    """
    entries = sorted(entries, key=lambda entry: (entry.date, entry.pk))
    if not entries:
        return {}
    entity = entries[0].entity
    decisions = decisions or {}
    contracts = {contract.pk: contract for contract in contracts_of(entity, entries)}
    pricing = EntryPricing(entity, entries, contracts, Pricings(batch=None))
    deciding = Deciding(entity, entries, by)
    found, priced = {}, []
    for entry in entries:
        reason = deciding.why_not_approved(entry, decisions.get(entry.pk))
        found[entry.pk] = Preview(entry, refused=reason)
        if reason and why_not_decided(entry, decisions.get(entry.pk)):
            continue
        try:
            priced.append(pricing.of(entry, decisions.get(entry.pk)))
        except Refused as refusal:
            found[entry.pk].refused = reason or refusal.reason
            found[entry.pk].remedy = "" if reason else refusal.remedy
    _test(priced, contracts, found)
    approval_warnings = ApprovalWarnings(entity, entries)
    for result in found.values():
        result.approval_warnings = approval_warnings.of(result.entry, is_charged=bool(result.sales))
    return found


def _test(priced: list[PricedEntry], contracts, found):
    shares = {}
    for sale in sales_actuals([each.delivered for each in priced if each.delivered], contracts):
        shares.setdefault(sale.entry_id, []).append(sale)
    now = LimitBook.load_many(list(contracts.values()))
    later = {pk: book.copy() for pk, book in now.items()}
    for each in priced:
        result = found[each.entry.pk]
        result.line, result.cost, result.warnings = each.line, each.cost, each.warnings
        result.price = each.price.price if each.price else None
        result.terms, result.outside, result.elsewhere = each.terms, each.outside, each.elsewhere
        result.missing = each.missing
        result.sales = shares.get(each.entry.pk, [])
        if result.sales:
            contract = result.sales[0].contract_id
            alone = now[contract].copy()
            result.items = [backlog_item(sale, alone) for sale in result.sales]
            if not result.refused:
                together = [backlog_item(sale, later[contract]) for sale in result.sales]
                failed = BacklogItem.LimitStatus.FAILED
                result.crowded = not result.over and any(i.limit_status == failed for i in together)
