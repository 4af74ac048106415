"""The pages of seals: the list, and the newest seal as a file to keep elsewhere (PST-7)."""

import django_filters
from django.http import Http404, HttpResponse
from django.views.generic import View

from invoicing_site.floor import formatting, seals
from invoicing_site.models import Seal
from invoicing_site.screens import ListScreen
from invoicing_site.screens.forms import SearchFilter
from invoicing_site.screens.pages import Screen
from invoicing_site.screens.tables import Column, DayColumn, Table, cells


class SealFilter(django_filters.FilterSet):
    q = SearchFilter("digest", "number", placeholder="Number, digest")

    class Meta:
        model = Seal
        fields = []


class SealTable(Table):
    number = Column(verbose_name="Seal", attrs={"td": {"class": "c-main"}})
    at = DayColumn(verbose_name="Sealed")
    rows = Column(verbose_name="Rows", attrs=cells("num"))
    digest = Column(verbose_name="Digest")

    class Meta:
        model = Seal
        fields = ()

    def render_rows(self, value):
        return formatting.count(value)

    def value_rows(self, value):
        return value


class Seals(ListScreen):
    """All seals of this database, newest first."""

    model = Seal
    permission = "audit.view"
    template_name = "home/seals.html"
    title = "Seals"
    lead = (
        "Every few minutes, all final records are hashed into a seal. Keep the newest one outside the system."
    )
    filterset_class = SealFilter
    table_class = SealTable
    noun = ("seal", "seals")
    empty_title = "No seals yet"
    empty_text = "The first seal is made within five minutes after the first approval."

    def get_queryset(self):
        return Seal.objects.order_by("-number")

    def get_context_data(self, **context):
        return super().get_context_data(newest=Seal.objects.exists(), **context)


class NewestSeal(Screen, View):
    """The newest seal as a text file, for `verify_ledger --seal`."""

    permission = "audit.view"

    def get(self, request):
        seal = Seal.objects.first()
        if seal is None:
            raise Http404("There is no seal yet.")
        return HttpResponse(
            seals.in_words(seal),
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="seal-{seal.number}.txt"'},
        )
