"""Verifying in several processes (PST-7)."""

import os
import signal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from invoicing_site.floor import audit, guards, seals, transaction
from invoicing_site.management.commands import verify_ledger
from invoicing_site.models import AuditEvent
from invoicing_site.verify import jobs, look
from invoicing_site.verify.finding import Finding

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def number(n):
    yield Finding("CHAIN", "NO1", str(n), "", str(os.getpid()))


def killed():
    os.kill(os.getpid(), signal.SIGKILL)
    yield


def test_several_processes_find_the_same_as_one():
    """PST-7"""
    with transaction.atomic():
        event = audit.record("tests.happened", None)
    seals.seal_all()
    guards.drop(connection)
    AuditEvent.objects.filter(pk=event.pk).update(action="tests.changed")
    guards.install(connection)
    alone = list(look())
    assert [(found.code, found.where) for found in alone] == [
        ("SEAL", f"invoicing_site.auditevent:{event.pk}")
    ]
    assert list(look(jobs=2)) == alone


def test_the_findings_are_in_the_order_of_the_checks():
    """PST-7: whichever process ends first."""
    found = list(jobs.found([jobs.Part(number, (n,)) for n in range(5)], 2))
    assert [each.number for each in found] == ["0", "1", "2", "3", "4"]
    assert str(os.getpid()) not in {each.sentence for each in found}


def test_a_killed_process_is_an_error_and_not_a_result(monkeypatch):
    """PST-7: exit code 2, because no finding does not mean that nothing was wrong."""
    monkeypatch.setattr(verify_ledger, "look", lambda *args, **kwargs: jobs.found([jobs.Part(killed, ())], 2))
    with pytest.raises(CommandError, match="Not everything was verified") as error:
        call_command("verify_ledger", jobs=2, stdout=StringIO())
    assert error.value.returncode == 2
