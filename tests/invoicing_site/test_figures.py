"""Numbers in usual formats: in digits, with a comma or a point, in every form (APP-10)."""

from decimal import Decimal

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError

import actuals.forms  # noqa: F401
import backlog.forms  # noqa: F401
import ledger.invoicing.forms  # noqa: F401
import proforma.forms  # noqa: F401
from invoicing_site.floor.fields import ExactDecimalField, PriceField
from invoicing_site.floor.figures import FigureField

ROOMS = {"contracts", "actuals", "backlog", "proforma", "ledger", "invoicing_site"}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("7.5", "7.5"),
        ("7,5", "7.5"),
        (".5", "0.5"),
        ("12 345,67", "12345.67"),
        ("12\u00a0345.67", "12345.67"),
        ("\u22123", "-3"),
        ("+3", "3"),
    ],
)
def test_numbers_can_be_typed_in_usual_formats(typed, read):
    """APP-10"""
    assert FigureField(column=PriceField).clean(typed) == Decimal(read)


@pytest.mark.parametrize(
    "typed", ["1e3", "1E10", "1,5e2", "NaN", "Infinity", "1_000", "1,234.5", "many", "٣"]
)
def test_other_formats_are_not_numbers(typed):
    """APP-10: 1e3 was approved as 1,000 h."""
    with pytest.raises(ValidationError, match="Enter a number in digits"):
        FigureField(column=PriceField).clean(typed)


def every_form(form=forms.BaseForm):
    for each in form.__subclasses__():
        yield each
        yield from every_form(each)


def test_every_number_field_of_a_form_reads_these_formats():
    """APP-10: includes new forms automatically."""
    found = [
        (f"{form.__module__}.{form.__name__}.{name}", field)
        for form in every_form()
        if form.__module__.partition(".")[0] in ROOMS
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field, forms.DecimalField | forms.FloatField)
    ]
    assert len(found) >= 8
    assert [name for name, field in found if not isinstance(field, FigureField)] == []


def test_every_number_field_of_the_administration_reads_these_formats():
    """APP-10: prices, limits and rates are typed there."""
    columns = [
        column
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, ExactDecimalField)
    ]
    assert len(columns) > 40
    assert {type(column.formfield()) for column in columns} == {FigureField}
