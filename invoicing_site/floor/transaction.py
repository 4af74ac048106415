"""The transaction of an operation: all or nothing, and done again where somebody else was at the same rows.

Two who want the same rows in a different order can't both have them: the database ends one of them (deadlock,
serialization failure), or its patience ends (lock timeout, SQLite's "database is locked"). That is nobody's
mistake and says nothing about the rows, so the operation begins again, once. After that it is Refused.
"""

import functools
import inspect
import sqlite3

from django.db import DatabaseError
from django.db import transaction as django
from django.utils.translation import override

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import ENGLISH

# What follows a commit never raises: it would look like a conflict of what was committed, and do it twice.
on_commit = functools.partial(django.on_commit, robust=True)


# PostgreSQL: serialization failure, deadlock detected, lock not available.
_STATES = {"40001", "40P01", "55P03"}
_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def atomic(operation=None):
    """Decorates an operation: one transaction, and once more from the start after a conflict.

    What the first attempt wanted done on commit is forgotten with it, but not what it did to its arguments:
    an operation changes none of them. Only the outermost transaction is done again; inside of another one,
    and as a `with` block, this is Django's own.
    """
    if operation is None:
        return django.atomic()

    @functools.wraps(operation)
    def whole(*args, **kwargs):
        assert not any(map(inspect.isgenerator, (*args, *kwargs.values()))), (
            "It would be empty when done again."
        )

        def attempt():
            with Operation():
                return operation(*args, **kwargs)

        return retry_once(attempt)

    return whole


def retry_once(attempt):
    """Call it, and once more after a conflict; a second one is Refused. Inside a transaction only once.

    For what looks first and then writes in a transaction, and has to look again.
    """
    if _is_inside():
        return attempt()
    try:
        return attempt()
    except DatabaseError as error:
        if not is_conflict(error):
            raise
    try:
        return attempt()
    except DatabaseError as error:
        if not is_conflict(error):
            raise
        raise Refused("BUSY") from error


class Operation(django.Atomic):
    """The transaction of one operation; those that tests open around several are plain ones.

    It writes in English, whoever asks: what is stored, hashed or printed does not depend on the reader. What
    it refuses is put into words later, in the reader's language.
    """

    def __init__(self):
        super().__init__(using=None, savepoint=True, durable=False)
        self._english = override(ENGLISH)

    def __enter__(self):
        self._english.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        try:
            return super().__exit__(*error)
        finally:
            self._english.__exit__(*error)


def is_conflict(error: BaseException | None) -> bool:
    """Whether the database gave up because somebody else was at the same rows."""
    cause = getattr(error, "__cause__", None)
    if not isinstance(error, DatabaseError):
        return False
    if isinstance(cause, sqlite3.Error):
        return (getattr(cause, "sqlite_errorcode", 0) & 0xFF) in _CODES
    return getattr(cause, "pgcode", None) in _STATES


def is_busy(error: BaseException | None) -> bool:
    """Whether the error is such a conflict, or the refusal after the second one."""
    return is_conflict(error) or (isinstance(error, Refused) and error.code == "BUSY")


def _is_inside():
    """In a transaction already; the one that a test wraps around everything does not count."""
    return any(not block._from_testcase for block in django.get_connection().atomic_blocks)
