"""The balance of what is accrued: backlog, subledger and accounts agree (section 13, 4)."""

from datetime import date
from decimal import Decimal

from actuals.models import Actual
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, cancel_approval
from invoicing_site.verify import findings
from invoicing_site.verify.accrued import accrued
from ledger.models import JournalLine, LedgerEntry
from proforma import operations as proformas
from tests import factories
from tests.invoicing_site.sample_company.alterations import altered, behind_the_guards
from tests.invoicing_site.sample_company.sample import APRIL_2, _booked


def found(ledger):
    return [(row.code, row.number, row.sentence) for row in accrued(ledger.company.entity)]


def test_work_in_every_state_balances(ledger):
    """Section 13, 4: open, on a draft, confirmed, in a journal or not, canceled before its journal."""
    assert found(ledger) == []
    _booked(ledger, APRIL_2)
    assert found(ledger) == []
    proformas.confirm(ledger.drafts[0], by=ledger.company.manager, on=APRIL_2)
    assert found(ledger) == []
    cancel_approval([ledger.open], by=ledger.company.manager, on=APRIL_2)
    assert found(ledger) == []
    _booked(ledger, APRIL_2)
    assert findings() == []


def test_an_entry_that_is_approved_and_canceled_twice_balances(ledger):
    """Section 13, 4: the second time as complimentary, and its reversal waits for a journal."""
    company = ledger.company
    entry = factories.time_entry(company, "2")
    approve([entry], by=company.manager, on=APRIL_2)
    cancel_approval([entry], by=company.manager, on=APRIL_2)
    _booked(ledger, APRIL_2)
    decisions = {entry.pk: Decision(billing_type="complimentary")}
    approve([entry], by=company.manager, on=APRIL_2, decisions=decisions)
    assert found(ledger) == []
    cancel_approval([entry], by=company.manager, on=APRIL_2)
    assert found(ledger) == []
    _booked(ledger, APRIL_2)
    assert findings() == []


def test_an_item_deleted_from_the_backlog_is_still_accrued(ledger):
    """Section 13, 4: one hour at 200; the share of 60 % is 120."""
    _booked(ledger, APRIL_2)
    item = BacklogItem.objects.get(actual__entry=ledger.open, amount=120)
    with behind_the_guards():
        altered(BacklogItem.objects.filter(pk=item.pk), status="canceled")
    assert found(ledger) == [
        (
            "ACCRUED",
            str(ledger.open.pk),
            f"Entry {ledger.open.pk} has an accrual of 120.00 NOK, but 0.00 NOK of its journal lines is "
            "still to be invoiced.",
        )
    ]


def test_a_stored_amount_that_is_not_what_was_accrued_is_named(ledger):
    """Section 13, 4: at stored rates."""
    _booked(ledger, APRIL_2)
    line = JournalLine.objects.get(actual__entry=ledger.open, actual__amount=80, actual__type="unbilled")
    with behind_the_guards():
        altered(JournalLine.objects.filter(pk=line.pk), accounting_amount=Decimal(90))
    assert [sentence for *_, sentence in found(ledger)] == [
        f"Entry {ledger.open.pk} has an accrual of 80.00 NOK, but 90.00 NOK of its journal lines is "
        "still to be invoiced."
    ]


def test_accounts_with_another_balance_are_named(ledger):
    """Section 13, 4: 200 of one open hour and 200 of one on a draft; one entry of 120 says 100."""
    _booked(ledger, APRIL_2)
    entry = LedgerEntry.objects.get(
        voucher__journal_line__actual__in=Actual.objects.filter(entry=ledger.open, amount=120),
        account__control="wip_sales",
    )
    with behind_the_guards():
        altered(LedgerEntry.objects.filter(pk=entry.pk), accounting_debit=Decimal(100))
    assert [sentence for *_, sentence in found(ledger)] == [
        "The accounts of WIP sales value have 380.00 NOK of time and material, but 400.00 NOK was accrued "
        "and not reversed."
    ]


def test_a_negative_committed_item_does_not_raise_the_limit(ledger):
    """NTE-1, section 13, 6: 1,100 of 1,000 is over by 100, although −200 is still to be billed."""
    company = ledger.company
    contract = factories.contract(company, code="TIGHT", limit=Decimal(1000), confirmed=True)
    day = date(2025, 4, 1)
    items = [
        factories.ready_item(company, contract, quantity=n, price=Decimal(100), date=day) for n in (11, -2)
    ]
    BacklogItem.objects.filter(pk__in=[item.pk for item in items]).update(limit_status="committed")
    sentences = [row.sentence for row in findings() if row.code == "LIMIT"]
    assert sentences == [
        "Contract TIGHT has used 1,100.00 of the limit of 1,000.00 of the contract, 100.00 too much."
    ]
