"""Confirmed proformas: the actuals of each detail compared with the detail (invariant 2, PRO-5)."""

from decimal import Decimal
from itertools import groupby

from actuals.models import Actual, Batch, BillingType
from contracts.models import LegalEntity, TransactionClass
from invoicing_site.floor.querysets import lacks
from invoicing_site.verify.finding import CHUNK, Finding, amount, where
from proforma.models import DetailActual, LineDetail, ProformaInvoice

_ZERO = Decimal(0)
_Part = DetailActual.Part

# The fields that every actual of a confirmation copies from its detail …
_COPIED = (
    "transaction_class",
    "date",
    "project",
    "task",
    "resource",
    "role",
    "category",
    "product",
    "unit",
    "description",
)
# … and from the detail's proforma.
_PLACE = {
    "contract": "line__proforma__contract",
    "contract_line": "line__contract_line",
    "contract_customer": "line__proforma__contract_customer",
    "currency": "line__proforma__currency",
}
_SAID = (*_COPIED, *_PLACE)
_FROM = (*_COPIED, *_PLACE.values())


def confirmed(entity: LegalEntity):
    """CONFIRMED: for each confirmed detail, unbilled sales are 0 and billed sales equal it (invariant 2)."""
    details = LineDetail.objects.filter(
        line__proforma__entity=entity, line__proforma__status=ProformaInvoice.Status.CONFIRMED
    )
    without = details.filter(lacks(LineDetail, "detail_actuals"))
    for key, number in without.values_list("pk", "line__proforma__number"):
        yield _of_detail(entity, key, number, "has no actuals")
    rows = (
        DetailActual.objects.filter(detail__in=details)
        .order_by("detail", "pk")
        .values_list(
            "detail",
            "part",
            "actual",
            "actual__type",
            "actual__quantity",
            "actual__amount",
            "actual__billing_type",
            "actual__reverses",
            "actual__reverses__replaces",
            "actual__reverses__detail_actual__part",
            "actual__milestone_part",
            "detail__quantity",
            "detail__amount",
            "detail__billing_type",
            "detail__line__proforma__number",
            "detail__backlog_item__actual",
            "detail__backlog_item__actual__amount",
            "detail__backlog_item__milestone_part",
            "detail__backlog_item__actual__quantity",
            "detail__backlog_item__actual__price",
            "detail__backlog_item",
            "detail__corrects",
            "detail__price",
            "actual__price",
            *(f"actual__{name}" for name in _SAID),
            *(f"detail__{name}" for name in _FROM),
            named=True,
        )
    )
    for key, parts in groupby(rows.iterator(chunk_size=CHUNK), key=lambda row: row.detail):
        parts = list(parts)
        for problem in _problems_of_detail(parts):
            yield _of_detail(entity, key, parts[0].detail__line__proforma__number, problem)
    billed = Actual.objects.filter(
        lacks(Actual, "detail_actual"), entity=entity, type=Actual.Type.BILLED_SALES
    )
    for key in billed.exclude(batch__action=Batch.Action.CUTOVER).values_list("pk", flat=True):
        yield Finding(
            "CONFIRMED",
            entity.code,
            str(key),
            where(Actual, key),
            f"Actual {key} is billed sales, but no detail of a proforma created it.",
        )


# These are billed later or written off, so they are not part of the detail.
_STAYS = {_Part.AGAIN, _Part.GIVEN_UP, _Part.BALANCE}


