"""Background jobs: run once, even after a lost message, and given up after five attempts."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from invoicing_site import celery
from invoicing_site.celery import app
from invoicing_site.floor import jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.models import Job, Notice
from tests import factories

pytestmark = pytest.mark.django_db
heard = []
LONG_AGO = timedelta(minutes=20)


@pytest.fixture(autouse=True)
def _kinds(monkeypatch):
    """Three kinds of this file only."""
    monkeypatch.setattr(jobs, "KINDS", dict(jobs.KINDS))
    heard.clear()

    @jobs.register(
        "hear",
        title="Hear",
        permission="entry.import",
        unit="words",
        says=lambda job: f"Heard {job.outcome['word']}.",
        link=lambda job: ("/entries/", "Show it"),
    )
    def hear(work, word):
        work.report(1, 2)
        heard.append(word)
        return jobs.Outcome("HEARD", {"word": word})

    @jobs.register("stumble", title="Stumble", permission=jobs.SYSTEM)
    def stumble(work):
        raise RuntimeError("no paper")

    @jobs.register("refuse", title="Refuse", permission="entry.import")
    def refuse(work):
        raise Refused("NOTHING-SELECTED")


@pytest.fixture
def it():
    return factories.company(books=False)


def lost(kind="hear", minutes=2, **fields):
    """A job with a message that was lost this many minutes ago."""
    if kind == "hear":
        fields.setdefault("word", "ding")
    with time_machine.travel(timezone.now() - timedelta(minutes=minutes)):
        return jobs.add(kind, **fields)


def fresh(job):
    job.refresh_from_db()
    return job


# Sending


def test_without_a_worker_a_job_is_run_at_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue_on_commit("hear", word="ding")
        assert heard == []  # nothing is sent before the commit
    assert heard == ["ding"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_job_is_not_run():
    with transaction.atomic():
        jobs.enqueue_on_commit("hear", word="ding")
        transaction.set_rollback(True)
    assert heard == []
    assert not Job.objects.exists()


def test_a_failure_is_logged_and_not_raised(django_capture_on_commit_callbacks, caplog):
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue_on_commit("stumble")
        jobs.enqueue_on_commit("hear", word="after")
    assert heard == ["after"]
    assert "The sweep tries it again" in caplog.text
    assert "no paper" in caplog.text


def test_an_unregistered_kind_is_an_error():
    with pytest.raises(AssertionError, match="No room registers the kind juggle"):
        jobs.enqueue_on_commit("juggle")


@pytest.mark.parametrize("broker", ["memory://", "redis://somewhere"])
def test_with_a_broker_the_message_is_sent(broker, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(app.conf, "broker_url", broker)
    monkeypatch.setattr(jobs.deliver, "apply_async", lambda args, queue: sent.extend(args))
    if broker == "memory://":
        celery.worker_is_here.set()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            jobs.enqueue_on_commit("hear", word="ding")
    finally:
        celery.worker_is_here.clear()
    assert sent == [Job.objects.get().pk]
    assert heard == []


# The sweep


def test_a_job_that_no_worker_started_is_run_once_by_the_sweep():
    lost()
    for _ in range(2):
        jobs.sweep()
    assert heard == ["ding"]
    assert not Job.objects.exists()  # no user asked, so it is deleted


def test_the_sweep_does_not_run_a_job_that_was_just_sent():
    lost(minutes=0)
    jobs.sweep()
    assert heard == []


def test_a_message_that_arrives_twice_is_done_once(it):
    job = lost(by=it.accountant, entity=it.entity)
    for _ in range(2):
        jobs.perform(job.pk)
    assert heard == ["ding"]
    assert Notice.objects.get().text == "Heard ding."


@pytest.mark.parametrize(("minutes", "done"), [(14, []), (16, ["ding"])])
def test_a_job_of_a_dead_worker_is_run_by_another(minutes, done):
    """Its last heartbeat was this many minutes ago."""
    job = lost(minutes=minutes)
    with time_machine.travel(timezone.now() - timedelta(minutes=minutes)):
        assert jobs._claim(job, jobs.SILENT)
    jobs.sweep()
    assert heard == done


def test_the_sweep_does_not_run_a_job_with_a_heartbeat():
    job = lost(minutes=16)
    with time_machine.travel(timezone.now() - timedelta(minutes=16)):
        jobs._claim(job, jobs.SILENT)
    with time_machine.travel(timezone.now() - timedelta(minutes=10)):
        jobs.Work(job, jobs.KINDS["hear"]).report(3, 7)
    jobs.sweep()
    assert heard == []
    assert (fresh(job).done, job.total, job.state) == (3, 7, "running")


def test_a_slow_worker_does_not_end_the_job_of_its_successor(it):
    """Both do the work, which is safe to repeat; the one that has the job now ends it, and notifies once."""
    job = lost(minutes=20, by=it.accountant, entity=it.entity)
    with time_machine.travel(timezone.now() - timedelta(minutes=20)):
        jobs._claim(job, jobs.SILENT)
    successor = fresh(Job.objects.get())
    assert jobs._claim(successor, jobs.SILENT)
    jobs._end(job, jobs.State.DONE, jobs.Outcome("HEARD", {"word": "slow"}))
    assert (fresh(job).state, Notice.objects.count()) == ("running", 0)
    jobs._end(successor, jobs.State.DONE, jobs.Outcome("HEARD", {"word": "quick"}))
    assert (fresh(job).state, Notice.objects.get().text) == ("done", "Heard quick.")


def test_a_failing_job_stops_no_other_and_is_given_up_after_five_tries(caplog):
    stumbling = lost("stumble")
    lost()
    tries = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(60):
            jobs.sweep()
            tries.append(fresh(stumbling).tries)
            clock.shift(60)
    assert heard == ["ding"]
    assert (stumbling.tries, stumbling.state, stumbling.outcome_code) == (5, "failed", "GAVE-UP")
    assert [tries.count(n) for n in (1, 2, 3, 4)] == [3, 5, 9, 17]  # it waits 2, 4, 8, 16 minutes
    assert "no paper" in caplog.text


def test_a_job_of_an_unknown_kind_fails_with_a_sentence(it):
    job = lost(by=it.accountant, entity=it.entity)
    del jobs.KINDS["hear"]
    jobs.sweep()
    assert (fresh(job).state, job.outcome_code) == ("failed", "UNKNOWN-KIND")
    assert "This version can't run jobs of the kind hear." in Notice.objects.get().text


def test_a_sweep_can_be_restricted(it):
    first, second = lost(entity=it.entity), lost(word="dong")
    assert jobs.sweep(kind="stumble") == []
    assert jobs.sweep(kind="hear", entity=it.entity.code) == [first.pk]
    assert jobs.sweep() == [second.pk]
    assert heard == ["ding", "dong"]


def test_old_jobs_are_deleted(it):
    job = lost(by=it.accountant, entity=it.entity)
    jobs.perform(job.pk)
    waiting = lost()
    with time_machine.travel(timezone.now() + timedelta(days=89)):
        jobs.delete_old()
    assert Job.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        jobs.delete_old()
    assert Job.objects.get() == waiting


# The user who asked


def test_the_user_gets_one_notice_with_a_link_to_the_result(it):
    job = lost(by=it.accountant, entity=it.entity)
    jobs.perform(job.pk)
    notice = Notice.objects.get()
    assert (notice.user, notice.text, notice.url) == (it.accountant, "Heard ding.", "/entries/")
    assert (fresh(job).outcome_code, job.outcome, job.is_problem) == ("HEARD", {"word": "ding"}, False)


def test_a_user_who_lost_the_permission_is_refused_before_the_job_runs(it):
    """SEC-1"""
    job = lost(by=it.auditor, entity=it.entity)
    jobs.perform(job.pk)
    assert heard == []
    assert (fresh(job).state, job.outcome_code) == ("failed", "MAY-NO-LONGER")
    assert (Notice.objects.get().is_problem, Notice.objects.get().url) == (True, job.get_absolute_url())


def test_a_refused_job_of_a_user_is_not_tried_again(it):
    job = lost("refuse", by=it.accountant, entity=it.entity)
    for _ in range(2):
        jobs.sweep()
    assert (fresh(job).tries, job.state) == (1, "failed")
    assert Notice.objects.get().text.startswith("Nothing is selected.")


def test_a_job_of_the_program_is_tried_again_after_a_refusal():
    """Libraries that are missing today may be there tomorrow."""
    job = lost("refuse")
    jobs.sweep()
    assert (fresh(job).state, job.tries) == ("waiting", 1)


# Its page


def page(client, user, job, **headers):
    client.force_login(user)
    return client.get(job.get_absolute_url(), headers=headers)


def test_the_page_polls_until_the_job_has_ended(it, client):
    job = lost(minutes=0, by=it.accountant, entity=it.entity, subject="March", total=2)
    text = page(client, it.accountant, job).text
    assert 'hx-trigger="every 1s"' in text
    assert '<meta http-equiv="refresh"' in text  # without JavaScript
    assert "March. Requested by" in text
    assert "0 of 2 done." in text
    jobs._claim(job, jobs.SILENT)
    jobs.Work(job, jobs.KINDS["hear"]).report(1, 2)
    text = page(client, it.accountant, job, **{"HX-Request": "true"}).text
    assert "1 of 2 words." in text
    assert 'value="1" max="2"' in text
    assert "<html" not in text
    jobs._end(job, jobs.State.DONE, jobs.Outcome("HEARD", {"word": "ding"}))
    text = page(client, it.accountant, job).text
    assert "Heard ding." in text
    assert '<a class="btn primary" href="/entries/">Show it</a>' in text
    assert "every 1s" not in text


def test_the_page_shows_when_a_silent_or_failed_job_is_tried_again(it, client):
    job = lost(minutes=5, by=it.accountant, entity=it.entity)
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        jobs._claim(job, jobs.SILENT)
    assert "No worker has worked on it since" in page(client, it.accountant, job).text
    jobs._put_back(job)
    assert "The next attempt is at" in page(client, it.accountant, job).text
    assert "1 of 5 attempts so far" in page(client, it.accountant, job).text


def test_a_job_that_was_given_up_can_be_tried_again(it, client, django_capture_on_commit_callbacks):
    job = lost(by=it.accountant, entity=it.entity)
    Job.objects.update(state="running", tries=5)
    jobs.sweep()
    text = page(client, it.accountant, job).text
    assert "Try again</button>" in text
    assert f"report job {job.pk}" in text
    assert Notice.objects.get().is_problem
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("try_job_again", args=[job.pk]))
    assert heard == ["ding"]
    assert fresh(job).state == "done"
    again = client.post(reverse("try_job_again", args=[job.pk]), follow=True)
    assert "Only a job that failed because of an internal error can be tried again." in again.text
    assert heard == ["ding"]


def test_a_job_is_visible_to_its_user_only(it, client):
    """SEC-1"""
    job = lost(by=it.accountant, entity=it.entity)
    for user in (it.manager, it.administrator, it.auditor):
        assert page(client, user, job).status_code == 404
        assert client.post(reverse("try_job_again", args=[job.pk])).status_code == 404


def given_up(it, **params):
    job = lost(by=it.accountant, entity=it.entity, **params)
    Job.objects.filter(pk=job.pk).update(state="running", tries=5)
    jobs.sweep()
    return fresh(job)


def test_a_worker_of_an_earlier_request_ends_nothing_of_a_job_that_was_tried_again(it):
    """Each attempt has its own number, also after "Try again"."""
    slow = lost(by=it.accountant, entity=it.entity, minutes=200)
    with time_machine.travel(timezone.now() - timedelta(minutes=100)):
        jobs._claim(slow, jobs.SILENT)
    Job.objects.update(tries=5)
    jobs.sweep()
    jobs.try_again(fresh(Job.objects.get()))
    next_one = Job.objects.get()
    assert jobs._claim(next_one, jobs.SILENT)
    jobs._end(slow, "done", jobs.Outcome("HEARD", {"word": "late"}))
    jobs._put_back(slow)
    assert (fresh(next_one).state, next_one.tries) == ("running", 6)


def test_a_job_that_was_tried_again_has_five_more_attempts(it, client, caplog):
    job = given_up(it)
    jobs.try_again(job)
    Job.objects.update(due_at=timezone.now() - timedelta(minutes=1), kind="stumble", params={})
    assert "failed because of" not in page(client, it.accountant, fresh(job)).text
    Job.objects.update(asked_by=None)
    for n in range(6, 11):
        assert (fresh(job).tries, job.state) == (n - 1, "waiting")
        jobs.sweep()
        Job.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert (fresh(job).tries, job.state, job.outcome) == (10, "failed", {"tries": 10})


def test_the_page_counts_the_attempts_since_it_was_tried_again(it, client):
    job = given_up(it)
    jobs.try_again(job)
    jobs._claim(job, jobs.SILENT)
    jobs._put_back(job)
    assert "1 of 5 attempts so far" in page(client, it.accountant, job).text


def test_a_job_that_was_tried_again_is_as_old_as_the_new_request(it):
    """Otherwise the metric of the oldest job raises an alarm at once."""
    job = given_up(it, minutes=5000)
    jobs.try_again(job)
    assert timezone.now() - fresh(job).asked_at < timedelta(minutes=1)


def test_a_worker_that_reports_during_a_sweep_is_not_given_up(it, monkeypatch):
    first, last = lost(word="first"), lost(by=it.accountant, entity=it.entity, minutes=30)
    Job.objects.filter(pk=last.pk).update(state="running", tries=5)
    fresh(last)
    work = jobs.Work(last, jobs.KINDS["hear"])
    monkeypatch.setattr(jobs, "carry_out", lambda pk: work.report(1, 2))
    assert first.pk < last.pk
    jobs.sweep()
    assert (fresh(last).state, last.outcome_code) == ("running", "")


def test_a_repeated_message_adds_no_attempt_after_the_last_one(it):
    job = lost(by=it.accountant, entity=it.entity, minutes=30)
    Job.objects.update(state="running", tries=5)
    jobs.perform(job.pk)
    assert (heard, fresh(job).tries, job.state) == ([], 5, "running")
    jobs.sweep()
    assert (fresh(job).state, job.outcome_code) == ("failed", "GAVE-UP")


# Queues


@pytest.fixture
def queues(monkeypatch):
    """The queue of each job that is sent, by kind."""
    sent = []

    def send(args, queue):
        sent.append((Job.objects.get(pk=args[0]).kind, queue))

    monkeypatch.setattr(jobs, "somebody_listens", lambda: True)
    monkeypatch.setattr(jobs.deliver, "apply_async", send)
    return sent


@pytest.mark.django_db(transaction=True)
def test_long_jobs_have_a_queue_of_their_own(queues):
    """A month end does not delay what people wait for: what a long job requests is in its queue as well."""

    @jobs.register("read", title="Read", permission=jobs.SYSTEM, is_long=True)
    def read(work):
        jobs.enqueue_on_commit("hear", word="page")

    jobs.enqueue_on_commit("hear", word="ding")
    long = jobs.enqueue_on_commit("read")
    jobs.carry_out(long.pk)
    jobs.enqueue_on_commit("hear", word="dong")
    assert queues == [("hear", "celery"), ("read", "long"), ("hear", "long"), ("hear", "celery")]


def test_a_worker_takes_both_queues_and_the_clock_sends_long_tasks():
    assert {queue.name for queue in app.conf.task_queues} == {celery.SHORT, celery.LONG}
    entries = app.conf.beat_schedule
    assert {name for name, entry in entries.items() if entry["options"].get("queue") != "long"} == {
        "heartbeat"
    }
    assert entries["heartbeat"]["options"] == {"expires": 60 * 60}
