"""The bill-to party of an invoice: its name, address and numbers (CON-9). Pure."""

from django.utils.translation import gettext_lazy as _

from invoicing_site.floor import wording
from invoicing_site.floor.reasons import Reason
from proforma.models import ProformaInvoice

_ADDRESS = ("street", "postal_code", "city", "country")
NUMBERS = ("organization_number", "vat_number", "electronic_address_scheme", "electronic_address")
PARTY = ("bill_to_name", "contact_name", *_ADDRESS, *NUMBERS)
_WORDS = {"bill_to_name": _("name"), "contact_name": _("contact")}


def party_of(share) -> dict[str, str]:
    """The bill-to party of a contract customer, by the columns of a proforma.

    Numbers belong to the name: a bill-to with a separate name has only the numbers that are entered for it.
    An address is copied as a whole, never as a mix of two.
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


def party_changes(proforma: ProformaInvoice) -> list[Reason]:
    """The fields that changed at the customer since they were copied, and have their old value here."""
    if not proforma.copied_party:
        return []
    now, found = party_of(proforma.contract_customer), []
    for name in PARTY:
        was = proforma.copied_party[name]
        if was != now[name] and getattr(proforma, name) != now[name]:
            found.append(
                Reason(
                    "PARTY-FIELD-CHANGED",
                    field=in_words(name),
                    was=_shown(name, was),
                    now=_shown(name, now[name]),
                )
            )
    return found


def _shown(name, value):
    return (wording.country(value) if name == "country" else value) or _("empty")


def in_words(name: str):
    """The label of a column of the party, in the middle of a sentence."""
    return _WORDS.get(name) or ProformaInvoice._meta.get_field(name).verbose_name
