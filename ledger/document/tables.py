"""Table of posted invoices."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from invoicing_site.screens.tables import (
    AmountColumn,
    DayColumn,
    MainColumn,
    Table,
    TextColumn,
    amount_in_words,
    cells,
)
from invoicing_site.templatetags import ledgerline as tags
from ledger.models import CustomerInvoice


def explain_invoice(invoice):
    return reverse("explain", args=["invoice", invoice.pk])


def _kind(invoice):
    return tags.label_of(invoice.get_kind_display())


def _contract(invoice):
    return f"{invoice.contract_code} {invoice.contract_name}".strip()


class InvoiceTable(Table):
    indexed = ("number", "invoice_date")

    number = MainColumn(url="invoice", sub=_kind, also={"Kind": _kind}, attrs=cells("c-main nowrap", "keep"))
    customer = TextColumn(
        accessor="buyer_name", verbose_name="Customer", sub=_contract, also={"Contract": "contract_code"}
    )
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

    def label(self, record):
        total = amount_in_words(record.total, record.currency)
        return f"{record}, {record.buyer_name}, {tags.day(record.invoice_date)}, {total}"

    def render_due_date(self, value, record):
        day = tags.day(value)
        if self.today and value < self.today and (record.open_amount or 0) > 0:
            late = (self.today - value).days
            return format_html(
                '{} <div class="sub warn">{} {} overdue</div>', day, late, "day" if late == 1 else "days"
            )
        return day

    def value_due_date(self, value):
        return value
