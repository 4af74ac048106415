"""The sentences of refusals, warnings and reports about proformas and invoice runs, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    # Creating proformas.
    "NO-CONTRACT-SELECTED": _("No contract is selected. Select at least one."),
    "NO-CUSTOMER-SELECTED": _("No customer is selected. Select at least one."),
    "NO-PROJECT-SELECTED": _("No project is selected. Select at least one."),
    "CHOSEN-SEVERAL-ENTITIES": _(
        "The selected rows belong to several legal entities. Select those of one legal entity at a time."
    ),
    "CHOSEN-ON-HOLD": ngettext_lazy(
        "%(count)s selected row is on hold until %(day)s. Release the hold first.",
        "%(count)s selected rows are on hold, the first until %(day)s. Release the holds first.",
        "count",
    ),
    "CHOSEN-RETAINER": _(
        "“%(name)s” is a retainer, and this version does not put retainers on proformas. Deselect it."
    ),
    "CHOSEN-BLOCKED": ngettext_lazy(
        "%(count)s selected row can't be billed: %(obstacle)s. Deselect it.",
        "%(count)s selected rows can't be billed: %(obstacle)s. Deselect them.",
        "count",
    ),
    "CHOSEN-NONE-READY": _("None of the selected rows is ready to invoice. Mark them ready first."),
    "CHOSEN-OTHER-CUSTOMER": ngettext_lazy(
        "%(count)s selected row is for a different customer or contract than %(proforma)s. Select rows of "
        "the same one, or create a separate proforma for it.",
        "%(count)s selected rows are for a different customer or contract than %(proforma)s. Select rows of "
        "the same one, or create a separate proforma for them.",
        "count",
    ),
    "PENDING-GONE": _("Some of the selected items are no longer ready. Check the list again."),
    # Why there is nothing to invoice.
    "NOTHING-READY": _("Nothing was ready to invoice."),
    "NOTHING-READY-LEFT-OUT": _("Nothing was ready to invoice. %(why)s"),
    "NOTHING-DUE-LEFT-OUT": _("Nothing was due to invoice. %(why)s"),
    "LEFT-OUT": ngettext_lazy(
        "%(count)s item is left out: %(obstacle)s.", "%(count)s items are left out: %(obstacle)s.", "count"
    ),
    "READY-LATER": ngettext_lazy(
        "%(count)s ready item is dated after the cutoff, on %(day)s.",
        "%(count)s ready items are dated after the cutoff, the first on %(day)s.",
        "count",
    ),
    "CONTRACT-NOTHING": _("Contract %(contract)s up to %(cutoff)s: %(why)s"),
    "CONTRACTS-NOTHING": _("Nothing is ready to invoice on these contracts up to %(cutoff)s."),
    "CONTRACTS-NOTHING-WHY": _("Nothing is ready to invoice on these contracts up to %(cutoff)s. %(why)s"),
    # What a status does not allow.
    "PROFORMA-CONFIRMED": _(
        "%(row)s is confirmed and can't be %(done)s any more. An accountant can return it, as long as it is "
        "neither posted nor returned."
    ),
    "PROFORMA-EMPTY": _("%(proforma)s is empty. Add details, or delete it."),
    "PROFORMA-DELETED": _("Proforma %(number)s was deleted."),
    "PROFORMA-CONFIRMING": _("Proforma %(number)s is already confirmed or being confirmed."),
    "PROFORMAS-CONFIRMING": _(
        "Nothing was started. All selected proformas are already confirmed or being confirmed."
    ),
    "CORRECTION-NOT-RETURNED": _("Proforma %(number)s is a correction, and a correction can't be returned."),
    "ALREADY-RETURNED": _("Proforma %(number)s is already returned."),
    # The header.
    "BILL-TO-NAME-MISSING": _("Enter the name of the buyer. An invoice needs one."),
    "BILL-TO-COUNTRY-MISSING": _("Enter the country of the buyer as two letters, such as NO."),
    "ADDRESS-SCHEME": _("Enter the electronic address together with its scheme."),
    "BAD-NUMBER": _("%(why)s"),
    # Details.
    "DETAILS-GONE": ngettext_lazy(
        "%(count)s selected detail no longer exists.", "%(count)s selected details no longer exist.", "count"
    ),
    "NOTHING-ENTERED": _("Nothing was changed, because no field has a new value."),
    "BAD-BILLING-TYPE": _("“%(kind)s” is not a billing type."),
    "QUANTITY-NEGATIVE": _("A quantity below zero can't be billed. Enter 0 or more, or remove the detail."),
    "PRICE-NEGATIVE": _("A price below zero can't be billed. Enter 0 or more, or remove the detail."),
    "DETAIL-LONG-DAY": _(
        "%(hours)s hours are more than %(day)s has. A detail of time is for one day: enter at most %(most)s "
        "hours, and add a separate detail for each other day."
    ),
    "MILESTONE-AMOUNT-FIXED": _(
        "“%(name)s” is a milestone. Its amount is agreed, so its quantity and price can't be edited on a "
        "proforma."
    ),
    "RETAINER-AMOUNT-FIXED": _(
        "“%(name)s” is a retainer. Its amount is agreed, so its quantity and price can't be edited on a "
        "proforma."
    ),
    "NOT-BY-HAND": _("Only time, expenses, material and fees can be added by hand."),
    "LINE-OTHER-CONTRACT": _(
        "Line %(line)s is not a line of contract %(contract)s. Choose one of its lines."
    ),
    "LINE-EXCLUDES-CLASS": _("Line %(line)s does not include %(kind)s. Choose a line that does."),
    "LINE-OTHER-PROJECT": _("Line %(line)s covers project %(covered)s, not project %(project)s."),
    "LINE-OTHER-CUSTOMER": _("Line %(line)s does not bill %(customer)s. Choose a line that does."),
    "PRODUCT-MISSING": _("Choose a product. Taxes and accounts of material depend on it."),
    "CATEGORY-MISSING": _("Choose a category. Taxes and accounts of expenses and fees depend on it."),
    "DETAIL-QUANTITY-ZERO": _("Enter a quantity other than zero."),
    "SCOPE-MIXED-ITEMS": _(
        "Work outside the scope of tax can't be on the same invoice as other work. Create a proforma of the "
        "selected rows from the backlog: it separates the two."
    ),
    "SCOPE-MIXED-ADDED": _(
        "Work outside the scope of tax can't be on the same invoice as other work. Enter it as work of the "
        "project: once it is ready, it gets its own invoice."
    ),
    "SCOPE-MIXED-EDITED": _(
        "After this change, proforma %(number)s would have work outside the scope of tax and other work, and "
        "these can't be on the same invoice. Remove the detail, create a proforma for it alone from the "
        "backlog, and change the tax group there."
    ),
    "SCOPE-MIXED-BY-HAND": _(
        "After this change, proforma %(number)s would have work outside the scope of tax and other work, and "
        "these can't be on the same invoice. Remove the detail, and enter it as work of the project, which "
        "gets its own invoice."
    ),
    # Amounts that are too large.
    "DETAIL-TOO-LARGE": _("%(why)s Lower the quantity or the price."),
    "READY-TOO-LARGE": _(
        "The ready work is too much for one invoice. %(why)s Create proformas for some of the rows at a "
        "time, from the backlog."
    ),
    "MILESTONE-SLICES": _(
        "Milestone “%(milestone)s” is too large to bill at once. %(why)s Mark it not ready, and bill it by "
        "progress, in several parts."
    ),
    "PROFORMA-TOO-LARGE": _(
        "The total of proforma %(number)s is too large. %(why)s Lower or remove details, or bill them on "
        "another proforma."
    ),
    # Orders of the customer.
    "ORDER-EXCEEDED": _(
        "Order %(order)s is for %(amount)s. Proformas under it come to %(used)s, which is %(missing)s too "
        "much."
    ),
    "ORDER-TOO-SMALL": _("Order %(order)s has %(left)s left of %(amount)s, which is %(missing)s too little."),
    "ORDER-VALID-BETWEEN": _(
        "Order %(order)s is valid from %(first)s to %(last)s, and %(day)s is outside these dates."
    ),
    "ORDER-VALID-FROM": _("Order %(order)s is valid from %(first)s, and %(day)s is earlier."),
    "ORDER-VALID-UNTIL": _("Order %(order)s is valid until %(last)s, and %(day)s is later."),
    "ORDER-DATES-IN-HEADER": _(
        "%(why)s Enter another order number, or create a proforma for that work from the backlog."
    ),
    "ORDER-DATES-OF-ITEMS": _(
        "%(why)s Create a proforma for that work from the backlog, or enter another order number on proforma "
        "%(number)s first."
    ),
    "ORDER-DATES-OF-DETAIL": _(
        "%(why)s Add it to a proforma without an order, or enter another order number on proforma %(number)s "
        "first."
    ),
    "ORDER-DATES-TO-CONFIRM": _(
        "%(why)s %(entity)s bills only with an order number. Enter another order number on the proforma, or "
        "ask an administrator to change the dates of the order."
    ),
    "ORDER-AMOUNT-TO-CONFIRM": _(
        "%(why)s %(entity)s bills only with an order number. Remove or lower details, or ask an "
        "administrator to raise the order on the contract."
    ),
    "ORDER-UNKNOWN": _(
        "The contract has no order %(order)s for this customer, only %(orders)s, so the amount left is not "
        "checked. Enter another number in the header, or ask an administrator to add the order."
    ),
    "ORDERS-FIT-SOME": _("It has no order number. %(why)s"),
    "ORDER-HAS-ROOM": ngettext_lazy(
        "Order %(order)s has enough left for %(fitting)s of its %(count)s detail.",
        "Order %(order)s has enough left for %(fitting)s of its %(count)s details.",
        "count",
    ),
    "NO-ORDER-HAS-ROOM": _("No order has enough left for %(details)s."),
    "NO-ORDER-HAS-ROOM-MORE": _("No order has enough left for %(details)s, and %(more)s more."),
    # Warnings on a draft.
    "AHEAD-DETAILS": ngettext_lazy(
        "%(count)s detail is work dated after today (%(day)s).",
        "%(count)s details are work dated after today (the first on %(day)s).",
        "count",
    ),
    "AHEAD-MILESTONES": ngettext_lazy(
        "%(count)s detail is a milestone dated after today (%(day)s).",
        "%(count)s details are milestones dated after today (the first on %(day)s).",
        "count",
    ),
    "AHEAD-BOTH": _("%(count)s details are work and milestones dated after today (the first on %(day)s)."),
    "DATE-AHEAD": _(
        "Proforma %(number)s can't be confirmed yet. %(why)s Remove what is dated after today, or confirm "
        "the proforma on %(last)s or later."
    ),
    "DATE-AHEAD-BY-HAND": _(
        "Proforma %(number)s can't be confirmed yet. %(why)s Remove what is dated after today, or confirm "
        "the proforma on %(last)s or later. If a date of a detail added by hand is wrong, add it again with "
        "the right date."
    ),
    "BILLED-IN-ADVANCE": _("%(why)s The legal entity invoices in advance, so it can be confirmed."),
    "SHORT-ORDER-WARNING": _("%(why)s Remove or lower details, or ask an administrator to raise the order."),
    "SHORT-ORDER-BLOCKS": _(
        "%(why)s It can't be confirmed like this. Remove or lower details, or ask an administrator to raise "
        "the order."
    ),
    "NO-ORDER-WARNING": _(
        "%(why)s Remove or lower details until the order has enough left and enter its number in the header, "
        "or ask an administrator to raise the order."
    ),
    "NO-ORDER-BLOCKS": _(
        "%(why)s It can't be confirmed like this. Remove or lower details until the order has enough left "
        "and enter its number in the header, or ask an administrator to raise the order."
    ),
    "ORDER-DATES-WARNING": _(
        "%(why)s Enter another order number, or ask an administrator to change the dates of the order."
    ),
    "ORDER-DATES-BLOCKS": _(
        "%(why)s It can't be confirmed like this. Enter another order number, or ask an administrator to "
        "change the dates of the order."
    ),
    "BY-HAND-ODD-DATE": _("“%(title)s”, added by hand, is %(oddity)s. Check the date."),
    "BY-HAND-OUTSIDE-LINE": _("“%(title)s”, added by hand, is dated %(day)s, and %(line)s. Check the date."),
    "BILLING-TAX-GROUP-MISSING": ngettext_lazy(
        "%(count)s detail has no billing tax group, and the invoice needs one. %(why)s",
        "%(count)s details have no billing tax group, and the invoice needs one. %(why)s",
        "count",
    ),
    "ITEM-TAX-GROUP-MISSING": ngettext_lazy(
        "%(count)s detail has no item tax group, and the invoice needs one. %(why)s",
        "%(count)s details have no item tax group, and the invoice needs one. %(why)s",
        "count",
    ),
    "TAX-GROUP-IN-SETUP": _("An administrator can add it to %(places)s."),
    "TAX-GROUP-ON-DETAIL": _("You can choose it with “Edit” on the detail."),
    "TAX-GROUP-BY-ACCOUNTANT": _(
        "An accountant can choose it on the journal line or on the line of the invoice proposal."
    ),
    "MAYBE-BILLED-TWICE": _(
        "Possible duplicate: %(work)s, added by hand on proforma %(proforma)s, may be the %(entry)s, which "
        "is on proforma %(other)s. Remove one of them, or make it non-chargeable."
    ),
    "MAYBE-IN-BACKLOG": _(
        "Possible duplicate: %(work)s, added by hand on proforma %(proforma)s, may be the %(entry)s, which "
        "is approved and in the backlog. Remove one of them, or make it non-chargeable."
    ),
    "MORE-DUPLICATES": ngettext_lazy(
        "There is %(count)s more possible duplicate.",
        "There are %(count)s more possible duplicates.",
        "count",
    ),
    "WARNING-OF": _("Proforma %(number)s: %(why)s"),
    "CUSTOMER-CHANGED": _("The customer has changed since this draft was created. %(why)s"),
    "PARTY-FIELD-CHANGED": _("The %(field)s was %(was)s and is now %(now)s."),
    "MORE-WARNINGS": ngettext_lazy(
        "The page shows %(count)s more warning.", "The page shows %(count)s more warnings.", "count"
    ),
    # Confirming.
    "LIMIT-EXCEEDED": _(
        "Proforma %(number)s exceeds the limit of %(limit)s of the %(level)s by %(over)s. Lower it, or ask "
        "somebody with permission to override limits to confirm it."
    ),
    "OVERRIDE-REASON": _(
        "Proforma %(number)s exceeds the limit of %(limit)s of the %(level)s by %(over)s. Enter a reason for "
        "confirming it anyway."
    ),
    "CONFIRM-FAILED": _("Internal error. Nothing was saved. Confirm it again; the log has the details."),
    # Invoice runs.
    "RUN-CREATED": ngettext_lazy("Proforma %(proformas)s.", "Proformas %(proformas)s.", "count"),
    "RUN-CREATED-LEFT-OUT": ngettext_lazy(
        "Proforma %(proformas)s. %(why)s", "Proformas %(proformas)s. %(why)s", "count"
    ),
    "RUN-FAILED": _(
        "Internal error (%(error)s). Nothing was saved; the log has the details. The next run tries again."
    ),
    "RUN-DATE-AHEAD": _(
        "%(day)s is in the future: today is %(today)s at %(entity)s. Create a preview for that date, or run "
        "up to today."
    ),
    "PREVIEW-DATE-AHEAD": _("%(preview)s is for a future date. It can be carried out on %(day)s or later."),
    "NOT-A-PREVIEW": _("%(run)s is not a preview."),
    "PREVIEW-DONE": _("%(preview)s is already carried out."),
    "PREVIEW-CHANGED": _("%(preview)s can't be carried out. %(why)s Create a new preview."),
    "CONTRACT-CHANGED": _("Contract %(contract)s has changed since %(preview)s. Create a new preview."),
    "PLAN-OTHER-AMOUNT": ngettext_lazy(
        "Contract %(contract)s had %(count)s row of %(planned)s and now has %(rows)s of %(now)s.",
        "Contract %(contract)s had %(count)s rows of %(planned)s and now has %(rows)s of %(now)s.",
        "count",
    ),
    "PLAN-SAME-AMOUNT": _(
        "Contract %(contract)s has other work for the same amount, other orders or other schedule entries."
    ),
    "PLAN-MORE-CONTRACTS": ngettext_lazy(
        "%(count)s more contract has changed.", "%(count)s more contracts have changed.", "count"
    ),
    "NO-CONTRACT-TO-RUN": _(
        "You manage no confirmed contract in this legal entity, so there is nothing to run."
    ),
    "PREVIEW-NOT-YOURS": _("%(preview)s includes contracts that you don't manage. Create your own preview."),
    # The billing hub.
    "NOTHING-TO-MARK-ON-CONTRACT": _("Contract %(contract)s has no items to mark ready."),
    "NOTHING-TO-MARK-ON-LINE": _("Line %(line)s of contract %(contract)s has no items to mark ready."),
}
