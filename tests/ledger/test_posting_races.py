"""Posting at the same moment: on PostgreSQL, with real threads."""

import datetime
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from invoicing_site.floor.errors import Refused
from ledger.books import chain
from ledger.invoicing.operations import writing
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.models import (
    CustomerInvoice,
    CustomerTransaction,
    InvoiceLine,
    InvoiceProposal,
    LedgerEntry,
    Voucher,
)
from tests.ledger.billing import MARCH_31, confirmed, proposed, work
from tests.ledger.voucher_samples import balances_are_kept

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def no_documents(monkeypatch):
    """Documents are created after the commit and do not matter here."""
    monkeypatch.setattr("ledger.document.operations.draw", lambda invoice: None)


def at_once(*actions):
    """Run the actions in threads that start together; returns their results or exceptions."""
    barrier = threading.Barrier(len(actions))

    def run(action):
        try:
            barrier.wait(20)
            return action()
        except (Refused, RuntimeError) as problem:
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as threads:
        return [future.result(60) for future in [threads.submit(run, action) for action in actions]]


def chain_is_whole():
    previous = ""
    for position, voucher in enumerate(Voucher.objects.order_by("position"), start=1):
        assert (voucher.position, voucher.previous_hash) == (position, previous)
        assert voucher.number == f"V-2025-{position:07}"
        assert voucher.hash == chain.voucher_hash(
            voucher,
            voucher.entries.all(),
            voucher.customer_transactions.all(),
            voucher.project_transactions.all(),
        )
        previous = voucher.hash
    return balances_are_kept()


def test_two_users_who_post_one_proposal_create_one_invoice(no1, contract):
    """PST-1: the second one gets the number of the first."""
    proposal = proposed(no1, work(no1, contract))

    outcomes = at_once(
        lambda: post(proposal, by=no1.accountant, on=MARCH_31),
        lambda: post(proposal, by=no1.administrator, on=MARCH_31),
    )

    invoice = CustomerInvoice.objects.get()
    assert [outcome for outcome in outcomes if outcome == invoice] == [invoice]
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert (refusal.code, invoice.number in refusal.message) == ("ALREADY-POSTED", True)
    assert (InvoiceLine.objects.count(), CustomerTransaction.objects.count()) == (1, 1)
    assert Voucher.objects.filter(kind="invoice").count() == 1


def test_ten_at_once_get_ten_rising_numbers_without_gap(no1, contract):
    """MON-7 PST-7: ten vouchers, and one unbroken chain."""
    proposals = [proposed(no1, work(no1, contract)) for _ in range(10)]

    outcomes = at_once(
        *(lambda proposal=proposal: post(proposal, by=no1.accountant, on=MARCH_31) for proposal in proposals)
    )

    numbers = sorted(invoice.number for invoice in outcomes)
    assert numbers == [f"INV-2025-{n:06}" for n in range(1, 11)]
    invoices = CustomerInvoice.objects.order_by("voucher__position")
    assert [invoice.seq for invoice in invoices] == list(range(1, 11))
    assert chain_is_whole()


def test_a_failure_among_others_leaves_no_gap(no1, contract, monkeypatch):
    """MON-7: it fails after its number was drawn, while the others wait for theirs."""
    proposals = [proposed(no1, work(no1, contract)) for _ in range(10)]
    spoilt = proposals[4].pk
    write = writing.write_vouchers

    def fail_for_one(entity, plans, **options):
        vouchers = write(entity, plans, **options)
        number = plans[0].text.split()[1].rstrip(",")
        if InvoiceProposal.objects.filter(pk=spoilt, status="posted").exists():
            # Only the transaction that fails can see its proposal as posted.
            raise RuntimeError(f"{number} is lost")
        return vouchers

    monkeypatch.setattr(writing, "write_vouchers", fail_for_one)
    outcomes = at_once(
        *(lambda proposal=proposal: post(proposal, by=no1.accountant, on=MARCH_31) for proposal in proposals)
    )

    failed = [outcome for outcome in outcomes if isinstance(outcome, RuntimeError)]
    assert len(failed) == 1
    numbers = sorted(outcome.number for outcome in outcomes if not isinstance(outcome, RuntimeError))
    assert numbers == [f"INV-2025-{n:06}" for n in range(1, 10)]
    assert chain_is_whole()
    assert InvoiceProposal.objects.get(pk=spoilt).status == "open"
    assert InvoiceLine.objects.count() == LedgerEntry.objects.filter(account__number="1500").count() == 9

    monkeypatch.undo()
    monkeypatch.setattr("ledger.document.operations.draw", lambda invoice: None)
    assert post(proposals[4], by=no1.accountant, on=MARCH_31).number == "INV-2025-000010"


def test_racing_dates_get_numbers_in_date_order(no1, contract):
    """MON-7 PRP-8: a later call with an earlier date is refused and leaves no rows."""
    proposals = [proposed(no1, work(no1, contract)) for _ in range(8)]
    days = [MARCH_31 + datetime.timedelta(days=n * 3 % 8) for n in range(8)]

    outcomes = at_once(
        *(
            lambda proposal=proposal, day=day: post(proposal, by=no1.accountant, on=day)
            for proposal, day in zip(proposals, days, strict=True)
        )
    )

    invoices = list(CustomerInvoice.objects.order_by("seq"))
    assert [invoice.seq for invoice in invoices] == list(range(1, len(invoices) + 1))
    assert [i.invoice_date for i in invoices] == sorted(i.invoice_date for i in invoices)
    refused = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
    assert refused == ["NUM-ORDER"] * (8 - len(invoices))
    assert InvoiceProposal.objects.filter(status="posted").count() == len(invoices)


def test_two_workers_create_one_proposal_for_one_proforma(no1, contract):
    """PRO-7"""
    proforma = confirmed(no1, work(no1, contract))
    InvoiceProposal.objects.all().delete()  # created by the job after confirming

    first, second = at_once(*[lambda: create_proposal(proforma)] * 2)

    assert first == second == InvoiceProposal.objects.get()
