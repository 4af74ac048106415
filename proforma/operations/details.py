"""Details of a proforma that can still be edited: changed, taken off, added by hand (PRO-3)."""

from collections import defaultdict
from decimal import Decimal

from actuals.models import BillingType
from backlog.models import BacklogItem
from backlog.operations import release
from contracts.models import Category, LineCustomer, TransactionClass
from contracts.tax_groups import outside_scope
from invoicing_site.floor import audit, bounds, checked, days, formatting, money, transaction, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import write_rows
from invoicing_site.floor.seen import refuse_changed, stamp
from proforma.models import LineDetail, ProformaInvoice, ProformaLine
from proforma.operations.drafts import ContractSource, demand_room_for, demand_room_on, lines_for
from proforma.operations.proformas import (
    claimed_items,
    delete_rows,
    keep_scope_apart,
    lock_contracts,
    lock_open,
)
from proforma.orders import refuse_outside_order

BY_HAND = (
    TransactionClass.TIME,
    TransactionClass.EXPENSE,
    TransactionClass.MATERIAL,
    TransactionClass.FEE,
)
# Their amount is agreed elsewhere: a milestone on its contract line, a retainer with the customer.
_OF_FIXED_AMOUNT = {TransactionClass.MILESTONE, TransactionClass.RETAINER}

EDITABLE = (
    "quantity",
    "price",
    "billing_type",
    "billing_tax_group",
    "item_tax_group",
    "description",
    "internal_description",
)

# A detail of time is of one day.
_HOURS_A_DAY = 24

# Rows of before and after that an audit event tells; of more it tells how many.
_TOLD = 200


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
    """Change the given fields of all these details, singly or in bulk; None leaves a field as it is (PRO-3).

    The amount becomes quantity × price, rounded once; a detail that is back at what it bills has that
    share's own amount again. Refused for all when one of them is on a confirmed proforma, is a milestone or
    retainer and should get a quantity or price, would go below zero or beyond the hours of a day, comes to
    too much by itself or with its draft, would stand beside work of another tax scope, or when they are not
    what was `seen` any more (their stamp).
    """
    details = _locked(details)
    refuse_changed(seen, stamp(details, *EDITABLE))
    _refuse_bad_figures(details, quantity, price, billing_type)
    _refuse_bad_words(description, internal_description)
    for entity_id in {detail.line.proforma.entity_id for detail in details}:
        _refuse_strangers(entity_id, billing_tax_group, item_tax_group)
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
    before = [_figures(detail) for detail in details[:_TOLD]]
    drafts = {detail.line.proforma for detail in details}
    were_mixed = {draft for draft in drafts if len(_scopes(draft)) > 1}
    for detail in details:
        for name, value in changes.items():
            if value is not None:
                setattr(detail, name, value)
    if "amount" in changes:
        _price(details)
    if {"amount", "billing_type"} & changes.keys():
        _demand_room(details)
    _write(details, list(changes))
    if {"amount", "billing_type"} & changes.keys():
        for draft in drafts:
            demand_room_on(draft)
    for draft in drafts - were_mixed:
        _keep_scope(draft, [detail.pk for detail in details])
    _tell("proforma.edit_details", details, by=by, before=before)
    return details


@transaction.atomic
def remove_details(details, *, by) -> int:
    """Take details off their drafts; what they bill goes back to ready. Returns how many items that were.

    A line that has no detail left goes too; an empty proforma stays, until it is filled or deleted.
    """
    details = _locked(details)
    rows = LineDetail.objects.filter(pk__in=[detail.pk for detail in details])
    lines = {detail.line_id for detail in details}
    items = claimed_items(rows)
    _tell("proforma.remove_details", details, by=by, before=[_figures(detail) for detail in details[:_TOLD]])
    delete_rows(rows)
    ProformaLine.objects.filter(pk__in=lines, details=None).delete()
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
    """Add work by hand that has no entry behind it; confirming makes its actuals (PRO-5).

    The project is the contract line's unless given. Material names a product, expenses and fees a category.
    The item tax group is that of the product or category unless given; time that names no category has that
    of the company's time categories, where they agree on one (JRN-3). Refused on a confirmed proforma, for a
    line of another contract or one that doesn't bill this customer or this class of work, for a day out of
    bounds or more hours than it has, for figures below zero, and where it or the draft comes to too much
    (APP-10).
    """
    assert by is not None, "What is added by hand is added by somebody."
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
    _refuse_strangers(proforma.entity_id, project, resource, role, category, product, item_tax_group)
    _refuse_wrong_place(proforma, detail, contract_line)
    refuse_outside_order(proforma, [date], way_out="add it to a proforma without an order")
    days.demand_worked(date, proforma.entity.today())
    _refuse_bad_figures([detail], quantity, price, billing_type)
    _refuse_bad_words(description, internal_description)
    source = ContractSource(proforma.contract)
    detail.amount = _amount(quantity, price, proforma.currency)
    detail.item_tax_group_id = item_tax_group.pk if item_tax_group else _item_tax_group_of(detail)
    detail.billing_tax_group_id = source.billing_tax_group(
        project.billing_tax_group_id, source.customers[proforma.contract_customer_id]
    )
    pair = detail.billing_tax_group_id, detail.item_tax_group_id
    if billing_type != BillingType.NON_CHARGEABLE:
        keep_scope_apart(
            proforma,
            {pair in outside_scope(proforma.entity_id)},
            way_out="enter it as work of the project, which gets an invoice of its own once it is ready.",
        )
    detail.line = lines_for(proforma, {contract_line.pk}, source)[contract_line.pk]
    write_rows(LineDetail, [detail])
    demand_room_on(proforma)
    _tell("proforma.add_detail", [detail], by=by, proforma=proforma)
    return detail


