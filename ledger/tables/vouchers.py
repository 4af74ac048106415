"""What people see of vouchers."""

import django_tables2 as tables
from django.urls import reverse

from invoicing_site.screens.tables import AmountColumn, DayColumn, MainColumn, Table
from invoicing_site.templatetags.ledgerline import label_of
from ledger.models import Voucher


def explain_voucher(voucher):
    return reverse("explain", args=["voucher", voucher.pk])


class VoucherTable(Table):
    number = MainColumn(url="voucher", sub=lambda row: label_of(row.get_kind_display()))
    date = DayColumn(verbose_name="Accounting date")
    text = tables.Column()
    amount = AmountColumn(currency="entity__currency", verbose_name="Debits", explain=explain_voucher)
    posted_by = tables.Column(verbose_name="Posted by", orderable=False, empty_values=())
    posted_at = DayColumn(verbose_name="Posted")

    class Meta:
        model = Voucher
        fields = ()

    def render_posted_by(self, value):
        return value or "the program"

    def value_posted_by(self, value):
        return str(value or "the program")
