"""Lines of the integration journal: adding actuals, and editing lines (JRN-1 to JRN-3, JRN-6, JRN-7).

Actuals are added in chunks, each in its own transaction, so that the operation can be killed at any time and
started again. A chunk takes the same number of queries whatever its size. It claims its rows of the queue
first, and locks journals and their sequence only to write, so that several workers share the work. The unique
link from line to actual is a second guard.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from actuals.models import Actual, ActualToJournal, BillingType
from actuals.operations import keep_waiting, leave_queue
from contracts.models import (
    BillingTaxGroup,
    ItemTaxGroup,
    LegalEntity,
    NumberSequence,
)
from contracts.operations.numbers import draw_numbers
from invoicing_site.floor import audit, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze, in_chunks, write_rows
from invoicing_site.floor.reasons import Reason
from invoicing_site.floor.seen import refuse_changed, stamp
from ledger.books.periods import hold_open
from ledger.journal import plan
from ledger.journal.load import adding_facts, booked_behind, waiting_actuals
from ledger.models import DimensionSet, IntegrationJournal, JournalLine

_Status = IntegrationJournal.Status
_Grouping = LegalEntity.JournalGrouping

# Lines in one commit. A thousand lines block SQLite, which has one writer, for less than a second.
CHUNK = 1000
# After this number of new rows, the statistics of the query planner are out of date.
MANY = 10_000
KEEP: Any = object()
EDITABLE = ("billing_tax_group", "item_tax_group", "dimensions", "accounting_date")


@dataclass
class Added:
    """The journals that got lines, the number of lines, and (actual id, reason) for each actual left out."""

    journals: list[IntegrationJournal] = field(default_factory=list)
    lines: int = 0
    left_out: list[tuple[int, Reason]] = field(default_factory=list)


def add_to_journals(entity: LegalEntity, *, on: datetime.date, by, due_only: bool = False) -> Added:
    """Add every waiting actual to a draft journal of its day, month or year (JRN-1).

    Lines go to existing draft journals while these have room, then to new ones. An actual is left out, with a
    reason that its row in the queue keeps, if it has no exchange rate, if its amount is too large for the
    books, or if it reverses an actual that is in no journal. With `due_only` (the clock), those that were
    left out a short time ago are not tried again. An actual never gets a second line: users who run this at
    the same time share the work. Refused (NUM-MISSING) if a new journal is needed and the entity has no
    number sequence for journals.
    """
    result, after = Added(), 0
    journals: dict[int, IntegrationJournal] = {}
    left_out: dict[int, Reason] = {}
    while after is not None:
        after, chunk = _add_chunk(entity, after, on=on, by=by, due_only=due_only)
        result.lines += chunk.lines
        left_out |= dict(chunk.left_out)
        journals |= {journal.pk: journal for journal in chunk.journals}
    result.journals = [journals[key] for key in sorted(journals)]
    result.left_out = list(left_out.items())
    if result.lines >= MANY:
        analyze(JournalLine)
    return result


@transaction.atomic
def _add_chunk(entity, after, *, on, by, due_only) -> tuple[int | None, Added]:
    """Add the next actuals after the key `after`; returns the last key (None at the end) and the result."""
    result = Added()
    waiting = ActualToJournal.objects.filter(entity=entity, pk__gt=after)
    claimed = (waiting.due() if due_only else waiting).claimed(CHUNK)
    if not claimed:
        return None, result
    actuals = _with_originals(waiting_actuals(claimed))
    facts = adding_facts(entity, actuals)
    lines = []
    for actual in actuals:
        try:
            lines.append(plan.new_line(actual, facts))
        except Refused as refusal:
            result.left_out.append((actual.pk, refusal.reason))
    if lines:
        result.journals = _distribute(entity, lines, on=on)
        result.lines = len(write_rows(JournalLine, lines))
        leave_queue(line.actual_id for line in lines)
        audit.record(
            "ledger.add_to_journals",
            None,
            by=by,
            entity=entity.code,
            lines=len(lines),
            journals=[journal.number for journal in result.journals],
        )
    keep_waiting(dict(result.left_out))
    return claimed[-1] if len(claimed) == CHUNK else None, result


def _with_originals(actuals) -> list[plan.Waiting]:
    """The actuals, and those that still wait of the ones that they reverse or replace, in key order.

    Another worker that is adding one of those commits first, so that its line and rate are found.
    """
    behind = set(booked_behind(actuals).values()) - {actual.pk for actual in actuals}
    if behind:
        originals = [row.pk for row in ActualToJournal.objects.filter(pk__in=behind).locked()]
        actuals = sorted([*actuals, *waiting_actuals(originals)])
    return actuals


def _drafts(entity, periods) -> dict[str, list]:
    """The entity's draft journals of these periods, locked, each as [journal, number of lines].

    Without journals that have the lines in error of another journal: an accountant works on these.
    """
    own = IntegrationJournal.objects.filter(entity=entity, status=_Status.DRAFT, original=None)
    journals = list(own.filter(period__in=periods).locked())
    counts = dict(
        JournalLine.objects.filter(journal__in=journals)
        .order_by()
        .values_list("journal")
        .annotate(lines=Count("pk"))
    )
    drafts = defaultdict(list)
    for journal in journals:
        drafts[journal.period].append([journal, counts.get(journal.pk, 0)])
    return drafts


def _distribute(entity, lines, *, on) -> list[IntegrationJournal]:
    """Give each line a journal, a new one if the drafts are full; returns the journals that got lines."""
    used, new = {}, []
    periods = {day: _period(entity, day) for day in {line.accounting_date for line in lines}}
    drafts = _drafts(entity, set(periods.values()))
    for line in lines:
        period = periods[line.accounting_date]
        stacks = drafts[period]
        stack = next((stack for stack in stacks if stack[1] < entity.journal_max_lines), None)
        if stack is None:
            stack = [IntegrationJournal(entity=entity, period=period), 0]
            stacks.append(stack)
            new.append(stack[0])
        line.journal = stack[0]
        stack[1] += 1
        used[id(stack[0])] = stack[0]
    if new:
        numbers = draw_numbers(entity, NumberSequence.Kind.JOURNAL, on=on, count=len(new))
        for journal, number in zip(new, numbers, strict=True):
            journal.number = number.text
        write_rows(IntegrationJournal, new)
    return list(used.values())


def _period(entity, day) -> str:
    """The period of a journal for lines of that day, by the entity's grouping (JRN-1)."""
    if entity.journal_grouping == _Grouping.DAY:
        return day.isoformat()
    if entity.journal_grouping == _Grouping.MONTH:
        return f"{day:%Y-%m}"
    if entity.journal_grouping == _Grouping.YEAR:
        return str(entity.fiscal_year(day))
    return "all"


