"""A list: filter, sort, totals, columns, page size, saved views, export, selection for bulk actions."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Sum
from django.http import Http404, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_filters.views import FilterView
from django_tables2 import RequestConfig, SingleTableMixin
from django_tables2.rows import BoundRows

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.models import SavedView
from invoicing_site.screens import paging
from invoicing_site.screens.export import check_length, exported
from invoicing_site.screens.pages import Screen

PAGE_SIZES = (25, 50, 100, 200)
CHOSEN = "rows"  # keys of selected rows in the address of a list: 4-8-15
_MOST_CHOSEN = 200
_FEW = 500  # rows that are found once by the filter, and then by their keys


@dataclass(frozen=True)
class Action:
    """A button of the bulk bar: its URL name, label, keyboard key, and confirmation question."""

    url: str  # URL name
    label: str
    permission: str
    icon: str = "check"
    key: str = ""
    confirm: str = ""  # can contain {n} and {sum}
    style: str = ""  # primary, danger, or a plain button


class ListScreen(Screen, SingleTableMixin, FilterView):
    """The rows of one model that the reader may see in the selected legal entity.

    Subclasses define model, permission, table_class, filterset_class, and optionally `amount_field` with
    `currency_field` for the totals above the list. With htmx, only the results are rendered.
    `?_export=csv` or `xlsx` returns all filtered rows with the visible columns. A table reads additional data
    in `load`, for the rows of the page or a chunk of the file.

    A list counts and adds up its rows while they are at most LIST_COUNTED. Above that it does so on demand:
    with `?_count=1`, and with `?_all=1`, which also selects all rows for a bulk action.
    """

    template_name = "screens/list.html"
    results_template = "screens/results.html"
    strict = True  # an invalid filter shows no rows; otherwise the list would show all rows
    entity_path = "entity"
    amount_field = ""
    currency_field = "currency"
    has_totals = False  # whether `summed` adds up anything without an `amount_field`
    is_unsummed = False
    actions = ()
    table_data_keys = False
    noun = ("row", "rows")
    empty_title = "No rows"
    empty_text = "No rows match. Remove a filter to see more."
    empty_link = ()  # URL name and label of the next step, if there is one

    @classmethod
    def rows(cls, request):
        """All rows of the list before any filter."""
        rows = cls.model.objects.visible_to(request.user)
        return rows.filter(**{cls.entity_path: request.entity}) if cls.entity_path else rows

    @classmethod
    def filtered(cls, request, query):
        """The rows that match a query string, as the list itself would show them."""
        query = QueryDict(query)
        rows = only_chosen(cls.rows(request), query)
        found = cls.filterset_class(query, queryset=rows, request=request)
        return found.qs if found.is_valid() else found.queryset.none()

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        # Both count for this request only: no link and no saved view of the page repeats them.
        request.GET = request.GET.copy()
        self.is_everything = bool(request.GET.pop("_all", None))
        self.is_exact = bool(request.GET.pop("_count", None)) or self.is_everything

    def get_queryset(self):
        return self.rows(self.request)

    def get_filterset_kwargs(self, filterset_class):
        # Always bound, so that the defaults of a filter also apply without a query.
        kwargs = super().get_filterset_kwargs(filterset_class)
        kwargs["data"] = self.request.GET
        kwargs["queryset"] = only_chosen(kwargs["queryset"], self.request.GET)
        return kwargs

    def get_template_names(self):
        partial = self.request.htmx and not self.request.htmx.boosted
        return [self.results_template if partial else self.template_name]

    def get_table_kwargs(self):
        hidden = self.hidden_columns()
        return {"exclude": tuple(hidden)} if hidden else {}

    def optional_columns(self):
        """Columns that the reader can hide: all but the first."""
        return list(self.table_class.base_columns)[1:]

    def hidden_columns(self):
        chosen = self.request.GET.getlist("_columns")
        return [name for name in self.optional_columns() if chosen and name not in chosen]

    def page_size(self):
        size = key_of(self.request.GET.get("_size", ""))
        return size if size in PAGE_SIZES else PAGE_SIZES[1]

    def find(self):
        """Count the filtered rows, at most one more than LIST_COUNTED.

        If only few match, they are read by their keys from now on, so that a slow search runs once.
        """
        found = self.object_list.order_by().values_list("pk", flat=True)
        keys = list(found[: settings.LIST_COUNTED + 1])
        self.counted = len(keys)
        if self.counted <= min(_FEW, settings.LIST_COUNTED):
            self.object_list = self.object_list.filter(pk__in=keys)

    @property
    def is_long(self):
        """Whether the list is too long to be counted and added up each time."""
        return self.counted > settings.LIST_COUNTED

    def is_too_long_to_sort(self, table):
        """Whether the reader sorts by a column without an index, which would take too long."""
        asked, most = self.request.GET.getlist("sort"), settings.LIST_SORTED
        is_indexed = all(name.lstrip("-") in table.indexed for name in asked)
        return self.is_long and not is_indexed and paging.counted(self.object_list, most) > most

    def get_table(self, **kwargs):
        """The table with its rows in order, and its page unless it becomes a file."""
        table = self.table_class(data=self.get_table_data(), **kwargs)
        if "_export" not in self.request.GET and self.is_too_long_to_sort(table):
            table.sort_by_index_only()
        RequestConfig(self.request, paginate=False).configure(table)
        if "_export" in self.request.GET:
            return table
        rows, page, size = table.data.data, self.request.GET.get("page", ""), self.page_size()
        if self.is_long or paging.is_place(page):
            table.page = paging.placed(rows, page, size, table.indexed)
        else:
            table.page = paging.numbered(rows, page, size, self.counted)
        table.page.object_list = BoundRows(table.page.object_list, table=table)
        return table

    def get(self, request, *args, **kwargs):
        if kind := request.GET.get("_export"):
            return self.file(kind)
        if name := request.GET.get("_suggest"):
            return self.suggestions(name)
        return super().get(request, *args, **kwargs)

    def suggestions(self, name):
        """Rows that a filter can be set to, for the typed text; see `finding`."""
        field = self.get_filterset(self.get_filterset_class()).form.fields.get(name)
        if not hasattr(field, "suggested"):
            raise Http404("There is no such filter.")
        return JsonResponse({"found": field.suggested(self.request.GET.get("_text", ""))})

    def file(self, kind):
        """All filtered rows as a file; if an XLSX file would be too long, it is refused on the list."""
        self.filterset = self.get_filterset(self.get_filterset_class())
        found = self.filterset.qs if self.filterset.is_valid() else self.filterset.queryset.none()
        self.object_list = found
        try:
            check_length(kind, found)
        except Refused as refusal:
            messages.error(self.request, refusal.message)
            query = self.request.GET.copy()
            del query["_export"]
            return redirect(f"{self.request.path}?{query.urlencode()}")
        return exported(self.get_table(**self.get_table_kwargs()), kind, name=self.get_title())

    def get_context_data(self, **context):
        context["drawn"] = timezone.now().isoformat()  # before anything is read
        self.find()
        context = super().get_context_data(**context | {"object_list": self.object_list})
        context["table"].load([row.record for row in context["table"].paginated_rows])
        query = self.request.GET.copy()
        for name in list(query):
            if name.startswith("_") or name in ("page", "sort") or not any(query.getlist(name)):
                del query[name]
        context["query"] = query.urlencode()
        context["actions"] = [action for action in self.actions if self.request.may(action.permission)]
        context["noun"] = self.noun
        context["page_size"], context["page_sizes"] = self.page_size(), PAGE_SIZES
        context["list_url"] = self.request.path
        context["active_filters"] = self.active_filters(query)
        context["columns"] = self.column_choices()
        context |= self.totals()
        page = self.request.resolver_match.view_name
        context["page_name"] = page
        context["saved_views"] = SavedView.objects.filter(user=self.request.user, page=page).order_by("name")
        context["totals_template"] = getattr(self, "totals_template", "partials/totals.html")
        context["data_keys"] = self.table_data_keys
        context["empty_title"], context["empty_text"] = self.empty_title, self.empty_text
        if context["active_filters"] and self.empty_link:
            context["empty_title"], context["empty_text"] = ListScreen.empty_title, ListScreen.empty_text
        elif self.empty_link:
            address, context["empty_button"] = self.empty_link
            context["empty_url"] = reverse(address)
        return context

    def column_choices(self):
        hidden = self.hidden_columns()
        columns = self.table_class.base_columns
        return [
            (name, columns[name].verbose_name or name.replace("_", " ").capitalize(), name not in hidden)
            for name in self.optional_columns()
        ]

    def totals(self):
        """The count of all filtered rows and what `summed` adds, as far as a long list was asked for it."""
        found = {"matching": min(self.counted, settings.LIST_COUNTED), "sums": [], "stamp": ""}
        if not self.is_long or self.is_exact:
            found |= self.summed(self.object_list)
        elif self.amount_field or self.has_totals:
            self.is_unsummed = True
        if self.is_exact and not found["stamp"]:
            found["stamp"], found["matching"] = stamp_of(self.object_list)
        return found | {
            "is_everything": self.is_everything,
            "is_capped": self.is_long and not self.is_exact,
            "is_unsummed": self.is_unsummed,
        }

    def adds_up(self, rows):
        """Whether to add up these rows of another table: if they are few, or if the totals were asked for."""
        most = settings.LIST_COUNTED
        self.is_unsummed = not self.is_exact and paging.counted(rows, most) > most
        return not self.is_unsummed

    def summed(self, rows):
        """The totals of all filtered rows by currency; with their count and a stamp for "select all"."""
        if not self.amount_field:
            return {}
        sums = list(
            rows.order_by()
            .values(self.currency_field)
            .annotate(n=Count("pk"), sum=ExactSum(self.amount_field), keys=Sum("pk"), **self.also_summed())
            .order_by(self.currency_field)
        )
        count = sum(each["n"] for each in sums)
        keys = sum(each.pop("keys") for each in sums)
        sums = [{"currency": each.pop(self.currency_field), **each} for each in sums]
        return {"stamp": f"{count}-{keys}", "matching": count, "sums": sums}

    def also_summed(self):
        """More sums per currency, by name."""
        return {}

    def active_filters(self, query):
        """For each active filter: its label, its value in words, and the query without it."""
        active = []
        if CHOSEN in query:
            rest = query.copy()
            del rest[CHOSEN]
            active.append(("Only", "the rows you selected", rest.urlencode()))
        form = self.filterset.form
        for name, field in form.fields.items():
            if hasattr(field, "suggested"):  # its key and its text are one filter
                if chosen := form.cleaned_data.get(name) or query.get(name):
                    rest = query.copy()
                    for key in (name, f"{name}_text"):
                        rest.pop(key, None)
                    active.append((field.label, str(chosen), rest.urlencode()))
                continue
            for value in filter(None, query.getlist(name)):
                rest = query.copy()
                rest.setlist(name, [each for each in rest.getlist(name) if each != value])
                active.append((field.label or name, _in_words(field, value), rest.urlencode()))
        return active


def only_chosen(rows, query):
    """The rows with the keys in the query, at most as many as a link names, or all rows if it has none."""
    if CHOSEN not in query:
        return rows
    return rows.filter(pk__in=keys_of(query[CHOSEN].split("-"))[:_MOST_CHOSEN])


def address_of_chosen(url_name, rows):
    """The address of the list with only these rows; empty if there are too many keys for an address."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[: _MOST_CHOSEN + 1])
    return f"{reverse(url_name)}?{CHOSEN}={'-'.join(map(str, keys))}" if len(keys) <= _MOST_CHOSEN else ""


