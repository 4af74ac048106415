"""Fixed-price milestones in parts: due, ready, invoiced, and billed by progress (MIL-1, MIL-2)."""

from django.db.models import Q
from django.urls import reverse

from backlog import obstacles, operations
from backlog.filters import MilestoneFilter
from backlog.forms import ProgressForm
from backlog.models import BacklogItem
from backlog.slices import slice_of, slices_of, whole_of
from backlog.tables import MilestoneTable, share_of
from backlog.views.items import reply, sums_by_state
from invoicing_site.floor import formatting
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens import Action, Answer, BulkOperation, FormOperation, ListScreen

Status = BacklogItem.Status
_RELATED = (
    "contract__entity",
    "contract_line",
    "contract_customer__customer",
    "milestone_part__milestone",
)


class Milestones(ListScreen):
    """The customers' parts of milestones of confirmed contracts, invoiced or not."""

    model = BacklogItem
    permission = "backlog.view"
    title = "Milestones"
    lead = "Fixed-price milestones, one row per customer. Mark milestones that are reached as ready."
    entity_path = "contract__entity"
    filterset_class = MilestoneFilter
    table_class = MilestoneTable
    table_data_keys = True
    amount_field = "amount"
    totals_template = "backlog/totals.html"
    noun = ("milestone", "milestones")
    actions = (
        Action("mark_milestones_ready", "Mark ready to invoice", "backlog.mark", key="r", style="primary"),
        Action("mark_milestones_not_ready", "Mark not ready", "backlog.mark", icon="undo-2", key="n"),
        Action("create_from_milestones", "Create proformas", "proforma.create", icon="file-plus", key="p"),
    )
    empty_title = "No milestones"
    empty_text = (
        "The milestones of fixed-price contract lines are shown here after their contract is confirmed."
    )

    @classmethod
    def rows(cls, request):
        rows = super().rows(request).filter(milestone_part__isnull=False)
        return rows.exclude(status=Status.CANCELED).order_by("date", "pk")

    def get_queryset(self):
        return obstacles.loaded(self.rows(self.request).with_counted()).select_related(*_RELATED)

    def also_summed(self):
        return sums_by_state()


class MarkReady(BulkOperation):
    screen, list_url, permission = Milestones, "milestones", "backlog.mark"

    def operate(self, rows):
        return reply(
            operations.mark_ready(rows, by=self.request.user), "marked ready to invoice", "milestone"
        )


class MarkNotReady(BulkOperation):
    screen, list_url, permission = Milestones, "milestones", "backlog.mark"

    def operate(self, rows):
        return reply(operations.mark_not_ready(rows, by=self.request.user), "marked not ready", "milestone")


# Labels of the totals of a milestone's parts by status.
_STATES = {
    "On a confirmed proforma": ("posted", Status.POSTED),
    "On a draft proforma": ("created", Status.CREATED),
    "Ready to invoice": ("ready", Status.READY),
    "Not ready": ("waiting", Status.NOT_READY),
}


class Progress(FormOperation):
    """One part of a milestone: the invoiced amount, and the next amount to invoice (MIL-2)."""

    model, permission = BacklogItem, "backlog.view"
    form_class, button = ProgressForm, "Mark ready to invoice"
    template_name = "backlog/progress.html"

    def rows(self):
        return BacklogItem.objects.filter(milestone_part__isnull=False).select_related(*_RELATED)

    def check_permission(self, request):
        if request.method == "POST":
            self.permission = "backlog.mark"
        super().check_permission(request)

    def get_title(self):
        return self.row.title

    def get_context_data(self, **context):
        context = super().get_context_data(item=self.row, **context)
        item, whole = self.row, whole_of(self.row.milestone_part)
        slices = slices_of(item)
        sums = slices.aggregate(
            **{name: ExactSum("amount", filter=Q(status=status)) for name, status in _STATES.values()}
        )
        context["whole"] = whole
        context["progress"] = [
            (label, sums[name], share_of(sums[name], whole.amount)) for label, (name, _) in _STATES.items()
        ]
        context["left"], context["left_share"] = item.amount, share_of(item.amount, whole.amount)
        context["slices"] = slices.order_by("pk")
        may_mark = BacklogItem.objects.reachable(self.request.user, "backlog.mark").filter(pk=item.pk)
        context["may_bill"] = item.status == Status.NOT_READY and may_mark.exists()
        return context

    def operate(self, form):
        item, data = self.row, form.cleaned_data
        amount = data["amount"]
        if amount is None:
            amount = slice_of(item, data["percent"])
        slices = operations.split_off(item, amount=amount, by=self.request.user)
        rest = (
            f"{formatting.amount(slices.rest.amount, item.currency)} stays not ready." if slices.rest else ""
        )
        made = f"{formatting.currency_first(amount, item.currency)} of “{item.title}” is ready to invoice."
        return Answer(f"{made} {rest}".strip())

    def get_back_url(self):
        return reverse("milestones")
