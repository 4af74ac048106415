"""A message through a real Redis to a real worker process, which does its work in the same database."""

import os
import subprocess
import sys
import time
import uuid
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

from invoicing_site.floor import jobs
from ledger.invoicing.operations import posting, proposals
from ledger.models import Document, InvoiceProposal
from proforma import operations as proformas
from proforma.models import ProformaInvoice
from tests import factories
from tests.journeys.steps import APRIL_1, approved, confirmed, drafted, journalled

ROOT = Path(__file__).resolve().parents[2]
PERFORM = jobs.deliver.name
PATIENCE = 60  # seconds; the machine may be busy


def until(condition):
    """Wait until the condition is true; returns its result, or None after the timeout."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    return None


# The worker has the clock of the tests too.
_WORKER = (sys.executable, "-m", "celery", "-A", "invoicing_site", "worker", "--include", "tests.clock")


@pytest.fixture
def worker(transactional_db, tmp_path):
    """A separate worker process with a separate queue, and the sender of messages to it."""
    database = connection.settings_dict
    address = f"{database['USER']}:{database['PASSWORD']}" if database["PASSWORD"] else database["USER"]
    url = f"postgres://{address}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"
    queue = f"tests-{uuid.uuid4().hex}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "invoicing_site.settings",
        "DATABASE_URL": url,
        "CELERY_BROKER_URL": settings.TEST_REDIS_URL,
        "LEDGERLINE_DATA": str(settings.DATA),
        "SECRET_KEY": "of this test only, and long enough to pass for a secret key",
    }
    log = (tmp_path / "worker.log").open("w")
    process = subprocess.Popen(
        [*_WORKER, "-Q", queue, "-c", "1"],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    sender = Celery("sender", broker=settings.TEST_REDIS_URL)
    sender.conf.task_default_queue = queue
    yield sender
    process.terminate()
    process.wait(30)
    sender.close()


def _lost_messages():
    """While this is active, no message of a job is sent."""
    return patch("invoicing_site.floor.jobs._send", lambda job: None)


@pytest.mark.postgres
@pytest.mark.redis
def test_a_worker_confirms_proposes_and_prints(worker):
    """PRO-5 PRO-7 DOC-1: confirmed, proposed and printed by messages only."""
    company = factories.company(cost_price=100, sales_price=200)
    contract = confirmed(factories.contract(company), company)
    approved(company, [factories.time_entry(company, "8", date=date(2025, 3, 10))])
    journalled(company)
    (proforma,) = drafted(company, contract)
    with _lost_messages():
        asked = proformas.confirm_many([proforma], by=company.manager, on=APRIL_1)
    assert not ProformaInvoice.objects.filter(status="confirmed").exists()
    worker.send_task(PERFORM, [asked.pk])
    assert until(lambda: ProformaInvoice.objects.filter(pk=proforma.pk, status="confirmed").first())

    # The worker sent the next jobs to the usual queue, which it does not read in this test.
    worker.send_task(PERFORM, [jobs.about(proforma).get(kind="propose").pk])
    proposal = until(lambda: InvoiceProposal.objects.filter(proforma=proforma).first())
    assert proposal

    with _lost_messages():
        proposals.fill_lines(proposal)
        invoice = posting.post(proposal, by=company.accountant, on=APRIL_1)
    assert not Document.objects.exists()
    (drawing,) = jobs.about(invoice)
    for _ in range(2):
        worker.send_task(PERFORM, [drawing.pk])
    document = until(
        lambda: Document.objects.filter(invoice=invoice, kind="pdf").select_related("file").first()
    )
    assert document
    assert document.file.size > 1000
