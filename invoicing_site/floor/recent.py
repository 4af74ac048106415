"""Results that may be a few seconds old."""

import threading
import time


class Recent:
    """A result that all threads of a process reuse for some seconds; one thread at a time computes it.

    The seconds begin when it is computed, so a slow computation answers everybody who waited for it.
    """

    def __init__(self, compute, *, seconds: float):
        self._compute, self._seconds = compute, seconds
        self._one_at_a_time = threading.Lock()
        self._at, self._result = None, None

    def get(self):
        """The result, computed again if it is too old."""
        with self._one_at_a_time:
            if self._at is None or time.monotonic() - self._at >= self._seconds:
                self._result = self._compute()
                self._at = time.monotonic()
            return self._result

    def forget(self):
        """Compute it again for the next caller."""
        self._at = None
