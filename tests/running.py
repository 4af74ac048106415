"""Helpers that start the real programs, as their users do."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "LEDGERLINE_PRODUCTION": "1",
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "ledgerline.example",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
}


def environment(data, **variables):
    """Only the given variables, so that a test does not depend on the machine."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(data),
        "PYTHONUNBUFFERED": "1",
        "LEDGERLINE_DATA": str(data),
        **variables,
    }


def python(*arguments, env):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextlib.contextmanager
def running(*arguments, env, log):
    """A program in the background, ended by SIGTERM if the test has not ended it."""
    with Path(log).open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=env, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, within=60):
    """The page, requested until the server answers."""
    return eventually(lambda: urllib.request.urlopen(url, timeout=10).read().decode(), within)


def eventually(ask, within=60):
    until = time.monotonic() + within
    while True:
        try:
            if answer := ask():
                return answer
        except (urllib.error.URLError, ConnectionError, FileNotFoundError):
            pass
        assert time.monotonic() < until, "Nothing came in time."
        time.sleep(0.1)
