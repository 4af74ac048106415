"""Scheduled tasks and commands of the ledger; all of them are safe to repeat."""

import json
from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.utils import timezone

from backlog.models import BacklogItem
from backlog.operations import approve, confirm_contract, mark_ready
from contracts.models import LegalEntity
from invoicing_site.floor import jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import Job, StoredFile
from ledger import tasks
from ledger.invoicing.operations.approvals import approve_proposal, submit_proposal
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.models import (
    CustomerInvoice,
    Document,
    IntegrationJournal,
    InvoiceProposal,
    InvoiceToDocument,
    JournalLine,
)
from proforma.operations import confirm, create_proformas
from tests import factories
from tests.ledger.billing import MARCH_31, book_journals, confirmed, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(monkeypatch):
    """The numbers of the invoices with a created document; no real PDFs."""
    numbers = []

    def draw(invoice):
        numbers.append(invoice.number)
        if not invoice.documents.exists():
            file = StoredFile.objects.create(
                sha256=invoice.number, size=1, media_type="application/pdf", name="x"
            )
            invoice.documents.create(kind=Document.Kind.PDF, file=file)
            InvoiceToDocument.objects.filter(invoice=invoice).delete()

    monkeypatch.setattr("ledger.document.operations.draw", draw)
    return numbers


@factories.remembered
def posted(no1, contract):
    return post(proposed(no1, work(no1, contract)), by=no1.accountant, on=MARCH_31)


def command(name, *options, capsys):
    call_command(name, "--entity", "NO1", "--on", "2025-03-31", *options)
    return capsys.readouterr().out


def do_twice(kind):
    """Call its handler twice, as after a worker that seemed dead; then deliver its message twice."""
    job = Job.objects.filter(kind=kind, state="waiting").latest("pk")
    for _ in range(2):
        jobs.KINDS[kind].handler(jobs.Work(job, jobs.KINDS[kind]), **job.params)
    for _ in range(2):
        jobs.perform(job.pk)
    assert not Job.objects.filter(pk=job.pk).exists()


def test_a_message_that_arrives_twice_does_no_harm(no1, contract, drawn):
    """PRO-7 PST-1"""
    confirmed(no1, work(no1, contract))
    do_twice("propose")
    book_journals(no1)
    do_twice("fill_proposals")
    proposal = InvoiceProposal.objects.get()
    assert (proposal.status, proposal.lines.count()) == ("open", 1)

    post(proposal, by=no1.accountant, on=MARCH_31)
    do_twice("draw_documents")
    assert Document.objects.count() == 1


def test_a_sweep_creates_missing_documents(no1, contract, drawn):
    """PST-1: and none twice."""
    first, second = posted(no1, contract), posted(no1, contract)

    tasks.sweep()
    tasks.sweep()

    assert drawn == [first.number, second.number]


def test_a_document_that_fails_does_not_stop_the_sweep(no1, contract, drawn, monkeypatch):
    """DOC-1"""
    first, second = posted(no1, contract), posted(no1, contract)
    draw = tasks.documents.draw

    def fail_for_the_first(invoice):
        if invoice == first:
            raise ValueError("its logo is broken")
        return draw(invoice)

    with monkeypatch.context() as patched:
        patched.setattr("ledger.document.operations.draw", fail_for_the_first)
        tasks.sweep()

    assert drawn == [second.number]
    assert InvoiceToDocument.objects.get().reason.code == "DOCUMENT-FAILED"
    tasks.sweep()
    assert drawn == [second.number]
    with time_machine.travel(timezone.now() + timedelta(hours=7)):
        tasks.sweep()
    assert drawn == [second.number, first.number]


def test_without_the_libraries_a_sweep_tries_only_one(no1, contract, monkeypatch):
    """DOC-1"""
    posted(no1, contract), posted(no1, contract)
    tried = []

    def refuse(invoice):
        tried.append(invoice)
        raise Refused("PDF-LIBRARIES")

    monkeypatch.setattr("ledger.document.operations.draw", refuse)

    tasks.sweep()

    assert len(tried) == 1
    assert [row.reason for row in InvoiceToDocument.objects.all()] == [None, None]


def test_an_error_of_one_company_does_not_stop_the_others(no1, contract, drawn, monkeypatch):
    """PRO-7"""
    factories.company(code="AA0")
    confirmed(no1, work(no1, contract))
    create_proposals = tasks.proposals.create_proposals

    def fail_for_the_other(entity):
        if entity.code == "AA0":
            raise RuntimeError("no")
        return create_proposals(entity)

    monkeypatch.setattr("ledger.invoicing.operations.proposals.create_proposals", fail_for_the_other)

    tasks.sweep()

    assert InvoiceProposal.objects.count() == 1


def test_actuals_are_added_to_journals_by_the_schedule(no1, contract):
    """JRN-1"""
    item = work(no1, contract)

    tasks.add_to_journals()
    tasks.add_to_journals()

    assert JournalLine.objects.get().actual == item.actual


def test_propose_names_blockers(no1, contract, capsys):
    """PRP-1"""
    item = work(no1, contract)
    book_journals(no1)
    confirmed(no1, item)
    waiting = confirmed(no1, work(no1, contract))

    said = command("propose", capsys=capsys)

    assert "2 proposals created, 1 filled in." in said
    assert f"Proposal {waiting.number} waits for 1 actual" in said
    answer = json.loads(command("propose", "--json", capsys=capsys))
    assert (answer["created"], answer["filled"], list(answer["blocked"])) == ([], [], [waiting.number])


