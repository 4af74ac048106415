"""Which tax groups work gets by default, from the set-up as it is now, and what has none (JRN-3)."""

from collections.abc import Iterable

from django.db.models import Q

from actuals.models import Actual, BillingType
from contracts.models import LegalEntity, TransactionClass
from contracts.tax_groups import billing_giver, billing_group
from invoicing_site.floor import wording
from invoicing_site.floor.querysets import in_chunks
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


def lacking(proforma: ProformaInvoice) -> list[str]:
    """A sentence for each tax group that what its invoice would show has none of: two queries at most."""
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return []  # its tax follows from the invoice that it corrects
    shown = LineDetail.objects.on_proforma(proforma).exclude(billing_type=BillingType.NON_CHARGEABLE)
    blank = shown.filter(Q(billing_tax_group=None) | Q(item_tax_group=None)).order_by()
    columns = ("pk", "billing_tax_group", "item_tax_group", "transaction_class", "category", "product")
    rows = list(blank.values_list(*columns, "backlog_item__actual__booked_by"))
    now = of_details(proforma, [key for key, *_ in rows])
    without_billing, without_item, item_givers = [], [], set()
    for key, billing, item, of_class, category, product, booked_by in rows:
        default_billing, default_item = now[key]
        if (billing or default_billing) is None:
            without_billing.append(booked_by)
        if (item or default_item) is None:
            without_item.append(booked_by)
            item_givers.add(item_giver(of_class, category=category, product=product))
    return [
        _lacking(what, booked_by, sorted(filter(None, givers)))
        for what, booked_by, givers in (
            ("billing tax group", without_billing, {billing_giver(proforma.entity.tax_group_source)}),
            ("item tax group", without_item, item_givers),
        )
        if booked_by
    ]


def _lacking(what, booked_by, givers) -> str:
    """Of work that a journal books, accountants decide; of all else the detail says it (PRP-7)."""
    of_journal = booked_by.count(Actual.BookedBy.JOURNAL)
    ways = [f"give one to {giver}" for giver in givers]
    if of_journal < len(booked_by):
        ways.append("choose one with “Edit” at the detail")
    if of_journal:
        ways.append(
            "have an accountant choose one on the journal line or on the line of the invoice proposal"
        )
    details = wording.counted(len(booked_by), "detail has", "details have")
    return f"{details} no {what}, and the invoice needs one: {', or '.join(ways)}."
