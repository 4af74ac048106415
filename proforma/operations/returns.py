"""Returning a confirmed proforma that was not posted (PRP-6)."""

from actuals.models import Actual, Batch
from actuals.operations import negated, open_batch, record
from backlog.models import BacklogItem
from backlog.operations import claim_again
from contracts.models import NumberSequence
from contracts.operations.numbers import draw_numbers
from invoicing_site.floor import audit, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import in_chunks, write_rows
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaLine
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
    "confirm_error",
    "confirmed_at",
    "confirmed_by",
    "batch",
}


@transaction.atomic
def return_proforma(proforma, *, by, on=None) -> ProformaInvoice:
    """Reverse the actuals of a confirmed proforma and create a new draft with the same content (PRP-6).

    The billed sales are reversed, and the unbilled sales are open again; nothing of it is booked, because the
    proforma was not posted. The draft claims the same items, so that what the journal booked stays linked,
    and they are tested against their limits again. The caller checks that the proposal allows it. Refused
    unless the proforma is confirmed, if it is already returned, and for a correction.
    """
    proforma = lock(proforma)
    moves.refuse_unless(proforma, "return_proforma")
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        raise Refused("CORRECTION-NOT-RETURNED", number=proforma.number)
    details = list(LineDetail.objects.on_proforma(proforma).order_by("pk"))
    links = DetailActual.objects.filter(detail__line__proforma=proforma)
    made = list(links.select_related("actual", "detail__backlog_item").order_by("pk"))
    if any(each.part == Part.CREDIT for each in made):
        raise Refused("ALREADY-RETURNED", number=proforma.number)

    batch = open_batch(proforma.entity, Batch.Action.ADJUST, on=on or proforma.entity.today(), by=by)
    counters = _counter_actuals(made, batch)
    record([actual for _, _, actual in counters], batch=batch)
    write_rows(
        DetailActual,
        [DetailActual(detail_id=detail, actual=actual, part=part) for detail, part, actual in counters],
    )
    # Details added by hand got their items when they were confirmed; on the draft they have none.
    claimed = (each for each in details if each.backlog_item_id and not each.added_by_id)
    claims = {each.pk: each.backlog_item_id for each in claimed}
    for chunk in in_chunks(list(claims), _CHUNK):
        LineDetail.objects.filter(pk__in=chunk).update(backlog_item=None)
    items = list(BacklogItem.objects.filter(pk__in=claims.values()))
    claim_again(items, contract=proforma.contract)
    draft = _draft_like(proforma, details, claims, by=by, on=batch.on)
    audit.record(
        "proforma.return_proforma",
        proforma,
        by=by,
        entity=proforma.entity.code,
        on=str(batch.on),
        actuals=len(counters),
        draft=draft.number,
    )
    return draft


def _counter_actuals(made, batch) -> list[tuple[int, Part, Actual]]:
    """By detail and part, unsaved: reversals of the billed sales, and unbilled sales that are open again."""
    nothing = Actual.BookedBy.NOTHING
    found = []
    for each in made:
        if each.part in _CREDITS:
            found.append((each.detail_id, _CREDITS[each.part], negated(each.actual, batch, nothing)))
        elif each.part == Part.REVERSAL:
            again = negated(each.actual, batch, nothing)
            # A reversal can't be reversed: a new actual replaces the original. After several returns all of
            # these refer to the first original, which has the bookings.
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
