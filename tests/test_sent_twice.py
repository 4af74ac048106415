"""A form that is submitted twice, by a double click, is answered both times."""

import uuid

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from contracts.models import LegalEntity
from tests import factories, pairs
from tests.ledger.billing import MARCH_31

pytestmark = pytest.mark.django_db
DOCUMENTS = [each for each in vars(pairs).values() if isinstance(each, pairs.Document)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.build.__name__)
def test_a_form_that_is_submitted_twice_is_answered_twice(document, monkeypatch):
    """PRO-1: the first submission is rolled back, so that the second finds the same rows."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)
    monkeypatch.setattr("ledger.document.operations.draw", lambda invoice: None)
    it, failed = factories.company(), []
    it.clients = {}
    for who in ("manager", "accountant", "member"):
        it.clients[who] = Client(raise_request_exception=False)
        it.clients[who].force_login(getattr(it, who))
    for verb, (who, name, key, data) in document.build(it).items():
        typed = data | {"once": uuid.uuid4().hex}
        for time in ("first", "second"):
            before = transaction.savepoint()
            answer = it.clients[who].post(reverse(name, args=[] if key is None else [key]), typed)
            transaction.savepoint_rollback(before)
            failed += [(verb, time, answer.status_code)] if answer.status_code >= 500 else []
    assert failed == []
