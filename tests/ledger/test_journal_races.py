"""Adding and posting at once, and connections that fail in the middle: real threads, on PostgreSQL."""

import datetime
import threading

import pytest
from django.db import OperationalError, connection, connections

from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from ledger.books.periods import period_of
from ledger.closing.operations import close_period
from ledger.journal.operations import journals as journals_module
from ledger.journal.operations import lines as lines_module
from ledger.journal.operations.journals import add_to_journals, post_journal, post_journals
from ledger.models import IntegrationJournal, JournalLine, Voucher
from tests.factories import company, contract
from tests.ledger.journal_samples import DAY, add_all, cost
from tests.ledger.voucher_samples import balances_are_kept
from tests.threads import ended

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def at_once(*steps):
    """Run the steps in separate threads that start together; returns their results or exceptions."""
    barrier, results = threading.Barrier(len(steps)), [None] * len(steps)

    def run(place, step):
        try:
            barrier.wait(10)
            results[place] = step()
        except Exception as problem:  # returned to the test
            results[place] = problem
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(steps)]
    for thread in threads:
        thread.start()
    ended(*threads)
    return results


def test_two_users_who_post_one_journal_share_the_work(monkeypatch):
    """JRN-4"""
    monkeypatch.setattr(journals_module, "CHUNK", 3)
    no1 = company()
    line = contract(no1, confirmed=True).lines.get()
    for _ in range(20):
        cost(no1, line)
    (journal,) = add_all(no1).journals

    results = at_once(*[lambda: post_journal(journal, by=None, on=DAY)] * 2)

    posted = [result.posted for result in results if not isinstance(result, Refused)]
    assert sum(posted) == 20, results
    assert [v.position for v in Voucher.objects.order_by("position")] == list(range(1, 21))
    assert balances_are_kept()
    assert IntegrationJournal.objects.get().status == "posted"


def test_a_connection_that_fails_in_the_middle_loses_nothing(monkeypatch):
    """JRN-4"""
    monkeypatch.setattr(journals_module, "CHUNK", 4)
    no1 = company()
    line = contract(no1, confirmed=True).lines.get()
    for _ in range(10):
        cost(no1, line)
    (journal,) = add_all(no1).journals
    write = journals_module.write_vouchers

    def dies_behind_the_second(entity, plans, *, by):
        written = write(entity, plans, by=by)
        if Voucher.objects.count() == 8:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return written

    monkeypatch.setattr(journals_module, "write_vouchers", dies_behind_the_second)
    (problem,) = at_once(lambda: post_journal(journal, by=None, on=DAY))
    assert isinstance(problem, OperationalError)
    assert Voucher.objects.count() == 4
    assert balances_are_kept()
    assert IntegrationJournal.objects.get().status == "processing"

    monkeypatch.setattr(journals_module, "write_vouchers", write)
    (result,) = post_journals(no1.entity, by=None, on=DAY)
    assert (result.posted, result.journal.status) == (6, "posted")
    assert [v.position for v in Voucher.objects.order_by("position")] == list(range(1, 11))
    assert balances_are_kept()


def test_two_users_who_add_at_once_create_one_line_per_actual(monkeypatch):
    """JRN-1: one waits for the other, and neither gets an error."""
    monkeypatch.setattr(lines_module, "CHUNK", 5)
    no1 = company()
    line = contract(no1, confirmed=True).lines.get()
    for n in range(40):
        cost(no1, line, date=DAY + datetime.timedelta(days=n))

    def lines_added():
        return add_to_journals(LegalEntity.objects.get(pk=no1.entity.pk), on=DAY, by=None).lines

    results = at_once(*[lines_added] * 3)

    assert sum(results) == 40, results
    assert JournalLine.objects.count() == 40
    numbers = IntegrationJournal.objects.order_by("pk").values_list("number", flat=True)
    assert sorted(numbers) == [f"IJ-2025-{n:05}" for n in range(1, len(numbers) + 1)]


def test_adding_while_others_post_causes_no_deadlock():
    """JRN-1, JRN-4: no deadlock between drafts, the journal sequence and the voucher sequence."""
    no1 = company()
    line = contract(no1, confirmed=True).lines.get()
    no1.entity.posting_accounts.filter(purpose="cost_offset").delete()
    problems, done = [], threading.Event()

    def run(step):
        try:
            while not done.is_set():
                step()
        except Exception as problem:  # shown by the assertion
            problems.append(problem)
        finally:
            connections.close_all()

    def post():
        for journal in IntegrationJournal.objects.filter(status="draft"):
            try:
                post_journal(journal, by=None, on=DAY)
            except Refused:
                continue  # another thread was faster

    threads = [
        threading.Thread(target=run, args=(step,))
        for step in (post, post, lambda: add_all(no1), lambda: add_all(no1))
    ]
    for thread in threads:
        thread.start()
    for n in range(15):
        cost(no1, line, transaction_class="expense" if n % 3 else "time")
    done.wait(1)
    done.set()
    ended(*threads)

    assert problems == []
    add_all(no1)
    post()
    assert Voucher.objects.count() == 5
    assert JournalLine.objects.filter(journal__status="error").count() == 10


def test_a_period_closes_only_after_a_journal_has_finished_with_it(monkeypatch):
    """PST-6, JRN-4: between reading the period and committing the vouchers nobody can close it."""
    no1 = company()
    cost(no1, contract(no1, confirmed=True).lines.get())
    (journal,) = add_all(no1).journals
    march = period_of(no1.entity, DAY)
    writing, closed = threading.Event(), threading.Event()
    write = journals_module.write_vouchers

    def write_when_somebody_closes(entity, plans, *, by):
        writing.set()
        assert not closed.wait(1), "The period was closed while a journal was being posted into it."
        return write(entity, plans, by=by)

    def close():
        assert writing.wait(20)
        close_period(march, by=None)
        closed.set()

    monkeypatch.setattr(journals_module, "write_vouchers", write_when_somebody_closes)

    result, nothing = at_once(lambda: post_journal(journal, by=None, on=DAY), close)

    assert (getattr(result, "posted", result), nothing) == (1, None)
    march.refresh_from_db()
    assert (closed.is_set(), march.status) == (True, "closed")
    assert Voucher.objects.get().period == march


def test_two_users_who_post_into_one_period_do_not_wait_for_each_other(monkeypatch):
    """PST-6: the lock is shared; both are in the middle of their journal at the same time."""
    no1 = company()
    line = contract(no1, confirmed=True).lines.get()
    journals = []
    for _ in range(2):
        cost(no1, line)
        journals += add_all(no1).journals
        type(no1.entity).objects.update(journal_max_lines=1)
        no1.entity.refresh_from_db()
    both = threading.Barrier(2)
    hold = journals_module.PeriodBook.hold

    def hold_and_meet(entity):
        book = hold(entity)
        both.wait(20)
        return book

    monkeypatch.setattr(journals_module.PeriodBook, "hold", hold_and_meet)

    results = at_once(*(lambda each=each: post_journal(each, by=None, on=DAY) for each in journals))

    assert [getattr(result, "posted", result) for result in results] == [1, 1]
