"""The receipt of an entry, for users who may see the entry."""

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.generic import View

from actuals.models import Entry
from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from invoicing_site.screens.pages import RowScreen

# File types that a browser shows in a sandbox; Chrome shows no PDF there, so PDFs are downloaded.
_SHOWN = {"image/png", "image/jpeg", "image/webp"}


class Receipt(RowScreen, View):
    """The uploaded bytes, in a sandbox, so that no script in them can run."""

    http_method_names = ["get"]
    model, permission = Entry, "entry.view"

    def rows(self):
        return Entry.objects.select_related("receipt")

    def get(self, request, *args, **kwargs):
        receipt = self.row.receipt
        if receipt is None:
            raise Http404("This entry has no receipt.")
        try:
            content = files.read(receipt)
        except Refused as refusal:
            raise Http404(refusal.message) from refusal
        is_shown = receipt.media_type in _SHOWN and "download" not in request.GET
        media_type = (
            receipt.media_type
            if receipt.media_type in {*_SHOWN, "application/pdf", "image/heic"}
            else _UNKNOWN
        )
        response = HttpResponse(content, content_type=media_type)
        response["Content-Disposition"] = content_disposition_header(not is_shown, receipt.name)
        response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response


_UNKNOWN = "application/octet-stream"
