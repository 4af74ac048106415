import contextlib
import os
import shutil
import signal
import tempfile

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.template.loader import render_to_string
from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

from invoicing_site.embedded import Background


class Server(BaseApplication):
    """gunicorn, configured by this command only: without its own command line and configuration file."""

    def __init__(self, **options):
        self.options = options
        super().__init__()

    def load_config(self):
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self):
        return get_wsgi_application()


# The longest address that gunicorn reads. The default of nginx and most other proxies is as long.
LONGEST_ADDRESS = 8190


class Worker(ThreadWorker):
    """gunicorn's worker, which answers an address that is too long with our error page."""

    def handle_error(self, req, client, addr, exc):
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("The address requested by %s is longer than %s bytes.", addr[0], LONGEST_ADDRESS)
        page = render_to_string("414.html").encode()
        head = (
            "HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nContent-Type: text/html; charset=utf-8\r\n"
            f"Content-Security-Policy: default-src 'self'\r\nContent-Length: {len(page)}\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            client.settimeout(1)
            client.sendall(head.encode() + page)
            # Closing with bytes unread would reset the connection, and the browser would show no page.
            for _ in range(64):
                if not client.recv(4096):
                    break


class Command(BaseCommand):
    help = "Serve Ledgerline; with messages in memory (the default), also run its tasks and its scheduler."
    requires_migrations_checks = True

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1, help="web processes; more need a real broker")
        parser.add_argument("--threads", type=int, default=8, help="threads of each web process")
        parser.add_argument(
            "--with-worker",
            action="store_true",
            help="run worker and scheduler in this process although there is a broker",
        )
        parser.add_argument(
            "--demo", action="store_true", help="load the demo company first if the database is empty"
        )

    def execute(self, *args, **options):
        with _counting_together():  # also around the checks, which import the metrics
            return super().execute(*args, **options)

    def handle(self, *, host, port, workers, threads, with_worker, demo, **_):
        background = with_worker or settings.CELERY_BROKER_URL.startswith("memory:")
        if background and workers != 1:
            raise CommandError(
                "Worker and scheduler can run inside one web process only: leave out --workers."
            )
        if demo:
            self._load_demo()
        connections.close_all()  # a connection must not pass through a fork

        self.stdout.write(f"Ledgerline is at http://{host}:{port}/ and stops with Ctrl-C.")
        self.stdout.flush()
        Server(
            bind=f"{host}:{port}",
            workers=workers,
            threads=threads,
            worker_class=Worker,
            limit_request_line=LONGEST_ADDRESS,
            proc_name="ledgerline",
            control_socket_disable=True,
            logconfig_dict=_logging(),
            **_hooks(background=background),
        ).run()

    def _load_demo(self):
        if "demo" not in get_commands() or get_user_model().objects.exists():
            return
        if settings.PRODUCTION:
            raise CommandError("The demo company can't be loaded in production.")
        call_command("demo", stdout=self.stdout)


@contextlib.contextmanager
def _counting_together():
    """A folder in which all web processes count together, so that any of them can answer.

    prometheus_client reads its name on import. A forked process runs this code too when it ends, and must not
    delete the folder.
    """
    if not settings.METRICS_TOKEN:
        yield
        return
    folder, owner = tempfile.mkdtemp(prefix="ledgerline-metrics-"), os.getpid()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    try:
        yield
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _hooks(*, background):
    """gunicorn calls these in the forked web process, where the background threads have to run."""
    running = []

    def start(worker):
        _stop_gently(worker)
        if background:
            running.append(Background())
            running[0].start()

    def stop(arbiter, worker):
        for threads in running:
            threads.stop()

    return {"post_worker_init": start, "worker_exit": stop}


def _stop_gently(worker):
    """Ctrl-C reaches the web process from the terminal and again, as SIGQUIT, from its parent.

    gunicorn handles both with a function that waits for a lock, which its own thread may hold. The parent's
    signal is enough and is treated as SIGTERM: running requests are finished.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, worker.handle_exit)


def _logging():
    """Prevent gunicorn from adding its own handlers, so that its log lines look like all others."""
    ours = {name: {"handlers": [], "propagate": True} for name in ("gunicorn.error", "gunicorn.access")}
    return {**settings.LOGGING, "loggers": settings.LOGGING["loggers"] | ours}
