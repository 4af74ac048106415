"""Tables and files of accounts, customers and projects."""

from collections import defaultdict

import django_tables2 as tables
from django.utils.html import format_html

from contracts.models import Customer, Project
from invoicing_site.floor import formatting
from invoicing_site.screens.tables import (
    AmountsColumn,
    MainColumn,
    Table,
    cells,
    in_minor_units,
    plain_number,
)
from invoicing_site.templatetags import ledgerline as tags
from ledger.reports import project_figures
from proforma.tables import FigureColumn, TogetherTable


def _in_currency(rows, places, currency):
    """The rows, headings first: amounts with their currency's decimals, the currency in the next column."""
    yield [*next(rows), "Currency"]
    for row in rows:
        yield [*row[:-places], *(in_minor_units(amount, currency) for amount in row[-places:]), currency]


class TrialBalanceFile:
    """A trial balance as rows for a file: headings, accounts, the result of earlier years, totals."""

    def __init__(self, balance, currency):
        self.balance, self.currency = balance, currency

    def as_values(self):
        return _in_currency(self._rows(), 4, self.currency)

    def _rows(self):
        found = self.balance
        yield ["Account", "Name", "Opening", "Debit", "Credit", "Closing"]
        for row in found.rows:
            account = row.account
            yield [account.number, account.name, row.opening, row.debit, row.credit, row.closing]
        if found.earlier_result:
            yield ["", "Result of earlier years", found.earlier_result, None, None, found.earlier_result]
        yield ["", "Total", found.opening, found.debit, found.credit, found.closing]


class LedgerCardFile:
    """The entries of one account as rows for a file, from its opening to its closing balance."""

    def __init__(self, card, currency):
        self.card, self.currency = card, currency

    def as_values(self):
        return _in_currency(self._rows(), 3, self.currency)

    def _rows(self):
        card = self.card
        yield ["Date", "Voucher", "Text", "Project", "Customer", "Debit", "Credit", "Balance"]
        yield [card.start, "", "Opening balance", "", "", None, None, card.opening]
        for entry in card.entries:
            yield [
                entry.voucher.date,
                entry.voucher.number,
                entry.text or entry.voucher.text,
                entry.project.code if entry.project else "",
                entry.customer.name if entry.customer else "",
                entry.accounting_debit,
                entry.accounting_credit,
                entry.running,
            ]
        yield [card.end, "", "Closing balance", "", "", card.debit, card.credit, card.closing]


class AgedColumn(AmountsColumn):
    """A customer's open amounts per currency, for one age or in total."""

    def __init__(self, name, **kwargs):
        def sums(customer, table):
            rows = table.aged.get(customer.pk, ())
            return {row.currency: getattr(row, name) for row in rows if getattr(row, name)}

        super().__init__(sums, **kwargs)


AGES = ["open", "not_due", "days_1_30", "days_31_60", "days_61_90", "over_90"]


class CustomerTable(Table):
    """Customers with open amounts by age, which `find` returns for the customers of a page."""

    name = MainColumn(url="customer", sub="number", also={"Number": "number"})
    country = tables.Column()
    open = AgedColumn("total", verbose_name="Open")
    not_due = AgedColumn("not_due", main=False, verbose_name="Not due")
    days_1_30 = AgedColumn("days_1_30", main=False, verbose_name="1–30 days")
    days_31_60 = AgedColumn("days_31_60", main=False, verbose_name="31–60 days")
    days_61_90 = AgedColumn("days_61_90", main=False, verbose_name="61–90 days")
    over_90 = AgedColumn("over_90", main=False, verbose_name="Over 90 days")

    class Meta:
        model = Customer
        fields = ()

    def __init__(self, *args, find, **kwargs):
        super().__init__(*args, **kwargs)
        self.find, self.aged = find, {}  # the open amounts of each customer by key

    def load(self, records):
        self.aged = defaultdict(list)
        for row in self.find(records):
            self.aged[row.customer.pk].append(row)


class HoursColumn(tables.Column):
    """Hours of the project's statement."""

    def __init__(self, name, **kwargs):
        super().__init__(accessor="pk", orderable=False, attrs=cells("num"), **kwargs)
        self.figure = name

    def render(self, record, table):
        return tags.hours(getattr(table.figures_of(record), self.figure))

    def value(self, record, table):
        return plain_number(getattr(table.figures_of(record), self.figure))


class GrossMarginColumn(FigureColumn):
    """Billed amount less cost, with the percentage of the billed amount below (CON-8)."""

    def render(self, record, table):
        found = table.figures_of(record)
        return format_html("{}{}", super().render(record, table), gross_percent(found))


def gross_percent(figures):
    """The gross margin in percent as a secondary line; empty if nothing was billed."""
    share = figures.gross_margin_percent
    words = "" if share is None else formatting.margin(share)
    return format_html('<div class="sub">{}</div>', words) if words else ""


class ProjectTable(TogetherTable):
    """Projects with their posted amounts to date."""

    code = MainColumn(verbose_name="Project", url="project", sub="name", also={"Name": "name"})
    managers = tables.Column(accessor="pk", verbose_name="Managers", orderable=False)
    is_open = tables.Column(verbose_name="Entries", attrs=cells("c-status", ""))
    hours = HoursColumn("hours", verbose_name="Hours")
    cost = FigureColumn("cost", currency="entity__currency", verbose_name="Cost")
    revenue = FigureColumn("revenue", currency="entity__currency", main=True, verbose_name="Invoiced revenue")
    on_account = FigureColumn("on_account", currency="entity__currency", verbose_name="Invoiced on account")
    disbursed = FigureColumn("disbursed", currency="entity__currency", verbose_name="Disbursements billed")
    margin = GrossMarginColumn("gross_margin", currency="entity__currency", verbose_name="Gross margin")

    class Meta:
        model = Project
        fields = ()

    def render_managers(self, record):
        return ", ".join(map(str, record.managers.all())) or tags.amount(None)

    def value_managers(self, record):
        return ", ".join(map(str, record.managers.all()))

    def render_is_open(self, value):
        return tags.chip("open", "ready") if value else tags.chip("closed", "done")

    def value_is_open(self, value):
        return "open" if value else "closed"

    def read_figures(self, rows):
        return project_figures(rows)
