"""Posting a journal: errors, remainders, periods, interruptions, and two users at once."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import AuditEvent, Job
from ledger.books.periods import period_of
from ledger.closing.operations import close_period, put_on_hold, reopen_period
from ledger.journal.operations import journals as journals_module
from ledger.journal.operations.journals import back_to_draft, edit_journal_lines, post_journal, post_journals
from ledger.models import IntegrationJournal, JournalLine, Voucher
from tests import locks
from tests.factories import ResourceFactory, contract
from tests.ledger.journal_samples import (
    APRIL_10,
    COST,
    DAY,
    OFFSET,
    add_all,
    add_and_post,
    cost,
    entries_of,
    reversed_on,
    unbilled,
    use_profile,
    voucher_of,
)
from tests.ledger.voucher_samples import balances_are_kept

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


def test_a_voucher_links_to_its_line_and_the_line_to_its_actual(no1, line):
    """JRN-2, ACT-2"""
    actual = cost(no1, line, description="Bearing walls")
    _, (result,) = add_and_post(no1)

    voucher = voucher_of(actual)
    assert voucher.journal_line.journal == result.journal
    assert (voucher.kind, voucher.date, voucher.posted_by) == ("journal", DAY, no1.accountant)
    assert voucher.text == "time cost, NO1-P1, Anna, Bearing walls"
    assert result.journal.status == "posted"
    assert result.journal.posted_by == no1.accountant
    event = AuditEvent.objects.get(action="ledger.post_journal")
    assert (event.by, event.entity, event.detail["posted"]) == (no1.accountant, "NO1", 1)


def test_lines_in_error_move_to_a_journal_that_names_the_original(no1, line):
    """JRN-4"""
    no1.entity.posting_accounts.filter(purpose="cost_offset").delete()
    good, bad = cost(no1, line), cost(no1, line, 300, "expense")
    _, (result,) = add_and_post(no1)

    assert (result.posted, result.in_error) == (1, 1)
    assert (result.journal.status, result.remainder.status) == ("posted", "error")
    assert result.remainder.original == result.journal
    assert result.remainder.number == "IJ-2025-00002"
    assert [row.actual for row in result.journal.lines.all()] == [good]
    (left,) = result.remainder.lines.all()
    assert left.actual == bad
    assert left.error.code == "ACCOUNT-MISSING-FOR"
    assert "has no account for offset of expenses and materials" in left.error.sentence


def test_a_journal_in_error_is_posted_after_its_cause_is_fixed(no1, line):
    """JRN-4"""
    no1.entity.posting_accounts.filter(purpose="cost_offset").delete()
    cost(no1, line)
    bad = cost(no1, line, 300, "expense")
    _, (result,) = add_and_post(no1)

    with pytest.raises(Refused) as refusal:
        post_journal(result.remainder, by=None, on=DAY)
    assert refusal.value.code == "JOURNAL-IN-ERROR"
    no1.entity.posting_accounts.create(purpose="cost_offset", account=no1.books.accounts[OFFSET])
    draft = back_to_draft(result.remainder, by=no1.accountant)
    assert (draft.status, draft.lines.get().error) == ("draft", None)
    assert post_journal(draft, by=None, on=DAY).posted == 1
    assert entries_of(bad) == [(COST, 300, 0), (OFFSET, 0, 300)]


def test_a_journal_with_errors_only_gets_the_status_error(no1, line):
    """JRN-4"""
    no1.entity.profile_assignments.all().delete()
    cost(no1, line)
    _, (result,) = add_and_post(no1)

    assert (result.posted, result.in_error, result.remainder) == (0, 1, result.journal)
    assert result.journal.status == "error"
    error = result.journal.lines.get().error
    assert (error.code, error.params["what"]) == ("PROFILE-MISSING", "NO1-P1 Bridge")
    assert IntegrationJournal.objects.count() == 1


def test_a_journal_is_sent_back_to_draft_under_its_lock(no1, line, monkeypatch):
    """JRN-4: the lock is requested on every database, so that nobody posts it meanwhile."""
    close_period(period_of(no1.entity, DAY), by=None)
    cost(no1, line)
    _, (posted,) = add_and_post(no1)
    asked = locks.asked(monkeypatch)

    back_to_draft(posted.remainder, by=None)

    assert asked == ["IntegrationJournal locked"]


def test_only_a_journal_in_error_is_sent_back_to_draft(no1, line):
    """JRN-4"""
    cost(no1, line)
    (journal,) = add_all(no1).journals

    with pytest.raises(Refused, match=f"The journal {journal.number} is draft. Only") as refusal:
        back_to_draft(journal, by=None)
    assert refusal.value.code == "JOURNAL-NOT-IN-ERROR"


def test_a_posted_journal_is_not_posted_again(no1, line):
    """JRN-4"""
    cost(no1, line)
    _, (result,) = add_and_post(no1)

    with pytest.raises(Refused, match="is already posted"):
        post_journal(result.journal, by=None, on=DAY)
    assert post_journals(no1.entity, by=None, on=DAY) == []
    assert Voucher.objects.count() == 1


def test_a_refused_journal_does_not_stop_the_others(no1, line, monkeypatch):
    """JRN-4"""
    cost(no1, line)
    cost(no1, line, date=APRIL_10)
    add_all(no1)
    begin = journals_module._begin

    def refuse_march(journal):
        if journal.period == "2025-03":
            raise Refused("JOURNALS-ALREADY-POSTED")
        begin(journal)

    monkeypatch.setattr(journals_module, "_begin", refuse_march)
    march, april = post_journals(no1.entity, by=None, on=DAY)

    assert (march.refused, april.refused, april.posted) == (Reason("JOURNALS-ALREADY-POSTED"), None, 1)


def test_posting_fills_waiting_proposals_once(no1, line):
    """PRP-1: not once per journal, and not if nothing was posted."""
    for day in (DAY, APRIL_10):
        cost(no1, line, date=day)
    add_and_post(no1)
    add_and_post(no1)
    cost(no1, line)
    (journal,) = add_all(no1).journals
    post_journal(journal, by=None, on=DAY)

    waiting = Job.objects.filter(kind="fill_proposals").values_list("params", flat=True)
    assert list(waiting) == [{"entity_key": no1.entity.pk}] * 2


def test_posting_that_was_killed_is_finished_by_the_next_start(no1, line, monkeypatch):
    """JRN-4: posted lines stay posted, and nothing is posted twice."""
    monkeypatch.setattr(journals_module, "CHUNK", 2)
    for _ in range(5):
        cost(no1, line)
    (journal,) = add_all(no1).journals
    write = journals_module.write_vouchers

    def dies_the_second_time(entity, plans, *, by):
        if Voucher.objects.exists():
            raise KeyboardInterrupt
        return write(entity, plans, by=by)

    monkeypatch.setattr(journals_module, "write_vouchers", dies_the_second_time)
    with pytest.raises(KeyboardInterrupt):
        post_journals(no1.entity, by=None, on=DAY)
    assert IntegrationJournal.objects.get(pk=journal.pk).status == "processing"
    assert Voucher.objects.count() == 2

    monkeypatch.setattr(journals_module, "write_vouchers", write)
    (result,) = post_journals(no1.entity, by=None, on=DAY)
    assert (result.posted, result.journal.status) == (3, "posted")
    assert [v.position for v in Voucher.objects.order_by("position")] == [1, 2, 3, 4, 5]
    assert balances_are_kept()


def test_a_period_closed_in_the_middle_blocks_the_remaining_lines(no1, line, monkeypatch):
    """JRN-4, PST-6"""
    monkeypatch.setattr(journals_module, "CHUNK", 2)
    for _ in range(5):
        cost(no1, line)
    add_all(no1)
    write = journals_module.write_vouchers

    def close_after_the_first(entity, plans, *, by):
        written = write(entity, plans, by=by)
        if written and Voucher.objects.count() == 2:
            close_period(period_of(entity, DAY), by=None)
        return written

    monkeypatch.setattr(journals_module, "write_vouchers", close_after_the_first)
    (result,) = post_journals(no1.entity, by=None, on=DAY)

    assert (result.posted, result.in_error) == (2, 3)
    (error,) = set(result.remainder.lines.values_list("error", flat=True))
    assert error.sentence.startswith(
        "The period March 2025 of Company NO1 is closed, so nothing can be posted on 10 Mar 2025"
    )

    reopen_period(period_of(no1.entity, DAY), by=None)
    back_to_draft(result.remainder, by=None)
    assert post_journal(result.remainder, by=None, on=DAY).posted == 3


def test_a_date_in_a_closed_period_is_an_error(no1, line):
    """JRN-2: found when it is added, and again when it is posted."""
    close_period(period_of(no1.entity, DAY), by=None)
    actual = cost(no1, line)
    (journal,) = add_all(no1).journals

    assert actual.journal_line.error.code == "PERIOD-CLOSED"
    assert post_journal(journal, by=None, on=DAY).in_error == 1


def test_a_date_in_a_closed_period_moves_if_the_entity_allows_it(no1, line):
    """JRN-2: to the first day of the next open period, when it is added and when it is posted."""
    no1.entity.closed_period = "move"
    no1.entity.save()
    early, late = cost(no1, line, date=datetime.date(2025, 2, 10)), cost(no1, line)
    close_period(period_of(no1.entity, datetime.date(2025, 2, 10)), by=None)
    add_all(no1)
    assert early.journal_line.accounting_date == datetime.date(2025, 3, 1)
    assert (late.journal_line.accounting_date, late.journal_line.error) == (DAY, None)

    close_period(period_of(no1.entity, DAY), by=None)
    post_journals(no1.entity, by=None, on=DAY)

    for actual in (early, late):
        voucher = voucher_of(actual)
        assert voucher.date == voucher.journal_line.accounting_date == datetime.date(2025, 4, 1)
        assert voucher.document_date == actual.date


def test_a_line_in_a_period_on_hold_waits_and_keeps_its_date(no1, line):
    """JRN-2, PST-6"""
    no1.entity.closed_period = "move"
    no1.entity.save()
    put_on_hold(period_of(no1.entity, DAY), by=None)
    actual = cost(no1, line)
    _, (result,) = add_and_post(no1)

    assert result.in_error == 1
    assert "is on hold" in actual.journal_line.error.sentence
    assert actual.journal_line.accounting_date == DAY


def test_a_fixed_line_is_posted_without_its_old_error(no1, line):
    """JRN-2"""
    close_period(period_of(no1.entity, DAY), by=None)
    moved, waiting = cost(no1, line), cost(no1, line)
    (journal,) = add_all(no1).journals
    edit_journal_lines([moved.journal_line], by=None, accounting_date=APRIL_10)
    reopen_period(period_of(no1.entity, DAY), by=None)

    assert post_journal(journal, by=None, on=DAY).posted == 2
    assert [voucher_of(actual).date for actual in (moved, waiting)] == [APRIL_10, DAY]
    assert set(JournalLine.objects.values_list("error", flat=True)) == {None}


def test_posting_takes_as_many_queries_for_many_lines_as_for_few(no1, line):
    """Sets, not loops: for any number of lines, projects, resources and reversals."""
    use_profile(no1, "ACCRUE")

    def queries(count):
        for n in range(count):
            resource = ResourceFactory(entity=no1.entity, code=f"R{count}-{n}")
            actual = unbilled(no1, line, resource=resource)
            cost(no1, line, resource=resource)
            reversed_on(actual, DAY)
        (journal,) = add_all(no1).journals
        with CaptureQueriesContext(connection) as captured:
            assert post_journal(journal, by=None, on=DAY).posted == 3 * count
        # SQLite takes rows in small batches.
        return sum(not query["sql"].startswith("INSERT") for query in captured)

    queries(1)
    assert queries(2) == queries(40)
