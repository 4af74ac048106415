"""One row of a file, as the entry that it would become, and its errors and warnings."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from actuals.models import Entry
from contracts.models import Category, Product, Project, Resource, Role, Task
from invoicing_site.floor.reasons import Reason


@dataclass(frozen=True)
class Problem:
    """An error or a warning: the row (None: the whole file), the field, and the reason."""

    row: int | None
    field: str
    reason: Reason

    @property
    def message(self) -> str:
        """The sentence in the reader's language."""
        return self.reason.sentence

    def as_json(self) -> dict:
        reason = self.reason.as_json()
        return {
            "row": self.row,
            "field": self.field,
            "code": reason["code"],
            "params": reason["params"],
            "message": self.message,
        }

    def __str__(self):
        return placed(self.row, self.field, self.message)


def placed(row: int | None, field: str, message: str) -> str:
    """The message after its row and field: “row 7, hours: …”."""
    place = ", ".join(part for part in (f"row {row}" if row else "", field) if part)
    return f"{place}: {message}" if place else message


@dataclass(slots=True)
class Row:
    """One row of the file, with the fields of its entry.

    flag: “invoiced” or “exported”, if the file says so. left_out: a choice leaves it out. is_refused: it has
    an error. is_open: its choice has no answer yet. before: the old values of a draft that it changes, by
    field.
    """

    number: int
    transaction_class: str
    date: datetime.date
    project: Project
    task: Task | None
    resource: Resource | None
    role: Role | None
    category: Category | None
    product: Product | None
    quantity: Decimal
    unit: str
    description: str
    internal_comment: str
    cost_currency: str
    cost_net: Decimal | None
    cost_tax: Decimal | None
    cost_tax_deductible: Decimal | None
    sales_price: Decimal | None
    external_program: str = ""
    external_id: str = ""
    flag: str = ""
    imported_billing: str = ""
    entry_id: int | None = None
    left_out: bool = False
    is_refused: bool = False
    is_open: bool = False
    before: dict = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Whether its entry already exists."""
        return self.entry_id is not None

    @property
    def is_new(self) -> bool:
        return self.entry_id is None and not (self.left_out or self.is_refused or self.is_open)

    @property
    def is_change(self) -> bool:
        """Whether it changes its entry."""
        return bool(self.before) and not (self.is_refused or self.is_open)

    @property
    def added_quantity(self) -> Decimal:
        """The hours or quantity that it adds: for a change, the difference from the entry."""
        return self.quantity - self.before["quantity"] if "quantity" in self.before else self.quantity

    def worth(self) -> tuple[Decimal | None, Decimal | None, str]:
        """Its hours, or its amount and currency."""
        hours = self.quantity if self.transaction_class == Entry.Class.TIME else None
        return hours, self.cost_net, self.cost_currency

    def entry(self, **fields) -> Entry:
        """The unsaved entry; the records that it refers to must be saved."""
        content = dict(zip(STORED, self.content(), strict=True))
        made = {name: getattr(self, name) for name in ("external_program", "external_id", "imported_billing")}
        return Entry(**content, **made, **fields)

    def content(self) -> tuple:
        """The values that are compared with an existing entry, in the order of `STORED`."""
        return tuple(
            getattr(getattr(self, name), "pk", None) if name in _LINKS else getattr(self, name)
            for name in CONTENT
        )

    def identity(self) -> str:
        """The content as text that does not depend on the spelling of the file."""
        words = []
        for name in CONTENT:
            value = getattr(self, name)
            if value is None:
                words.append("")
            elif name in _LINKS:
                words.append(value.code)
            elif isinstance(value, Decimal):
                words.append(format(value.normalize(), "f"))
            else:
                words.append(str(value))
        return "\x1f".join(words)


_LINKS = {"project", "task", "resource", "role", "category", "product"}
_ABOUT_IT = {
    "number",
    "external_program",
    "external_id",
    "flag",
    "imported_billing",
    "entry_id",
    "left_out",
    "is_refused",
    "is_open",
    "before",
}
CONTENT = [name for name in Row.__dataclass_fields__ if name not in _ABOUT_IT]
STORED = [f"{name}_id" if name in _LINKS else name for name in CONTENT]
