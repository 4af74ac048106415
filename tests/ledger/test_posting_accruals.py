"""An invoice reverses the accruals of the journal, for any billed amount (PST-10)."""

import datetime
from decimal import Decimal

import pytest

from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.models import LedgerEntry, ProjectTransaction
from proforma import operations as proformas
from tests import factories
from tests.ledger.billing import (
    MARCH_10,
    MARCH_31,
    accrue,
    book_journals,
    confirmed,
    cr,
    dr,
    drafted,
    edited,
    entries_of,
    facts_of,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
@factories.remembered
def contract(no1):
    contract = factories.contract(no1, confirmed=True)
    accrue(no1, contract)
    return contract


def invoiced(no1, *items, on=MARCH_31, **changes):
    """Post the journals, then an invoice with the first item changed on the draft."""
    proforma = drafted(no1, *items, on=on)
    if changes:
        edited(no1, proforma, items[0], **changes)
    proformas.confirm(proforma, by=no1.manager, on=on)
    return post(create_proposal(proforma), by=no1.accountant, on=on)


def left_in_books():
    """The balances of WIP sales value and accrued revenue, debit less credit."""
    return {
        number: sum(
            row.accounting_debit - row.accounting_credit
            for row in LedgerEntry.objects.filter(account__number=number)
        )
        for number in ("1530", "3080")
    }


def test_accruals_are_reversed(no1, contract):
    """PST-10"""
    item = work(no1, contract, "10", "1000")
    book_journals(no1)

    invoice = invoiced(no1, item)

    assert entries_of(invoice.voucher) == [
        dr("1500", 12500),
        cr("3000", 10000),
        cr("2700", 2500),
        cr("1530", 10000),
        dr("3080", 10000),
    ]
    assert facts_of(invoice.voucher) == [("accrued", -10, -10000, -10000), ("revenue", 10, 10000, 10000)]
    assert left_in_books() == {"1530": 0, "3080": 0}


def test_the_whole_accrual_is_reversed_if_less_is_billed(no1, contract):
    """PST-10: 10 h × 1,000 accrued, billed as 7 h: revenue 7,000, Cr WIP 10,000, Dr accrued 10,000."""
    item = work(no1, contract, "10", "1000")
    book_journals(no1)

    invoice = invoiced(no1, item, quantity=Decimal(7))

    assert entries_of(invoice.voucher) == [
        dr("1500", 8750),
        cr("3000", 7000),
        cr("2700", 1750),
        cr("1530", 10000),
        dr("3080", 10000),
    ]
    # The rest of 3 h was not charged: revenue 0.
    assert facts_of(invoice.voucher) == [
        ("accrued", -10, -10000, -10000),
        ("revenue", 3, 0, 0),
        ("revenue", 7, 7000, 7000),
    ]


def test_only_the_accrual_is_reversed_if_more_is_billed(no1, contract):
    """PST-10: 10 h × 1,000 accrued, billed as 12 h."""
    item = work(no1, contract, "10", "1000")
    book_journals(no1)

    invoice = invoiced(no1, item, quantity=Decimal(12))

    assert entries_of(invoice.voucher) == [
        dr("1500", 15000),
        cr("3000", 12000),
        cr("2700", 3000),
        cr("1530", 10000),
        dr("3080", 10000),
    ]


@pytest.mark.parametrize("billing_type", ["non_chargeable", "complimentary"])
def test_the_accrual_is_reversed_if_nothing_is_charged(no1, contract, billing_type):
    """PST-10"""
    item = work(no1, contract, "10", "1000")
    book_journals(no1)

    invoice = invoiced(no1, item, billing_type=billing_type)

    assert entries_of(invoice.voucher) == [cr("1530", 10000), dr("3080", 10000)]
    assert invoice.total == 0
    assert invoice.lines.count() == (billing_type == "complimentary")
    assert left_in_books() == {"1530": 0, "3080": 0}


def test_nothing_is_reversed_without_an_accrual(no1):
    """PST-10: the profile accrues only since after the journal."""
    contract = factories.contract(no1, confirmed=True)
    item = work(no1, contract)
    book_journals(no1)
    accrue(no1, contract)

    invoice = invoiced(no1, item)

    assert entries_of(invoice.voucher) == [dr("1500", 1250), cr("3000", 1000), cr("2700", 250)]


def test_the_accrual_is_reversed_after_profile_and_accounts_changed(no1, contract):
    """PST-10: exactly the entries of the journal, independent of the profile now."""
    item = work(no1, contract)
    book_journals(no1)
    no1.entity.profile_assignments.filter(contract=contract).delete()
    accounts = no1.entity.posting_accounts
    accounts.filter(purpose__in=["wip_sales", "accrued"]).update(account=no1.books.accounts["1920"])

    invoice = invoiced(no1, item)

    assert entries_of(invoice.voucher)[3:] == [cr("1530", 1000), dr("3080", 1000)]


def test_the_accrual_is_reversed_at_its_own_rate(no1):
    """PST-10 MON-5: accrued at 11.00 on 10 March, invoiced at 11.60."""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.00"))
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=Decimal("11.60"), valid_from=datetime.date(2025, 3, 20)
    )
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    accrue(no1, contract)
    item = work(no1, contract)
    book_journals(no1)

    invoice = invoiced(no1, item)

    assert entries_of(invoice.voucher) == [
        dr("1500", 1250, 14500),
        cr("3000", 1000, 11600),
        cr("2700", 250, 2900),
        cr("1530", 1000, 11000),
        dr("3080", 1000, 11000),
    ]
    wip = invoice.voucher.entries.get(account__number="1530")
    assert wip.rate == Decimal("11.00")
    assert left_in_books() == {"1530": 0, "3080": 0}


