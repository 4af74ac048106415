"""Alterations by the owner of the database, each of one thing; verifying must name them."""

from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import F

from actuals.models import Actual
from backlog.models import BacklogItem
from contracts.models import MilestonePart, NumberSequence, SequenceCounter
from invoicing_site.floor import guards
from ledger.books import chain
from ledger.models import (
    AccountBalance,
    CustomerBalance,
    CustomerInvoice,
    CustomerTransaction,
    Document,
    InvoiceLine,
    InvoiceProposal,
    InvoiceReference,
    InvoiceTax,
    InvoiceToDocument,
    JournalLine,
    LedgerEntry,
    PartyBalance,
    PeriodBalance,
    ProjectBalance,
    ProjectTransaction,
    Settlement,
    Voucher,
)
from proforma.models import DetailActual, LineDetail

D = Decimal


@contextmanager
def behind_the_guards():
    """Drop the triggers, as the owner of the database can, and create them again afterwards."""
    decide_deferred()
    guards.drop(connection)
    yield
    decide_deferred()
    guards.install(connection)


def decide_deferred():
    """Let PostgreSQL check deferred constraints now, because it drops no trigger while one is pending."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def altered(rows, **values):
    assert rows.update(**values) == 1, "A planted alteration changes exactly one row."


def voucher_of(entry, **fields):
    """The journal voucher of an entry's cost, or of the original sales with these fields."""
    fields = {"type": "cost", **fields}
    return Voucher.objects.get(
        journal_line__actual__in=Actual.objects.filter(
            entry=entry, detail_actual=None, reverses=None, **fields
        ).order_by("pk")[:1]
    )


def accrual(ledger):
    return voucher_of(ledger.eight, type="unbilled", billing_type="chargeable")


# Each alters one thing, and returns the number in which the finding must name it.


def entry_amount(ledger):
    voucher = voucher_of(ledger.eight)
    rows = LedgerEntry.objects.filter(voucher=voucher, account__number="4300")
    altered(rows, debit=D(810), accounting_debit=D(810))
    return voucher.number


def entry_moved_to_another_account(ledger):
    voucher = voucher_of(ledger.eight)
    other = ledger.company.entity.accounts.get(number="7820")
    altered(LedgerEntry.objects.filter(voucher=voucher, account__number="4300"), account=other)
    return voucher.number


def entry_deleted(ledger):
    voucher = voucher_of(ledger.seven)
    LedgerEntry.objects.get(voucher=voucher, account__number="5090").delete()
    return voucher.number


def both_entries_deleted(ledger):
    voucher = voucher_of(ledger.seven)
    LedgerEntry.objects.filter(voucher=voucher).delete()
    return voucher.number


def voucher_format(ledger):
    """A number that no version uses, so that the hash can't be calculated again."""
    voucher = ledger.invoices[0].voucher
    altered(Voucher.objects.filter(pk=voucher.pk), hash_format=9)
    return voucher.number


def voucher_text(ledger):
    voucher = ledger.invoices[0].voucher
    altered(Voucher.objects.filter(pk=voucher.pk), text="Gift")
    return voucher.number


def waiting_row_deleted(ledger):
    actual = Actual.objects.get(entry=ledger.open, type="cost")
    actual.to_journal.delete()
    return str(actual.pk)


def voucher_deleted(ledger):
    voucher = voucher_of(ledger.taxi)
    delete_voucher(voucher)
    return Voucher.objects.get(position=voucher.position + 1).number


def last_voucher_deleted(ledger):
    delete_voucher(Voucher.objects.latest("position"))
    return ""


def delete_voucher(voucher):
    for model in (LedgerEntry, CustomerTransaction, ProjectTransaction):
        model.objects.filter(voucher=voucher)._raw_delete("default")
    if voucher.kind == "invoice":
        _delete_invoice(voucher.invoice)
    Voucher.objects.filter(pk=voucher.pk)._raw_delete("default")


def invoice_total(ledger):
    altered(CustomerInvoice.objects.filter(pk=ledger.invoices[0].pk), total=F("total") - 1)
    return ledger.invoices[0].number


def invoice_buyer(ledger):
    altered(CustomerInvoice.objects.filter(pk=ledger.invoices[0].pk), buyer_name="Somebody else")
    return ledger.invoices[0].voucher.number


def invoice_line_text(ledger):
    altered(InvoiceLine.objects.filter(invoice=ledger.invoices[0], number=1), description="Advice")
    return ledger.invoices[0].voucher.number


