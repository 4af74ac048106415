"""Payment details for each payer: KID, RF or number, IBAN and BIC abroad, none on a credit note."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from contracts.models import Customer, LegalEntity
from invoicing_site.floor.errors import Refused
from ledger.document import drawing, shown
from ledger.invoicing.checks import check
from ledger.invoicing.operations.posting import post
from ledger.invoicing.payment_references import reference_of
from ledger.models import CustomerTransaction
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work
from tests.ledger.sample_invoices import content

pytestmark = pytest.mark.django_db


def reference(number="INV-2026-000042", customer_number="10042", own=None, **company):
    entity = factories.LegalEntityFactory.build(**company)
    customer = factories.CustomerFactory.build(entity=entity, number=customer_number, **(own or {}))
    return tuple(reference_of(entity, customer, number))


@pytest.mark.parametrize(
    ("company", "expected"),
    [
        ({}, ("number", "INV-2026-000042")),
        # From the right, every other digit is doubled: 4+4+0+0+0+0+3+2+0+2 = 15, and 5 more make 20.
        ({"payment_reference_kind": "kid10"}, ("kid10", "20260000425")),
        ({"payment_reference_kind": "kid10", "kid_length": 15}, ("kid10", "000020260000425")),
        ({"payment_reference_kind": "kid10", "kid_holds": "both"}, ("kid10", "1004220260000425")),
        (
            {"payment_reference_kind": "kid10", "kid_holds": "both", "kid_length": 18},
            ("kid10", "100420020260000425"),
        ),
        # 18 23 31 2026000042 27 15 00 modulo 97 is 44, and 98 minus 44 is 54.
        ({"payment_reference_kind": "rf"}, ("rf", "RF54INV2026000042")),
    ],
)
def test_the_payment_reference_is_as_the_company_agreed(company, expected):
    """DOC-5"""
    assert reference(**company) == expected


def test_the_examples_of_the_norwegian_banks():
    """DOC-5: 234567 with mod 10 is 2345676, 12345678 with mod 11 is 123456785."""
    assert reference("234567", payment_reference_kind="kid10") == ("kid10", "2345676")
    assert reference("12345678", payment_reference_kind="kid11") == ("kid11", "123456785")


@pytest.mark.parametrize("customer", ["ACME", "\uff11\uff10", "\u0661"])
def test_a_kid_has_the_digits_of_the_customer_or_is_refused(customer):
    """DOC-5: banks accept no full-width or Arabic digits, and a KID must contain its customer."""
    with pytest.raises(Refused, match="has no digit"):
        reference(customer_number=customer, payment_reference_kind="kid10", kid_holds="both")


def test_a_check_digit_of_ten_is_a_minus_sign():
    """DOC-5: 6 × 2 = 12, 12 mod 11 = 1, 11 − 1 = 10."""
    assert reference("6", payment_reference_kind="kid11") == ("kid11", "6-")


def test_a_customer_can_have_its_own_agreement():
    """DOC-5"""
    company = {"payment_reference_kind": "kid10", "kid_length": 15}
    assert reference("234567", own={"payment_reference_kind": "number"}, **company) == ("number", "234567")
    own = {"payment_reference_kind": "kid11", "kid_length": 9, "kid_holds": "invoice"}
    assert reference("12345678", own=own, **company) == ("kid11", "123456785")


def found(proposal):
    return [(row.code, row.severity) for row in check(proposal, on=MARCH_31)]


def test_a_number_that_does_not_fit_is_refused_before_posting(no1, contract):
    """DOC-5"""
    LegalEntity.objects.update(payment_reference_kind="kid10", kid_length=8)
    proposal = proposed(no1, work(no1, contract))
    assert found(proposal) == [("KID-LENGTH", "error")]
    with pytest.raises(Refused, match="2025000001 need 11") as refused:
        post(proposal, by=no1.accountant, on=MARCH_31)
    assert refused.value.code == "KID-TOO-SHORT"


@pytest.mark.parametrize(
    ("company", "own", "change", "page"),
    [
        ({"kid_length": 8}, {}, "set another length", "legalentity"),
        ({"kid_length": 20}, {"kid_length": 8}, "set another length", "customer"),
        ({"kid_length": 8}, {"kid_holds": "invoice"}, "set another length", "legalentity"),
        ({}, {"kid_holds": "both"}, "choose another content of the KID", "customer"),
    ],
)
def test_the_refusal_links_to_the_page_that_sets_the_length(no1, contract, company, own, change, page):
    """DOC-5 KID-LENGTH MON-8"""
    LegalEntity.objects.update(payment_reference_kind="kid10", **company)
    Customer.objects.update(number="123456789012345", **own)
    (result,) = check(proposed(no1, work(no1, contract)), on=MARCH_31)
    row = no1.customer if page == "customer" else no1.entity
    row.refresh_from_db()
    assert result.remedy == reverse(f"admin:contracts_{page}_change", args=[row.pk])
    assert result.message.endswith(f"An administrator can {change} on the page of {row}.")


def test_a_kid_without_a_fixed_length_is_as_long_as_needed(no1, contract):
    """DOC-5: a customer's own KID of variable length: the 10 digits of the number and the check digit."""
    Customer.objects.update(payment_reference_kind="kid10", kid_length=None)
    invoice = post(proposed(no1, work(no1, contract)), by=no1.accountant, on=MARCH_31)
    assert (invoice.payment_reference_kind, invoice.payment_reference) == ("kid10", "20250000013")


