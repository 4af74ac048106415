"""Dates have the same bounds in every form, and are shown with a year of four digits (APP-10)."""

from datetime import date

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from invoicing_site.admin.base import LookupAdmin, LookupInline
from invoicing_site.floor import days, formatting
from invoicing_site.models import User
from invoicing_site.screens.forms import DayField
from tests.invoicing_site.test_form_words import declared

TODAY = date(2026, 2, 10)


@pytest.mark.parametrize(
    ("day", "fits"),
    [
        (date(26, 2, 10), False),
        (date(1989, 12, 31), False),
        (date(1990, 1, 1), True),
        (date(2099, 12, 31), True),
        (date(2100, 1, 1), False),
        (date(9999, 12, 31), False),
    ],
)
def test_a_business_day_lies_between_1990_and_2099(day, fits):
    """APP-10"""
    assert (days.why_not(day) is None) is fits
    if fits:
        assert DayField().clean(day.isoformat()) == day
        return
    with pytest.raises(ValidationError, match="is out of range. Choose a day between 1 Jan 1990 and"):
        DayField().clean(day.isoformat())


def test_work_is_dated_a_year_and_a_day_ahead_at_most():
    """APP-10: from 10 Feb 2026 up to 11 Feb 2027."""
    assert days.why_not_worked(date(2027, 2, 11), TODAY) is None
    reason = days.why_not_worked(date(2027, 2, 12), TODAY)
    assert "between 1 Jan 1990 and 11 Feb 2027" in reason.sentence


def test_a_year_has_four_digits():
    """APP-10"""
    assert formatting.day(date(26, 11, 2)) == "2 Nov 0026"
    assert formatting.day(date(2026, 11, 2)) == "2 Nov 2026"


def test_every_day_in_our_forms_and_filters_has_bounds():
    """APP-10"""
    loose = []
    for kind in declared():
        for name, each in getattr(kind, "base_fields", getattr(kind, "base_filters", {})).items():
            field = getattr(each, "field", each) if hasattr(kind, "base_fields") else each
            field_class = getattr(field, "field_class", type(field))
            if issubclass(field_class, forms.DateField) and not issubclass(field_class, DayField):
                loose.append(f"{kind.__name__}.{name}")
    assert loose == []


def test_every_day_in_the_administration_has_bounds(db):
    """APP-10: of the page itself, and of the rows on it."""
    request = RequestFactory().get("/admin/")
    request.user, request.entity = User.objects.create_superuser("root"), None
    found, loose = 0, []
    for model, page in admin.site._registry.items():
        if isinstance(page, LookupAdmin):
            continue
        inlines = [each for each in page.get_inline_instances(request) if not isinstance(each, LookupInline)]
        kinds = [page.get_form(request), *(each.get_formset(request).form for each in inlines)]
        for kind in kinds:
            for name, field in kind.base_fields.items():
                if isinstance(field, forms.DateField):
                    found += 1
                    try:
                        field.run_validators(date(26, 1, 1))
                        loose.append(f"{model.__name__} {kind.__name__}.{name}")
                    except ValidationError:
                        pass
    assert found > 10
    assert loose == []
