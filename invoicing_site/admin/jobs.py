"""Read-only admin of background jobs, for operators."""

from django.contrib import admin

from invoicing_site.admin.base import LookupAdmin
from invoicing_site.floor import jobs
from invoicing_site.models import Job


@admin.register(Job)
class JobAdmin(LookupAdmin):
    has_one_entity = False
    list_display = ["id", "what", "subject_text", "entity", "asked_by", "asked_at", "state", "outcome_code"]
    list_filter = ["state", "kind"]
    search_fields = ["subject_text", "entity"]
    list_select_related = ["asked_by"]
    fields = [
        *("what", "subject_text", "entity", "asked_by", "asked_at", "state", "done", "total", "tries"),
        *("beat_at", "due_at", "ended_at", "outcome_code", "how"),
    ]
    readonly_fields = ["what", "how"]

    def within(self, rows, entities):
        return rows.filter(entity__in=entities.codes)

    @admin.display(description="Job", ordering="kind")
    def what(self, job):
        return jobs.title_of(job)

    @admin.display(description="Result")
    def how(self, job):
        return jobs.sentence_of(job)
