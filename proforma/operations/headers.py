"""The header of a draft, which can be edited until it is confirmed (PRO-2)."""

from django.core.exceptions import ValidationError

from contracts.identifiers import require_valid_numbers
from contracts.models import ContractCustomer, PurchaseOrder
from invoicing_site.floor import audit, checked, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.seen import refuse_changed, stamp
from proforma.models import ProformaInvoice
from proforma.operations.proformas import lock_open
from proforma.orders import days_of, days_outside_order, load_orders, named
from proforma.parties import NUMBERS, party_of

EDITABLE = (
    "name",
    "bill_to_name",
    "contact_name",
    "street",
    "postal_code",
    "city",
    "country",
    "organization_number",
    "vat_number",
    "electronic_address_scheme",
    "electronic_address",
    "payment_term",
    "buyer_reference",
    "order_reference",
    "description",
    "cutoff",
    "accounting_date",
)
_WORDS = [name for name in EDITABLE if name not in ("payment_term", "cutoff", "accounting_date")]


@transaction.atomic
def edit_header(proforma, *, by, seen="", **changes) -> ProformaInvoice:
    """Change the given fields of the header; the contract does not change (PRO-2).

    From now on the draft counts under the contract's order with the entered number (CON-12). A new cutoff
    applies from the next refresh; existing details stay. Refused if it is confirmed, and if it differs from
    what was `seen` (its stamp).
    """
    assert set(changes) <= set(EDITABLE), "Only the header's own texts and dates can be edited."
    proforma = lock_open(proforma)
    refuse_changed(seen, stamp([proforma], *EDITABLE))
    for name in _WORDS:
        checked.words(changes.get(name) or "", ProformaInvoice, name)
    term = changes.get("payment_term")
    if term is not None and term.entity_id != proforma.entity_id:
        raise Refused("OF-OTHER-ENTITY", thing=term)
    if not changes.get("bill_to_name", proforma.bill_to_name):
        raise Refused("BILL-TO-NAME-MISSING")
    if not changes.get("country", proforma.country):
        raise Refused("BILL-TO-COUNTRY-MISSING")
    has_address, has_scheme = (
        bool(changes.get(name, getattr(proforma, name)))
        for name in ("electronic_address", "electronic_address_scheme")
    )
    if has_address != has_scheme:
        raise Refused("ADDRESS-SCHEME")
    _link_order(proforma, changes)
    before = {name: getattr(proforma, name) for name in changes}
    changed = {name: value for name, value in changes.items() if value != before[name]}
    if not changed:
        return proforma
    for name, value in changed.items():
        setattr(proforma, name, value)
    _refuse_wrong_numbers(proforma, changed)
    if "order_reference" in changed and (why := days_outside_order(proforma, days_of(proforma))):
        raise Refused("ORDER-DATES-IN-HEADER", why=why)
    proforma.save(update_fields=list(changed))
    audit.record(
        "proforma.edit_header",
        proforma,
        by=by,
        entity=proforma.entity.code,
        before={name: str(before[name] or "") for name in changed},
        after={name: str(value or "") for name, value in changed.items()},
    )
    return proforma


def wrong_now(wrong: ValidationError, changed) -> list[str]:
    """The wrong fields among the changed ones; numbers count as changed with the country."""
    by_country = {"organization_number", "vat_number"} if "country" in changed else set()
    return [name for name in wrong.error_dict if name in {*changed, *by_country}]


def _refuse_wrong_numbers(proforma, changed):
    """Refused if a changed number is wrong; those of the contract or customer are not checked (CON-9)."""
    own = party_of(proforma.contract_customer)
    if all(getattr(proforma, name) == own[name] for name in ("country", *NUMBERS)):
        return
    try:
        require_valid_numbers(proforma)
    except ValidationError as wrong:
        if names := wrong_now(wrong, changed):
            sentence = " ".join(" ".join(wrong.error_dict[name][0].messages) for name in names)
            raise Refused("BAD-NUMBER", why=sentence) from None


def _link_order(proforma, changes):
    """Link the order with the entered number, ignoring case; an unchanged number keeps its order."""
    text = changes.get("order_reference", proforma.order_reference)
    if text == proforma.order_reference:
        return
    orders = load_orders([proforma.contract_id], customers=[proforma.contract_customer_id])
    order = named(orders, proforma.contract_customer_id, text)
    changes["purchase_order"] = order and PurchaseOrder.objects.get(pk=order.pk)
    if order:
        changes["order_reference"] = order.number


@transaction.atomic
def copy_party(proforma, *, by) -> ProformaInvoice:
    """Copy the current bill-to party of the contract customer to the draft (CON-11)."""
    contract_customer = ContractCustomer.objects.select_related("customer").get(
        pk=proforma.contract_customer_id
    )
    party = party_of(contract_customer)
    proforma = edit_header(proforma, by=by, **party)
    proforma.copied_party = party
    proforma.save(update_fields=["copied_party"])
    return proforma
