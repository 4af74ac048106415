"""The progress of a background job, on its page and on the page of its result."""

from datetime import timedelta

from django import template
from django.utils import timezone

from invoicing_site.floor import jobs, wording

register = template.Library()

# After this time without a heartbeat, the worker is shown as not working.
_QUIET = timedelta(minutes=1)


@register.inclusion_tag("jobs/progress.html", takes_context=True)
def job_progress(context, job):
    """The progress of a job, or what it waits for, or its result."""
    kind = jobs.KINDS.get(job.kind)
    step, done, total = jobs.progress_of(job) or ("", 0, 0)
    return {
        "job": job,
        "is_own": job.asked_by_id == context["request"].user.pk,
        "words": wording.capital(f"{kind.unit if kind else 'steps'} {step or 'done'}"),
        "unit": kind.unit if kind else "steps",
        "done": done,
        "total": total,
        "is_running": job.state == jobs.State.RUNNING,
        "is_silent": job.state == jobs.State.RUNNING and job.beat_at < timezone.now() - _QUIET,
        "has_failed_before": job.state == jobs.State.WAITING and jobs.tries_in_a_row(job) > 0,
        "attempts": jobs.tries_in_a_row(job),
        "tries": jobs.TRIES,
        "sentence": jobs.sentence_of(job),
    }
