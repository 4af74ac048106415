"""The project subledger and its control accounts: amounts on account, and disbursements (PST-6)."""

import datetime
from decimal import Decimal

import pytest

from contracts.models import Project
from invoicing_site.verify import findings
from ledger.invoicing.operations.posting import post
from ledger.models import LedgerEntry
from ledger.reports import control_accounts, project_figures, project_statement
from proforma import operations as proformas
from tests import factories
from tests.invoicing_site.sample_company.alterations import behind_the_guards
from tests.ledger.billing import (
    MARCH_10,
    MARCH_31,
    book_journals,
    drafted,
    edited,
    milestone,
    proposed,
    work,
)

pytestmark = pytest.mark.django_db

APRIL_1 = datetime.date(2025, 4, 1)


@factories.remembered
def fee(no1, contract, cost, price, **fields):
    """A fee paid in the customer's name on 10 March, and the sale that charges it, ready to invoice."""
    category = no1.entity.categories.filter(code="COURT").first() or factories.CategoryFactory(
        entity=no1.entity,
        transaction_class="expense",
        code="COURT",
        is_disbursement=True,
        item_tax_group=no1.books.item_tax_groups["OUTSIDE"],
    )
    paid = factories.ActualFactory(
        type="cost",
        line=contract.lines.get(),
        transaction_class="expense",
        category=category,
        resource=no1.resource,
        price=Decimal(cost),
        amount=Decimal(cost),
        date=MARCH_10,
    )
    fields = {"transaction_class": "expense", "category": category, "role": None, "cost": paid, **fields}
    return work(no1, contract, "1", price, **fields)


@factories.remembered
def posted(no1, *items, on=APRIL_1, proforma=None):
    return post(proposed(no1, *items, on=on, proforma=proforma), by=no1.accountant, on=on)


def controlled(no1, control, on):
    (found,) = [row for row in control_accounts(no1.entity, on=on) if row.control == control]
    assert found.agrees
    return found.ledger, found.subledger


def moved(number):
    """Credit less debit of an account in accounting currency."""
    rows = LedgerEntry.objects.filter(account__number=number)
    return sum(row.accounting_credit - row.accounting_debit for row in rows)


def test_disbursements_are_no_revenue_of_the_project(no1, contract):
    """PST-8 APP-8: work of 1,000, a fee of 80 charged at 80, and one of 50 charged at 65: 1,015 are revenue.

    The fees are outside the scope of tax, and so on a separate invoice (DOC-2).
    """
    items = [work(no1, contract), fee(no1, contract, "80", "80"), fee(no1, contract, "50", "65")]
    book_journals(no1, on=APRIL_1)
    drafts = proformas.create_for_items(items, on=APRIL_1, by=no1.manager)
    invoices = [
        posted(no1, proforma=proformas.confirm(draft, by=no1.manager, on=APRIL_1)) for draft in drafts
    ]

    assert [invoice.net for invoice in invoices] == [1000, 145]
    figures = project_figures([no1.project])[no1.project.pk]
    assert (figures.revenue, figures.disbursed, figures.cost) == (1015, 130, 0)
    assert moved("3000") == 1015
    statement = project_statement(no1.project, start=MARCH_10, end=MARCH_31)
    assert (statement.total.revenue, statement.total.disbursed, statement.closing.disbursements) == (
        0,
        0,
        130,
    )
    statement = project_statement(no1.project, start=APRIL_1, end=APRIL_1)
    assert (statement.total.revenue, statement.total.disbursed, statement.closing.disbursements) == (
        1015,
        130,
        0,
    )
    assert statement.total.earned == 1015


def test_the_uncharged_part_of_a_disbursement_is_a_cost_of_the_project(no1, contract):
    """PST-8 PST-10: of 500 paid 400 are charged"""
    item = fee(no1, contract, "500", "500")
    book_journals(no1)
    proforma = drafted(no1, item)
    edited(no1, proforma, item, price=Decimal(400))
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)
    post(proposed(no1, proforma=proforma), by=no1.accountant, on=MARCH_31)

    figures = project_figures([no1.project])[no1.project.pk]
    assert (figures.revenue, figures.disbursed, figures.cost, figures.margin) == (0, 500, 100, -100)
    assert -moved("4300") == 100
    assert findings() == []


def test_revenue_of_all_projects_equals_that_of_the_ledger_after_conversion(no1):
    """PST-2 PST-8: three fees of NOK 10, worth EUR 0.90 each, are charged at EUR 1.01.

    Each is EUR 0.11 over: at 11.11 this is NOK 1.22 for one, but EUR 0.33 are NOK 3.67; one gets the extra
    cent.
    """
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.11"))
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    items = [fee(no1, contract, "10", "0.90") for _ in range(3)]
    book_journals(no1)
    proforma = drafted(no1, *items)
    for item in items:
        edited(no1, proforma, item, price=Decimal("1.01"))
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)
    post(proposed(no1, proforma=proforma), by=no1.accountant, on=MARCH_31)

    assert moved("3000") == Decimal("3.67")
    assert project_figures(Project.objects.all())[no1.project.pk].revenue == Decimal("3.67")
    assert controlled(no1, "disbursement", MARCH_31) == (0, 0)
    assert findings() == []


def test_disbursements_are_on_their_control_account_until_they_are_billed(no1, contract):
    """PST-6: 80 and 50 paid on 10 March, the 80 billed on 1 April."""
    billed = fee(no1, contract, "80", "80")
    fee(no1, contract, "50", "50")
    posted(no1, billed)

    assert controlled(no1, "disbursement", datetime.date(2025, 3, 9)) == (0, 0)
    assert controlled(no1, "disbursement", MARCH_31) == (130, 130)
    assert controlled(no1, "disbursement", APRIL_1) == (50, 50)


def test_amounts_on_account_agree_with_their_control_account(no1):
    """PST-6 PST-9: a milestone of 5,000 is a credit from 1 April on."""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    posted(no1, milestone(contract, "5000"))

    assert controlled(no1, "on_account", MARCH_31) == (0, 0)
    assert controlled(no1, "on_account", APRIL_1) == (-5000, -5000)
    assert findings() == []


@pytest.mark.parametrize(
    ("number", "label"), [("1540", "WIP invoiced on account"), ("1570", "disbursements")]
)
def test_verifying_compares_these_accounts_too(no1, number, label):
    """PST-7: a milestone of 5,000 and a fee of 80, and an entry that was changed by 1 afterwards."""
    posted(no1, milestone(factories.contract(no1, method="fixed", confirmed=True), "5000"))
    posted(no1, fee(no1, factories.contract(no1, confirmed=True), "80", "80"))
    assert findings() == []
    with behind_the_guards():
        rows = LedgerEntry.objects.filter(account__number=number, voucher__kind="invoice")
        rows.update(accounting_credit=Decimal(1))

    (found,) = [row for row in findings() if row.code == "CONTROL"]
    assert label in found.sentence
    assert str(no1.project) in found.sentence
