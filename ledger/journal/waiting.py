"""The actuals that wait for an integration journal (JRN-1, JRN-6)."""

from django.db.models import Exists, OuterRef, Q

from actuals.models import Actual
from contracts.models import LegalEntity
from invoicing_site.floor import bounds

_JOURNAL, _NOTHING = Actual.BookedBy.JOURNAL, Actual.BookedBy.NOTHING
_BEYOND = Q(amount__gt=bounds.MOST_AMOUNT) | Q(amount__lt=-bounds.MOST_AMOUNT)


def waiting_actuals(entity: LegalEntity | int):
    """The actuals that the journal books and that are in no journal yet.

    Without pairs of an actual that is too large for the books and its reversal, if neither is in a journal:
    the first can't be posted, and the two add up to zero.
    """
    waiting = Actual.objects.filter(entity=entity, booked_by=_JOURNAL, journal_line=None)
    return waiting.exclude(transaction_class="retainer").exclude(_BEYOND & _IS_OF_A_PAIR)


def _in_no_journal(**which):
    # One index lookup each, and only for amounts that large.
    return Exists(Actual.objects.filter(booked_by=_JOURNAL, journal_line=None, **which))


# A reversed actual and its reversal; or the one that replaces it after a return (PRP-6).
_IS_OF_A_PAIR = Q(
    _in_no_journal(reverses=OuterRef("pk"))
    | _in_no_journal(pk=OuterRef("reverses"))
    | _in_no_journal(reverses__replaces=OuterRef("pk"), reverses__booked_by=_NOTHING)
    | _in_no_journal(replaced_by=OuterRef("reverses"), replaced_by__booked_by=_NOTHING)
)
