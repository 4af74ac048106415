"""Tables of journals and their lines."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from actuals.models import BillingType
from actuals.naming import in_words, title_of
from invoicing_site.floor import formatting
from invoicing_site.floor.wording import counted
from invoicing_site.screens.remedies import linked
from invoicing_site.screens.tables import (
    AmountColumn,
    DayColumn,
    MainColumn,
    QuantityColumn,
    RateColumn,
    StatusColumn,
    Table,
    TextColumn,
    amount_in_words,
    cells,
)
from invoicing_site.templatetags.ledgerline import chip, day
from ledger.models import IntegrationJournal
from ledger.setup.dimensions import dimensions_in_words


class CountColumn(tables.Column):
    """A count, with a dash for none; `alarm` shows it as a warning."""

    def __init__(self, *args, alarm=False, **kwargs):
        kwargs.setdefault("attrs", cells("num"))
        super().__init__(*args, **kwargs)
        self.alarm = alarm

    def render(self, value):
        if not value:
            return "–"
        return (
            format_html('<span class="warn">{}</span>', formatting.count(value))
            if self.alarm
            else formatting.count(value)
        )

    def value(self, value):
        return value


def _remainder_of(journal):
    return f"Lines in error of {journal.original.number}" if journal.original_id else ""


class JournalTable(Table):
    number = MainColumn(url="journal", sub=_remainder_of)
    period = tables.Column(attrs=cells("nowrap"))
    held = CountColumn(verbose_name="Lines")
    in_error = CountColumn(verbose_name="In error", alarm=True)
    cost = AmountColumn(currency="entity__currency", main=False)
    sales = AmountColumn(currency="entity__currency", main=False, verbose_name="Unbilled sales")
    posted_at = DayColumn(verbose_name="Posted", attrs=cells("nowrap c-wide"))
    posted_by = tables.Column(verbose_name="By", attrs={"td": {"class": "c-wide"}, "th": {"class": "c-wide"}})
    status = StatusColumn()

    selectable = True

    def can_select(self, record):
        return record.status != IntegrationJournal.Status.POSTED

    def label(self, record):
        return f"{record}, {record.period}, {counted(record.held, 'line')}"


def explain_actual(line):
    return reverse("explain", args=["actual", line.actual_id])


def _what(line):
    actual = line.actual
    thing = actual.category or actual.product
    parts = [actual.get_type_display().capitalize(), actual.get_transaction_class_display()]
    parts += [thing.name] if thing else []
    parts += [actual.get_billing_type_display()] if actual.billing_type != BillingType.CHARGEABLE else []
    text = " · ".join(parts)
    if line.error:
        return format_html('{}<br><span class="warn">{}</span>', text, line.error)
    return text


def _booked_on(line):
    """The accounting date if it differs from the transaction date."""
    if line.accounting_date == line.actual.date:
        return ""
    return f"Booked {day(line.accounting_date)}"


class JournalLineTable(Table):
    """Some columns show the values of other columns in a second line; those are hidden by default."""

    description = MainColumn(accessor="actual__pk", order_by="actual__description", verbose_name="Line")
    date = TextColumn(
        accessor="actual__date",
        verbose_name="Date",
        sub=_booked_on,
        also={"Accounting date": "accounting_date"},
        attrs=cells("nowrap"),
    )
    accounting_date = DayColumn(verbose_name="Accounting date")
    project = TextColumn(
        accessor="actual__project__code",
        verbose_name="Project",
        sub="actual__resource__name",
        also={"Resource": "actual__resource__name"},
    )
    resource = TextColumn(accessor="actual__resource__name", verbose_name="Resource")
    category = TextColumn(accessor="actual__pk", verbose_name="Category", orderable=False)
    quantity = QuantityColumn(accessor="actual__quantity", unit="actual__unit", verbose_name="Quantity")
    amount = AmountColumn(accessor="actual__amount", currency="actual__currency", explain=explain_actual)
    exchange_rate = RateColumn(attrs=cells("num c-wide"), verbose_name="Rate")
    billing_tax_group = tables.Column(accessor="billing_tax_group__code", verbose_name="Billing tax group")
    item_tax_group = TextColumn(
        accessor="item_tax_group__code", verbose_name="Item tax group", attrs=cells("c-wide")
    )
    dimensions = TextColumn(accessor="dimensions", orderable=False, attrs=cells("c-wide"))
    line_property = StatusColumn(verbose_name="Line property")
    voucher = tables.Column(accessor="pk", orderable=False, verbose_name="Voucher", attrs=cells("nowrap"))

    HIDDEN = ("accounting_date", "resource", "category", "line_property")

    selectable = True
    row_amount = "actual__amount"
    row_currency = "actual__currency"

    def render_description(self, record):
        address = explain_actual(record)
        return format_html(
            '<div class="main"><a href="{}">{}</a></div><div class="sub">{}</div>',
            address,
            title_of(record.actual),
            linked(_what(record), record.error.remedy if record.error else "", self.request),
        )

    def value_description(self, record):
        return title_of(record.actual)

    def render_billing_tax_group(self, value, record):
        if not record.is_taxed_otherwise:
            return value
        return format_html("<div>{}</div>{}", value, chip("Not the customer's", "review"))

    def value_billing_tax_group(self, value):
        return value

    def render_voucher(self, record):
        voucher = getattr(record, "voucher", None)
        if voucher is None:
            return "–"
        return format_html('<a href="{}">{}</a>', voucher.get_absolute_url(), voucher.number)

    def value_voucher(self, record):
        voucher = getattr(record, "voucher", None)
        return voucher.number if voucher else None

    def render_category(self, record):
        return self.value_category(record) or "–"

    def value_category(self, record):
        return record.actual.category or record.actual.product

    def render_date(self, value, record):
        sub = _booked_on(record)
        text = day(value)
        return format_html('<div>{}</div><div class="sub">{}</div>', text, sub) if sub else text

    def value_date(self, value):
        return value

    def render_dimensions(self, value):
        return dimensions_in_words(value)

    def label(self, record):
        actual = record.actual
        amount = amount_in_words(actual.amount, actual.currency)
        return f"{actual.get_type_display()} of {in_words(actual, actual.resource, amount)}"
