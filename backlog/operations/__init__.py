"""The verbs of the project manager's room, by what they act on."""

from backlog.operations.approvals import Approval, approve, approve_many, cancel_approval, reject
from backlog.operations.contracts import confirm_contract
from backlog.operations.items import (
    Marked,
    cancel,
    mark_not_ready,
    mark_ready,
    release,
    reserve,
    settle,
    undo,
)
from backlog.sharing import Decision

__all__ = [
    "Approval",
    "Decision",
    "Marked",
    "approve",
    "approve_many",
    "cancel",
    "cancel_approval",
    "confirm_contract",
    "mark_not_ready",
    "mark_ready",
    "reject",
    "release",
    "reserve",
    "settle",
    "undo",
]
