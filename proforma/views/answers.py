"""Answers after a change of a draft that the page alone does not show."""

from actuals.models import Actual, BillingType
from invoicing_site.floor import formatting
from invoicing_site.floor.wording import counted
from proforma.edits import TAX_GROUPS
from proforma.models import LineDetail


def tax_note(details, changes):
    """A note if the tax group of work that a journal books was changed: the journal decides it (PRP-7)."""
    booked = {"backlog_item__actual__booked_by": Actual.BookedBy.JOURNAL}
    if not TAX_GROUPS.keys() & changes.keys() or not details.filter(**booked).exists():
        return ""
    return (
        "For work with an approved entry this only changes the estimate: the invoice takes the tax groups "
        "that accountants give it in the integration journal."
    )


def write_off_note(pk):
    """A note if a detail bills less than was delivered (PRO-5)."""
    detail = LineDetail.objects.select_related("line__proforma", "backlog_item__actual").get(pk=pk)
    delivered = detail.backlog_item and detail.backlog_item.actual
    is_chargeable = detail.billing_type == BillingType.CHARGEABLE
    if delivered is None or not is_chargeable or detail.amount >= delivered.amount:
        return ""
    rest = formatting.amount(delivered.amount - detail.amount, detail.line.proforma.currency)
    return f"It bills {rest} less than was delivered: confirming writes that off as non-chargeable."


def counted_details(n):
    return counted(n, "detail")


def count_by_hand(details):
    return details.filter(backlog_item=None).count()


def after_removal(ready, by_hand):
    """Sentences about removed details: how many items are ready again, how many details are deleted."""
    found = [f"{counted(ready, 'item is', 'items are')} ready to invoice again."] if ready else []
    if by_hand:
        found.append(f"{counted(by_hand, 'detail', 'details')} added by hand deleted.")
    return "".join(f" {sentence}" for sentence in found)
