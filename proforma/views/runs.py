"""Invoice runs and previews: the list, their pages, starting and carrying out (RUN-1 to RUN-4)."""

from collections import defaultdict

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponseRedirect
from django.urls import reverse

from contracts.models import ProjectContract
from invoicing_site.floor import formatting
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.wording import counted
from invoicing_site.screens import Answer, DetailScreen, FormOperation, ListScreen, Operation
from proforma import forms, operations
from proforma.filters import RunFilter
from proforma.models import InvoiceRun, ProformaInvoice, RunContract, RunPlanLine
from proforma.operations.runs import job_of
from proforma.plans import REASONS
from proforma.tables import RunTable, duration, run_totals, who_started
from proforma.views.proformas import with_net

Kind = InvoiceRun.Kind
Outcome = RunContract.Outcome

# Contracts on one page of a run.
PAGE = 100


class Runs(ListScreen):
    """Runs and previews that the user started, or that processed a contract that the user sees."""

    model = InvoiceRun
    permission = "run.view"
    title = "Invoice runs"
    lead = "The schedule invoices due work every day. You can also start a run, or a preview of one."
    filterset_class = RunFilter
    table_class = RunTable
    noun = ("run", "runs")
    template_name = "proforma/runs.html"
    empty_title = "No runs yet"
    empty_text = "Nothing matches. Remove a filter, or start a preview to see what would be invoiced today."

    def get_queryset(self):
        return self.rows(self.request).select_related("started_by").order_by("-started_at", "-pk")

    def get_table_kwargs(self):
        return super().get_table_kwargs() | {"user": self.request.user}

    def get_context_data(self, **context):
        return super().get_context_data(may_start=self.request.may("run.start"), **context)


class NewRun(FormOperation):
    """Start a run or a preview for the contracts that the user manages."""

    permission = "run.start"
    title = "Run invoicing"
    lead = (
        "A preview changes nothing. It shows what a run would invoice, and why it would leave out the rest."
    )
    template_name = "proforma/new_run.html"
    form_class = forms.NewRun

    def get_initial(self):
        return {"as_of": self.request.entity.today(), "contracts": self.request.GET.getlist("contract")}

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"user": self.request.user, "entity": self.request.entity}

    def operate(self, form):
        restriction = form.restriction()
        if not restriction["contracts"]:
            raise Refused("NO-CONTRACT-TO-RUN")
        run = operations.begin_run(
            self.request.entity,
            as_of=form.cleaned_data["as_of"],
            by=self.request.user,
            kind=Kind.PREVIEW if "preview" in self.request.POST else Kind.RUN,
            **restriction,
        )
        return HttpResponseRedirect(run.get_absolute_url())

    def get_back_url(self):
        return reverse("runs")


class Run(DetailScreen):
    """The outcome of each contract in a run or preview; a manager sees only their own contracts."""

    model = InvoiceRun
    permission = "run.view"
    template_name = "proforma/run.html"

    def rows(self):
        return InvoiceRun.objects.select_related("entity", "started_by", "executes", "executed_by")

    def get_template_names(self):
        is_poll = self.request.htmx and not self.request.htmx.boosted
        return ["proforma/run_status.html" if is_poll else self.template_name]

    def get_title(self):
        return f"{self.row.get_kind_display().capitalize()} {self.row.pk}"

    def get_context_data(self, **context):
        run, user = self.row, self.request.user
        at_work = run.status == InvoiceRun.Status.RUNNING
        return super().get_context_data(
            run=run,
            is_preview=run.kind == Kind.PREVIEW,
            at_work=at_work,
            job=job_of(run) if at_work else None,
            done=run.run_contracts.count(),
            started_by=who_started(run),
            duration=duration(run),
            totals=sorted(run_totals([run], user).get(run.pk, {}).items()),
            scope=_scope(run, user),
            restrictions=_restrictions(run),
            may_execute=_may_execute(run, user),
            looks_ahead=run.kind == Kind.PREVIEW and run.as_of > run.entity.today(),
            **_contracts_shown(run, self.request),
            **context,
        )


