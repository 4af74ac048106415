"""The health check, answered by a middleware: load balancers call it by IP address, without TLS or login."""

import logging
import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from invoicing_site.celery import app
from invoicing_site.floor import files, formatting
from invoicing_site.floor.recent import Recent
from invoicing_site.middleware import STRICT, header
from invoicing_site.models import Heartbeat

logger = logging.getLogger(__name__)

# The second is the error of a connection that the server has closed.
_DOWN = (DatabaseError, InterfaceError)

# The clock sends a heartbeat every minute. All workers can be busy with long tasks for a while.
CLOCK_IS_LATE = timedelta(minutes=3)
WORKER_IS_LATE = timedelta(minutes=10)

_PARTS = {
    "database": "Database",
    "files": "Stored files",
    "broker": "Message broker",
    "clock": "Clock",
    "worker": "Worker",
}


def health(get_response):
    """Middleware for /health/: the state of each part, as JSON, or as a page in a browser.

    The status is 503 if nobody can work, because the database does not answer or can't be written to.
    Otherwise it is 200. It is public, so it reveals no kind, version or address of a server.
    """

    def middleware(request):
        if request.path_info != "/health/":
            return get_response(request)
        found = _found.get()
        status = 200 if found["database"] == "up" else 503
        headers = {"Cache-Control": "no-store", "Vary": "Accept"}
        if "text/html" not in request.headers.get("Accept", ""):
            return JsonResponse(found, status=status, headers=headers)
        parts = [(title, found[name].capitalize()) for name, title in _PARTS.items()]
        page = render_to_string("health.html", {"problems": found["problems"], "parts": parts})
        return HttpResponse(
            page, status=status, headers=headers | {"Content-Security-Policy": header(STRICT)}
        )

    return middleware


def _states() -> dict:
    """The state of each part, and a sentence for each problem."""
    for look in (_files, _broker):
        look.start()
    database, stored, broker = _database(), _files.answer(), _broker.answer()
    clock = worker = "unknown"
    problems = [
        sentence
        for state, sentence in (
            (database == "down", "The database does not answer."),
            (database == "read-only", "The database can't be written to."),
            (stored != "up", "Files can't be stored."),
            (broker != "up", "The message broker does not answer."),
        )
        if state
    ]
    if database != "down":
        clock, worker, late = _heartbeats(timezone.now())
        problems += late
    states = {"database": database, "files": stored, "broker": broker, "clock": clock, "worker": worker}
    return states | {"problems": problems}


# Each check writes, and anybody can call it, so one check answers all requests within these seconds.
_found = Recent(lambda: _states(), seconds=5)


def _database():
    """up, read-only (a full disk, or a standby that took over), or down."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except _DOWN:
        logger.exception("The database does not answer.")
        return "down"
    try:
        if connection.vendor == "sqlite":
            # On SQLite, a write would wait for the running writer.
            files.check_folder(settings.DATA)
            return "up"
        # Writes like a sign-in, but always the same row; a key this short is not a valid session.
        Session.objects.update_or_create(session_key="health", defaults={"expire_date": timezone.now()})
    except (*_DOWN, OSError):
        logger.exception("The database can't be written to.")
        return "read-only"
    return "up"


class _ServerCheck:
    """A check of a server that may not answer: in a separate thread, so that a timeout is a result.

    If a thread hangs, no second one is started.
    """

    PATIENCE = 2  # seconds

    def __init__(self, check, problem):
        self._check, self._problem = check, problem
        self._thread = None
        self._state = "down"

    def start(self):
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._ask, daemon=True)
            self._thread.start()

    def answer(self):
        """`up`, or `down` after an error or a timeout."""
        self._thread.join(self.PATIENCE)
        return "down" if self._thread.is_alive() else self._state

    def _ask(self):
        try:
            self._check()
            self._state = "up"
        except Exception:  # each kind of server has its own exceptions
            logger.exception(self._problem)
            self._state = "down"


def _check_broker():
    """Messages in memory have no server."""
    if not app.conf.broker_url.startswith("memory:"):
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=3)


# Documents and receipts are files; without a broker, no background task runs.
_files = _ServerCheck(files.check, "Files can't be stored.")
_broker = _ServerCheck(_check_broker, "The message broker does not answer.")


def _heartbeats(now: datetime):
    """The states of the clock and the worker, and a sentence for each that is late.

    A worker is late if it has not run the tasks of the clock. While the clock is late, its state is unknown.
    """
    try:
        last = dict(Heartbeat.objects.values_list("name", "at"))
    except _DOWN:  # not migrated yet, or just down
        logger.exception("The heartbeats can't be read.")
        return "unknown", "unknown", []
    clock, worker = last.get(Heartbeat.Name.CLOCK), last.get(Heartbeat.Name.WORKER)
    if clock is None or now - clock > CLOCK_IS_LATE:
        return "late", "unknown", [_since("The clock has not run", "The clock has never run", clock, now)]
    if worker is None or now - worker > WORKER_IS_LATE:
        late = _since("No worker has completed a task", "No worker has ever completed a task", worker, now)
        return "up", "late", [late]
    return "up", "up", []


def _since(words, never, last, now):
    if last is None:
        return f"{never}."
    day = "" if last.date() == now.date() else f" on {formatting.day(last.date())}"
    return f"{words} since {formatting.time(last)} UTC{day}."
