"""Views of the page header and of saved views: choose a legal entity, notices, search."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.generic import TemplateView, View

from actuals.models import Entry
from contracts.middleware import CHOSEN
from contracts.models import Customer, Project, ProjectContract
from invoicing_site.floor.searching import containing, newest
from invoicing_site.models import Notice, SavedView
from invoicing_site.screens.operations import way_back
from ledger.models import CustomerInvoice, IntegrationJournal, InvoiceProposal, Voucher
from proforma.models import ProformaInvoice

_FOUND = 10


@login_not_required
def favicon(request):
    """The icon at the default address that browsers request."""
    return HttpResponseRedirect(static("icon.svg"))


class Post(View):
    http_method_names = ["post"]


class ChooseEntity(Post):
    """Choose one of the user's legal entities; 404 for any other."""

    def post(self, request):
        wanted = next((e for e in request.entities if str(e.pk) == request.POST.get("entity")), None)
        if wanted is None:
            raise Http404("You have no role in this legal entity.")
        request.session[CHOSEN] = wanted.pk
        return HttpResponseRedirect(reverse("home"))


class SaveView(Post):
    """Save a list's filter under a name; an existing view with this name is replaced."""

    def post(self, request):
        posted = {key: request.POST.get(key, "").replace("\0", "") for key in ("name", "page", "query")}
        name, page = posted["name"].strip()[:100], posted["page"][:100]
        if not name or not page:
            raise PermissionDenied("A view needs a name.")
        SavedView.objects.update_or_create(
            user=request.user, page=page, name=name, defaults={"query": posted["query"][:4000]}
        )
        return HttpResponseRedirect(way_back(request, reverse("home")))


class DeleteView(Post):
    """Delete one of the user's saved views."""

    def post(self, request, pk):
        get_object_or_404(SavedView, pk=pk, user=request.user).delete()
        return HttpResponseRedirect(way_back(request, reverse("home")))


class Notices(TemplateView):
    """The user's notices, newest first."""

    template_name = "home/notices.html"

    def get_context_data(self, **context):
        notices = Notice.objects.filter(user=self.request.user)[:200]
        return super().get_context_data(title="Notices", notices=notices, **context)


class ReadNotices(Post):
    """Mark all notices of the user as read."""

    def post(self, request):
        Notice.objects.filter(user=request.user, read_at=None).update(read_at=timezone.now())
        return HttpResponseRedirect(reverse("notices"))


class Search(TemplateView):
    """Rows of all kinds whose number or name contains the text, and that the reader may see."""

    template_name = "home/search.html"

    def get_context_data(self, **context):
        text = self.request.GET.get("q", "").replace("\0", "").strip()[:100]
        groups = [group for group in self.groups(text) if group[1]] if text else []
        return super().get_context_data(title="Search", search_text=text, groups=groups, **context)

    def groups(self, text):
        kinds = [
            ("Contracts", ProjectContract, ("code", "name"), "contract.view", ()),
            ("Customers", Customer, ("number", "name"), "customer.view", ()),
            ("Projects", Project, ("code", "name"), "project.view", ()),
            (
                "Proformas",
                ProformaInvoice,
                ("number", "name", "bill_to_name", "customer__name"),
                "proforma.view",
                ("customer",),
            ),
            ("Proposals", InvoiceProposal, ("proforma__number",), "proposal.view", ("proforma",)),
            ("Invoices", CustomerInvoice, ("number", "buyer_name", "order_reference"), "invoice.view", ()),
            ("Vouchers", Voucher, ("number", "text"), "voucher.view", ()),
            ("Journals", IntegrationJournal, ("number",), "journal.view", ()),
            ("Entries", Entry, ("description", "external_id"), "entry.view", ("project",)),
        ]
        for title, model, fields, permission, joined in kinds:
            if any(self.request.may(permission, entity) for entity in self.request.entities):
                rows = model.objects.visible_to(self.request.user).select_related("entity", *joined)
                yield title, list(newest(containing(rows, fields, text), _FOUND))
