"""Posted invoices as they were issued, and their documents (PST-3, DOC-1)."""

import tempfile
import zipfile
from itertools import groupby

from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language
from django.views import View

from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import totals
from invoicing_site.screens import Action, BulkOperation, DetailScreen, ListScreen
from invoicing_site.screens.lists import back_to, selection
from invoicing_site.screens.operations import refuse
from invoicing_site.screens.pages import RowScreen
from ledger.document import drawing, operations
from ledger.document.filters import InvoiceFilter, with_open_amount
from ledger.document.tables import InvoiceTable
from ledger.document.translations import Words
from ledger.models import CustomerInvoice, Document, InvoiceLine, InvoiceReference

LINES_A_PAGE = 200
# The number of invoices in one archive, and the number of missing PDFs that are created during the request.
IN_AN_ARCHIVE = 200
DRAWN_AT_ONCE = 10


class Invoices(ListScreen):
    """The invoices that the reader may see, the newest first."""

    model = CustomerInvoice
    permission = "invoice.view"
    title = "Invoices"
    lead = "Posted invoices, credit notes and payment requests, as they were issued."
    filterset_class = InvoiceFilter
    table_class = InvoiceTable
    amount_field = "total"
    noun = ("invoice", "invoices")
    empty_title = "No invoices"
    empty_text = "An invoice appears here when its proposal is posted. Remove a filter to see more."
    actions = (Action("download_invoices", "Download PDFs", "invoice.view", icon="download"),)

    @classmethod
    def rows(cls, request):
        return super().rows(request).order_by("-invoice_date", "-pk")

    def get_queryset(self):
        return with_open_amount(self.rows(self.request))

    def get_table_kwargs(self):
        return super().get_table_kwargs() | {"today": self.request.entity.today()}

    def get_context_data(self, **context):
        return super().get_context_data(totals_label="Total with tax", **context)


class InvoicePage(DetailScreen):
    """One invoice: its content, lines by section, taxes, totals, documents, and the proforma behind it."""

    model = CustomerInvoice
    permission = "invoice.view"
    template_name = "ledger/invoice.html"

    def rows(self):
        rows = CustomerInvoice.objects.select_related(
            "entity", "customer", "voucher", "proposal__proforma", "contract_customer__contract"
        )
        return with_open_amount(rows)

    def get_context_data(self, **context):
        invoice, user = self.row, self.request.user
        lines = InvoiceLine.objects.filter(invoice=invoice).order_by("number")
        page = Paginator(lines, LINES_A_PAGE).get_page(self.request.GET.get("page"))
        original = InvoiceReference.objects.filter(invoice=invoice).select_related("original")
        later = InvoiceReference.objects.filter(original=invoice).select_related("invoice")
        today = invoice.entity.today()
        return super().get_context_data(
            sections=sections_of(page.object_list, totals(lines, by="section", field="net")),
            page=page,
            taxes=invoice.taxes.order_by("code", "percent"),
            documents=Document.objects.filter(invoice=invoice).select_related("file").order_by("kind"),
            corrects=[row.original for row in original.order_by("pk")],
            corrected_by=[row.invoice for row in later.order_by("pk")],
            foreign=invoice.currency != invoice.accounting_currency,
            printed_in=_another_language(invoice),
            overdue=(invoice.open_amount or 0) > 0 and invoice.due_date < today,
            # The reader may see the invoice, but not all rows that it refers to.
            may_see_voucher=self.request.may("voucher.view", invoice.entity),
            may_see_proposal=self.request.may("proposal.view", invoice.entity),
            customer_visible=type(invoice.customer)
            .objects.visible_to(user)
            .filter(pk=invoice.customer_id)
            .exists(),
            **context,
        )


def _another_language(invoice):
    """The language of the invoice if it differs from the language of the page; else empty."""
    words, shown = Words(invoice.language), (get_language() or "en").partition("-")[0]
    return "" if words.language == shown else words.locale.get_language_name("en")


def sections_of(lines, nets):
    """The lines under the titles of their sections, with the total of each section."""
    return [
        {"number": number, "title": title, "lines": list(group), "net": nets.get(number)}
        for (number, title), group in groupby(lines, lambda line: (line.section, line.section_title))
    ]


def stored_pdf(invoice):
    """The stored bytes of the invoice's PDF; created now if it does not exist yet."""
    return files.read(operations.draw(invoice).file)


class InvoicePdf(RowScreen, View):
    """The stored PDF; it is created when it is opened for the first time, and never changes."""

    model = CustomerInvoice
    permission = "invoice.view"

    def rows(self):
        return CustomerInvoice.objects.select_related("entity", "seller_logo")

    def get(self, request, pk):
        try:
            content = stored_pdf(self.row)
        except Refused as refusal:
            context = {"title": "The PDF can't be shown", "refusal": refusal, "object": self.row}
            return render(request, "ledger/invoice_pdf.html", context, status=503)
        kind = "attachment" if "download" in request.GET else "inline"
        return HttpResponse(
            content,
            content_type=drawing.PDF_TYPE,
            headers={
                "Content-Disposition": f'{kind}; filename="{drawing.file_name(self.row)}"',
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "SAMEORIGIN",
                "Content-Security-Policy": "frame-ancestors 'self'",
            },
        )


class DownloadInvoices(BulkOperation):
    """The PDFs of the chosen invoices in one ZIP.

    A few missing PDFs are created now. If more are missing, the download is refused and can be tried again;
    each try, and the scheduled sweep, creates more of them.
    """

    screen, list_url, permission = Invoices, "invoices", "invoice.view"

    def post(self, request, *args, **kwargs):
        try:
            return archive(selection(Invoices, request, self.permission))
        except Refused as refusal:
            refuse(request, refusal)
            return HttpResponseRedirect(back_to(self.list_url, request))


def archive(invoices):
    """A response with the stored PDFs of these invoices, each under its file name."""
    n = invoices.count()
    if n > IN_AN_ARCHIVE:
        raise Refused("TOO-MANY-INVOICES", count=n, most=IN_AN_ARCHIVE)
    missing = invoices.exclude(documents__kind=Document.Kind.PDF).select_related("entity", "seller_logo")
    for invoice in missing.order_by("pk")[:DRAWN_AT_ONCE]:
        operations.draw(invoice)
    if left := missing.count():
        raise Refused("PDFS-MISSING", count=left, total=n)
    drawn = {
        document.invoice_id: document
        for document in Document.objects.filter(
            invoice__in=invoices.order_by().values("pk"), kind=Document.Kind.PDF
        ).select_related("file")
    }
    packed = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
    taken = set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as bundle:
        for invoice in invoices.order_by("pk"):
            document = drawn[invoice.pk]
            name = drawing.file_name(invoice)
            if name in taken:  # two numbers that differ only in characters that a file name can't contain
                name = f"{invoice.pk}-{name}"
            taken.add(name)
            bundle.writestr(name, files.read(document.file))
    packed.seek(0)
    return FileResponse(packed, as_attachment=True, filename="invoices.zip", content_type="application/zip")