def _locked(details) -> list[LineDetail]:
    """The details read again under the locks of their contracts and proformas; all of them can be edited."""
    pks = [detail.pk for detail in details]
    if not pks:
        raise Refused("Nothing is selected.")
    proformas = ProformaInvoice.objects.filter(lines__details__in=pks).distinct()
    lock_contracts(proformas.values("contract"))
    open_ones = {proforma.pk: lock_open(proforma) for proforma in proformas.order_by("pk")}
    rows = LineDetail.objects.filter(pk__in=pks).select_related("line").order_by("pk")
    details = list(rows)
    if gone := len(set(pks)) - len(details):
        raise Refused(f"{wording.counted(gone, 'chosen detail is', 'chosen details are')} no longer there.")
    for detail in details:
        detail.line.proforma = open_ones[detail.line.proforma_id]
    return details


def _refuse_bad_figures(details, quantity, price, billing_type):
    if billing_type is not None and billing_type not in BillingType.values:
        raise Refused(f"“{billing_type}” is not a billing type.")
    if quantity is None and price is None:
        return
    for name, value in (("quantity", quantity), ("price", price)):
        if value is not None:
            checked.figure(value, LineDetail, name)
    if quantity is not None and quantity < 0:
        raise Refused("A quantity below zero can't be billed: enter 0 or more, or remove the detail.")
    if price is not None and price < 0:
        raise Refused("A price below zero can't be billed: enter 0 or more, or remove the detail.")
    for detail in details:
        is_time = detail.transaction_class == TransactionClass.TIME
        if is_time and quantity is not None and quantity > _HOURS_A_DAY:
            raise Refused(
                f"{formatting.number(quantity)} hours are more than {wording.day(detail.date)} has. A "
                "detail of "
                f"time is of one day: enter {_HOURS_A_DAY} at most, and other days as details of their own.",
                code="LONG-DAY",
            )
        if detail.transaction_class in _OF_FIXED_AMOUNT:
            raise Refused(
                f"“{detail.description}” is {wording.a(detail.get_transaction_class_display())}: its amount "
                "is agreed, and its quantity and price can't be edited on a proforma."
            )
    if quantity is not None and (sentence := bounds.why_not_quantity(quantity)):
        raise Refused(sentence, code="TOO-LARGE")


def _item_tax_group_of(detail):
    """By product or category (JRN-3); time without one: the group of all the company's time categories."""
    item = detail.product if detail.transaction_class == TransactionClass.MATERIAL else detail.category
    if item is not None or detail.transaction_class != TransactionClass.TIME:
        return item and item.item_tax_group_id
    categories = Category.objects.filter(
        entity=detail.project.entity_id, transaction_class=TransactionClass.TIME
    ).exclude(item_tax_group=None)
    groups = set(categories.values_list("item_tax_group", flat=True))
    return groups.pop() if len(groups) == 1 else None


def _scopes(proforma):
    """Whether what is taxed on it is outside the scope of tax: both, one or neither."""
    outside = outside_scope(proforma.entity_id)
    details = LineDetail.objects.on_proforma(proforma).exclude(billing_type=BillingType.NON_CHARGEABLE)
    pairs = details.order_by().values_list("billing_tax_group", "item_tax_group").distinct()
    return {pair in outside for pair in pairs}


