"""What people see of posted invoices."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from invoicing_site.screens.tables import AmountColumn, DayColumn, MainColumn, Table, TextColumn
from invoicing_site.templatetags import ledgerline as tags
from ledger.models import CustomerInvoice


def explain_invoice(invoice):
    return reverse("explain", args=["invoice", invoice.pk])


class InvoiceTable(Table):
    number = MainColumn(url="invoice", sub=lambda row: tags.label_of(row.get_kind_display()))
    customer = TextColumn(accessor="buyer_name", verbose_name="Customer", sub="buyer_number")
    contract = TextColumn(accessor="contract_code", verbose_name="Contract", sub="contract_name")
    invoice_date = DayColumn(verbose_name="Invoice date")
    due_date = tables.Column(verbose_name="Due", attrs={"td": {"class": "nowrap"}})
    net = AmountColumn(main=False, verbose_name="Net")
    tax = AmountColumn(main=False, verbose_name="Tax")
    total = AmountColumn(verbose_name="Total", explain=explain_invoice)
    open_amount = AmountColumn(main=False, verbose_name="Open")

    selectable = True
    row_amount = "total"

    class Meta:
        model = CustomerInvoice
        fields = ()

    def __init__(self, *args, today=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today

    def render_due_date(self, value, record):
        day = tags.day(value)
        if self.today and value < self.today and (record.open_amount or 0) > 0:
            late = (self.today - value).days
            return format_html("{} <span>{}</span>", day, tags.chip(f"{late} d overdue", "hold"))
        return day

    def value_due_date(self, value):
        return value