def _problems_of_detail(parts):
    detail = parts[0]
    if detail.detail__corrects is None and any(row.part == _Part.CREDIT for row in parts):
        yield from _of_returned(parts)
        return
    made = {row.actual for row in parts}
    claimed = detail.detail__backlog_item__actual
    unbilled = sum(
        (
            row.actual__amount
            for row in parts
            if row.actual__type == Actual.Type.UNBILLED_SALES and row.part not in _STAYS
        ),
        _ZERO,
    )
    if claimed is not None and claimed not in made:
        unbilled += detail.detail__backlog_item__actual__amount
    if unbilled:
        yield f"leaves {amount(unbilled)} unbilled"
    for row in parts:
        if row.part == _Part.BILLED:
            says = (row.actual__amount, row.actual__billing_type)
            if says != (row.detail__amount, row.detail__billing_type):
                yield (
                    f"is {amount(row.detail__amount)} {row.detail__billing_type}, but billed as "
                    f"{amount(row.actual__amount)} {row.actual__billing_type}"
                )
            if row.actual__milestone_part != row.detail__backlog_item__milestone_part:
                yield "claims another milestone part than the one it billed"
        if row.part == _Part.REVERSAL and claimed not in (row.actual__reverses, _replaced_original(row)):
            yield f"claims actual {claimed}, but reverses actual {row.actual__reverses}"
    if detail.detail__corrects is None and detail.detail__transaction_class != TransactionClass.RETAINER:
        yield from _unlike(parts, claimed if claimed not in made else None)


def _replaced_original(row):
    """The original of the reversed actual, if that was returned and is valid again (PRP-6)."""
    returned = row.actual__reverses__detail_actual__part == _Part.AGAIN
    return row.actual__reverses__replaces if returned else row.actual__reverses


def _of_returned(parts):
    """A returned proforma has no billed or unbilled sales, and claims no work (PRP-6)."""
    totals = {Actual.Type.UNBILLED_SALES: _ZERO, Actual.Type.BILLED_SALES: _ZERO}
    for row in parts:
        totals[row.actual__type] += row.actual__amount
    for kind, total in totals.items():
        if total:
            yield f"was returned, but still has {amount(total)} of {kind.label}"
    if any(row.part == _Part.REVERSAL for row in parts) and parts[0].detail__backlog_item:
        yield "was returned, but still claims its work"


def _unlike(parts, original):
    """The differences between the actuals and their detail, and wrong remainders of lowered details."""
    detail, found = parts[0], {row.part for row in parts}
    if detail.detail__backlog_item is None:
        yield "claims nothing"
    if _Part.BILLED not in found:
        yield "has no billed sales"
    stands = (
        detail.detail__quantity,
        detail.detail__price,
        detail.detail__amount,
        detail.detail__billing_type,
    )
    rest = None
    if original is not None and (left := detail.detail__backlog_item__actual__amount - stands[2]) > 0:
        quantity = max(detail.detail__backlog_item__actual__quantity - stands[0], _ZERO)
        price = detail.detail__backlog_item__actual__price
        rest = (quantity, price, left, BillingType.NON_CHARGEABLE)
    if (rest is not None) != (_Part.REST_BILLED in found):
        yield (
            "has a remainder that was not billed" if rest else "has billed a remainder that it does not have"
        )
    should = {_Part.UNBILLED: stands, _Part.BILLED: stands, _Part.REST: rest, _Part.REST_BILLED: rest}
    for row in parts:
        if row.part not in should:
            continue
        said = (row.actual__quantity, row.actual__price, row.actual__amount, row.actual__billing_type)
        names = zip(
            ("quantity", "price", "amount", "billing type"), said, should[row.part] or said, strict=True
        )
        unlike = [name for name, own, theirs in names if own != theirs]
        unlike += [
            name.replace("_", " ")
            for name, source in zip(_SAID, _FROM, strict=True)
            if getattr(row, f"actual__{name}") != getattr(row, f"detail__{source}")
        ]
        if unlike:
            label = _Part(row.part).label
            yield f"and actual {row.actual}, its {label}, differ: {', '.join(unlike)}"


def _of_detail(entity, key, number, problem):
    return Finding(
        "CONFIRMED",
        entity.code,
        number,
        where(LineDetail, key),
        f"Detail {key} of proforma {number} {problem}.",
    )
