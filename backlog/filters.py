"""Filters of the backlog."""

import django_filters
from django import forms

from actuals.models import BillingType, Entry
from backlog import obstacles
from backlog.models import BacklogItem
from contracts.models import (
    Customer,
    Milestone,
    Project,
    ProjectContract,
    Resource,
    Role,
    TransactionClass,
    managers_of,
)
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, SearchFilter

_WORK = [each for each in TransactionClass.choices if each[0] in ("time", "expense", "material", "fee")]

# The obstacles in the filter: those that prevent work from being marked ready.
OBSTACLES = [
    each for each in obstacles.stopping(obstacles.Step.MARK) if each.code not in obstacles.BY_STATUS.values()
]
GROUPS = {
    "contract": "contract",
    "project": "project",
    "customer": "customer",
    "role": "role",
    "month": "month",
}


class ObstacleFilter(ChoicesFilter):
    """Items with any of the selected obstacles today."""

    def __init__(self, **kwargs):
        super().__init__(choices=[(each.code, each.label) for each in OBSTACLES], **kwargs)

    def filter(self, rows, value):
        if not value:
            return rows
        chosen = [each for each in OBSTACLES if each.code in value]
        return rows.filter(obstacles.any_of(chosen, on=self.parent.request.entity.today()))


class GroupFilter(django_filters.ChoiceFilter):
    """The grouping of the list; it does not filter rows."""

    def __init__(self, groups, **kwargs):
        choices = [(code, words.capitalize()) for code, words in groups.items()]
        super().__init__(label="Group by", choices=choices, empty_label="No grouping", **kwargs)

    def filter(self, rows, value):
        return rows


class BacklogFilter(django_filters.FilterSet):
    q = SearchFilter(
        "description",
        "actual__description",
        "actual__project__code",
        "actual__resource__name",
        placeholder="Description, project, person",
    )
    status = ChoicesFilter(label="Status", choices=BacklogItem.Status.choices[:2])
    blocked = ObstacleFilter(label="Blocked by")
    group = GroupFilter(GROUPS)
    customer = RowFilter(label="Customer", model=Customer, field_name="contract_customer__customer")
    contract = RowFilter(label="Contract", model=ProjectContract)
    project = RowFilter(label="Project", model=Project, field_name="actual__project")
    manager = RowFilter(
        label="Project manager",
        method="of_manager",
        queryset=lambda request: managers_of(ProjectContract, request.entity),
        empty_label="Anyone",
    )
    role = RowFilter(
        label="Role",
        field_name="actual__role",
        queryset=lambda request: Role.objects.filter(entity=request.entity),
    )
    transaction_class = ChoicesFilter(label="Class", field_name="actual__transaction_class", choices=_WORK)
    billing_type = ChoicesFilter(
        label="Billing type", field_name="actual__billing_type", choices=BillingType.choices
    )
    limit_status = ChoicesFilter(label="Not to exceed", choices=BacklogItem.LimitStatus.choices)
    since = DayFilter(label="From", field_name="date", lookup_expr="gte")
    until = DayFilter(label="To", field_name="date", lookup_expr="lte")

    class Meta:
        model = BacklogItem
        fields = []

    def of_manager(self, rows, name, managers):
        managed = ProjectContract.managers.through.objects.filter(user__in=managers.keys)
        return rows.filter(contract__in=managed.values("projectcontract"))


# Whether or not they have entries: to find that out, all entries of the projects would be read.
def _people(request):
    return Resource.objects.filter(entity=request.entity).order_by("name")


def _managed_projects(request):
    return Project.objects.filter(entity=request.entity, managers=request.user)


class ApprovalFilter(django_filters.FilterSet):
    q = SearchFilter(
        "description",
        "internal_comment",
        "project__code",
        "project__name",
        "task__name",
        "resource__name",
        placeholder="Description, project, person",
    )
    project = RowFilter(label="Project", queryset=_managed_projects, empty_label="Any")
    resource = RowFilter(label="Person", queryset=_people, empty_label="Anyone")
    transaction_class = ChoicesFilter(label="Class", choices=_WORK)
    since = DayFilter(label="From", field_name="date", lookup_expr="gte")
    until = DayFilter(label="To", field_name="date", lookup_expr="lte")

    class Meta:
        model = Entry
        fields = []


class ApprovedFilter(ApprovalFilter):
    status = ChoicesFilter(label="Status", choices=[("approved", "approved"), ("recall", "recall requested")])


class MilestoneFilter(django_filters.FilterSet):
    q = SearchFilter(
        "description",
        "milestone_part__milestone__name",
        "contract__code",
        "contract__name",
        "contract_customer__customer__name",
        placeholder="Milestone, contract, customer",
    )
    due = django_filters.BooleanFilter(
        label="Due and not on a proforma",
        method="only_due",
        widget=forms.CheckboxInput(attrs={"value": "1"}),
    )
    status = ChoicesFilter(label="Status", choices=BacklogItem.Status.choices[:4])
    head = ChoicesFilter(
        label="Milestone", field_name="milestone_part__milestone__status", choices=Milestone.Status.choices
    )
    contract = RowFilter(label="Contract", model=ProjectContract)
    customer = RowFilter(label="Customer", model=Customer, field_name="contract_customer__customer")
    since = DayFilter(label="From", field_name="date", lookup_expr="gte")
    until = DayFilter(label="To", field_name="date", lookup_expr="lte")

    class Meta:
        model = BacklogItem
        fields = []

    def only_due(self, rows, name, value):
        return rows.open().filter(date__lte=self.request.entity.today()) if value else rows
