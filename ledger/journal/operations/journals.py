"""Posting integration journals, and sending journals in error back to draft (JRN-4, JRN-5).

Lines are posted in chunks, each in its own transaction, so that posting can be killed at any time and started
again. A chunk takes the same number of queries for any number of lines. Posting locks the journal; the unique
link from voucher to line is a second guard.
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from django.db.models import F
from django.utils import timezone

from contracts.models import (
    LegalEntity,
    NumberSequence,
)
from contracts.operations.numbers import draw_number
from contracts.requesters import recheck_permission
from invoicing_site.floor import audit, jobs, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze
from invoicing_site.floor.reasons import Reason
from ledger.books.operations import write_vouchers
from ledger.books.periods import PeriodBook
from ledger.journal import plan
from ledger.journal.load import posting_facts
from ledger.journal.operations.lines import CHUNK, MANY, Added, add_to_journals, edit_journal_lines
from ledger.models import (
    IntegrationJournal,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    Voucher,
)

__all__ = [
    "PostedJournal",
    "Added",
    "back_to_draft",
    "edit_journal_lines",
    "post_chosen",
    "post_journal",
    "post_journals",
    "add_to_journals",
]

_Status = IntegrationJournal.Status


def _no_report(done, total):
    """The default for `report`: ignores the progress."""


@dataclass
class PostedJournal:
    """The result for one journal: lines posted and in error now, and the journal that holds those in error.

    If no line could be posted, that is the journal itself. `refused` is the reason why it was not posted.
    """

    journal: IntegrationJournal
    posted: int = 0
    in_error: int = 0
    remainder: IntegrationJournal | None = None
    refused: Reason | None = None


def post_journals(entity: LegalEntity, *, by, on: datetime.date, retry: bool = False) -> list[PostedJournal]:
    """Post every draft journal of the entity, and finish journals that were killed while they were posted.

    A journal that reverses lines of another one is posted after it, otherwise the oldest goes first. A
    journal that is refused does not change and does not stop the others. Journals in error are not posted
    (see `left_in_error`); with `retry` they are first sent back to draft, after the cause is fixed (JRN-4).
    """
    if retry:
        _retry(entity, by=by)
    unposted = [_Status.DRAFT, _Status.PROCESSING]
    return _post_all(IntegrationJournal.objects.filter(entity=entity, status__in=unposted), by=by, on=on)


def post_chosen(
    journals, *, by, on: datetime.date, asked_before: bool = False, report=_no_report
) -> list[PostedJournal]:
    """Post these journals of one entity, in the same order as `post_journals`.

    With `asked_before` (in the background) a journal is refused if `by` has lost the permission since. A
    journal that is refused does not stop the others. `report(done, total)` is called after each chunk of
    lines.
    """
    chosen = IntegrationJournal.objects.filter(pk__in=[row.pk for row in journals])
    return _post_all(chosen, by=by, on=on, asked_before=asked_before, report=report)


def _post_all(journals, *, by, on, asked_before=False, report=_no_report):
    result, lines = [], JournalLine.objects.unposted().filter(journal__in=journals.order_by().values("pk"))
    total, done = lines.count(), 0

    def count_lines(n):
        nonlocal done
        done += n
        report(min(done, total), total)

    for journal in _in_order(journals):
        try:
            if asked_before:
                recheck_permission(by, "journal.post", journal)
            result.append(_post(journal, by=by, on=on, count_lines=count_lines))
        except Refused as refusal:
            result.append(PostedJournal(journal, refused=refusal.reason))
    for entity_id in {row.journal.entity_id for row in result}:
        _follow_up(entity_id, sum(row.posted for row in result if row.journal.entity_id == entity_id))
    return result


def _retry(entity, *, by):
    for journal in IntegrationJournal.objects.filter(entity=entity, status=_Status.ERROR).order_by("pk"):
        try:
            back_to_draft(journal, by=by)
        except Refused:
            continue  # another user has already sent it back, or posted it


def _follow_up(entity_id, posted):
    """Refresh statistics, and fill proposals that waited for the posted lines (PRP-1)."""
    if posted >= MANY:
        analyze(JournalLine, Voucher, LedgerEntry, ProjectTransaction)
    if posted:
        jobs.enqueue_on_commit("fill_proposals", entity_key=entity_id)


def _in_order(rows) -> list[IntegrationJournal]:
    journals = {row.pk: row for row in rows.order_by("pk")}
    waits_for = [*_waiting(journals, "actual__reverses"), *_waiting(journals, "actual__reverses__replaces")]
    graph = TopologicalSorter({key: set() for key in journals})
    for journal, original in waits_for:
        graph.add(journal, original)
    try:
        return [journals[key] for key in graph.static_order()]
    except CycleError:
        # If two journals reverse lines of each other, a second run posts the lines in error.
        return list(journals.values())


def _waiting(journals, original):
    """Pairs of a journal and the journal that has to be posted before it: it holds an original of a line."""
    other = f"{original}__journal_line"
    return (
        JournalLine.objects.unposted()
        .filter(**{"journal__in": journals, f"{other}__journal__in": journals, f"{other}__voucher": None})
        .exclude(journal=F(f"{other}__journal"))
        .order_by("journal")
        .values_list("journal", f"{other}__journal")
        .distinct()
    )


def post_journal(journal: IntegrationJournal, *, by, on: datetime.date) -> PostedJournal:
    """Post the lines of a journal, and move those in error to a new journal that names it (JRN-4).

    If posting was killed, the journal still has the status processing; calling this again finishes it. Two
    users who post it at the same time share the work. If no line can be posted, the journal itself gets the
    status error. Refused if it is already posted (JOURNAL-POSTED) or in error (JOURNAL-IN-ERROR).
    """
    result = _post(journal, by=by, on=on)
    _follow_up(journal.entity_id, result.posted)
    return result


def _post(journal, *, by, on, count_lines=lambda lines: None) -> PostedJournal:
    _begin(journal)
    done, after = 0, 0
    while after is not None:
        after, posted, lines = _post_chunk(journal, after, by=by)
        done += posted
        count_lines(lines)
    return _finish(journal, done, by=by, on=on)


@transaction.atomic
def _begin(journal):
    locked = IntegrationJournal.objects.locked().get(pk=journal.pk)
    moves.refuse_unless(locked, "post_journal")
    locked.status = _Status.PROCESSING
    locked.save(update_fields=["status"])


@transaction.atomic
def _post_chunk(journal, after, *, by) -> tuple[int | None, int, int]:
    """Post the next lines after the key `after`.

    Returns the last key, or None at the end, how many lines were posted and how many were checked.
    """
    entity = LegalEntity.objects.get(pk=journal.entity_id)
    periods = PeriodBook.hold(entity)
    locked = IntegrationJournal.objects.locked().get(pk=journal.pk)
    if locked.status != _Status.PROCESSING:  # another user has just posted the rest
        return None, 0, 0
    waiting = JournalLine.objects.unposted().filter(journal=locked, pk__gt=after)
    lines = list(waiting.select_related("actual").order_by("pk")[:CHUNK])
    if not lines:
        return None, 0, 0
    dates = {line.pk: line.accounting_date for line in lines}
    facts = posting_facts(entity, periods, lines)
    plans, errors, moved, fixed = [], defaultdict(list), defaultdict(list), []
    for line in lines:
        try:
            plans.append(plan.plan_line(line, facts))
        except Refused as refusal:
            errors[refusal.reason].append(line.pk)
            continue
        if line.accounting_date != dates[line.pk]:
            moved[line.accounting_date].append(line.pk)
        if line.error:
            fixed.append(line.pk)
    # One statement for each different reason and day.
    for error, keys in errors.items():
        JournalLine.objects.filter(pk__in=keys).update(error=error)
    for day, keys in moved.items():
        JournalLine.objects.filter(pk__in=keys).update(accounting_date=day)
    if fixed:
        JournalLine.objects.filter(pk__in=fixed).update(error=None)
    write_vouchers(entity, plans, by=by)
    return lines[-1].pk if len(lines) == CHUNK else None, len(plans), len(lines)


@transaction.atomic
def _finish(journal, posted, *, by, on) -> PostedJournal:
    """Set the journal to posted and move its lines in error to a new one; a second call does nothing."""
    locked = IntegrationJournal.objects.locked().select_related("entity").get(pk=journal.pk)
    result = PostedJournal(locked, posted)
    if locked.status != _Status.PROCESSING:
        return result
    left = JournalLine.objects.unposted().filter(journal=locked)
    result.in_error = left.count()
    if result.in_error and not JournalLine.objects.posted().filter(journal=locked).exists():
        locked.status = _Status.ERROR
        result.remainder = locked
    else:
        locked.status = _Status.POSTED
        locked.posted_at, locked.posted_by = timezone.now(), by
        if result.in_error:
            result.remainder = _remainder(locked, left, on=on)
    locked.save(update_fields=["status", "posted_at", "posted_by"])
    audit.record(
        "ledger.post_journal",
        locked,
        by=by,
        entity=locked.entity.code,
        posted=result.posted,
        in_error=result.in_error,
        remainder=result.remainder.number if result.remainder else None,
    )
    return result


def _remainder(journal, lines, *, on) -> IntegrationJournal:
    number = draw_number(journal.entity, NumberSequence.Kind.JOURNAL, on=on)
    remainder = IntegrationJournal.objects.create(
        entity=journal.entity,
        number=number.text,
        period=journal.period,
        status=_Status.ERROR,
        original=journal,
    )
    lines.update(journal=remainder)
    return remainder


@transaction.atomic
def back_to_draft(journal: IntegrationJournal, *, by) -> IntegrationJournal:
    """Send a journal in error back to draft, so that it can be posted again (JRN-4).

    The errors of its lines are cleared; posting checks the lines again. Refused in any other status.
    """
    journal = IntegrationJournal.objects.locked().select_related("entity").get(pk=journal.pk)
    moves.refuse_unless(journal, "back_to_draft")
    journal.status = _Status.DRAFT
    journal.save(update_fields=["status"])
    JournalLine.objects.filter(journal=journal).in_error().update(error=None)
    audit.record("ledger.back_to_draft", journal, by=by, entity=journal.entity.code)
    return journal