def test_post_invoices_posts_open_proposals(no1, contract, capsys, drawn):
    """PST-1"""
    proposal = proposed(no1, work(no1, contract))
    create_proposal(confirmed(no1, work(no1, contract)))  # blocked

    answer = json.loads(command("post_invoices", "--by", no1.accountant.username, "--json", capsys=capsys))

    assert answer["posted"] == [
        {
            "proposal": proposal.number,
            "invoice": "INV-2025-000001",
            "kind": "invoice",
            "currency": "NOK",
            "total": "1250.0000",
            "warnings": [],
        }
    ]
    assert (answer["refused"], answer["on"]) == ([], "2025-03-31")
    assert CustomerInvoice.objects.get().voucher.posted_by == no1.accountant
    assert command("post_invoices", capsys=capsys) == "0 posted, 0 refused.\n"


def test_post_invoices_posts_only_approved_proposals_if_required(no1, contract, capsys, drawn):
    """PRP-4"""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_proposal_approval=True)
    first, second = (proposed(no1, work(no1, contract)) for _ in range(2))
    submit_proposal(first, by=no1.accountant)
    approve_proposal(first, by=no1.administrator)

    said = command("post_invoices", capsys=capsys)

    assert said.splitlines() == [
        "1 posted, 0 refused.",
        f"{first.number} is INV-2025-000001, NOK 1,250.00.",
    ]
    with pytest.raises(CommandError, match="1 proposal is refused"):
        command("post_invoices", "--number", second.number, capsys=capsys)
    assert f"{second.number} is not posted" in capsys.readouterr().out


def test_a_future_day_is_refused(no1):
    """PRP-8"""
    with pytest.raises(CommandError, match="in the future"):
        call_command("post_invoices", "--entity", "NO1", "--on", "2098-01-01")


def test_scheduled_posting_counts_the_approver_as_the_second_person(no1, contract, drawn):
    """SEC-2: it posts only proposals whose approver is not the user who confirmed."""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(
        separate_confirm_and_post=True, require_proposal_approval=True, posts_invoices_by_clock=True
    )
    by_another, by_the_same = (proposed(no1, work(no1, contract)) for _ in range(2))
    for proposal, approver in ((by_another, no1.administrator), (by_the_same, no1.manager)):
        submit_proposal(proposal, by=no1.accountant)
        approve_proposal(proposal, by=approver)

    tasks.post_by_clock()

    assert [invoice.proposal for invoice in CustomerInvoice.objects.all()] == [by_another]
    by_the_same.refresh_from_db()
    assert by_the_same.last_error == Reason(
        "SAME-PERSON-APPROVED", entity=no1.entity, proforma=by_the_same.proforma, user=no1.manager
    )


def test_scheduled_posting_posts_nothing_without_an_approval(no1, contract, drawn):
    """SEC-2: even if the parameters are inconsistent, and from the command line without a user."""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(separate_confirm_and_post=True)
    proposal = proposed(no1, work(no1, contract))

    tasks.post_invoices(no1.entity.pk)

    assert not CustomerInvoice.objects.exists()
    proposal.refresh_from_db()
    assert proposal.last_error.code == "NOBODY-APPROVED"
    tasks.post_invoices(no1.entity.pk, no1.accountant.pk)
    assert CustomerInvoice.objects.get().proposal == proposal


@pytest.mark.parametrize("approved", [False, True])
def test_scheduled_posting_with_two_people_needs_an_approver(no1, approved):
    """SEC-2: the combination of parameters is refused, by the form and by the database."""
    no1.entity.separate_confirm_and_post = no1.entity.posts_invoices_by_clock = True
    no1.entity.require_proposal_approval = approved
    if approved:
        no1.entity.full_clean(exclude=["logo"])
        no1.entity.save()
        return
    with pytest.raises(ValidationError, match="also tick “require proposal approval”"):
        no1.entity.full_clean(exclude=["logo"])
    with pytest.raises(IntegrityError):
        no1.entity.save()


def test_scheduled_posting_is_for_companies_that_enabled_it(drawn):
    """PST-1 JRN-4: journals and invoices of one company, none of the other; repeating it does nothing."""
    wanting = factories.company(posts_journals_by_clock=True, posts_invoices_by_clock=True)
    other = factories.company(code="SE1")
    for company in (wanting, other):
        contract = confirm_contract(factories.contract(company), by=company.manager)
        approve([factories.time_entry(company, "8", date=date(2025, 3, 10))], by=company.manager)
        mark_ready(BacklogItem.objects.filter(contract=contract), by=company.manager)
        (proforma,) = create_proformas([contract], cutoff=date(2025, 3, 31), on=date(2025, 4, 1), by=None)
        confirm(proforma, by=company.manager)
    tasks.add_to_journals()
    for _ in range(2):
        tasks.sweep()
        tasks.post_by_clock()
    assert [invoice.entity for invoice in CustomerInvoice.objects.all()] == [wanting.entity]
    assert set(IntegrationJournal.objects.values_list("entity__code", "status")) == {
        ("NO1", "posted"),
        ("SE1", "draft"),
    }
