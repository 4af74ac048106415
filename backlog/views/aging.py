"""The age of unbilled work, its blockers, and who can fix them (BKL-4)."""

import datetime
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404
from django.urls import reverse

from backlog import obstacles
from backlog.aging import GROUPS, AgingRow, aging, blockers, unbilled
from backlog.filters import OBSTACLES
from backlog.forms import AgingForm
from backlog.models import BacklogItem
from invoicing_site.screens import Page
from invoicing_site.screens.export import exported
from invoicing_site.screens.lists import key_of
from invoicing_site.screens.tables import in_minor_units

_BUCKETS = {
    "days_0_30": ("0–30 days", None, 30),
    "days_31_60": ("31–60 days", 31, 60),
    "days_61_90": ("61–90 days", 61, 90),
    "over_90": ("Over 90 days", 91, None),
}
_PER_PAGE = 50


@dataclass
class Shown:
    """One row of the page: its amounts with links, and the number of items by blocker."""

    row: AgingRow
    label: str
    cells: list = field(default_factory=list)  # label, amount, address
    url: str = ""
    kept: list = field(default_factory=list)  # text, count, address


class AgingFile:
    """The rows of the page for a file: one per group and currency."""

    def __init__(self, by, rows):
        self.by, self.rows = by, rows

    def as_values(self):
        labels = [label for label, *_ in _BUCKETS.values()]
        yield [self.by.capitalize(), "Items", "Currency", *labels, "Total"]
        for each in self.rows:
            row = each.row
            amounts = (*(amount for _, amount, _ in each.cells), row.total)
            amounts = (in_minor_units(amount, row.currency) for amount in amounts)
            yield [each.label, row.items, row.currency, *amounts]


class Aging(Page):
    """Unbilled work by age: for today from the open backlog, for a past date as it was then.

    With `group`, its items are listed below, oldest first, each with its blockers.
    """

    permission = "backlog.view"
    template_name = "backlog/aging.html"
    title = "Aging of unbilled work"
    lead = "Chargeable work that is not invoiced yet, by days since it was done."

    def get(self, request, *args, **kwargs):
        if kind := request.GET.get("_export"):
            context = self.get_context_data(whole=True)
            name = f"Unbilled work by {context['by']} {request.entity.code} {context['on']}"
            table = AgingFile(context["by"], context["rows"])
            return exported(table, kind, name=name)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, whole=False, **context):
        request, today = self.request, self.request.entity.today()
        form = AgingForm(request.GET if request.GET.get("on") else {"on": today})
        on = form.cleaned_data["on"] if form.is_valid() else today
        by = request.GET.get("by", "contract")
        if by not in GROUPS:
            raise Http404("Unbilled work is grouped by contract, project or manager.")
        items = BacklogItem.objects.visible_to(request.user).filter(contract__entity=request.entity)
        items = items.open() if on >= today else items
        kept = [each.condition(today) for each in OBSTACLES] if on >= today else []
        rows = aging(items, by=by, on=on, counting=kept)
        part = Paginator(rows, max(len(rows), 1) if whole else _PER_PAGE).get_page(request.GET.get("part"))
        context |= {"form": form, "on": on, "by": by, "groups": list(GROUPS), "is_today": on >= today}
        context |= {
            "columns": [label for label, *_ in _BUCKETS.values()],
            "rows": shown(part, by, on, today),
            "part": part,
            "totals": totals(rows),
        }
        return super().get_context_data(**context | chosen(request, items, by, on))


def shown(found, by, on, today):
    """The rows of the page: each group's amounts by age, and for today the number of items per blocker."""
    rows = []
    for row in found:
        key = row.group.pk if row.group else None
        each = Shown(row, str(row.group) if row.group else f"No {by}")
        if key is not None:
            each.url = f"?{urlencode({'by': by, 'on': on.isoformat(), 'group': key})}"
        for name, (label, first, last) in _BUCKETS.items():
            url = backlog_url(by, key, on, first, last) if on >= today and key else ""
            each.cells.append((label, getattr(row, name), url))
        each.kept = [
            (each.label, n, backlog_url(by, key, on, blocked=each.code) if key else "")
            for each, n in zip(OBSTACLES, row.counts, strict=False)
            if n
        ]
        rows.append(each)
    return rows


def chosen(request, items, by, on):
    """One page of the items of the selected group, with their blockers."""
    key = key_of(request.GET.get("group", ""))
    if key is None:
        return {}
    path, model = GROUPS[by]
    items = unbilled(items, on=on).filter(**{path: key})
    related = [f"actual__{name}" for name in ("project", "resource", "task", "category", "product")]
    items = obstacles.loaded(items).select_related(*related).order_by("date", "pk")
    page = Paginator(items, _PER_PAGE).get_page(request.GET.get("page"))
    if not page.paginator.count:
        return {}
    rows = [(item, blockers(item, on=on), (on - item.date).days) for item in page]
    return {"group": model.objects.filter(pk=key).first(), "items": rows, "page": page}


def backlog_url(by, key, on, first=None, last=None, blocked=""):
    """The address of the backlog with the rows of an amount."""
    query = {by: key, "billing_type": "chargeable", "until": on.isoformat()}
    if last is not None:
        query["since"] = (on - datetime.timedelta(days=last)).isoformat()
    if first is not None:
        query["until"] = (on - datetime.timedelta(days=first)).isoformat()
    if blocked:
        query["blocked"] = blocked
    return f"{reverse('backlog')}?{urlencode(query)}"


def totals(rows):
    """The totals per currency; with several managers, an item is counted in each of their rows."""
    sums = {}
    for row in rows:
        parts = [getattr(row, name) for name in _BUCKETS]
        before = sums.get(row.currency, [0] * (len(parts) + 1))
        sums[row.currency] = [a + b for a, b in zip(before, [*parts, row.total], strict=True)]
    labels = [*(label for label, *_ in _BUCKETS.values()), "Total"]
    return [(currency, list(zip(labels, found, strict=True))) for currency, found in sorted(sums.items())]
