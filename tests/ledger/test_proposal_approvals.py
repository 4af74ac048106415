"""Approval of proposals, if the entity requires it (PRP-4)."""

import pytest

from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from ledger.invoicing.operations.approvals import (
    approve_proposal,
    reject_proposal,
    request_change,
    reset_approval,
    submit_proposal,
)
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal, edit_header
from ledger.models import InvoiceProposal, ProposalDecision
from tests import factories
from tests.ledger.billing import MARCH_31, confirmed, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
@factories.remembered
def proposal(no1, contract):
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_proposal_approval=True)
    return proposed(no1, work(no1, contract))


def test_if_approval_is_required_only_approved_proposals_are_posted(no1, proposal):
    """PRP-4"""
    with pytest.raises(Refused, match="posts approved proposals only") as refused:
        post(proposal, by=no1.accountant, on=MARCH_31)
    assert refused.value.code == "APPROVAL-NEEDED"

    submit_proposal(proposal, by=no1.accountant)
    with pytest.raises(Refused, match="submitted, but not approved yet"):
        post(proposal, by=no1.accountant, on=MARCH_31)

    approve_proposal(proposal, by=no1.administrator, comment="Fine")
    assert post(proposal, by=no1.accountant, on=MARCH_31).number == "INV-2025-000001"
    assert [(d.step, d.by, d.comment) for d in ProposalDecision.objects.order_by("pk")] == [
        ("submitted", no1.accountant, ""),
        ("approved", no1.administrator, "Fine"),
    ]


def test_users_cannot_approve_what_they_submitted(no1, proposal):
    """PRP-4"""
    submit_proposal(proposal, by=no1.accountant)

    with pytest.raises(Refused, match="You submitted .* yourself"):
        approve_proposal(proposal, by=no1.accountant)


def test_the_latest_submitter_counts(no1, proposal):
    """PRP-4"""
    submit_proposal(proposal, by=no1.accountant)
    request_change(proposal, by=no1.administrator, comment="Another due date")
    submit_proposal(proposal, by=no1.administrator)

    approve_proposal(proposal, by=no1.accountant)

    assert InvoiceProposal.objects.get().status == "approved"


@pytest.mark.parametrize("send_back", [reject_proposal, request_change])
def test_a_submitted_proposal_is_sent_back_with_a_reason(no1, proposal, send_back):
    """PRP-4"""
    submit_proposal(proposal, by=no1.accountant)
    with pytest.raises(Refused) as refused:
        edit_header(proposal, by=no1.accountant, footer_text="Late")
    assert refused.value.code == "PROPOSAL-SUBMITTED"
    with pytest.raises(Refused, match="Enter a reason"):
        send_back(proposal, by=no1.administrator, comment=" ")

    send_back(proposal, by=no1.administrator, comment="Wrong date")

    assert InvoiceProposal.objects.get().status == "open"
    edit_header(proposal, by=no1.accountant, footer_text="Better")


def test_a_stuck_approval_can_be_reset(no1, proposal):
    """PRP-4"""
    submit_proposal(proposal, by=no1.accountant)
    approve_proposal(proposal, by=no1.manager)

    reset_approval(proposal, by=no1.administrator, comment="The approver has left")

    assert InvoiceProposal.objects.get().status == "open"
    with pytest.raises(Refused) as refused:
        reset_approval(proposal, by=no1.administrator, comment="Again")
    assert refused.value.code == "NOT-ALLOWED-NOW"


def test_only_open_proposals_can_be_submitted(no1, contract):
    """PRP-4"""
    proposal = create_proposal(confirmed(no1, work(no1, contract)))

    with pytest.raises(Refused, match="waits for 1 actual"):
        submit_proposal(proposal, by=no1.accountant)
