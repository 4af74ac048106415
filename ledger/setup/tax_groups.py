"""The pairs of tax groups that are outside the scope of tax."""

from contracts.tax_groups import Pairs
from ledger.models import BillingTaxGroupCode, ItemTaxGroupCode, TaxCode


def outside_scope(entity: int) -> Pairs:
    """The pairs of a billing and an item tax group that share a code outside the scope: two queries."""
    outside = {"tax_code__entity": entity, "tax_code__category": TaxCode.Category.OUTSIDE_SCOPE}
    billing, item = (
        list(model.objects.filter(**outside).values_list("group", "tax_code"))
        for model in (BillingTaxGroupCode, ItemTaxGroupCode)
    )
    return frozenset((who, what) for who, code in billing for what, other in item if code == other)
