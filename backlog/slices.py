"""How much of a milestone a slice of it is (MIL-2)."""

from decimal import Decimal

from backlog.models import BacklogItem
from contracts.models import MilestonePart
from invoicing_site.floor import money


def whole_of(part: MilestonePart) -> MilestonePart:
    """The customer's share of the milestone that a part was once cut from: what percentages are of."""
    return MilestonePart.objects.get(
        milestone=part.milestone_id, contract_customer=part.contract_customer_id, split_from=None
    )


def slice_of(item: BacklogItem, percent: Decimal) -> Decimal:
    """So many percent of the customer's share of the milestone, in whole minor units.

    Where that is within one minor unit of all that is left, it is all that is left.
    """
    amount = money.percentage(whole_of(item.milestone_part).amount, percent, item.currency)
    return item.amount if abs(item.amount - amount) <= money.minor_unit(item.currency) else amount


def slices_of(item: BacklogItem):
    """All slices of the same customer's share of the milestone, without what was canceled."""
    slices = BacklogItem.objects.filter(
        milestone_part__milestone=item.milestone_part.milestone_id,
        contract_customer=item.contract_customer_id,
    )
    return slices.exclude(status=BacklogItem.Status.CANCELED)
