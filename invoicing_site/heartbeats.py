"""Signs of life of the clock and of the worker, kept in two rows that the health page reads.

Each minute the clock sends the task `heartbeat`. Sending it stamps the clock's row, in the process of the
clock; doing it stamps the worker's row, in the process of a worker. So the rows are true whatever the broker
is, and they stay when the broker or the cache is emptied.
"""

from celery.signals import beat_init, before_task_publish, worker_ready
from django.db import close_old_connections, connection
from django.utils import timezone

from invoicing_site.models import Heartbeat

TASK = "invoicing_site.tasks.heartbeat"


def stamp(name: str):
    """Note that the clock or the worker is alive now."""
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
    """Celery cares for the connection of a task only. A connection that stays may have died meanwhile."""
    close_old_connections()
    try:
        stamp(name)
    finally:
        connection.close()
