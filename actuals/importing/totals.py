"""Control totals of a file: by person and currency, to be compared with what its program says."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from actuals.importing.choices import Found


@dataclass
class Totals:
    """Rows, hours and amounts of each person, with the first and the last day."""

    people: dict[str, Found] = field(default_factory=dict)
    first_day: datetime.date | None = None
    last_day: datetime.date | None = None

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.people.values())

    @property
    def hours(self) -> Decimal:
        return sum((each.hours for each in self.people.values()), Decimal(0))

    @property
    def amounts(self) -> dict[str, Decimal]:
        sums = Found()
        for each in self.people.values():
            for currency, amount in each.amounts.items():
                sums.add(amount=amount, currency=currency)
        return dict(sorted(sums.amounts.items()))

    def as_json(self) -> dict:
        return {
            "rows": self.rows,
            "hours": f"{self.hours.normalize():f}",
            "amounts": {currency: str(amount) for currency, amount in self.amounts.items()},
            "first_day": self.first_day and self.first_day.isoformat(),
            "last_day": self.last_day and self.last_day.isoformat(),
            "people": {name: each.as_json() for name, each in self.people.items()},
        }


def totals_of(rows) -> Totals:
    people = {}
    for row in rows:
        name = f"{row.resource.code} {row.resource.name}" if row.resource else "Nobody"
        people.setdefault(name, Found()).add(*row.worth())
    dates = [row.date for row in rows]
    return Totals(dict(sorted(people.items())), min(dates, default=None), max(dates, default=None))
