"""What is done behind the pages of entries; each task takes an id and is safe to repeat."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from actuals import importing
from actuals.models import EntryImport
from invoicing_site.floor import wording
from invoicing_site.models import Notice

# An import that was asked for so long ago, and is not done, lost its message or its worker.
PATIENCE = timedelta(minutes=10)


@shared_task
def take_in(pk):
    """Take in a file for somebody who does not wait, and tell them what became of it (IMP-1)."""
    done = importing.carry_out(EntryImport.objects.get(pk=pk))
    if done is None or done.imported_by is None:
        return
    failed = done.status == EntryImport.Status.FAILED
    sees_page = EntryImport.objects.visible_to(done.imported_by).filter(pk=done.pk).exists()
    if failed and not sees_page:
        text = f"{done.name} was not imported. {done.message}"[:500]
    elif failed:
        text = f"{done.name} was not imported: its page says why."
    elif done.added:
        n = wording.counted(done.added, "entry", "entries")
        as_what = "and submitted" if done.submits else importing.as_drafts(done.added)
        text = f"{n} of {done.name} imported {as_what}. {done.message}".strip()
    elif done.message == importing.NOTHING_NEW:
        text = f"{done.name} added no entries: each row is here already, or was left out."
    else:
        text = f"{done.name}: {done.message}"
    url = done.get_absolute_url() if sees_page else ""
    Notice.objects.create(user=done.imported_by, text=text, url=url, is_problem=failed)


@shared_task
def resume():
    """Take up the imports that were killed or never heard of."""
    silent = EntryImport.objects.at_work().filter(imported_at__lt=timezone.now() - PATIENCE)
    for pk in silent.order_by("pk").values_list("pk", flat=True):
        take_in(pk)
