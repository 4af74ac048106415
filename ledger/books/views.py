"""Vouchers: every entry of the books, what it books, and its place in the chain (PST-1, PST-7)."""

from django.db.models import Count, OuterRef, Subquery

from invoicing_site.floor.querysets import ExactSum, total
from invoicing_site.screens import DetailScreen, ListScreen
from ledger.books.filters import VoucherFilter
from ledger.books.tables import VoucherTable
from ledger.models import LedgerEntry, Voucher
from ledger.setup.dimensions import dimensions_in_words

# The number of rows of the project subledger that are shown with a voucher; its invoice has all of them.
SHOWN = 100


class Vouchers(ListScreen):
    """The vouchers of the legal entity, the newest first."""

    model = Voucher
    permission = "voucher.view"
    title = "Vouchers"
    lead = "All postings. A voucher never changes. A mistake is reversed by another voucher."
    filterset_class = VoucherFilter
    table_class = VoucherTable
    noun = ("voucher", "vouchers")
    has_totals = True
    empty_title = "No vouchers"
    empty_text = "Posting a journal or an invoice makes vouchers. Remove a filter to see more."

    @classmethod
    def rows(cls, request):
        return super().rows(request).order_by("-position")

    def get_queryset(self):
        debits = LedgerEntry.objects.filter(voucher=OuterRef("pk")).order_by().values("voucher")
        debits = debits.annotate(exact=ExactSum("accounting_debit")).values("exact")
        return self.rows(self.request).select_related("entity", "posted_by").annotate(amount=Subquery(debits))

    def summed(self, rows):
        """All debits of the filtered vouchers, added up by one join."""
        entries = LedgerEntry.objects.filter(voucher__in=rows.order_by().values("pk"))
        if not self.adds_up(entries):
            return {}
        n, sum_ = rows.order_by().count(), total(entries, "accounting_debit")
        sums = [{"currency": self.request.entity.currency, "n": n, "sum": sum_}] if n else []
        return {"sums": sums, "totals_label": "Debits"}


class VoucherPage(DetailScreen):
    """One voucher: its entries in both currencies, what it books, who posted it, its hash."""

    model = Voucher
    permission = "voucher.view"
    template_name = "ledger/voucher.html"

    def rows(self):
        return Voucher.objects.select_related(
            "entity",
            "period",
            "posted_by",
            "reverses",
            "reversed_by",
            "invoice",
            "payment",
            "journal_line__journal",
            "journal_line__actual__project",
            "journal_line__actual__resource",
        )

    def get_context_data(self, **context):
        voucher = self.row
        own = voucher.entity.currency
        entries = list(
            LedgerEntry.objects.filter(voucher=voucher)
            .select_related("account", "project", "customer", "tax_code", "dimensions")
            .prefetch_related("dimensions__values__value")
            .order_by("number")
        )
        for entry in entries:
            entry.words = dimensions_in_words(entry.dimensions)
        nearest = Voucher.objects.filter(entity=voucher.entity)
        nearest = nearest.filter(position__in=[voucher.position - 1, voucher.position + 1])
        neighbors = {row.position - voucher.position: row for row in nearest}
        return super().get_context_data(
            entries=entries,
            foreign=any(entry.currency != own for entry in entries),
            totals=totals_of(voucher),
            project_rows=voucher.project_transactions.select_related("project", "actual").order_by("pk")[
                :SHOWN
            ],
            customer_rows=voucher.customer_transactions.select_related("customer").order_by("pk"),
            subledger_rows=voucher.project_transactions.count(),
            before=neighbors.get(-1),
            after=neighbors.get(1),
            invoice=getattr(voucher, "invoice", None),
            payment=getattr(voucher, "payment", None),
            reversed_by=getattr(voucher, "reversed_by", None),
            actual=voucher.journal_line.actual if voucher.journal_line else None,
            **context,
        )


def totals_of(voucher):
    """Debits and credits by currency, in it and in accounting currency."""
    rows = LedgerEntry.objects.filter(voucher=voucher).order_by("currency").values("currency")
    return list(
        rows.annotate(
            n=Count("pk"),
            exact_debit=ExactSum("debit"),
            exact_credit=ExactSum("credit"),
            exact_books_debit=ExactSum("accounting_debit"),
            exact_books_credit=ExactSum("accounting_credit"),
        )
    )
