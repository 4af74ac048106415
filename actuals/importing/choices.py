"""Choices about some rows of a file, on the import page or on the command line."""

from dataclasses import dataclass, field
from decimal import Decimal

from invoicing_site.floor import formatting


@dataclass(frozen=True)
class Choice:
    """A question about rows of one kind, and its possible answers.

    Without a default an answer is required.
    """

    rows: str
    answers: dict[str, str]
    default: str = ""


CHOICES = {
    "invoiced": Choice(
        "Marked as invoiced", {"cost": "Cost only: they are not billed again", "skip": "Leave out"}, "cost"
    ),
    "exported": Choice(
        "Marked as exported",
        {
            "bill": "Bill like other work: the mark is for payroll",
            "cost": "Cost only: exported means invoiced",
            "skip": "Leave out",
        },
    ),
    "changed": Choice(
        "Changed since they were imported",
        {
            "skip": "Leave out: the existing entries do not change",
            "change": "Change entries that are still drafts, and leave out the others",
            "add": "Add as additional entries",
        },
    ),
    "empty": Choice(
        "Without a duration, or still running", {"refuse": "An error", "skip": "Leave out"}, "refuse"
    ),
    "no_project": Choice("Without a project", {"refuse": "An error", "skip": "Leave out"}, "refuse"),
}


def option_of(name: str) -> str:
    """The option of a choice on the command line."""
    return "--" + name.replace("_", "-")


@dataclass
class Found:
    """The rows that a choice is about: their number and totals, and the possible answers."""

    rows: int = 0
    hours: Decimal = Decimal(0)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    answers: tuple[str, ...] = ()

    def add(self, hours=None, amount=None, currency=""):
        self.rows += 1
        self.hours += hours or Decimal(0)
        if amount:
            self.amounts[currency] = self.amounts.get(currency, Decimal(0)) + amount

    def include(self, other: "Found"):
        """Add the rows of another."""
        self.rows += other.rows
        self.hours += other.hours
        for currency, amount in other.amounts.items():
            self.amounts[currency] = self.amounts.get(currency, Decimal(0)) + amount

    def in_words(self) -> str:
        """“3 rows with 12.5 h and 100.00 EUR”."""
        parts = [f"{formatting.number(self.hours)} h"] if self.hours else []
        parts += [
            formatting.currency_last(amount, currency) for currency, amount in sorted(self.amounts.items())
        ]
        rows = f"{formatting.count(self.rows)} row{'' if self.rows == 1 else 's'}"
        return f"{rows} with {' and '.join(parts)}" if parts else rows

    def as_json(self) -> dict:
        amounts = {currency: str(amount) for currency, amount in sorted(self.amounts.items())}
        return {"rows": self.rows, "hours": formatting.typed(self.hours), "amounts": amounts}
