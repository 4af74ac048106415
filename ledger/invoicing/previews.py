"""A proposal as it will look after posting: the same plan and document, marked as proforma (PRP-3)."""

import datetime

from invoicing_site.floor.errors import Refused
from ledger.document import drawing
from ledger.invoicing.blockers import blocked_by
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.plan import InvoicePlan, plan_invoice
from ledger.models import InvoiceProposal


def planned(proposal: InvoiceProposal, *, on: datetime.date) -> InvoicePlan:
    """The rows that posting on that day would write, even if the checks find errors.

    Refused if its lines are not filled in, or if a rate, an account or a tax code is missing.
    """
    proposal = InvoiceProposal.objects.select_related("dimensions").get(pk=proposal.pk)
    if proposal.status == InvoiceProposal.Status.BLOCKED:
        raise Refused("PROPOSAL-BLOCKED", why=blocked_by(proposal).reasons)
    return plan_invoice(InvoiceFacts.load(proposal, on=on))


def preview(proposal: InvoiceProposal, *, on: datetime.date) -> bytes:
    """The PDF of the future invoice; Refused like `planned`, and if PDF libraries are missing."""
    plan = planned(proposal, on=on)
    return drawing.preview(plan.invoice, plan.lines, plan.taxes, plan.references)
