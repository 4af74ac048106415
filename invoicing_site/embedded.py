"""A Celery worker and the clock as threads of the web process, so that one command runs everything.

Messages in memory reach only their own process. gunicorn forks, and threads do not survive a fork, so they
are started in the forked worker and stopped there before it ends.
"""

import logging
import threading

from celery.beat import EmbeddedService
from celery.worker import WorkController, state

from invoicing_site.celery import app, worker_is_here

logger = logging.getLogger(__name__)

PATIENCE = (
    20  # seconds for the running task before a stop; unfinished work is found by its row at the next start
)


class Background:
    """Create it in the process that uses it: Python 3.13 starts no thread that was created before a fork."""

    def __init__(self):
        self._worker = threading.Thread(target=self._work, name="Worker", daemon=True)
        self._clock = EmbeddedService(app, thread=True)

    def start(self):
        self._worker.start()
        self._clock.start()

    def stop(self):
        worker_is_here.clear()
        state.should_stop = 0  # the exit code; the loop reads it within two seconds and ends
        self._clock.service.stop()
        for thread in (self._clock, self._worker):
            thread.join(PATIENCE)

    def _work(self):
        try:
            worker = WorkController(
                app=app,
                pool="threads",
                concurrency=2,
                without_gossip=True,
                without_mingle=True,
                without_heartbeat=True,
                ready_callback=lambda _consumer: worker_is_here.set(),
            )
            worker.start()
        except Exception:
            logger.exception("The worker stopped. Tasks now run at once in the web process.")
        finally:
            worker_is_here.clear()
