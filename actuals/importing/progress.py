"""The progress of a running import: written to the cache by its worker, read by its page.

The rows are written in one transaction, so the database can't show the progress. If the cache does not
answer, the import continues, and its page shows no progress.
"""

import logging
from collections.abc import Callable
from contextlib import contextmanager

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_AN_HOUR = 60 * 60


def reporter(asked, what: str) -> Callable[[int, int], None]:
    """Return a function that reports how many rows are `what`; it stops after the first failure."""
    answers = True

    def report(done, total):
        nonlocal answers
        if answers:
            answers = False
            with _at_best(asked):
                cache.set(_key(asked), (what, done, total), _AN_HOUR)
                answers = True

    return report


def progress_of(asked) -> tuple[str, int, int] | None:
    """What is being done, the number of finished rows and of all rows; None if nothing was reported."""
    with _at_best(asked):
        return cache.get(_key(asked))


def forget(asked) -> None:
    with _at_best(asked):
        cache.delete(_key(asked))


@contextmanager
def _at_best(asked):
    try:
        yield
    except (RedisError, OSError) as problem:
        logger.warning("The progress of %s is not known: the cache does not answer (%r).", asked, problem)


def _key(asked):
    return f"import-{asked.pk}"
