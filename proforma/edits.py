"""Edited details: those that differ from their source, the backlog item (PRO-3)."""

from django.db.models import BooleanField, Case, F, Q, Value, When
from django.db.models.functions import Coalesce, NullIf

from actuals.models import BillingType
from contracts.models import BillingTaxGroup, ItemTaxGroup, LegalEntity, TransactionClass

TAX_GROUPS = {"billing_tax_group": BillingTaxGroup, "item_tax_group": ItemTaxGroup}
_ITEM, _ACTUAL, _HEADER = "backlog_item__", "backlog_item__actual__", "line__proforma__"


def edited(details):
    """The details that differ from their source, and those added by hand.

    An empty tax group gets the default, so it never differs.
    """
    work = Q(backlog_item__actual__isnull=False, added_by=None)
    milestone = Q(backlog_item__milestone_part__isnull=False)
    same = Q(
        Q(billing_tax_group=None) | Q(billing_tax_group=F("source_billing_tax_group")),
        Q(item_tax_group=None) | Q(item_tax_group=F("source_item_tax_group")),
        description=F("source_description"),
        internal_description=F(f"{_ITEM}internal_description"),
    )
    # Not ~same: if the source has no tax group, neither comparison is true in SQL.
    is_other = Case(When(same, then=Value(False)), default=Value(True), output_field=BooleanField())
    return with_source(details).filter(
        Q(added_by__isnull=False)
        | (work & ~Q(quantity=F(f"{_ACTUAL}quantity"), price=F(f"{_ACTUAL}price")))
        | (work & ~Q(billing_type=F(f"{_ACTUAL}billing_type")))
        | (milestone & ~Q(billing_type=BillingType.CHARGEABLE))
        | (Q(backlog_item__isnull=False) & Q(is_other))
    )


def with_source(details):
    """The details with the description and tax groups that a draft would get now (JRN-3)."""
    project = Coalesce(
        f"{_ACTUAL}project__billing_tax_group", "line__contract_line__project__billing_tax_group"
    )
    contract = F(f"{_HEADER}contract__billing_tax_group")
    customer = F(f"{_HEADER}customer__billing_tax_group")
    source = LegalEntity.TaxGroupSource
    only = {source.PROJECT: project, source.CONTRACT: contract, source.CUSTOMER: customer}
    return details.annotate(
        source_description=Coalesce(
            NullIf(f"{_ITEM}description", Value("")),
            f"{_ACTUAL}description",
            f"{_ITEM}milestone_part__milestone__name",
            Value(""),
        ),
        source_billing_tax_group=Case(
            *(When(**{f"{_HEADER}entity__tax_group_source": name}, then=only[name]) for name in only),
            default=Coalesce(project, contract, customer),
        ),
        source_item_tax_group=Case(
            When(backlog_item__actual=None, then=F(f"{_HEADER}entity__milestone_item_tax_group")),
            When(
                **{f"{_ACTUAL}transaction_class": TransactionClass.MATERIAL},
                then=F(f"{_ACTUAL}product__item_tax_group"),
            ),
            default=F(f"{_ACTUAL}category__item_tax_group"),
        ),
    )


def codes_of_tax_groups(details):
    """The codes of the tax groups of the sources of these details, by column and key: two queries."""
    found = {}
    for name, model in TAX_GROUPS.items():
        keys = {getattr(detail, f"source_{name}") for detail in details}
        for key, code in model.objects.filter(pk__in=keys).values_list("pk", "code"):
            found[name, key] = code
    return found


def original_values(detail, codes):
    """The values of the source that differ from the detail, by field."""
    item = detail.backlog_item
    if detail.added_by_id is not None:
        return {"added": True}
    if item is None:
        return {}
    was, texts = {}, {"description": detail.source_description}
    texts["internal_description"] = item.internal_description
    for name, text in texts.items():
        if getattr(detail, name) != text:
            was[name] = text or "empty"
    for name in TAX_GROUPS:
        source = getattr(detail, f"source_{name}")
        if getattr(detail, f"{name}_id") not in (None, source):
            was[name] = codes.get((name, source), "none")
    actual = item.actual
    if actual is None:
        if detail.billing_type != BillingType.CHARGEABLE:
            was["billing_type"] = BillingType.CHARGEABLE.label
        return was
    for name in ("quantity", "price"):
        if getattr(detail, name) != getattr(actual, name):
            was[name] = getattr(actual, name)
    if detail.amount != item.amount:
        was["amount"] = item.amount
    if detail.billing_type != actual.billing_type:
        was["billing_type"] = actual.get_billing_type_display()
    return was
