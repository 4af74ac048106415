"""Invoices clear disbursements exactly (APP-8)."""

from decimal import Decimal

import pytest

from invoicing_site.floor.errors import Refused
from invoicing_site.verify import findings
from ledger.invoicing.checks import check
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.journal.operations.journals import add_to_journals, post_journals
from ledger.models import JournalLine, LedgerEntry
from proforma import operations as proformas
from tests import factories
from tests.invoicing_site.sample_company.alterations import behind_the_guards
from tests.ledger.billing import (
    MARCH_10,
    MARCH_31,
    book_journals,
    confirmed,
    cr,
    dr,
    drafted,
    edited,
    entries_of,
    facts_of,
    proposed,
    work,
)
from tests.ledger.journal_samples import reversed_on

pytestmark = pytest.mark.django_db


@pytest.fixture
@factories.remembered
def court_fee(no1):
    return factories.CategoryFactory(
        entity=no1.entity,
        transaction_class="expense",
        code="COURT",
        is_disbursement=True,
        item_tax_group=no1.books.item_tax_groups["OUTSIDE"],
    )


@factories.remembered
def in_euro(no1, **fields):
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.60"))
    return factories.contract(no1, currency="EUR", confirmed=True, **fields)


@factories.remembered
def paid(no1, contract, category, amount, **fields):
    """A fee that the company paid in the customer's name, in NOK by default."""
    return factories.ActualFactory(
        type="cost",
        line=contract.lines.get(),
        transaction_class="expense",
        category=category,
        resource=no1.resource,
        price=Decimal(amount),
        amount=Decimal(amount),
        date=MARCH_10,
        **fields,
    )


@factories.remembered
def charged(no1, contract, cost, amount, **fields):
    """The sale of such a fee, ready to invoice."""
    return work(
        no1,
        contract,
        "1",
        amount,
        transaction_class="expense",
        category=cost.category,
        role=None,
        cost=cost,
        **fields,
    )


@factories.remembered
def posted(no1, *items):
    return post(proposed(no1, *items), by=no1.accountant, on=MARCH_31)


def left_on(account="1570"):
    """The balance of an account, by currency and in accounting currency."""
    left = {}
    for row in LedgerEntry.objects.filter(account__number=account):
        left[row.currency] = left.get(row.currency, 0) + row.debit - row.credit
        left["own"] = left.get("own", 0) + row.accounting_debit - row.accounting_credit
    return left


def test_disbursements_billed_at_an_agreed_rate_leave_no_cent_behind(no1, court_fee):
    """PST-2 PST-10: NOK 1,650 + 2,520 as EUR 144.74 + 221.05, at 11.40 NOK 4,170.01: 0.01 too much."""
    contract = in_euro(no1, fixed_exchange_rate=Decimal("11.40"))
    items = [
        charged(no1, contract, paid(no1, contract, court_fee, "1650"), "144.74"),
        charged(no1, contract, paid(no1, contract, court_fee, "2520"), "221.05"),
    ]

    invoice = posted(no1, *items)

    assert entries_of(invoice.voucher) == [
        dr("1500", "365.79", "4170.01"),
        cr("1570", "4170.00", "4170.00"),
        cr("7770", "365.79", "4170.01"),
        dr("7770", "4170.00", "4170.00"),
    ]
    cleared = invoice.voucher.entries.get(account__number="1570")
    assert (cleared.currency, cleared.rate, cleared.project) == ("NOK", 1, no1.project)
    assert [entry.currency for entry in invoice.voucher.entries.order_by("number")] == [
        "EUR",
        "NOK",
        "EUR",
        "NOK",
    ]
    assert left_on() == {"NOK": 0, "own": 0}
    assert invoice.accounting_net == Decimal("4170.01")
    assert [row[2:] for row in facts_of(invoice.voucher) if row[0] == "disbursement"] == [
        (-2520, -2520),
        (-1650, -1650),
    ]
    assert [row for row in facts_of(invoice.voucher) if row[0] == "revenue"] == []
    assert findings() == []


def test_a_disbursement_in_the_accounting_currency_is_one_simple_entry(no1, court_fee):
    """PST-10: nothing is converted, so there is no difference."""
    contract = factories.contract(no1, confirmed=True)

    invoice = posted(no1, charged(no1, contract, paid(no1, contract, court_fee, "80"), "80"))

    assert entries_of(invoice.voucher) == [dr("1500", 80), cr("1570", 80)]
    assert left_on() == {"NOK": 0, "own": 0}


