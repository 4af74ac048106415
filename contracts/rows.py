"""The rows of price lists: which one fits, and in words why the others don't (PRC-2 to PRC-4, ACT-2)."""

import datetime
from collections import defaultdict
from decimal import Decimal

from contracts.models import PriceList, RolePrice, TransactionClass

_DAY = datetime.timedelta(days=1)
_ZERO = Decimal(0)

# In falling priority: of two rows that fit, the one that names the former dimension wins.
_DIMENSIONS = (("role", "role_id"), ("company", "company_id"), ("unit", "unit_id"))

_MOST_ROWS = 8
_MOST_OTHERS = 3


class Reasoning:
    """How a price was found, a line for each row looked at; long lists are cut short and say so."""

    def __init__(self):
        self._lines = []

    def note(self, line: str):
        self._lines.append(line)

    def passed_over(self, listed: "Listed", because: str):
        self._lines.append(f"Price list “{listed.price_list}” — passed over: {because}")

    def rows(self, lines: list[str], most: int, more: str):
        """The first lines, and how many more there were."""
        self._lines += lines[:most]
        if len(lines) > most:
            self._lines.append(f"{len(lines) - most} more {more} — passed over")

    def text(self) -> str:
        return "\n".join(self._lines)


class Listed:
    """One price list with all that stands on it."""

    def __init__(self, price_list: PriceList):
        self.price_list = price_list
        self.role_prices = []
        self.overrides = {}  # by role price
        self.markups = []
        self.category_prices = {}  # by category and unit
        self.product_prices = {}  # by product and unit

    def changes(self):
        """The days from which something on the list is different."""
        yield self.price_list.valid_from
        if self.price_list.valid_to and self.price_list.valid_to < datetime.date.max:
            yield self.price_list.valid_to + _DAY
        for overrides in self.overrides.values():
            yield from (override.valid_from for override in overrides)

    def is_valid(self, day: datetime.date) -> bool:
        until = self.price_list.valid_to
        return self.price_list.valid_from <= day and (until is None or day <= until)

    def rank(self) -> tuple:
        """The contract's own before its customer's before a standard one."""
        if self.price_list.contract_id:
            return (0,)
        return (1,) if self.price_list.customer_id else (2,)

    def category_row(self, work, why: Reasoning):
        """The row for the work's category by its unit, or None (PRC-3)."""
        return _by_unit(self.category_prices, work.category_id, work.unit, why)

    def product_row(self, work, why: Reasoning):
        """The row for the work's product by its unit, or None (PRC-3)."""
        return _by_unit(self.product_prices, work.product_id, work.unit, why)

    def markup(self, work, why: Reasoning) -> Decimal:
        """The sum of the markups for the work, in percent (PRC-4).

        A role's markup is for time alone; one that names both a category and a role wants both.
        """
        fitting = [markup for markup in self.markups if _marks_up(markup, work)]
        lines = [f"Markup {markup.name} {plain(markup.percent)} % — added" for markup in fitting]
        lines += [f"Markup {m.name} — passed over: for other work" for m in self.markups if m not in fitting]
        why.rows(lines, max(_MOST_OTHERS, len(fitting)), "markups")
        return sum((markup.percent for markup in fitting), _ZERO)


def role_row(rows: list[RolePrice], work, why: Reasoning, *, may_drop: bool = False) -> RolePrice | None:
    """The row for the work's role, company and unit: blank means any, and the most specific one wins.

    With `may_drop` (costs), where none fits the least important dimension is no longer compared: the unit,
    then the company too, then the role. Of equals, one that leaves it blank comes first, then the older.
    """
    compared = _DIMENSIONS
    while True:
        fitting = [row for row in rows if not _mismatch(row, work, compared)]
        if fitting or not compared or not may_drop:
            break
        compared = compared[:-1]
    chosen = min(fitting, key=lambda row: _order(row, compared), default=None)
    if chosen is not None and len(compared) < len(_DIMENSIONS):
        dropped = " and ".join(name for name, _ in _DIMENSIONS[len(compared) :])
        why.note(f"No row fits in every dimension: {dropped} not compared")
    lines = []
    for row in sorted(rows, key=lambda row: (row is not chosen, row not in fitting)):
        if row is chosen:
            lines.append(f"{_words(row)} — chosen")
        else:
            because = _mismatch(row, work, compared) or "less specific"
            lines.append(f"{_words(row)} — passed over: {because}")
    why.rows(lines, _MOST_ROWS, "rows")
    return chosen


def narrowest_override(overrides, scopes: dict, day: datetime.date, row: RolePrice, why: Reasoning):
    """The override of a row that holds on that day, or None.

    `scopes` are the ids of the contract and its customer, the narrower first: the first of them that has an
    override counts, else the unscoped ones; within it the latest (PRC-4).
    """
    held = defaultdict(list)
    lines = []
    for override in overrides:
        scope = _scope(override)
        if override.valid_from > day:
            lines.append(f"{_override_words(override)} — passed over: not yet")
        elif scope and scopes.get(scope) != getattr(override, f"{scope}_id"):
            lines.append(f"{_override_words(override)} — passed over: for another {scope}")
        else:
            held[scope].append(override)
    narrowest = next((scope for scope in (*scopes, "") if held[scope]), None)
    chosen = None
    if narrowest is not None:
        chosen = max(held[narrowest], key=lambda override: override.valid_from)
        why.note(f"{_override_words(chosen)} — chosen, in place of {plain(row.price)}")
    for scope, others in held.items():
        because = "a later one holds" if scope == narrowest else f"one for the {narrowest} counts"
        lines += [f"{_override_words(o)} — passed over: {because}" for o in others if o is not chosen]
    why.rows(lines, _MOST_OTHERS, "overrides")
    return chosen


def plain(number: Decimal) -> str:
    """A number without zeros at its end: 200, 133.33."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _by_unit(rows, pk, unit, why):
    row = rows.get((pk, unit))
    if row is not None:
        price = f" {plain(row.price)}" if row.price is not None else ""
        method = f" {row}" if hasattr(row, "method") else ""
        why.note(f"The row by {unit}:{method}{price} — chosen")
        return row
    others = [key[1] for key in rows if key[0] == pk]
    why.rows([f"The row by {other} — passed over: another unit" for other in others], _MOST_OTHERS, "units")
    return None


def _mismatch(row, work, compared):
    for name, field in compared:
        wanted = getattr(row, field)
        if wanted is not None and wanted != getattr(work, field):
            return f"another {name}"
    return ""


def _order(row, compared):
    compared = {field for _, field in compared}
    # What is compared makes a row better when it is said, what is not makes it worse.
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
    return f"Override from {override.valid_from}{whose}: {plain(override.price)}"


def _marks_up(markup, work):
    if markup.category_id is None and markup.role_id is None:
        return False
    if markup.role_id and (work.transaction_class != TransactionClass.TIME or markup.role_id != work.role_id):
        return False
    return markup.category_id in (None, work.category_id)