def test_accruals_of_several_days_are_added_up_by_rate(no1):
    """PST-10: 100 at 11.00 twice, and 100 at 11.60"""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.00"))
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=Decimal("11.60"), valid_from=datetime.date(2025, 3, 20)
    )
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    accrue(no1, contract)
    days = [MARCH_10, MARCH_10, datetime.date(2025, 3, 25)]
    items = [work(no1, contract, "1", "100", date=day) for day in days]
    book_journals(no1)

    invoice = invoiced(no1, *items)

    assert entries_of(invoice.voucher)[3:] == [
        cr("1530", 200, 2200),
        cr("1530", 100, 1160),
        dr("3080", 200, 2200),
        dr("3080", 100, 1160),
    ]


def test_work_added_by_hand_was_never_accrued(no1, contract):
    """PST-10 PRP-1: and it waits for no journal."""
    item = work(no1, contract)
    book_journals(no1)
    proforma = drafted(no1, item)
    proformas.add_detail(
        proforma,
        by=no1.manager,
        contract_line=contract.lines.get(),
        transaction_class="time",
        date=MARCH_10,
        quantity=Decimal(2),
        price=Decimal(100),
        role=no1.role,
        category=no1.time,
    )
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)
    proposal = create_proposal(proforma)

    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    assert entries_of(invoice.voucher) == [
        dr("1500", 1500),
        cr("3000", 1200),
        cr("2700", 300),
        cr("1530", 1000),
        dr("3080", 1000),
    ]


def test_only_accruals_of_billed_work_are_reversed(no1, contract):
    """Section 13, 4: the accruals of other work do not change."""
    billed, waiting = work(no1, contract, "10"), work(no1, contract, "3")
    book_journals(no1)

    invoiced(no1, billed)

    assert left_in_books() == {"1530": 300, "3080": -300}
    accrued = ProjectTransaction.objects.filter(kind="accrued")
    assert sum(row.amount for row in accrued) == 300
    assert {row.actual for row in accrued} == {billed.actual, waiting.actual}


def test_the_journal_books_no_actuals_of_a_confirmation(no1, contract):
    """JRN-6: a later journal books neither the reversal nor the billed sales."""
    item = work(no1, contract, "10", "1000")
    book_journals(no1)
    confirmed(no1, item)
    before = LedgerEntry.objects.count()

    book_journals(no1)

    assert LedgerEntry.objects.count() == before
