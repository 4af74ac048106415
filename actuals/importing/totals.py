"""Control totals of a file by person and currency, to compare with those of the program that wrote it."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from actuals.importing.choices import Found
from invoicing_site.floor import formatting

_NAMED = 20


@dataclass
class Totals:
    """Rows, hours and amounts of each person, with the first and the last day."""

    people: dict[str, Found] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)  # rows whose hours or amount can't be read
    first_day: datetime.date | None = None
    last_day: datetime.date | None = None

    def add(self, person, text, day, *worth):
        """Add one row of a person; if the person is unknown, under the text in the file."""
        name = f"{person.code} {person.name}" if person else text or "Nobody"
        self.people.setdefault(name, Found()).add(*worth)
        if day:
            self.first_day = min(self.first_day or day, day)
            self.last_day = max(self.last_day or day, day)

    def add_row(self, row):
        self.add(row.resource, "", row.date, *row.worth())

    def include(self, other: "Totals"):
        """Add the rows of another."""
        for name, found in other.people.items():
            self.people.setdefault(name, Found()).include(found)
        self.unread += other.unread
        for day in filter(None, (other.first_day, other.last_day)):
            self.first_day = min(self.first_day or day, day)
            self.last_day = max(self.last_day or day, day)

    def by_name(self):
        return sorted(self.people.items())

    def about_unread(self) -> str:
        """A sentence about the rows that are counted without their hours or amount."""
        if not self.unread:
            return ""
        n, first = len(self.unread), ", ".join(map(str, self.unread[:_NAMED]))
        more = f" and {formatting.count(n - _NAMED)} more" if n > _NAMED else ""
        if n == 1:
            return f"Row {first} is counted without its hours or amount, which can't be read."
        return f"Rows {first}{more} are counted without their hours or amounts, which can't be read."

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.people.values())

    @property
    def hours(self) -> Decimal:
        return sum((each.hours for each in self.people.values()), Decimal(0))

    @property
    def amounts(self) -> dict[str, Decimal]:
        return dict(sorted(self.all.amounts.items()))

    @property
    def all(self) -> Found:
        """The totals of all persons."""
        sums = Found()
        for each in self.people.values():
            sums.include(each)
        return sums

    def as_json(self) -> dict:
        return {
            "rows": self.rows,
            "hours": formatting.typed(self.hours),
            "amounts": {currency: str(amount) for currency, amount in self.amounts.items()},
            "first_day": self.first_day and self.first_day.isoformat(),
            "last_day": self.last_day and self.last_day.isoformat(),
            "people": {name: each.as_json() for name, each in self.by_name()},
            "unread_rows": self.unread,
        }


def totals_of(rows) -> Totals:
    found = Totals()
    for row in rows:
        found.add_row(row)
    return found
