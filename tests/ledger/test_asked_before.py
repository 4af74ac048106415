"""A user who requests a job must still have the permission when the job runs."""

import datetime
from unittest.mock import Mock

import pytest

from contracts.models import Membership, ScheduleEntry
from invoicing_site.floor import jobs
from invoicing_site.models import Job, Notice
from ledger.invoicing import groups
from ledger.invoicing.operations import posting
from ledger.journal.operations import journals
from ledger.models import CustomerInvoice, IntegrationJournal, InvoiceProposal, JournalLine
from proforma import operations as proformas
from proforma.models import InvoiceRun, ProformaInvoice
from tests import factories
from tests.background import do, do_jobs, post_invoices
from tests.ledger.billing import MARCH_31, drafted, proposed, work

pytestmark = pytest.mark.django_db

APRIL_1 = datetime.date(2025, 4, 1)


def without_role(user):
    """Remove the user's role; the given object still has cached roles, as an object in a worker can have."""
    Membership.objects.filter(user=user).delete()


def said(user, permission, row):
    return (
        f"{user} requested this, but may no longer do it for {row} (permission “{permission}”), so it was "
        "not done. Somebody with that permission can do it."
    )


def test_a_confirmation_requested_by_a_user_who_left_is_refused(no1, contract):
    """PRO-7, SEC-1"""
    proforma = drafted(no1, work(no1, contract))
    proformas.confirm_many([proforma], by=no1.manager, on=MARCH_31)
    without_role(no1.manager)
    do_jobs("confirm_proformas")
    proforma = ProformaInvoice.objects.get()
    assert (proforma.status, proforma.confirm_job) == ("draft", "failed")
    assert proforma.confirm_error.sentence == said(no1.manager, "proforma.confirm", proforma)


def test_invoices_requested_by_a_user_who_left_are_not_posted(no1, contract):
    """PST-1, SEC-1"""
    proposal = proposed(no1, work(no1, contract))
    without_role(no1.accountant)
    post_invoices(no1, proposal)
    assert not CustomerInvoice.objects.exists()
    sentence = said(no1.accountant, "proposal.post", proposal)
    assert InvoiceProposal.objects.get().last_error.sentence == sentence
    assert Notice.objects.get(user=no1.accountant).text == "0 of 1 invoice posted."


def test_a_user_who_leaves_in_the_middle_posts_only_the_earlier_ones(no1, contract, monkeypatch):
    """SEC-1: the permission is checked for each transaction, here of one invoice."""
    monkeypatch.setattr(groups, "MOST", 1)
    first, second = proposed(no1, work(no1, contract)), proposed(no1, work(no1, contract))
    write = posting.write_invoices

    def and_leave(*args, **kwargs):
        without_role(no1.accountant)
        return write(*args, **kwargs)

    monkeypatch.setattr(posting, "write_invoices", and_leave)
    post_invoices(no1, first, second)
    assert CustomerInvoice.objects.get().proposal == first
    assert InvoiceProposal.objects.get(pk=second.pk).last_error.sentence == said(
        no1.accountant, "proposal.post", second
    )


def test_journals_requested_by_a_user_who_left_are_not_posted(no1, contract):
    """JRN-4, SEC-1"""
    work(no1, contract)
    journals.add_to_journals(no1.entity, on=MARCH_31, by=None)
    journal = IntegrationJournal.objects.get()
    without_role(no1.accountant)
    do("post_journals", by=no1.accountant, entity=no1.entity, journals=[journal.pk], on="2025-03-31")
    assert not JournalLine.objects.posted().exists()
    assert IntegrationJournal.objects.get().status == "draft"
    sentence = said(no1.accountant, "journal.post", journal)
    text = f"0 journal lines posted. 1 journal refused. {sentence}"
    assert Notice.objects.get(user=no1.accountant).text == text


def test_journals_that_an_earlier_attempt_posted_are_not_refused(no1, contract, monkeypatch):
    """JRN-4"""
    work(no1, contract)
    journals.add_to_journals(no1.entity, on=MARCH_31, by=None)
    journal = IntegrationJournal.objects.get()
    asked = {"by": no1.accountant, "entity": no1.entity}
    job = jobs.add("post_journals", journals=[journal.pk], on="2025-03-31", **asked)
    Job.objects.update(tries=4)
    with monkeypatch.context() as patch:
        patch.setattr(journals, "_follow_up", Mock(side_effect=RuntimeError))
        jobs.perform(job.pk)
    job.refresh_from_db()
    assert IntegrationJournal.objects.get().status == "posted"
    assert (job.outcome_code, Notice.objects.get().is_problem) == ("GAVE-UP", True)
    jobs.try_again(job)
    jobs.carry_out(job.pk)
    job.refresh_from_db()
    assert (job.outcome["refused"], job.is_problem) == ([], False)


def test_actuals_requested_by_a_user_who_left_are_not_added(no1, contract):
    """JRN-1, SEC-1"""
    work(no1, contract)
    without_role(no1.accountant)
    job = do("add_to_journals", by=no1.accountant, entity=no1.entity, on="2025-03-31")
    assert (job.state, job.outcome_code) == ("failed", "MAY-NO-LONGER")
    assert not JournalLine.objects.exists()
    sentence = said(no1.accountant, "journal.edit", no1.entity)
    assert Notice.objects.get(user=no1.accountant).text == sentence


def test_a_run_requested_by_a_user_who_left_creates_nothing(no1, contract):
    """RUN-1, SEC-1: its schedule does not change."""
    work(no1, contract)
    entry = factories.ScheduleEntryFactory(line=contract.lines.get(), run_date=MARCH_31, cutoff=MARCH_31)
    proformas.begin_run(no1.entity, as_of=APRIL_1, by=no1.manager)
    without_role(no1.manager)
    do_jobs("invoice_run")
    outcome = InvoiceRun.objects.get().run_contracts.get()
    assert (outcome.outcome, outcome.reason.code) == ("failed", "MAY-NO-LONGER")
    assert outcome.reason.sentence == said(no1.manager, "run.start", contract)
    assert ScheduleEntry.objects.get(pk=entry.pk).status == "not_run"
    assert not ProformaInvoice.objects.exists()
