"""The current actuals of an approved entry, and where its shares are: open, on a draft, billed, returned.

Confirming a proforma reverses the unbilled sales and creates billed sales; returning it creates new unbilled
sales that replace both. So current actuals are those that are not reversed, and the claim of a share tells
which document has it.
"""

from actuals.models import Actual, BillingType
from actuals.naming import named
from backlog.models import BacklogItem
from invoicing_site.floor.querysets import lacks
from invoicing_site.floor.reasons import Reason

_SALES = (Actual.Type.UNBILLED_SALES, Actual.Type.BILLED_SALES)
_LINE = "detail__line"
_INVOICE = "proforma__proposal__invoice"  # many rows have the same invoice: read it once, without a join


def current_actuals(entries):
    """The actuals of the entries that are not reversed, by entry, with their claims and invoices."""
    ways = (f"backlog_item__{_LINE}", f"replaces__backlog_item__{_LINE}", f"detail_actual__{_LINE}")
    facts = (
        Actual.objects.filter(lacks(Actual, "reversed_by"), entry__in=entries, reverses=None)
        .select_related(
            "contract",
            "contract_customer__customer",
            "detail_actual__detail__backlog_item",
            *ways,
        )
        .prefetch_related(*(f"{way}__{_INVOICE}" for way in ways))
        .order_by("pk")
    )
    found = {}
    for fact in facts:
        found.setdefault(fact.entry_id, []).append(fact)
    return found


def items_on_documents(entries):
    """The shares of the entries that a draft or a confirmed proforma has, with its invoice."""
    taken = [BacklogItem.Status.CREATED, BacklogItem.Status.POSTED]
    items = BacklogItem.objects.filter(actual__entry__in=entries, status__in=taken)
    items = items.select_related("actual__entry", _LINE).prefetch_related(f"{_LINE}__{_INVOICE}")
    return items.order_by("pk")


def item_of(fact):
    """The share of an actual: its own, the one that it bills, or the one that it replaces.

    None for a cost.
    """
    if fact.type == Actual.Type.BILLED_SALES:
        made = getattr(fact, "detail_actual", None)
        return made and made.detail.backlog_item
    own = getattr(fact, "backlog_item", None)
    return own or getattr(fact.replaces, "backlog_item", None)


def proforma_of(fact):
    """The proforma that has the share, if any."""
    if fact.type == Actual.Type.BILLED_SALES:
        made = getattr(fact, "detail_actual", None)
        return made and made.detail.line.proforma
    item = item_of(fact)
    detail = getattr(item, "detail", None)
    return detail and detail.line.proforma


def invoice_of(proforma):
    """The posted invoice of a proforma, if any."""
    return getattr(getattr(proforma, "proposal", None), "invoice", None)


def sales_of(facts):
    """The amounts that will be or were billed for current actuals, by currency."""
    sums = {}
    for fact in facts:
        if fact.type in _SALES and fact.billing_type == BillingType.CHARGEABLE:
            sums[fact.currency] = sums.get(fact.currency, 0) + fact.amount
    return sums


def items_of(facts):
    """The shares of these actuals, each once."""
    return list({item.pk: item for item in map(item_of, facts) if item}.values())


def proformas_of(facts):
    """The proformas that have these actuals, each once, in the order of their creation."""
    found = {proforma.pk: proforma for proforma in map(proforma_of, facts) if proforma}
    return [found[pk] for pk in sorted(found)]


def why_it_stays(entries) -> Reason | None:
    """Why the approval of one of these entries can't be canceled, with advice; None if all can (APP-5)."""
    item = items_on_documents(entries).first()
    if item is None:
        return None
    entry, proforma = named(item.actual.entry), item.detail.line.proforma
    if item.status == BacklogItem.Status.CREATED:
        return Reason("APPROVAL-ON-DRAFT", entry=entry, proforma=proforma)
    if invoice := invoice_of(proforma):
        return Reason("APPROVAL-BILLED", entry=entry, invoice=invoice, day=invoice.invoice_date)
    return Reason("APPROVAL-CONFIRMED", entry=entry, proforma=proforma)
