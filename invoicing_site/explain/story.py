"""How an explanation is told: steps, each a sentence with its figures and the rows it speaks of."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from invoicing_site.floor.formatting import day, time

_MOST = 8


@dataclass(frozen=True)
class Step:
    """One stage on the way. References read `app.model:pk`."""

    stage: str
    sentence: str
    figures: dict = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    without_costs: "Step | None" = None  # what those read who may not see costs, where it differs
    remedy: str = ""  # the address of the page where what is missing is entered


@dataclass(frozen=True)
class Explanation:
    """What is explained, the steps to it and on from it, and the explanations it is made up of."""

    subject: str
    reference: str
    steps: list[Step]
    parts: list["Explanation"] = field(default_factory=list)

    def stages(self) -> list[str]:
        """The names of the steps, in order."""
        return [step.stage for step in self.steps]

    def step(self, stage: str) -> Step:
        """The first step of that name."""
        return next(step for step in self.steps if step.stage == stage)

    def lines(self, indent: str = "") -> Iterator[str]:
        """The explanation as lines of text, for a terminal."""
        yield f"{indent}{self.subject}  [{self.reference}]"
        for step in self.steps:
            sentence, *more = step.sentence.split("\n")
            yield f"{indent}  {step.stage:<11} {sentence}"
            for line in more:
                yield f"{indent}  {'':<11} {line}"
        for part in self.parts:
            yield ""
            yield from part.lines(indent + "  ")


def some(words: list[str]) -> list[str]:
    """The first of many phrases of one sentence, and how many are left out."""
    return words if len(words) <= _MOST else [*words[:_MOST], f"… and {len(words) - _MOST} more"]


def headed(row) -> str:
    """The row's name at the beginning of a line; what follows keeps its case."""
    text = str(row)
    return text[:1].upper() + text[1:]


def ref(row) -> str:
    """The reference of a row."""
    return f"{row._meta.label_lower}:{row.pk}"


def somebody(user) -> str:
    """Who it was; what nobody did, the system did."""
    return str(user) if user else "the system"


def on(moment: datetime.datetime | None) -> str:
    """The day and minute of a stamp, in UTC."""
    return f"{day(moment.date())} {time(moment)} UTC" if moment else "an unknown day"
