"""Table of vouchers."""

import django_tables2 as tables
from django.urls import reverse

from invoicing_site.screens.tables import AmountColumn, DayColumn, MainColumn, Table, cells
from invoicing_site.templatetags.ledgerline import label_of
from ledger.models import Voucher


def explain_voucher(voucher):
    return reverse("explain", args=["voucher", voucher.pk])


def _kind(voucher):
    return label_of(voucher.get_kind_display())


class VoucherTable(Table):
    indexed = ("number", "date")

    number = MainColumn(url="voucher", sub=_kind, also={"Kind": _kind}, attrs=cells("c-main nowrap", "keep"))
    date = DayColumn(verbose_name="Accounting date")
    text = tables.Column()
    amount = AmountColumn(currency="entity__currency", verbose_name="Debits", explain=explain_voucher)
    posted_at = DayColumn(verbose_name="Posted")
    posted_by = tables.Column(verbose_name="Posted by", orderable=False, empty_values=())

    class Meta:
        model = Voucher
        fields = ()

    def render_text(self, value):
        return label_of(value)

    def render_posted_by(self, value):
        return value or "the system"

    def value_posted_by(self, value):
        return str(value or "the system")
