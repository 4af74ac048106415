"""What a proforma was made again from, and what continues one that was returned."""

from datetime import date
from typing import NamedTuple

from django.db.models import Q

from backlog.models import BacklogItem
from invoicing_site.models import User
from proforma.models import DetailActual, LineDetail, ProformaInvoice, was_returned

Part = DetailActual.Part


class TakenBack(NamedTuple):
    """That a proforma was taken back: which, on what day, by whom."""

    proforma: ProformaInvoice
    on: date
    by: User | None


def made_again_from(draft) -> TakenBack | None:
    """What a draft that was made by taking a proforma back says again; None for any other (PRP-6)."""
    if draft.returned_from_id is None:
        return None
    undone = DetailActual.objects.filter(
        detail__line__proforma=draft.returned_from_id, part=Part.CREDIT
    ).select_related("actual__batch__by")
    batch = undone[0].actual.batch
    return TakenBack(draft.returned_from, batch.on, batch.by)


def continued_by(proforma):
    """The proformas that hold now what a returned one billed: its draft, and what came of it (PRP-6).

    What was added by hand has no claim to follow: it is looked for on the draft that was made then.
    """
    made = DetailActual.objects.filter(detail__line__proforma=proforma)
    again = made.filter(part=Part.AGAIN).values("actual__replaces")
    milestones = made.filter(part=Part.BILLED, actual__milestone_part__isnull=False)
    items = BacklogItem.objects.filter(
        Q(actual__in=again) | Q(milestone_part__in=milestones.values("actual__milestone_part"))
    )
    claims = LineDetail.objects.filter(backlog_item__in=items)
    of_hand = LineDetail.objects.by_hand().filter(line__proforma__in=_drafts_made_of(proforma))
    found = ProformaInvoice.objects.filter(
        Q(pk__in=claims.values("line__proforma"))
        | (Q(pk__in=of_hand.values("line__proforma")) & ~was_returned())
    )
    return found.order_by("pk")


def _drafts_made_of(proforma) -> list[int]:
    """The draft that taking it back made, and those that taking these back made in turn."""
    found, newest = [], [proforma.pk]
    while newest:
        made = ProformaInvoice.objects.filter(returned_from__in=newest)
        newest = list(made.values_list("pk", flat=True))
        found += newest
    return found
