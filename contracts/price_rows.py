"""The rows of price lists: which one applies, and why the others do not (PRC-2 to PRC-4, ACT-2)."""

import datetime
from collections import defaultdict
from decimal import Decimal

from contracts.models import (
    CategoryPrice,
    PriceList,
    PriceMarkup,
    ProductPrice,
    RolePrice,
    RolePriceOverride,
    TransactionClass,
)
from invoicing_site.floor import formatting

_DAY = datetime.timedelta(days=1)
_ZERO = Decimal(0)

# By priority: if two rows fit, the one with a value in the earlier dimension is selected.
_DIMENSIONS = (("role", "role_id"), ("company", "company_id"), ("unit", "unit_id"))


class Reasoning:
    """The explanation of a price, one line for each row that was compared; long lists are shortened."""

    def __init__(self):
        self._lines = []

    def note(self, line: str):
        self._lines.append(line)

    def passed_over(self, rows: list[tuple[str, str]], what: str, most: int = 3):
        """Add the first of the rows with the reason why each does not apply, and the number of the others."""
        for row, because in rows[:most]:
            self.note(f"{row} — not used: {because}")
        if len(rows) > most:
            self.note(f"{len(rows) - most} more {what} — not used")

    def text(self) -> str:
        return "\n".join(self._lines)


class Listed:
    """One price list with all its rows."""

    def __init__(self, price_list: PriceList):
        self.price_list = price_list
        self.role_prices: list[RolePrice] = []
        self.overrides: dict[int, list[RolePriceOverride]] = {}  # by role price
        self.markups: list[PriceMarkup] = []
        self.category_prices: dict[tuple[int, str], CategoryPrice] = {}  # by category and unit
        self.product_prices: dict[tuple[int, str], ProductPrice] = {}  # by product and unit

    def changes(self):
        """The days from which prices of the list change."""
        yield self.price_list.valid_from
        if self.price_list.valid_to and self.price_list.valid_to < datetime.date.max:
            yield self.price_list.valid_to + _DAY
        for overrides in self.overrides.values():
            yield from (override.valid_from for override in overrides)

    def is_valid(self, day: datetime.date) -> bool:
        until = self.price_list.valid_to
        return self.price_list.valid_from <= day and (until is None or day <= until)

    @property
    def rank(self) -> int:
        """0 for the contract's own list, 1 for its customer's, 2 for a standard one; the lowest applies."""
        if self.price_list.contract_id:
            return 0
        return 1 if self.price_list.customer_id else 2

    def category_row(self, work, why: Reasoning):
        """The row for the work's category by its unit, or None (PRC-3)."""
        return _by_unit(self.category_prices, work.category_id, work.unit, why)

    def product_row(self, work, why: Reasoning):
        """The row for the work's product by its unit, or None (PRC-3)."""
        return _by_unit(self.product_prices, work.product_id, work.unit, why)

    def markup(self, work, why: Reasoning) -> Decimal:
        """The sum of the markups for the work, in percent (PRC-4).

        A role's markup applies to time only. If a markup has a category and a role, both must match.
        """
        fitting = [markup for markup in self.markups if _marks_up(markup, work)]
        others = [(f"Markup {m}", "for other work") for m in self.markups if m not in fitting]
        for markup in fitting:
            why.note(f"Markup {markup.name} {plain(markup.percent)} % — added")
        why.passed_over(others, "markups")
        return sum((markup.percent for markup in fitting), _ZERO)


