"""A worker process that is killed in the middle of a run, and started again (RUN-2)."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import date

import psycopg2
import pytest
from django.db import connection

from backlog.models import BacklogItem
from contracts.models import NumberSequence, ScheduleEntry
from invoicing_site.floor import jobs
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, RunContract
from tests import factories
from tests.background import make_late
from tests.running import ROOT, environment

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

JAN_15, JAN_31, FEB_1, MAR_1 = date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 1), date(2025, 3, 1)
CONTRACTS, ITEMS = 8, 25
RUN = ("run_invoicing", "--entity", "NO1", "--as-of", "2025-03-01")


@pytest.fixture
@factories.remembered
def contracts(company, ready, due):
    """Eight contracts with 25 hours each, due on 1 February."""
    made = []
    for _ in range(CONTRACTS):
        contract = factories.contract(company, confirmed=True)
        due(contract.lines.get(), FEB_1, JAN_31)
        for _ in range(ITEMS):
            ready(contract, day=JAN_15)
        made.append(contract)
    return made


def address():
    given = connection.settings_dict
    login = given["USER"] + (f":{given['PASSWORD']}" if given["PASSWORD"] else "")
    return f"postgres://{login}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"


def start(tmp_path, *command):
    """Start the command in a separate process, with the database and the clock of this test."""
    command = [sys.executable, "manage.py", *(command or RUN)]
    env = environment(
        tmp_path,
        DJANGO_SETTINGS_MODULE="tests.settings",
        TEST_DATABASE_URL=address(),
        LEDGERLINE_TEST_CLOCK=os.environ["LEDGERLINE_TEST_CLOCK"],
    )
    with (tmp_path / "run.log").open("a") as log:
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)


@contextmanager
def row_locked(table, pk):
    """Lock a row on a separate connection; yields a function that tells whether somebody waits for it."""
    other = psycopg2.connect(address())
    try:
        with other.cursor() as cursor:
            cursor.execute(f'SELECT 1 FROM "{table}" WHERE id = %s FOR NO KEY UPDATE', [pk])
        yield lambda: somebody_waits_for(other.get_backend_pid())
    finally:
        other.rollback()
        other.close()


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "It never came to that."
        time.sleep(0.05)


def somebody_waits_for(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", [pid])
        return cursor.fetchone()[0] > 0


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL


def assert_everything_is_invoiced_once():
    claims = Counter(LineDetail.objects.values_list("backlog_item", flat=True))
    assert set(claims.values()) == {1}
    assert set(claims) == set(BacklogItem.objects.values_list("pk", flat=True))
    assert set(BacklogItem.objects.values_list("status", flat=True)) == {"created"}
    assert ProformaInvoice.objects.count() == CONTRACTS
    assert len(claims) == CONTRACTS * ITEMS
    assert set(ScheduleEntry.objects.values_list("status", flat=True)) == {"succeeded"}


def test_killed_in_the_middle_of_writing_a_contract(company, contracts, tmp_path):
    """RUN-2: three contracts are done; the fourth is written and not committed when the process is killed."""
    sequence = NumberSequence.objects.get(entity=company.entity, kind="proforma")
    with ExitStack() as stop:
        with row_locked("contracts_projectcontract", contracts[3].pk) as is_at_the_fourth:
            process = start(tmp_path)
            wait_until(is_at_the_fourth)
            wants_its_number = stop.enter_context(row_locked("contracts_numbersequence", sequence.pk))
        # Now the process continues: it claims the items, writes the details, and then draws its number.
        wait_until(wants_its_number)
        kill(process)
    (dead,) = InvoiceRun.objects.all()
    assert dead.status == "running"
    done = list(ProformaInvoice.objects.order_by("pk").values_list("pk", "number"))
    assert len(done) == 3
    assert BacklogItem.objects.filter(contract=contracts[3], status="ready").count() == ITEMS

    make_late()
    again = start(tmp_path)
    assert again.wait(120) == 0, (tmp_path / "run.log").read_text()

    assert_everything_is_invoiced_once()
    assert list(ProformaInvoice.objects.order_by("pk").values_list("pk", "number"))[:3] == done
    dead.refresh_from_db()
    assert (dead.status, dead.run_contracts.count()) == ("finished", CONTRACTS)
    assert dead.proformas.count() == CONTRACTS
    latest = InvoiceRun.objects.latest("pk")
    assert (latest.status, latest.due, latest.proformas.count()) == ("finished", 0, 0)


def test_killed_at_any_moment_repeatedly(company, contracts, tmp_path):
    """RUN-2: each start is killed a little later than the one before, until one finishes."""
    log = tmp_path / "run.log"
    for done in range(1, CONTRACTS, 2):
        process = start(tmp_path)
        wait_until(lambda: ProformaInvoice.objects.count() >= done or process.poll() is not None)  # noqa: B023
        if process.poll() is None:
            kill(process)
    assert InvoiceRun.objects.filter(status="running").exists(), log.read_text()
    again = start(tmp_path)
    assert again.wait(120) == 0, log.read_text()
    assert_everything_is_invoiced_once()

    left = InvoiceRun.objects.filter(status="running")
    make_late()
    jobs.sweep()
    assert not left.exists()
    assert_everything_is_invoiced_once()
    assert not RunContract.objects.filter(outcome="failed").exists()
