"""The operations on entries (create, submit, recall) and on actuals (record, reverse).

Approving, which creates actuals from entries, is an operation of `backlog`. Submitting and recalling lock the
projects of the entries (shared) and then the entries, as approving does, and read the rows after that.
"""

from actuals.operations.entries import (
    amend,
    amend_and_submit,
    delete,
    enter,
    enter_and_submit,
    recall,
    stamp,
    submit,
)
from actuals.operations.facts import negated, open_batch, record, record_decisions, replacement, reverse
from actuals.operations.queue import is_booked_by_journal, keep_waiting, leave_queue, wait_for_journal
from actuals.operations.weeks import SavedWeek, SubmittedWeek, save_week, submit_week

__all__ = [
    "SavedWeek",
    "SubmittedWeek",
    "amend",
    "amend_and_submit",
    "replacement",
    "delete",
    "enter",
    "enter_and_submit",
    "is_booked_by_journal",
    "keep_waiting",
    "leave_queue",
    "negated",
    "open_batch",
    "recall",
    "record",
    "record_decisions",
    "reverse",
    "save_week",
    "stamp",
    "submit",
    "submit_week",
    "wait_for_journal",
]
