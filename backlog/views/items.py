"""The backlog page, with keyboard control like a spreadsheet (BKL-1, BKL-2, BKL-5, BKL-7)."""

import calendar

from django.db.models import Count, F, Q
from django.db.models.functions import TruncMonth
from django.http import QueryDict
from django.urls import reverse

from backlog import obstacles, operations
from backlog.filters import GROUPS, OBSTACLES, BacklogFilter
from backlog.forms import HoldForm
from backlog.models import BacklogAction, BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.tables import BacklogTable
from contracts.models import Customer, Project, ProjectContract, Role
from invoicing_site.floor import formatting, wording
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens import Action, Answer, BulkForm, BulkOperation, ListScreen, Operation

# The column of a group's key, and the model with its label.
_KEYS = {
    "contract": ("contract", ProjectContract),
    "project": ("actual__project", Project),
    "customer": ("contract_customer__customer", Customer),
    "role": ("actual__role", Role),
    "month": ("month", None),
}


class Backlog(ListScreen):
    """All unbilled sales actuals that are not invoiced yet."""

    model = BacklogItem
    permission = "backlog.view"
    title = "Time and material backlog"
    lead = "Work that is not invoiced yet. Mark completed work as ready; only ready items are invoiced."
    template_name = "backlog/backlog.html"
    totals_template = "backlog/totals.html"
    entity_path = "contract__entity"
    filterset_class = BacklogFilter
    table_class = BacklogTable
    table_data_keys = True
    amount_field = "counted"
    noun = ("item", "items")
    actions = (
        Action("mark_ready", "Mark ready to invoice", "backlog.mark", key="r", style="primary"),
        Action("mark_not_ready", "Mark not ready", "backlog.mark", icon="undo-2", key="n"),
        Action("hold_items", "Hold", "backlog.mark", icon="pause", key="h"),
        Action(
            "release_holds",
            "Release hold",
            "backlog.mark",
            icon="play",
            confirm="Release the hold on {n} selected items? Their dates and reasons are deleted.",
        ),
        Action("evaluate_items", "Test limits again", "backlog.mark", icon="gauge"),
        Action("create_from_backlog", "Create proformas", "proforma.create", icon="file-plus", key="p"),
    )
    empty_title = "Nothing to bill"
    empty_text = "Approve entries to fill the backlog, or remove a filter to see more."

    @classmethod
    def rows(cls, request):
        return super().rows(request).open().filter(actual__isnull=False).order_by("date", "pk")

    def get_queryset(self):
        rows = self.rows(self.request).with_counted()
        return obstacles.loaded(rows).select_related(
            "actual__project",
            "actual__resource",
            "actual__role",
            "actual__task",
            "actual__category",
            "actual__product",
        )

    @property
    def results_template(self):
        return "backlog/groups.html" if self.request.GET.get("group") in GROUPS else "screens/results.html"

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        by = self.request.GET.get("group")
        if by in GROUPS:
            context["groups"] = grouped(context["object_list"], by, context["query"])
            context["group_label"] = GROUPS[by].capitalize()
        form = self.filterset.form
        chosen = form.cleaned_data.get("contract") if form.is_valid() else None
        if chosen and (contract := chosen.row):
            context["limits"] = limits_of(contract)
            context["limits_contract"] = contract
        return context

    def also_summed(self):
        return sums_by_state()


def sums_by_state():
    """The amounts that are ready, over a limit, invoiced and not charged, of rows with `counted`."""
    return {
        "ready": ExactSum("counted", filter=Q(status="ready")),
        "over": ExactSum("counted", filter=Q(limit_status="failed")),
        "invoiced": ExactSum("counted", filter=Q(status__in=["created", "posted"])),
        "not_charged": ExactSum(F("amount") - F("counted")),
    }


def limits_of(contract):
    """The limits of the contract: label, limit, and remaining amount."""
    book = LimitBook.load(contract)
    customers = {share.pk: share.customer.name for share in contract.customers.select_related("customer")}
    lines = {line.pk: str(line) for line in contract.lines.all()}
    words = {
        "contract": lambda: "Contract",
        "customer": lambda customer: customers[customer],
        "line": lambda line: lines[line],
        "line_customer": lambda line, customer: f"{lines[line]}, {customers[customer]}",
    }
    return [
        (words[level](*keys), limit, book.left(level, *keys))
        for (level, *keys), limit in sorted(book.limits.items(), key=str)
    ]


