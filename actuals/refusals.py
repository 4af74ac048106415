"""The sentences of what entries and actuals refuse, by code."""

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    # Whose entry, and of what.
    "RESOURCE-INACTIVE": _("%(resource)s is no longer active. Ask an administrator."),
    "OTHER-PERSON": _("%(resource)s is another person. Everybody enters their own work."),
    "NOT-YOURS-TO-CHANGE": _("%(entry)s is not yours. Only its owner can change it."),
    "NOT-YOURS-TO-SUBMIT": _(
        "%(entry)s is not yours. Its owner, a project manager or an accountant can submit it."
    ),
    "NOT-YOURS-TO-RECALL": _("%(entry)s is not yours. Only its owner can recall it."),
    "NO-RESOURCE": _(
        "You are not a resource of %(entity)s yet, so you can't enter anything here. Ask an administrator to "
        "add you as a resource."
    ),
    # What an entry refers to.
    "OF-OTHER-ENTITY": _("%(thing)s belongs to another company."),
    "PROJECT-CLOSED": _("Project %(project)s is closed for entries. Choose another project."),
    "TASK-OF-OTHER-PROJECT": _("Task %(task)s does not belong to project %(project)s."),
    "CATEGORY-OTHER-CLASS": _("%(category)s is not a category for %(kind)s."),
    # Quantities and amounts.
    "QUANTITY-ZERO": _("The quantity must be greater than zero."),
    "LONG-DAY": _("%(day)s would have %(hours)s hours, and a day has 24. Enter fewer hours."),
    "NEGATIVE-AMOUNT": _("%(amount)s is below zero. Enter 0 or more."),
    "EXPENSE-TOO-LARGE": _("%(why)s Look for a typing error, or enter it as several expenses."),
    "DEDUCTIBLE-MISSING": _("Enter how much of the tax is deductible: all of it, a part, or 0."),
    "DEDUCTIBLE-OVER-TAX": _("The deductible tax, %(deductible)s, is more than the tax, %(tax)s."),
    # Changing, submitting, deleting.
    "ENTRY-CHANGED": _(
        "%(entry)s was changed by another person. Open it again, so that their change is not lost."
    ),
    "ENTRY-WAS-APPROVED": _(
        "Entry %(entry)s was approved before, and its reversed actuals refer to it. It can't be deleted. "
        "Leave it as a draft."
    ),
    "SUBMIT-PROJECT-CLOSED": _(
        "%(entry)s can't be submitted: project %(project)s is closed for entries. Open the project, or move "
        "the entry to another one."
    ),
    "SUBMIT-OTHER-ENTITY": _(
        "%(entry)s can't be submitted: %(resource)s works for another company. Choose a resource of the "
        "company that owns the project."
    ),
    "ENTRY-GONE": _("One of the selected entries no longer exists. Look at the list again."),
    "ENTRIES-SEVERAL-ENTITIES": _(
        "The selected entries belong to several companies. Select those of one company at a time."
    ),
    "NO-DRAFT-SELECTED": _(
        "Nothing was submitted. Only drafts are submitted here. Change a rejected entry first, or open it to "
        "submit it as it is."
    ),
    "NO-SUBMITTED-SELECTED": _("Nothing was recalled. Only submitted entries can be recalled."),
    "NO-OPEN-SELECTED": _("Nothing was deleted. Only drafts and rejected entries can be deleted."),
    # Actuals.
    "ACTUAL-IS-REVERSAL": _(
        "Actual %(actual)s is the reversal of actual %(original)s and can't be reversed itself."
    ),
    "ACTUAL-REVERSED": _("Actual %(actual)s is already reversed, by actual %(reversal)s."),
}
