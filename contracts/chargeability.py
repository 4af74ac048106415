"""Which contract line covers a piece of work, and whether the work is chargeable (CON-2, CON-3, CON-6)."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from django.db.models import Q

from contracts.models import (
    Category,
    ContractLine,
    ContractRevision,
    LegalEntity,
    ProjectContract,
    Role,
    TransactionClass,
)
from invoicing_site.floor import formatting

# The classes of work that a line can include. Milestones, retainers and tax are not work.
_WORK = (
    TransactionClass.TIME,
    TransactionClass.EXPENSE,
    TransactionClass.MATERIAL,
    TransactionClass.FEE,
)
_DAY = datetime.timedelta(days=1)
_FIRST, _LAST = datetime.date.min, datetime.date.max


@dataclass(frozen=True, slots=True)
class Covered:
    """The line that covers a piece of work, and whether the work is chargeable on it."""

    line: ContractLine
    is_chargeable: bool


class Coverage:
    """The lines of confirmed contracts on some projects, to find the line of any number of entries.

    A line on selected tasks covers the tasks that are listed on it, and not the tasks below them in the tree.
    A revised line is valid from the effective date of its revision, and the line it replaces until the day
    before.
    """

    def __init__(self, lines: Iterable[ContractLine], roles: Mapping, categories: Mapping):
        self._roles = roles
        self._categories = categories
        self._lines = defaultdict(list)
        for line in lines:
            self._lines[line.project_id].append(_Reach(line))
        self._known: dict = {}

    @classmethod
    def of_contract(cls, contract: ProjectContract) -> "Coverage":
        """The lines of one contract, even of a draft; the settings of roles and categories are not loaded."""
        lines = lines_of(contract).prefetch_related("line_roles", "line_categories")
        return cls(lines, {}, {})

    @classmethod
    def load(cls, entity: LegalEntity, project_ids: Iterable[int]) -> "Coverage":
        """Load the lines with their contracts and customers, in a constant number of queries."""
        lines = (
            _counting_lines()
            .filter(contract__entity=entity, project__in=set(project_ids))
            .prefetch_related("line_roles", "line_categories", "customers__contract_customer")
        )
        return cls(
            lines,
            dict(Role.objects.filter(entity=entity).values_list("pk", "is_chargeable")),
            dict(Category.objects.filter(entity=entity).values_list("pk", "is_chargeable")),
        )

    def line_for(
        self,
        transaction_class: str,
        project_id: int,
        task_id: int | None,
        date: datetime.date,
        role_id: int | None = None,
        category_id: int | None = None,
    ) -> Covered | None:
        """The line that covers this work on that day; None if no line does, so that it can't be billed."""
        for reach in self._lines.get(project_id, ()):
            if reach.covers(transaction_class, task_id, date):
                key = reach.line.pk, transaction_class, task_id, role_id, category_id
                if key not in self._known:
                    self._known[key] = Covered(reach.line, self._is_chargeable(reach, *key[1:]))
                return self._known[key]
        return None

    def outside(
        self, transaction_class: str, project_id: int, task_id: int | None, date: datetime.date
    ) -> str:
        """If a line covers such work, but not on that day: a sentence with its nearest days (CON-12).

        Else empty.
        """
        found = [r for r in self._lines.get(project_id, ()) if r.includes(transaction_class, task_id)]
        if not found or any(reach.starts <= date <= reach.ends for reach in found):
            return ""
        near = min(found, key=lambda reach: reach.days_off(date))
        line = near.line
        return (
            f"Line {line} of contract {line.contract} covers work {near.days()} only, and this is dated "
            f"{formatting.day(date)}: it is cost only and is not billed."
        )

    def _is_chargeable(self, reach, transaction_class, task_id, role_id, category_id):
        if not reach.charges_task(task_id):
            return False
        if transaction_class == TransactionClass.TIME:
            return _say(role_id, reach.roles, self._roles)
        if transaction_class in (TransactionClass.EXPENSE, TransactionClass.FEE):
            return _say(category_id, reach.categories, self._categories)
        return True


def colliding_lines(
    contract: ProjectContract, *, revision: ContractRevision | None = None
) -> list[tuple[ContractLine, ContractLine]]:
    """Pairs of a line of this contract and another line that cover some of the same work (CON-2).

    The contract is treated as confirmed, and so is the revision, if one is given. The other lines are those
    of confirmed contracts and of this contract. Each pair is returned once. Lines collide if they include the
    same class, for the same task of the same project, on the same day.
    """
    own = [_Reach(line, revision) for line in lines_of(contract, revision=revision)]
    others = _counting_lines().filter(project__in={reach.line.project_id for reach in own})
    others = [_Reach(line) for line in others.exclude(contract=contract)]
    pairs = [(first, second) for n, first in enumerate(own) for second in own[n + 1 :]]
    pairs += product(own, others)
    return [(first.line, second.line) for first, second in pairs if first.collides_with(second)]


