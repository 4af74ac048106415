"""Numbers of companies, VAT and bank accounts are checked where they are typed."""

import pytest
from django.core.exceptions import ValidationError

from contracts.models import Customer, LegalEntity
from tests import factories

pytestmark = pytest.mark.django_db


def wrong(model, country, **numbers):
    """The fields that are refused."""
    make = factories.LegalEntityFactory if model is LegalEntity else factories.CustomerFactory
    row = make(country=country, **numbers)
    try:
        row.full_clean()
    except ValidationError as refused:
        return refused.message_dict
    return {}


@pytest.mark.parametrize(
    ("country", "numbers"),
    [
        ("NO", {"organization_number": "999 000 002", "vat_number": "NO 999 000 002 MVA"}),
        ("NO", {"vat_number": "999000002"}),
        ("SE", {"organization_number": "556000-0001"}),
        ("NO", {"vat_number": "DE999000009"}),
        ("GR", {"vat_number": "EL094259216"}),
        ("FR", {"organization_number": "000 000 018", "vat_number": "FR66000000018"}),
        ("US", {"organization_number": "anything 12", "vat_number": "none"}),
        ("NO", {"electronic_address_scheme": "0192", "electronic_address": "999000002"}),
        ("NO", {"electronic_address_scheme": "EM", "electronic_address": "somewhere"}),
    ],
)
def test_valid_numbers_and_those_of_unknown_countries_are_accepted(country, numbers):
    """DOC-5"""
    assert wrong(Customer, country, **numbers) == {}


@pytest.mark.parametrize(
    ("country", "numbers", "sentence"),
    [
        ("NO", {"organization_number": "999000003"}, "“999000003” is not a valid organization number in NO"),
        ("NO", {"vat_number": "NO 999 000 003 MVA"}, "“NO 999 000 003 MVA” is not a valid VAT number in NO"),
        ("DE", {"vat_number": "DE999000008"}, "“DE999000008” is not a valid VAT number in DE"),
        (
            "NO",
            {"electronic_address_scheme": "0192", "electronic_address": "999000003"},
            "“999000003” is not a valid electronic address of the scheme 0192",
        ),
    ],
)
def test_a_wrong_digit_is_refused_with_an_error_at_its_field(country, numbers, sentence):
    """DOC-5"""
    found = wrong(Customer, country, **numbers)
    assert list(found) == [list(numbers)[-1]]
    assert found[list(numbers)[-1]] == [f"{sentence}. Check its length and its digits."]


@pytest.mark.parametrize(
    ("country", "field", "right", "typo"),
    [
        ("NO", "bank_account", "0000 00 00018", "0000 00 00019"),
        ("NO", "bank_account", "NO12 0000 0000 018", "NO12 0000 0000 019"),
        ("NO", "iban", "NO12 0000 0000 018", "NO13 0000 0000 018"),
        ("HR", "iban", "HR31 0000 0000 0000 0000 1", "HR31 0000 0000 0000 0001"),
        ("HR", "bic", "DEMOHR22", "DEMO"),
    ],
)
def test_the_accounts_of_a_company_are_checked(country, field, right, typo):
    """DOC-5"""
    assert wrong(LegalEntity, country, **{field: right}) == {}
    assert list(wrong(LegalEntity, country, **{field: typo})) == [field]
