"""What a payer is asked to quote: a KID, an RF reference, or the number of the invoice (DOC-5).

A KID is digits with a check digit behind them, as the company has agreed with its bank; a customer may have
another agreement. What it holds is filled with zeros up to the agreed length.
"""

import re
from itertools import cycle
from typing import NamedTuple

from django.urls import reverse
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from contracts.models import KidContent, PaymentReferenceKind
from invoicing_site.floor.errors import Refused

_Kind = PaymentReferenceKind
_LONGEST_RF = 21


class PaymentReference(NamedTuple):
    """The text that is printed, and what sort of reference it is."""

    kind: str
    text: str


def reference_of(entity, customer, number: str) -> PaymentReference:
    """What is quoted when the invoice of that number is paid; Refused (KID-LENGTH) where it has no room."""
    kind = customer.payment_reference_kind or entity.payment_reference_kind
    if kind == _Kind.RF:
        return PaymentReference(kind, _creditor_reference(number))
    if kind in (_Kind.KID_MOD_10, _Kind.KID_MOD_11):
        holds = customer.kid_holds or entity.kid_holds
        length = customer.kid_length or entity.kid_length
        # Whose setting is too short; without a length it is what the KID holds that is too long.
        set_by = customer if customer.kid_length or (customer.kid_holds and not length) else entity
        return PaymentReference(kind, _kid(kind, holds, length, number, customer, set_by))
    return PaymentReference(_Kind.NUMBER, number)


def _kid(kind, holds, length, number, customer, set_by):
    payer = _digits(customer.number) if holds == KidContent.CUSTOMER_AND_INVOICE else ""
    invoice = _digits(number)
    if not invoice or (holds == KidContent.CUSTOMER_AND_INVOICE and not payer):
        what = "customer" if invoice else "invoice"
        raise Refused(
            f"The KID holds the number of the {what}, and {customer.number if invoice else number} has no "
            "digit: an administrator has to give it a number with digits, or choose another payment "
            "reference.",
            code="KID-LENGTH",
            remedy=reverse("admin:contracts_customer_change", args=[customer.pk])
            if invoice
            else "admin:contracts_numbersequence_changelist",
        )
    room = length - 1 if length else 24
    if len(payer) + len(invoice) > room:
        change = "set another length" if length else "choose what the KID holds"
        what = f"customer {payer} and invoice {invoice}" if payer else f"invoice {invoice}"
        raise Refused(
            f"The KID has {room + 1} digits, one of them to check the others, and {what} need "
            f"{len(payer) + len(invoice) + 1}: an administrator has to {change} on the page of {set_by}.",
            code="KID-LENGTH",
            remedy=reverse(f"admin:contracts_{set_by._meta.model_name}_change", args=[set_by.pk]),
        )
    digits = payer + (invoice.zfill(room - len(payer)) if length else invoice)
    return digits + (luhn.calc_check_digit(digits) if kind == _Kind.KID_MOD_10 else _mod_11(digits))


def _digits(text):
    """Its digits 0 to 9; those of other scripts are none to a bank."""
    return re.sub(r"[^0-9]", "", text)


def _mod_11(digits):
    """Weights 2 to 7 from the right; a check of ten is written as a minus sign."""
    weighed = sum(int(digit) * weight for digit, weight in zip(reversed(digits), cycle(range(2, 8))))
    check = -weighed % 11
    return "-" if check == 10 else str(check)


def _creditor_reference(number):
    """ISO 11649: RF, two check digits, and the letters and digits of the number."""
    plain = re.sub(r"[^A-Z0-9]", "", number.upper())
    if len(plain) > _LONGEST_RF:
        raise Refused(
            f"An RF reference has room for {_LONGEST_RF} letters and digits, and {number} has {len(plain)}: "
            "an administrator has to set a shorter format or another payment reference.",
            code="KID-LENGTH",
            remedy="admin:contracts_numbersequence_changelist",
        )
    return f"RF{mod_97_10.calc_check_digits(plain + 'RF')}{plain}"