def _keep_scope(proforma, edited):
    """Refused where an edit puts work inside and outside the scope of tax on one invoice (PRO-1)."""
    scopes = _scopes(proforma)
    if len(scopes) > 1:
        by_hand = LineDetail.objects.on_proforma(proforma).by_hand().filter(pk__in=edited).exists()
        way_out = (
            "remove the detail, and enter it as work of the project, which gets an invoice of its own"
            if by_hand
            else "remove the detail, create a proforma of it alone from the backlog, and change the tax "
            "group there"
        )
        raise Refused(
            f"With this, proforma {proforma.number} would hold work outside the scope of tax beside other "
            f"work, and the two can't stand on one invoice: {way_out}.",
            code="TAX-SCOPE",
        )
    if scopes and scopes != {proforma.is_outside_scope}:
        (proforma.is_outside_scope,) = scopes
        proforma.save(update_fields=["is_outside_scope"])


def _refuse_bad_words(description, internal_description):
    checked.words(description or "", LineDetail, "description")
    checked.words(internal_description or "", LineDetail, "internal_description")


def _refuse_strangers(entity_id, *rows):
    """Whatever a detail names belongs to the company that bills it."""
    for row in rows:
        if row is not None and row.entity_id != entity_id:
            raise Refused(
                f"{row} belongs to another company: choose one of this company.", code="OTHER-ENTITY"
            )


def _refuse_wrong_place(proforma, detail, contract_line):
    kind = detail.transaction_class
    if kind not in BY_HAND:
        raise Refused("Only time, expenses, materials and fees can be added by hand.")
    if contract_line.contract_id != proforma.contract_id:
        raise Refused(f"Line {contract_line} is not a line of {proforma.contract}; choose one of its lines.")
    if not contract_line.includes(kind):
        raise Refused(
            f"Line {contract_line} does not include {detail.get_transaction_class_display()}: "
            "choose a line that does."
        )
    if detail.project.pk != contract_line.project_id:
        raise Refused(f"Line {contract_line} covers {contract_line.project}, not {detail.project}.")
    shares = LineCustomer.objects.filter(line=contract_line, contract_customer=proforma.contract_customer_id)
    if not shares.exists():
        raise Refused(f"Line {contract_line} does not bill {proforma.customer}: choose one that does.")
    if detail.task is not None and detail.task.project_id != detail.project.pk:
        raise Refused(f"Task {detail.task} is not a task of project {detail.project}.")
    needed = {TransactionClass.MATERIAL: "product", TransactionClass.EXPENSE: "category"}
    needed[TransactionClass.FEE] = "category"
    if kind in needed and getattr(detail, needed[kind]) is None:
        raise Refused(f"Say which {needed[kind]} it is: {wording.a(kind)} is taxed and booked by it.")
    if detail.category is not None and detail.category.transaction_class != kind:
        raise Refused(
            f"Category {detail.category} is for {detail.category.transaction_class}, not for {kind}."
        )
    if not detail.quantity:
        raise Refused("Enter a quantity: a detail of nothing would bill nothing.")


def _price(details):
    facts = {
        item: figures
        for item, *figures in BacklogItem.objects.filter(
            detail__in=[detail.pk for detail in details], actual__isnull=False
        ).values_list("pk", "actual__quantity", "actual__price", "amount")
    }
    for detail in details:
        quantity, price, amount = facts.get(detail.backlog_item_id, (None, None, None))
        if (detail.quantity, detail.price) == (quantity, price):
            # The rounding share's amount may differ from quantity × price (MON-9).
            detail.amount = amount
        else:
            detail.amount = _amount(detail.quantity, detail.price, detail.line.proforma.currency)


def _amount(quantity, price, currency):
    amount = money.priced(quantity, price, currency)
    if said := bounds.over(amount, currency):
        raise Refused(f"{said}: lower the quantity or the price.", code="TOO-LARGE")
    return amount


def _demand_room(details):
    """The edited details alone must fit, before the database adds up all of them."""
    nets: dict = defaultdict(Decimal)
    for detail in details:
        if detail.billing_type == BillingType.CHARGEABLE:
            nets[detail.line.proforma] += detail.amount
    for proforma, net in nets.items():
        demand_room_for(proforma, net)


def _write(details, fields):
    """One statement for all details that come out alike: cheaper than bulk_update, however many there are."""
    alike = defaultdict(list)
    for detail in details:
        alike[tuple(getattr(detail, name) for name in fields)].append(detail.pk)
    for values, pks in alike.items():
        LineDetail.objects.filter(pk__in=pks).update(**dict(zip(fields, values, strict=True)))


def _figures(detail):
    names = ("pk", "quantity", "price", "amount", "billing_type", "description")
    return {name: getattr(detail, name) for name in names}


def _tell(action, details, *, by, before=None, proforma=None):
    proformas = {detail.line.proforma for detail in details}
    proforma = proforma or next(iter(proformas))
    audit.record(
        action,
        proforma if len(proformas) == 1 else None,
        by=by,
        entity=proforma.entity.code,
        details=len(details),
        before=before or [],
        after=[] if action == "proforma.remove_details" else [_figures(detail) for detail in details[:_TOLD]],
    )
