"""The sentences of refusals and findings about the books, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    # Invoice proposals.
    "PROPOSAL-SUBMITTED": _(
        "%(row)s is submitted for approval and can't be %(done)s. Request a change first."
    ),
    "PROPOSAL-APPROVED": _(
        "%(row)s is approved and can't be %(done)s. An administrator can reset its approval."
    ),
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
        "%(entity)s has no account for %(purpose)s. An administrator can add one to the posting accounts."
    ),
    "ACCOUNT-MISSING-FOR": _(
        "%(entity)s has no account for %(purpose)s (%(case)s). An administrator can add one to the posting "
        "accounts."
    ),
    "ACCOUNT-INACTIVE": _(
        "Account %(account)s, which %(entity)s uses for %(purpose)s, is no longer active. An administrator "
        "can choose another one in the posting accounts."
    ),
    "PROFILE-MISSING": _(
        "%(what)s has no cost and revenue profile. An administrator can assign one to it, to its project "
        "group or to the whole of %(entity)s."
    ),
    # The integration journal.
    "ORIGINAL-MISSING": _(
        "Actual %(actual)s reverses actual %(original)s, which is not in an integration journal yet. It "
        "can be added after that one."
    ),
    "ACTUAL-TOO-LARGE": _(
        "Actual %(actual)s is %(amount)s. The largest amount that can be posted on one line is %(most)s. "
        "Cancel the approval of its entry and correct its amount."
    ),
    "ACTUAL-TOO-LARGE-CONVERTED": _(
        "Actual %(actual)s is %(amount)s at the exchange rate %(rate)s. The largest amount that can be "
        "posted on one line is %(most)s. Cancel the approval of its entry and correct its amount, or "
        "correct the exchange rate."
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
        "The %(row)s has lines in error. Fix them, then send the journal back to draft (on the command "
        "line: post_journals --retry)."
    ),
    "JOURNAL-NOT-IN-ERROR": _(
        "The %(row)s is %(status)s. Only a journal in error can be sent back to draft."
    ),
    "JOURNAL-FIXED": _("The %(row)s is %(status)s, so its lines can't change."),
    "JOURNAL-JUST-POSTED": _("A journal was posted while you edited its lines. Check its lines again."),
    "NO-LINES-CHOSEN": _("No line is selected, or no change was entered."),
    "LINES-SEVERAL-ENTITIES": _(
        "The selected lines belong to several legal entities. Select those of one legal entity at a time."
    ),
    "VALUE-OTHER-ENTITY": _("%(value)s belongs to another legal entity than the lines."),
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
    # The integration journals that a proposal waits for.
    "WAITS-FOR-JOURNALS": _("%(proposal)s waits for %(journals)s to be posted."),
    "WAITS-FOR-ERRORS": _(
        "%(proposal)s waits for journals in error: %(journals)s. Fix the cause, then send them back to "
        "draft and post them."
    ),
    "WAITS-FOR-ACTUALS": ngettext_lazy(
        "%(proposal)s waits for %(count)s actual (%(actuals)s) to be added to a journal.",
        "%(proposal)s waits for %(count)s actuals (%(actuals)s) to be added to a journal.",
        "count",
    ),
    "PROPOSAL-BLOCKED": "%(why)s",
    "WAITS-NO-LONGER": _("%(proposal)s no longer waits for a journal, but its lines are not filled in yet."),
    # Invoice proposals: status and approval.
    "PROFORMA-NOT-CONFIRMED": _("%(proforma)s is not confirmed yet, so it gets no invoice proposal."),
    "PROPOSAL-JUST-EDITED": _("%(proposal)s was edited while you posted it. Check it again, then post it."),
    "OWN-PROPOSAL": _("You submitted %(proposal)s yourself, so somebody else has to approve it."),
    "COMMENT-MISSING": _("Enter a reason for sending %(proposal)s back."),
    "REASON-MISSING": _("Enter a reason for returning %(proposal)s."),
    "POSTED-NOT-RETURNED": _("%(proposal)s is already posted as %(invoice)s, so it can't be returned."),
    "APPROVAL-PENDING": _("%(proposal)s is submitted, but not approved yet."),
    "APPROVAL-NEEDED": _("%(entity)s posts approved proposals only. Submit %(proposal)s for approval."),
    "CONFIRMED-BY-YOU": _("You confirmed %(proforma)s, so somebody else has to post its invoice. %(who)s"),
    "NOBODY-APPROVED": _(
        "At %(entity)s, one person confirms and another one posts. Nobody has approved the proposal of "
        "%(proforma)s, so it can't be posted automatically. Somebody who did not confirm it has to post it."
    ),
    "SAME-PERSON-APPROVED": _(
        "At %(entity)s, one person confirms and another one posts. %(user)s confirmed %(proforma)s and "
        "also approved its proposal, so it can't be posted automatically. Somebody who did not confirm it "
        "has to post it."
    ),
    # Invoice proposals: header, lines, sections.
    "CHOICE-OTHER-ENTITY": _("“%(value)s” belongs to another legal entity. Choose one of this legal entity."),
    "LINES-GONE": _(
        "The lines of this proposal have been filled in again since you opened the page. Check them, then "
        "select again."
    ),
    "SECTIONS-INCOMPLETE": ngettext_lazy(
        "Every line of %(proposal)s has to be in exactly one section. It has %(count)s line. Lines that are "
        "in a section: %(held)s. Lines in all sections together: %(given)s.",
        "Every line of %(proposal)s has to be in exactly one section. It has %(count)s lines. Lines that are "
        "in a section: %(held)s. Lines in all sections together: %(given)s.",
        "count",
    ),
    "NO-SECTIONS": _("%(proposal)s has no sections yet, so there is no layout to save."),
    # Posting.
    "ALREADY-POSTED": _("%(proposal)s is already posted as %(invoice)s."),
    "POSTED-BEFORE": ngettext_lazy(
        "%(count)s invoice was already posted by %(people)s on %(day)s at %(time)s.",
        "%(count)s invoices were already posted by %(people)s, the last one on %(day)s at %(time)s.",
        "count",
    ),
    "SELECTION-POSTED": _("The proposals that you selected are already posted."),
    "NONE-POSTABLE": _("None of these proposals can be posted."),
    "POSTING-FAILED": _(
        "Internal error: %(proposal)s was not posted. The details are in the log. Try again."
    ),
    # Checks before posting: dates and numbers.
    "FUTURE-DATE": _(
        "The invoice date %(day)s is in the future: at %(entity)s, today is %(today)s. Choose today or an "
        "earlier day."
    ),
    "DUE-DATE": _(
        "The due date %(due)s is before the invoice date %(invoiced)s. Choose a later due date, or leave "
        "it empty to use the payment terms."
    ),
    "OLD-WORK": _("It bills work of %(day)s, more than a month before the invoice date %(invoiced)s."),
    "DATE-IN-ADVANCE": _("It bills %(what)s of %(day)s in advance: the invoice date is %(invoiced)s."),
    "DATE-BEFORE-WORK": _(
        "It bills %(what)s of %(day)s, after the invoice date %(invoiced)s. Choose an invoice date from "
        "%(day)s to today."
    ),
    "DATE-BEFORE-WORK-OF-TODAY": _(
        "It bills %(what)s of %(day)s, after the invoice date %(invoiced)s. Choose today as the invoice date."
    ),
    "DATE-BEFORE-FUTURE-WORK": _(
        "It bills %(what)s of %(day)s, which is in the future and after the invoice date %(invoiced)s. "
        "Return the proposal to the project manager to remove this work, or post it on that day."
    ),
    "CORRECTS-POSTED": _("It corrects %(proforma)s, which has no invoice yet. Post that one first."),
    "CREDIT-DATE": _(
        "It corrects %(invoice)s, which is dated %(earliest)s, so it can't be dated %(day)s. Choose "
        "%(earliest)s or a later day."
    ),
    "CREDIT-ACCOUNTING-DATE": _(
        "It corrects %(invoice)s, which has the accounting date %(earliest)s, so its accounting date can't "
        "be %(day)s. Choose %(earliest)s or a later day."
    ),
    # Checks before posting: tax.
    "BILLING-GROUP-MISSING": _(
        "There is no billing tax group, so the tax of %(entity)s can't be calculated. %(ways)s"
    ),
    "ITEM-GROUP-MISSING": _(
        "There is no item tax group, so the tax of %(entity)s can't be calculated. %(ways)s"
    ),
    "CHOOSE-ON-LINE": _("Choose one on the line."),
    "CHOOSE-AT-DETAIL": _("Choose one with “Edit” at the detail."),
    "MANAGER-CHOOSES": _("The project manager can choose one at the detail."),
    "ACCOUNTANT-CHOOSES": _("An accountant can choose one on the line of the invoice proposal."),
    "OR-SET-UP": _("Or set it up for %(where)s."),
    "TAX-CODE-MISSING": _(
        "Billing tax group %(billing)s and item tax group %(item)s of %(entity)s have no tax code in "
        "common. An administrator can add the right tax code to both."
    ),
    "TAX-RATE-MISSING": _(
        "Tax code %(tax_code)s of %(entity)s has no rate on %(day)s. An administrator can enter one that "
        "is valid from that day or earlier."
    ),
    "TAX-MISSING": _("Line %(line)s: %(why)s"),
    "TAX-MISSING-REFILL": _(
        "Line %(line)s: %(why)s After the set-up is changed, use “Fill lines again” on the page of the "
        "proposal."
    ),
    "TAX-ACCOUNT-MISSING": _("Tax code %(tax_code)s has no account. An administrator can enter one."),
    "TAX-DIFFERS": ngettext_lazy(
        "%(count)s line has other tax groups than the proforma had: line %(line)s. The tax may differ from "
        "what the project manager saw.",
        "%(count)s lines have other tax groups than the proforma had. The first one is line %(line)s. The "
        "tax may differ from what the project manager saw.",
        "count",
    ),
    "TAX-SCOPE-OUTSIDE": ngettext_lazy(
        "%(count)s line (line %(line)s) is outside the scope of tax and the others are not. One invoice "
        "can't have both. Return %(proposal)s to the project manager to remove these details from the "
        "draft and bill them separately.",
        "%(count)s lines (the first one is line %(line)s) are outside the scope of tax and the others are "
        "not. One invoice can't have both. Return %(proposal)s to the project manager to remove these "
        "details from the draft and bill them separately.",
        "count",
    ),
    "TAX-SCOPE-INSIDE": ngettext_lazy(
        "%(count)s line (line %(line)s) is inside the scope of tax and the others are not. One invoice "
        "can't have both. Return %(proposal)s to the project manager to remove these details from the "
        "draft and bill them separately.",
        "%(count)s lines (the first one is line %(line)s) are inside the scope of tax and the others are "
        "not. One invoice can't have both. Return %(proposal)s to the project manager to remove these "
        "details from the draft and bill them separately.",
        "count",
    ),
    "DISBURSEMENT-TAX": _(
        "Line %(line)s: %(category)s is paid in the customer's name and is not taxed, but its tax code "
        "would be %(tax_code)s. Give it an item tax group without tax."
    ),
    # Checks before posting: amounts and lines.
    "DISBURSEMENT-POSTED": _(
        "The disbursement of %(day)s (%(amount)s) is not posted yet. Post its integration journal first."
    ),
    "NO-LINES": _(
        "%(proposal)s has no line, and an invoice needs one: no detail is chargeable or complimentary. "
        "Return it to the project manager to make a detail complimentary, so that it is printed at no "
        "charge."
    ),
    "NO-LINES-ACCRUED": _(
        "%(proposal)s has no line: no detail is chargeable or complimentary. Posting it reverses the "
        "revenue that was accrued for this work. The document is empty. It can't be an e-invoice and need "
        "not be sent."
    ),
    "ZERO-TOTAL": _("The total is zero, so the customer has nothing to pay."),
    "TAX-SUM": _(
        "The tax of the lines is %(lines)s, the tax by tax code is %(codes)s, and the tax of the invoice "
        "is %(invoice)s. They must be the same."
    ),
    "NET-SUM": _(
        "The lines add up to %(lines)s, but the invoice has net %(net)s, tax %(tax)s and total %(total)s. "
        "They must agree."
    ),
    "INVOICE-TOO-LARGE": _(
        "%(what)s: %(why)s Return %(proposal)s to the project manager to reduce its details, or to bill "
        "some of them on another proforma."
    ),
    # The amount that is too large: the start of that sentence.
    "AMOUNT-OF": _("the %(name)s"),
    "AMOUNT-IN-BOOKS": _("the %(name)s in accounting currency"),
    "TAX-AMOUNT-OF": _("the %(name)s of tax code %(tax_code)s"),
    "TAX-AMOUNT-IN-BOOKS": _("the %(name)s of tax code %(tax_code)s in accounting currency"),
    "ENTRY-ON": _("the entry on account %(account)s"),
    "ENTRY-IN-BOOKS": _("the entry on account %(account)s in accounting currency"),
    "SUBLEDGER-ROW": _("a project transaction"),
    "SUBLEDGER-ROW-IN-BOOKS": _("a project transaction in accounting currency"),
    # Checks before posting: orders, parties, payment.
    "RETAINER-REQUEST": _(
        "%(retainer)s is a payment request. It is posted when it is paid, and not as an invoice."
    ),
    "PO-REQUIRED": _(
        "%(entity)s requires an order number, and %(proforma)s has none. Return it to the project manager "
        "to enter one."
    ),
    "ORDER-SHORT": _(
        "%(why)s An administrator can raise the order. Or return %(proposal)s to the project manager to "
        "bill it under another order."
    ),
    "NO-ORDER-FITS": _(
        "%(why)s An administrator can raise the order. Or return %(proposal)s to the project manager to "
        "bill less and enter the order number."
    ),
    "ORDER-OUTSIDE": _(
        "%(why)s An administrator can change the days of the order. Or return %(proposal)s to the project "
        "manager to bill it under another order."
    ),
    "PARTY-CHANGED": _(
        "%(name)s has changed since %(proforma)s was created. %(changes)s The invoice shows the data that "
        "was confirmed. To use the new data, return %(proposal)s to the project manager, who can copy it "
        "to the draft."
    ),
    "PARTY-NUMBERS": _(
        "The bill-to name is %(name)s, but the %(field)s %(number)s is that of %(original)s. If it is "
        "wrong, return %(proposal)s to the project manager to change it."
    ),
    "BANK-MISSING": _(
        "This invoice goes abroad (%(country)s), and %(seller)s has no %(missing)s. An administrator can "
        "enter this on the page of the legal entity."
    ),
    "BANK-MISSING-CURRENCY": _(
        "This invoice is in %(currency)s, and %(seller)s has no %(missing)s. An administrator can enter "
        "this on the page of the legal entity."
    ),
    "KID-CUSTOMER-NO-DIGIT": _(
        "The KID contains the customer number, but %(number)s has no digit. An administrator can give the "
        "customer a number with digits, or choose another payment reference."
    ),
    "KID-INVOICE-NO-DIGIT": _(
        "The KID contains the invoice number, but %(number)s has no digit. An administrator can set a "
        "number format with digits, or choose another payment reference."
    ),
    "KID-TOO-SHORT": _(
        "The KID has %(length)s digits including the check digit, but %(numbers)s need %(needed)s. An "
        "administrator can set another length on the page of %(page)s."
    ),
    "KID-CONTENT-TOO-LONG": _(
        "The KID has %(length)s digits including the check digit, but %(numbers)s need %(needed)s. An "
        "administrator can choose another content of the KID on the page of %(page)s."
    ),
    "RF-TOO-LONG": _(
        "An RF reference has at most %(most)s letters and digits, but %(number)s has %(length)s. An "
        "administrator can set a shorter number format or another payment reference."
    ),
    # Characters that the fonts of the document don't have.
    "GLYPH-MISSING": _(
        "The field “%(field)s” can't be printed: the fonts of the document don't have %(characters)s. "
        "%(advice)s"
    ),
    "GLYPH-MISSING-ON-LINE": _(
        "The field “%(field)s” of line %(line)s can't be printed: the fonts of the document don't have "
        "%(characters)s. %(advice)s"
    ),
    "GLYPH-MISSING-ON-TAX": _(
        "The field “%(field)s” of tax code %(tax_code)s can't be printed: the fonts of the document don't "
        "have %(characters)s. %(advice)s"
    ),
    "REWRITE-ON-PAGE": _("An administrator can write it in other letters on the page of the %(page)s."),
    "REWRITE-IN-SETUP": _("An administrator can write it in other letters in the %(where)s."),
    "REWRITE-IN-HEADER": _("Write it in other letters in the header."),
    "REWRITE-IN-SECTIONS": _("Write it in other letters in the sections."),
    "REWRITE-ON-DRAFT": _(
        "Return the proposal, so that the project manager can write it in other letters on the draft."
    ),
    # Tax estimates of proformas.
    "NO-ESTIMATE": _("There is no tax estimate. %(why)s"),
    "NO-ESTIMATE-OF-CORRECTION": _(
        "There is no tax estimate: the tax of a correction follows from the invoice that it corrects."
    ),
    # Documents.
    "DOCUMENT-FAILED": _("The PDF could not be created because of an internal error."),
    "PDF-LIBRARIES": _(
        "PDFs can't be created here: the system libraries Pango and HarfBuzz are not installed."
    ),
    "TOO-MANY-INVOICES": _(
        "%(count)s invoices are selected, and one archive holds at most %(most)s. Filter the list, for "
        "example by month, and download the invoices in parts."
    ),
    "PDFS-MISSING": ngettext_lazy(
        "%(count)s of these %(total)s PDFs is not created yet. Each download creates more. Try again in a "
        "moment, or select fewer invoices.",
        "%(count)s of these %(total)s PDFs are not created yet. Each download creates more. Try again in a "
        "moment, or select fewer invoices.",
        "count",
    ),
    # Fiscal years.
    "YEAR-EXISTS": _(
        "%(entity)s already has a fiscal year after %(year)s, or another one with the same number. An "
        "administrator can see all fiscal years in the administration, under Books."
    ),
    "LAST-YEAR-ENDS": _(
        "The last fiscal year of %(entity)s, %(year)s, ends on %(day)s. Nothing can be posted after that "
        "day until the next fiscal year is added."
    ),
    "LAST-YEAR-ENDED": _(
        "The last fiscal year of %(entity)s, %(year)s, ended on %(day)s. Nothing can be posted after that "
        "day until the next fiscal year is added."
    ),
    # Open items of a period.
    "ENTRIES-OPEN": ngettext_lazy(
        "%(count)s entry is not approved.", "%(count)s entries are not approved.", "count"
    ),
    "ACTUALS-OPEN": ngettext_lazy(
        "%(count)s actual is not in an integration journal.",
        "%(count)s actuals are not in an integration journal.",
        "count",
    ),
    "JOURNAL-LINES-OPEN": ngettext_lazy(
        "%(count)s journal line is not posted.", "%(count)s journal lines are not posted.", "count"
    ),
    "PROFORMAS-OPEN": ngettext_lazy(
        "%(count)s proforma is not confirmed.", "%(count)s proformas are not confirmed.", "count"
    ),
    "PROPOSALS-OPEN": ngettext_lazy(
        "%(count)s invoice proposal is not posted.", "%(count)s invoice proposals are not posted.", "count"
    ),
}
