"""Background work: one kind of row, one page, one notice, one sweep.

A job is a row (`Job`), written in the transaction that requests it. After the commit, a message with its key
is sent to a worker. The broker can lose or repeat the message: `perform` takes a job only once, and `sweep`
takes each job that no worker has started, whose worker died, or whose last attempt failed. So a handler can
run twice and must be safe to repeat.

Each room registers its kinds in its `tasks.py`. Callers name the kind of a job, never a module.
"""

import logging
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from invoicing_site.celery import LONG, SHORT, app, somebody_listens
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.floor.transaction import is_busy
from invoicing_site.models import Job, Notice, User

logger = logging.getLogger(__name__)

State = Job.State

# The permission of jobs that the program itself requests.
SYSTEM = "system"
# Codes of outcomes of all kinds.
GAVE_UP, UNKNOWN_KIND = "GAVE-UP", "UNKNOWN-KIND"

# The number of attempts in a row. Then the job has failed, and a person decides; see `tries_in_a_row`.
TRIES = 5
# After this time, a message that no worker has received is treated as lost.
LOST = timedelta(minutes=1)
# After this time without a heartbeat, a worker is treated as dead.
SILENT = timedelta(minutes=15)
# How long an ended job is kept.
KEPT = timedelta(days=90)
_AN_HOUR = 60 * 60


