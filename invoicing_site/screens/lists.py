"""A list: filter, sort, totals, columns, page size, saved views, export, and what a bulk action acts on."""

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.models import SavedView
from invoicing_site.screens.export import check_length, exported
from invoicing_site.screens.pages import Screen

PAGE_SIZES = (25, 50, 100, 200)
CHOSEN = "rows"  # keys of chosen rows in the address of a list: 4-8-15
_MOST_CHOSEN = 200


@dataclass(frozen=True)
class Action:
    """A button of the bulk bar: where it posts to, its words, its key in the grid, what it asks before."""

    url: str  # URL name
    label: str
    permission: str
    icon: str = "check"
    key: str = ""
    confirm: str = ""  # may hold {n} and {sum}
    style: str = ""  # primary, danger, or a plain button


class ListScreen(Screen, SingleTableMixin, FilterView):
    """The rows of one model that the reader may see in the chosen legal entity.

    Subclasses name model, permission, table_class, filterset_class, and where there is one the field with
    the amount (`amount_field`, per `currency_field`) whose totals stand above. With htmx only the results
    are drawn again. `?_export=csv` or `xlsx` gives all rows of the filter with the columns that are shown.
    What a table shows beside its rows it reads in `load`, for the rows of the page or a chunk of the file.
    """

    template_name = "screens/list.html"
    results_template = "screens/results.html"
    strict = True  # a filter that can't be read shows nothing; without it the list would show everything
    entity_path = "entity"
    amount_field = ""
    currency_field = "currency"
    actions = ()
    table_data_keys = False
    noun = ("row", "rows")
    empty_title = "Nothing here"
    empty_text = "Nothing matches. Remove a filter to see more."
    empty_link = ()  # URL name and words of the next step, where there is one

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

    def get_queryset(self):
        return self.rows(self.request)

    def get_filterset_kwargs(self, filterset_class):
        # Always bound, so that the defaults of a filter count without a query, too.
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
        """Columns that a reader may hide: all but the first."""
        return list(self.table_class.base_columns)[1:]

    def hidden_columns(self):
        chosen = self.request.GET.getlist("_columns")
        return [name for name in self.optional_columns() if chosen and name not in chosen]

    def get_table_pagination(self, table):
        if "_export" in self.request.GET:
            return False
        size = key_of(self.request.GET.get("_size", ""))
        return {"per_page": size if size in PAGE_SIZES else PAGE_SIZES[1]}

    def get(self, request, *args, **kwargs):
        if kind := request.GET.get("_export"):
            return self.file(kind)
        return super().get(request, *args, **kwargs)

    def file(self, kind):
        """All rows of the filter as a file; an XLSX that would be too long is refused on the list."""
        self.filterset = self.get_filterset(self.get_filterset_class())
        found = self.filterset.qs if self.filterset.is_valid() else self.filterset.queryset.none()
        self.object_list = found
        try:
            check_length(kind, found.order_by().count())
        except Refused as refusal:
            messages.error(self.request, refusal.message)
            query = self.request.GET.copy()
            del query["_export"]
            return redirect(f"{self.request.path}?{query.urlencode()}")
        return exported(self.get_table(**self.get_table_kwargs()), kind, name=self.get_title())

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        context["table"].load([row.record for row in context["table"].paginated_rows])
        query = self.request.GET.copy()
        for name in list(query):
            if name.startswith("_") or name in ("page", "sort") or not any(query.getlist(name)):
                del query[name]
        context["query"] = query.urlencode()
        context["actions"] = [action for action in self.actions if self.request.may(action.permission)]
        context["noun"] = self.noun
        context["drawn"] = timezone.now().isoformat()
        context["page_sizes"] = PAGE_SIZES
        context["list_url"] = self.request.path
        context["active_filters"] = self.active_filters(query)
        context["columns"] = self.column_choices()
        context |= self.summed(context["object_list"])
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

    def summed(self, rows):
        """Count, a stamp for "select all", and the total of each currency for the whole filter."""
        rows = rows.order_by()
        if not self.amount_field:
            stamp, count = stamp_of(rows)
            return {"stamp": stamp, "matching": count, "sums": []}
        sums = list(
            rows.values(self.currency_field)
            .annotate(n=Count("pk"), sum=ExactSum(self.amount_field), keys=Sum("pk"))
            .order_by(self.currency_field)
        )
        count = sum(each["n"] for each in sums)
        keys = sum(each["keys"] or 0 for each in sums)
        sums = [{"currency": each[self.currency_field], "n": each["n"], "sum": each["sum"]} for each in sums]
        return {"stamp": f"{count}-{keys}", "matching": count, "sums": sums}

    def active_filters(self, query):
        """Filter by filter: its label, its value in words, and the query without it."""
        active = []
        if CHOSEN in query:
            rest = query.copy()
            del rest[CHOSEN]
            active.append(("Only", "the rows you chose", rest.urlencode()))
        form = self.filterset.form
        for name, field in form.fields.items():
            values = [value for value in query.getlist(name) if value]
            values += [v for key in query for v in query.getlist(key) if v and key.startswith(f"{name}_")]
            for value in values:
                rest = query.copy()
                for key in [key for key in rest if key == name or key.startswith(f"{name}_")]:
                    rest.setlist(key, [each for each in rest.getlist(key) if each != value])
                active.append((field.label or name, _in_words(field, value), rest.urlencode()))
        return active


