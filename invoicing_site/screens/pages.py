"""Base classes of pages: a permission, a title, and a row that the reader may see."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.text import capfirst
from django.views.generic import TemplateView


class Screen:
    """A view that requires `permission` in the selected legal entity; 403 without it."""

    permission = ""
    title = ""
    lead = ""

    def dispatch(self, request, *args, **kwargs):
        assert self.permission, f"{type(self).__name__} names no permission."
        self.check_permission(request)
        return super().dispatch(request, *args, **kwargs)

    def check_permission(self, request):
        if not request.may(self.permission):
            raise PermissionDenied(
                f"Your roles in {request.entity or 'any legal entity'} do not include this page."
            )

    def get_title(self):
        return self.title

    def get_context_data(self, **context):
        context.setdefault("title", self.get_title())
        context.setdefault("lead", self.lead)
        return super().get_context_data(**context)


def required_row(rows, request, permission, pk):
    """The row for which the reader has the permission: 404 if they can't see it, 403 if they only see it."""
    try:
        return rows.require(request.user, permission, pk)
    except rows.model.DoesNotExist as missing:
        raise Http404(f"There is no such {rows.model._meta.verbose_name}.") from missing


class RowScreen(Screen):
    """A view of one row, in the row's own legal entity: 404 for rows that the reader can't see."""

    model = None

    def check_permission(self, request):
        self.row = required_row(self.rows(), request, self.permission, self.kwargs["pk"])

    def rows(self):
        """The rows, with the related rows that the page needs."""
        return self.model.objects.all()


class Page(Screen, TemplateView):
    """A read-only page that is neither a list nor one row."""


class DetailScreen(RowScreen, TemplateView):
    """The read-only page of one row, `object` in its template."""

    def get_title(self):
        return capfirst(str(self.row))

    def get_context_data(self, **context):
        name = self.model._meta.model_name
        return super().get_context_data(object=self.row, **{name: self.row}, **context)
