"""ring(): what was committed stands, whatever becomes of the message."""

import pytest
from django.db import transaction

from invoicing_site import celery
from invoicing_site.celery import app, ring

pytestmark = pytest.mark.django_db
heard = []


@app.task(name="tests.hear")
def hear(word):
    heard.append(word)


@app.task(name="tests.stumble")
def stumble():
    raise RuntimeError("no paper")


@pytest.fixture(autouse=True)
def silence():
    heard.clear()


def test_without_a_worker_the_task_is_done_at_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ring(hear, "ding")
        assert heard == []  # nothing leaves before the commit
    assert heard == ["ding"]


def test_a_task_can_be_named(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ring(f"{__name__}.hear", "dong")
    assert heard == ["dong"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_does_not_ring():
    with transaction.atomic():
        ring(hear, "ding")
        transaction.set_rollback(True)
    assert heard == []


@pytest.mark.parametrize("task", [stumble, "ledger.tasks.of_which_there_is_none"])
def test_a_failure_is_logged_and_disturbs_nobody(task, django_capture_on_commit_callbacks, caplog):
    with django_capture_on_commit_callbacks(execute=True):
        ring(task)
        ring(hear, "after")
    assert heard == ["after"]
    assert "the sweep will do its work" in caplog.text


@pytest.mark.parametrize("broker", ["memory://", "redis://somewhere"])
def test_where_a_worker_listens_the_message_is_sent(broker, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(celery.app.conf, "broker_url", broker)
    monkeypatch.setattr(hear, "delay", lambda *args: sent.append(args))
    if broker == "memory://":
        celery.worker_is_here.set()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            ring(hear, "ding")
    finally:
        celery.worker_is_here.clear()
    assert sent == [("ding",)]
    assert heard == []