def test_a_disbursement_billed_in_part_is_cleared_and_the_rest_is_a_cost(no1, court_fee):
    """PST-10: of 500 paid, the customer is charged 400; the other 100 are a cost of the company."""
    contract = factories.contract(no1, confirmed=True)
    item = charged(no1, contract, paid(no1, contract, court_fee, "500"), "500")
    book_journals(no1)
    proforma = drafted(no1, item)
    edited(no1, proforma, item, price=Decimal(400))
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    invoice = posted_of(no1, proforma)

    assert entries_of(invoice.voucher) == [dr("1500", 400), cr("1570", 500), dr("4300", 100)]
    assert left_on() == {"NOK": 0, "own": 0}
    assert findings() == []


def posted_of(no1, proforma):
    return post(proposed(no1, proforma=proforma), by=no1.accountant, on=MARCH_31)


def test_a_disbursement_billed_in_part_in_another_currency(no1, court_fee):
    """PST-2 PST-10: NOK 1,000 approved as EUR 87.72 at 11.40, charged at 50.00: EUR 37.72 are a cost."""
    contract = in_euro(no1, fixed_exchange_rate=Decimal("11.40"))
    item = charged(no1, contract, paid(no1, contract, court_fee, "1000"), "87.72")
    proforma = drafted(no1, item)
    edited(no1, proforma, item, price=Decimal(50))
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    invoice = posted_of(no1, proforma)

    assert entries_of(invoice.voucher) == [
        dr("1500", "50.00", "570.00"),
        cr("1570", "1000.00", "1000.00"),
        dr("4300", "37.72", "430.01"),
        cr("7770", "87.72", "1000.01"),
        dr("7770", "1000.00", "1000.00"),
    ]
    assert left_on() == {"NOK": 0, "own": 0}


def test_a_disbursement_that_is_not_charged_after_all_is_a_cost(no1, court_fee):
    """PST-10: cleared by the invoice, which does not print it."""
    contract = factories.contract(no1, confirmed=True)
    given_up = charged(
        no1, contract, paid(no1, contract, court_fee, "90"), "90", billing_type="non_chargeable"
    )

    invoice = posted(no1, given_up, work(no1, contract, "1", "200"))

    assert sorted(entries_of(invoice.voucher)) == sorted(
        [dr("1500", 250), cr("3000", 200), cr("2700", 50), cr("1570", 90), dr("4300", 90)]
    )
    assert left_on() == {"NOK": 0, "own": 0}


def test_a_charge_above_the_disbursement_is_revenue(no1, court_fee):
    """PST-10 APP-8: 80 were paid, 100 are charged"""
    contract = factories.contract(no1, confirmed=True)

    invoice = posted(no1, charged(no1, contract, paid(no1, contract, court_fee, "80"), "100"))

    assert entries_of(invoice.voucher) == [dr("1500", 100), cr("1570", 80), cr("3000", 20)]


def test_a_changed_rate_between_disbursement_and_invoice_is_an_exchange_gain(no1, court_fee):
    """PST-10 MON-5: EUR 100 paid at 11.00 = 1,100, charged at 11.60 = 1,160"""
    contract = in_euro(no1)
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=Decimal("11.00"), valid_from=MARCH_10
    )
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=Decimal("11.60"), valid_from=MARCH_31
    )
    cost = paid(no1, contract, court_fee, "100", currency="EUR")

    invoice = posted(no1, charged(no1, contract, cost, "100"))

    assert entries_of(invoice.voucher) == [dr("1500", 100, 1160), cr("1570", 100, 1100), cr("8060", 0, 60)]
    assert left_on() == {"EUR": 0, "own": 0}


