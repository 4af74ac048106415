"""What the clock and the doorbells start; each finds what is due and calls one operation for it."""

import logging
from datetime import timedelta
from urllib.parse import urlencode

from celery import shared_task
from django.urls import reverse
from django.utils import timezone

from contracts.askers import demand_still
from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.wording import counted
from invoicing_site.models import Notice
from proforma import operations
from proforma.models import InvoiceRun, ProformaInvoice

logger = logging.getLogger(__name__)

Job = ProformaInvoice.ConfirmJob

# A confirm that was asked for so long ago, and is not done, lost its message or its worker.
PATIENCE = timedelta(minutes=10)


@shared_task
def run_due_invoicing():
    """The daily run of every legal entity whose day has begun; started hourly, because days begin apart.

    That today's run is there only spares the work of another: two at once do no harm (RUN-2).
    """
    for entity in LegalEntity.objects.order_by("pk"):
        today = entity.today()
        todays = InvoiceRun.objects.filter(entity=entity, kind=InvoiceRun.Kind.RUN, as_of=today)
        if todays.filter(trigger=InvoiceRun.Trigger.SCHEDULE).exists():
            continue
        try:
            operations.run_invoicing(entity, as_of=today, trigger=InvoiceRun.Trigger.SCHEDULE)
        except Exception:
            # One company's trouble never stops the others; its open run is taken up again.
            logger.exception("The invoice run of %s as of %s stopped.", entity, today)
    resume()


@shared_task
def carry_out_run(pk):
    """Do the work of a run that somebody started on its page."""
    run = InvoiceRun.objects.select_related("entity").get(pk=pk)
    if run.status == InvoiceRun.Status.RUNNING:
        operations.carry_out(run)


@shared_task
def confirm_one(pk):
    """Confirm a proforma for whom asked for it, and leave the reason on it where that is refused."""
    jobs = ProformaInvoice.objects.open().filter(pk=pk, confirm_job__in=[Job.SCHEDULED, Job.PROCESSING])
    if not jobs.update(confirm_job=Job.PROCESSING):
        return
    proforma = ProformaInvoice.objects.select_related("confirm_asked_by").get(pk=pk)
    try:
        demand_still(proforma.confirm_asked_by, "proforma.confirm", proforma)
        operations.confirm(proforma, by=proforma.confirm_asked_by, on=proforma.confirm_on)
    except Exception as problem:
        if not isinstance(problem, Refused):
            logger.exception("Confirming proforma %s failed.", proforma.number)
        # Only what is still open: a second worker may have confirmed it meanwhile.
        remedy = problem.remedy if isinstance(problem, Refused) else ""
        jobs.update(confirm_job=Job.FAILED, confirm_message=_sentence(problem), confirm_remedy=remedy)
    _tell_who_asked(proforma)


def _tell_who_asked(proforma):
    """A notice, when this was the last of those that were asked for together."""
    if proforma.confirm_asked_by is None or proforma.confirm_asked_at is None:
        return
    together = ProformaInvoice.objects.filter(
        confirm_asked_by=proforma.confirm_asked_by, confirm_asked_at=proforma.confirm_asked_at
    )
    states = list(together.values_list("confirm_job", flat=True))
    if Job.SCHEDULED in states or Job.PROCESSING in states:
        return
    failed = states.count(Job.FAILED)
    text = f"{len(states) - failed} of {counted(len(states), 'proforma')} confirmed"
    Notice.objects.create(
        user=proforma.confirm_asked_by,
        text=f"{text}; {failed} failed, each says why." if failed else f"{text}.",
        url=f"{reverse('confirming')}?{urlencode({'asked': proforma.confirm_asked_at.isoformat()})}",
        is_problem=bool(failed),
    )


def _sentence(problem):
    if isinstance(problem, Refused):
        return str(problem)[:500]
    return f"Something went wrong in the program ({type(problem).__name__}); its log has the details."


@shared_task
def resume():
    """Take up what was killed or never heard of: silent runs, and confirms that were asked for."""
    operations.resume_silent_runs()
    waiting = ProformaInvoice.objects.open().filter(
        confirm_job__in=[Job.SCHEDULED, Job.PROCESSING], confirm_asked_at__lt=timezone.now() - PATIENCE
    )
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        confirm_one(pk)
