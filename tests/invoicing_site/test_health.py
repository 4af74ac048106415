"""The health page: the state of each part and since when, for users and for programs."""

import contextlib
import resource
import threading
from datetime import UTC, datetime, timedelta
from unittest.mock import MagicMock, Mock

import pytest
import time_machine
from celery.signals import before_task_publish
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from invoicing_site import heartbeats, tasks
from invoicing_site.celery import app
from invoicing_site.floor import recent
from invoicing_site.models import Heartbeat
from invoicing_site.pages import health

NOON = datetime(2026, 12, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh_health():
    """No test uses the stored result of another test."""
    health._found.forget()
    yield
    health._found.forget()


@contextlib.contextmanager
def no_file_can_be_written():
    """A limit on the size of files lets every write fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def beats(**ages):
    Heartbeat.objects.all().delete()
    Heartbeat.objects.bulk_create(Heartbeat(name=name, at=NOON - age) for name, age in ages.items())


@pytest.fixture
def noon(db):
    with time_machine.travel(NOON, tick=False):
        beats(clock=timedelta(seconds=20), worker=timedelta(seconds=20))
        yield


def test_strangers_see_only_that_all_is_well(noon, client):
    answer = client.get("/health/", headers={"host": "10.1.2.3"})  # a load balancer uses the address
    assert answer.status_code == 200
    assert answer.json() == {
        "database": "up",
        "files": "up",
        "broker": "up",
        "clock": "up",
        "worker": "up",
        "problems": [],
    }


def test_a_browser_gets_a_page_under_our_policy(noon, client):
    answer = client.get("/health/", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 200
    assert "<h1>Everything works</h1>" in answer.text
    assert "<dt>Message broker</dt><dd>Up</dd>" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("minutes", "clock", "worker", "problems"),
    [
        ({"clock": 3, "worker": 10}, "up", "up", []),
        ({"clock": 228, "worker": 228}, "late", "unknown", ["The clock has not run since 08:12 UTC."]),
        ({"clock": 1, "worker": 11}, "up", "late", ["No worker has completed a task since 11:49 UTC."]),
        (
            {"clock": 1, "worker": 720},
            "up",
            "late",
            ["No worker has completed a task since 00:00 UTC."],
        ),
        (
            {"clock": 721, "worker": 1},
            "late",
            "unknown",
            ["The clock has not run since 23:59 UTC on 14 Dec 2026."],
        ),
        ({"worker": 1}, "late", "unknown", ["The clock has never run."]),
        ({"clock": 1}, "up", "late", ["No worker has ever completed a task."]),
    ],
)
def test_a_stopped_process_is_named_with_the_time_and_the_site_stays_up(
    noon, client, minutes, clock, worker, problems
):
    beats(**{name: timedelta(minutes=age) for name, age in minutes.items()})
    answer = client.get("/health/")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["clock"], found["worker"], found["problems"]) == (clock, worker, problems)


def test_the_health_page_names_the_problem(noon, client):
    beats(clock=timedelta(minutes=228))
    page = client.get("/health/", headers={"accept": "text/html"}).text
    assert "<h1>Something is wrong</h1>" in page
    assert "The clock has not run since 08:12 UTC." in page
    assert "<dt>Clock</dt><dd>Late</dd>" in page


def test_a_broker_that_does_not_answer_is_named_and_the_site_stays_up(noon, client, monkeypatch):
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["broker"]) == (200, "down")
    assert answer.json()["problems"] == ["The message broker does not answer."]


@pytest.mark.redis
def test_a_redis_that_answers_is_up(noon, client, monkeypatch, settings):
    monkeypatch.setattr(app.conf, "broker_url", settings.TEST_REDIS_URL)
    monkeypatch.setattr(app.conf, "broker_write_url", settings.TEST_REDIS_URL)
    assert client.get("/health/").json()["broker"] == "up"


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_health_is_503_without_its_database(client, monkeypatch, accept):
    class Broken:
        vendor = "postgresql"

        def cursor(self):
            raise DatabaseError("gone")

    monkeypatch.setattr(health, "connection", Broken())
    answer = client.get("/health/", headers={"accept": accept})
    assert answer.status_code == 503
    assert "The database does not answer." in answer.text


@pytest.mark.postgres
def test_a_data_folder_without_space_is_named_and_the_site_stays_up(noon, client):
    with no_file_can_be_written():
        answer = client.get("/health/")
    assert (answer.status_code, answer.json()["files"]) == (200, "down")
    assert answer.json()["problems"] == ["Files can't be stored."]


def test_a_server_that_never_answers_does_not_keep_health_waiting(noon, client, monkeypatch):
    """And the second request does not wait."""
    answers, begun = threading.Event(), []

    def hang():
        begun.append(1)
        answers.wait(60)

    monkeypatch.setattr(health, "_broker", health._ServerCheck(hang, "hangs"))
    monkeypatch.setattr(health._ServerCheck, "PATIENCE", 0.05)
    try:
        for _ in range(3):
            health._found.forget()
            answer = client.get("/health/")
            assert (answer.status_code, answer.json()["broker"]) == (200, "down")
    finally:
        answers.set()
    assert begun == [1]


@pytest.mark.sqlite
def test_health_is_503_when_the_folder_of_the_database_has_no_space(noon, client):
    with no_file_can_be_written():
        answer = client.get("/health/")
    assert answer.status_code == 503
    found = answer.json()
    assert (found["database"], found["files"]) == ("read-only", "down")
    assert found["problems"] == [
        "The database can't be written to.",
        "Files can't be stored.",
    ]


@pytest.mark.postgres
def test_health_is_503_when_the_database_cannot_write(noon, client):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json()["database"] == "read-only"


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_goes_away_during_the_check_is_no_internal_error(noon, client, monkeypatch, error):
    """After the first error, each use of the closed connection is an InterfaceError."""
    monkeypatch.setattr(health.Heartbeat.objects, "values_list", Mock(side_effect=InterfaceError))
    monkeypatch.setattr(health, "connection", MagicMock(vendor="postgresql"))
    monkeypatch.setattr(health.Session.objects, "update_or_create", Mock(side_effect=error))
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["clock"]) == ("read-only", "unknown")


def test_a_folder_of_files_that_takes_nothing_is_named(noon, client, tmp_path, settings):
    settings.DATA = tmp_path
    (tmp_path / "files").write_text("no folder")
    answer = client.get("/health/").json()
    assert (answer["files"], answer["problems"]) == ("down", ["Files can't be stored."])


def test_health_writes_at_most_once_in_some_seconds(db, client):
    client.get("/health/")
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/health/").status_code == 200
    assert len(queries) == 0


def test_a_slow_check_answers_those_who_waited_for_it(client, monkeypatch):
    """Otherwise, while a server does not answer, each request checks it again, and they block all threads."""
    now, looks = [100.0], []

    def look():
        looks.append(now[0])
        now[0] += 20
        return {"database": "down", "problems": []}

    monkeypatch.setattr(health, "_states", look)
    monkeypatch.setattr(recent.time, "monotonic", lambda: now[0])
    for _ in range(2):
        assert client.get("/health/").status_code == 503
    assert looks == [100.0]


# The heartbeats themselves


def test_the_clock_sends_the_heartbeat_each_minute():
    entry = app.conf.beat_schedule["heartbeat"]
    assert entry["task"] == heartbeats.TASK == tasks.heartbeat.name
    assert len(entry["schedule"].minute) == 60


def test_the_task_records_the_heartbeat_of_the_worker(db):
    with time_machine.travel(NOON, tick=False):
        tasks.heartbeat()
    with (
        time_machine.travel(NOON + timedelta(minutes=1), tick=False),
        CaptureQueriesContext(connection) as queries,
    ):
        tasks.heartbeat()
    assert list(Heartbeat.objects.values_list("name", "at")) == [("worker", NOON + timedelta(minutes=1))]
    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_sending_the_task_records_the_heartbeat_of_the_clock():
    before_task_publish.send(sender="invoicing_site.tasks.deliver")
    assert not Heartbeat.objects.exists()
    with time_machine.travel(NOON, tick=False):
        before_task_publish.send(sender=heartbeats.TASK)
    assert list(Heartbeat.objects.values_list("name", "at")) == [("clock", NOON)]
