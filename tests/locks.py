"""The order of locks, and a check of it in every test.

Two operations that lock the same rows in the same order wait for each other. In different orders each waits
for a lock of the other, and the database ends one of them. So all operations use one order. Every lock is
taken before the first write, because a write also locks its row and the rows that it refers to. Only number
sequences are locked after the writes, because other transactions wait for them until the commit.
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
    {"ledger.CustomerTransaction"},
    {"contracts.NumberSequence"},
]
PLACES = {label: place for place, labels in enumerate(ORDER) for label in labels}
SEQUENCES = PLACES["contracts.NumberSequence"]
_WRITE = re.compile(r'^(UPDATE|DELETE FROM|INSERT INTO) "(\w+)"')


class Watch:
    """The locks and writes of the current transaction, and violations of the order."""

    def __init__(self):
        self.wrong = []
        self.taken = {}  # of the current transaction: rows by model, in the order of locking
        self._transaction, self._thread = None, threading.current_thread()
        self._written, self._own = "", set()
        self._models = {model._meta.db_table: model._meta.label for model in apps.get_models()}

    def took(self, model, keys):
        """Record locked rows; rows that the transaction has already locked are ignored."""
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
        """Wraps each statement; a write locks its rows."""
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
    """Watch all locks and writes of this thread from now on."""
    watch, held, fetch = Watch(), LockingQuerySet.held, models.QuerySet._fetch_all

    def held_and_recorded(rows):
        result = held(rows)
        watch.took(rows.model, [row.pk for row in result])
        return result

    def fetched_and_recorded(rows):
        is_new = rows._result_cache is None
        fetch(rows)
        if is_new and rows.query.select_for_update:
            watch.took(rows.model, [getattr(row, "pk", row) for row in rows._result_cache])

    patch.setattr(LockingQuerySet, "held", held_and_recorded)
    patch.setattr(models.QuerySet, "_fetch_all", fetched_and_recorded)
    return watch


def asked(patch) -> list[str]:
    """The locks that are requested from now on, such as "Project held", in order.

    SQLite locks no rows, but the calls are recorded, so a missing lock is found on every database.
    """
    found = []
    for name in ("held", "locked"):
        original = getattr(LockingQuerySet, name)

        def noting(rows, name=name, original=original):
            found.append(f"{rows.model.__name__} {name}")
            return original(rows)

        patch.setattr(LockingQuerySet, name, noting)
    return found
