"""The category of time whose rows name none: an item tax group comes with it (IMP-1, JRN-3)."""

from dataclasses import dataclass, field

from actuals import categories
from actuals.importing.rows import Row
from actuals.models import Entry
from contracts.models import Category
from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused


@dataclass
class Unnamed:
    """How many new rows of time name no category, which one they get, and those it can be chosen from."""

    rows: int = 0
    category: Category | None = None
    offered: list[Category] = field(default_factory=list)

    def in_words(self) -> str:
        if not self.rows:
            return ""
        n = wording.counted(self.rows, "row of time names", "rows of time name")
        they, get = ("it", "gets") if self.rows == 1 else ("they", "get")
        if self.category is None:
            return (
                f"{n} no category, and the company has none for time: {they} {get} none, and no item tax "
                "group. Have an administrator make one first."
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
    """Give the usual category, or the one with this code, to time that names none.

    Only once it is known which rows are new: a file says of an entry what it said the first time.
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
        chosen = categories.usual(offered)
    for row in lacking:
        row.category = chosen
    return Unnamed(len(lacking), chosen, offered)
