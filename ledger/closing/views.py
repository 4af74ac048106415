"""Fiscal periods: what is still open in each, and closing, holding and opening them (PST-6)."""

from dataclasses import dataclass
from itertools import groupby

from django.db.models.functions import Coalesce
from django.urls import reverse

from invoicing_site.floor import moves
from invoicing_site.screens import Answer, DetailScreen, Operation, Page
from ledger.closing import operations
from ledger.closing.still_open import earlier_open, open_kinds, still_open, still_open_in
from ledger.models import FiscalPeriod, FiscalYear
from ledger.reports import control_accounts
from ledger.setup import fiscal_years
from ledger.setup.operations import add_year_after

_Status = FiscalPeriod.Status
# The number of items of a kind that are listed on the page of a period, the oldest first.
SHOWN = 12
# The number of vouchers of a period.
_VOUCHERS = Coalesce("balance__count", 0)
# The number of earlier open periods that the warning names.
NAMED = 3


@dataclass(frozen=True)
class Kind:
    """How a kind of open item is shown: its title, who has to act, and the list of all items."""

    title: str
    owner: str
    link: str  # URL name with a query, "" where accountants have no such list
    fetch: tuple = ()
    along: tuple = ()


KINDS = {
    "ENTRIES": Kind(
        "Entries that are not approved",
        "Project members and managers",
        "",
        ("project", "resource"),
        ("project__managers",),
    ),
    "ACTUALS": Kind(
        "Actuals not in a journal",
        "Accounting",
        "waiting_actuals",
        ("actual__project", "actual__resource"),
    ),
    "JOURNAL-LINES": Kind(
        "Journal lines that are not posted",
        "Accounting",
        "journals?status=draft&status=error&status=processing",
        ("journal", "actual__project", "actual__resource"),
    ),
    "PROFORMAS": Kind(
        "Proformas that are not confirmed",
        "Project managers",
        "proformas?status=draft&status=review",
        ("contract", "customer"),
        ("contract__managers",),
    ),
    "PROPOSALS": Kind(
        "Invoice proposals that are not posted",
        "Accounting",
        "proposals?open=1",
        ("proforma__customer", "proforma__contract"),
    ),
}


def address(link):
    name, _, query = link.partition("?")
    return (reverse(name) + (f"?{query}" if query else "")) if name else ""


def _people(managers):
    return ", ".join(str(user) for user in managers.all())


def _row(code, row):
    """The address, text, secondary text and owner of one open item."""
    if code == "ENTRIES":
        owner = row.resource if row.status == "draft" else _people(row.project.managers)
        what = f"{row.resource}, {row.project.code}"
        return reverse("entry", args=[row.pk]), what, row.get_status_display(), owner
    if code == "ACTUALS":
        what = f"{row.actual.get_type_display()}, {row.actual.project.code}"
        sub = row.reason.sentence if row.reason else row.actual.resource or ""
        return reverse("explain", args=["actual", row.pk]), what, sub, ""
    if code == "JOURNAL-LINES":
        what = f"Journal {row.journal.number}"
        sub = (
            f"{row.actual.project.code}, {row.actual.resource or row.actual.get_transaction_class_display()}"
        )
        return row.journal.get_absolute_url(), what, row.error.sentence if row.error else sub, ""
    if code == "PROFORMAS":
        owner = _people(row.contract.managers)
        return row.get_absolute_url(), row.number, f"{row.customer.name}, {row.get_status_display()}", owner
    sub = f"{row.proforma.customer.name}, {row.get_status_display()}"
    return row.get_absolute_url(), row.number, sub, ""


def open_things(period, found, today):
    """Each kind of open items in the period, with its oldest rows: one or two queries for each kind."""
    result = []
    rows_of = {kind.code: kind.rows for kind in open_kinds(period.entity_id)}
    for each in found:
        kind = KINDS[each.code]
        rows = rows_of[each.code].filter(open_day__range=(period.starts, period.ends))
        rows = rows.select_related(*kind.fetch).prefetch_related(*kind.along).order_by("open_day", "pk")
        shown = []
        for row in rows[:SHOWN]:
            url, what, sub, owner = _row(each.code, row)
            shown.append(
                {
                    "url": url,
                    "what": what,
                    "sub": sub,
                    "owner": owner or kind.owner,
                    "day": row.open_day,
                    "age": (today - row.open_day).days,
                }
            )
        more = each.count - len(shown)
        result.append({"found": each, "kind": kind, "rows": shown, "more": more, "url": address(kind.link)})
    return result


def what_is_left(found):
    """“2 entries are not approved. 1 …”, or nothing."""
    return " ".join(each.reason.sentence for each in found)


def question(period, found, earlier):
    """The question before a period is closed: its open items, and the earlier periods that are open."""
    left = what_is_left(found)
    text = f"Close {period} of {period.entity.code}? Then nothing can be posted in it."
    text = f"{text} Open items: {left}" if left else f"{text} It has no open items."
    return f"{text} {out_of_order(earlier)}" if earlier else text


