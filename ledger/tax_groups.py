"""Which tax groups a fact or a detail gets by default, from the set-up as it is now (JRN-3).

Pure but for `of_details`.
"""

from collections.abc import Iterable

from contracts.models import LegalEntity, TransactionClass
from invoicing_site.querysets import in_chunks
from proforma.models import LineDetail, ProformaInvoice

_Source = LegalEntity.TaxGroupSource
_CHUNK = 5000


def billing_group(
    entity: LegalEntity, *, project: int | None, contract: int | None, customer: int | None
) -> int | None:
    """Who is taxed: the group of project, contract or customer, as the entity's parameter says."""
    groups = {_Source.PROJECT: project, _Source.CONTRACT: contract, _Source.CUSTOMER: customer}
    if entity.tax_group_source == _Source.SEARCH:
        return next((group for group in groups.values() if group is not None), None)
    return groups[entity.tax_group_source]


def item_group(
    entity: LegalEntity, transaction_class: str, *, category: int | None, product: int | None
) -> int | None:
    """What is taxed: the entity's group for milestones, the product's for materials, else the category's."""
    if transaction_class == TransactionClass.MILESTONE:
        return entity.milestone_item_tax_group_id
    return product if transaction_class == TransactionClass.MATERIAL else category


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
                proforma.entity,
                project=project or project_of_line,
                contract=proforma.contract.billing_tax_group_id,
                customer=proforma.customer.billing_tax_group_id,
            )
            found[key] = billing, item_group(proforma.entity, of_class, category=category, product=product)
    return found
