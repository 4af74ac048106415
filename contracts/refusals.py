"""The texts of the refusals and warnings about agreements, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    # The beginning of a sentence: its subject.
    "OF-CONTRACT": _("contract %(contract)s"),
    "OF-LINE": _("line %(line)s"),
    # Confirming: customers.
    "CONTRACT-NO-CUSTOMER": _("Contract %(contract)s has no customer. Add at least one."),
    "LINE-NO-CUSTOMER": _("Line %(line)s has no customers. Add those of the contract."),
    "NO-PRIMARY": _("Contract %(contract)s has no primary customer. Choose one."),
    "CUSTOMER-OTHER-ENTITY": _(
        "Contract %(contract)s: customer %(customer)s belongs to another legal entity."
    ),
    "CUSTOMER-OTHER-CONTRACT": _("Line %(line)s: %(customer)s is a customer of another contract."),
    "SPLIT-SUM": _("%(whose)s: the billing splits add up to %(percent)s %%, not 100 %%."),
    "ROUNDING-ONE": _("%(whose)s: choose exactly one customer whose share takes the rounding."),
    "ROUNDING-NO-SHARE": _(
        "%(whose)s: %(customer)s takes the rounding but has a split of 0 %%. Choose a customer with a share."
    ),
    # Confirming: price lists, work, milestones.
    "PRICE-LISTS-OVERLAP": _(
        "Contract %(contract)s: the price lists “%(first)s” and “%(second)s” are valid on the same days. "
        "End one before the other starts, or remove one."
    ),
    "NOT-A-SALES-LIST": _("Contract %(contract)s: “%(price_list)s” is not a sales price list of %(entity)s."),
    "PROJECT-OTHER-ENTITY": _("Line %(line)s: project %(project)s belongs to another legal entity."),
    "TASK-OTHER-PROJECT": _("Line %(line)s: task %(task)s does not belong to project %(project)s."),
    "NO-TASK": _("Line %(line)s covers selected tasks only, but no task is selected. Select at least one."),
    "LINES-COLLIDE": _(
        "Line %(line)s covers work on project %(project)s that line %(other)s already covers. "
        "Remove a class, a task or some days from one of them."
    ),
    "LINES-COLLIDE-ELSEWHERE": _(
        "Line %(line)s covers work on project %(project)s that line %(other)s of contract %(contract)s "
        "already covers. Remove a class, a task or some days from one of them."
    ),
    "MILESTONES-UNBILLED": _(
        "Line %(line)s bills time and material, so its milestones would never be billed. Delete them."
    ),
    "MILESTONE-DECIMALS": _(
        "Line %(line)s: milestone %(milestone)s of %(amount)s has more decimals than %(currency)s allows."
    ),
    "MILESTONE-TOO-LARGE": _(
        "Line %(line)s: milestone %(milestone)s can't be billed. %(why)s Split it into several."
    ),
    "MILESTONES-MISSING": _(
        "Line %(line)s: the milestones add up to %(total)s and the contract amount is %(amount)s: "
        "%(difference)s is missing."
    ),
    "MILESTONES-EXCEED": _(
        "Line %(line)s: the milestones add up to %(total)s and the contract amount is %(amount)s: "
        "%(difference)s is too much."
    ),
    # Schedules and generated milestones.
    "CONTRACT-CLOSED": _("Contract %(row)s is closed, so nothing more is invoiced under it."),
    "SCHEDULE-FREQUENCY": _("Line %(line)s has no schedule yet: choose an invoice frequency first."),
    "SCHEDULE-START": _("Line %(line)s has no schedule yet: enter a billing start first."),
    "SCHEDULE-END": _("Line %(line)s has no schedule yet: enter the contract's requested end first."),
    "SCHEDULE-DATES": _(
        "Line %(line)s is billed from %(starts)s, but contract %(contract)s ends before that, on %(ends)s. "
        "Change one of the dates."
    ),
    "PRICE-LISTS-FIXED": _("Contract %(row)s is %(status)s. Default price lists are only added to a draft."),
    "MILESTONES-FIXED": _(
        "Contract %(row)s is %(status)s, so its milestones can't change. Add new lines in a revision."
    ),
    "NOT-FIXED-PRICE": _("Line %(line)s bills time and material, so it has no milestones."),
    "MILESTONE-FREQUENCY": _("Line %(line)s: choose an invoice frequency to generate milestones."),
    "MILESTONE-START": _("Line %(line)s: enter the day on which the milestones start."),
    "MILESTONE-COUNT": _("Generate at least one milestone."),
    "MILESTONE-REST": ngettext_lazy(
        "Line %(line)s has %(rest)s left, which can't be divided into %(count)s milestone.",
        "Line %(line)s has %(rest)s left, which can't be divided into %(count)s milestones.",
        "count",
    ),
    # Rates, numbers, permissions.
    "FX-MISSING": _(
        "%(entity)s has no %(kind)s exchange rate for %(currency)s on %(day)s. An administrator can enter "
        "one that is valid from that day or earlier."
    ),
    "FX-OLD": ngettext_lazy(
        "The exchange rate for %(currency)s is from %(rated)s and is used on %(day)s, %(age)s day later. "
        "An administrator can enter a newer one.",
        "The exchange rate for %(currency)s is from %(rated)s and is used on %(day)s, %(age)s days later. "
        "An administrator can enter a newer one.",
        "age",
    ),
    "NUM-MISSING": _(
        "%(entity)s has no number sequence for the kind “%(kind)s”. An administrator can add one."
    ),
    "NUM-ORDER": _(
        "A document of the kind “%(kind)s” can't be dated %(day)s: the last one is dated %(latest)s, and "
        "numbers follow the dates. Use %(latest)s or a later date."
    ),
    "OTHERS-POST": _("In this legal entity, these people may post it: %(names)s."),
    "NOBODY-ELSE-POSTS": _("Nobody else in this legal entity may post it."),
    "MAY-NO-LONGER": _(
        "%(user)s requested this, but may no longer do it for %(row)s (permission “%(permission)s”), so it "
        "was not done. Somebody with that permission can do it."
    ),
}
