"""After a conflict the operation is retried once, and then refused with a sentence."""

import sqlite3
from contextlib import closing

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.test import Client
from django.urls import path

from invoicing_site.floor import transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User
from invoicing_site.urls import handler500 as handler500
from invoicing_site.urls import urlpatterns as ours

SENTENCE = "Somebody else was changing the same rows. Nothing was saved. Try again."


def conflict(state="40P01"):
    """As the database would raise it, after something was written."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '{state}'; END $$")
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    raise OperationalError("database is locked") from cause


def operation(*problems):
    """An operation with these errors in its attempts, and the list of its attempts."""
    attempts = []
    left = list(problems)

    @transaction.atomic
    def note(name):
        attempts.append(name)
        User.objects.create(username=f"{name}{len(attempts)}")
        attempt = len(attempts)
        transaction.on_commit(lambda: attempts.append(f"after commit {attempt}"))
        if left:
            left.pop(0)()
        return "done"

    return note, attempts


def users():
    return sorted(User.objects.values_list("username", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["40P01", "40001", "55P03"])
def test_an_operation_is_retried_from_the_start(state, django_capture_on_commit_callbacks):
    note, attempts = operation(lambda: conflict(state))
    with django_capture_on_commit_callbacks(execute=True):
        assert note("a") == "done"
    assert (attempts, users()) == (["a", "a", "after commit 2"], ["a2"])


@pytest.mark.django_db
def test_a_second_conflict_is_refused(django_capture_on_commit_callbacks):
    note, attempts = operation(conflict, conflict)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(Refused) as refused:
        note("a")
    assert (refused.value.message, refused.value.code) == (SENTENCE, "BUSY")
    assert (attempts, users()) == (["a", "a"], [])


@pytest.mark.django_db
def test_only_the_outermost_transaction_is_retried(django_capture_on_commit_callbacks):
    inner, attempts = operation(conflict)

    @transaction.atomic
    def outer():
        User.objects.create(username="outer")
        return inner("a")

    with django_capture_on_commit_callbacks(execute=True):
        assert outer() == "done"
    assert (attempts, users()) == (["a", "a", "after commit 2"], ["a2", "outer"])


@pytest.mark.django_db
@pytest.mark.parametrize("problem", ["refused", IntegrityError("twice"), ValueError("a bug")])
def test_other_errors_are_not_retried(problem):
    if problem == "refused":
        problem = Refused("NOTHING-SELECTED")

    def fail():
        raise problem

    note, attempts = operation(fail)
    with pytest.raises(type(problem)):
        note("a")
    assert (attempts, users()) == (["a"], [])


@pytest.mark.django_db(transaction=True)
def test_a_committed_operation_is_not_retried():
    """A conflict after the commit does not concern the operation."""
    attempts = []

    @transaction.atomic
    def note():
        attempts.append(1)
        User.objects.create(username="a")
        transaction.on_commit(conflict)

    note()
    assert (attempts, users()) == ([1], ["a"])


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_a_locked_file_is_refused_after_a_second_wait():
    note, attempts = operation()
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other, connection.cursor() as cursor:
        other.execute("BEGIN IMMEDIATE")
        cursor.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(Refused) as refused:
            note("a")
    assert (refused.value.message, attempts, users()) == (SENTENCE, [], [])


# Outside of operations: the error page


def a_page_in_conflict(request):
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    raise OperationalError("database is locked") from cause


a_page_in_conflict.login_required = False


def a_page_refused(request):
    raise Refused("BUSY")


a_page_refused.login_required = False
urlpatterns = [
    path("conflict/", a_page_in_conflict),
    path("refused/", a_page_refused),
    *ours,
]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("address", ["/conflict/", "/refused/"])
def test_an_unhandled_conflict_has_its_own_error_page(address):
    answer = Client(raise_request_exception=False).get(address)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert SENTENCE in answer.content.decode()
