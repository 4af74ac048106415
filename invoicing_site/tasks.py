"""What the clock does for the house itself."""

from django.core.management import call_command

from invoicing_site.celery import app


@app.task
def forget_old_sessions():
    """Sessions that have ended are rows that nobody reads; deleting them twice does no harm."""
    call_command("clearsessions")
