"""Pages for approving proposals, if the entity requires it (PRP-4), and for returning them (PRP-6)."""

from collections import Counter

from django.db.models import Q
from django.urls import reverse

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.wording import counted
from invoicing_site.screens import Answer, BulkOperation, FormOperation, Operation, Page
from ledger.invoicing.forms import CommentForm, ReasonForm
from ledger.invoicing.operations import approvals as operations
from ledger.invoicing.operations.returns import return_proposal
from ledger.invoicing.views.proposals import Proposals
from ledger.models import InvoiceProposal

_Status = InvoiceProposal.Status


class SubmitProposal(FormOperation):
    """Submit it to another person for approval."""

    model, permission = InvoiceProposal, "proposal.edit"
    form_class = CommentForm
    title, button = "Submit for approval", "Submit"
    lead = "Another person has to approve it. Until then, it can't be edited."
    done = "The {} is submitted for approval."

    def operate(self, form):
        operations.submit_proposal(self.row, by=self.request.user, comment=form.cleaned_data["comment"])


class ApproveProposal(Operation):
    model, permission = InvoiceProposal, "proposal.approve"
    done = "The {} is approved."

    def operate(self, proposal):
        operations.approve_proposal(proposal, by=self.request.user)


class RejectProposal(FormOperation):
    """Send it back, with the reason."""

    model, permission = InvoiceProposal, "proposal.approve"
    form_class = ReasonForm
    title, button, danger = "Reject the proposal", "Reject", True
    done = "The {} is rejected and open again."

    def operate(self, form):
        operations.reject_proposal(self.row, by=self.request.user, comment=form.cleaned_data["comment"])


class RequestChange(FormOperation):
    """Ask for a change, with the reason."""

    model, permission = InvoiceProposal, "proposal.approve"
    form_class = ReasonForm
    title, button = "Request a change", "Request the change"
    done = "A change of {} is requested; it is open again."

    def operate(self, form):
        operations.request_change(self.row, by=self.request.user, comment=form.cleaned_data["comment"])


class ReturnProposal(FormOperation):
    """Return its work to the project manager, with the reason (PRP-6)."""

    model, permission = InvoiceProposal, "proposal.edit"
    form_class = ReasonForm
    title, button, danger = "Return to the project manager", "Return", True
    lead = (
        "Its work goes back to a new draft, where the project manager can change it. No invoice will be "
        "issued for this proposal, and nothing is posted. The reason is sent to the project manager."
    )

    def operate(self, form):
        draft = return_proposal(self.row, by=self.request.user, reason=form.cleaned_data["comment"])
        return Answer(f"The {self.row} is returned: its work is on draft {draft.number}.")


class ApproveProposals(BulkOperation):
    """Approve each selected proposal that somebody else submitted."""

    screen, list_url, permission = Proposals, "proposals", "proposal.approve"

    def operate(self, rows):
        done, left = 0, Counter()
        for proposal in rows.order_by("pk"):
            try:
                operations.approve_proposal(proposal, by=self.request.user)
                done += 1
            except Refused as refusal:
                own = refusal.code == "OWN-PROPOSAL"
                left[
                    "submitted by you" if own else f"{proposal.get_status_display()}, so it can't be approved"
                ] += 1
        return Answer(f"{counted(done, 'proposal')} approved.", left=dict(left))


class StuckProposals(Page):
    """Proposals that wait for journals, an approval, or posting; administrators can reset approvals."""

    permission = "setup.change"
    template_name = "ledger/proposals_stuck.html"
    title = "Waiting proposals"
    lead = "Proposals that wait for journals, for an approval, or for posting. An administrator can reset an "
    lead += "approval. The proposal is then open again and can be edited."

    def check_permission(self, request):
        if not request.may("proposal.view"):
            super().check_permission(request)

    def get_context_data(self, **context):
        user = self.request.user
        resettable = InvoiceProposal.objects.reachable(user, "setup.change")
        reached = Q(pk__in=InvoiceProposal.objects.visible_to(user).values("pk"))
        rows = InvoiceProposal.objects.filter(reached | Q(pk__in=resettable.values("pk")))
        rows = rows.filter(entity=self.request.entity).stuck().select_related("proforma__customer")
        return super().get_context_data(
            rows=rows.order_by("pk"),
            may_reset=self.request.may("setup.change"),
            may_open=self.request.may("proposal.view"),
            in_approval=InvoiceProposal.IN_APPROVAL,
            **context,
        )


class ResetApproval(FormOperation):
    """Reset a stuck approval; for administrators, who see no other proposals."""

    model, permission = InvoiceProposal, "setup.change"
    form_class = ReasonForm
    title, button, danger = "Reset the approval", "Reset", True
    done = "The approval of {} is reset."

    def check_permission(self, request):
        reached = InvoiceProposal.objects.reachable(request.user, "setup.change")
        self.row = reached.filter(pk=self.kwargs["pk"]).first()
        if self.row is None:
            super().check_permission(request)

    def operate(self, form):
        operations.reset_approval(self.row, by=self.request.user, comment=form.cleaned_data["comment"])

    def get_back_url(self):
        return reverse("stuck_proposals")
