"""What the clock does for the house itself, and the way every message takes to its task."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.core.management import call_command
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from invoicing_site import heartbeats
from invoicing_site.celery import app
from invoicing_site.floor import seals
from invoicing_site.models import Heartbeat, Message, Seal

logger = logging.getLogger(__name__)

# A message that nobody began after so long was lost on its way.
LOST = timedelta(minutes=1)
# A task that was begun so long ago, and has not ended, lost its worker.
DEAD = timedelta(minutes=15)
# So often a task is tried that fails or loses its worker; then its message stays, for somebody to look at.
TRIES = 5


@app.task
def deliver(pk):
    """Do what one message asks for, unless another worker has or does."""
    mine = _waiting().filter(pk=pk).update(begun_at=timezone.now(), tries=F("tries") + 1)
    if not mine:
        return
    message = Message.objects.get(pk=pk)
    import_string(message.task)(*message.args)
    message.delete()


@app.task
def deliver_late():
    """Do what messages asked for that were lost, or whose worker was; one that fails stops no other."""
    late = _waiting().filter(Q(sent_at__lt=timezone.now() - LOST), tries__lt=TRIES)
    for pk in list(late.order_by("pk").values_list("pk", flat=True)):
        try:
            deliver(pk)
        except Exception:
            logger.exception("Message %s failed; it is tried %s times in all.", pk, TRIES)


def _waiting():
    return Message.objects.filter(Q(begun_at=None) | Q(begun_at__lt=timezone.now() - DEAD))


@app.task(name=heartbeats.TASK)
def heartbeat():
    """Note that a worker does what the clock sends."""
    heartbeats.stamp(Heartbeat.Name.WORKER)


@app.task
def forget_old_sessions():
    """Sessions that have ended are rows that nobody reads; deleting them twice does no harm."""
    call_command("clearsessions")


@app.task
def seal():
    """Seal what may not change any more; the log names every seal."""
    seals.seal_all()


@app.task
def send_seal():
    """Mail the newest seal to those who keep it outside of the database (LEDGERLINE_SEAL_MAIL)."""
    newest = Seal.objects.first()
    if newest and settings.SEAL_MAIL:
        send_mail(f"Ledgerline seal {newest.number}", seals.in_words(newest), None, settings.SEAL_MAIL)