def _in_words(field, value):
    choices = getattr(field, "choices", None)
    if choices is None:
        return value
    return str(dict(choices).get(value, value))


def key_of(text):
    """The key in a text from outside; None if it is not a valid key."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def keys_of(texts):
    """The keys among the texts, in their order."""
    return [key for key in map(key_of, texts) if key is not None]


def stamp_of(rows):
    """A stamp that changes when rows are added or removed, and the number of rows."""
    found = rows.order_by().aggregate(n=Count("pk"), keys=Sum("pk"))
    return f"{found['n']}-{found['keys'] or 0}", found["n"]


def selection(screen, request, permission):
    """The rows that were selected in a list: by their keys, or all rows of its filter.

    Refused if nothing is selected, and if the filtered rows have changed since the list was shown. Rows that
    the reader may not see are not included.
    """
    posted = request.POST
    if posted.get("all_matching") == "1":
        rows = screen.filtered(request, posted.get("filter", ""))
        stamp, count = stamp_of(rows)
        if stamp != posted.get("stamp"):
            shown = key_of(posted.get("stamp", "").partition("-")[0])
            if shown is None:
                raise Refused("SELECTION-UNKNOWN")
            raise Refused("SELECTION-CHANGED", shown=shown, count=count)
    else:
        keys = keys_of(posted.getlist("pk"))[:1000]
        rows = screen.rows(request).filter(pk__in=keys)
    may_do = screen.model.objects.reachable(request.user, permission)
    rows = screen.model.objects.filter(pk__in=rows.order_by().values("pk")).filter(
        pk__in=may_do.order_by().values("pk")
    )
    if not rows.exists():
        raise Refused("NOTHING-SELECTED")
    return rows


def drawn_at(request):
    """The time when the list of the selection was rendered; None if the form does not include it."""
    try:
        drawn = parse_datetime(request.POST.get("drawn", ""))
    except ValueError:
        return None
    return drawn if drawn and timezone.is_aware(drawn) else None


def back_to(url_name, request):
    """The address of the list with its filter."""
    query = request.POST.get("filter", "")
    return f"{reverse(url_name)}?{QueryDict(query).urlencode()}" if query else reverse(url_name)