def invoice_tax_base(ledger):
    altered(InvoiceTax.objects.filter(invoice=ledger.invoices[0]), base=D(1))
    return ledger.invoices[0].voucher.number


def invoice_deleted(ledger):
    """With its lines; its voucher stays."""
    _delete_invoice(ledger.invoices[0])
    return ledger.invoices[0].number


def _delete_invoice(invoice):
    for model in (Document, InvoiceToDocument, InvoiceReference, InvoiceTax, InvoiceLine):
        model.objects.filter(invoice=invoice)._raw_delete("default")
    CustomerInvoice.objects.filter(pk=invoice.pk)._raw_delete("default")


def invoice_renumbered(ledger):
    altered(CustomerInvoice.objects.filter(pk=ledger.invoices[3].pk), seq=9, number="INV-2025-000009")
    return "INV-2025-000004"


def invoice_dated_back(ledger):
    altered(CustomerInvoice.objects.filter(pk=ledger.invoices[3].pk), invoice_date=date(2025, 3, 31))
    return ledger.invoices[3].number


def counter_turned_back(ledger):
    rows = SequenceCounter.objects.filter(sequence__kind=NumberSequence.Kind.INVOICE)
    altered(rows, last=3)
    return "INV-2025-000004"


def customer_transaction(ledger):
    rows = CustomerTransaction.objects.filter(voucher=ledger.invoices[0].voucher)
    altered(rows, amount=D(5), accounting_amount=D(5))
    return ledger.invoices[0].voucher.number


def project_transaction(ledger):
    voucher = accrual(ledger)
    altered(ProjectTransaction.objects.filter(voucher=voucher), amount=D(5), accounting_amount=D(5))
    return voucher.number


def accrual_kept(ledger):
    """The reversal of the invoice in the project subledger is deleted."""
    rows = ProjectTransaction.objects.filter(
        voucher=ledger.invoices[0].voucher, kind="accrued", actual__entry=ledger.eight
    )
    assert rows._raw_delete("default") == 1
    return str(accrual(ledger).journal_line.actual_id)


def actual_amount(ledger):
    actual = accrual(ledger).journal_line.actual
    altered(Actual.objects.filter(pk=actual.pk), amount=F("amount") + 1)
    return accrual(ledger).number


def actual_description(ledger):
    voucher = voucher_of(ledger.eight)
    altered(Actual.objects.filter(pk=voucher.journal_line.actual_id), description="Golf")
    return voucher.number


def billed_amount(ledger):
    """The amount of an actual that the voucher names and the detail repeats."""
    billed = DetailActual.objects.get(detail=ledger.lowered, part="billed").actual
    altered(Actual.objects.filter(pk=billed.pk), amount=F("amount") + 1)
    return ledger.proformas[0].number


def reversal_amount(ledger):
    reversal = DetailActual.objects.get(detail=ledger.lowered, part="reversal").actual
    altered(Actual.objects.filter(pk=reversal.pk), amount=F("amount") + 1)
    return str(reversal.pk)


def journal_line_rate(ledger):
    voucher = voucher_of(ledger.abroad)
    altered(JournalLine.objects.filter(voucher=voucher), exchange_rate=D("1.5"))
    return voucher.number


def journal_voucher_unlinked(ledger):
    """A voucher that claims to reverse another one."""
    reversal = Voucher.objects.filter(reverses__isnull=False).earliest("position")
    altered(Voucher.objects.filter(pk=reversal.pk), reverses=ledger.invoices[0].voucher)
    return reversal.number


def claim_moved(ledger):
    """The item on a confirmed detail is replaced by an open one, which could be billed twice."""
    other = BacklogItem.objects.filter(actual__entry=ledger.open).earliest("pk")
    altered(LineDetail.objects.filter(pk=ledger.lowered.pk), backlog_item=other)
    return ledger.proformas[0].number


def item_ready_again(ledger):
    item = ledger.lowered.backlog_item
    altered(BacklogItem.objects.filter(pk=item.pk), status="ready")
    return str(item.pk)


def item_ready_again_and_unclaimed(ledger):
    item = ledger.lowered.backlog_item
    altered(LineDetail.objects.filter(pk=ledger.lowered.pk), backlog_item=None)
    altered(BacklogItem.objects.filter(pk=item.pk), status="ready")
    return str(item.pk)


