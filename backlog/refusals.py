"""The sentences of what the backlog refuses, and of what keeps work from being billed, by code."""

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    # Why an item can't be billed; see obstacles.py.
    "IS-CANCELED": _("It is canceled: the work was corrected, or its approval was canceled."),
    "IS-BILLED": _("It is on a confirmed proforma."),
    "ON-DRAFT": _("It is on a draft proforma."),
    "CONTRACT-NOT-CONFIRMED": _(
        "Contract %(contract)s is %(status)s. Only a confirmed contract can be invoiced."
    ),
    "NO-SCHEDULE": _(
        "It is ready, but no schedule entry of its line is left to take it. Create its proforma by hand."
    ),
    "IS-RETAINER": _("It is a retainer, and this version does not put retainers on proforma invoices."),
    "OVER-LIMIT": _(
        "It is over the limit of the %(level)s by %(over)s. Once other work gives some of it back (an "
        "approval is canceled, a draft lowered), test the limits again."
    ),
    "NOT-EVALUATED": _("It was not evaluated against its limit. Test the limits again."),
    "NO-PRICE": _(
        "No price was found when it was approved. Once a price list of the contract has one for its day (a "
        "missing row is added, or the last day of the list moved), cancel its approval and approve it again."
    ),
    "ON-HOLD": _("It is on hold until %(until)s: %(why)s."),
    "ORDER-MISSING": _(
        "%(entity)s bills only with an order number, and contract %(contract)s has none of %(customer)s that "
        "is valid on %(day)s, the day of the work."
    ),
    "NOT-READY": _("It is not marked ready to invoice."),
    # Why an entry can't be approved or rejected.
    "NOT-YOUR-PROJECT": _("%(entry)s is on project %(project)s, which is not yours to approve."),
    "OWN-WORK": _("%(entry)s is your own. %(why)s"),
    "OWN-SUBMISSION": _("%(entry)s was submitted by you. %(why)s"),
    "OWN-RECORD": _("%(entry)s was recorded by you. %(why)s"),
    "OTHERS-APPROVE": _("%(others)s can approve it."),
    "NO-OTHER-APPROVER": _(
        "Project %(project)s has no other manager to approve it. A billing administrator adds one to the "
        "project, or allows own approval for the company."
    ),
    "ENTRY-FUTURE": _("%(entry)s is dated after today. It can be approved from %(day)s on."),
    "ENTRY-APPROVED-BEFORE": _("%(entry)s has actuals already. Cancel its approval first."),
    "ENTRY-SUBMITTED-AGAIN": _("%(entry)s was submitted again after you looked. Look once more."),
    "ENTRY-REPRICED": _(
        "%(entry)s was “%(was)s” when you looked at it and is “%(now)s” now. Look at it again, then approve "
        "it or not."
    ),
    "ENTRY-SHOWN-UNPRICED": _(
        "%(entry)s was shown without its price. It is “%(now)s” now. Look at it again, then approve it or "
        "not."
    ),
    "ENTRY-NOT-PRICED": _("%(entry)s can't be approved. %(why)s"),
    "OF-ENTRY": _("%(entry)s: %(why)s"),
    "BILLABLE-NEGATIVE": _("%(entry)s: the billable quantity can't be less than 0."),
    "BILLABLE-LONG-DAY": _("%(entry)s: %(hours)s h are more than a day has. Enter %(most)s at most."),
    "NOT-A-BILLING-TYPE": _("%(entry)s: “%(kind)s” is not a billing type."),
}