def only_chosen(rows, query):
    """Of the rows those that the query names by their keys, where it names any."""
    return rows.filter(pk__in=keys_of(query[CHOSEN].split("-"))) if CHOSEN in query else rows


def address_of_chosen(url_name, rows):
    """The list with nothing but these rows, if an address can hold their keys; else nothing."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[: _MOST_CHOSEN + 1])
    return f"{reverse(url_name)}?{CHOSEN}={'-'.join(map(str, keys))}" if len(keys) <= _MOST_CHOSEN else ""


def _in_words(field, value):
    choices = getattr(field, "choices", None)
    if choices is None:
        return value
    # A queryset of choices is asked for the one row, never read whole.
    queryset = getattr(field, "queryset", None)
    if queryset is not None:
        try:
            row = queryset.filter(**{field.to_field_name or "pk": value}).first()
        except (ValueError, TypeError):
            row = None
        return str(row) if row is not None else value
    return str(dict(choices).get(value, value))


def key_of(text):
    """The key that a text from outside names; None for what no database can look for."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def keys_of(texts):
    """The keys among the texts, in their order."""
    return [key for key in map(key_of, texts) if key is not None]


def stamp_of(rows):
    """A word that changes when rows come or go, and how many there are."""
    found = rows.order_by().aggregate(n=Count("pk"), keys=Sum("pk"))
    return f"{found['n']}-{found['keys'] or 0}", found["n"]


def selection(screen, request, permission):
    """The rows that were chosen on a list: by their keys, or all that match the filter it was shown with.

    Refused when nothing is chosen, and when what matches is not what was shown any more. Rows outside the
    reader's reach are not among them.
    """
    posted = request.POST
    if posted.get("all_matching") == "1":
        rows = screen.filtered(request, posted.get("filter", ""))
        stamp, count = stamp_of(rows)
        if stamp != posted.get("stamp"):
            shown = posted.get("stamp", "").partition("-")[0]
            if not shown.isdecimal():
                raise Refused("SELECTION-UNKNOWN")
            raise Refused("SELECTION-CHANGED", shown=int(shown), count=count)
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
    """When the list was drawn on which the rows were chosen; None where the form does not say."""
    try:
        drawn = parse_datetime(request.POST.get("drawn", ""))
    except ValueError:
        return None
    return drawn if drawn and timezone.is_aware(drawn) else None


def back_to(url_name, request):
    """The list with the filter it had."""
    query = request.POST.get("filter", "")
    return f"{reverse(url_name)}?{QueryDict(query).urlencode()}" if query else reverse(url_name)
