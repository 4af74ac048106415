"""Aged receivables as files: headings, rows and totals."""

from invoicing_site.screens.tables import in_minor_units
from ledger.reports import AGES

AGE_LABELS = dict(
    zip(AGES, ("Not due", "1–30 days", "31–60 days", "61–90 days", "Over 90 days"), strict=True)
)


class ReceivablesFile:
    """Amounts owed by customers, by currency and in accounting currency, and the control accounts at the end.

    A row has one currency. Only columns in accounting currency have a total.
    """

    def __init__(self, found, rows):
        self.found, self.rows = found, rows

    def as_values(self):
        own = self.found.entity.currency
        labels = [*AGE_LABELS.values(), "Total"]
        yield ["Number", "Customer", "Currency", *labels, *(f"{label}, {own}" for label in labels)]
        for row in self.rows:
            customer = row.customer
            amounts = _amounts(row.own, row.currency), _amounts(row.books, own)
            yield [customer.number, customer.name, row.currency, *amounts[0], *amounts[1]]
        blank = [None] * len(labels)
        yield ["", "All customers", "", *blank, *_amounts(self.found.books, own)]
        figures = [(str(each.account), each.balance) for each in self.found.accounts]
        for label, amount in (*figures, ("Difference", self.found.difference)):
            yield ["", label, "", *blank, *blank[1:], in_minor_units(amount, own)]


def _amounts(ages, currency):
    return [in_minor_units(amount, currency) for amount in (*ages.columns, ages.total)]


class OpenTransactionsFile:
    """The transactions that were open on a day."""

    def __init__(self, entity, rows):
        self.entity, self.rows = entity, rows

    def as_values(self):
        own = self.entity.currency
        yield [
            *("Number", "Customer", "Document", "Kind", "Date", "Accounting date", "Due date"),
            *("Days overdue", "Currency", "Amount", "Settled", "Open", f"Open, {own}"),
        ]
        for row in self.rows:
            transaction = row.transaction
            currency = transaction.currency
            yield [
                transaction.customer.number,
                transaction.customer.name,
                transaction.document_number or transaction.voucher.number,
                transaction.get_kind_display(),
                transaction.date,
                transaction.voucher.date,
                transaction.due_date,
                row.days,
                currency,
                *(in_minor_units(each, currency) for each in (transaction.amount, row.settled, row.open)),
                in_minor_units(row.accounting_open, own),
            ]
