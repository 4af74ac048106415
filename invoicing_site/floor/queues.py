"""Queues: a narrow row for each final row that waits for its next step.

The transaction that writes the final row also writes the queue row, and the one that writes the next row
deletes it. So no query has to search all rows for missing ones. A worker claims queue rows first and locks
everything else afterwards. Rows of other workers are skipped, and those of a killed worker are free again. On
SQLite the transaction itself is the claim.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import models
from django.db.models import Q
from django.utils import timezone

from invoicing_site.floor.querysets import LockingQuerySet, in_chunks
from invoicing_site.floor.reasons import Reason, ReasonField

# After a failure, the clock tries a row again only after this time; a person can do so at any time.
PAUSE = datetime.timedelta(hours=6)


_CHUNK = 5000


class QueueQuerySet(LockingQuerySet):
    """Take rows with `due().claimed(n)`."""

    def due(self):
        """The rows that a scheduled task claims: without those that it failed to process a short time ago."""
        return self.filter(Q(retry_after=None) | Q(retry_after__lte=timezone.now()))


class Queued(models.Model):
    """A waiting row; its key is that of the final row. The key columns never change (`guards.fixed`)."""

    reason = ReasonField(help_text="Why the last attempt failed")
    retry_after = models.DateTimeField(
        null=True, blank=True, help_text=("The next automatic attempt is not before this time")
    )

    objects = QueueQuerySet.as_manager()

    class Meta:
        abstract = True


def leave(queue: type[Queued], keys: Iterable[int]) -> None:
    """Take rows out of the queue, in the transaction that writes the next rows."""
    for chunk in in_chunks(keys, _CHUNK):
        queue.objects.filter(pk__in=chunk).delete()


def keep_waiting(queue: type[Queued], reasons: Mapping[int, Reason]) -> None:
    """Note why these rows could not be taken, and when the clock tries again; they stay in the queue."""
    alike = defaultdict(list)
    for key, reason in reasons.items():
        alike[reason].append(key)
    retry_after = timezone.now() + PAUSE
    for reason, keys in alike.items():
        for chunk in in_chunks(keys, _CHUNK):
            queue.objects.filter(pk__in=chunk).update(reason=reason, retry_after=retry_after)
