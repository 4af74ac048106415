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
}
