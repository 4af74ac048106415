"""Two administrators who delete each other at the same moment: on PostgreSQL, with real threads."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from contracts.admin import people
from contracts.models import Membership
from tests import factories

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_two_administrators_who_delete_each_other_leave_one(monkeypatch):
    """SEC-1: without a lock, each of them would check the others before either has deleted."""
    entity = factories.LegalEntityFactory()
    rows = [factories.MembershipFactory(entity=entity, role="administrator") for _ in "ab"]
    for row in rows:
        row.user.is_staff = True
        row.user.save()
    both_judge = threading.Barrier(2)
    judge = people.KeepsAdministrators.get_deleted_objects

    def judged(*args):
        found = judge(*args)
        with suppress(threading.BrokenBarrierError):  # the other one waits for the lock
            both_judge.wait(2)
        return found

    monkeypatch.setattr(people.KeepsAdministrators, "get_deleted_objects", judged)

    def delete(by, row):
        client = Client(raise_request_exception=False)
        client.force_login(by.user)
        try:
            where = reverse("admin:contracts_membership_delete", args=[row.pk])
            return client.post(where, {"post": "yes"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(delete, *pair) for pair in (rows, reversed(rows))]
        answers = sorted(each.result(60) for each in asked)

    assert Membership.objects.filter(entity=entity, role="administrator").count() == 1
    assert answers == [302, 403]
