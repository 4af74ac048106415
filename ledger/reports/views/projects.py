"""Projects: hours, cost, revenue and margin from the project subledger (PST-8)."""

from contracts.models import Project, ProjectContract, sees_costs
from invoicing_site.floor import formatting
from invoicing_site.screens import DetailScreen, ListScreen
from ledger.reports import project_statement
from ledger.reports.filters import ProjectFilter
from ledger.reports.tables import ProjectTable
from ledger.reports.views.accounts import asked_period

_COSTS = ["cost", "margin"]
_CONTRACTS = 50
_MONTHS = 24


class Projects(ListScreen):
    """The projects in the reader's reach with their posted amounts; costs need a permission."""

    model = Project
    permission = "project.view"
    title = "Projects"
    lead = "What was worked and invoiced, in accounting currency."
    filterset_class = ProjectFilter
    table_class = ProjectTable
    noun = ("project", "projects")
    empty_title = "No projects"
    empty_text = "Nothing matches. Remove a filter, or have an administrator set a project up."

    @classmethod
    def rows(cls, request):
        # Otherwise a project with several contracts is listed several times.
        return Project.objects.filter(pk__in=super().rows(request).order_by().values("pk"))

    def get_queryset(self):
        rows = self.rows(self.request).select_related("entity")
        return rows.prefetch_related("managers").order_by("code")

    @property
    def costs(self):
        return sees_costs(self.request.user, self.request.entity)

    def optional_columns(self):
        return [name for name in super().optional_columns() if self.costs or name not in _COSTS]

    def hidden_columns(self):
        return [*super().hidden_columns(), *([] if self.costs else _COSTS)]


class ProjectPage(DetailScreen):
    """The statement of one project: by class, by month, and what is in progress."""

    model = Project
    permission = "project.view"
    template_name = "ledger/project.html"

    def rows(self):
        return Project.objects.select_related("entity", "group").distinct()

    def get_context_data(self, **context):
        project, user = self.row, self.request.user
        period = asked_period(self.request, project.entity)
        statement = project_statement(project, start=period.start, end=period.end)
        contracts = ProjectContract.objects.filter(
            pk__in=ProjectContract.objects.visible_to(user).values("pk"), lines__project=project
        )
        months = statement.months[-_MONTHS:]
        return super().get_context_data(
            period=period,
            form=period.form,
            statement=statement,
            currency=statement.currency,
            costs=sees_costs(user, project.entity),
            months=[formatting.short_month(each.month) for each in months],
            revenue=[each.revenue for each in months],
            cost=[each.cost for each in months],
            shortened=len(statement.months) > _MONTHS,
            managers=list(project.managers.all()),
            contracts=contracts.distinct().order_by("code")[:_CONTRACTS],
            may_backlog=self.request.may("backlog.view", project.entity),
            **context,
        )