def out_of_order(earlier):
    """The warning that earlier periods are open, with the names of the oldest few."""
    names = ", ".join(str(each) for each in earlier[:NAMED])
    if more := len(earlier) - NAMED:
        names += f" and {more} more" if more > 0 else ""
    verb = "period is" if len(earlier) == 1 else "periods are"
    return f"{len(earlier)} earlier {verb} not closed: {names}. Close the oldest first."


class Periods(Page):
    """The fiscal years with their periods, and the open items of past periods."""

    permission = "period.view"
    template_name = "ledger/periods.html"
    title = "Fiscal periods"
    lead = "Close a period when everything that is dated in it is posted."

    def get_context_data(self, **context):
        entity = self.request.entity
        today = entity.today()
        rows = FiscalPeriod.objects.visible_to(self.request.user).filter(entity=entity)
        rows = list(rows.select_related("entity", "year").annotate(vouchers_in=_VOUCHERS))
        begun = [row for row in rows if row.starts <= today and row.status != _Status.CLOSED]
        found = still_open_in(begun)
        unclosed = sorted((row for row in rows if row.status != _Status.CLOSED), key=lambda row: row.starts)
        for row in rows:
            row.left = found.get(row.pk, [])
            row.is_past = row.ends < today
            row.is_current = row.starts <= today <= row.ends
            earlier = [each for each in unclosed if each.starts < row.starts]
            row.question = question(row, row.left, earlier)
            oldest = [each.oldest for each in row.left]
            row.age = (today - min(oldest)).days if oldest else None
        rows.sort(key=lambda row: row.starts, reverse=True)
        years = [
            {"year": year, "periods": list(group), "current": year.starts <= today <= year.ends}
            for year, group in groupby(rows, lambda row: row.year)
        ]
        # This year and earlier ones come first, future ones last.
        years.sort(key=lambda each: each["year"].starts > today)
        return super().get_context_data(
            years=years,
            late=[row for row in rows if row.is_past and row.status != _Status.CLOSED],
            kinds=KINDS,
            may_close=self.request.may("period.close"),
            last=fiscal_years.last_year(entity),
            next=fiscal_years.year_to_add(entity),
            warning=(soon := fiscal_years.ends_soon(entity)) and fiscal_years.what_to_do(soon),
            **context,
        )


class PeriodPage(DetailScreen):
    """One period: its open items and who has to act, and its control accounts at its end."""

    model = FiscalPeriod
    permission = "period.view"
    template_name = "ledger/period.html"

    def rows(self):
        return FiscalPeriod.objects.select_related("entity", "year").annotate(vouchers_in=_VOUCHERS)

    def get_context_data(self, **context):
        period = self.row
        today = period.entity.today()
        found = still_open(period)
        return super().get_context_data(
            period=period,
            things=open_things(period, found, today),
            is_past=period.ends < today,
            has_begun=period.starts <= today,
            question=question(period, found, earlier_open(period)),
            vouchers=period.vouchers_in,
            controls=control_accounts(period.entity, on=period.ends),
            before=FiscalPeriod.objects.filter(entity=period.entity, starts__lt=period.starts)
            .order_by("-starts")
            .first(),
            after=FiscalPeriod.objects.filter(entity=period.entity, starts__gt=period.starts)
            .order_by("starts")
            .first(),
            offered=moves.offered(period, lambda permission: self.request.may(permission, period.entity)),
            **{key: value for key, value in context.items() if key != "period"},
        )


class _ChangePeriod(Operation):
    """Changes the status of a period; its open items are shown, but do not stop it."""

    model, permission = FiscalPeriod, "period.close"

    def rows(self):
        return FiscalPeriod.objects.select_related("entity")

    def turn(self, period):
        raise NotImplementedError

    def operate(self, period):
        left = self.turn(period)
        text = self.done.format(period)
        return Answer(f"{text} Open items: {what_is_left(left)}" if left else text)

    def success_url(self, period):
        return reverse("period", args=[period.pk])


class ClosePeriod(_ChangePeriod):
    done = "{} is closed."

    def turn(self, period):
        return operations.close_period(period, by=self.request.user)


class HoldPeriod(_ChangePeriod):
    done = "{} is on hold: nothing is posted in it for now."

    def turn(self, period):
        return operations.put_on_hold(period, by=self.request.user)


class ReopenPeriod(_ChangePeriod):
    done = "{} is open again."

    def turn(self, period):
        return operations.reopen_period(period, by=self.request.user)


class AddFiscalYear(Operation):
    """The fiscal year after the last one, with its months; the year in the address is the last one."""

    model, permission = FiscalYear, "period.close"

    def rows(self):
        return FiscalYear.objects.select_related("entity")

    def operate(self, year):
        added = add_year_after(year, by=self.request.user)
        return Answer(f"Fiscal year {added} is added, with {added.periods.count()} open periods.")

    def success_url(self, year):
        return reverse("periods")

    refused_url = success_url
