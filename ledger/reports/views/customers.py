"""Customers: contact details, open amounts, and statement (PST-8)."""

from django.core.paginator import Paginator

from contracts.models import Customer, ProjectContract
from invoicing_site.screens import DetailScreen, ListScreen
from ledger.models import CustomerInvoice, CustomerTransaction
from ledger.reports import aging, customer_statement
from ledger.reports.filters import CustomerFilter
from ledger.reports.tables import AGES, CustomerTable
from ledger.reports.views.accounts import asked_period, by_currency

_PER_PAGE = 50
_CONTRACTS = 50


class Customers(ListScreen):
    """Customers with their open amounts by age; for project managers, those of their contracts.

    Open amounts of whole customers are shown only to users who may see reports.
    """

    model = Customer
    permission = "customer.view"
    template_name = "ledger/customers.html"
    title = "Customers"
    lead = "Who is billed, and what they owe by days past the due date."
    filterset_class = CustomerFilter
    table_class = CustomerTable
    totals_template = "ledger/customers_totals.html"
    noun = ("customer", "customers")
    empty_title = "No customers"
    empty_text = "Nothing matches. Remove a filter, or have an administrator set a customer up."

    def get_queryset(self):
        return self.rows(self.request).order_by("number")

    @property
    def whole(self):
        return self.request.may("report.view")

    has_totals = whole

    def aged(self, customers):
        """The open amounts of these customers."""
        return aging(customers, on=self.request.entity.today()) if self.whole else []

    def get_table_kwargs(self):
        return super().get_table_kwargs() | {"find": self.aged}

    def optional_columns(self):
        return [name for name in super().optional_columns() if self.whole or name not in AGES]

    def hidden_columns(self):
        return [*super().hidden_columns(), *([] if self.whole else AGES)]

    def get_context_data(self, **context):
        if not self.whole:
            context["lead"] = "The customers of your contracts."
        return super().get_context_data(whole=self.whole, **context)

    def summed(self, rows):
        if not self.whole:
            return {}
        open_ = CustomerTransaction.objects.filter(customer__in=rows.order_by().values("pk"))
        return {"open_amounts": by_currency(self.aged(rows.order_by()))} if self.adds_up(open_) else {}


class CustomerPage(DetailScreen):
    """Details, contracts, and the whole statement, or the invoices that the reader may see."""

    model = Customer
    permission = "customer.view"
    template_name = "ledger/customer.html"

    def rows(self):
        return Customer.objects.select_related("entity", "payment_term", "billing_tax_group")

    def get_context_data(self, **context):
        customer, request = self.row, self.request
        period = asked_period(request, customer.entity)
        contracts = ProjectContract.objects.filter(
            pk__in=ProjectContract.objects.visible_to(request.user).values("pk"),
            customers__customer=customer,
        )
        context |= {
            "period": period,
            "form": period.form,
            "contracts": contracts.distinct().order_by("code")[:_CONTRACTS],
            "whole": request.may("report.view", customer.entity),
        }
        context |= self.statement(period) if context["whole"] else self.invoices(period)
        return super().get_context_data(**context)

    def statement(self, period):
        end = min(period.end, self.row.entity.today())
        return {
            "statement": customer_statement(self.row, start=period.start, end=period.end),
            "ages": aging(Customer.objects.filter(pk=self.row.pk), on=end),
            "end": end,
            "may_open": self.request.may("voucher.view", self.row.entity),
        }

    def invoices(self, period):
        invoices = CustomerInvoice.objects.visible_to(self.request.user).filter(
            customer=self.row, invoice_date__range=(period.start, period.end)
        )
        invoices = CustomerInvoice.objects.filter(pk__in=invoices.values("pk")).order_by(
            "-invoice_date", "-pk"
        )
        return {"page": Paginator(invoices, _PER_PAGE).get_page(self.request.GET.get("page"))}