def grouped(rows, by, query):
    """Count and total per group and currency, each with the address of its rows; two queries."""
    path, model = _KEYS[by]
    rows = rows.with_counted().order_by()
    if by == "month":
        rows = rows.annotate(month=TruncMonth("date"))
    sums = (
        rows.values(path, "currency")
        .annotate(n=Count("pk"), sum=ExactSum("counted"), ready=ExactSum("counted", filter=Q(status="ready")))
        .order_by(path, "currency")
    )
    sums = list(sums)
    names = model.objects.in_bulk({each[path] for each in sums if each[path]}) if model else {}
    found = [
        {
            "label": _group_label(each[path], names, by),
            "url": _group_url(each[path], by, query),
            **{name: each[name] for name in ("currency", "n", "sum", "ready")},
        }
        for each in sums
    ]
    return found if by == "month" else sorted(found, key=lambda each: (each["label"], each["currency"]))


def _group_label(key, names, by):
    if by == "month":
        return formatting.month(key)
    row = names.get(key)
    if row is None:
        return f"No {GROUPS[by]}"
    code = getattr(row, "code", "") or getattr(row, "number", "")
    return f"{code} {row.name}".strip()


def _group_url(key, by, query):
    """The address of the list with this group's rows; empty if no filter can select them."""
    if key is None:
        return ""
    rest = QueryDict(query, mutable=True)
    rest.pop("group", None)
    if by == "month":
        last = calendar.monthrange(key.year, key.month)[1]
        first, last = key.replace(day=1), key.replace(day=last)
        # Keep a narrower date range of the current filter.
        rest["since"] = max(rest.get("since", ""), first.isoformat())
        rest["until"] = min(rest.get("until") or "9999", last.isoformat())
    else:
        rest[by] = str(key)
    return f"{reverse('backlog')}?{rest.urlencode()}"


class _OnBacklog:
    screen, list_url, permission = Backlog, "backlog", "backlog.mark"

    def reply(self, marked, state):
        return reply(marked, state, link=blocked_link(marked.codes, self.request.POST.get("filter", "")))


class MarkReady(_OnBacklog, BulkOperation):
    def operate(self, rows):
        return self.reply(operations.mark_ready(rows, by=self.request.user), "marked ready to invoice")


class MarkNotReady(_OnBacklog, BulkOperation):
    def operate(self, rows):
        return self.reply(operations.mark_not_ready(rows, by=self.request.user), "marked not ready")


class Hold(_OnBacklog, BulkForm):
    """Put rows on hold until a date, with a reason."""

    form_class, title, button = HoldForm, "Put on hold", "Hold"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"today": self.request.entity.today()}

    def operate(self, form):
        held = operations.hold(self.rows, by=self.request.user, **form.cleaned_data)
        return reply(held, "put on hold")


class ReleaseHold(_OnBacklog, BulkOperation):
    def operate(self, rows):
        released = operations.release_hold(rows, by=self.request.user)
        n = released.changed
        return Answer(f"{n} {'item' if n == 1 else 'items'} released from hold.", left=released.reasons)


class Evaluate(_OnBacklog, BulkOperation):
    """Test items over a limit again, after amounts became free under it."""

    def operate(self, rows):
        found = operations.evaluate(list(rows), by=self.request.user)
        fitting = found.fitting
        text = wording.counted(fitting, "item fits its limits now", "items fit their limits now")
        query = self.request.POST.get("filter", "")
        link = blocked_link({each.code for each in found.left}, query)
        return Answer(f"{text if fitting else 'No item fits its limits now'}.", left=found.reasons, link=link)


class Undo(Operation):
    """Undo a marking; items that are on an invoice since then are not changed."""

    model, permission = BacklogAction, "backlog.mark"

    def operate(self, action):
        n = operations.undo(action, by=self.request.user)
        return Answer(f"{n} {'item' if n == 1 else 'items'} restored.")

    def success_url(self, action):
        is_work = action.items.filter(item__actual__isnull=False).exists()
        return reverse("backlog" if is_work or not action.items.exists() else "milestones")


def reply(marked, state, noun="item", link=""):
    """The message after a marking, with its undo link."""
    n = marked.changed
    text = f"{n} {noun if n == 1 else noun + 's'} {state}." if n else f"No {noun} was {state}."
    undo = reverse("undo_marking", args=[marked.action.pk]) if n else ""
    return Answer(text, left=marked.reasons, link=link, undo=undo)


def blocked_link(codes, query):
    """The address of the list with the rows that were not changed, if a filter can select them."""
    shown = [each.code for each in OBSTACLES if each.code in codes]
    if not shown:
        return ""
    rest = QueryDict(query, mutable=True)
    for name in ("blocked", "group", "status"):
        rest.pop(name, None)
    rest.setlist("blocked", shown)
    return f"{reverse('backlog')}?{rest.urlencode()}"
