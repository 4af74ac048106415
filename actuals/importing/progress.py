"""How far an import at work is: told by its worker through the cache, read by its page.

Its rows are written in one transaction, which nobody sees into, so the database cannot tell. The numbers are
a comfort and no more: where the cache does not answer, the import goes on, and its page shows none.
"""

import logging
from collections.abc import Callable
from contextlib import contextmanager

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_AN_HOUR = 60 * 60


def teller(asked, what: str) -> Callable[[int, int], None]:
    """Tells how many rows of all are `what`; after one failure no more, as each may wait for seconds."""
    answers = True

    def tell(done, total):
        nonlocal answers
        if answers:
            answers = False
            with _at_best(asked):
                cache.set(_key(asked), (what, done, total), _AN_HOUR)
                answers = True

    return tell


def progress_of(asked) -> tuple[str, int, int] | None:
    """What is done to the rows, with how many it is done, of how many; None where nothing was told."""
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
