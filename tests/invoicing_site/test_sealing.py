"""Sealing while others write, twice at once, and killed: no gap and no overlap."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from invoicing_site.floor import audit, seals
from invoicing_site.models import AuditEvent, Seal, SealedRows, SealPending
from invoicing_site.verify.seals import sealed
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
    written, go_on = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic():
                audit.record("tests.slow", None)
                written.set()
                go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(20)
    later = event()
    assert len(seals.seal_all()) == 1
    assert in_seals() == {later.pk: 1}
    go_on.set()
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


def test_one_that_is_killed_leaves_everything_to_the_next(monkeypatch):
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


def test_a_segment_has_no_more_rows_than_one_transaction_bears(monkeypatch):
    monkeypatch.setattr(seals, "MOST", 2)
    for _ in range(5):
        event()
    assert [one.rows for one in seals.seal_all()] == [2, 2, 1]
    assert [one.number for one in Seal.objects.order_by("number")] == [1, 2, 3]
    assert list(sealed()) == []
