"""Every message may be lost: what it asked for is done all the same, by the sweeps alone."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string

from actuals import importing
from actuals.models import Actual, Entry
from contracts.models import LegalEntity
from invoicing_site.celery import app, ring
from invoicing_site.models import Message, Notice
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import CustomerInvoice, Document, IntegrationJournal, InvoiceProposal, JournalLine
from proforma import operations as proformas
from proforma.models import InvoiceRun, ProformaInvoice
from tests import factories
from tests.ledger.billing import MARCH_31, book_journals, confirmed, drafted, proposed, work

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def it(monkeypatch):
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)
    monkeypatch.setattr(
        "ledger.document.drawing.pdf",
        lambda content: b"%PDF " + content.invoice.number.encode(),
        raising=True,
    )
    it = factories.company()
    it.contract = factories.contract(it, confirmed=True)
    return it


def confirm(it):
    drafts = [drafted(it, work(it, it.contract)) for _ in range(2)]
    proformas.confirm_many(drafts, by=it.manager)
    return lambda: ProformaInvoice.objects.filter(status="confirmed").count() == 2


def take_up(it):
    book = work(it, it.contract)
    book_journals(it)
    confirmed(it, book)
    return lambda: InvoiceProposal.objects.filter(status="open").exists()


def fill(it):
    proposal = proposals.take_up(confirmed(it, work(it, it.contract)))
    assert proposal.status == "blocked"
    book_journals(it)
    return lambda: InvoiceProposal.objects.get().status == "open"


def draw(it):
    posting.post(proposed(it, work(it, it.contract)), by=it.accountant, on=MARCH_31)
    return lambda: Document.objects.count() == 1


def run(it):
    work(it, it.contract)
    proformas.begin_run(it.entity, as_of=MARCH_31, by=it.manager)
    return lambda: InvoiceRun.objects.filter(status="finished", started_by=it.manager).exists()


def post_journals(it):
    work(it, it.contract)
    journals.take_up_actuals(it.entity, on=MARCH_31, by=it.accountant)
    journal = IntegrationJournal.objects.get()
    ring("ledger.tasks.post_chosen_journals", [journal.pk], it.accountant.pk, MARCH_31.isoformat())
    return lambda: (
        IntegrationJournal.objects.get().status == "posted"
        and Notice.objects.filter(user=it.accountant, text="1 journal line posted.").count() == 1
    )


def post_invoices(it):
    proposal = proposed(it, work(it, it.contract))
    ring("ledger.tasks.post_chosen_invoices", [proposal.pk], it.accountant.pk, MARCH_31.isoformat(), "/x/")
    return lambda: (
        CustomerInvoice.objects.count() == 1
        and Notice.objects.filter(user=it.accountant, text="1 of 1 invoice posted.", url="/x/").count() == 1
    )


def take_up_actuals(it):
    work(it, it.contract)
    ring("ledger.tasks.take_up_for", it.entity.pk, it.accountant.pk, MARCH_31.isoformat())
    return lambda: (
        JournalLine.objects.filter(actual__type=Actual.Type.UNBILLED_SALES).count() == 1
        and Notice.objects.filter(user=it.accountant).count() == 1
    )


def take_in(it):
    content = b"date,resource,project,task,category,hours\n2025-03-10,ANNA,NO1-P1,DESIGN,WORK,8\n"
    stored = importing.files.store(content, name="hours.csv", media_type="text/csv", by=it.accountant)
    importing.ask(stored, it.entity, importing.Mapping(), by=it.accountant, rows=1, submit=False)
    return lambda: list(Entry.objects.values_list("quantity", flat=True)) == [Decimal("8.0000")]


# What is rung, and how it comes about; the answer says whether what was asked for is done.
MESSAGES = {
    "proforma.tasks.confirm_one": confirm,
    "proforma.tasks.carry_out_run": run,
    "ledger.tasks.take_up_proforma": take_up,
    "ledger.tasks.fill_proposals": fill,
    "ledger.tasks.draw_documents": draw,
    "ledger.tasks.take_up_for": take_up_actuals,
    "ledger.tasks.post_chosen_journals": post_journals,
    "ledger.tasks.post_chosen_invoices": post_invoices,
    "actuals.tasks.take_in": take_in,
}
_SENT = re.compile(r'\bring\(\s*"([\w.]+)"|\.(delay|delay_on_commit|apply_async|send_task)\(')


def sweep():
    for entry in app.conf.beat_schedule.values():
        import_string(entry["task"])()


@pytest.mark.parametrize("task", MESSAGES)
def test_a_lost_message_is_made_up_for(task, it):
    """PST-1 RUN-2 IMP-1: nothing that a test does is committed, so no message ever leaves."""
    is_done = MESSAGES[task](it)
    assert Message.objects.filter(task=task).exists()
    assert not is_done()
    Message.objects.update(sent_at=timezone.now() - timedelta(minutes=2))
    sweep()
    assert is_done()
    assert not Message.objects.filter(task=task).exists()
    sweep()
    assert is_done()


def test_every_message_of_the_program_is_among_these():
    """Who sends a new one says here how it is made up for."""
    found = {}
    for path in sorted(ROOT.glob("*/**/*.py")):
        room = path.relative_to(ROOT).parts[0]
        if room in {"contracts", "actuals", "backlog", "proforma", "ledger", "invoicing_site"}:
            for match in _SENT.finditer(path.read_text()):
                found.setdefault(match[1] or match[2], str(path.relative_to(ROOT)))
    assert found.pop("delay") == "invoicing_site/celery.py"
    assert set(found) == set(MESSAGES)
