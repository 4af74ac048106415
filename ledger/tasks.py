"""Background jobs and scheduled tasks of the ledger; each can be repeated safely."""

import datetime
import logging

from celery import shared_task
from django.db.models import Count, Q
from django.dispatch import receiver
from django.urls import reverse

from contracts.models import LegalEntity
from invoicing_site.floor import jobs, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import User
from ledger.document import operations as documents
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals as journal_operations
from ledger.models import CustomerInvoice, IntegrationJournal, InvoiceProposal
from ledger.setup.operations import notify_who_adds_years
from proforma.models import ProformaInvoice
from proforma.signals import proforma_confirmed

logger = logging.getLogger(__name__)

# The number of missing documents that one sweep creates at most, so that it ends before the next one starts.
DRAWN_IN_A_SWEEP = 200


# Jobs that the program starts itself


@receiver(proforma_confirmed)
def _propose_what_was_confirmed(proforma, **_):
    jobs.enqueue_on_commit("propose", about=proforma, proforma=proforma.pk)


@jobs.register("propose", title="Create an invoice proposal", permission=jobs.SYSTEM)
def propose(work, proforma):
    """Create the proposal of a proforma that was just confirmed (PRO-7)."""
    proposals.create_proposal(ProformaInvoice.objects.get(pk=proforma))


@jobs.register("fill_proposals", title="Fill in invoice proposals", permission=jobs.SYSTEM)
def fill_proposals(work, entity_key):
    """Fill in the proposals of a legal entity that waited for journals that are now posted (PRP-1)."""
    proposals.fill_unblocked(LegalEntity.objects.get(pk=entity_key))


@jobs.register("draw_documents", title="Create the documents of an invoice", permission=jobs.SYSTEM)
def draw_documents(work, invoice):
    """Create the PDF of a posted invoice, if it has none."""
    documents.draw(CustomerInvoice.objects.get(pk=invoice))


# Jobs that people start


def _added_says(job):
    lines, kept = job.outcome["lines"], job.outcome["left_out"]
    return f"{wording.counted(lines, 'actual')} added to journals, {kept} left out."


@jobs.register(
    "add_to_journals",
    title="Add actuals to journals",
    is_long=True,
    permission="journal.edit",
    says=_added_says,
    link=lambda job: (reverse("waiting_actuals" if job.is_problem else "journals"), "Show them"),
)
def add_to_journals_for(work, on):
    """Add the waiting actuals of one legal entity to journals (JRN-1)."""
    entity = LegalEntity.objects.get(code=work.job.entity)
    added = journal_operations.add_to_journals(entity, on=datetime.date.fromisoformat(on), by=work.by)
    found = {"lines": added.lines, "left_out": len(added.left_out)}
    return jobs.Outcome("ACTUALS-ADDED", found, is_problem=bool(added.left_out))


def _journals_say(job):
    posted, problems = job.outcome["posted"], job.outcome["in_error"]
    text = f"{wording.counted(posted, 'journal line')} posted"
    text = f"{text}, {problems} in error." if problems else f"{text}."
    if refused := job.outcome["refused"]:
        text += f" {wording.counted(len(refused), 'journal')} refused. {Reason.from_json(refused[0])}"
    return text


def _journals_link(job):
    keys = job.params["journals"]
    return reverse("journal", args=keys) if len(keys) == 1 else reverse("journals"), "Show the lines"


def _journals_rows(job, user):
    """Each journal with its lines, and the journals that hold its lines in error."""
    keys = job.params["journals"]
    rows = IntegrationJournal.objects.visible_to(user).filter(Q(pk__in=keys) | Q(original__in=keys))
    rows = rows.annotate(
        held=Count("lines"),
        posted=Count("lines", filter=Q(lines__voucher__isnull=False)),
        in_error=Count("lines", filter=Q(lines__error__isnull=False)),
    )
    return "ledger/posting_journals_rows.html", {"rows": rows.order_by("pk")}


@jobs.register(
    "post_journals",
    title="Post journals",
    is_long=True,
    permission="journal.post",
    unit="lines",
    says=_journals_say,
    link=_journals_link,
    rows=_journals_rows,
    checks_each_row=True,
)
def post_chosen_journals(work, journals, on):
    """Post these journals (JRN-4)."""
    rows = IntegrationJournal.objects.filter(pk__in=journals)
    if work.job.tries > 1:  # lines that a first attempt has posted are no refusals
        rows = rows.exclude(status=IntegrationJournal.Status.POSTED)
    results = journal_operations.post_chosen(
        rows, by=work.by, on=datetime.date.fromisoformat(on), asked_before=True, report=work.report
    )
    found = {
        "posted": sum(row.posted for row in results),
        "in_error": sum(row.in_error for row in results),
        "refused": [row.refused.as_json() for row in results if row.refused],
    }
    return jobs.Outcome("JOURNALS-POSTED", found, is_problem=bool(found["in_error"] or found["refused"]))


