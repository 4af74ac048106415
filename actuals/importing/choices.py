"""What people decide about some rows of a file that they import, on the page or on the command line."""

from dataclasses import dataclass, field
from decimal import Decimal

from invoicing_site.floor import formatting


@dataclass(frozen=True)
class Choice:
    """Rows of one kind, and what may become of them; without a default nothing is imported until answered."""

    rows: str
    answers: dict[str, str]
    default: str = ""


CHOICES = {
    "invoiced": Choice(
        "Marked as invoiced", {"cost": "A cost only: they are not billed again", "skip": "Leave out"}, "cost"
    ),
    "exported": Choice(
        "Marked as exported",
        {
            "bill": "Work like any other: the mark is for payroll or the like",
            "cost": "A cost only: exported means invoiced",
            "skip": "Leave out",
        },
    ),
    "changed": Choice(
        "Changed since they were imported",
        {
            "skip": "Leave out: the entries here stay as they are",
            "change": "Change the entries that are still drafts, and leave out the others",
            "add": "Add as further entries",
        },
    ),
    "empty": Choice(
        "Without a duration, or still running", {"refuse": "An error", "skip": "Leave out"}, "refuse"
    ),
    "no_project": Choice("Without a project", {"refuse": "An error", "skip": "Leave out"}, "refuse"),
}


def option_of(name: str) -> str:
    """How a choice is written on the command line."""
    return "--" + name.replace("_", "-")


@dataclass
class Found:
    """How many rows a choice is about, what they come to, and the answers that would do something."""

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
        """Add what another has found."""
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
