"""Sealing while others write, twice at once, and killed: no gap and no overlap."""

import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from django.db import connection, transaction

from actuals.models import Batch, Entry
from backlog.operations import approve, cancel_approval
from invoicing_site.floor import audit, seals
from invoicing_site.models import AuditEvent, Seal, SealedRows, SealPending
from invoicing_site.verify.seals import sealed
from tests import factories
from tests.invoicing_site.sample_company.sample import APRIL_2
from tests.threads import ended

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def event():
    with transaction.atomic():
        return audit.record("tests.happened", None)


def in_seals():
    """How often each event is sealed."""
    parts = SealedRows.objects.filter(table_name=AuditEvent._meta.db_table)
    return Counter(key for part in parts for key in seals.unpacked(part.ids))


def test_a_row_of_a_lower_id_that_commits_later_is_sealed_later():
    """PST-7: never "all ids up to N"."""
    written, resume = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic():
                audit.record("tests.slow", None)
                written.set()
                resume.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(20)
    later = event()
    assert len(seals.seal_all()) == 1
    assert in_seals() == {later.pk: 1}
    resume.set()
    ended(thread)
    assert list(sealed()) == []
    assert len(seals.seal_all()) == 1
    first = AuditEvent.objects.get(action="tests.slow")
    assert first.pk < later.pk
    assert in_seals() == {first.pk: 1, later.pk: 1}
    assert list(sealed()) == []


def test_many_seal_while_many_write():
    """PST-7: each row once, in one chain."""

    def write():
        try:
            for _ in range(20):
                event()
        finally:
            connection.close()

    def seal():
        try:
            for _ in range(10):
                seals.seal()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(work) for work in [write, seal] * 4]:
            done.result(60)
    seals.seal_all()
    assert len(in_seals()) == AuditEvent.objects.count() == 80
    assert set(in_seals().values()) == {1}
    assert not SealPending.objects.exists()
    assert list(sealed()) == []


def test_the_next_task_seals_everything_after_a_killed_one(monkeypatch):
    """PST-7"""
    event()
    with monkeypatch.context() as patch:
        patch.setattr(seals.SealedRows.objects, "bulk_create", lambda rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seals.seal()
    assert not Seal.objects.exists()
    assert SealPending.objects.exists()
    seals.seal_all()
    assert set(in_seals().values()) == {1}
    assert list(sealed()) == []


def test_a_segment_has_a_maximum_of_rows(monkeypatch):
    monkeypatch.setattr(seals, "MOST", 2)
    for _ in range(5):
        event()
    assert [one.rows for one in seals.seal_all()] == [2, 2, 1]
    assert [one.number for one in Seal.objects.order_by("number")] == [1, 2, 3]
    assert list(sealed()) == []


def in_a_process(work):
    """Do this in a process of its own, with its own connection; returns its id."""
    if pid := os.fork():
        return pid
    try:
        connection.connection = None  # it belongs to the parent process
        work()
        os._exit(0)
    except BaseException:
        os._exit(1)


def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "It never came to that."
        time.sleep(0.02)


# Where a sealing process is killed: the lock it waits for there, held by another process.
MOMENTS = {
    "at the head": f"SELECT pg_advisory_xact_lock({seals._LOCK})",
    "reading the notes": "LOCK TABLE invoicing_site_sealpending IN ACCESS EXCLUSIVE MODE",
    "hashing": "LOCK TABLE actuals_batch IN ACCESS EXCLUSIVE MODE",
    "deleting the notes": "LOCK TABLE invoicing_site_sealpending IN SHARE MODE",
    "writing the segment": "LOCK TABLE invoicing_site_seal IN SHARE MODE",
    "writing its rows": "LOCK TABLE invoicing_site_sealedrows IN SHARE MODE",
}


def test_a_process_that_is_killed_leaves_neither_a_gap_nor_an_overlap():
    """PST-7: killed at each moment in turn, while rows are written; the next one seals everything."""
    entity = factories.LegalEntityFactory()
    settings = connection.get_connection_params()
    other = psycopg2.connect(**{name: settings[name] for name in ("host", "port", "user", "dbname")})
    try:
        for place, (moment, lock) in enumerate(MOMENTS.items(), start=1):
            event()
            Batch.objects.create(entity=entity, action="approve", on="2025-04-01")
            with other.cursor() as cursor:
                cursor.execute(lock)
            pid = in_a_process(seals.seal)
            wait_until(lambda: _waiting_for(other) == 1)
            os.kill(pid, signal.SIGKILL)
            assert os.waitpid(pid, 0)[1] == signal.SIGKILL, moment
            other.rollback()
            wait_until(lambda: not _other_transactions())
            assert not Seal.objects.exists(), moment
            assert len(in_seals()) == 0
            assert SealPending.objects.count() == 2 * place
            assert list(sealed()) == [], moment
    finally:
        other.close()
    seals.seal_all()
    assert len(in_seals()) == AuditEvent.objects.count() == len(MOMENTS)
    assert set(in_seals().values()) == {1}
    assert Seal.objects.get().rows == 2 * len(MOMENTS)
    assert not SealPending.objects.exists()
    assert list(sealed()) == []


def _waiting_for(other):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))",
            [other.info.backend_pid],
        )
        return cursor.fetchone()[0]


