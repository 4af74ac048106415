"""Scheduled tasks and background jobs of proformas; each is safe to repeat."""

import datetime
import logging

from celery import shared_task
from django.urls import reverse

from contracts.models import LegalEntity
from invoicing_site.floor import jobs
from invoicing_site.floor.jobs import Outcome
from invoicing_site.floor.wording import counted, sentence
from proforma import operations
from proforma.models import InvoiceRun, ProformaInvoice, RunContract
from proforma.operations.confirmations import confirm_scheduled, stop_confirming
from proforma.operations.runs import KIND, stop

logger = logging.getLogger(__name__)


@shared_task
def run_due_invoicing():
    """Start the daily run of every legal entity; hourly, because days begin at different times.

    An entity that already had today's run is skipped to save work; two runs at once do no harm (RUN-2). After
    a stopped run another one is started.
    """
    for entity in LegalEntity.objects.order_by("pk"):
        today = entity.today()
        todays = InvoiceRun.objects.filter(entity=entity, kind=InvoiceRun.Kind.RUN, as_of=today)
        todays = todays.exclude(status=InvoiceRun.Status.STOPPED)
        if todays.filter(trigger=InvoiceRun.Trigger.SCHEDULE).exists():
            continue
        try:
            operations.run_invoicing(entity, as_of=today, trigger=InvoiceRun.Trigger.SCHEDULE)
        except Exception:
            # An error in one legal entity does not stop the others; the job of its open run is tried again.
            logger.exception("The invoice run of %s as of %s stopped.", entity, today)


# Runs


def _run_says(job):
    outcome = job.outcome
    words = "would be invoiced" if outcome["is_preview"] else "invoiced"
    contracts = counted(outcome["all"], "contract")
    text = f"{job.subject_text} is finished: {outcome['created']} of {contracts} {words}"
    return sentence(f"{text}, {outcome['failed']} failed" if outcome["failed"] else text)


def _run_link(job):
    return reverse("run", args=[job.params["run"]]), "Show the run"


@jobs.register(
    KIND,
    title="Invoice run",
    is_long=True,
    permission="run.start",
    unit="contracts",
    says=_run_says,
    link=_run_link,
    gave_up=lambda job: stop(InvoiceRun(pk=job.params["run"])),
    checks_each_row=True,
    silent_for=datetime.timedelta(minutes=3),  # progress is reported after each contract
)
def carry_out_run(work, run):
    """Do the work of a run or a preview (RUN-2)."""
    run = InvoiceRun.objects.select_related("entity").get(pk=run)
    if run.status == InvoiceRun.Status.RUNNING:
        operations.carry_out(run, report=work.report)
    outcomes = list(run.run_contracts.values_list("outcome", flat=True))
    failed = outcomes.count(RunContract.Outcome.FAILED)
    found = {"all": len(outcomes), "failed": failed, "created": outcomes.count(RunContract.Outcome.CREATED)}
    found["is_preview"] = run.kind == InvoiceRun.Kind.PREVIEW
    return Outcome("RUN-FINISHED", found, is_problem=bool(failed))


# Confirming many


def _confirmed_says(job):
    done, failed = job.outcome["confirmed"], job.outcome["failed"]
    text = f"{done} of {counted(done + failed, 'proforma')} confirmed"
    return f"{text}, {failed} failed. The page shows the reason for each." if failed else f"{text}."


def _confirmed_rows(job, user):
    """Each proforma with its status and, if it was refused, the reason."""
    from proforma.views.proformas import with_net  # workers need no pages

    rows = ProformaInvoice.objects.visible_to(user).filter(pk__in=job.params["proformas"])
    rows = with_net(rows).select_related("contract", "customer").order_by("pk")
    return "proforma/confirming_rows.html", {"rows": rows}


@jobs.register(
    "confirm_proformas",
    title="Confirm proformas",
    is_long=True,
    permission="proforma.confirm",
    unit="proformas",
    says=_confirmed_says,
    link=lambda job: (reverse("proformas"), "Proforma invoices"),
    rows=_confirmed_rows,
    gave_up=lambda job: stop_confirming(job.params["proformas"]),
    checks_each_row=True,
)
def confirm_proformas(work, proformas, on):
    """Confirm each, and store the reason on those that are refused (PRO-5)."""
    day = datetime.date.fromisoformat(on) if on else None
    for n, pk in enumerate(proformas, 1):
        confirm_scheduled(pk, by=work.by, on=day)
        work.report(n, len(proformas))
    states = list(ProformaInvoice.objects.filter(pk__in=proformas).values_list("confirm_job", flat=True))
    failed = states.count(ProformaInvoice.ConfirmJob.FAILED)
    found = {"confirmed": len(states) - failed, "failed": failed}
    return Outcome("PROFORMAS-CONFIRMED", found, is_problem=bool(failed))
