"""The sentences of refusals in the backlog, and of obstacles to billing, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    # Why an item can't be billed; see obstacles.py.
    "IS-CANCELED": _("It is canceled: the work was corrected, or its approval was canceled."),
    "IS-BILLED": _("It is on a confirmed proforma."),
    "ON-DRAFT": _("It is on a draft proforma."),
    "CONTRACT-NOT-CONFIRMED": _(
        "Contract %(contract)s is %(status)s. Only a confirmed contract can be invoiced."
    ),
    "NO-SCHEDULE": _("It is ready, but its line has no schedule entry left. Create its proforma by hand."),
    "IS-RETAINER": _("It is a retainer, and this version does not put retainers on proforma invoices."),
    "OVER-LIMIT": _(
        "It is over the limit of the %(level)s by %(over)s. If an amount becomes free under the limit (an "
        "approval is canceled, a draft is reduced), test the limits again."
    ),
    "NOT-EVALUATED": _("It was not tested against its limit. Test the limits again."),
    "NO-PRICE": _(
        "No price was found when it was approved. Ask a billing administrator to add the missing row to a "
        "price list of the contract, or to change the last day of the list. Then cancel its approval and "
        "approve it again."
    ),
    "ON-HOLD": _("It is on hold until %(until)s: %(why)s."),
    "ORDER-MISSING": _(
        "%(entity)s bills only with an order number, and contract %(contract)s has no order of "
        "%(customer)s that is valid on %(day)s, the day of the work."
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
        "project, or allows own approval for the legal entity."
    ),
    "ENTRY-FUTURE": _("%(entry)s is dated after today. It can be approved from %(day)s on."),
    "ENTRY-APPROVED-BEFORE": _("%(entry)s has actuals already. Cancel its approval first."),
    "ENTRY-SUBMITTED-AGAIN": _("%(entry)s was submitted again after you opened the page. Check it again."),
    "ENTRY-REPRICED": _(
        "%(entry)s was “%(was)s” on the page that you saw and is “%(now)s” now. Check it again, then "
        "approve or reject it."
    ),
    "ENTRY-SHOWN-UNPRICED": _(
        "%(entry)s was shown without its price. It is “%(now)s” now. Check it again, then approve or "
        "reject it."
    ),
    "ENTRY-NOT-PRICED": _("%(entry)s can't be approved. %(why)s"),
    "OF-ENTRY": _("%(entry)s: %(why)s"),
    "BILLABLE-NEGATIVE": _("%(entry)s: the billable quantity can't be less than 0."),
    "BILLABLE-LONG-DAY": _("%(entry)s: a day can't have %(hours)s h. Enter at most %(most)s."),
    "ENTRY-TOO-LARGE": _("%(why)s Correct the entry, or its price in the price list."),
    "REJECT-COMMENT": _("Enter a reason for rejecting the entries, so that their owner can correct them."),
    "ENTRIES-OF-SEVERAL-ENTITIES": _(
        "The selected entries belong to several legal entities. Select those of one legal entity at a time."
    ),
    "APPROVE-NOT-SHOWN": _(
        "No entry was approved, because the request did not include what the list showed. Check the list "
        "again and approve from there."
    ),
    "APPROVE-NOT-ON-PAGE": ngettext_lazy(
        "No entry was approved: %(count)s is not on the page that you saw. Check the list again.",
        "No entry was approved: %(count)s are not on the page that you saw. Check the list again.",
        "count",
    ),
    "APPROVE-PRICES-CHANGED": ngettext_lazy(
        "No entry was approved: %(count)s is not on the page that you saw, and prices have changed since. "
        "Check the list again.",
        "No entry was approved: %(count)s are not on the page that you saw, and prices have changed since. "
        "Check the list again.",
        "count",
    ),
    # Work that may be billed twice.
    "DUPLICATE-ON-DRAFT": _(
        "Possible duplicate: %(work)s was added by hand to proforma %(proforma)s. If it is the same work, "
        "remove it from the proforma, or approve this entry as non-chargeable."
    ),
    "DUPLICATE-CONFIRMED": _(
        "Possible duplicate: %(work)s was added by hand to proforma %(proforma)s, which is confirmed. If it "
        "is the same work, approve this entry as non-chargeable."
    ),
    "DUPLICATE-APPROVED": _(
        "Possible duplicate: %(work)s was added by hand to proforma %(proforma)s. If it is the same work, "
        "remove it from the proforma, or cancel this approval and approve the entry as non-chargeable."
    ),
    "DUPLICATE-APPROVED-CONFIRMED": _(
        "Possible duplicate: %(work)s was added by hand to proforma %(proforma)s, which is confirmed. If it "
        "is the same work, cancel this approval and approve the entry as non-chargeable."
    ),
    # Why an approval can't be canceled.
    "APPROVAL-ON-DRAFT": _(
        "%(entry)s is on draft %(proforma)s. Remove it from the draft before you cancel its approval."
    ),
    "APPROVAL-BILLED": _("%(entry)s is billed on %(invoice)s of %(day)s, so its approval can't be canceled."),
    "APPROVAL-CONFIRMED": _(
        "%(entry)s is on %(proforma)s, which is confirmed, so its approval can't be canceled. Until it is "
        "posted, an accountant can return it. Then remove the entry from the new draft and "
        "cancel its approval."
    ),
    # Why a contract can't be confirmed.
    "CONTRACT-ENTRY-BEFORE": _(
        "%(entry)s was approved before, and contract %(contract)s can't be confirmed with it. %(why)s "
        "To correct the entry, cancel its approval."
    ),
    # Marking, holding, undoing.
    "HOLD-REASON": _("Enter a reason for putting the work on hold."),
    "ROWS-SEVERAL-ENTITIES": _(
        "The selected rows belong to several legal entities. Select those of one legal entity at a time."
    ),
    "ALREADY-UNDONE": _("%(action)s was already undone."),
    "CANNOT-UNDO": _("%(action)s can't be undone. Only marking and holding can."),
    "UNDONE-MEANWHILE": _("%(action)s was undone while it was running. The remaining rows did not change."),
    "CLAIM-GONE": ngettext_lazy(
        "%(count)s row has changed: somebody else invoiced or released it. Check the list again.",
        "%(count)s rows have changed: somebody else invoiced or released them. Check the list again.",
        "count",
    ),
    # Progress billing of milestones.
    "NOT-A-MILESTONE": _("Only a milestone can be billed by progress."),
    "MILESTONE-STOPPED": _("“%(milestone)s” can't be marked ready. %(why)s"),
    "SLICE-AMOUNT": _("Enter an amount up to %(left)s, the amount that is left."),
    "SLICE-TOO-LARGE": _(
        "Only %(left)s of “%(milestone)s” is left. A milestone can't be billed above 100 %%."
    ),
    "NOT-A-BILLING-TYPE": _("%(entry)s: “%(kind)s” is not a billing type."),
}
