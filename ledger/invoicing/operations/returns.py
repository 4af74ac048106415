"""Returning a proposal to the project manager (PRP-6)."""

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.text import Truncator

from invoicing_site.floor import audit, checked, moves, transaction, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.models import Notice
from ledger.invoicing.operations.proposals import locked
from ledger.models import CustomerInvoice, InvoiceProposal
from proforma import operations as proformas
from proforma.models import ProformaInvoice

_Status = InvoiceProposal.Status


@transaction.atomic
def return_proposal(proposal: InvoiceProposal, *, by, reason: str, on=None) -> ProformaInvoice:
    """Return the work of an unposted proposal to its project manager; returns the new draft (PRP-6).

    No invoice will be issued for the proposal, and nothing is posted: reversing actuals undo the
    confirmation, and the draft claims the same work. The person who confirmed it and the managers of the
    contract are notified with the reason. Refused without a reason, if it is posted, and if it was returned
    before.
    """
    reason = reason.strip()
    if not reason:
        raise Refused("REASON-MISSING", proposal=proposal)
    checked.words(reason, InvoiceProposal, "return_reason")
    # Take all locks in their order before anything is written: filling in and posting a proposal lock it, and
    # use the details that are changed here.
    proforma = proformas.lock(proposal.proforma)
    proposal = locked(proposal)
    before = proposal.status
    if before == _Status.POSTED:
        number = CustomerInvoice.objects.values_list("number", flat=True).get(proposal=proposal)
        raise Refused("POSTED-NOT-RETURNED", proposal=proposal, invoice=number)
    moves.refuse_unless(proposal, "return_proposal")
    draft = proformas.return_proforma(proforma, by=by, on=on)
    proposal.status, proposal.return_reason = _Status.RETURNED, reason
    proposal.last_error = None
    proposal.save(update_fields=["status", "return_reason", "last_error"])
    audit.record(
        "ledger.return_proposal",
        proposal,
        by=by,
        entity=proposal.entity.code,
        before={"status": before},
        after={"status": str(_Status.RETURNED), "return_reason": reason},
        draft=draft.number,
    )
    _notify_managers(proposal, draft, by, reason)
    return draft


def _notify_managers(proposal, draft, by, reason):
    """Notify the managers of the contract and its projects, and the person who confirmed."""
    projects = draft.contract.lines.values("project")
    notified = Q(managed_contracts=draft.contract_id) | Q(managed_projects__in=projects)
    notified |= Q(pk=proposal.proforma.confirmed_by_id)
    text = f"{proposal} was returned to you. Its work is on draft {draft.number}. Reason: {reason}"
    text = Truncator(wording.capital(text)).chars(Notice._meta.get_field("text").max_length or 0)
    people = get_user_model().objects.filter(notified, is_active=True).exclude(pk=by.pk if by else 0)
    for user in people.order_by("pk").distinct():
        Notice.objects.create(user=user, text=text, url=draft.get_absolute_url(), is_problem=True)