@dataclass(frozen=True)
class Outcome:
    """The result of a job: a code and values, rendered by its kind when it is shown."""

    code: str
    params: dict = field(default_factory=dict)
    is_problem: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of job: its handler, its permission, and how its page shows it.

    `handler(work, **params)` runs the job, returns an Outcome and reports its progress in `unit`. `says(job)`
    is the sentence of the outcome, `link(job)` the address and the label of the result, `rows(job, user)` a
    template and its context with the result of each row. `gave_up(job)` records the end of a job that failed
    too often; it can be called twice. A kind that `is_long` can process many rows; so it has its own queue.
    """

    name: str
    title: str
    permission: str
    handler: Callable
    unit: str = "steps"
    says: Callable[[Job], str] | None = None
    link: Callable[[Job], tuple[str, str]] | None = None
    rows: Callable[[Job, User], tuple[str, dict]] | None = None
    gave_up: Callable[[Job], None] | None = None
    checks_each_row: bool = False
    is_long: bool = False
    silent_for: timedelta = SILENT


KINDS: dict[str, Kind] = {}
_inside_long: ContextVar[bool] = ContextVar("inside_long", default=False)


def register(name: str, *, title: str, permission: str, **options):
    """Decorate the handler of a kind of job; for the options see `Kind`.

    Before the handler is called, the permission of the requester is checked again, for the legal entity. With
    `checks_each_row`, the handler checks it for each row, so that each refused row has a reason.
    """

    def registered(handler):
        assert name not in KINDS or KINDS[name].handler.__qualname__ == handler.__qualname__, name
        KINDS[name] = Kind(name, title, permission, handler, **options)
        return handler

    return registered


_check: Callable | None = None


def check_requesters_with(check: Callable):
    """Set `check(user, permission, entity code)`, which refuses requesters who have lost the permission."""
    global _check
    _check = check


class Work:
    """A running job, for its handler."""

    def __init__(self, job: Job, kind: Kind):
        self.job, self.kind = job, kind
        self._cache_answers = True

    @property
    def by(self) -> User | None:
        """The requester; None is the program itself."""
        return self.job.asked_by

    def report(self, done: int, total: int):
        """Report the progress, outside a transaction; this is also the heartbeat for the sweep."""
        now = timezone.now()
        _mine(self.job).update(done=done, total=total, beat_at=now, due_at=now + self.kind.silent_for)

    def report_inside(self, step: str, done: int, total: int):
        """Report the progress through the cache, from inside a transaction, which others can't read.

        After one failure of the cache, nothing more is reported, because each failure can take seconds.
        """
        if self._cache_answers:
            self._cache_answers = _at_best(self.job, cache.set, (step, done, total), _AN_HOUR) is not _NOTHING


_NOTHING = object()


def _at_best(job, action, *args):
    """The answer of the cache; `_NOTHING` if it does not answer, which is logged."""
    try:
        return action(f"job-{job.pk}", *args)
    except (RedisError, OSError) as problem:
        logger.warning("The progress of %s is not known: the cache does not answer (%r).", job, problem)
        return _NOTHING


def progress_of(job: Job) -> tuple[str, int, int] | None:
    """The step, the number of finished rows and of all rows; None if unknown."""
    if job.total:
        return "", job.done, job.total
    inside = _at_best(job, cache.get) if job.state == State.RUNNING else None
    return None if inside is _NOTHING else inside


# Requesting


def add(kind: str, *, by=None, entity=None, about=None, subject: str = "", total: int = 0, **params) -> Job:
    """Create a job without a message; a sweep runs it unless the caller does (`carry_out`).

    `about` is the row that it is for, `subject` a text if there is no single row.
    """
    job = _new(kind, by, entity, about, subject, total, params)
    job.save(force_insert=True)
    return job


def _new(kind, by=None, entity=None, about=None, subject="", total=0, params=None) -> Job:
    assert kind in KINDS, f"No room registers the kind {kind}."
    now = timezone.now()
    return Job(
        kind=kind,
        params=params or {},
        asked_by=by,
        asked_at=now,
        entity=entity.code if entity else "",
        subject_type=about._meta.label_lower if about else "",
        subject_id=str(about.pk) if about else "",
        subject_text=(subject or (str(about) if about else ""))[:300],
        total=total,
        beat_at=now,
        due_at=now + LOST,
    )


def enqueue_on_commit(kind: str, **asked) -> Job:
    """Create a job (see `add`), and send it to a worker after the commit.

    If no worker listens, it runs in this process after the commit. Errors are then logged, and the sweep
    tries again; the caller's commit is not affected.
    """
    job = add(kind, **asked)
    send_on_commit(job)
    return job


def enqueue_each_on_commit(kind: str, rows: Iterable[tuple[Any, dict]]):
    """`enqueue_on_commit` for each row with its own parameters: created by one statement."""
    for job in Job.objects.bulk_create(_new(kind, about=row, params=params) for row, params in rows):
        send_on_commit(job)


def send_on_commit(job: Job):
    """Send an existing job after the commit, like `enqueue_on_commit`."""
    transaction.on_commit(lambda: _send(job))


def _send(job):
    """Send it to a worker, or run it here if no worker listens; never raises."""
    try:
        if somebody_listens():
            deliver.apply_async([job.pk], queue=LONG if _is_long(job) else SHORT)
        else:
            perform(job.pk)
    except Exception:
        logger.exception("%s was not sent to a worker. The next sweep runs it.", job)


def _is_long(job):
    """Whether it can take long, or is one of many that a long job requests."""
    kind = KINDS.get(job.kind)
    return _inside_long.get() or bool(kind and kind.is_long)


def about(row) -> QuerySet[Job]:
    """The jobs of that row, newest first."""
    return Job.objects.filter(subject_type=row._meta.label_lower, subject_id=str(row.pk)).order_by("-pk")


# Running


@app.task
def deliver(pk):
    """Run the job of a message, in a worker."""
    perform(pk)


def perform(pk):
    """Run one job unless another worker runs it or has run it; errors are logged."""
    try:
        carry_out(pk)
    except Exception:
        logger.exception("Job %s failed. The sweep tries it again, %s times in all.", pk, TRIES)


def carry_out(pk) -> bool:
    """Run one job now; return False if it is done or another worker runs it.

    A refusal ends the job of a person with that reason. Other exceptions are raised, and the job is tried
    again later.
    """
    job = Job.objects.select_related("asked_by").filter(pk=pk).first()
    kind = KINDS.get(job.kind) if job else None
    if job is None or not _claim(job, kind.silent_for if kind else SILENT):
        return False
    if kind is None:
        _end(job, State.FAILED, Outcome(UNKNOWN_KIND, is_problem=True))
        return True
    inside = _inside_long.set(kind.is_long)
    try:
        if job.asked_by_id and not kind.checks_each_row:
            _check(job.asked_by, kind.permission, job.entity)
        outcome = kind.handler(Work(job, kind), **job.params) or Outcome("DONE")
    except Refused as refusal:
        if is_busy(refusal) or job.asked_by_id is None:  # it may succeed later, and nobody needs the reason
            _put_back(job)
            raise
        reason = {"reason": refusal.reason.as_json()}
        _end(job, State.FAILED, Outcome(refusal.code or "REFUSED", reason, is_problem=True))
    except Exception:
        _put_back(job)
        raise
    else:
        _end(job, State.DONE, outcome)
    finally:
        _inside_long.reset(inside)
    return True


def _claim(job, silent_for) -> bool:
    """Assign the job to this worker with one statement; False if another worker has it or it is done.

    After the last attempt the job waits for the sweep, which gives it up, even if its message is repeated.
    """
    now = timezone.now()
    free = Q(state=State.WAITING)
    if tries_in_a_row(job) < TRIES:
        free |= Q(state=State.RUNNING, due_at__lt=now)
    mine = Job.objects.filter(free, pk=job.pk, tries=job.tries)
    if not mine.update(state=State.RUNNING, beat_at=now, due_at=now + silent_for, tries=F("tries") + 1):
        return False
    job.refresh_from_db(fields=["state", "tries", "params"])
    return True


def tries_in_a_row(job: Job) -> int:
    """The attempts since the request, or since somebody tried it again; 0 before the first one.

    `Job.tries` counts all attempts and never goes back. So each attempt has its own number, and a worker that
    was only slow can't end the attempt of another.
    """
    rest = job.tries % TRIES
    return TRIES if job.tries and not rest and job.state != State.WAITING else rest


def _mine(job):
    """The row, unless another worker has taken it."""
    return Job.objects.filter(pk=job.pk, state=State.RUNNING, tries=job.tries)


def _put_back(job):
    """Schedule the next attempt, after 2, 4, 8 and 16 minutes; give up after the last one."""
    now = timezone.now()
    if tries_in_a_row(job) == TRIES:
        _give_up(job)
        return
    later = now + timedelta(minutes=2 ** tries_in_a_row(job))
    _mine(job).update(state=State.WAITING, beat_at=now, due_at=later)


def _end(job, state, outcome):
    """Store the result and notify the requester, once. Jobs of the program itself are deleted."""
    with transaction.atomic():
        if state == State.DONE and job.asked_by_id is None:
            _mine(job).delete()
            return
        values = {"state": state, "ended_at": timezone.now(), "outcome_code": outcome.code}
        values |= {"outcome": outcome.params, "is_problem": outcome.is_problem}
        if _mine(job).update(**values):
            for name, value in values.items():
                setattr(job, name, value)
            _notify(job)


def _notify(job):
    if job.asked_by_id:
        Notice.objects.create(
            user_id=job.asked_by_id,
            text=sentence_of(job)[:500],
            url=address_of(job),
            is_problem=job.is_problem,
        )


# The sweep


def sweep(kind: str = "", entity: str = "") -> list[int]:
    """Run each job that is due, or give it up after too many attempts; a failure does not stop the others.

    Return the keys of the jobs that were run. It can be restricted to a kind and to a legal entity.
    """
    late = Job.objects.filter(state__in=[State.WAITING, State.RUNNING], due_at__lt=timezone.now())
    if kind:
        late = late.filter(kind=kind)
    if entity:
        late = late.filter(entity=entity)
    done = []
    for job in late.order_by("pk"):
        try:
            if tries_in_a_row(job) == TRIES:
                if late.filter(pk=job.pk).exists():  # its worker can have reported since
                    _give_up(job)
            elif carry_out(job.pk):
                done.append(job.pk)
        except Exception:
            logger.exception("%s failed. It is tried %s times in all.", job, TRIES)
    return done


def _give_up(job):
    """End a job that failed or lost its worker too often."""
    if not _mine(job).exists():
        return
    logger.error("%s failed %s times and is not tried again.", job, job.tries)
    kind = KINDS.get(job.kind)
    if kind and kind.gave_up:
        kind.gave_up(job)
    _end(job, State.FAILED, Outcome(GAVE_UP, {"tries": job.tries}, is_problem=True))


def delete_old():
    """Delete jobs that ended long ago."""
    Job.objects.filter(ended_at__lt=timezone.now() - KEPT).delete()


def can_try_again(job: Job) -> bool:
    """Whether it was given up, a person requested it, and its kind allows another attempt."""
    kind = KINDS.get(job.kind)
    return bool(job.outcome_code == GAVE_UP and job.asked_by_id and kind and not kind.gave_up)


def try_again(job: Job):
    """Run a job again that was given up, after its cause was fixed; refused for other jobs."""
    failed = Job.objects.filter(pk=job.pk, state=State.FAILED, outcome_code=GAVE_UP)
    now = timezone.now()
    values = {"state": State.WAITING, "outcome_code": "", "outcome": {}, "is_problem": False}
    values |= {"ended_at": None, "asked_at": now, "due_at": now + LOST}
    if not can_try_again(job) or not failed.update(**values):
        raise Refused("JOB-NOT-FAILED")
    send_on_commit(job)


# Texts


def title_of(job: Job) -> str:
    """The title of its kind."""
    kind = KINDS.get(job.kind)
    return kind.title if kind else job.kind


def sentence_of(job: Job) -> str:
    """The sentence of its result; empty while it runs."""
    kind = KINDS.get(job.kind)
    match job.outcome_code:
        case "":
            return ""
        case code if code == GAVE_UP:
            again = "Try again on its page." if can_try_again(job) else "Start it again."
            return (
                f"“{title_of(job)}” failed {job.outcome['tries']} times: internal error. Finished "
                f"work is kept. {again} If it fails again, report job {job.pk} to the operator of Ledgerline."
            )
        case code if code == UNKNOWN_KIND:
            return f"This version can't run jobs of the kind {job.kind}."
    if "reason" in job.outcome:
        return Reason.from_json(job.outcome["reason"]).sentence
    return kind.says(job) if kind and kind.says else "Done."


def result_of(job: Job) -> tuple[str, str]:
    """The address of its result and the label of the link; empty if there is none."""
    kind = KINDS.get(job.kind)
    return kind.link(job) if kind and kind.link else ("", "")


def address_of(job: Job) -> str:
    """The page of its result, or the job's own page with a list of rows."""
    kind = KINDS.get(job.kind)
    if job.state == State.DONE and kind and not kind.rows:
        return result_of(job)[0] or job.get_absolute_url()
    return job.get_absolute_url()
