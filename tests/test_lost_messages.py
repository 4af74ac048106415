"""Any message can be lost: the sweeps then do its work."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

from actuals import importing
from actuals.models import Actual, Entry
from actuals.operations import imports
from contracts.models import LegalEntity, Membership
from invoicing_site.celery import app
from invoicing_site.floor import files, jobs
from invoicing_site.models import Job, Notice
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import CustomerInvoice, Document, IntegrationJournal, InvoiceProposal, JournalLine, Voucher
from proforma import operations as proformas
from proforma.models import InvoiceRun, ProformaInvoice
from tests import factories
from tests.background import make_late
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


def create_proposal(it):
    book = work(it, it.contract)
    book_journals(it)
    confirmed(it, book)
    return lambda: InvoiceProposal.objects.filter(status="open").exists()


def fill(it):
    proposal = proposals.create_proposal(confirmed(it, work(it, it.contract)))
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
    journals.add_to_journals(it.entity, on=MARCH_31, by=it.accountant)
    journal = IntegrationJournal.objects.get()
    asked = {"by": it.accountant, "entity": it.entity, "on": MARCH_31.isoformat()}
    jobs.enqueue_on_commit("post_journals", journals=[journal.pk], **asked)
    return lambda: (
        IntegrationJournal.objects.get().status == "posted"
        and Notice.objects.filter(user=it.accountant, text="1 journal line posted.").count() == 1
    )


def post_invoices(it):
    proposal = proposed(it, work(it, it.contract))
    asked = {"by": it.accountant, "entity": it.entity, "on": MARCH_31.isoformat()}
    job = jobs.enqueue_on_commit("post_invoices", proposals=[proposal.pk], **asked)
    url = job.get_absolute_url()
    return lambda: (
        CustomerInvoice.objects.count() == 1
        and Notice.objects.filter(user=it.accountant, text="1 of 1 invoice posted.", url=url).count() == 1
    )


def add_to_journals(it):
    work(it, it.contract)
    asked = {"by": it.accountant, "entity": it.entity, "on": MARCH_31.isoformat()}
    jobs.enqueue_on_commit("add_to_journals", **asked)
    return lambda: (
        JournalLine.objects.filter(actual__type=Actual.Type.UNBILLED_SALES).count() == 1
        and Notice.objects.filter(user=it.accountant).count() == 1
    )


def take_in(it):
    content = b"date,resource,project,task,category,hours\n2025-03-10,ANNA,NO1-P1,DESIGN,WORK,8\n"
    stored = files.store(content, name="hours.csv", media_type="text/csv", by=it.accountant)
    imports.ask(stored, it.entity, importing.Mapping(), by=it.accountant, rows=1, submit=False)
    return lambda: list(Entry.objects.values_list("quantity", flat=True)) == [Decimal("8.0000")]


# The kinds of jobs, and a function that requests each; it returns a check that the work is done.
KINDS = {
    "confirm_proformas": confirm,
    "invoice_run": run,
    "propose": create_proposal,
    "fill_proposals": fill,
    "draw_documents": draw,
    "add_to_journals": add_to_journals,
    "post_journals": post_journals,
    "post_invoices": post_invoices,
    "import_entries": take_in,
}
_SENT = re.compile(r"\.(delay|delay_on_commit|apply_async|send_task)\(")


def sweep():
    for entry in app.conf.beat_schedule.values():
        import_string(entry["task"])()


@pytest.mark.parametrize("kind", KINDS)
def test_the_sweeps_do_the_work_of_a_lost_message(kind, it):
    """PST-1 RUN-2 IMP-1: tests commit nothing, so no message is sent."""
    is_done = KINDS[kind](it)
    assert Job.objects.filter(kind=kind, state="waiting").exists()
    assert not is_done()
    make_late()
    sweep()
    assert is_done()
    assert not Job.objects.filter(kind=kind).exclude(state="done").exists()
    sweep()
    assert is_done()


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_that_arrives_many_times_has_one_effect(kind, it):
    """PST-1 RUN-2 IMP-1: also when the worker was killed after the work, before it recorded the result."""
    is_done = KINDS[kind](it)
    make_late()
    sweep()
    ended = Job.objects.filter(kind=kind)
    ended.update(state="running", ended_at=None, outcome_code="")
    Notice.objects.all().delete()
    make_late()
    for pk in ended.values_list("pk", flat=True):
        jobs.perform(pk)
        jobs.perform(pk)
    assert not Job.objects.filter(kind=kind).exclude(state="done").exists()
    assert Notice.objects.count() == ended.count()
    assert not ended.filter(is_problem=True).exists()
    if kind in ("post_journals", "post_invoices", "add_to_journals"):
        return  # their work includes the notice of the first time
    assert is_done()


@pytest.mark.parametrize(
    "kind", sorted(name for name, kind in jobs.KINDS.items() if kind.permission != "system")
)
def test_nothing_is_done_for_a_user_who_lost_the_permission(kind, it):
    """SEC-1: all users lost their roles before the job ran."""
    is_done = KINDS[kind](it)
    Membership.objects.all().delete()
    before = Entry.objects.count(), Voucher.objects.count(), ProformaInvoice.objects.count()
    make_late()
    jobs.sweep()
    assert not Job.objects.filter(state__in=["waiting", "running"]).exists()
    assert (Entry.objects.count(), Voucher.objects.count(), ProformaInvoice.objects.count()) == before
    assert not ProformaInvoice.objects.filter(status="confirmed", confirm_job="complete").exists()
    if kind != "invoice_run":  # the run is done, and each of its contracts has failed
        assert not is_done()


def test_every_kind_of_job_is_tested():
    """A new kind of job needs a line here that creates one."""
    assert set(jobs.KINDS) - {"answer"} == set(KINDS)


def test_messages_are_sent_in_one_place():
    """A message without a job row could be lost for good."""
    found = set()
    for path in sorted(ROOT.glob("*/**/*.py")):
        room = path.relative_to(ROOT).parts[0]
        if room in {"contracts", "actuals", "backlog", "proforma", "ledger", "invoicing_site"}:
            found |= {str(path.relative_to(ROOT)) for _ in _SENT.finditer(path.read_text())}
    assert found == {"invoicing_site/floor/jobs.py"}
