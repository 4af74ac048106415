"""The sentences of the refusals of `invoicing_site`, by code."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

REFUSALS = {
    "JOB-NOT-FAILED": _("Only a job that failed because of an internal error can be tried again."),
    "SEVERAL-REASONS": "%(reasons)s",
    # Conflicts between two people.
    "BUSY": _("Somebody else was changing the same rows. Nothing was saved. Try again."),
    "CHANGED": _("Somebody changed this while you were typing. Check the current values, then save again."),
    # What a document's status does not allow; see floor/moves.py.
    "NOT-ALLOWED-NOW": _(
        "%(row)s is %(status)s and can't be %(done)s. Statuses that allow this: %(starts)s."
    ),
    # Values that can't be saved.
    "DAY-OUT-OF-RANGE": _("%(day)s is out of range. Choose a day between %(first)s and %(latest)s."),
    "NOT-A-NUMBER": _("“%(value)s” is not a number for the field “%(field)s”."),
    "TOO-MANY-DIGITS": _(
        "The field “%(field)s” can't store %(value)s. It has at most %(whole)s digits before the decimal "
        "point and %(places)s after it."
    ),
    "AMOUNT-DECIMALS": _("%(amount)s has more decimals than %(currency)s allows."),
    "NOT-A-CURRENCY": _("“%(code)s” is not a currency in use, such as EUR."),
    "TEXT-TOO-LONG": ngettext_lazy(
        "The field “%(field)s” has %(count)s character. At most %(most)s can be saved.",
        "The field “%(field)s” has %(count)s characters. At most %(most)s can be saved.",
        "count",
    ),
    "TEXT-INVISIBLE": _("The field “%(field)s” can't be saved. %(why)s"),
    "INVISIBLE-CHARACTERS": _(
        "The text contains invisible characters: %(names)s. Delete them, or type the text again."
    ),
    "AMOUNT-TOO-LARGE": _("%(amount)s is too large. The largest possible amount is %(most)s."),
    "CONVERTED-TOO-LARGE": _(
        "%(amount)s at a rate of %(rate)s is %(converted)s, which is too large. The largest possible "
        "amount is %(most)s."
    ),
    "QUANTITY-TOO-LARGE": _(
        "A quantity of %(quantity)s is too large. The largest possible quantity is %(most)s. Use a larger "
        "unit, or split it."
    ),
    # Stored files.
    "FILE-MISSING": _(
        "The file “%(name)s” is missing from the file storage. An administrator can restore it from the "
        "backup."
    ),
    "FILE-CHANGED": _(
        "The file “%(name)s” was changed in the file storage. An administrator can restore it from the "
        "backup."
    ),
    # Lists.
    "NOTHING-SELECTED": _("Nothing is selected. Select the rows, then press the button again."),
    "SELECTION-CHANGED": ngettext_lazy(
        "Nothing was changed. The list had %(shown)s row when you selected all, and now it has %(count)s. "
        "Check the list, then try again.",
        "Nothing was changed. The list had %(shown)s rows when you selected all, and now it has %(count)s. "
        "Check the list, then try again.",
        "shown",
    ),
    "SELECTION-UNKNOWN": _(
        "Nothing was changed. The list has changed since you selected all rows. Check it, then try again."
    ),
    "EXPORT-TOO-LONG": _(
        "%(rows)s rows are too many for an Excel file, which has at most %(most)s here. Choose CSV, which "
        "has no limit, or filter the list."
    ),
    # People.
    "USER-INACTIVE": _("%(user)s is inactive. Activate the user before you send a link."),
    "USER-NO-MAIL": _("%(user)s has no email address. Enter one, then send the link."),
    # What can't be explained, and the demo.
    "NOT-FOUND": _("There is no %(kind)s “%(name)s”."),
    "LINE-NOT-FOUND": _("%(invoice)s has no line %(line)s."),
    "SEVERAL-PROGRAMS": _(
        "More than one %(kind)s has the external id “%(name)s”. Use its own number, such as %(first)s or "
        "%(second)s."
    ),
    "SEVERAL-ENTITIES": _(
        "More than one legal entity has the %(kind)s “%(name)s”. Choose the legal entity too."
    ),
    "NOT-EMPTY": _(
        "This database is in use, and the demo company needs an empty one. Set LEDGERLINE_DATA to another "
        "folder, or DATABASE_URL to another database, to see the demo."
    ),
}
