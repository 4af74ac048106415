"""What people look for in the backlog."""

import django_filters

from backlog.models import BacklogItem
from contracts.models import Customer, Project, ProjectContract, TransactionClass
from invoicing_site.models import User
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, RowFilter, SearchFilter

_WORK = [each for each in TransactionClass.choices if each[0] in ("time", "expense", "material", "fee")]


class BacklogFilter(django_filters.FilterSet):
    q = SearchFilter(
        "description",
        "actual__description",
        "actual__project__code",
        "actual__resource__name",
        placeholder="Description, project, person",
    )
    status = ChoicesFilter(label="Status", choices=BacklogItem.Status.choices[:2])
    limit_status = ChoicesFilter(label="Not to exceed", choices=BacklogItem.LimitStatus.choices)
    customer = RowFilter(label="Customer", model=Customer, field_name="contract_customer__customer")
    contract = RowFilter(label="Contract", model=ProjectContract)
    project = RowFilter(label="Project", model=Project, field_name="actual__project")
    manager = django_filters.ModelChoiceFilter(
        label="Project manager",
        field_name="contract__managers",
        queryset=lambda request: User.objects.filter(managed_contracts__entity=request.entity).distinct(),
        empty_label="Anyone",
    )
    transaction_class = ChoicesFilter(
        label="Class", field_name="actual__transaction_class", choices=_WORK
    )
    since = DayFilter(label="From", field_name="date", lookup_expr="gte")
    until = DayFilter(label="To", field_name="date", lookup_expr="lte")

    class Meta:
        model = BacklogItem
        fields = []
