"""The lines of one document as a list on its page, and a form about those that were chosen there."""

from django.http import Http404, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.generic import FormView

from invoicing_site.errors import Refused
from invoicing_site.screens import ListScreen, Screen
from invoicing_site.screens.lists import key_of, keys_of, selection
from invoicing_site.screens.operations import refuse, tell


class SomeHidden:
    """A list whose table hides some columns by itself."""

    def hidden_columns(self):
        """Those that the table hides by itself, until columns are chosen or the list is exported."""
        if self.request.GET.getlist("_columns"):
            return super().hidden_columns()
        return [] if "_export" in self.request.GET else list(getattr(self.table_class, "HIDDEN", ()))


class LinesScreen(SomeHidden, ListScreen):
    """The page of one document (`self.row`, 404 and 403 as everywhere) with its lines as a list.

    `document` is its model and `link` the name of the lines' foreign key to it. A selection made here carries
    the document's key in its filter, so that bulk actions find the lines again without an address of its own.
    """

    document = None
    link = ""

    def check_permission(self, request):
        try:
            self.row = self.documents().demand(request.user, self.permission, self.kwargs["pk"])
        except self.document.DoesNotExist as missing:
            raise Http404(f"There is no such {self.document._meta.verbose_name}.") from missing
        request.entity = self.row.entity  # what can be chosen on this page is that entity's

    def documents(self):
        """The documents to look in, with what the page needs joined to them."""
        return self.document.objects.select_related("entity")

    @classmethod
    def rows(cls, request):
        key = request.resolver_match.kwargs.get("pk") or document_key(cls, request)
        return cls.model.objects.visible_to(request.user).filter(**{cls.link: key}).order_by("pk")

    @classmethod
    def filtered(cls, request, query):
        document = cls.document.objects.visible_to(request.user).filter(pk=document_key(cls, request)).first()
        if document:
            request.entity = document.entity
        return super().filtered(request, query)

    def get_title(self):
        text = str(self.row)
        return text[:1].upper() + text[1:]

    def get_context_data(self, **context):
        context = super().get_context_data(object=self.row, **{self.link: self.row}, **context)
        query = QueryDict(context["query"], mutable=True)
        query[self.link] = self.row.pk
        context["query"] = query.urlencode()
        return context


def document_key(screen, request):
    """The key of the document whose lines were chosen; 0 where none is named."""
    return key_of(QueryDict(request.POST.get("filter", "")).get(screen.link, "")) or 0


def back_to_lines(screen, url_name, request):
    """The page that lines were chosen on, with the filter it had; the list of documents without one."""
    query = QueryDict(request.POST.get("filter", ""), mutable=True)
    key = document_key(screen, request)
    query.pop(screen.link, None)
    if not key:
        return reverse("home")
    url = reverse(url_name, args=[key])
    return f"{url}?{query.urlencode()}" if query else url


class ChosenForm(Screen, FormView):
    """An edit of the rows chosen in a list (`screen`): the first POST shows the form, the second does it.

    The selection travels along as it was made, and is looked up again among the rows in the reader's reach.
    What was typed stays when the business refuses.
    """

    http_method_names = ["post"]
    screen = None
    template_name = "ledger/chosen_form.html"
    button = "Save"

    def post(self, request, *args, **kwargs):
        try:
            self.rows = selection(self.screen, request, self.permission)
        except Refused as refusal:
            refuse(request, refusal)
            return HttpResponseRedirect(self.get_back_url())
        self.chosen = self.rows.count()
        if "apply" not in request.POST:
            return self.render_to_response(self.get_context_data())
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        if "apply" not in self.request.POST:
            kwargs.pop("data", None), kwargs.pop("files", None)
        return kwargs

    def form_valid(self, form):
        try:
            answer = self.operate(form)
        except Refused as refusal:
            form.add_error(None, refusal.message)
            return self.form_invalid(form)
        tell(self.request, answer)
        return HttpResponseRedirect(self.get_back_url())

    def operate(self, form):
        """Call the operation with `self.rows`; returns what is told."""
        raise NotImplementedError

    def get_back_url(self):
        """The list that the rows were chosen in."""
        raise NotImplementedError

    def get_context_data(self, **context):
        posted = self.request.POST
        everything = posted.get("all_matching") == "1"
        context["keys"] = [] if everything else keys_of(posted.getlist("pk"))
        context["everything"] = "1" if everything else "0"
        context["stamp"], context["filter_query"] = posted.get("stamp", ""), posted.get("filter", "")
        context.setdefault("back", self.get_back_url())
        context.setdefault("button", self.button)
        return super().get_context_data(**context)


def counted(n, one, many=None):
    """1 line, 12 lines."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
