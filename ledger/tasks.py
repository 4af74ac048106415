"""The background jobs of accounting, and what the clock starts; each is safe to repeat."""

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
from ledger.models import CustomerInvoice, Document, IntegrationJournal, InvoiceProposal
from ledger.setup.operations import notify_who_adds_years
from proforma.models import ProformaInvoice
from proforma.signals import proforma_confirmed

logger = logging.getLogger(__name__)

# A sweep draws so many missing documents at most, so that the next one finds it done.
DRAWN_IN_A_SWEEP = 200


# Jobs that the program asks for itself


@receiver(proforma_confirmed)
def _propose_what_was_confirmed(proforma, **_):
    jobs.enqueue_on_commit("propose", about=proforma, proforma=proforma.pk)


@jobs.register("propose", title="Make an invoice proposal", permission=jobs.SYSTEM)
def propose(work, proforma):
    """Make the proposal of a proforma that was just confirmed (PRO-7)."""
    proposals.take_up(ProformaInvoice.objects.get(pk=proforma))


@jobs.register("fill_proposals", title="Fill in invoice proposals", permission=jobs.SYSTEM)
def fill_proposals(work, entity_key):
    """Fill in the proposals that waited for a journal which is now posted (PRP-1)."""
    proposals.fill_unblocked(LegalEntity.objects.get(pk=entity_key))


@jobs.register("draw_documents", title="Draw the documents of an invoice", permission=jobs.SYSTEM)
def draw_documents(work, invoice):
    """Draw the documents of a posted invoice, each once."""
    documents.draw(CustomerInvoice.objects.get(pk=invoice))


# Jobs that people ask for


def _added_says(job):
    lines, kept = job.outcome["lines"], job.outcome["left_out"]
    return f"{wording.counted(lines, 'actual')} taken up into journals, {kept} kept out."


@jobs.register(
    "take_up_actuals",
    title="Take up actuals into journals",
    permission="journal.edit",
    says=_added_says,
    link=lambda job: (reverse("waiting_actuals" if job.is_problem else "journals"), "Show them"),
)
def take_up_for(work, on):
    """Take up the actuals of one legal entity (JRN-1)."""
    entity = LegalEntity.objects.get(code=work.job.entity)
    taken = journal_operations.take_up_actuals(entity, on=datetime.date.fromisoformat(on), by=work.by)
    found = {"lines": taken.lines, "left_out": len(taken.left_out)}
    return jobs.Outcome("ACTUALS-TAKEN-UP", found, is_problem=bool(taken.left_out))


def _journals_say(job):
    posted, troubles = job.outcome["posted"], job.outcome["in_error"]
    text = f"{wording.counted(posted, 'journal line')} posted"
    text = f"{text}, {troubles} in error." if troubles else f"{text}."
    if refused := job.outcome["refused"]:
        text += f" {wording.counted(len(refused), 'journal')} refused. {Reason.from_json(refused[0])}"
    return text


def _journals_link(job):
    keys = job.params["journals"]
    return reverse("journal", args=keys) if len(keys) == 1 else reverse("journals"), "Show the lines"


def _journals_rows(job, user):
    """Each journal with what it still holds, and the journals that were made of lines in error."""
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
    permission="journal.post",
    unit="lines",
    says=_journals_say,
    link=_journals_link,
    rows=_journals_rows,
    asks_for_each=True,
)
def post_chosen_journals(work, journals, on):
    """Post these journals (JRN-4)."""
    rows = list(IntegrationJournal.objects.filter(pk__in=journals))
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
    permission="proposal.post",
    unit="invoices",
    says=_invoices_say,
    link=lambda job: (reverse("proposals"), "Invoice proposals"),
    rows=_invoices_rows,
    asks_for_each=True,
)
def post_chosen_invoices(work, proposals, on):
    """Post these proposals, each in a transaction of its own (PST-1)."""
    rows = list(InvoiceProposal.objects.filter(pk__in=proposals))
    outcomes = posting.post_all(
        rows, by=work.by, on=datetime.date.fromisoformat(on), asked_before=True, report=work.report
    )
    before = [outcome.proposal.pk for outcome in outcomes if outcome.was_posted_already]
    refused = sum(outcome.invoice is None for outcome in outcomes)
    posted = len(outcomes) - len(before) - refused
    found = {"all": len(outcomes), "posted": posted, "before": before}
    return jobs.Outcome("INVOICES-POSTED", found, is_problem=bool(refused))


# What the clock starts


@shared_task
def take_up_actuals():
    """Take the actuals of every legal entity up into journals, for the accountant to look at (JRN-1)."""
    for entity in LegalEntity.objects.order_by("pk"):
        _try(
            lambda entity=entity: journal_operations.take_up_actuals(entity, on=entity.today(), by=None),
            entity,
        )


def post_journals(entity_pk, user_pk=None, on=None, retry=False):
    """Post the journals of a legal entity; `on` is an ISO date (JRN-4).

    With `retry` those in error too, for when the cause is fixed. The clock leaves them to people.
    """
    entity, by, day = _who_and_when(entity_pk, user_pk, on)
    journal_operations.post_journals(entity, by=by, on=day, retry=retry)


def post_invoices(entity_pk, user_pk=None, on=None):
    """Post the proposals of a legal entity that may be posted; `on` is an ISO date (PST-1)."""
    entity, by, day = _who_and_when(entity_pk, user_pk, on)
    posting.post_many(InvoiceProposal.objects.filter(entity=entity).postable(), by=by, on=day)


@shared_task
def look_at_fiscal_years():
    """Notify the people of each legal entity whose last fiscal year is about to end, once."""
    for entity in LegalEntity.objects.order_by("pk"):
        notify_who_adds_years(entity)


@shared_task
def post_by_clock():
    """Post journals and invoices of the legal entities that leave it to the clock."""
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
    """Do what a lost message left undone: proposals, their lines, documents."""
    for entity in LegalEntity.objects.order_by("pk"):
        _try(lambda entity=entity: proposals.take_up_all(entity), entity)
        _try(lambda entity=entity: proposals.fill_unblocked(entity), entity)
    without = CustomerInvoice.objects.exclude(documents__kind=Document.Kind.PDF).order_by("pk")
    for invoice in without[:DRAWN_IN_A_SWEEP]:
        if _try(lambda invoice=invoice: documents.draw(invoice), invoice) == "PDF-LIBRARIES":
            break  # no other could be drawn either


def _try(action, what) -> str:
    """Do it, and say by a code what kept it from being done: one thing's trouble never stops the others."""
    try:
        action()
    except Refused as refusal:
        logger.warning("%s: %s", what, refusal)
        return refusal.code
    except Exception:
        logger.exception("The sweep had trouble with %s.", what)
        return "FAILED"
    return ""
