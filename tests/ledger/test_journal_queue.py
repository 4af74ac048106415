"""The queue of the actuals that wait for an integration journal."""

import datetime
import json
import threading

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.urls import reverse

from actuals.models import Actual, ActualToJournal
from backlog.operations import approve, mark_ready
from contracts.models import ExchangeRate, LegalEntity
from invoicing_site.verify import findings
from ledger.journal.operations import lines as lines_module
from ledger.journal.operations.journals import add_to_journals
from ledger.models import JournalLine
from ledger.tasks import add_to_journals as add_by_clock
from tests import factories
from tests.factories import company, contract
from tests.ledger.billing import confirmed
from tests.ledger.journal_samples import DAY, add_all, cost, reversed_on
from tests.ledger.test_journal_races import at_once
from tests.threads import ended

pytestmark = pytest.mark.django_db


def waiting():
    return list(ActualToJournal.objects.order_by("pk").values_list("actual", flat=True))


def euro_cost(no1):
    """A cost in a currency without a rate."""
    return cost(no1, contract(no1, confirmed=True).lines.get(), currency="EUR")


def add_with_clock():
    add_by_clock()
    return JournalLine.objects.count()


def test_what_the_journal_books_waits_and_nothing_else(no1):
    """JRN-1, JRN-6: cost and sale of an approved entry wait; what confirming a proforma makes does not."""
    contract(no1, confirmed=True)
    (item,) = approve([factories.time_entry(no1, "8", date=DAY)], by=no1.manager).items
    both = [item.actual.cost_id, item.actual_id]
    assert waiting() == both
    row = ActualToJournal.objects.get(actual=item.actual_id)
    assert (row.entity, row.date, row.reason, row.retry_after) == (no1.entity, DAY, None, None)
    mark_ready([item], by=no1.manager)
    confirmed(no1, item)
    assert Actual.objects.count() == 4
    assert waiting() == both

    add_all(no1)
    assert waiting() == []


def test_what_is_left_out_keeps_its_reason_and_is_tried_again_by_the_clock_after_a_pause(no1, client):
    """JRN-2: for six hours the clock leaves it alone, a person does not."""
    actual = euro_cost(no1)
    with time_machine.travel(datetime.datetime(2026, 12, 15, 10, tzinfo=datetime.UTC)):
        assert add_with_clock() == 0
    row = ActualToJournal.objects.get()
    assert (row.actual, row.reason.code) == (actual, "FX-MISSING")
    assert row.retry_after.replace(microsecond=0).isoformat() == "2026-12-15T16:00:00+00:00"
    client.force_login(no1.accountant)
    assert row.reason.sentence in client.get(reverse("waiting_actuals")).text.replace("&#x27;", "'")

    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR")
    with time_machine.travel(datetime.datetime(2026, 12, 15, 15, tzinfo=datetime.UTC)):
        assert add_with_clock() == 0
    with time_machine.travel(datetime.datetime(2026, 12, 15, 16, 1, tzinfo=datetime.UTC)):
        assert add_with_clock() == 1
    assert waiting() == []


def test_a_person_tries_at_any_time(no1):
    """JRN-2"""
    euro_cost(no1)
    add_all(no1)
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR")
    assert (add_all(no1).lines, waiting()) == (1, [])


def test_an_original_that_was_left_out_is_tried_again_with_its_reversal(no1):
    """JRN-2, JRN-7: the clock needs no second round for the reversal."""
    original = euro_cost(no1)
    assert add_with_clock() == 0
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR")
    reversal = reversed_on(original, DAY)
    assert add_with_clock() == 2
    rates = dict(JournalLine.objects.values_list("actual", "exchange_rate"))
    assert rates[original.pk] == rates[reversal.pk] == ExchangeRate.objects.get().rate


@pytest.mark.parametrize(
    "change", [{"date": datetime.date(2025, 4, 1)}, {"entity_id": 4711}, {"actual_id": 4711}]
)
def test_the_keys_of_a_row_never_change(no1, change):
    """JRN-1"""
    cost(no1, contract(no1, confirmed=True).lines.get())
    with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
        ActualToJournal.objects.update(**change)


