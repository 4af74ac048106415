"""The category of new time entries without a category in the file.

It decides their item tax group (IMP-1, JRN-3).
"""

from dataclasses import dataclass, field

from actuals import categories
from actuals.importing.rows import Row
from actuals.models import Entry
from contracts.models import Category
from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused


@dataclass
class Unnamed:
    """The number of new time rows without a category, the category that they get, and the possible ones."""

    rows: int = 0
    category: Category | None = None
    offered: list[Category] = field(default_factory=list)

    def in_words(self) -> str:
        if not self.rows:
            return ""
        n = wording.counted(self.rows, "row of time has", "rows of time have")
        they, get = ("it", "gets") if self.rows == 1 else ("they", "get")
        if self.category is None:
            return (
                f"{n} no category, and the legal entity has no category for time: {they} {get} no category "
                "and no item tax group. Ask an administrator to add a category for time first."
            )
        said = f"{n} no category: {they} {get} {self.category}"
        if len(self.offered) > 1:
            said += f", one of {len(self.offered)} categories of time"
        if self.category.item_tax_group_id is None:
            said += ", which has no item tax group"
        return f"{said}."

    def as_json(self) -> dict | None:
        if not self.rows:
            return None
        return {"rows": self.rows, "gets": self.category and self.category.code, "said": self.in_words()}


def give_categories(rows: list[Row], entity, code: str) -> Unnamed:
    """Set the category with this code, or the default one, on time without a category.

    Called only when new rows are known: a row of an existing entry keeps the category of the entry.
    """
    lacking = [row for row in rows if row.transaction_class == Entry.Class.TIME and row.category is None]
    if not (lacking or code):
        return Unnamed()
    offered = list(categories.of_time(entity))
    if code:
        chosen = next((each for each in offered if each.code == code), None)
        if chosen is None:
            if not offered:
                raise Refused("MAPPING-NO-CATEGORIES", category=code)
            raise Refused("MAPPING-CATEGORY", category=code, categories=[each.code for each in offered])
    else:
        chosen = categories.default_of(offered)
    for row in lacking:
        row.category = chosen
    return Unnamed(len(lacking), chosen, offered)