def milestone_ready_again_and_unclaimed(ledger):
    detail = LineDetail.objects.get(line__proforma=ledger.proformas[2], backlog_item__isnull=False)
    altered(LineDetail.objects.filter(pk=detail.pk), backlog_item=None)
    altered(BacklogItem.objects.filter(pk=detail.backlog_item_id), status="ready")
    return ledger.proformas[2].number


def billed_item_canceled(ledger):
    item = ledger.lowered.backlog_item
    altered(BacklogItem.objects.filter(pk=item.pk), status="canceled")
    return str(item.pk)


def item_worth_more(ledger):
    item = BacklogItem.objects.filter(actual__entry=ledger.open).earliest("pk")
    altered(BacklogItem.objects.filter(pk=item.pk), amount=F("amount") + 1)
    return str(item.pk)


def item_deleted(ledger):
    item = BacklogItem.objects.filter(actual__entry=ledger.open).earliest("pk")
    item.delete()
    return str(item.actual_id)


def share_changed(ledger):
    """A share of work that is in no journal yet: only the other shares differ."""
    share = Actual.objects.filter(entry=ledger.open, type="unbilled").earliest("pk")
    altered(Actual.objects.filter(pk=share.pk), amount=D(121), quantity=D("0.605"))
    altered(BacklogItem.objects.filter(actual=share), amount=D(121))
    return str(ledger.open.pk)


def milestone_part(ledger):
    part = MilestonePart.objects.get(milestone__line__contract=ledger.fixed, milestone__amount=6000)
    altered(MilestonePart.objects.filter(pk=part.pk), amount=D(7000))
    altered(BacklogItem.objects.filter(milestone_part=part), amount=D(7000))
    return part.milestone.name


def limit_broken(ledger):
    """Committed without the check of limits."""
    ledger.tm.limit = D(3000)
    ledger.tm.save()
    return "TM"


def proposal_without_invoice(ledger):
    proposal = InvoiceProposal.objects.create(
        proforma=ledger.drafts[0],
        entity=ledger.company.entity,
        number="PF-X",
        contract_customer=ledger.drafts[0].contract_customer,
        status="posted",
    )
    return proposal.number


def balance_of_a_period(ledger):
    balance = PeriodBalance.objects.first()
    balance.count -= 1
    balance.save()
    return str(balance.period)


def balance_of_an_account(ledger):
    balance = AccountBalance.objects.filter(account__number="1500").first()
    balance.debit += 1
    balance.save()
    return str(balance.account)


def balance_of_a_party(ledger):
    balance = PartyBalance.objects.filter(account__number="1530").first()
    balance.count += 1
    balance.save()
    return str(balance.account)


def balance_of_a_customer_deleted(ledger):
    balance = CustomerBalance.objects.first()
    balance.delete()
    return str(balance.customer)


def balance_of_a_project_moved(ledger):
    balance = ProjectBalance.objects.first()
    balance.kind = "recognized"
    balance.save()
    return str(balance.project)


def settled_too_much(ledger):
    owes = CustomerTransaction.objects.get(voucher=ledger.invoices[0].voucher)
    gave = CustomerTransaction.objects.get(voucher=ledger.invoices[2].voucher)
    Settlement.objects.create(
        debit=owes,
        credit=gave,
        date=date(2025, 5, 1),
        amount=D(9999),
        debit_accounting_amount=D(9999),
        credit_accounting_amount=D(9999),
    )
    return owes.document_number


def last_voucher_rewritten(ledger):
    """Content, claims and hash agree with each other again; only the stored head differs."""
    voucher = Voucher.objects.latest("position")
    assert voucher.kind == "invoice"
    _rewrite(voucher, voucher.previous_hash)
    return ""


def everything_behind_a_voucher_rewritten(ledger):
    """The whole end of the chain is forged consistently, except for the stored head."""
    forged = Voucher.objects.order_by("position")[10]
    _rewrite(forged, forged.previous_hash)
    before = Voucher.objects.get(pk=forged.pk)
    for voucher in Voucher.objects.filter(position__gt=forged.position).order_by("position"):
        _rewrite(voucher, before.hash, text=voucher.text)
        before = Voucher.objects.get(pk=voucher.pk)
    return ""


def _rewrite(voucher, previous_hash, text="Forged"):
    voucher.text, voucher.previous_hash = text, previous_hash
    voucher.hash = chain.voucher_hash(
        voucher,
        voucher.entries.all(),
        voucher.customer_transactions.all(),
        voucher.project_transactions.all(),
    )
    altered(Voucher.objects.filter(pk=voucher.pk), text=text, previous_hash=previous_hash, hash=voucher.hash)
