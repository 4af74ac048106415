"""A document's page with its lines as a list."""

from django.http import QueryDict
from django.urls import reverse
from django.utils.text import capfirst

from invoicing_site.screens import ListScreen
from invoicing_site.screens.lists import key_of
from invoicing_site.screens.pages import required_row


class SomeHidden:
    """A list whose table hides some columns by default."""

    def hidden_columns(self):
        """The columns that are hidden until columns are selected or the list is exported."""
        if self.request.GET.getlist("_columns"):
            return super().hidden_columns()
        return [] if "_export" in self.request.GET else list(getattr(self.table_class, "HIDDEN", ()))


class LinesScreen(SomeHidden, ListScreen):
    """The page of one document (`self.row`, 404 and 403 as everywhere) with its lines as a list.

    `document` is its model and `link` the name of the lines' foreign key to it. The filter of a selection
    includes the document's key, so that bulk actions find the lines without a separate address.
    """

    document = None
    link = ""

    def check_permission(self, request):
        self.row = required_row(self.documents(), request, self.permission, self.kwargs["pk"])
        request.entity = self.row.entity  # choices on this page belong to that entity

    def documents(self):
        """The documents, with the related rows that the page needs."""
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
        return capfirst(str(self.row))

    def get_context_data(self, **context):
        context = super().get_context_data(object=self.row, **{self.link: self.row}, **context)
        query = QueryDict(context["query"], mutable=True)
        query[self.link] = self.row.pk
        context["query"] = query.urlencode()
        return context


def document_key(screen, request):
    """The key of the document whose lines were selected; 0 if there is none."""
    return key_of(QueryDict(request.POST.get("filter", "")).get(screen.link, "")) or 0


def back_to_lines(screen, url_name, request):
    """The page on which lines were selected, with its filter; without a document, the list of documents."""
    query = QueryDict(request.POST.get("filter", ""), mutable=True)
    key = document_key(screen, request)
    query.pop(screen.link, None)
    if not key:
        return reverse("home")
    url = reverse(url_name, args=[key])
    return f"{url}?{query.urlencode()}" if query else url
