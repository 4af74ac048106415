"""Aged receivables: open amounts of customers at the end of a day, and the control account (PST-6, PST-8)."""

from collections import defaultdict

from django.core.paginator import Paginator

from invoicing_site.screens import Page
from invoicing_site.screens.export import exported
from invoicing_site.screens.lists import key_of
from ledger.reports import Ages, aged_receivables, open_transactions
from ledger.reports.forms import ReceivablesForm
from ledger.reports.receivable_tables import AGE_LABELS, OpenTransactionsFile, ReceivablesFile

_PER_PAGE = 100


class AgedReceivables(Page):
    """Open amounts by customer, in each currency and in accounting currency.

    With `customer` or `view` also open transactions. The control account and the difference are those of all
    customers, regardless of the filter.
    """

    permission = "report.view"
    template_name = "ledger/receivables.html"
    title = "Aged receivables"

    def get(self, request, *args, **kwargs):
        given = {name: request.GET[name] for name in ("on", "q", "age") if request.GET.get(name)}
        today = request.entity.today()
        self.form = ReceivablesForm({"on": today} | given, ages=AGE_LABELS)
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        self.on = asked.get("on") or today
        self.found = aged_receivables(request.entity, on=self.on)
        self.rows = _filtered(self.found.rows, asked.get("q", ""), asked.get("age", ""))
        self.customer = key_of(request.GET.get("customer", ""))
        self.open = None
        if self.customer is not None or request.GET.get("view") == "transactions":
            self.open = self.opened(asked.get("age", ""))
        if kind := request.GET.get("_export"):
            return self.file(kind)
        return super().get(request, *args, **kwargs)

    def opened(self, age):
        """The open transactions of the filtered customers, and those of the selected age."""
        keys = {row.customer.pk for row in self.rows}
        if self.customer is not None:
            keys &= {self.customer}
        rows = open_transactions(sorted(keys), on=self.on)
        if age == "overdue":
            return [row for row in rows if row.days]
        return [row for row in rows if row.age == age] if age else rows

    def file(self, kind):
        entity = self.request.entity
        if self.open is None:
            name, table = "Aged receivables", ReceivablesFile(self.found, self.rows)
        else:
            name, table = "Open transactions", OpenTransactionsFile(entity, self.open)
        return exported(table, kind, name=f"{name} {entity.code} {self.on}")

    def get_context_data(self, **context):
        by_currency, in_books = defaultdict(list), defaultdict(Ages)
        for row in self.rows:
            by_currency[row.currency].append((row.customer, row.own))
            in_books[row.customer] += row.books
        by_customer = self.open is None
        listed = list(in_books) if by_customer else self.open
        page = Paginator(listed, _PER_PAGE).get_page(self.request.GET.get("page"))
        shown = set(page) if by_customer else set()
        whose = next((row.customer for row in self.rows if row.customer.pk == self.customer), None)
        return super().get_context_data(
            form=self.form,
            on=self.on,
            found=self.found,
            labels=AGE_LABELS.values(),
            parts=[_part(currency, rows, shown) for currency, rows in sorted(by_currency.items())],
            books=_part(self.request.entity.currency, in_books.items(), shown),
            whose=whose,
            page=page,
            by_customer=by_customer,
            sums=_sums(self.open or ()),
            currency=self.request.entity.currency,
            **context,
        )


def _filtered(rows, text, age):
    """Rows of customers whose name or number contains the text, with an amount of that age and currency."""
    text = text.strip().casefold()
    return [
        row
        for row in rows
        if text in f"{row.customer.number} {row.customer.name}".casefold()
        and (not age or getattr(row.own, age) or getattr(row.books, age))
    ]


def _part(currency, rows, shown):
    """The total of one currency, and the rows of the customers shown with their cells: label and amount."""
    total = sum((ages for _, ages in rows), Ages())
    rows = [(customer, _cells(ages), ages.total) for customer, ages in rows if customer in shown]
    return {"currency": currency, "rows": rows, "cells": _cells(total), "total": total.total}


def _cells(ages):
    return list(zip(AGE_LABELS.values(), ages.columns, strict=True))


def _sums(rows):
    """The open amounts of the transactions, by currency and in accounting currency."""
    sums, books = defaultdict(int), 0
    for row in rows:
        sums[row.transaction.currency] += row.open
        books += row.accounting_open
    return {"by_currency": sorted(sums.items()), "books": books}
