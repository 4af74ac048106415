"""Reports of the books: overview, trial balance, and the card of one account (PST-6)."""

from dataclasses import dataclass
from datetime import date

from django.core.paginator import Paginator
from django.db.models import Count
from django.db.models.functions import TruncMonth

from backlog.aging import unbilled
from backlog.models import BacklogItem
from contracts.models import Customer
from invoicing_site.floor import formatting
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens import DetailScreen, Page
from invoicing_site.screens.export import exported
from ledger.models import Account, CustomerInvoice, FiscalYear
from ledger.reports import aging, control_accounts, ledger_card, trial_balance
from ledger.reports.forms import PeriodForm
from ledger.reports.tables import LedgerCardFile, TrialBalanceFile

_PER_PAGE = 100
_MONTHS = 12


@dataclass(frozen=True)
class Period:
    """The period of a report, and its form."""

    form: PeriodForm
    start: date
    end: date


def asked_period(request, entity) -> Period:
    """The entered period; this fiscal year until today if it is empty or invalid."""
    today = entity.today()
    year = FiscalYear.objects.filter(entity=entity, starts__lte=today, ends__gte=today).first()
    start = year.starts if year else today.replace(month=1, day=1)
    given = {name: request.GET[name] for name in ("since", "until") if request.GET.get(name)}
    form = PeriodForm({"since": start, "until": max(start, today)} | given)
    if form.is_valid():
        return Period(form, form.cleaned_data["since"], form.cleaned_data["until"])
    return Period(form, start, max(start, today))


class Reports(Page):
    """The overview of all reports, with key amounts of the legal entity."""

    permission = "report.view"
    template_name = "ledger/reports.html"
    title = "Reports"
    lead = "Receivables, unbilled work and revenue, and the reports behind them."

    def get_context_data(self, **context):
        entity = self.request.entity
        today = entity.today()
        customers = Customer.objects.filter(entity=entity)
        work = unbilled(BacklogItem.objects.open().filter(contract__entity=entity), on=today)
        sums = work.order_by().values("currency").annotate(n=Count("pk"), sum=ExactSum("amount"))
        return super().get_context_data(
            open_amounts=by_currency(aging(customers, on=today)),
            unbilled=list(sums.order_by("currency")),
            invoiced=invoiced(CustomerInvoice.objects.filter(entity=entity), today),
            currency=entity.currency,
            **context,
        )


def by_currency(rows):
    """Open and overdue amounts of all customers: currency, how many customers, open, overdue."""
    sums = {}
    for row in rows:
        n, total, overdue = sums.get(row.currency, (0, 0, 0))
        sums[row.currency] = (n + 1, total + row.total, overdue + row.overdue)
    return [(currency, *found) for currency, found in sorted(sums.items())]


def invoiced(invoices, today):
    """The net of the last twelve months in accounting currency: labels and amounts."""
    first = today.replace(year=today.year - 1, day=1)
    months = [_later(first, n) for n in range(1, _MONTHS + 1)]
    found = invoices.filter(invoice_date__range=(months[0], today)).annotate(month=TruncMonth("invoice_date"))
    sums = dict(found.order_by("month").values_list("month").annotate(exact_net=ExactSum("accounting_net")))
    return {
        "labels": [formatting.short_month(month) for month in months],
        "amounts": [sums.get(month, 0) for month in months],
        "total": sum(sums.values()),
    }


def _later(month, n):
    years, rest = divmod(month.month - 1 + n, 12)
    return month.replace(year=month.year + years, month=rest + 1)


class TrialBalancePage(Page):
    """The accounts of the selected entity in a period, and its control accounts with their subledgers."""

    permission = "report.view"
    template_name = "ledger/trial_balance.html"
    title = "Trial balance"

    def get(self, request, *args, **kwargs):
        self.period = asked_period(request, request.entity)
        self.balance = trial_balance(request.entity, start=self.period.start, end=self.period.end)
        if kind := request.GET.get("_export"):
            name = f"Trial balance {request.entity.code} {self.period.start} {self.period.end}"
            return exported(TrialBalanceFile(self.balance, request.entity.currency), kind, name=name)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **context):
        return super().get_context_data(
            period=self.period,
            form=self.period.form,
            balance=self.balance,
            controls=control_accounts(self.request.entity, on=self.period.end),
            currency=self.request.entity.currency,
            **context,
        )


class AccountPage(DetailScreen):
    """The card of one account: each entry of a period with the balance after it."""

    model = Account
    permission = "report.view"
    template_name = "ledger/account.html"

    def rows(self):
        return Account.objects.select_related("entity")

    def get(self, request, *args, **kwargs):
        self.period = asked_period(request, self.row.entity)
        self.card = ledger_card(self.row, start=self.period.start, end=self.period.end)
        if kind := request.GET.get("_export"):
            name = f"Account {self.row.number} {self.period.start} {self.period.end}"
            return exported(LedgerCardFile(self.card, self.row.entity.currency), kind, name=name)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **context):
        page = Paginator(self.card.entries, _PER_PAGE).get_page(self.request.GET.get("page"))
        entries = list(page)
        return super().get_context_data(
            period=self.period,
            form=self.period.form,
            card=self.card,
            page=page,
            entries=entries,
            brought=_before(entries[0]) if entries else self.card.opening,
            currency=self.row.entity.currency,
            may_open=self.request.may("voucher.view", self.row.entity),
            **context,
        )


def _before(entry):
    """The balance before the entry."""
    return entry.running - entry.accounting_debit + entry.accounting_credit
