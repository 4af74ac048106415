"""The origin of a recreated proforma, and the proformas that continue a returned one."""

from datetime import date
from typing import NamedTuple

from django.db.models import Q

from backlog.models import BacklogItem
from invoicing_site.models import User
from proforma.models import DetailActual, LineDetail, ProformaInvoice, was_returned

Part = DetailActual.Part


class Returned(NamedTuple):
    """A returned proforma, with the day and the user."""

    proforma: ProformaInvoice
    on: date
    by: User | None


def recreated_from(draft) -> Returned | None:
    """The returned proforma from which this draft was created; None for other drafts (PRP-6)."""
    if draft.returned_from_id is None:
        return None
    undone = DetailActual.objects.filter(
        detail__line__proforma=draft.returned_from_id, part=Part.CREDIT
    ).select_related("actual__batch__by")
    batch = undone[0].actual.batch
    return Returned(draft.returned_from, batch.on, batch.by)


def continued_by(proforma):
    """The proformas that have the work of a returned one now: its draft, and later ones (PRP-6).

    Details added by hand have no claim, so they are looked for on the draft that the return created.
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
    """The draft that its return created, and the drafts that later returns of these created."""
    found, newest = [], [proforma.pk]
    while newest:
        made = ProformaInvoice.objects.filter(returned_from__in=newest)
        newest = list(made.values_list("pk", flat=True))
        found += newest
    return found
