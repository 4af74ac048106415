"""The default category of time, on the week page and in imported files."""

from collections.abc import Iterable

from actuals.models import Entry
from contracts.models import Category


def of_time(entity):
    """The legal entity's categories of time, in the order in which forms list them."""
    return Category.objects.filter(entity=entity, transaction_class=Entry.Class.TIME)


def default_of(categories: Iterable[Category]) -> Category | None:
    """The default category: the first one."""
    return next(iter(categories), None)
