"""Progress billing: part of a customer's share of a milestone is made ready, the rest waits (MIL-2)."""

from decimal import Decimal
from typing import NamedTuple

from backlog import obstacles
from backlog.models import BacklogItem
from backlog.operations.items import cancel
from backlog.operations.milestone_status import update_milestones
from contracts.models import MilestonePart, ProjectContract
from invoicing_site.floor import audit, checked, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import write_rows
from invoicing_site.floor.reasons import Amount

Status = BacklogItem.Status


class Slices(NamedTuple):
    """The result of splitting a milestone part: the slice to invoice next, and the rest (None if none)."""

    ready: BacklogItem
    rest: BacklogItem | None


@transaction.atomic
def split_off(item: BacklogItem, *, amount: Decimal, by) -> Slices:
    """Make a slice of a waiting milestone part ready to invoice; the rest stays not ready (MIL-2).

    The part's item is canceled, and two new parts that refer to it replace it, so never more than the whole
    is billed. For the whole amount, the item itself is marked ready. Refused if the part can't be marked
    ready.
    """
    contract = ProjectContract.objects.locked().select_related("entity").get(pk=item.contract_id)
    item = BacklogItem.objects.select_related("milestone_part__milestone").get(pk=item.pk)
    part = item.milestone_part
    if part is None:
        raise Refused("NOT-A-MILESTONE")
    moves.refuse_unless(item, "split_off", name=f"“{part.milestone}”")
    mine = BacklogItem.objects.filter(pk=item.pk)
    read = obstacles.loaded(mine).get()
    if stopped := obstacles.first_of(read, obstacles.Step.MARK, on=contract.entity.today()):
        raise Refused("MILESTONE-STOPPED", milestone=part.milestone, why=stopped.reason(read))
    _check_amount(item, amount)
    if amount == item.amount:
        mine.update(status=Status.READY)
        item.status = Status.READY
        slices = Slices(item, None)
    else:
        slices = _cut(item, part, amount)
    update_milestones([slices.ready.pk])
    audit.record(
        "backlog.split_off",
        slices.ready,
        by=by,
        entity=contract.entity.code,
        of=item.pk,
        amount=str(amount),
        rest=str(item.amount - amount),
    )
    return slices


def _check_amount(item, amount):
    checked.figure(amount, BacklogItem, "amount")
    left = Amount(item.amount, item.currency)
    if reason := checked.too_fine(amount, item.currency):
        raise Refused.because(reason)
    if not amount or (amount > 0) != (item.amount > 0):
        raise Refused("SLICE-AMOUNT", left=left)
    if abs(amount) > abs(item.amount):
        raise Refused("SLICE-TOO-LARGE", left=left, milestone=item.title)


def _cut(item, part, amount):
    cancel([item])
    parts = write_rows(
        MilestonePart,
        [
            MilestonePart(
                milestone_id=part.milestone_id,
                contract_customer_id=part.contract_customer_id,
                amount=each,
                split_from=part,
            )
            for each in (amount, item.amount - amount)
        ],
    )
    items = [
        BacklogItem(
            milestone_part=each,
            contract_id=item.contract_id,
            contract_line_id=item.contract_line_id,
            contract_customer_id=item.contract_customer_id,
            date=item.date,
            amount=each.amount,
            currency=item.currency,
            status=status,
            limit_status=item.limit_status,
            description=item.description,
            internal_description=item.internal_description,
        )
        for each, status in zip(parts, (Status.READY, Status.NOT_READY), strict=True)
    ]
    return Slices(*write_rows(BacklogItem, items))
