"""What is answered after a draft was changed, where the page alone doesn't say it."""

from actuals.models import Actual, BillingType
from invoicing_site.floor import formatting
from invoicing_site.floor.wording import counted
from proforma.edits import TAX_GROUPS
from proforma.models import LineDetail


def who_sets_the_tax(details, changes):
    """Of work that a journal books, said when its tax group was changed: the journal decides it (PRP-7)."""
    booked = {"backlog_item__actual__booked_by": Actual.BookedBy.JOURNAL}
    if not TAX_GROUPS.keys() & changes.keys() or not details.filter(**booked).exists():
        return ""
    return (
        "For work with an approved entry this only changes the estimate: the invoice takes the tax groups "
        "that accountants give it in the integration journal."
    )


def what_becomes_of_the_rest(pk):
    """Said of a detail that bills less than was delivered (PRO-5); else nothing."""
    detail = LineDetail.objects.select_related("line__proforma", "backlog_item__actual").get(pk=pk)
    fact = detail.backlog_item and detail.backlog_item.actual
    if fact is None or detail.billing_type != BillingType.CHARGEABLE or detail.amount >= fact.amount:
        return ""
    rest = formatting.amount(fact.amount - detail.amount, detail.line.proforma.currency)
    return f"It bills {rest} less than was delivered: confirming writes that off as non-chargeable."


def details_of(n):
    return counted(n, "detail")


def count_by_hand(details):
    return details.filter(backlog_item=None).count()


def what_became(back, by_hand):
    """The end of a sentence about what was taken off: it is ready again, or it is gone."""
    told = [f"{counted(back, 'item is', 'items are')} ready to invoice again"] if back else []
    if by_hand:
        gone = counted(by_hand, "detail added by hand is", "details added by hand are")
        told.append(f"{gone if back else 'what was added by hand is'} gone")
    return f"; {', and '.join(told)}" if told else ""
