"""The page of a background job: its progress, its result, and the result of each row."""

from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView, View

from invoicing_site.floor import jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.models import Job
from invoicing_site.screens.operations import refuse


def own_job(request, pk) -> Job:
    """A job that the reader requested; 404 for other jobs."""
    return get_object_or_404(Job.objects.select_related("asked_by"), pk=pk, asked_by=request.user)


class JobPage(TemplateView):
    """One job of the reader. The page reloads automatically until the job has ended."""

    def get_template_names(self):
        is_poll = self.request.htmx and not self.request.htmx.boosted
        return ["jobs/status.html" if is_poll else "jobs/job.html"]

    def get_context_data(self, **context):
        job = own_job(self.request, self.kwargs["pk"])
        kind = jobs.KINDS.get(job.kind)
        url, words = jobs.result_of(job)
        context |= {"job": job, "title": jobs.title_of(job), "result_url": url, "result_words": words}
        context |= {"may_try_again": jobs.can_try_again(job)}
        if kind and kind.rows:
            context["rows_template"], found = kind.rows(job, self.request.user)
            context |= found
        return super().get_context_data(**context)


class TryJobAgain(View):
    """Run a job again that was given up."""

    http_method_names = ["post"]

    def post(self, request, pk):
        job = own_job(request, pk)
        try:
            jobs.try_again(job)
        except Refused as refusal:
            refuse(request, refusal)
        return HttpResponseRedirect(job.get_absolute_url())
