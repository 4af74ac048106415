"""Who an invoice is made out to: one party, with its own name, address and numbers (CON-9). Pure."""

from invoicing_site.floor import wording
from proforma.models import ProformaInvoice

_ADDRESS = ("street", "postal_code", "city", "country")
NUMBERS = ("organisation_number", "vat_number", "electronic_address_scheme", "electronic_address")
PARTY = ("bill_to_name", "contact_name", *_ADDRESS, *NUMBERS)
_WORDS = {"bill_to_name": "name", "contact_name": "contact"}


def party_of(share) -> dict[str, str]:
    """Who a contract customer's invoices are made out to, by the columns of a proforma.

    Numbers belong to the name: a bill-to of its own name has those that are given for it, or none. An address
    is taken whole: half of one and half of another would be nobody's.
    """
    customer = share.customer
    address = share if any(getattr(share, name) for name in _ADDRESS) else customer
    numbers = share if share.bill_to_name else customer
    return {
        "bill_to_name": share.bill_to_name or customer.name,
        "contact_name": share.contact_name or customer.contact_name,
        **{name: getattr(address, name) for name in _ADDRESS},
        "country": address.country or customer.country,
        **{name: getattr(numbers, name) for name in NUMBERS},
    }


def party_changes(proforma: ProformaInvoice) -> list[str]:
    """What has changed of the party since it was copied to the proforma, and stands there as it was."""
    if not proforma.copied_party:
        return []
    now, said = party_of(proforma.contract_customer), []
    for name in PARTY:
        was = proforma.copied_party[name]
        if was != now[name] and getattr(proforma, name) != now[name]:
            said.append(f"{in_words(name)} was {_shown(name, was)}, is now {_shown(name, now[name])}")
    return said


def _shown(name, value):
    return (wording.country(value) if name == "country" else value) or "empty"


def in_words(name: str) -> str:
    """What a column of the party is called."""
    return _WORDS.get(name) or str(ProformaInvoice._meta.get_field(name).verbose_name)