def _invoices_say(job):
    outcome = job.outcome
    text = f"{outcome['posted']} of {wording.counted(outcome['all'], 'invoice')} posted."
    return f"{text} {posting.who_posted(outcome['before'])}".rstrip()


def _invoices_rows(job, user):
    """Each proposal with its invoice, or why it was refused."""
    from ledger.invoicing.views.posting import posted_rows  # pages are not needed to do the work

    rows = InvoiceProposal.objects.visible_to(user).filter(pk__in=job.params["proposals"])
    return "ledger/posting_invoices_rows.html", posted_rows(rows)


@jobs.register(
    "post_invoices",
    title="Post invoices",
    is_long=True,
    permission="proposal.post",
    unit="invoices",
    says=_invoices_say,
    link=lambda job: (reverse("proposals"), "Invoice proposals"),
    rows=_invoices_rows,
    checks_each_row=True,
)
def post_chosen_invoices(work, proposals, on):
    """Post these proposals, each as a whole or not at all (PST-1)."""
    rows = list(InvoiceProposal.objects.filter(pk__in=proposals))
    outcomes = posting.post_all(
        rows, by=work.by, on=datetime.date.fromisoformat(on), asked_before=True, report=work.report
    )
    before = [outcome.proposal.pk for outcome in outcomes if outcome.was_posted_already]
    refused = sum(outcome.invoice is None for outcome in outcomes)
    posted = len(outcomes) - len(before) - refused
    found = {"all": len(outcomes), "posted": posted, "before": before}
    return jobs.Outcome("INVOICES-POSTED", found, is_problem=bool(refused))


# Scheduled tasks


@shared_task
def add_to_journals():
    """Add the waiting actuals of every legal entity to draft journals (JRN-1)."""
    for entity in LegalEntity.objects.order_by("pk"):
        _try(
            lambda entity=entity: journal_operations.add_to_journals(
                entity, on=entity.today(), by=None, due_only=True
            ),
            entity,
        )


def post_journals(entity_pk, user_pk=None, on=None, retry=False):
    """Post the journals of a legal entity; `on` is an ISO date (JRN-4).

    With `retry` also those in error. The scheduled task does not retry.
    """
    entity, by, day = _who_and_when(entity_pk, user_pk, on)
    journal_operations.post_journals(entity, by=by, on=day, retry=retry)


def post_invoices(entity_pk, user_pk=None, on=None):
    """Post the proposals of a legal entity that can be posted; `on` is an ISO date (PST-1)."""
    entity, by, day = _who_and_when(entity_pk, user_pk, on)
    posting.post_many(InvoiceProposal.objects.filter(entity=entity).postable(), by=by, on=day)


@shared_task
def look_at_fiscal_years():
    """Notify users of each legal entity with a last fiscal year that ends soon, once."""
    for entity in LegalEntity.objects.order_by("pk"):
        notify_who_adds_years(entity)


@shared_task
def post_by_clock():
    """Post journals and invoices of the legal entities that have scheduled posting."""
    for entity in LegalEntity.objects.filter(posts_journals_by_clock=True).order_by("pk"):
        _try(lambda entity=entity: post_journals(entity.pk), entity)
    for entity in LegalEntity.objects.filter(posts_invoices_by_clock=True).order_by("pk"):
        _try(lambda entity=entity: post_invoices(entity.pk), entity)


def _who_and_when(entity_pk, user_pk, on):
    entity = LegalEntity.objects.get(pk=entity_pk)
    by = User.objects.get(pk=user_pk) if user_pk else None
    return entity, by, datetime.date.fromisoformat(on) if on else entity.today()


@shared_task
def sweep():
    """Do the work of lost messages: create proposals, fill in their lines, create documents."""
    for entity in LegalEntity.objects.order_by("pk"):
        _try(lambda entity=entity: proposals.create_proposals(entity), entity)
        _try(lambda entity=entity: proposals.fill_unblocked(entity), entity)
    documents.draw_waiting(DRAWN_IN_A_SWEEP)


def _try(action, what):
    """Run the action, and log a failure, so that the others still run."""
    try:
        action()
    except Refused as refusal:
        logger.warning("%s: %s", what, refusal)
    except Exception:
        logger.exception("The sweep failed for %s.", what)
