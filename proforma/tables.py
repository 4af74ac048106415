"""Tables of contracts, proformas and runs."""

from collections import defaultdict

import django_tables2 as tables
from django.db.models import Count
from django.urls import reverse
from django.utils.html import format_html

from contracts.models import ProjectContract
from invoicing_site.floor import moves
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens.remedies import linked_sentence
from invoicing_site.screens.tables import (
    AmountColumn,
    AmountsColumn,
    DayColumn,
    MainColumn,
    StatusColumn,
    Table,
    TextColumn,
    amount_in_words,
    cells,
)
from invoicing_site.templatetags import ledgerline as tags
from proforma.duplicates import maybe_twice
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, RunContract, RunPlanLine
from proforma.performance import contract_performance


class TogetherTable(Table):
    """A table with values that are read for all rows at once, when the first one is needed."""

    def load(self, records):
        self._records, self._figures = records, None

    def figures_of(self, record):
        if self._figures is None:
            self._figures = self.read_figures(self._records)
        return self._figures[record.pk]

    def read_figures(self, rows) -> dict:
        """The values of each row by its key, in a constant number of queries."""
        raise NotImplementedError


class FigureColumn(AmountColumn):
    """An amount of a contract's performance, read for all rows together."""

    def __init__(self, name, *, main=False, **kwargs):
        super().__init__(accessor="pk", orderable=False, main=main, **kwargs)
        self.figure = name

    def render(self, record, table):
        return super().render(getattr(table.figures_of(record), self.figure), record, table)

    def value(self, record, table):
        return super().value(getattr(table.figures_of(record), self.figure), record, table)


class FigureDayColumn(tables.Column):
    """A day of the contract's performance."""

    def __init__(self, name, **kwargs):
        super().__init__(accessor="pk", orderable=False, attrs=cells("nowrap"), **kwargs)
        self.figure = name

    def render(self, record, table):
        return tags.day(getattr(table.figures_of(record), self.figure))

    def value(self, record, table):
        return getattr(table.figures_of(record), self.figure)


def _customers(contract):
    return ", ".join(each.customer.name for each in contract.customers.all())


class ContractTable(TogetherTable):
    adds_up = "item"

    code = MainColumn(
        accessor="code", verbose_name="Contract", url="contract", sub="name", also={"Name": "name"}
    )
    customers = tables.Column(accessor="pk", verbose_name="Customers", orderable=False)
    status = StatusColumn()
    contract_value = FigureColumn("value", verbose_name="Value")
    billed = FigureColumn("billed", verbose_name="Billed")
    remaining = FigureColumn("remaining", verbose_name="Remaining")
    ready = FigureColumn("ready", verbose_name="Ready")
    last_invoice = FigureDayColumn("last_billed_on", verbose_name="Last confirmed")
    next_run = FigureDayColumn("next_run_on", verbose_name="Next run")

    class Meta:
        model = ProjectContract
        fields = ()

    def render_customers(self, record):
        return format_html('<div class="names">{}</div>', _customers(record))

    def value_customers(self, record):
        return _customers(record)

    def read_figures(self, rows):
        return {found.contract.pk: found for found in contract_performance(rows)}


def explain_proforma(proforma):
    return reverse("explain", args=["proforma", proforma.pk])


def _job(proforma, request):
    """The progress of confirming in the background, and the error if it failed."""
    if not proforma.confirm_job:
        return ""
    chip = tags.status(proforma, "confirm_job")
    if proforma.confirm_error:
        why = linked_sentence(proforma.confirm_error, request)
        return format_html('{}<div class="sub">{}</div>', chip, why)
    return chip


