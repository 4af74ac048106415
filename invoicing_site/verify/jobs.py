"""The parts of a verification, one after the other or in several processes: the same findings in order."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connection, connections, transaction

from invoicing_site.verify.finding import Finding

_MEMORY = "128MB"  # for one step of one statement


@dataclass(frozen=True)
class Part:
    """A check with its arguments; it needs nothing of other parts."""

    check: Callable[..., Iterator[Finding]]
    args: tuple

    def found(self) -> Iterator[Finding]:
        # On PostgreSQL a transaction: a pool of connections would not keep the cursors of a session.
        is_postgres = connection.vendor == "postgresql"
        with transaction.atomic() if is_postgres else nullcontext():
            if is_postgres:
                # Sums of millions of rows by a key would else be sorted on disk.
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL work_mem = '{_MEMORY}'")
            yield from self.check(*self.args)


def found(parts: list[Part], jobs: int = 1) -> Iterator[Finding]:
    """The findings of all parts in their order.

    Each process has its own connection. If one of them is killed, this raises BrokenProcessPool.
    """
    begun = time.monotonic()
    if jobs == 1:
        for n, part in enumerate(parts, start=1):
            yield from part.found()
            _show(n, len(parts), begun)
        return
    connections.close_all()  # the processes must not share a connection
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"))
    try:
        for n, future in enumerate([pool.submit(_all, part) for part in parts], start=1):
            yield from future.result()
            _show(n, len(parts), begun)
    finally:
        pool.shutdown(cancel_futures=True)


def _all(part):
    return list(part.found())


def _show(n, of, begun):
    """The progress, on a terminal only."""
    if sys.stderr.isatty():
        left = int((time.monotonic() - begun) / n * (of - n))
        end = "\r" if n < of else "\n"
        sys.stderr.write(f"{n} of {of} parts verified, about {left} s left  {end}")
        sys.stderr.flush()
