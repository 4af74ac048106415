"""Details of an open proforma: edit, remove and add by hand (PRO-3)."""

from collections import defaultdict
from decimal import Decimal

from actuals.models import BillingType
from backlog.models import BacklogItem
from backlog.operations import release
from contracts.models import Category, LineCustomer, TransactionClass
from contracts.tax_groups import outside_scope
from invoicing_site.floor import audit, bounds, checked, days, money, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import lacks, write_rows
from invoicing_site.floor.seen import refuse_changed, stamp
from proforma.models import LineDetail, ProformaInvoice, ProformaLine
from proforma.operations.drafts import (
    ContractSource,
    lines_for,
    require_draft_in_bounds,
    require_total_in_bounds,
)
from proforma.operations.proformas import (
    claimed_items,
    delete_rows,
    fits_scope,
    lock_contracts,
    lock_open,
)
from proforma.orders import days_outside_order

BY_HAND = (
    TransactionClass.TIME,
    TransactionClass.EXPENSE,
    TransactionClass.MATERIAL,
    TransactionClass.FEE,
)

EDITABLE = (
    "quantity",
    "price",
    "billing_type",
    "billing_tax_group",
    "item_tax_group",
    "description",
    "internal_description",
)

# A detail of time is for one day.
_HOURS_A_DAY = 24

# An audit event has the values of at most this many details, and the number of all.
_RECORDED = 200


@transaction.atomic
def edit_details(
    details,
    *,
    by,
    quantity=None,
    price=None,
    billing_type=None,
    description=None,
    internal_description=None,
    billing_tax_group=None,
    item_tax_group=None,
    seen="",
) -> list[LineDetail]:
    """Change the given fields of all these details; None leaves a field unchanged (PRO-3).

    The amount becomes quantity × price, rounded once; a detail with the quantity and price of its work has
    the exact amount of that work again. Refused for all if one is on a confirmed proforma, if a milestone or
    retainer would get a quantity or price, for values below zero or more hours than a day has, if the amount
    or the total of the draft is too large, if work of different tax scopes would be on one invoice, and if
    they differ from what was `seen` (their stamp).
    """
    details = _locked(details)
    refuse_changed(seen, stamp(details, *EDITABLE))
    _refuse_bad_numbers(details, quantity, price, billing_type)
    _refuse_bad_texts(description, internal_description)
    for entity_id in {detail.line.proforma.entity_id for detail in details}:
        _refuse_other_entity(entity_id, billing_tax_group, item_tax_group)
    plain = {
        "billing_type": billing_type,
        "description": description,
        "internal_description": internal_description,
        "billing_tax_group": billing_tax_group,
        "item_tax_group": item_tax_group,
    }
    changes = {name: value for name, value in plain.items() if value is not None}
    if quantity is not None or price is not None:
        changes |= {"quantity": quantity, "price": price, "amount": None}
    if not changes:
        return details
    before = [_values(detail) for detail in details[:_RECORDED]]
    drafts = {detail.line.proforma for detail in details}
    were_mixed = {draft for draft in drafts if len(_scopes(draft)) > 1}
    for detail in details:
        for name, value in changes.items():
            if value is not None:
                setattr(detail, name, value)
    if "amount" in changes:
        _price(details)
    if {"amount", "billing_type"} & changes.keys():
        _require_totals_in_bounds(details)
    _write(details, list(changes))
    if {"amount", "billing_type"} & changes.keys():
        for draft in drafts:
            require_draft_in_bounds(draft)
    for draft in drafts - were_mixed:
        _keep_scope(draft, [detail.pk for detail in details])
    _record("proforma.edit_details", details, by=by, before=before)
    return details


@transaction.atomic
def remove_details(details, *, by) -> int:
    """Remove details from their drafts; returns the number of items that are ready to invoice again.

    Lines without details are deleted too; an empty proforma is not.
    """
    details = _locked(details)
    rows = LineDetail.objects.filter(pk__in=[detail.pk for detail in details])
    lines = {detail.line_id for detail in details}
    items = claimed_items(rows)
    _record(
        "proforma.remove_details", details, by=by, before=[_values(detail) for detail in details[:_RECORDED]]
    )
    delete_rows(rows)
    ProformaLine.objects.filter(lacks(ProformaLine, "details"), pk__in=lines).delete()
    return release(items)


