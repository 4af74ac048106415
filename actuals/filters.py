"""Filters of entries."""

import django_filters
from django.db.models import Count

from actuals.models import NAMED, Entry
from contracts.models import Project
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, SearchFilter


def _own_projects(request):
    """The projects with entries of the user: members see no others."""
    if request is None:
        return Project.objects.none()
    own = Entry.objects.filter(Entry.objects.of_member(request.user), entity=request.entity)
    # Their keys, once each: from a subquery, PostgreSQL would look in the entries of everybody.
    keys = own.order_by().values("project").annotate(n=Count("pk")).values_list("project", flat=True)
    return Project.objects.filter(pk__in=list(keys))


class EntryFilter(django_filters.FilterSet):
    q = SearchFilter(
        "description",
        "project__code",
        "project__name",
        "task__name",
        placeholder="Description, project, task",
    )
    status = ChoicesFilter(label="Status", choices=Entry.Status.choices)
    transaction_class = ChoicesFilter(label="Class", choices=Entry.Class.choices)
    project = RowFilter(label="Project", queryset=_own_projects)
    since = DayFilter(label="From", field_name="date", lookup_expr="gte")
    until = DayFilter(label="To", field_name="date", lookup_expr="lte")

    class Meta:
        model = Entry
        fields = []


class ExpenseFilter(EntryFilter):
    transaction_class = ChoicesFilter(
        label="Class", choices=[each for each in Entry.Class.choices if each[0] in ("expense", "material")]
    )


class ImportedFilter(EntryFilter):
    project = RowFilter(
        label="Project",
        model=Project,
    )


class ImportFilter(django_filters.FilterSet):
    q = SearchFilter("file__name", f"mapping__{NAMED}", placeholder="File")
