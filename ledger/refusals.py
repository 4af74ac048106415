"""The sentences of what the accountant's room refuses and finds, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    # Invoice proposals.
    "PROPOSAL-SUBMITTED": _(
        "%(row)s is submitted for approval and can't be %(done)s. Ask for a change first."
    ),
    "PROPOSAL-APPROVED": _("%(row)s is approved and can't be %(done)s. Have its approval reset first."),
    "PROPOSAL-RETURNED": _("%(row)s was returned to the project manager: “%(why)s”."),
    # Fiscal periods.
    "PERIOD-MISSING": _(
        "%(entity)s has no fiscal period for %(day)s. Add the next fiscal year on the page Fiscal periods, "
        "or ask an administrator to add an earlier one."
    ),
    "PERIOD-CLOSED": _(
        "The period %(period)s of %(entity)s is %(status)s, so nothing can be posted on %(day)s. Open the "
        "period, or choose a day in an open one."
    ),
    "NO-OPEN-PERIOD": _(
        "%(entity)s has no open period after %(day)s. Open one, or add the next fiscal year, on the page "
        "Fiscal periods."
    ),
    "PERIOD-STATUS": _("%(row)s is already %(status)s."),
    "PERIOD-NOT-OPEN": _("%(row)s is closed, and only an open period can be put on hold. Reopen it first."),
    # Accounts and profiles.
    "ACCOUNT-MISSING": _(
        "%(entity)s has no account for %(purpose)s%(case)s. An administrator adds one to the posting "
        "accounts."
    ),
    "ACCOUNT-INACTIVE": _(
        "Account %(account)s, which %(entity)s uses for %(purpose)s, is no longer active. An administrator "
        "chooses another one in the posting accounts."
    ),
    "PROFILE-MISSING": _(
        "%(what)s has no cost and revenue profile. An administrator assigns one to it, to its project "
        "group or to the whole of %(entity)s."
    ),
    # The integration journal.
    "ORIGINAL-MISSING": _(
        "Actual %(actual)s reverses actual %(original)s, which is in no integration journal yet. It "
        "follows when that one is added to a journal."
    ),
    "ACTUAL-TOO-LARGE": _(
        "Actual %(actual)s is %(amount)s, and a line of the books holds at most %(most)s. Cancel the "
        "approval of its entry and correct its amount."
    ),
    "ACTUAL-TOO-LARGE-CONVERTED": _(
        "Actual %(actual)s is %(amount)s at the exchange rate %(rate)s, and a line of the books holds at "
        "most %(most)s. Cancel the approval of its entry and correct its amount, or correct the exchange "
        "rate."
    ),
    "BILLED-BY-INVOICE": _("Billed sales are posted by their invoice, not by a journal."),
    "ORIGINAL-IN-JOURNAL": _(
        "The actual that it reverses is not posted yet: it is in journal %(journal)s. Post that journal "
        "first."
    ),
    "ORIGINAL-NOT-POSTED": _(
        "The actual that it reverses is not posted yet: it is in error, or later in this journal."
    ),
    "JOURNALS-ALREADY-POSTED": _("The journals that you selected are already posted."),
    "JOURNAL-POSTED": _("The %(row)s is already posted."),
    "JOURNAL-IN-ERROR": _(
        "The %(row)s has lines in error. Fix them and send the journal back to draft (post_journals --retry)."
    ),
    "JOURNAL-NOT-IN-ERROR": _(
        "The %(row)s is %(status)s. Only a journal in error can be sent back to draft."
    ),
    "JOURNAL-FIXED": _("The %(row)s is %(status)s, so its lines can't change."),
    "JOURNAL-JUST-POSTED": _("A journal was posted at this moment. Look at its lines again."),
    "NO-LINES-CHOSEN": _("No line is selected, or no change was entered."),
    "LINES-SEVERAL-ENTITIES": _(
        "The selection has lines of several companies. Change the lines of one company at a time."
    ),
    "VALUE-OTHER-ENTITY": _("%(value)s belongs to another company than the lines."),
    "LINES-REVERSE": ngettext_lazy(
        "%(count)s line is a reversal, which is posted with the dimensions of the line that it reverses. "
        "Remove it from the selection.",
        "%(count)s lines are reversals, which are posted with the dimensions of the lines that they "
        "reverse. Remove them from the selection.",
        "count",
    ),
    "LINES-ARE-SALES": ngettext_lazy(
        "%(count)s line is a sale, which is invoiced by the tax groups of its line. Choose the group that "
        "applies (one without tax if no tax is due), or remove sales from the selection.",
        "%(count)s lines are sales, which are invoiced by the tax groups of their lines. Choose the group "
        "that applies (one without tax if no tax is due), or remove sales from the selection.",
        "count",
    ),
}
