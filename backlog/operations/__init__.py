"""The verbs of the project manager's room, by what they act on."""

from backlog.operations.approvals import (
    Approval,
    approve,
    approve_many,
    cancel_approval,
    reject,
    why_it_stays,
)
from backlog.operations.contracts import ApprovedBefore, approved_before, confirm_contract
from backlog.operations.items import (
    Marked,
    cancel,
    claim_again,
    hold,
    mark_not_ready,
    mark_ready,
    obstacles,
    release,
    release_hold,
    reserve,
    settle,
    undo,
)
from backlog.operations.limits import Evaluated, evaluate
from backlog.operations.milestones import Slices, slice_of, split_off, whole_of
from backlog.operations.previews import Preview, preview
from backlog.sharing import Decision

__all__ = [
    "Approval",
    "ApprovedBefore",
    "Decision",
    "Evaluated",
    "Marked",
    "Preview",
    "Slices",
    "approve",
    "approve_many",
    "approved_before",
    "cancel",
    "cancel_approval",
    "claim_again",
    "confirm_contract",
    "evaluate",
    "hold",
    "mark_not_ready",
    "mark_ready",
    "obstacles",
    "preview",
    "reject",
    "release",
    "release_hold",
    "reserve",
    "settle",
    "slice_of",
    "split_off",
    "undo",
    "whole_of",
    "why_it_stays",
]
