"""The default tax groups of work, from the current setup, and details that have none (JRN-3)."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from actuals.models import Actual, BillingType
from contracts.models import LegalEntity, TransactionClass
from contracts.tax_groups import billing_giver, billing_group
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.floor.reasons import Reason
from proforma.models import LineDetail, ProformaInvoice

_CHUNK = 5000


def item_group(
    entity: LegalEntity, transaction_class: str, *, category: int | None, product: int | None
) -> int | None:
    """The item tax group: the entity's for milestones, the product's for material, else the category's."""
    if transaction_class == TransactionClass.MILESTONE:
        return entity.milestone_item_tax_group_id
    return product if transaction_class == TransactionClass.MATERIAL else category


def item_giver(transaction_class: str, *, category: int | None, product: int | None):
    """The place in the setup where such work gets its item tax group; empty if there is none."""
    if transaction_class == TransactionClass.MILESTONE:
        return _("the legal entity, for its milestones")
    if transaction_class == TransactionClass.MATERIAL:
        return _("the product") if product else ""
    return _("the category") if category else ""


_OF_DETAIL = (
    "pk",
    "line__proforma",
    "transaction_class",
    "project__billing_tax_group",
    "line__contract_line__project__billing_tax_group",
    "category__item_tax_group",
    "product__item_tax_group",
)


def of_details(
    proformas: Iterable[ProformaInvoice], keys: Iterable[int]
) -> dict[int, tuple[int | None, int | None]]:
    """The billing and item tax group that each of these details would get now, by its primary key.

    One query per 5,000 details, none if there are none. The details are those of these proformas.
    """
    found, by_key = {}, {proforma.pk: proforma for proforma in proformas}
    for chunk in in_chunks(keys, _CHUNK):
        rows = LineDetail.objects.filter(line__proforma__in=by_key, pk__in=chunk).values_list(*_OF_DETAIL)
        for key, of_proforma, of_class, project, project_of_line, category, product in rows:
            proforma = by_key[of_proforma]
            billing = billing_group(
                proforma.entity.tax_group_source,
                project=project or project_of_line,
                contract=proforma.contract.billing_tax_group_id,
                customer=proforma.customer.billing_tax_group_id,
            )
            found[key] = billing, item_group(proforma.entity, of_class, category=category, product=product)
    return found


def missing_tax_groups(proforma: ProformaInvoice) -> list[Reason]:
    """The warnings about details on the invoice that have no tax group: at most two queries."""
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return []  # its tax is that of the invoice that it corrects
    shown = LineDetail.objects.on_proforma(proforma).exclude(billing_type=BillingType.NON_CHARGEABLE)
    blank = shown.filter(Q(billing_tax_group=None) | Q(item_tax_group=None)).order_by()
    columns = ("pk", "billing_tax_group", "item_tax_group", "transaction_class", "category", "product")
    rows = list(blank.values_list(*columns, "backlog_item__actual__booked_by"))
    now = of_details([proforma], [key for key, *_ in rows])
    without_billing, without_item, item_givers = [], [], set()
    for key, billing, item, of_class, category, product, booked_by in rows:
        default_billing, default_item = now[key]
        if (billing or default_billing) is None:
            without_billing.append(booked_by)
        if (item or default_item) is None:
            without_item.append(booked_by)
            item_givers.add(item_giver(of_class, category=category, product=product))
    found = []
    if without_billing:
        ways = _ways(without_billing, [billing_giver(proforma.entity.tax_group_source)])
        found.append(Reason("BILLING-TAX-GROUP-MISSING", count=len(without_billing), why=ways))
    if without_item:
        ways = _ways(without_item, sorted(filter(None, item_givers), key=str))
        found.append(Reason("ITEM-TAX-GROUP-MISSING", count=len(without_item), why=ways))
    return found


def _ways(booked_by, givers) -> list[Reason]:
    """Who can add the tax group: accountants for work of a journal, else the project manager (PRP-7)."""
    of_journal = booked_by.count(Actual.BookedBy.JOURNAL)
    ways = [Reason("TAX-GROUP-IN-SETUP", places=givers)] if givers else []
    if of_journal < len(booked_by):
        ways.append(Reason("TAX-GROUP-ON-DETAIL"))
    if of_journal:
        ways.append(Reason("TAX-GROUP-BY-ACCOUNTANT"))
    return ways
