"""ring(): what was committed stands, whatever becomes of the message."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from invoicing_site import celery, tasks
from invoicing_site.celery import app, ring
from invoicing_site.models import Message

pytestmark = pytest.mark.django_db
HEAR = f"{__name__}.hear"
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
        ring(HEAR, "ding")
        assert heard == []  # nothing leaves before the commit
    assert heard == ["ding"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_does_not_ring():
    with transaction.atomic():
        ring(HEAR, "ding")
        transaction.set_rollback(True)
    assert heard == []
    assert not Message.objects.exists()


@pytest.mark.parametrize("task", [f"{__name__}.stumble", "ledger.tasks.of_which_there_is_none"])
def test_a_failure_is_logged_and_disturbs_nobody(task, django_capture_on_commit_callbacks, caplog):
    with django_capture_on_commit_callbacks(execute=True):
        ring(task)
        ring(HEAR, "after")
    assert heard == ["after"]
    assert "the sweep will do its work" in caplog.text


@pytest.mark.parametrize("broker", ["memory://", "redis://somewhere"])
def test_where_a_worker_listens_the_message_is_sent(broker, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(celery.app.conf, "broker_url", broker)
    monkeypatch.setattr(tasks.deliver, "delay", sent.append)
    if broker == "memory://":
        celery.worker_is_here.set()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            ring(HEAR, "ding")
    finally:
        celery.worker_is_here.clear()
    assert sent == [Message.objects.get().pk]
    assert heard == []


# The message is a row: what the broker loses is found


def lost(*args, task=HEAR, minutes=2, **fields):
    sent_at = timezone.now() - timedelta(minutes=minutes)
    return Message.objects.create(task=task, args=args, sent_at=sent_at, **fields)


def test_what_no_worker_began_is_done_by_the_sweep_and_once():
    lost("ding")
    for _ in range(2):
        tasks.deliver_late()
    assert heard == ["ding"]
    assert not Message.objects.exists()


def test_what_was_sent_just_now_is_left_to_the_worker():
    lost("ding", minutes=0)
    tasks.deliver_late()
    assert heard == []


def test_a_message_that_comes_twice_is_done_once():
    message = lost("ding")
    for _ in range(2):
        tasks.deliver(message.pk)
    assert heard == ["ding"]


@pytest.mark.parametrize(("begun", "done"), [(5, []), (16, ["ding"])])
def test_a_worker_that_died_is_followed_by_another(begun, done):
    lost("ding", minutes=20, begun_at=timezone.now() - timedelta(minutes=begun), tries=1)
    tasks.deliver_late()
    assert heard == done


def test_one_that_fails_stops_no_other_and_is_tried_five_times(caplog):
    stumbling = lost(task=f"{__name__}.stumble")
    lost("ding")
    for _ in range(7):
        tasks.deliver_late()
        Message.objects.update(begun_at=timezone.now() - timedelta(minutes=16))
    stumbling.refresh_from_db()
    assert (heard, stumbling.tries) == (["ding"], 5)
    assert "no paper" in caplog.text
