"""The empty choice of a select box is a text."""

import importlib
import pkgutil

import django_filters
import pytest
from django import forms

import actuals
import backlog
import invoicing_site
import ledger
import proforma
from contracts.models import ItemTaxGroup, Project
from invoicing_site.screens.forms import RowField


def declared():
    """Every form and filter of our pages, with its fields."""
    for room in (actuals, backlog, proforma, ledger, invoicing_site):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if any(part in found.name for part in (".forms", ".filters", "audit_trail")):
                importlib.import_module(found.name)
    for kind in (forms.BaseForm, django_filters.FilterSet):
        yield from (each for each in _below(kind) if each.__module__.split(".")[0] in ROOMS)


ROOMS = {"actuals", "backlog", "proforma", "ledger", "invoicing_site"}


def _below(kind):
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _nothing_chosen(field):
    """The text of the empty choice."""
    if hasattr(field, "empty_label"):
        return str(field.empty_label)
    return str(dict(getattr(field, "choices", ())).get("", ""))


def test_no_select_begins_with_dashes():
    dashed = []
    for kind in declared():
        if ".admin" in kind.__module__:
            continue
        for name, each in getattr(kind, "base_fields", getattr(kind, "base_filters", {})).items():
            if _nothing_chosen(getattr(each, "field", each)).startswith("---"):
                dashed.append(f"{kind.__name__}.{name}")
    assert dashed == []


@pytest.mark.parametrize(
    ("model", "required", "words"),
    [
        (Project, True, "Choose a project"),
        (Project, False, "No project"),
        (ItemTaxGroup, True, "Choose an item tax group"),
    ],
)
def test_an_empty_choice_is_named(model, required, words):
    assert RowField(model.objects.none(), required=required).empty_label == words
