"""The sentences of what the floor and the roof refuse, by code."""

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    "SEVERAL-REASONS": "%(reasons)s",
    "AMOUNT-TOO-LARGE": _("%(amount)s is too large an amount: at most %(most)s is possible."),
    "CONVERTED-TOO-LARGE": _(
        "%(amount)s at a rate of %(rate)s is %(converted)s, which is too large an amount: at most %(most)s "
        "is possible."
    ),
    "QUANTITY-TOO-LARGE": _(
        "A quantity of %(quantity)s is too large: at most %(most)s is possible. Use a larger unit, "
        "or split it."
    ),
}
