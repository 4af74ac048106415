"""Heartbeats of the clock and of the worker, in two rows that the health page reads.

Every minute the clock sends the task `heartbeat`. Sending it updates the clock's row, in the process of the
clock; running it updates the worker's row, in the process of a worker. So they work with every broker, and
remain when the broker or the cache is emptied.
"""

from celery.signals import beat_init, before_task_publish, worker_ready
from django.db import close_old_connections, connection
from django.utils import timezone

from invoicing_site.models import Heartbeat

TASK = "invoicing_site.tasks.heartbeat"


def stamp(name: str):
    """Record a heartbeat of the clock or the worker."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=timezone.now())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


@beat_init.connect
@before_task_publish.connect(sender=TASK)
def _clock_is_alive(**_):
    _stamp_outside_of_a_task(Heartbeat.Name.CLOCK)


@worker_ready.connect
def _worker_is_alive(**_):
    _stamp_outside_of_a_task(Heartbeat.Name.WORKER)


def _stamp_outside_of_a_task(name):
    """Close the connection: Celery manages connections of tasks only, and an old one may be broken."""
    close_old_connections()
    try:
        stamp(name)
    finally:
        connection.close()
