"""Filters of journals and their lines."""

import django_filters
from django.db.models import Exists, OuterRef, Q

from actuals.models import Actual
from contracts.models import Project
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, SearchFilter
from ledger.models import IntegrationJournal, JournalLine

_CLASSES = [(each, each) for each in ("time", "expense", "material", "fee", "milestone")]
_TYPES = [each for each in Actual.Type.choices if each[0] != "billed"]


class JournalFilter(django_filters.FilterSet):
    q = SearchFilter("number", "period", "original__number", placeholder="Number, period")
    status = ChoicesFilter(label="Status", choices=IntegrationJournal.Status.choices)
    period = django_filters.CharFilter(
        label="Period", lookup_expr="startswith", help_text="2026, 2026-11 or 2026-11-20"
    )
    with_errors = django_filters.ChoiceFilter(
        label="Lines in error",
        choices=(("yes", "With lines in error"), ("no", "Without")),
        method="filter_with_errors",
        empty_label="All",
    )

    class Meta:
        model = IntegrationJournal
        fields = []

    def filter_with_errors(self, rows, name, value):
        held = Exists(JournalLine.objects.filter(journal=OuterRef("pk")).in_error())
        return rows.filter(held if value == "yes" else ~held)


class JournalLineFilter(django_filters.FilterSet):
    MISSING = (
        ("any", "Any"),
        ("billing", "Billing tax group"),
        ("item", "Item tax group"),
        ("invoiced", "Any, on sales that are invoiced"),
    )

    q = SearchFilter(
        "actual__description",
        "actual__project__code",
        "actual__resource__name",
        "error__code",
        placeholder="Description, project, person, error code",
    )
    type = ChoicesFilter(label="Type", field_name="actual__type", choices=_TYPES)
    transaction_class = ChoicesFilter(label="Class", field_name="actual__transaction_class", choices=_CLASSES)
    project = RowFilter(label="Project", model=Project, field_name="actual__project")
    error = django_filters.ChoiceFilter(
        label="Error",
        choices=(("yes", "In error"), ("no", "Without error")),
        method="filter_error",
        empty_label="All lines",
    )
    missing = django_filters.ChoiceFilter(
        label="Tax group missing", choices=MISSING, method="filter_missing", empty_label="All lines"
    )
    taxed = django_filters.ChoiceFilter(
        label="Billing tax group",
        choices=(("otherwise", "Not the customer's"),),
        method="filter_taxed",
        empty_label="All lines",
    )
    since = DayFilter(label="Accounting date from", field_name="accounting_date", lookup_expr="gte")
    until = DayFilter(label="Accounting date to", field_name="accounting_date", lookup_expr="lte")

    def filter_error(self, rows, name, value):
        return rows.filter(error__isnull=value != "yes")

    def filter_taxed(self, rows, name, value):
        return rows.taxed_otherwise()

    def filter_missing(self, rows, name, value):
        if value == "invoiced":
            return rows.without_tax_group()
        billing, item = Q(billing_tax_group=None), Q(item_tax_group=None)
        return rows.filter({"billing": billing, "item": item}.get(value, billing | item))
