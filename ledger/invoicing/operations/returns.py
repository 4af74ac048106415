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
    """Give the work of an unposted proposal back to its project manager, and return the new draft (PRP-6).

    No document comes of the proposal any more, and nothing reaches the books: counter-actuals undo the
    confirming, and the draft claims what it claimed. Whoever confirmed it and who manages the contract are
    told the reason. Refused without a reason, once it is posted, and when it was returned before.
    """
    reason = reason.strip()
    if not reason:
        raise Refused(f"Say why {proposal} is returned.", code="REASON-MISSING")
    checked.words(reason, InvoiceProposal, "return_reason")
    # All locks in their order, and before anything is written: whoever holds the proposal, to fill it in or
    # to post it, refers to the details that taking back writes to.
    proforma = proformas.lock(proposal.proforma)
    proposal = locked(proposal)
    before = proposal.status
    if before == _Status.POSTED:
        number = CustomerInvoice.objects.values_list("number", flat=True).get(proposal=proposal)
        raise Refused(
            f"{proposal} is already posted as {number} and can't be returned any more.", code="ALREADY-POSTED"
        )
    moves.refuse_unless(proposal, "return_proposal")
    draft = proformas.take_back(proforma, by=by, on=on)
    proposal.status, proposal.return_reason = _Status.RETURNED, reason
    proposal.last_error = proposal.last_remedy = ""
    proposal.save(update_fields=["status", "return_reason", "last_error", "last_remedy"])
    audit.record(
        "ledger.return_proposal",
        proposal,
        by=by,
        entity=proposal.entity.code,
        before={"status": before},
        after={"status": str(_Status.RETURNED), "return_reason": reason},
        draft=draft.number,
    )
    _tell_managers(proposal, draft, by, reason)
    return draft


def _tell_managers(proposal, draft, by, reason):
    """Who manages the contract or a project on it, and whoever confirmed."""
    projects = draft.contract.lines.values("project")
    told = Q(managed_contracts=draft.contract_id) | Q(managed_projects__in=projects)
    told |= Q(pk=proposal.proforma.confirmed_by_id)
    text = f"{proposal} was returned to you, its work is on draft {draft.number}: {reason}"
    text = Truncator(wording.capital(text)).chars(Notice._meta.get_field("text").max_length or 0)
    people = get_user_model().objects.filter(told, is_active=True).exclude(pk=by.pk if by else 0)
    for user in people.order_by("pk").distinct():
        Notice.objects.create(user=user, text=text, url=draft.get_absolute_url(), is_problem=True)