def _contracts_shown(run, request):
    """A page of the contracts with the chosen outcome, and the number of each outcome."""
    rows = RunContract.objects.visible_to(request.user).filter(run=run)
    counts = dict(rows.order_by().values_list("outcome").annotate(n=Count("pk")))
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in Outcome.values else ""
    chosen = rows.filter(outcome=outcome) if outcome else rows
    chosen = chosen.select_related("run", "contract").order_by("contract__code")
    page = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
    _join(page.object_list, run, request.user)
    failed = counts.get(Outcome.FAILED, 0)
    return {"counts": counts, "failed": failed, "tabs": _tabs(counts, outcome), "page": page}


def _join(rows, run, user):
    """Add their proformas and plan lines to the rows of the page, in two queries."""
    made, planned = defaultdict(list), defaultdict(list)
    proformas = ProformaInvoice.objects.visible_to(user).filter(
        run=run, contract__in=[row.contract_id for row in rows]
    )
    for proforma in with_net(proformas).select_related("customer").order_by("pk"):
        made[proforma.contract_id].append(proforma)
    lines = RunPlanLine.objects.filter(run_contract__in=rows)
    lines = lines.select_related("contract_customer__customer", "purchase_order")
    for line in lines.order_by("run_date", "pk"):
        line.why = REASONS.get(line.code, line.code)
        line.change = None if line.previous_amount is None else line.amount - line.previous_amount
        planned[line.run_contract_id].append(line)
    for row in rows:
        row.proformas, row.lines = made[row.contract_id], planned[row.pk]
        row.warning = _left_out(row) if row.outcome == Outcome.CREATED else None


def _left_out(row):
    """The ready work that a contract with proformas will never bill, or None."""
    if row.reason and row.reason.code == "RUN-CREATED-LEFT-OUT":
        return row.reason.params["why"]
    return row.reason if row.reason and row.reason.code == "LEFT-OUT" else None


def _may_execute(run, user):
    if run.kind != Kind.PREVIEW or run.status != InvoiceRun.Status.FINISHED:
        return False
    if run.as_of > run.entity.today():
        return False  # it is for a future date
    return not hasattr(run, "executed_by") and may_start(user, run)


def _tabs(counts, chosen):
    names = (("", "All"), (Outcome.CREATED, "Invoiced"), (Outcome.FAILED, "Failed"))
    names += ((Outcome.NOTHING_READY, "Nothing ready"),)
    return [
        (value, label, counts.get(value, 0) if value else sum(counts.values()), value == chosen)
        for value, label in names
    ]


def _scope(run, reader):
    """The contracts of the run, in words; a manager's run for all of their contracts is not restricted."""
    n = run.contracts.count()
    if not n or run.started_by_id != reader.pk:
        return counted(n, "contract") if n else ""
    mine = ProjectContract.objects.reachable(reader, "run.start").filter(entity=run.entity_id).confirmed()
    if mine.exclude(pk__in=run.contracts.order_by().values("pk")).exists():
        return f"{formatting.count(n)} of your contracts"
    return f"your {counted(n, 'contract')}"


def _restrictions(run):
    """The restrictions of the run, in words."""
    found = (("customer", run.customers.count()), ("project", run.projects.count()))
    return ", ".join(counted(n, name) for name, n in found if n)


def may_start(user, run) -> bool:
    """Whether the user may start a run for all contracts of this run."""
    mine = ProjectContract.objects.reachable(user, "run.start")
    if not mine.filter(entity=run.entity_id).exists():
        return False
    return not run.run_contracts.exclude(contract__in=mine.order_by().values("pk")).exists()


class Execute(Operation):
    """Carry out a stored plan as it was shown (RUN-4)."""

    model, permission = InvoiceRun, "run.start"

    def operate(self, preview):
        if not may_start(self.request.user, preview):
            raise Refused("PREVIEW-NOT-YOURS", preview=preview)
        self.run = operations.execute_in_background(preview, by=self.request.user)
        return Answer(f"The plan is being carried out as run {self.run.pk}.")

    def success_url(self, preview):
        return getattr(self, "run", preview).get_absolute_url()
