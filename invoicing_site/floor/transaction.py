"""The transaction of an operation: all or nothing, and repeated once after a conflict.

If two transactions lock the same rows in a different order, the database ends one of them (deadlock,
serialization failure, lock timeout, SQLite's "database is locked"). This is not an error of the user, so the
operation starts again, once. After a second conflict it is Refused.
"""

import functools
import inspect
import sqlite3

from django.db import DatabaseError
from django.db import transaction as django
from django.utils.translation import override

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import ENGLISH

# Errors after the commit are never raised: they would look like a conflict and repeat the committed
# operation.
on_commit = functools.partial(django.on_commit, robust=True)


# PostgreSQL: serialization failure, deadlock detected, lock not available.
_STATES = {"40001", "40P01", "55P03"}
_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def atomic(operation=None):
    """Decorate an operation: one transaction, repeated once from the start after a conflict.

    The on-commit callbacks of the first attempt are discarded. Changes of its arguments are not, so an
    operation must not change them. Only the outermost transaction is repeated; inside another one, and as a
    `with` block, this is Django's own `atomic`.
    """
    if operation is None:
        return django.atomic()

    @functools.wraps(operation)
    def whole(*args, **kwargs):
        assert not any(map(inspect.isgenerator, (*args, *kwargs.values()))), (
            "A generator would be empty on the second attempt."
        )

        def attempt():
            with Operation():
                return operation(*args, **kwargs)

        return retry_once(attempt)

    return whole


def retry_once(attempt):
    """Call the function, and again after a conflict (not inside a transaction); Refused after a second one.

    For functions that read first and then write in a transaction, and have to read again.
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
    """The transaction of one operation; tests open plain transactions around several operations.

    Its language is English, so that stored, hashed and printed texts do not depend on the user. Refusals are
    rendered later, in the reader's language.
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
    """Whether the database ended the transaction because of another one."""
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
    """Whether a transaction is already open; the one around a test does not count."""
    return any(not block._from_testcase for block in django.get_connection().atomic_blocks)
