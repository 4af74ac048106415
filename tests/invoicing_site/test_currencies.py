"""Which currency codes are valid."""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from invoicing_site.floor import currencies
from invoicing_site.floor.fields import CurrencyField
from invoicing_site.floor.money import minor_unit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("code", ["EUR", "NOK", "SEK", "USD", "JPY", "BHD", "CLF", "BGN", "HRK", "INR"])
def test_current_currencies_are_valid(code):
    """MON-1"""
    assert currencies.problem(code) is None


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "DEM", "QQQ", "kr", "nok", ""])
def test_codes_that_are_not_current_currencies_are_refused(code):
    """MON-1: no currency, a code for tests, gold, and former currencies."""
    assert currencies.problem(code).sentence == f"“{code}” is not a currency in use, such as EUR."


def test_every_column_of_a_currency_refuses_it():
    """MON-1: in every form and in the administration, which check their columns."""
    columns = [
        column
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, CurrencyField)
    ]
    assert len(columns) > 10
    for column in columns:
        with pytest.raises(ValidationError, match="is not a currency in use"):
            column.clean("XXX", None)
        assert column.clean("EUR", None) == "EUR"


def test_every_currency_in_use_has_a_minor_unit():
    """MON-1"""
    assert {minor_unit(code) for code in currencies.IN_USE}
    assert len(currencies.IN_USE) > 150