@transaction.atomic
def add_detail(
    proforma,
    *,
    by,
    contract_line,
    transaction_class,
    date,
    quantity,
    price,
    unit="",
    billing_type=BillingType.CHARGEABLE,
    project=None,
    task=None,
    resource=None,
    role=None,
    category=None,
    product=None,
    item_tax_group=None,
    description="",
    internal_description="",
) -> LineDetail:
    """Add work by hand, without an entry; confirming creates its actuals (PRO-5).

    The project defaults to the contract line's. Material needs a product, expenses and fees a category. The
    item tax group defaults to that of the product or category; time without a category gets that of the
    entity's time categories if they all have the same one (JRN-3). Refused on a confirmed proforma, for a
    line of another contract, customer or class of work, for a date out of range or more hours than a day has,
    for values below zero, and if the amount or the total of the draft is too large (APP-10).
    """
    assert by is not None, "A detail needs the user who added it."
    proforma = lock_open(proforma)
    project = project or contract_line.project
    detail = LineDetail(
        transaction_class=transaction_class,
        date=date,
        project=project,
        task=task,
        resource=resource,
        role=role,
        category=category,
        product=product,
        quantity=quantity,
        unit=unit or ("h" if transaction_class == TransactionClass.TIME else ""),
        price=price,
        amount=0,
        billing_type=billing_type,
        description=description,
        internal_description=internal_description,
        added_by=by,
    )
    _refuse_other_entity(proforma.entity_id, project, resource, role, category, product, item_tax_group)
    _refuse_wrong_place(proforma, detail, contract_line)
    if why := days_outside_order(proforma, [date]):
        raise Refused("ORDER-DATES-OF-DETAIL", why=why, number=proforma.number)
    days.require_work_day(date, proforma.entity.today())
    _refuse_bad_numbers([detail], quantity, price, billing_type)
    _refuse_bad_texts(description, internal_description)
    source = ContractSource(proforma.contract)
    detail.amount = _amount(quantity, price, proforma.currency)
    detail.item_tax_group_id = item_tax_group.pk if item_tax_group else _item_tax_group_of(detail)
    detail.billing_tax_group_id = source.billing_tax_group(
        project.billing_tax_group_id, source.customers[proforma.contract_customer_id]
    )
    pair = detail.billing_tax_group_id, detail.item_tax_group_id
    is_taxed = billing_type != BillingType.NON_CHARGEABLE
    if is_taxed and not fits_scope(proforma, {pair in outside_scope(proforma.entity_id)}):
        raise Refused("SCOPE-MIXED-ADDED")
    detail.line = lines_for(proforma, {contract_line.pk}, source)[contract_line.pk]
    write_rows(LineDetail, [detail])
    require_draft_in_bounds(proforma)
    _record("proforma.add_detail", [detail], by=by, proforma=proforma)
    return detail


def _locked(details) -> list[LineDetail]:
    """The details, read again under the locks of their contracts and open proformas."""
    pks = [detail.pk for detail in details]
    if not pks:
        raise Refused("NOTHING-SELECTED")
    proformas = ProformaInvoice.objects.filter(lines__details__in=pks).distinct()
    lock_contracts(proformas.values("contract"))
    open_ones = {proforma.pk: lock_open(proforma) for proforma in proformas.order_by("pk")}
    rows = LineDetail.objects.filter(pk__in=pks).select_related("line").order_by("pk")
    details = list(rows)
    if gone := len(set(pks)) - len(details):
        raise Refused("DETAILS-GONE", count=gone)
    for detail in details:
        detail.line.proforma = open_ones[detail.line.proforma_id]
    return details


def _refuse_bad_numbers(details, quantity, price, billing_type):
    if billing_type is not None and billing_type not in BillingType.values:
        raise Refused("BAD-BILLING-TYPE", kind=billing_type)
    if quantity is None and price is None:
        return
    for name, value in (("quantity", quantity), ("price", price)):
        if value is not None:
            checked.figure(value, LineDetail, name)
    if quantity is not None and quantity < 0:
        raise Refused("QUANTITY-NEGATIVE")
    if price is not None and price < 0:
        raise Refused("PRICE-NEGATIVE")
    for detail in details:
        is_time = detail.transaction_class == TransactionClass.TIME
        if is_time and quantity is not None and quantity > _HOURS_A_DAY:
            raise Refused("DETAIL-LONG-DAY", hours=quantity, day=detail.date, most=_HOURS_A_DAY)
        if detail.transaction_class == TransactionClass.MILESTONE:
            raise Refused("MILESTONE-AMOUNT-FIXED", name=detail.description)
        if detail.transaction_class == TransactionClass.RETAINER:
            raise Refused("RETAINER-AMOUNT-FIXED", name=detail.description)
    if quantity is not None and (reason := bounds.quantity_too_large(quantity)):
        raise Refused.because(reason)


def _item_tax_group_of(detail):
    """That of the product or category; for time without one, that of all time categories (JRN-3)."""
    item = detail.product if detail.transaction_class == TransactionClass.MATERIAL else detail.category
    if item is not None or detail.transaction_class != TransactionClass.TIME:
        return item and item.item_tax_group_id
    categories = Category.objects.filter(
        entity=detail.project.entity_id, transaction_class=TransactionClass.TIME
    ).exclude(item_tax_group=None)
    groups = set(categories.values_list("item_tax_group", flat=True))
    return groups.pop() if len(groups) == 1 else None


def _scopes(proforma):
    """Whether its taxed details are outside the scope of tax: a set of none, one or both answers."""
    outside = outside_scope(proforma.entity_id)
    details = LineDetail.objects.on_proforma(proforma).exclude(billing_type=BillingType.NON_CHARGEABLE)
    pairs = details.order_by().values_list("billing_tax_group", "item_tax_group").distinct()
    return {pair in outside for pair in pairs}


