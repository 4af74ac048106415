"""Approval of invoice proposals by a second person, if the entity requires it (PRP-4)."""

from invoicing_site.floor import audit, checked, moves, transaction
from invoicing_site.floor.errors import Refused
from ledger.invoicing.operations.proposals import locked, still_open
from ledger.models import InvoiceProposal, ProposalDecision

_Status = InvoiceProposal.Status
_Step = ProposalDecision.Step


@transaction.atomic
def submit_proposal(proposal: InvoiceProposal, *, by, comment: str = "") -> InvoiceProposal:
    """Submit the open proposal for approval; it can't be edited until it is decided."""
    proposal = still_open(proposal, "submit_proposal")
    return _decided(proposal, _Step.SUBMITTED, _Status.SUBMITTED, "ledger.submit_proposal", by, comment)


@transaction.atomic
def approve_proposal(proposal: InvoiceProposal, *, by, comment: str = "") -> InvoiceProposal:
    """Approve a submitted proposal, so that it can be posted; refused to the person who submitted it."""
    proposal = _allowed(proposal, "approve_proposal")
    submitted = proposal.decisions.filter(step=_Step.SUBMITTED).order_by("pk").last()
    if submitted and submitted.by_id == by.pk:
        raise Refused("OWN-PROPOSAL", proposal=proposal)
    return _decided(proposal, _Step.APPROVED, _Status.APPROVED, "ledger.approve_proposal", by, comment)


@transaction.atomic
def reject_proposal(proposal: InvoiceProposal, *, by, comment: str) -> InvoiceProposal:
    """Send a submitted proposal back, with the reason; it is open again."""
    proposal = _allowed(proposal, "reject_proposal")
    _reason(proposal, comment)
    return _decided(proposal, _Step.REJECTED, _Status.OPEN, "ledger.reject_proposal", by, comment)


@transaction.atomic
def request_change(proposal: InvoiceProposal, *, by, comment: str) -> InvoiceProposal:
    """Ask for a change of a submitted proposal; it is open again."""
    proposal = _allowed(proposal, "request_change")
    _reason(proposal, comment)
    return _decided(proposal, _Step.CHANGE_REQUESTED, _Status.OPEN, "ledger.request_change", by, comment)


@transaction.atomic
def reset_approval(proposal: InvoiceProposal, *, by, comment: str) -> InvoiceProposal:
    """Open a submitted or approved proposal for editing again; for administrators."""
    proposal = _allowed(proposal, "reset_approval")
    _reason(proposal, comment)
    return _decided(proposal, _Step.RESET, _Status.OPEN, "ledger.reset_approval", by, comment)


def _decided(proposal, step, status, action, by, comment):
    checked.words(comment, ProposalDecision, "comment")
    proposal.status = status
    proposal.save(update_fields=["status"])
    ProposalDecision.objects.create(proposal=proposal, step=step, by=by, comment=comment)
    audit.record(action, proposal, by=by, entity=proposal.entity.code, comment=comment)
    return proposal


def _reason(proposal, comment):
    if not comment.strip():
        raise Refused("COMMENT-MISSING", proposal=proposal)


def _allowed(proposal, verb):
    proposal = locked(proposal)
    moves.refuse_unless(proposal, verb)
    return proposal
