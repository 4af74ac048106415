"""Which category time has where nobody names one: the same on the week and in a file."""

from collections.abc import Iterable

from actuals.models import Entry
from contracts.models import Category


def of_time(entity):
    """The company's categories of time, in the order in which they are offered."""
    return Category.objects.filter(entity=entity, transaction_class=Entry.Class.TIME)


def usual(categories: Iterable[Category]) -> Category | None:
    """The one that stands chosen before anybody chooses: the first."""
    return next(iter(categories), None)
