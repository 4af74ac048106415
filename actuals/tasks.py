"""The background job of entries: importing a large file."""

from actuals import importing
from actuals.models import EntryImport
from actuals.operations import imports
from invoicing_site.floor import jobs, wording


def _import_says(job):
    done = EntryImport.objects.select_related("file").get(pk=job.params["asked"])
    name, message, outcome = done.name, done.message, job.outcome
    if job.outcome_code == "NOT-IMPORTED":
        why = ". The page of the import shows the reason." if _page_of(job) else f". {message}"
        return f"{name} was not imported{why}"
    if outcome["added"]:
        n = wording.counted(outcome["added"], "entry", "entries")
        as_what = "and submitted" if outcome["submits"] else importing.as_drafts(outcome["added"])
        return f"{n} of {name} imported {as_what}. {message or ''}".strip()
    return f"{name}: {message}"


def _page_of(job):
    """The address of the import, if the user who requested it may still see it."""
    asked = EntryImport.objects.visible_to(job.asked_by).filter(pk=job.params["asked"]).first()
    return asked.get_absolute_url() if asked else ""


@jobs.register(
    "import_entries",
    title="Import entries",
    is_long=True,
    permission="entry.import",
    says=_import_says,
    unit="rows",
    link=lambda job: (_page_of(job), "Show the import"),
    gave_up=lambda job: imports.give_up(EntryImport.objects.get(pk=job.params["asked"])),
    checks_each_row=True,  # the import itself keeps why it was refused
)
def import_entries(work, asked):
    """Import a file in the background (IMP-1)."""
    imports.carry_out(EntryImport.objects.get(pk=asked), report=work.report_inside)
    done = EntryImport.objects.get(pk=asked)
    failed = done.status == EntryImport.Status.FAILED
    found = {"added": done.added, "submits": done.submits}
    return jobs.Outcome("NOT-IMPORTED" if failed else "IMPORTED", found, is_problem=failed)