def test_a_posted_invoice_keeps_its_kid(no1, contract):
    """DOC-5: 2025000001 adds up to 2+0+0+0+0+0+1+2+0+2 = 7, and 3 more make 10."""
    LegalEntity.objects.update(payment_reference_kind="kid10")
    invoice = post(proposed(no1, work(no1, contract)), by=no1.accountant, on=MARCH_31)
    assert (invoice.payment_reference_kind, invoice.payment_reference) == ("kid10", "20250000013")
    assert CustomerTransaction.objects.get().reference == "20250000013"
    assert "<dt>KID</dt><dd>20250000013</dd>" in drawing.html(shown.content_of(invoice))


def test_a_credit_note_asks_for_no_payment(no1, contract):
    """DOC-5: no KID, no due date, no account."""
    LegalEntity.objects.update(payment_reference_kind="kid10", bank_account="0000 00 00018")
    note = post(proposed(no1, work(no1, contract, "-1")), by=no1.accountant, on=MARCH_31)
    assert note.kind == "credit_note"
    assert note.payment_reference == note.payment_terms == ""
    assert note.seller_bank_account == note.seller_iban == note.seller_bic == ""
    text = drawing.html(shown.content_of(note))
    for said in ("KID", "IBAN", "Due date", "0000 00 00018"):
        assert said not in text


@pytest.mark.parametrize(
    ("country", "gone", "sentence"),
    [
        ("DE", {"iban": ""}, "goes abroad (Germany), and Company NO1 has no IBAN."),
        ("DE", {"iban": "", "bic": ""}, "has no IBAN and BIC."),
        ("DE", {}, ""),
        ("NO", {"iban": "", "bic": ""}, ""),
    ],
)
def test_a_payer_abroad_needs_iban_and_bic(no1, contract, country, gone, sentence):
    """DOC-5 BANK-MISSING"""
    no1.customer.country = country
    no1.customer.save()
    LegalEntity.objects.update(**gone)
    results = check(proposed(no1, work(no1, contract)), on=MARCH_31)
    assert [row.code for row in results] == (["BANK-MISSING"] if sentence else [])
    assert not sentence or sentence in results[0].message


def test_a_payer_in_another_currency_needs_them_too(no1):
    """DOC-5 BANK-MISSING"""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", valid_from=MARCH_31)
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR")
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    LegalEntity.objects.update(bic="")
    results = check(proposed(no1, work(no1, contract)), on=MARCH_31)
    assert [row.code for row in results] == ["BANK-MISSING"]
    assert "This invoice is in EUR, and Company NO1 has no BIC." in results[0].message


def test_an_invoice_number_is_never_called_kid():
    """DOC-5: without an agreement the digits are only a number."""
    text = drawing.html(content(payment_reference="2026000428", payment_reference_kind="number"))
    assert "KID" not in text
    assert "<dt>Payment reference</dt><dd>2026000428</dd>" in text


def test_a_length_that_banks_do_not_use_is_refused():
    """DOC-5"""
    with pytest.raises(ValidationError, match="25"):
        factories.LegalEntityFactory(kid_length=26).full_clean()