def _other_transactions():
    """Transactions of killed processes: the server ends them a moment later."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        return cursor.fetchone()[0]


def test_two_processes_that_seal_while_others_commit_in_odd_order_and_one_is_killed():
    """PST-7"""

    def write(seed):
        dice = random.Random(seed)
        for _ in range(12):
            with transaction.atomic():
                for _ in range(dice.randint(1, 3)):
                    audit.record("tests.happened", None)
                time.sleep(dice.random() / 30)  # the ids are reserved; others commit before this one

    def seal_often():
        for _ in range(25):
            seals.seal()
            time.sleep(0.01)

    writers = [in_a_process(lambda seed=seed: write(seed)) for seed in range(3)]
    sealing = [in_a_process(seal_often) for _ in range(3)]
    wait_until(Seal.objects.exists)
    os.kill(sealing[0], signal.SIGKILL)
    for _ in range(10):
        assert list(sealed()) == []  # a check at this moment finds nothing
    ends = [os.waitpid(pid, 0)[1] for pid in writers + sealing]
    assert ends == [0, 0, 0, signal.SIGKILL, 0, 0]
    wait_until(lambda: not _other_transactions())
    assert list(sealed()) == []
    seals.seal_all()
    assert len(in_seals()) == AuditEvent.objects.count() >= 36
    assert set(in_seals().values()) == {1}
    assert not SealPending.objects.exists()
    numbers = list(Seal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 2
    assert list(sealed()) == []


def test_verifying_while_entries_are_approved_changed_and_sealed(monkeypatch):
    """PST-7: nothing of that looks like an alteration."""
    company = factories.company()
    entry = factories.time_entry(company, "3")

    def work():
        for n in range(8):
            approve([entry], by=company.manager, on=APRIL_2)
            if n % 3:
                seals.seal()
            cancel_approval([entry], by=company.manager, on=APRIL_2)
            Entry.objects.filter(pk=entry.pk).update(description=f"Change {n}")

    pid = in_a_process(work)
    kinds = [kind for kind in seals.declared() if kind.model is Entry]
    with monkeypatch.context() as patch:
        patch.setattr(seals, "declared", lambda: kinds)  # few models are faster, so that it runs more often
        while (end := os.waitpid(pid, os.WNOHANG)) == (0, 0):
            assert [finding for finding in sealed() if finding.where] == []
    assert end == (pid, 0)
    assert list(sealed()) == []
    seals.seal_all()
    assert list(sealed()) == []


def test_a_statement_of_many_rows_is_sealed_in_several_segments(monkeypatch):
    """PST-7: one note names them all."""
    monkeypatch.setattr(seals, "MOST", 40)
    AuditEvent.objects.bulk_create(AuditEvent(action="tests.happened") for _ in range(100))
    assert SealPending.objects.count() == 1
    assert [one.rows for one in seals.seal_all()] == [40, 40, 20]
    assert set(in_seals().values()) == {1}
    assert not SealPending.objects.exists()
    assert list(sealed()) == []


def test_a_seal_is_in_the_log_once_it_is_committed(caplog):
    """PST-7: a number and digest in the log that no seal has would look like a chain that was made again."""
    event()
    with caplog.at_level("INFO", logger=seals.logger.name):
        with transaction.atomic():
            seals.seal()
            transaction.set_rollback(True)
        assert caplog.messages == []
        seal = seals.seal()
    assert caplog.messages == [f"Seal 1 over 1 rows: {seal.digest}"]
