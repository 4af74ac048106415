"""Sales tax: which codes apply, and how much it is (MON-4, PST-4). Pure except for loading.

Tax is rounded once for each category and rate of a document, on the sum of the net amounts. It is then
divided over codes and lines, so that everything printed adds up.
"""

import datetime
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from contracts.models import BillingTaxGroup, ItemTaxGroup, LegalEntity, TransactionClass
from contracts.tax_groups import billing_giver
from invoicing_site.floor import money
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Label, Reason
from ledger.models import BillingTaxGroupCode, ItemTaxGroupCode, TaxCode, TaxRate

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TaxAt:
    """A tax code with its percentage on a given day."""

    code: TaxCode
    percent: Decimal


@dataclass(frozen=True, slots=True)
class TaxableLine:
    """A net amount, in whole minor units, with its taxes; keys are unique in a document."""

    key: Hashable
    net: Decimal
    codes: list[TaxAt]


@dataclass(frozen=True, slots=True)
class TaxSum:
    """Base and tax of one code at one rate on one document."""

    code: TaxCode
    percent: Decimal
    base: Decimal
    tax: Decimal


@dataclass
class TaxResult:
    """The tax of a document by code and by line; both add up to the same total."""

    by_code: list[TaxSum] = field(default_factory=list)
    by_line: dict[Hashable, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        return sum((row.tax for row in self.by_code), _ZERO)


def rate_day(transaction_class: str, delivered: datetime.date, invoiced: datetime.date) -> datetime.date:
    """The day whose rate applies: of delivery, at most the invoice date; for an advance the invoice date."""
    return invoiced if transaction_class == TransactionClass.RETAINER else min(delivered, invoiced)


def tax_of(lines: Iterable[TaxableLine], currency: str) -> TaxResult:
    """The tax of a document: rounded once for each category and rate, with shares that add up (MON-4).

    Codes are sorted by code and rate. Negating all lines negates the result.
    """
    lines = list(lines)
    sums, shares = [], {line.key: _ZERO for line in lines}
    assert len(shares) == len(lines), "Each line of a document has a key of its own."
    for group, rows in _by_category(lines).items():
        tax_of_group = money.rounded(_exact(group[1], rows), currency)
        codes = list(_by_code(rows).values())
        exact = [_exact(group[1], own) for own in codes]
        for own, tax_of_code in zip(codes, money.adding_up(tax_of_group, exact, currency), strict=True):
            base = sum((line.net for line, _ in own), _ZERO)
            sums.append(TaxSum(own[0][1].code, group[1], base, tax_of_code))
            _share(tax_of_code, group[1], own, shares, currency)
    sums.sort(key=lambda row: (row.code.code, row.percent))
    return TaxResult(sums, shares)


def tax_of_change(before: Iterable[TaxableLine], after: Iterable[TaxableLine], currency: str) -> TaxResult:
    """The tax of a correction: the tax after it less the tax before it (MON-4).

    Both sides have the rates of the original. `by_line` has a key for each line of either side, with the
    difference: negative for a credit. `by_code` is the difference for each code, so that full credits bring
    each code back to 0. With several codes at the same rate, one code may change by a minor unit although
    none of its lines changes.
    """
    before, after = list(before), list(after)
    by_code: dict[tuple[str, Decimal], TaxSum] = {}
    for sign, lines in ((-1, before), (1, after)):
        for row in tax_of(lines, currency).by_code:
            key = row.code.code, row.percent
            sum_ = by_code.get(key, TaxSum(row.code, row.percent, _ZERO, _ZERO))
            base, tax = sum_.base + sign * row.base, sum_.tax + sign * row.tax
            by_code[key] = TaxSum(row.code, row.percent, base, tax)
    changes = _changes(before, after)
    shares = {line.key: _ZERO for line in changes}
    for group, rows in _by_category(line for line in changes if line.net).items():
        own = _by_code(rows)
        in_group = [row for row in by_code.values() if (row.code.category, row.percent) == group]
        others = sum((row.tax for row in in_group if row.code.code not in own), _ZERO)
        for code, lines in own.items():
            _share(by_code[code, group[1]].tax + others, group[1], lines, shares, currency)
            others = _ZERO
    return TaxResult([by_code[key] for key in sorted(by_code)], shares)


def _changes(before, after) -> list[TaxableLine]:
    """Each line of either side with the change of its net amount."""
    stays = {line.key: line.net for line in after}
    changes = [TaxableLine(line.key, stays.get(line.key, _ZERO) - line.net, line.codes) for line in before]
    seen = {line.key for line in before}
    return changes + [line for line in after if line.key not in seen]


def _by_category(lines):
    """For each category and rate, what is taxed: (line, tax), a line once for each of its codes."""
    groups = defaultdict(list)
    for line in lines:
        for tax in line.codes:
            groups[tax.code.category, tax.percent].append((line, tax))
    return groups


def _by_code(rows):
    """The same rows for each code, by code."""
    codes = defaultdict(list)
    for line, tax in rows:
        codes[tax.code.code].append((line, tax))
    return {code: codes[code] for code in sorted(codes)}


def _share(tax, percent, rows, shares, currency):
    """Add to each line its share of the tax."""
    parts = [money.exact_percentage(line.net, percent) for line, _ in rows]
    for (line, _), share in zip(rows, money.adding_up(tax, parts, currency), strict=True):
        shares[line.key] += share


def _exact(percent, rows) -> Decimal:
    return money.exact_percentage(sum((line.net for line, _ in rows), _ZERO), percent)


class TaxBook:
    """The tax set-up of one entity, read once."""

    def __init__(self, entity, billing, item, codes, rates, names):
        self._entity = entity
        self._billing = billing
        self._item = item
        self._codes = codes
        self._rates = rates
        self._names = names

    @classmethod
    def load(cls, entity: LegalEntity) -> "TaxBook":
        """Load everything in six queries, for any number of groups and codes."""
        rates = defaultdict(lambda: ([], []))
        rows = TaxRate.objects.filter(tax_code__entity=entity).order_by("tax_code", "valid_from")
        for code, day, percent in rows.values_list("tax_code", "valid_from", "percent"):
            rates[code][0].append(day)
            rates[code][1].append(percent)
        codes = {code.pk: code for code in TaxCode.objects.filter(entity=entity).select_related("account")}
        names = {
            model: dict(model.objects.filter(entity=entity).values_list("pk", "code"))
            for model in (BillingTaxGroup, ItemTaxGroup)
        }
        billing, item = (_members(model, entity) for model in (BillingTaxGroupCode, ItemTaxGroupCode))
        return cls(entity, billing, item, codes, dict(rates), names)

    def codes(
        self,
        billing_group_id: int | None,
        item_group_id: int | None,
        day: datetime.date,
        *,
        item_giver: str = "",
        choose: Reason | None = None,
    ) -> list[TaxAt]:
        """The codes that are in both groups, with their rates at that day, sorted by code (PST-4).

        Refused if a group is missing, if the two have no code in common, or if a code has no rate on that
        day. `item_giver` is where the item tax group of such work is set up; empty if nowhere. `choose` says
        what the reader can do about a missing group.
        """
        if billing_group_id is None or item_group_id is None:
            is_billing = billing_group_id is None
            where = billing_giver(self._entity.tax_group_source) if is_billing else item_giver
            ways = [choose or Reason("CHOOSE-ON-LINE")]
            ways += [Reason("OR-SET-UP", where=Label(where))] if where else []
            if is_billing:
                raise Refused("BILLING-GROUP-MISSING", entity=self._entity, ways=ways)
            raise Refused("ITEM-GROUP-MISSING", entity=self._entity, ways=ways)
        shared = self._billing.get(billing_group_id, set()) & self._item.get(item_group_id, set())
        if not shared:
            raise Refused(
                "TAX-CODE-MISSING",
                billing=str(self._names[BillingTaxGroup].get(billing_group_id, billing_group_id)),
                item=str(self._names[ItemTaxGroup].get(item_group_id, item_group_id)),
                entity=self._entity,
                remedy="admin:contracts_billingtaxgroup_changelist",
            )
        found = sorted((self._codes[pk] for pk in shared), key=lambda code: code.code)
        return [TaxAt(code, self._percent(code, day)) for code in found]

    def _percent(self, code, day):
        days, percents = self._rates.get(code.pk, ((), ()))
        place = bisect_right(days, day)
        if not place:
            raise Refused(
                "TAX-RATE-MISSING",
                tax_code=code,
                entity=self._entity,
                day=day,
                remedy="admin:ledger_taxcode_changelist",
            )
        return percents[place - 1]


def _members(model, entity) -> dict[int, set[int]]:
    members = defaultdict(set)
    for group, code in model.objects.filter(group__entity=entity).values_list("group", "tax_code"):
        members[group].add(code)
    return members
