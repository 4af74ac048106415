"""More alterations by the owner of the database: billed actuals are changed, rows are inserted."""

from datetime import date
from decimal import Decimal

from django.db.models import F

from actuals.models import Actual, Entry
from backlog.models import BacklogItem
from contracts.models import NumberSequence, SequenceCounter
from ledger.models import InvoiceLine, InvoiceTax
from proforma.models import DetailActual, LineDetail
from tests.invoicing_site.sample_company.alterations import altered, voucher_of

D = Decimal


def _billed(ledger, part="billed"):
    return DetailActual.objects.get(detail=ledger.lowered, part=part).actual


def _of_lowered(ledger, part="billed", **values):
    altered(Actual.objects.filter(pk=_billed(ledger, part).pk), **values)
    return ledger.proformas[0].number


def billed_price(ledger):
    return _of_lowered(ledger, price=F("price") + 1)


def billed_quantity(ledger):
    return _of_lowered(ledger, quantity=F("quantity") + 1)


def billed_description(ledger):
    return _of_lowered(ledger, description="Golf")


def billed_date(ledger):
    return _of_lowered(ledger, date=date(2025, 2, 1))


def billed_class(ledger):
    return _of_lowered(ledger, transaction_class="expense")


def billed_for_nothing(ledger):
    return _of_lowered(ledger, billing_type="complimentary")


def rest_lowered(ledger):
    return _of_lowered(ledger, "rest_billed", amount=F("amount") - 1)


def reversal_description(ledger):
    reversal = _billed(ledger, "reversal")
    altered(Actual.objects.filter(pk=reversal.pk), description="Golf")
    return str(reversal.pk)


def actual_and_detail_changed(ledger):
    """To the same value; the invoice line, which is part of the chain, shows the difference."""
    altered(LineDetail.objects.filter(pk=ledger.lowered.pk), description="Golf")
    for part in ("unbilled", "unbilled_reversal", "billed", "rest", "rest_reversal", "rest_billed"):
        _of_lowered(ledger, part, description="Golf")
    return ledger.invoices[0].number


def actual_billed_of_nothing(ledger):
    fact = copied(_billed(ledger))
    return str(fact.pk)


# Inserted rows


def copied(row, **values):
    """Insert a copy of the row with another key and some other values."""
    row = type(row).objects.get(pk=row.pk)
    row.pk, row._state.adding = None, True
    for name, value in values.items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def invoice_line_inserted(ledger):
    """With its proposal line and its detail."""
    line = InvoiceLine.objects.get(invoice=ledger.invoices[0], number=1)
    proposal_line = _proposal_line_inserted(line.proposal_line)
    copied(line, proposal_line=proposal_line, number=99, net=0, tax=0)
    return ledger.invoices[0].voucher.number


def _proposal_line_inserted(line):
    detail = copied(line.detail, backlog_item=None)
    return copied(line, detail=detail, number=99, amount=0)


def proposal_line_inserted(ledger):
    _proposal_line_inserted(InvoiceLine.objects.get(invoice=ledger.invoices[0], number=1).proposal_line)
    return ledger.invoices[0].number


def invoice_tax_inserted(ledger):
    copied(InvoiceTax.objects.get(invoice=ledger.invoices[0]), percent=1, base=0, tax=0)
    return ledger.invoices[0].voucher.number


def line_detail_inserted(ledger):
    copied(ledger.lowered, backlog_item=None)
    return ledger.proformas[0].number


def claim_inserted(ledger):
    fact = copied(_billed(ledger))
    DetailActual.objects.create(detail=ledger.lowered, actual=fact, part="again")
    return ledger.invoices[0].voucher.number


def journal_line_inserted(ledger):
    """For work that is in no journal yet, into a posted journal."""
    line = voucher_of(ledger.eight).journal_line
    copied(line, actual=Actual.objects.get(entry=ledger.open, type="cost"))
    return line.journal.number


def invoiced_actual_in_a_journal(ledger):
    line = voucher_of(ledger.eight).journal_line
    draft = copied(line.journal, number="J-X", status="draft", posted_at=None)
    copied(line, journal=draft, actual=_billed(ledger))
    return "J-X"


# Entries and their actuals


def cost_twice(ledger):
    copied(Actual.objects.get(entry=ledger.open, type="cost"))
    return str(ledger.open.pk)


def sales_twice(ledger):
    """A second set of shares for the same cost, in a batch of its own, each with its backlog item."""
    shares = list(Actual.objects.filter(entry=ledger.open, type="unbilled"))
    batch = copied(shares[0].batch)
    for share in shares:
        again = copied(share, batch=batch)
        copied(BacklogItem.objects.get(actual=share), actual=again)
    return str(ledger.open.pk)


def billed_sales_made_again(ledger):
    """Of work that was billed: the shares are open again."""
    shares = list(
        Actual.objects.filter(entry=ledger.taxi, type="unbilled", reverses=None, detail_actual=None)
    )
    batch = copied(shares[0].batch)
    for share in shares:
        item = BacklogItem.objects.get(actual=share)
        copied(item, actual=copied(share, batch=batch), status="not_ready")
    return str(ledger.taxi.pk)


def cost_reversed(ledger):
    cost = Actual.objects.get(entry=ledger.open, type="cost")
    copied(cost, reverses=cost, quantity=-cost.quantity, amount=-cost.amount)
    return str(ledger.open.pk)


def approved_by_hand(ledger):
    now = ledger.approval.batch.at
    altered(Entry.objects.filter(pk=ledger.unsubmitted.pk), status="approved", decided_at=now)
    return str(ledger.unsubmitted.pk)


def back_to_draft_by_hand(ledger):
    altered(Entry.objects.filter(pk=ledger.open.pk), status="draft")
    return str(ledger.open.pk)


def entry_changed(ledger):
    altered(Entry.objects.filter(pk=ledger.open.pk), quantity=D(2))
    return str(ledger.open.pk)


def entry_dated_back(ledger):
    altered(Entry.objects.filter(pk=ledger.open.pk), date=date(2025, 2, 1))
    return str(ledger.open.pk)


def entry_on_another_project(ledger):
    altered(Entry.objects.filter(pk=ledger.open.pk), project=ledger.tower)
    return str(ledger.open.pk)


# Counters


def _counter(kind):
    return SequenceCounter.objects.filter(sequence__kind=kind)


def counter_dated_back(ledger):
    altered(_counter("invoice"), last_date=date(2025, 3, 31))
    return str(NumberSequence.objects.get(kind="invoice"))


def counter_of_proformas_turned_back(ledger):
    altered(_counter("proforma"), last=F("last") - 1)
    return ledger.drafts[-1].number


def counter_of_vouchers_turned_back(ledger):
    altered(_counter("voucher"), last=F("last") - 1)
    return ""


def approver_changed(ledger):
    altered(Entry.objects.filter(pk=ledger.eight.pk), decided_by=ledger.company.auditor)
    return str(ledger.eight.pk)
