"""The way back from a confirmed proforma that was never invoiced (PRP-6)."""

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
    "confirm_message",
    "confirm_remedy",
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
    moves.refuse_unless(proforma, "take_back")
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        raise Refused(f"{name} is a correction and can't be returned.", code="CORRECTION")
    details = list(LineDetail.objects.on_proforma(proforma).order_by("pk"))
    links = DetailActual.objects.filter(detail__line__proforma=proforma)
    made = list(links.select_related("actual", "detail__backlog_item").order_by("pk"))
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


def _counter_actuals(made, batch) -> list[tuple[int, Part, Actual]]:
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