def test_the_shares_of_two_customers_clear_the_disbursement_together(no1, court_fee):
    """PST-2 PST-10: NOK 1,000 at 11.00 is EUR 90.91, 30.30 and 60.61 of it: 333.30 + 666.70 = 1,000.00"""
    other = factories.CustomerFactory(entity=no1.entity, billing_tax_group=no1.customer.billing_tax_group)
    contract = in_euro(
        no1,
        fixed_exchange_rate=Decimal("11"),
        customers=[(no1.customer, "33.33"), (other, "66.67")],
    )
    cost = paid(no1, contract, court_fee, "1000")
    first, second = contract.customers.order_by("pk")
    items = [
        charged(no1, contract, cost, "30.30", customer=first, split=Decimal("33.33")),
        charged(no1, contract, cost, "60.61", customer=second, split=Decimal("66.67")),
    ]

    one = posted(no1, items[0])
    halfway = left_on()
    two = posted(no1, items[1])

    assert entries_of(one.voucher) == [
        dr("1500", "30.30", "333.30"),
        cr("1570", "333.30", "333.30"),
        cr("7770", "30.30", "333.30"),
        dr("7770", "333.30", "333.30"),
    ]
    assert halfway == {"NOK": Decimal("666.70"), "own": Decimal("666.70")}
    assert entries_of(two.voucher) == [
        dr("1500", "60.61", "666.71"),
        cr("1570", "666.70", "666.70"),
        cr("7770", "60.61", "666.71"),
        dr("7770", "666.70", "666.70"),
    ]
    assert left_on() == {"NOK": 0, "own": 0}
    assert findings() == []


def test_a_reversed_share_clears_nothing_of_the_disbursement(no1, court_fee):
    """PST-10: of NOK 1,000 each customer has half; one half is reversed, the other clears its 500."""
    other = factories.CustomerFactory(entity=no1.entity, billing_tax_group=no1.customer.billing_tax_group)
    contract = factories.contract(no1, confirmed=True, customers=[(no1.customer, "50"), (other, "50")])
    cost = paid(no1, contract, court_fee, "1000")
    first, second = contract.customers.order_by("pk")
    item, gone = (
        charged(no1, contract, cost, "500", customer=customer, split=Decimal(50))
        for customer in (first, second)
    )
    reversed_on(gone.actual, MARCH_31)

    invoice = posted(no1, item)

    assert entries_of(invoice.voucher) == [dr("1500", "500"), cr("1570", "500")]
    assert left_on() == {"NOK": Decimal(500), "own": Decimal(500)}


def test_the_account_is_the_one_that_the_journal_used(no1, court_fee):
    """PST-10: the category was set up differently when it was invoiced."""
    contract = factories.contract(no1, confirmed=True)
    item = charged(no1, contract, paid(no1, contract, court_fee, "80"), "80")
    proposal = proposed(no1, item)
    court_fee.is_disbursement = False
    court_fee.save()

    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    assert entries_of(invoice.voucher) == [dr("1500", 80), cr("1570", 80)]


def test_a_disbursement_that_no_journal_has_posted_blocks_its_invoice(no1, court_fee):
    """PST-10: a missing posting can't be cleared."""
    contract = factories.contract(no1, confirmed=True)
    cost = paid(no1, contract, court_fee, "80")
    item = charged(no1, contract, cost, "80")
    add_to_journals(no1.entity, on=MARCH_31, by=no1.accountant)
    JournalLine.objects.filter(actual=cost).update(accounting_date="2031-01-01")  # without any books
    post_journals(no1.entity, by=no1.accountant, on=MARCH_31)
    proposal = create_proposal(confirmed(no1, item))

    assert [result.code for result in check(proposal, on=MARCH_31) if result.is_error] == [
        "DISBURSEMENT-POSTED"
    ]
    with pytest.raises(Refused, match=r"The disbursement of 10 Mar 2025 \(80.00 NOK\)"):
        post(proposal, by=no1.accountant, on=MARCH_31)


def test_verifying_finds_balances_of_billed_disbursements(no1, court_fee):
    """PST-7: 0.01 was added to the account afterwards."""
    contract = factories.contract(no1, confirmed=True)
    invoice = posted(no1, charged(no1, contract, paid(no1, contract, court_fee, "80"), "80"))
    assert [row for row in findings() if row.code == "DISBURSEMENT"] == []
    with behind_the_guards():
        invoice.voucher.entries.filter(account__number="1570").update(accounting_credit=Decimal("80.01"))

    (found,) = [row for row in findings() if row.code == "DISBURSEMENT"]

    assert found.sentence == (
        f"All disbursements of project {no1.project} are billed, but −0.01 NOK of them is still on account "
        "1570 Disbursements for customers."
    )


def test_verifying_ignores_disbursements_that_are_not_billed_yet(no1, court_fee):
    """PST-7: an open disbursement is no finding"""
    contract = factories.contract(no1, confirmed=True)
    charged(no1, contract, paid(no1, contract, court_fee, "70"), "70")

    posted(no1, charged(no1, contract, paid(no1, contract, court_fee, "80"), "80"))

    assert left_on() == {"NOK": 70, "own": 70}
    assert findings() == []
