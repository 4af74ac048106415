"""The operations of the backlog, by the records that they change."""

from backlog.operations.approvals import Approval, approve, approve_many, cancel_approval, reject
from backlog.operations.contracts import confirm_contract
from backlog.operations.items import (
    Marked,
    cancel,
    claim_again,
    hold,
    mark_not_ready,
    mark_ready,
    release,
    release_hold,
    reserve,
    settle,
    undo,
)
from backlog.operations.limits import Evaluated, evaluate
from backlog.operations.milestones import Slices, split_off
from backlog.sharing import Decision

__all__ = [
    "Approval",
    "Decision",
    "Evaluated",
    "Marked",
    "Slices",
    "approve",
    "approve_many",
    "cancel",
    "cancel_approval",
    "claim_again",
    "confirm_contract",
    "evaluate",
    "hold",
    "mark_not_ready",
    "mark_ready",
    "reject",
    "release",
    "release_hold",
    "reserve",
    "settle",
    "split_off",
    "undo",
]
