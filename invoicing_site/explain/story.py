"""The structure of an explanation: steps, each with a sentence, its numbers and its related rows."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.text import capfirst

from invoicing_site.floor.formatting import day, time

_MOST = 8


@dataclass(frozen=True)
class Step:
    """One step. References have the form `app.model:pk`."""

    stage: str
    sentence: str
    figures: dict = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    without_costs: "Step | None" = None  # the step for readers who may not see costs, if it differs
    remedy: str = ""  # the address of the page where missing data can be entered


@dataclass(frozen=True)
class Explanation:
    """The explained record, the steps before and after it, and the explanations of its parts."""

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
    """The first phrases of a sentence, and the number of the others."""
    return words if len(words) <= _MOST else [*words[:_MOST], f"… and {len(words) - _MOST} more"]


def headed(row) -> str:
    """The row's name with a capital letter at the beginning."""
    return capfirst(str(row))


def ref(row) -> str:
    """The reference of a row."""
    return f"{row._meta.label_lower}:{row.pk}"


def somebody(user) -> str:
    """The user's name, or “the system”."""
    return str(user) if user else "the system"


def on(moment: datetime.datetime | None) -> str:
    """The date and minute of a timestamp, in UTC."""
    return f"{day(moment.date())} {time(moment)} UTC" if moment else "an unknown day"
