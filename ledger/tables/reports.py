"""What people see of accounts, customers and projects, on pages and in files."""

import django_tables2 as tables
from django.utils.html import format_html_join

from contracts.models import Customer, Project
from invoicing_site.screens.tables import MainColumn, Table, cells
from invoicing_site.templatetags import ledgerline as tags
from ledger.reports import project_figures
from proforma.tables import TogetherTable


class TrialBalanceFile:
    """A trial balance as rows for a file: a heading, each account, the result of earlier years, the sums."""

    def __init__(self, balance):
        self.balance = balance

    def as_values(self):
        found = self.balance
        yield ["Account", "Name", "Opening", "Debit", "Credit", "Closing"]
        for row in found.rows:
            account = row.account
            yield [account.number, account.name, row.opening, row.debit, row.credit, row.closing]
        if found.earlier_result:
            yield ["", "Result of earlier years", found.earlier_result, None, None, found.earlier_result]
        yield ["", "Total", found.opening, found.debit, found.credit, found.closing]


class LedgerCardFile:
    """The card of one account as rows for a file, from its opening to its closing balance."""

    def __init__(self, card):
        self.card = card

    def as_values(self):
        card = self.card
        yield ["Date", "Voucher", "Text", "Project", "Customer", "Debit", "Credit", "Balance"]
        yield [card.start, "", "Opening balance", "", "", None, None, card.opening]
        for entry in card.entries.iterator(chunk_size=2000):
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


class AgedColumn(tables.Column):
    """What a customer has open in each currency, of one age or in all."""

    def __init__(self, name, *, main=False, **kwargs):
        css = cells("num amount" if main else "num", "num")
        super().__init__(accessor="pk", orderable=False, attrs=css, **kwargs)
        self.figure = name

    def found(self, record, table):
        rows = table.aged.get(record.pk, ())
        return [(getattr(row, self.figure), row.currency) for row in rows if getattr(row, self.figure)]

    def render(self, record, table):
        found = self.found(record, table)
        lines = ((tags.amount(sum, currency),) for sum, currency in found)
        return format_html_join("", "<div>{}</div>", lines) if found else tags.amount(None)

    def value(self, record, table):
        return ", ".join(f"{sum} {currency}" for sum, currency in self.found(record, table))


AGES = ["open", "not_due", "days_1_30", "days_31_60", "days_61_90", "over_90"]


class CustomerTable(Table):
    """Customers with what they owe by age: `aged` has the rows of each by the customer's key."""

    name = MainColumn(url="customer", sub="number")
    country = tables.Column()
    open = AgedColumn("total", main=True, verbose_name="Open")
    not_due = AgedColumn("not_due", verbose_name="Not due")
    days_1_30 = AgedColumn("days_1_30", verbose_name="1–30 days")
    days_31_60 = AgedColumn("days_31_60", verbose_name="31–60 days")
    days_61_90 = AgedColumn("days_61_90", verbose_name="61–90 days")
    over_90 = AgedColumn("over_90", verbose_name="Over 90 days")

    class Meta:
        model = Customer
        fields = ()

    def __init__(self, *args, aged=None, **kwargs):
        self.aged = aged or {}
        super().__init__(*args, **kwargs)


class FigureColumn(tables.Column):
    """An amount of the project's statement, in its entity's currency."""

    def __init__(self, name, *, main=False, **kwargs):
        css = cells("num amount" if main else "num", "num")
        super().__init__(accessor="pk", orderable=False, attrs=css, **kwargs)
        self.figure = name

    def render(self, record, table):
        return tags.amount(getattr(table.figures_of(record), self.figure), record.entity.currency)

    def value(self, record, table):
        return getattr(table.figures_of(record), self.figure)


class HoursColumn(FigureColumn):
    """Hours of the project's statement."""

    def render(self, record, table):
        return tags.hours(getattr(table.figures_of(record), self.figure))


class ProjectTable(TogetherTable):
    """Projects with what was booked on them until now."""

    code = MainColumn(verbose_name="Project", url="project", sub="name")
    managers = tables.Column(accessor="pk", verbose_name="Managers", orderable=False)
    is_open = tables.Column(verbose_name="Entries", attrs=cells("c-status", ""))
    hours = HoursColumn("hours", verbose_name="Hours")
    cost = FigureColumn("cost", verbose_name="Cost")
    revenue = FigureColumn("revenue", main=True, verbose_name="Invoiced revenue")
    margin = FigureColumn("margin", verbose_name="Margin")

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