def lines_of(contract: ProjectContract, *, revision: ContractRevision | None = None):
    """The lines of a contract, without those of draft revisions other than the given one."""
    return _with_reach(contract.lines).filter(
        Q(revision=None) | Q(revision__status=ContractRevision.Status.CONFIRMED) | Q(revision=revision)
    )


def outside_lines(work: Iterable[tuple[int, datetime.date]]) -> dict[tuple[int, datetime.date], str]:
    """The pairs of a contract line and a day outside the line's dates, with a phrase for each (CON-12).

    It takes two queries for any number of pairs, and none if there are no pairs.
    """
    pairs = set(work)
    if not pairs:
        return {}
    lines = _with_reach(ContractLine.objects.filter(pk__in={line for line, _ in pairs}))
    reaches = {line.pk: _Reach(line) for line in lines}
    return {
        (line, day): f"line {reach.line} of contract {reach.line.contract} covers work {reach.days()} only"
        for line, day in pairs
        if (reach := reaches[line]) and not reach.starts <= day <= reach.ends
    }


def _counting_lines():
    return _with_reach(ContractLine.objects).filter(
        Q(revision=None) | Q(revision__status=ContractRevision.Status.CONFIRMED),
        contract__status=ProjectContract.Status.CONFIRMED,
    )


def _with_reach(lines):
    related = "contract", "project", "revision", "replaced_by__revision"
    return lines.select_related(*related).prefetch_related("line_tasks").order_by("contract", "number")


def _say(pk, on_the_line, in_the_master):
    """Whether the line, or else the master record, makes a role or category chargeable; True by default."""
    return on_the_line.get(pk, in_the_master.get(pk, True))


class _Reach:
    """What one line covers: dates, classes and tasks."""

    def __init__(self, line: ContractLine, revision: ContractRevision | None = None):
        self.line = line
        self.classes = {name for name in _WORK if line.includes(name)}
        self.tasks = (
            None if line.entire_project else {t.task_id: t.is_chargeable for t in line.line_tasks.all()}
        )
        # The contract's start and requested end limit the dates of its lines (CON-12).
        self.starts = max(line.starts or _FIRST, line.contract.starts or _FIRST)
        self.ends = min(line.ends or _LAST, line.contract.ends or _LAST)
        if line.revision:
            self.starts = max(self.starts, line.revision.effective_on)
        successor = getattr(line, "replaced_by", None)
        if successor is not None and _takes_over(successor, revision):
            self.ends = min(self.ends, successor.revision.effective_on - _DAY)

    # Only needed to find the line of an entry; not loaded to find collisions.
    @property
    def roles(self):
        return {row.role_id: row.is_chargeable for row in self.line.line_roles.all()}

    @property
    def categories(self):
        return {row.category_id: row.is_chargeable for row in self.line.line_categories.all()}

    def includes(self, transaction_class, task_id):
        """Whether it covers this class and task, on the days when it is valid."""
        return transaction_class in self.classes and (self.tasks is None or task_id in self.tasks)

    def covers(self, transaction_class, task_id, date):
        return self.includes(transaction_class, task_id) and self.starts <= date <= self.ends

    def days_off(self, date):
        """The distance of the day from the days that it covers, as a timedelta."""
        return max(self.starts - date, date - self.ends)

    def days(self):
        """The days it covers, as text."""
        since = f"from {formatting.day(self.starts)}" if self.starts != _FIRST else ""
        until = f"until {formatting.day(self.ends)}" if self.ends != _LAST else ""
        return f"{since} {until}".strip()

    def charges_task(self, task_id):
        return self.tasks is None or self.tasks[task_id]

    def collides_with(self, other):
        return bool(
            self.line.project_id == other.line.project_id
            and self.classes & other.classes
            and max(self.starts, other.starts) <= min(self.ends, other.ends)
            and self._shares_tasks_with(other)
        )

    def _shares_tasks_with(self, other):
        if self.tasks is None or other.tasks is None:
            # The whole project covers every task, including future ones. A line without any task covers
            # nothing.
            return self.tasks is other.tasks or bool(self.tasks or other.tasks)
        return bool(self.tasks.keys() & other.tasks.keys())


def _takes_over(successor, revision):
    confirmed = successor.revision and successor.revision.status == ContractRevision.Status.CONFIRMED
    return successor.revision_id is not None and (confirmed or successor.revision == revision)
