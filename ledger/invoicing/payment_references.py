"""The payment reference of an invoice: a KID, an RF reference, or the invoice number (DOC-5).

A KID has digits and a check digit, as the legal entity has agreed with its bank; a customer may have another
agreement. Zeros fill it up to the agreed length.
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
    """The kind of the reference, and the text that is printed."""

    kind: str
    text: str


def reference_of(entity, customer, number: str) -> PaymentReference:
    """The payment reference for an invoice number; Refused if the number does not fit."""
    kind = customer.payment_reference_kind or entity.payment_reference_kind
    if kind == _Kind.RF:
        return PaymentReference(kind, _creditor_reference(number))
    if kind in (_Kind.KID_MOD_10, _Kind.KID_MOD_11):
        holds = customer.kid_holds or entity.kid_holds
        length = customer.kid_length or entity.kid_length
        # Where the setting is changed if the number does not fit.
        set_by = customer if customer.kid_length or (customer.kid_holds and not length) else entity
        return PaymentReference(kind, _kid(kind, holds, length, number, customer, set_by))
    return PaymentReference(_Kind.NUMBER, number)


def _kid(kind, holds, length, number, customer, set_by):
    payer = _digits(customer.number) if holds == KidContent.CUSTOMER_AND_INVOICE else ""
    invoice = _digits(number)
    if not invoice or (holds == KidContent.CUSTOMER_AND_INVOICE and not payer):
        if invoice:
            remedy = reverse("admin:contracts_customer_change", args=[customer.pk])
            raise Refused("KID-CUSTOMER-NO-DIGIT", number=customer.number, remedy=remedy)
        remedy = "admin:contracts_numbersequence_changelist"
        raise Refused("KID-INVOICE-NO-DIGIT", number=number, remedy=remedy)
    room = length - 1 if length else 24
    if len(payer) + len(invoice) > room:
        values = {
            "length": room + 1,
            "numbers": [payer, invoice] if payer else [invoice],
            "needed": len(payer) + len(invoice) + 1,
            "page": set_by,
            "remedy": reverse(f"admin:contracts_{set_by._meta.model_name}_change", args=[set_by.pk]),
        }
        if length:
            raise Refused("KID-TOO-SHORT", **values)
        raise Refused("KID-CONTENT-TOO-LONG", **values)
    digits = payer + (invoice.zfill(room - len(payer)) if length else invoice)
    return digits + (luhn.calc_check_digit(digits) if kind == _Kind.KID_MOD_10 else _mod_11(digits))


def _digits(text):
    """Its digits 0 to 9, because banks accept no digits of other scripts."""
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
            "RF-TOO-LONG",
            most=_LONGEST_RF,
            number=number,
            length=len(plain),
            remedy="admin:contracts_numbersequence_changelist",
        )
    return f"RF{mod_97_10.calc_check_digits(plain + 'RF')}{plain}"