def _keep_scope(proforma, edited):
    """Refused if work inside and outside the scope of tax is on the proforma after an edit (PRO-1)."""
    scopes = _scopes(proforma)
    if len(scopes) > 1:
        by_hand = LineDetail.objects.on_proforma(proforma).by_hand().filter(pk__in=edited).exists()
        if by_hand:
            raise Refused("SCOPE-MIXED-BY-HAND", number=proforma.number)
        raise Refused("SCOPE-MIXED-EDITED", number=proforma.number)
    if scopes and scopes != {proforma.is_outside_scope}:
        (proforma.is_outside_scope,) = scopes
        proforma.save(update_fields=["is_outside_scope"])


def _refuse_bad_texts(description, internal_description):
    checked.words(description or "", LineDetail, "description")
    checked.words(internal_description or "", LineDetail, "internal_description")


def _refuse_other_entity(entity_id, *rows):
    """Refused if one of the rows belongs to another legal entity."""
    for row in rows:
        if row is not None and row.entity_id != entity_id:
            raise Refused("OF-OTHER-ENTITY", thing=row)


def _refuse_wrong_place(proforma, detail, contract_line):
    kind = detail.transaction_class
    if kind not in BY_HAND:
        raise Refused("NOT-BY-HAND")
    if contract_line.contract_id != proforma.contract_id:
        raise Refused("LINE-OTHER-CONTRACT", line=contract_line, contract=proforma.contract)
    if not contract_line.includes(kind):
        raise Refused("LINE-EXCLUDES-CLASS", line=contract_line, kind=TransactionClass(kind))
    if detail.project.pk != contract_line.project_id:
        raise Refused(
            "LINE-OTHER-PROJECT", line=contract_line, covered=contract_line.project, project=detail.project
        )
    customers = LineCustomer.objects.filter(line=contract_line)
    if not customers.filter(contract_customer=proforma.contract_customer_id).exists():
        raise Refused("LINE-OTHER-CUSTOMER", line=contract_line, customer=proforma.customer)
    if detail.task is not None and detail.task.project_id != detail.project.pk:
        raise Refused("TASK-OF-OTHER-PROJECT", task=detail.task, project=detail.project)
    if kind == TransactionClass.MATERIAL and detail.product is None:
        raise Refused("PRODUCT-MISSING")
    if kind in (TransactionClass.EXPENSE, TransactionClass.FEE) and detail.category is None:
        raise Refused("CATEGORY-MISSING")
    if detail.category is not None and detail.category.transaction_class != kind:
        raise Refused("CATEGORY-OTHER-CLASS", category=detail.category, kind=TransactionClass(kind))
    if not detail.quantity:
        raise Refused("DETAIL-QUANTITY-ZERO")


def _price(details):
    delivered = {
        item: values
        for item, *values in BacklogItem.objects.filter(
            detail__in=[detail.pk for detail in details], actual__isnull=False
        ).values_list("pk", "actual__quantity", "actual__price", "amount")
    }
    for detail in details:
        quantity, price, amount = delivered.get(detail.backlog_item_id, (None, None, None))
        if (detail.quantity, detail.price) == (quantity, price):
            # The rounding share's amount may differ from quantity × price (MON-9).
            detail.amount = amount
        else:
            detail.amount = _amount(detail.quantity, detail.price, detail.line.proforma.currency)


def _amount(quantity, price, currency):
    amount = money.priced(quantity, price, currency)
    if why := bounds.amount_too_large(amount, currency):
        raise Refused("DETAIL-TOO-LARGE", why=why)
    return amount


def _require_totals_in_bounds(details):
    """Refused if the edited details alone are too large, before the database adds up all details."""
    nets: dict = defaultdict(Decimal)
    for detail in details:
        if detail.billing_type == BillingType.CHARGEABLE:
            nets[detail.line.proforma] += detail.amount
    for proforma, net in nets.items():
        require_total_in_bounds(proforma, net)


def _write(details, fields):
    """Save the fields with one statement per combination of values, which is faster than bulk_update."""
    equal = defaultdict(list)
    for detail in details:
        equal[tuple(getattr(detail, name) for name in fields)].append(detail.pk)
    for values, pks in equal.items():
        LineDetail.objects.filter(pk__in=pks).update(**dict(zip(fields, values, strict=True)))


def _values(detail):
    names = ("pk", "quantity", "price", "amount", "billing_type", "description")
    return {name: getattr(detail, name) for name in names}


def _record(action, details, *, by, before=None, proforma=None):
    proformas = {detail.line.proforma for detail in details}
    proforma = proforma or next(iter(proformas))
    audit.record(
        action,
        proforma if len(proformas) == 1 else None,
        by=by,
        entity=proforma.entity.code,
        details=len(details),
        before=before or [],
        after=[]
        if action == "proforma.remove_details"
        else [_values(detail) for detail in details[:_RECORDED]],
    )
