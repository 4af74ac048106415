"""The one order of locks, and a watch that every test keeps over the operations it calls.

Two operations that lock the same rows in the same order wait for each other; in different orders each waits
for what the other has, and the database ends one of them. So there is one order for all of them, and every
lock is taken before the first write, because what is written is locked as well, and so is what it refers to.
Only the number sequences come after the writing: everybody waits for those until commit.
"""

import re
import threading

from django.apps import apps
from django.db import connection, models

from invoicing_site.floor import transaction
from invoicing_site.floor.querysets import LockingQuerySet

ORDER = [
    {"proforma.InvoiceRun", "backlog.BacklogAction", "actuals.EntryImport"},
    {"ledger.FiscalPeriod"},
    {"contracts.Resource"},
    {"contracts.Project"},
    {"actuals.Entry"},
    {"contracts.ProjectContract"},
    {"proforma.ProformaInvoice"},
    {"ledger.InvoiceProposal"},
    {"ledger.IntegrationJournal"},
    {"contracts.NumberSequence"},
]
PLACES = {label: place for place, labels in enumerate(ORDER) for label in labels}
SEQUENCES = PLACES["contracts.NumberSequence"]
_WRITE = re.compile(r'^(UPDATE|DELETE FROM|INSERT INTO) "(\w+)"')


class Watch:
    """The locks and writes of the current transaction, and where they break the order."""

    def __init__(self):
        self.wrong = []
        self.taken = {}  # of the current transaction: rows by model, in the order of locking
        self._transaction, self._thread = None, threading.current_thread()
        self._written, self._own = "", set()
        self._models = {model._meta.db_table: model._meta.label for model in apps.get_models()}

    def took(self, model, keys):
        """Rows were locked; those that the transaction has already cost nothing."""
        label = model._meta.label
        if label not in PLACES or not self._is_in_progress():
            return
        before = self.taken.setdefault(label, set())
        new = set(keys) - before
        if not new:
            return
        if later := [other for other in self.taken if PLACES[other] > PLACES[label] and self.taken[other]]:
            self.wrong.append(f"{label} is locked after {later[0]}")
        if before and min(new) < max(before):
            self.wrong.append(f"{label} {min(new)} is locked after {label} {max(before)}")
        if self._written and PLACES[label] < SEQUENCES:
            self.wrong.append(f"{label} is locked after {self._written} was written")
        before |= new

    def wrote(self, execute, sql, params, many, context):
        """Wraps each statement; rows that are written without a lock are locked by it."""
        if (found := _WRITE.match(sql)) and self._is_in_progress():
            label = self._models.get(found[2], "")
            if found[1] == "INSERT INTO":
                self._own.add(label)  # not visible to others yet
                return execute(sql, params, many, context)
            if label in PLACES and label not in self._own and not self.taken.get(label):
                later = [other for other in self.taken if PLACES[other] > PLACES[label] and self.taken[other]]
                if later:
                    self.wrong.append(f"{label} is written, and not locked before {later[0]}")
            is_held = label in self.taken and found[1] == "UPDATE"
            if label not in self._own and not is_held:
                self._written = self._written or label or found[2]
        return execute(sql, params, many, context)

    def _is_in_progress(self):
        blocks = [block for block in connection.atomic_blocks if isinstance(block, transaction.Operation)]
        if not blocks or threading.current_thread() is not self._thread:
            return False
        if blocks[0] is not self._transaction:
            self._transaction, self.taken = blocks[0], {}
            self._written, self._own = "", set()
        return True


def watch_over(patch) -> Watch:
    """A watch over all locks and writes of this thread from now on."""
    watch, held, fetch = Watch(), LockingQuerySet.held, models.QuerySet._fetch_all

    def held_and_recorded(rows):
        result = held(rows)
        watch.took(rows.model, [row.pk for row in result])
        return result

    def fetched_and_recorded(rows):
        is_new = rows._result_cache is None
        fetch(rows)
        if is_new and rows.query.select_for_update:
            watch.took(rows.model, [row.pk for row in rows._result_cache])

    patch.setattr(LockingQuerySet, "held", held_and_recorded)
    patch.setattr(models.QuerySet, "_fetch_all", fetched_and_recorded)
    return watch


def asked(patch) -> list[str]:
    """The locks that are asked for from now on, such as "Project held", in order.

    SQLite locks no rows, but is asked to; so a lock that somebody drops is missed on every database.
    """
    found = []
    for name in ("held", "locked"):
        original = getattr(LockingQuerySet, name)

        def noting(rows, name=name, original=original):
            found.append(f"{rows.model.__name__} {name}")
            return original(rows)

        patch.setattr(LockingQuerySet, name, noting)
    return found
