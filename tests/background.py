"""Helpers that do the work of background workers at once."""

from datetime import timedelta

from django.utils import timezone

from invoicing_site.floor import jobs
from invoicing_site.models import Job


def do_jobs(kind=""):
    """Run the waiting jobs, of one kind or of all, as a worker does that gets their messages."""
    waiting = Job.objects.filter(state="waiting")
    if kind:
        waiting = waiting.filter(kind=kind)
    for pk in list(waiting.order_by("pk").values_list("pk", flat=True)):
        jobs.perform(pk)


def make_late():
    """Make all jobs 15 minutes older: their messages are lost, and their workers have stopped."""
    open_jobs = Job.objects.filter(state__in=["waiting", "running"])
    open_jobs.update(due_at=timezone.now() - timedelta(seconds=1))


def do(kind, **asked) -> Job:
    """Enqueue a job and run it; returns the job afterwards."""
    job = jobs.add(kind, **asked)
    jobs.perform(job.pk)
    job.refresh_from_db()
    return job


def post_invoices(it, *proposals, on: str = "2025-03-31") -> Job:
    """Have the accountant post these in the background."""
    keys = [proposal.pk for proposal in proposals]
    return do("post_invoices", by=it.accountant, entity=it.entity, proposals=keys, on=on)
