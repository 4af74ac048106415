"""What the accountant's room does by itself; each task finds what is due and is safe to repeat."""

import datetime
import logging

from celery import shared_task
from django.urls import reverse

from contracts.askers import demand_still
from contracts.models import LegalEntity
from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused
from invoicing_site.models import Notice, User
from ledger.document import operations as documents
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import CustomerInvoice, Document, IntegrationJournal, InvoiceProposal
from ledger.setup.operations import notify_who_adds_years
from proforma.models import ProformaInvoice

logger = logging.getLogger(__name__)

# A sweep draws so many missing documents at most, so that the next one finds it done.
DRAWN_IN_A_SWEEP = 200


@shared_task
def take_up_proforma(pk):
    """Make the proposal of a proforma that was just confirmed (PRO-7)."""
    proposals.take_up(ProformaInvoice.objects.get(pk=pk))


@shared_task
def fill_proposals(entity_pk):
    """Fill in the proposals that waited for a journal which is now posted (PRP-1)."""
    proposals.fill_unblocked(LegalEntity.objects.get(pk=entity_pk))


@shared_task
def draw_documents(pk):
    """Draw the documents of a posted invoice, each once."""
    documents.draw(CustomerInvoice.objects.get(pk=pk))


@shared_task
def take_up_actuals():
    """Take the actuals of every legal entity up into journals, for the accountant to look at (JRN-1)."""
    for entity in LegalEntity.objects.order_by("pk"):
        _try(lambda entity=entity: journals.take_up_actuals(entity, on=entity.today(), by=None), entity)


@shared_task
def post_journals(entity_pk, user_pk=None, on=None, retry=False):
    """Post the journals of a legal entity for somebody who does not wait; `on` is an ISO date (JRN-4).

    With `retry` those in error too, now that the cause is mended. The clock leaves them to people.
    """
    entity, by, day = _who_and_when(entity_pk, user_pk, on)
    journals.post_journals(entity, by=by, on=day, retry=retry)


@shared_task
def post_invoices(entity_pk, user_pk=None, on=None):
    """Post the proposals of a legal entity that may be posted; `on` is an ISO date (PST-1)."""
    entity, by, day = _who_and_when(entity_pk, user_pk, on)
    posting.post_many(InvoiceProposal.objects.filter(entity=entity).postable(), by=by, on=day)


@shared_task
def take_up_for(entity_pk, user_pk, on):
    """Take up the actuals of one legal entity for somebody who does not wait (JRN-1)."""
    entity, by, day = _who_and_when(entity_pk, user_pk, on)
    try:
        demand_still(by, "journal.edit", entity)
    except Refused as refusal:
        _notify(by, refusal.message, "", is_problem=True)
        return
    taken = journals.take_up_actuals(entity, on=day, by=by)
    text = f"{wording.counted(taken.lines, 'actual')} taken up into journals, {len(taken.left_out)} kept out."
    _notify(by, text, reverse("journals"), is_problem=bool(taken.left_out))


@shared_task
def post_chosen_journals(keys, user_pk, on):
    """Post these journals for somebody who does not wait (JRN-4)."""
    rows = list(IntegrationJournal.objects.filter(pk__in=keys).select_related("entity"))
    if not rows:
        return
    _, by, day = _who_and_when(rows[0].entity_id, user_pk, on)
    results = journals.post_chosen(rows, by=by, on=day, asked_before=True)
    text = f"{wording.counted(sum(row.posted for row in results), 'journal line')} posted"
    troubles = sum(row.in_error for row in results)
    url = rows[0].get_absolute_url() if len(rows) == 1 else reverse("journals")
    refused = [row.refused for row in results if row.refused]
    text = f"{text}, {troubles} in error." if troubles else f"{text}."
    if refused:
        text += f" {wording.counted(len(refused), 'journal')} refused. {refused[0].sentence}"
    _notify(by, text, url, is_problem=bool(troubles or refused))


@shared_task
def post_chosen_invoices(keys, user_pk, on, url=""):
    """Post these proposals for somebody who does not wait; `url` shows what became of each (PST-1)."""
    rows = list(InvoiceProposal.objects.filter(pk__in=keys))
    if not rows:
        return
    _, by, day = _who_and_when(rows[0].entity_id, user_pk, on)
    outcomes = posting.post_all(rows, by=by, on=day, asked_before=True)
    refused = sum(outcome.invoice is None for outcome in outcomes)
    posted = sum(outcome.invoice is not None and not outcome.was_posted_already for outcome in outcomes)
    text = f"{posted} of {wording.counted(len(outcomes), 'invoice')} posted."
    text = f"{text} {posting.posted_before(outcomes)}".rstrip()
    _notify(by, text, url, is_problem=bool(refused))


def _notify(user, text, url, *, is_problem):
    if user is not None:
        Notice.objects.create(user=user, text=wording.capital(text)[:500], url=url, is_problem=is_problem)


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