def role_row(rows: list[RolePrice], work, why: Reasoning, *, may_drop: bool = False) -> RolePrice | None:
    """The most specific row for the work's role, company and unit; an empty dimension means any.

    With `may_drop` (for costs): if no row fits, the least important dimension is not compared any more: first
    the unit, then also the company, then also the role. Among equal rows, one with that dimension empty comes
    first, then the older one.
    """
    compared: tuple[tuple[str, str], ...] = _DIMENSIONS
    while True:
        fitting = [row for row in rows if not _mismatch(row, work, compared)]
        if fitting or not compared or not may_drop:
            break
        compared = compared[:-1]
    chosen = min(fitting, key=lambda row: _order(row, compared), default=None)
    if chosen is not None and len(compared) < len(_DIMENSIONS):
        dropped = " and ".join(name for name, _ in _DIMENSIONS[len(compared) :])
        why.note(f"No row fits in every dimension: {dropped} not compared")
    if chosen is not None:
        why.note(f"{_words(chosen)} — chosen")
    # Rows that fit but are less specific come first.
    others = sorted((row for row in rows if row is not chosen), key=lambda row: row not in fitting)
    because = [(_words(row), _mismatch(row, work, compared) or "less specific") for row in others]
    why.passed_over(because, "rows", most=6)
    return chosen


def narrowest_override(overrides, scopes: dict, day: datetime.date, row: RolePrice, why: Reasoning):
    """The override of a row that is valid on that day, or None.

    `scopes` are the ids of the contract and of its customer, in this order. Overrides of the first scope that
    has any apply, else those without a scope; of these, the latest applies (PRC-4).
    """
    held, because = defaultdict(list), {}
    for override in overrides:
        scope = _scope(override)
        if override.valid_from > day:
            because[override] = "not yet"
        elif scope and scopes.get(scope) != getattr(override, f"{scope}_id"):
            because[override] = f"for another {scope}"
        else:
            held[scope].append(override)
    narrowest = next((scope for scope in (*scopes, "") if held[scope]), None)
    chosen = max(held[narrowest], key=lambda override: override.valid_from, default=None)
    if chosen is not None:
        why.note(f"{_override_words(chosen)} — chosen, in place of {plain(row.price)}")
    for scope, candidates in held.items():
        for override in candidates:
            if override is not chosen:
                counts = "a later one" if scope == narrowest else f"one for the {narrowest}"
                because[override] = f"{counts} counts"
    why.passed_over([(_override_words(o), reason) for o, reason in because.items()], "overrides")
    return chosen


def plain(number: Decimal) -> str:
    """A number without trailing zeros: 200, 1,133.33."""
    return formatting.number(number)


def _by_unit(rows, pk, unit, why):
    row = rows.get((pk, unit))
    if row is not None:
        why.note(f"The row by {unit}: {_terms(row)} — chosen")
    others = [other for key, other in rows if key == pk and other != unit]
    why.passed_over([(f"The row by {other}", "another unit") for other in others], "units")
    return row


def _terms(row):
    if isinstance(row, ProductPrice) or row.method == row.Method.PER_UNIT:
        return plain(row.price)
    return "at cost" if row.method == row.Method.AT_COST else f"cost + {plain(row.markup)} %"


def _mismatch(row, work, compared):
    for name, field in compared:
        wanted = getattr(row, field)
        if wanted is not None and wanted != getattr(work, field):
            return f"another {name}"
    return ""


def _order(row, compared):
    compared = {field for _, field in compared}
    # A value in a compared dimension makes a row more specific; in other dimensions an empty one is better.
    return (*(((getattr(row, field) is None) == (field in compared)) for _, field in _DIMENSIONS), row.pk)


def _words(row):
    named = (getattr(row, name) or f"any {name}" for name, _ in _DIMENSIONS)
    return f"{' · '.join(map(str, named))}: {plain(row.price)}"


def _scope(override):
    if override.contract_id:
        return "contract"
    return "customer" if override.customer_id else ""


def _override_words(override):
    scope = _scope(override)
    whose = f" for one {scope}" if scope else ""
    return f"Override from {formatting.day(override.valid_from)}{whose}: {plain(override.price)}"


def _marks_up(markup, work):
    if markup.category_id is None and markup.role_id is None:
        return False
    if markup.role_id and (work.transaction_class != TransactionClass.TIME or markup.role_id != work.role_id):
        return False
    return markup.category_id in (None, work.category_id)