def test_verifying_names_missing_queue_rows_and_rebuilding_adds_them(no1, capsys):
    """JRN-1: one actual lost its row, one got another although it is in a journal."""
    line = contract(no1, confirmed=True).lines.get()
    added = cost(no1, line)
    add_all(no1)
    lost, kept = cost(no1, line), cost(no1, line)
    ActualToJournal.objects.filter(actual=lost).delete()
    ActualToJournal.objects.create(actual=added, entity=no1.entity, date=DAY)

    assert [(found.code, found.sentence) for found in findings(no1.entity) if found.code == "QUEUE"] == [
        ("QUEUE", f"Actual {lost.pk} neither waits for a journal nor has one."),
        ("QUEUE", f"Actual {added.pk} is in the queue for a journal, but does not need one."),
    ]
    call_command("rebuild_queues", "--entity", "NO1", "--json")
    assert json.loads(capsys.readouterr().out)["queues"] == [
        {"queue": "journal", "added": 1, "removed": 1},
        {"queue": "proposal", "added": 0, "removed": 0},
        {"queue": "document", "added": 0, "removed": 0},
    ]
    assert waiting() == [lost.pk, kept.pk]
    assert [found for found in findings(no1.entity) if found.code == "QUEUE"] == []


# Several workers


def _add(no1):
    return add_to_journals(LegalEntity.objects.get(pk=no1.entity.pk), on=DAY, by=None).lines


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_take_different_rows_at_the_same_time(monkeypatch):
    """JRN-1: both have claimed ten before the first one writes; nothing twice, nothing left."""
    monkeypatch.setattr(lines_module, "CHUNK", 10)
    no1 = company()
    line = contract(no1, confirmed=True).lines.get()
    for _ in range(20):
        cost(no1, line)
    both, distribute, claims = threading.Barrier(2), lines_module._distribute, []

    def meet(entity, lines, *, on):
        claims.append({line.actual_id for line in lines})
        both.wait(20)
        return distribute(entity, lines, on=on)

    monkeypatch.setattr(lines_module, "_distribute", meet)
    assert at_once(*[lambda: _add(no1)] * 2) == [10, 10]
    assert (len(claims[0] | claims[1]), claims[0] & claims[1]) == (20, set())
    assert (JournalLine.objects.count(), waiting()) == (20, [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_leaves_its_rows_to_the_next(monkeypatch):
    """JRN-1"""
    no1 = company()
    line = contract(no1, confirmed=True).lines.get()
    keys = [cost(no1, line).pk for _ in range(5)]
    leave_queue = lines_module.leave_queue

    def dies(actuals):
        leave_queue(actuals)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(lines_module, "leave_queue", dies)
    (problem,) = at_once(lambda: _add(no1))
    assert isinstance(problem, Exception)
    assert (JournalLine.objects.count(), waiting()) == (0, keys)

    monkeypatch.setattr(lines_module, "leave_queue", leave_queue)
    assert (_add(no1), waiting()) == (5, [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_reversal_waits_for_whoever_adds_its_original(monkeypatch):
    """JRN-7: the second worker finds the line of the original, and its rate."""
    monkeypatch.setattr(lines_module, "CHUNK", 1)
    no1 = company()
    original = cost(no1, contract(no1, confirmed=True).lines.get())
    reversal = reversed_on(original, DAY)
    claimed, write = threading.Event(), lines_module.write_rows

    def write_late(model, rows):
        if model is JournalLine and rows[0].actual_id == original.pk:
            claimed.set()
            blocked = threading.Event()
            blocked.wait(0.5)  # the second worker waits for the row of the original meanwhile
        return write(model, rows)

    monkeypatch.setattr(lines_module, "write_rows", write_late)
    results = []

    def second():
        try:
            assert claimed.wait(20)
            results.append(add_to_journals(LegalEntity.objects.get(pk=no1.entity.pk), on=DAY, by=None))
        finally:
            connections.close_all()

    thread = threading.Thread(target=second)
    thread.start()
    (first,) = at_once(lambda: _add(no1))
    ended(thread)
    assert first + results[0].lines == 2
    assert results[0].left_out == []
    assert waiting() == []
    assert JournalLine.objects.get(actual=reversal).accounting_amount == -800