class ProformaTable(Table):
    indexed = ("number",)

    number = MainColumn(
        url="proforma",
        sub=lambda row: f"Run {row.run_id}" if row.run_id else "By hand",
        also={"Run number": "run_id"},
    )
    contract = TextColumn(
        accessor="contract__code",
        verbose_name="Contract",
        sub="contract__name",
        also={"Contract name": "contract__name"},
    )
    customer = TextColumn(accessor="customer__name", verbose_name="Customer")
    cutoff = DayColumn()
    amount = AmountColumn(accessor="counted", verbose_name="Net total", explain=explain_proforma)
    posted_number = TextColumn(verbose_name="Invoice", sub=lambda row: tags.day(row.posted_invoice_date))
    posted_tax = AmountColumn(verbose_name="Tax")
    posted_total = AmountColumn(verbose_name="Total")
    status = StatusColumn()
    confirm_job = tables.Column(verbose_name="Confirming", empty_values=(), orderable=False)

    selectable = True
    row_amount = "net"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.twice = {}

    def load(self, records):
        self.twice = maybe_twice([row for row in records if row.status != ProformaInvoice.Status.CONFIRMED])

    def can_select(self, record):
        return moves.allows(record, "edit")

    def label(self, record):
        whose = f"{record.contract.code} {record.customer.name}"
        net = amount_in_words(record.net, record.currency)
        return f"{record}, {whose}, until {tags.day(record.cutoff)}, {net}"

    def render_status(self, record):
        chip = tags.chip("returned") if record.is_returned else tags.status(record)
        if record.posted_number:
            chip = tags.chip("posted", "done")
        if record.pk in self.twice:
            return format_html('{}<div class="sub"><span class="warn">Possible duplicate</span></div>', chip)
        return chip

    def value_status(self, record):
        if record.posted_number:
            return "posted"
        return "returned" if record.is_returned else record.get_status_display()

    def render_confirm_job(self, record):
        return _job(record, self.request)

    def value_confirm_job(self, record):
        return record.get_confirm_job_display()


def duration(run):
    """The duration of a run in words; empty while it runs."""
    if run.finished_at is None:
        return ""
    seconds = int((run.finished_at - run.started_at).total_seconds())
    if seconds < 1:
        return "under a second"
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min {seconds % 60} s"


def who_started(run):
    """The user or the schedule that started the run."""
    if run.started_by_id:
        return str(run.started_by)
    return "the schedule" if run.trigger == InvoiceRun.Trigger.SCHEDULE else run.get_trigger_display()


def run_totals(runs, user) -> dict[int, dict[str, object]]:
    """The totals of runs or previews for contracts that the user sees: by run and currency."""
    totals = defaultdict(dict)
    made = LineDetail.objects.visible_to(user).chargeable().filter(line__proforma__run__in=runs)
    by = ("line__proforma__run", "line__proforma__currency")
    planned = RunPlanLine.objects.filter(
        run_contract__in=RunContract.objects.visible_to(user).filter(run__in=runs), code=""
    )
    for rows, keys in ((made, by), (planned, ("run_contract__run", "currency"))):
        found = rows.order_by(*keys).values_list(*keys).annotate(exact=ExactSum("amount"))
        for run, currency, amount in found:
            totals[run][currency] = amount
    return totals


def _totals(run, table):
    return table.figures_of(run)["totals"]


class RunTable(TogetherTable):
    """Runs, with counts and totals of the contracts that the reader may see."""

    pk = MainColumn(verbose_name="Run", url="run", sub=who_started, also={"Started by": who_started})
    as_of = DayColumn(verbose_name="As of")
    started_at = DayColumn(verbose_name="Started")
    duration = tables.Column(accessor="pk", verbose_name="Duration", orderable=False)
    created = tables.Column(accessor="pk", orderable=False, attrs=cells("num"))
    failed = tables.Column(accessor="pk", orderable=False, attrs=cells("num"))
    nothing = tables.Column(accessor="pk", verbose_name="Nothing ready", orderable=False, attrs=cells("num"))
    total = AmountsColumn(_totals)
    status = StatusColumn()

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def read_figures(self, rows):
        counts = {row.pk: {"totals": {}} for row in rows}
        found = RunContract.objects.visible_to(self.user).filter(run__in=rows)
        for run, outcome, n in found.order_by().values_list("run", "outcome").annotate(n=Count("pk")):
            counts[run][outcome] = n
        for run, totals in run_totals(rows, self.user).items():
            counts[run]["totals"] = totals
        return counts

    def render_pk(self, record, column):
        return column.render(self.value_pk(record), record)

    def value_pk(self, record):
        return f"{record.get_kind_display().capitalize()} {record.pk}"

    def render_duration(self, record):
        return duration(record) or "–"

    def value_duration(self, record):
        return duration(record)

    def render_created(self, record):
        return self.figures_of(record).get(RunContract.Outcome.CREATED, 0)

    def render_failed(self, record):
        n = self.figures_of(record).get(RunContract.Outcome.FAILED, 0)
        return tags.chip(n, "hold") if n else 0

    def value_failed(self, record):
        return self.figures_of(record).get(RunContract.Outcome.FAILED, 0)

    def render_nothing(self, record):
        return self.figures_of(record).get(RunContract.Outcome.NOTHING_READY, 0)
