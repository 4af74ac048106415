"""Every pair of verbs that can meet on one document, as real requests at the same moment, on PostgreSQL.

Both requests are answered without an internal error or a deadlock, and the books are correct afterwards. All
pairs use one company.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from contracts.models import LegalEntity
from invoicing_site.floor import transaction
from invoicing_site.verify import findings
from tests import factories
from tests.emptying import empty_tables
from tests.ledger.billing import MARCH_31
from tests.pairs import PAIRS

pytestmark = pytest.mark.postgres
ROUNDS = 2


@pytest.fixture(scope="module")
def it(django_db_setup, django_db_blocker):
    """A company with signed-in people; changes are committed, and deleted at the end."""
    if connection.vendor != "postgresql":
        pytest.skip("runs elsewhere: needs postgres")
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(LegalEntity, "today", lambda self: MARCH_31)
        patch.setattr("ledger.document.operations.draw", lambda invoice: None)
        it = factories.company()
        it.clients = {}
        for who in ("manager", "accountant", "member"):
            it.clients[who] = Client(raise_request_exception=False)
            it.clients[who].force_login(getattr(it, who))
        try:
            yield it
            assert findings() == []
        finally:
            empty_tables()


@pytest.fixture
def conflicts(monkeypatch):
    """The deadlocks and similar conflicts, also those that the second attempt solved."""
    met, ask = [], transaction.is_conflict

    def is_conflict(error):
        answer = ask(error)
        if answer:
            met.append(str(error))
        return answer

    monkeypatch.setattr(transaction, "is_conflict", is_conflict)
    return met


def at_once(it, requests):
    together = threading.Barrier(len(requests))

    def ask(request):
        who, name, key, data = request
        client = Client(raise_request_exception=False)
        client.cookies = it.clients[who].cookies
        url = reverse(name, args=[key] if key is not None else [])
        together.wait(20)
        try:
            return client.post(url, data)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(requests)) as threads:
        return [future.result(60) for future in [threads.submit(ask, request) for request in requests]]


@pytest.mark.django_db  # a database is set up only where a test asks for one
def test_there_are_enough_pairs():
    assert len(PAIRS) >= 30


@pytest.mark.parametrize("name", PAIRS)
def test_both_requests_are_answered(name, it, conflicts):
    """PRP-6 RUN-2 PST-1 NTE-4"""
    for _ in range(ROUNDS):
        answers = at_once(it, PAIRS[name](it))
        assert [answer.status_code for answer in answers if answer.status_code not in (200, 302, 404)] == []
    assert conflicts == []
