"""The way back from a confirmed proforma that was never invoiced (PRP-6)."""

from datetime import date
from typing import NamedTuple

from django.db.models import Q

from actuals.models import Actual, Batch
from actuals.operations import negated, open_batch, record
from backlog.models import BacklogItem
from backlog.operations import claim_again
from contracts.models import NumberSequence
from contracts.numbers import draw_numbers
from invoicing_site.floor import audit, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import in_chunks, write_rows
from invoicing_site.models import User
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaLine, was_returned
from proforma.operations.proformas import lock

Status = ProformaInvoice.Status
Part = DetailActual.Part
_CREDITS = {Part.BILLED: Part.CREDIT, Part.REST_BILLED: Part.REST_CREDIT}
_CHUNK = 5000
_ITS_OWN = {
    "id",
    "number",
    "run",
    "run_date",
    "returned_from",
    "status",
    "created_at",
    "created_by",
    "confirm_job",
    "confirm_message",
    "confirm_remedy",
    "confirm_asked_at",
    "confirm_asked_by",
    "confirm_on",
    "confirmed_at",
    "confirmed_by",
    "batch",
}


@transaction.atomic
def take_back(proforma, *, by, on=None) -> ProformaInvoice:
    """Undo a confirming by counter-actuals and return a new draft that says the same (PRP-6).

    The billed sales are reversed, and the unbilled sales stand again; nothing of it is booked, because what
    confirming made never was. What the proforma claimed is claimed by the draft, so that the journal's
    bookings stay with it, and is tested against its limits again. Whether the proforma may be taken back is
    for the caller to say, who knows of proposals. Refused unless it is confirmed, when it was taken back
    before, and for a correction.
    """
    proforma = lock(proforma)
    name = f"Proforma {proforma.number}"
    if proforma.status != Status.CONFIRMED:
        raise Refused(f"{name} is not confirmed: change it as it is.", code="WRONG-STATUS")
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        raise Refused(f"{name} is a correction and can't be returned.", code="CORRECTION")
    details = list(LineDetail.objects.on_proforma(proforma).order_by("pk"))
    made = DetailActual.objects.filter(detail__line__proforma=proforma)
    made = list(made.select_related("actual", "detail__backlog_item").order_by("pk"))
    if any(each.part == Part.CREDIT for each in made):
        raise Refused(f"{name} was returned before.", code="RETURNED")

    batch = open_batch(proforma.entity, Batch.Action.ADJUST, on=on or proforma.entity.today(), by=by)
    counters = _counter_actuals(made, batch)
    record([actual for _, _, actual in counters], batch=batch)
    write_rows(
        DetailActual,
        [DetailActual(detail_id=detail, actual=actual, part=part) for detail, part, actual in counters],
    )
    # What was added by hand got its item from confirming, and is added by hand again.
    claimed = (each for each in details if each.backlog_item_id and not each.added_by_id)
    claims = {each.pk: each.backlog_item_id for each in claimed}
    for chunk in in_chunks(list(claims), _CHUNK):
        LineDetail.objects.filter(pk__in=chunk).update(backlog_item=None)
    items = list(BacklogItem.objects.filter(pk__in=claims.values()))
    claim_again(items, contract=proforma.contract)
    draft = _draft_like(proforma, details, claims, by=by, on=batch.on)
    audit.record(
        "proforma.take_back",
        proforma,
        by=by,
        entity=proforma.entity.code,
        on=str(batch.on),
        actuals=len(counters),
        draft=draft.number,
    )
    return draft


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


def _counter_actuals(made, batch) -> list[tuple[int, str, Actual]]:
    """By detail and part, unsaved: each billed sale taken back, each original standing again."""
    nothing = Actual.BookedBy.NOTHING
    found = []
    for each in made:
        if each.part in _CREDITS:
            found.append((each.detail_id, _CREDITS[each.part], negated(each.actual, batch, nothing)))
        elif each.part == Part.REVERSAL:
            again = negated(each.actual, batch, nothing)
            # A reversal is final: what undoes it is a new fact that stands in for the original. All that
            # are returned again and again name the first one, whose bookings are theirs.
            again.reverses = None
            again.replaces_id = each.detail.backlog_item.actual_id
            found.append((each.detail_id, Part.AGAIN, again))
    return found


def _draft_like(proforma, details, claims, *, by, on) -> ProformaInvoice:
    columns = {
        field.attname: getattr(proforma, field.attname)
        for field in ProformaInvoice._meta.concrete_fields
        if field.name not in _ITS_OWN
    }
    (number,) = draw_numbers(proforma.entity, NumberSequence.Kind.PROFORMA, on=on, count=1)
    draft = ProformaInvoice(**columns | {"accounting_date": on, "created_by": by, "number": number.text})
    draft.returned_from = proforma
    draft.save(force_insert=True)
    lines = {
        line.pk: ProformaLine(
            proforma=draft,
            contract_line_id=line.contract_line_id,
            number=line.number,
            description=line.description,
        )
        for line in proforma.lines.all()
    }
    write_rows(ProformaLine, lines.values())
    copied = [
        field.attname
        for field in LineDetail._meta.concrete_fields
        if field.name not in {"id", "line", "backlog_item", "corrects"}
    ]
    write_rows(
        LineDetail,
        [
            LineDetail(
                line=lines[detail.line_id],
                backlog_item_id=claims.get(detail.pk),
                **{name: getattr(detail, name) for name in copied},
            )
            for detail in details
        ],
    )
    return draft
