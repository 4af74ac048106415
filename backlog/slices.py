"""The amounts of slices of a milestone (MIL-2)."""

from decimal import Decimal

from backlog.models import BacklogItem
from contracts.models import MilestonePart
from invoicing_site.floor import money


def whole_of(part: MilestonePart) -> MilestonePart:
    """The customer's share of the milestone from which a part was split off: the base of percentages."""
    return MilestonePart.objects.get(
        milestone=part.milestone_id, contract_customer=part.contract_customer_id, split_from=None
    )


def slice_of(item: BacklogItem, percent: Decimal) -> Decimal:
    """This percentage of the customer's share of the milestone, in whole minor units.

    If the result is within one minor unit of the amount that is left, it is the amount that is left.
    """
    amount = money.percentage(whole_of(item.milestone_part).amount, percent, item.currency)
    return item.amount if abs(item.amount - amount) <= money.minor_unit(item.currency) else amount


def slices_of(item: BacklogItem):
    """All slices of the same customer's share of the milestone, except canceled ones."""
    slices = BacklogItem.objects.filter(
        milestone_part__milestone=item.milestone_part.milestone_id,
        contract_customer=item.contract_customer_id,
    )
    return slices.exclude(status=BacklogItem.Status.CANCELED)
