"""Filters of customers and projects."""

import django_filters
from django import forms

from contracts.models import Customer, Project, managers_of
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import SearchFilter
from ledger.reports import aging


def _tick(label, method):
    return django_filters.BooleanFilter(label=label, widget=forms.CheckboxInput, method=method)


class CustomerFilter(django_filters.FilterSet):
    """Users who may see all data of the customer can also filter by open amounts."""

    q = SearchFilter("number", "name", "organization_number", "city", placeholder="Number, name, city")
    open = _tick("With open items", "with_open")
    overdue = _tick("With overdue items", "with_overdue")

    class Meta:
        model = Customer
        fields = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.request.may("report.view"):
            del self.filters["open"], self.filters["overdue"]

    def with_open(self, rows, name, value):
        return rows.filter(pk__in={row.customer.pk for row in self.aged(rows)}) if value else rows

    def with_overdue(self, rows, name, value):
        late = {row.customer.pk for row in self.aged(rows) if row.overdue > 0} if value else ()
        return rows.filter(pk__in=late) if value else rows

    def aged(self, rows):
        return aging(rows, on=self.request.entity.today())


class ProjectFilter(django_filters.FilterSet):
    q = SearchFilter("code", "name", placeholder="Code or name")
    manager = RowFilter(
        label="Project manager",
        method="of_manager",
        queryset=lambda request: managers_of(Project, request.entity),
        empty_label="Anyone",
    )
    is_open = django_filters.ChoiceFilter(
        label="Entries",
        choices=[("1", "Open for entries"), ("0", "Closed for entries")],
        method="opened",
        empty_label="Any",
    )

    class Meta:
        model = Project
        fields = []

    def of_manager(self, rows, name, managers):
        managed = Project.managers.through.objects.filter(user__in=managers.keys)
        return rows.filter(pk__in=managed.values("project"))

    def opened(self, rows, name, value):
        return rows.filter(is_open=value == "1")
