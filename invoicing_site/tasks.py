"""Scheduled tasks of the site itself."""

from django.conf import settings
from django.core.mail import send_mail
from django.core.management import call_command

from invoicing_site import heartbeats
from invoicing_site.celery import app
from invoicing_site.floor import jobs, seals
from invoicing_site.models import Heartbeat, Seal


@app.task(name=heartbeats.TASK)
def heartbeat():
    """Record that a worker runs the tasks of the clock."""
    heartbeats.stamp(Heartbeat.Name.WORKER)


@app.task
def sweep_jobs():
    """Run the jobs whose message or worker was lost, or whose last attempt failed."""
    jobs.sweep()


@app.task
def delete_old_jobs():
    """Delete the jobs that ended long ago."""
    jobs.delete_old()


@app.task
def forget_old_sessions():
    """Delete expired sessions."""
    call_command("clearsessions")


@app.task
def seal():
    """Seal the rows that are final; the log contains every seal."""
    seals.seal_all()


@app.task
def send_seal():
    """Mail the newest seal to the addresses of LEDGERLINE_SEAL_MAIL, who keep it outside the database."""
    newest = Seal.objects.first()
    if newest and settings.SEAL_MAIL:
        send_mail(f"Ledgerline seal {newest.number}", seals.in_words(newest), None, settings.SEAL_MAIL)
