"""Tables of entries and of imports."""

from django.urls import reverse

from actuals.models import Entry
from actuals.naming import identity_of, in_words
from invoicing_site.floor import moves
from invoicing_site.screens.tables import (
    AmountColumn,
    DayColumn,
    MainColumn,
    QuantityColumn,
    StatusColumn,
    Table,
    TextColumn,
    amount_in_words,
    cells,
)

_QUIET = cells("num c-hide", "num")


def _title(entry):
    """The entry's description; without one, values that distinguish it from other entries."""
    return entry.description or identity_of(entry)


def _kind(entry):
    parts = [entry.get_transaction_class_display().capitalize()]
    parts += [str(each) for each in (entry.category, entry.product, entry.role) if each]
    if entry.status == Entry.Status.REJECTED and entry.decision_comment:
        parts.append(f"rejected: {entry.decision_comment}")
    return " · ".join(parts)


def _task(entry):
    return entry.task.name if entry.task else entry.project.name


def _page(entry):
    return reverse("entry", args=[entry.pk])


class EntryTable(Table):
    description = MainColumn(
        accessor="pk", order_by=("description", "pk"), verbose_name="Entry", url=_page, sub=_kind
    )
    date = DayColumn()
    project = TextColumn(
        accessor="project__code", verbose_name="Project", sub=_task, also={"Task": "task__name"}
    )
    quantity = QuantityColumn()
    net = AmountColumn(
        accessor="cost_net",
        currency="cost_currency",
        verbose_name="Net",
        attrs=_QUIET,
    )
    status = StatusColumn()

    selectable = True

    def render_description(self, value, record, column):
        return column.render(_title(record), record)

    def value_description(self, record):
        return _title(record)

    def can_select(self, record):
        return moves.allows(record, "submit") or moves.allows(record, "recall")

    def label(self, record):
        return in_words(record, amount_in_words(record.cost_net, record.cost_currency))


class ExpenseTable(EntryTable):
    tax = AmountColumn(
        accessor="cost_tax",
        currency="cost_currency",
        main=False,
        verbose_name="Tax",
        attrs=_QUIET,
    )
    net = AmountColumn(accessor="cost_net", currency="cost_currency", verbose_name="Net")

    row_amount = "cost_net"
    row_currency = "cost_currency"

    class Meta(EntryTable.Meta):
        sequence = ("description", "date", "project", "quantity", "tax", "net", "status")


class ImportedTable(EntryTable):
    resource = TextColumn(accessor="resource__name", order_by="resource__name", verbose_name="Resource")
    selectable = False

    class Meta(EntryTable.Meta):
        sequence = ("description", "date", "resource", "project", "quantity", "net", "status")


class ImportTable(Table):
    name = MainColumn(
        order_by="file__name",
        verbose_name="File",
        url="import",
        sub=lambda each: each.get_format_display(),
    )
    imported_at = DayColumn(verbose_name="Imported")
    imported_by = TextColumn(verbose_name="By", order_by="imported_by__username")
    rows = QuantityColumn(unit="", verbose_name="Rows")
    added = QuantityColumn(unit="", verbose_name="Added")
    status = StatusColumn()
