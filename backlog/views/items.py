"""The project manager's room: the backlog, worked like a spreadsheet (BKL-1, BKL-2, BKL-7)."""

from django.urls import reverse

from backlog import operations
from backlog.filters import BacklogFilter
from backlog.models import BacklogAction, BacklogItem
from backlog.tables import BacklogTable
from invoicing_site.screens import Action, BulkOperation, ListScreen, Operation, Told


class Backlog(ListScreen):
    """Every unbilled sales actual that is on no invoice yet."""

    model = BacklogItem
    permission = "backlog.view"
    title = "Time and material backlog"
    lead = "Work done and not yet invoiced. Mark what is complete; invoices are made of what is ready."
    entity_path = "contract__entity"
    filterset_class = BacklogFilter
    table_class = BacklogTable
    table_data_keys = True
    amount_field = "amount"
    noun = ("item", "items")
    actions = (
        Action("mark_ready", "Mark ready to invoice", "backlog.mark", key="r", style="primary"),
        Action("mark_not_ready", "Mark not ready", "backlog.mark", icon="undo-2", key="n"),
    )

    @classmethod
    def rows(cls, request):
        return super().rows(request).open().filter(actual__isnull=False).order_by("date", "pk")

    def get_queryset(self):
        return self.rows(self.request).select_related(
            "contract", "contract_customer__customer", "actual__project", "actual__resource", "actual__role"
        )


class MarkReady(BulkOperation):
    screen, list_url, permission = Backlog, "backlog", "backlog.mark"

    def operate(self, rows):
        return told(operations.mark_ready(rows, by=self.request.user), "ready to invoice")


class MarkNotReady(BulkOperation):
    screen, list_url, permission = Backlog, "backlog", "backlog.mark"

    def operate(self, rows):
        return told(operations.mark_not_ready(rows, by=self.request.user), "not ready")


class Undo(Operation):
    """Take back a marking; what an invoice took meanwhile stays."""

    model, permission = BacklogAction, "backlog.mark"

    def operate(self, action):
        n = operations.undo(action, by=self.request.user)
        return Told(f"{n} {'item' if n == 1 else 'items'} put back as before.")

    def success_url(self, action):
        return reverse("backlog")


def told(marked, state):
    """The answer to a marking, with its undo."""
    n = marked.action.changed
    text = f"{n} {'item' if n == 1 else 'items'} marked {state}."
    return Told(text, left=marked.reasons, undo=reverse("undo_marking", args=[marked.action.pk]) if n else "")
