"""What stands at the head of a draft, and can be put right until it is confirmed (PRO-2)."""

from django.core.exceptions import ValidationError

from contracts.identifiers import demand_right_numbers
from contracts.models import ContractCustomer, PurchaseOrder
from invoicing_site.floor import audit, checked, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.seen import refuse_changed, stamp
from proforma.models import ProformaInvoice
from proforma.operations.proformas import lock_open
from proforma.orders import days_of, load_orders, named, refuse_outside_order
from proforma.parties import NUMBERS, party_of

EDITABLE = (
    "name",
    "bill_to_name",
    "contact_name",
    "street",
    "postal_code",
    "city",
    "country",
    "organisation_number",
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
_NEEDED = {
    "bill_to_name": "An invoice is made out to somebody: enter the name.",
    "country": "An address has a country: enter its two letters, such as NO.",
}
_WORDS = [name for name in EDITABLE if name not in ("payment_term", "cutoff", "accounting_date")]


@transaction.atomic
def edit_header(proforma, *, by, seen="", **changes) -> ProformaInvoice:
    """Change the given fields of the header; the contract keeps what it says (PRO-2).

    An order number that the contract knows is used up by it from now on (CON-12).
    A new cutoff counts from the next refresh; what is on the draft stays. Refused once it is confirmed, and
    when it is not what was `seen` any more (its stamp).
    """
    assert set(changes) <= set(EDITABLE), "Only the header's own words and days can be edited."
    proforma = lock_open(proforma)
    refuse_changed(seen, stamp([proforma], *EDITABLE))
    for name in _WORDS:
        checked.words(changes.get(name) or "", ProformaInvoice, name)
    term = changes.get("payment_term")
    if term is not None and term.entity_id != proforma.entity_id:
        raise Refused(f"{term} belongs to another company: choose one of this company.", code="OTHER-ENTITY")
    for name, sentence in _NEEDED.items():
        if not changes.get(name, getattr(proforma, name)):
            raise Refused(sentence, code="BILL-TO-MISSING")
    has_address, has_scheme = (
        bool(changes.get(name, getattr(proforma, name)))
        for name in ("electronic_address", "electronic_address_scheme")
    )
    if has_address != has_scheme:
        raise Refused("Enter an electronic address together with its scheme.", code="ADDRESS-SCHEME")
    _link_order(proforma, changes)
    before = {name: getattr(proforma, name) for name in changes}
    changed = {name: value for name, value in changes.items() if value != before[name]}
    if not changed:
        return proforma
    for name, value in changed.items():
        setattr(proforma, name, value)
    _refuse_wrong_numbers(proforma, changed)
    if "order_reference" in changed:
        refuse_outside_order(
            proforma, days_of(proforma), way_out="create a proforma of that work from the backlog"
        )
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
    """Which wrong fields this change made so: those changed; the numbers of companies go by the country."""
    by_country = {"organisation_number", "vat_number"} if "country" in changed else set()
    return [name for name in wrong.error_dict if name in {*changed, *by_country}]


def _refuse_wrong_numbers(proforma, changed):
    """What the contract or the customer says is not judged here: it is changed there (CON-9)."""
    own = party_of(proforma.contract_customer)
    if all(getattr(proforma, name) == own[name] for name in ("country", *NUMBERS)):
        return
    try:
        demand_right_numbers(proforma)
    except ValidationError as wrong:
        if names := wrong_now(wrong, changed):
            sentence = " ".join(" ".join(wrong.error_dict[name][0].messages) for name in names)
            raise Refused(sentence, code="BAD-NUMBER") from None


def _link_order(proforma, changes):
    """Another number is looked up, in any case; an order that was renamed since keeps what is under it."""
    text = changes.get("order_reference", proforma.order_reference)
    if text == proforma.order_reference:
        return
    orders = load_orders([proforma.contract_id], customers=[proforma.contract_customer_id])
    order = named(orders, proforma.contract_customer_id, text)
    changes["purchase_order"] = order and PurchaseOrder.objects.get(pk=order.pk)
    if order:
        changes["order_reference"] = order.number


@transaction.atomic
def take_party(proforma, *, by) -> ProformaInvoice:
    """Make a draft out to its customer as the contract and the customer have it now (CON-11)."""
    share = ContractCustomer.objects.select_related("customer").get(pk=proforma.contract_customer_id)
    party = party_of(share)
    proforma = edit_header(proforma, by=by, **party)
    proforma.copied_party = party
    proforma.save(update_fields=["copied_party"])
    return proforma
