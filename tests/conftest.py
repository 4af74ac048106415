"""Settings of all tests: which tests can run here, and how many examples Hypothesis tries."""

import gc
import json
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from invoicing_site.floor import guards
from tests import emptying, locks
from tests.factories import memory

# No deadline: an example on a busy machine is slow, not wrong.
_common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
hypothesis_settings.register_profile("small", max_examples=50, **_common)
hypothesis_settings.register_profile("large", max_examples=2000, **_common)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "small"))

ELSEWHERE = "runs elsewhere: "

# Imported modules stay in memory, so the garbage collector can skip them.
gc.collect()
gc.freeze()
gc.set_threshold(100_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def _guards_make_way_for_the_flush():
    """Drop the guards for the flush at the end of a transactional test; post_migrate restores them.

    A transactional test ends by emptying every table, which guards refuse. On PostgreSQL that takes over a
    second, so there only tables with rows are emptied, with disabled triggers.
    """
    teardown = TransactionTestCase._fixture_teardown

    def without_guards(self):
        if connection.vendor == "postgresql":
            emptying.empty_tables()
        else:
            guards.drop(connection)
            teardown(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", without_guards)
        yield


@pytest.fixture(autouse=True, scope="session")
def _signing_in_is_remembered():
    """Remember the cookies of `Client.force_login`, which most tests of pages call first."""
    sign_in = Client.force_login

    @memory.remembered
    def cookies_of(user, backend):
        client = Client()
        sign_in(client, user, backend)
        return client.cookies

    def force_login(self, user, backend=None):
        if self.cookies:
            sign_in(self, user, backend)
        else:
            self.cookies = cookies_of(user, backend)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "force_login", force_login)
        yield


@pytest.fixture(autouse=True)
def _locks_are_taken_in_one_order():
    """Check the order of locks of all operations that a test calls: see tests/locks.py."""
    with pytest.MonkeyPatch.context() as patch:
        watch = locks.watch_over(patch)
        with connection.execute_wrapper(watch.wrote):
            yield
    assert watch.wrong == []


@pytest.fixture(autouse=True)
def _makers_are_remembered(request, monkeypatch):
    """Remember rows that test data functions create: see tests/factories/memory.py."""
    on_commit = "django_capture_on_commit_callbacks" in request.fixturenames
    with memory.following(monkeypatch, on_commit=on_commit):
        yield


def pytest_collection_modifyitems(items):
    """Skip tests that this database or broker can't run; `./run test` says if no other run included them."""
    here = {
        "postgres": connection.vendor == "postgresql",
        "sqlite": connection.vendor == "sqlite",
        "redis": bool(settings.TEST_REDIS_URL),
    }
    for item in items:
        needed = [service for service in here if item.get_closest_marker(service)]
        if not needed and not _meets_a_database(item):
            needed = ["sqlite"]  # tests without a database run once
        for service in needed:
            if not here[service]:
                item.add_marker(pytest.mark.skip(reason=f"{ELSEWHERE}needs {service}"))


def _meets_a_database(item):
    asked = {"db", "transactional_db", "live_server", "django_db_setup"}.intersection(item.fixturenames)
    return (
        asked or item.get_closest_marker("django_db") or issubclass(item.cls or object, TransactionTestCase)
    )


_left_out = {}


def pytest_runtest_logreport(report):
    if report.skipped and not hasattr(report, "wasxfail"):
        _note(report)


def pytest_collectreport(report):
    if report.skipped:
        _note(report)


def _note(report):
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(ELSEWHERE):
        _left_out[report.nodeid] = reason


def pytest_sessionfinish():
    """Tell tests/run.py which tests were skipped because something is missing, for its summary."""
    if path := os.environ.get("LEDGERLINE_LEFT_OUT"):
        Path(path).write_text(json.dumps(_left_out))