@transaction.atomic
def edit_journal_lines(
    lines,
    *,
    by,
    billing_tax_group: BillingTaxGroup | None = KEEP,
    item_tax_group: ItemTaxGroup | None = KEEP,
    dimensions: DimensionSet | None = KEEP,
    accounting_date: datetime.date = KEEP,
    seen: str = "",
) -> list[JournalLine]:
    """Change the tax groups, the dimensions or the accounting date of lines of one entity (JRN-2).

    The journals are drafts or in error. Values that are not given do not change. Errors of the lines are
    cleared; posting checks the lines again. Refused for lines of a journal that is posted or being posted,
    for a day in a period that is not open, for groups and dimensions of another entity, for the dimensions of
    a reversal (it is posted with those of the line that it reverses), for clearing a tax group of a sale, and
    if the lines changed since the stamp `seen` (CHANGED).
    """
    given = {
        "billing_tax_group": billing_tax_group,
        "item_tax_group": item_tax_group,
        "dimensions": dimensions,
        "accounting_date": accounting_date,
    }
    changes = {name: value for name, value in given.items() if value is not KEEP}
    keys = sorted({line.pk for line in lines})
    if not keys or not changes:
        raise Refused("NO-LINES-CHOSEN")
    entity = _entity_of(keys)
    if accounting_date is not KEEP:
        hold_open(entity, [accounting_date])
    for value in (billing_tax_group, item_tax_group, dimensions):
        if value not in (KEEP, None) and value.entity_id != entity.pk:
            raise Refused("VALUE-OTHER-ENTITY", value=value)
    _lock_editable(keys)
    if seen:
        refuse_changed(
            seen, stamp([row for rows in _rows(keys) for row in rows.only("pk", *EDITABLE)], *EDITABLE)
        )
    if dimensions is not KEEP:
        _refuse_reversals(keys)
    if None in (billing_tax_group, item_tax_group):
        _refuse_sales(keys)
    before, after = [], []
    for rows in _rows(keys):
        before += rows.order_by("pk").values_list("pk", *changes)
        rows.update(**changes, error=None)
        after += rows.order_by("pk")
    audit.record(
        "ledger.edit_journal_lines",
        None,
        by=by,
        entity=entity.code,
        fields=list(changes),
        before=before,
        after=[getattr(value, "pk", value) for value in changes.values()],
    )
    return after


def _rows(keys):
    return [JournalLine.objects.filter(pk__in=chunk) for chunk in in_chunks(keys, 5000)]


def _entity_of(keys) -> LegalEntity:
    found = set()
    for rows in _rows(keys):
        found.update(rows.values_list("journal__entity", flat=True))
    if len(found) != 1:
        raise Refused("LINES-SEVERAL-ENTITIES")
    return LegalEntity.objects.get(pk=found.pop())


def _journals_of(keys) -> set[int]:
    found = set()
    for rows in _rows(keys):
        found.update(rows.values_list("journal", flat=True))
    return found


def _lock_editable(keys):
    journals = _journals_of(keys)
    for journal in IntegrationJournal.objects.filter(pk__in=journals).locked():
        moves.refuse_unless(journal, "edit_journal_lines")
    if _journals_of(keys) != journals:
        raise Refused("JOURNAL-JUST-POSTED")


def _refuse_reversals(keys):
    reversals = sum(rows.exclude(actual__reverses=None).count() for rows in _rows(keys))
    if reversals:
        raise Refused("LINES-REVERSE", count=reversals)


def _refuse_sales(keys):
    """Refused: a sale without a tax group gets the default on its invoice, so clearing one has no effect."""
    sale = {"actual__type": Actual.Type.UNBILLED_SALES, "actual__billing_type": BillingType.CHARGEABLE}
    sales = sum(rows.filter(**sale, actual__reverses=None).count() for rows in _rows(keys))
    if sales:
        raise Refused("LINES-ARE-SALES", count=sales)
