"""Which tax groups a fact or a detail gets by default, from the set-up as it is now (JRN-3).

Pure but for `of_details` and `outside_scope`.
"""

from collections.abc import Iterable

from contracts.models import LegalEntity, TransactionClass
from contracts.tax_groups import Pairs, billing_group
from invoicing_site.querysets import in_chunks
from ledger.models import BillingTaxGroupCode, ItemTaxGroupCode, TaxCode
from proforma.models import LineDetail, ProformaInvoice

_CHUNK = 5000


def item_group(
    entity: LegalEntity, transaction_class: str, *, category: int | None, product: int | None
) -> int | None:
    """What is taxed: the entity's group for milestones, the product's for materials, else the category's."""
    if transaction_class == TransactionClass.MILESTONE:
        return entity.milestone_item_tax_group_id
    return product if transaction_class == TransactionClass.MATERIAL else category


def item_giver(transaction_class: str, *, category: int | None, product: int | None) -> str:
    """What gives such work its item tax group, as people call it; empty where nothing does."""
    if transaction_class == TransactionClass.MILESTONE:
        return "the company, for its milestones"
    if transaction_class == TransactionClass.MATERIAL:
        return "the product" if product else ""
    return "the category" if category else ""


_OF_DETAIL = (
    "pk",
    "transaction_class",
    "project__billing_tax_group",
    "line__contract_line__project__billing_tax_group",
    "category__item_tax_group",
    "product__item_tax_group",
)


def of_details(proforma: ProformaInvoice, keys: Iterable[int]) -> dict[int, tuple[int | None, int | None]]:
    """The billing and the item tax group that each of these details of a proforma would get now, by its key.

    One query for thousands of details, none for none.
    """
    found = {}
    for chunk in in_chunks(keys, _CHUNK):
        rows = LineDetail.objects.filter(line__proforma=proforma, pk__in=chunk).values_list(*_OF_DETAIL)
        for key, of_class, project, project_of_line, category, product in rows:
            billing = billing_group(
                proforma.entity.tax_group_source,
                project=project or project_of_line,
                contract=proforma.contract.billing_tax_group_id,
                customer=proforma.customer.billing_tax_group_id,
            )
            found[key] = billing, item_group(proforma.entity, of_class, category=category, product=product)
    return found


def outside_scope(entity: int) -> Pairs:
    """The pairs of a billing and an item tax group that share a code outside the scope: two queries."""
    outside = {"tax_code__entity": entity, "tax_code__category": TaxCode.Category.OUTSIDE_SCOPE}
    billing, item = (
        list(model.objects.filter(**outside).values_list("group", "tax_code"))
        for model in (BillingTaxGroupCode, ItemTaxGroupCode)
    )
    return frozenset((who, what) for who, code in billing for what, other in item if code == other)
