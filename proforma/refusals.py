"""The sentences of what proformas and their runs refuse, by code."""

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    "PROFORMA-CONFIRMED": _(
        "%(row)s is confirmed and can't be %(done)s any more. An accountant can return it, as long as it is "
        "neither posted nor returned."
    ),
    "PROFORMA-EMPTY": _("%(proforma)s is empty. Add details, or delete it."),
}
