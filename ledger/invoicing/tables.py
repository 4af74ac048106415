"""Tables of proposals and their lines."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from actuals.naming import in_words, title_of
from invoicing_site.floor import moves
from invoicing_site.screens.remedies import linked_sentence
from invoicing_site.screens.tables import (
    AmountColumn,
    Column,
    DayColumn,
    MainColumn,
    PriceColumn,
    QuantityColumn,
    StatusColumn,
    Table,
    TextColumn,
    amount_in_words,
    cells,
)
from invoicing_site.templatetags.ledgerline import chip, day, status
from ledger.invoicing.blockers import all_blocked_by
from ledger.models import InvoiceProposal
from ledger.setup.dimensions import dimensions_in_words

_Status = InvoiceProposal.Status
_NAMED = 3


def _invoice(proposal):
    return getattr(proposal, "invoice", None)


def explain_proposal(proposal):
    return reverse("explain", args=["proforma", proposal.proforma_id])


def waits_for(blockers):
    """The journals that block the proposal as links, and the number of actuals in no journal."""
    if not blockers:
        return ""
    links = [(journal.get_absolute_url(), journal.number) for journal in blockers.journals]
    parts = [format_html_join(", ", '<a href="{}">{}</a>', links[:_NAMED])] if links else []
    if len(links) > _NAMED:
        parts.append(f"{len(links) - _NAMED} more")
    if n := len(blockers.left_out):
        parts.append(
            format_html(
                '<a href="{}">{} not in a journal</a>',
                reverse("waiting_actuals"),
                f"{n} actual" if n == 1 else f"{n} actuals",
            )
        )
    return format_html_join(", ", "{}", ((part,) for part in parts))


class ProposalTable(Table):
    indexed = ("number",)

    number = MainColumn(url="proposal", sub="proforma__name", also={"Name": "proforma__name"})
    customer = TextColumn(
        accessor="proforma__customer__name",
        verbose_name="Customer",
        sub="proforma__contract__code",
        also={"Contract": "proforma__contract__code"},
    )
    blocked = tables.Column(accessor="pk", orderable=False, verbose_name="Waits for", attrs=cells("code", ""))
    checks = Column(
        accessor="last_error",
        orderable=False,
        verbose_name="Last check",
        also={"Invoice": lambda proposal: getattr(_invoice(proposal), "number", None)},
        empty_values=(),
        attrs=cells("c-wide code", "c-wide"),
    )
    net = AmountColumn(currency="proforma__currency", explain=explain_proposal)
    tax = AmountColumn(accessor="invoice__tax", currency="proforma__currency", main=False, verbose_name="Tax")
    total = AmountColumn(
        accessor="invoice__total",
        currency="proforma__currency",
        verbose_name="Total",
        attrs=cells("num c-wide"),
    )
    invoice_date = DayColumn(accessor="dated", verbose_name="Invoice date", also={"Due": "due"})
    due_date = DayColumn(accessor="due", verbose_name="Due")
    status = StatusColumn()

    HIDDEN = ("tax", "due_date")

    selectable = True
    row_amount = "net"
    row_currency = "proforma__currency"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.blockers = {}  # what each proposal waits for, by key

    def load(self, records):
        waiting = [record for record in records if record.status == _Status.BLOCKED]
        self.blockers = all_blocked_by(waiting) if waiting else {}

    def can_select(self, record):
        return moves.allows(record, "return_proposal")

    def label(self, record):
        proforma = record.proforma
        net = amount_in_words(record.net, proforma.currency)
        named = (str(record), f"{proforma.contract.code} {proforma.customer.name}", net)
        return ", ".join(filter(None, named))

    def render_invoice_date(self, value, record):
        if not record.due:
            return day(value)
        return format_html('<div>{}</div><div class="sub">Due {}</div>', day(value), day(record.due))

    def value_invoice_date(self, value):
        return value

    def render_blocked(self, record):
        return waits_for(self.blockers.get(record.pk)) or "–"

    def value_blocked(self, record):
        blockers = self.blockers.get(record.pk)
        return ", ".join(journal.number for journal in blockers.journals) if blockers else None

    def render_checks(self, record):
        if record.last_error:
            why = linked_sentence(record.last_error, self.request)
            return format_html('{}<div class="sub">{}</div>', chip("Refused", "hold"), why)
        return "–"

    def value_checks(self, record):
        return str(record.last_error or "")

    def render_status(self, record):
        invoice = _invoice(record)
        if not invoice:
            return status(record)
        link = format_html('<a href="{}">{}</a>', invoice.get_absolute_url(), invoice.number)
        return format_html('{}<div class="sub nowrap">{}</div>', status(record), link)

    def value_status(self, value):
        return value


def explain_line(line):
    return reverse("explain", args=["detail", line.detail_id])


def _what(line):
    detail = line.detail
    parts = [detail.get_transaction_class_display().capitalize()]
    parts += [each.name for each in (detail.resource, detail.role) if each]
    text = " · ".join(parts)
    if line.differs:
        return format_html('{} · <span class="warn">Other tax groups than the draft</span>', text)
    return text


def _section(line):
    return f"{line.section.number}. {line.section.title or 'Without title'}"


class ProposalLineTable(Table):
    description = MainColumn(accessor="detail__pk", order_by="detail__description", verbose_name="Line")
    number = tables.Column(verbose_name="No.", attrs=cells("num"))
    date = DayColumn(accessor="detail__date", verbose_name="Date")
    project = TextColumn(accessor="detail__project__code", verbose_name="Project", attrs=cells("c-wide"))
    section = tables.Column(order_by="section__number", attrs=cells("c-wide"))
    quantity = QuantityColumn(accessor="detail__quantity", unit="detail__unit", verbose_name="Quantity")
    price = PriceColumn(
        accessor="detail__price", verbose_name="Price", currency="proposal__proforma__currency"
    )
    amount = AmountColumn(currency="proposal__proforma__currency", explain=explain_line, verbose_name="Net")
    billing_tax_group = TextColumn(accessor="billing_tax_group__code", verbose_name="Billing tax group")
    item_tax_group = TextColumn(accessor="item_tax_group__code", verbose_name="Item tax group")
    dimensions = TextColumn(accessor="dimensions", orderable=False)
    billing_type = StatusColumn(accessor="detail__billing_type", verbose_name="Billing type")

    HIDDEN = ("number", "price", "billing_type")

    selectable = True
    row_amount = "amount"
    row_currency = "proposal__proforma__currency"

    def render_description(self, record):
        return format_html(
            '<div class="main"><a href="{}">{}</a></div><div class="sub">{}</div>',
            explain_line(record),
            title_of(record.detail),
            _what(record),
        )

    def value_description(self, record):
        return title_of(record.detail)

    def render_section(self, record):
        return _section(record)

    def value_section(self, record):
        return _section(record)

    def render_dimensions(self, value):
        return dimensions_in_words(value)

    def label(self, record):
        detail = record.detail
        amount = amount_in_words(record.amount, record.proposal.proforma.currency)
        return f"line {record.number}, {in_words(detail, detail.resource, amount)}"
