"""Celery tasks and their schedule.

The broker can lose messages, because each job is a row (`Job`), see floor/jobs.py. Tasks can run twice and
are safe to repeat.
"""

import os
import threading

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "invoicing_site.settings")

app = Celery("ledgerline")
app.set_default()  # for all threads, not only the importing one
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A worker takes messages of all queues unless it is started with some of them. What can take long has its own
# queue, so that a worker without it is free for what people wait for.
SHORT, LONG = "celery", "long"
app.conf.task_queues = [Queue(SHORT), Queue(LONG)]
app.conf.beat_schedule = {
    # After a day without a worker, expired messages are not processed.
    "heartbeat": {
        "task": "invoicing_site.tasks.heartbeat",
        "schedule": crontab(),
        "options": {"expires": 60 * 60},
    },
    "sweep jobs": {"task": "invoicing_site.tasks.sweep_jobs", "schedule": crontab()},
    # Hourly, so that each legal entity's day begins in its own time zone.
    "run due invoicing": {"task": "proforma.tasks.run_due_invoicing", "schedule": crontab(minute=5)},
    "add actuals to journals": {"task": "ledger.tasks.add_to_journals", "schedule": crontab(minute=15)},
    "post automatically": {"task": "ledger.tasks.post_by_clock", "schedule": crontab(minute=25)},
    "delete expired sessions": {
        "task": "invoicing_site.tasks.forget_old_sessions",
        "schedule": crontab(minute=45, hour=3, day_of_week=0),
    },
    "delete old jobs": {
        "task": "invoicing_site.tasks.delete_old_jobs",
        "schedule": crontab(minute=55, hour=3),
    },
    "fiscal years": {"task": "ledger.tasks.look_at_fiscal_years", "schedule": crontab(minute=50, hour=4)},
    "sweep": {"task": "ledger.tasks.sweep", "schedule": crontab(minute="*/10")},
    "seal": {"task": "invoicing_site.tasks.seal", "schedule": crontab(minute="*/5")},
    "send seal": {"task": "invoicing_site.tasks.send_seal", "schedule": crontab(minute=35, hour=4)},
}
for _name, _entry in app.conf.beat_schedule.items():
    if _name != "heartbeat":
        _entry["options"] = {"queue": LONG}

# Set by `up` while its worker thread runs.
worker_is_here = threading.Event()


def somebody_listens() -> bool:
    """Whether a worker gets messages: in memory, only a worker of this process; other brokers store them."""
    return not app.conf.broker_url.startswith("memory:") or worker_is_here.is_set()


@setup_logging.connect
def _keep_logging_as_django_set_it_up(**_):
    """With this receiver, Celery does not change the loggers."""
