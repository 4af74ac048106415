"""How an entry, an actual or a proforma detail is named.

Without a description: by project, task or category, day and quantity.
"""

from actuals.models import BillingType
from contracts.models import TransactionClass
from invoicing_site.floor import formatting


def title_of(work):
    """A short name for tables that have other columns: the description, or "Design, 7.5 h"."""
    return work.description or f"{_what(work)}, {_quantity(work)}"


def named(entry):
    """The start of a sentence about an entry: "Anna Berg's 7.5 h of 3 Mar 2025", "The fee of 3 Mar 2025"."""
    kind, day = entry.get_transaction_class_display(), formatting.day(entry.date)
    what = _quantity(entry) if entry.transaction_class == TransactionClass.TIME else kind
    return f"{entry.resource.name}'s {what} of {day}" if entry.resource else f"The {kind} of {day}"


def identity_of(work):
    """Project, task, day and hours; product or category, and quantity, if it is not time."""
    parts = [work.project and work.project.code, _what(work), formatting.day(work.date), _quantity(work)]
    return " · ".join(filter(None, parts))


def in_words(work, *more, description=""):
    """The full name: the description, `identity_of`, the billing type and other given texts."""
    kind = "" if work.billing_type == BillingType.CHARGEABLE else work.get_billing_type_display()
    named = (description or work.description, identity_of(work), kind, *more)
    return ", ".join(str(each) for each in named if each)


def _what(work):
    is_time = work.transaction_class == TransactionClass.TIME
    thing = work.task or work.category if is_time else work.product or work.category
    return thing.name if thing else work.get_transaction_class_display().capitalize()


def _quantity(work):
    return f"{formatting.quantity(work.quantity)} {work.unit}".rstrip()
