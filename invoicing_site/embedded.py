"""A Celery worker and the clock as threads of the web process, so that one command is a whole company.

Messages in memory reach only their own process. gunicorn forks, and threads do not survive a fork: so these
are started in the forked worker and stopped there before it ends.
"""

import logging
import threading

from celery.beat import EmbeddedService
from celery.worker import WorkController, state

from invoicing_site.celery import app, worker_is_here

logger = logging.getLogger(__name__)

PATIENCE = 20  # seconds that a stop leaves to the task at work; its row tells the next start what is missing


class Background:
    """To be made in the process where it works: Python 3.13 starts no thread that was made before a fork."""

    def __init__(self):
        self._worker = threading.Thread(target=self._work, name="Worker", daemon=True)
        self._clock = EmbeddedService(app, thread=True)

    def start(self):
        self._worker.start()
        self._clock.start()

    def stop(self):
        worker_is_here.clear()
        state.should_stop = 0  # the exit code: the loop sees it within two seconds and ends itself
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
            logger.exception("The worker stopped; tasks are done at once from now on.")
        finally:
            worker_is_here.clear()
