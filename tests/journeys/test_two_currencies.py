"""A contract in euro in the books of a company that keeps them in kroner (PST-5)."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.models import ExchangeRate
from invoicing_site.floor.errors import Refused
from invoicing_site.verify import findings
from ledger.models import CustomerInvoice, ProfileAssignment
from tests import factories
from tests.journeys.steps import (
    accounting_entries_of,
    approved,
    confirmed,
    customer_rows,
    drafted,
    entries_of,
    invoiced,
    journalled,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return factories.company()


@pytest.fixture
@factories.remembered
def euro_list(company):
    prices = factories.PriceListFactory(entity=company.entity, code="EURO", name="Euro", currency="EUR")
    factories.RolePriceFactory(price_list=prices, price=Decimal(200))
    return prices


def rate(company, value, day):
    ExchangeRate.objects.create(
        entity=company.entity, currency="EUR", valid_from=day, rate=Decimal(value), rate_type="spot"
    )


def test_an_agreed_rate_covers_the_net_amount_only(company, euro_list):
    """PST-5: 1,000 + 250 tax, agreed 11.00, official 11.60: revenue 11,000, tax 2,900, customer 13,900."""
    rate(company, "11.50", date(2025, 3, 1))
    rate(company, "11.60", date(2025, 4, 1))
    contract = confirmed(
        factories.contract(company, currency="EUR", price_lists=[euro_list], fixed_exchange_rate=Decimal(11)),
        company,
    )
    approved(company, [factories.time_entry(company, "5", date=date(2025, 3, 10))])
    journalled(company)
    (proforma,) = drafted(company, contract)
    invoice = invoiced(company, proforma)
    assert entries_of(invoice.voucher) == [
        ("1500", "1250.00", "0.00"),
        ("2700", "0.00", "250.00"),
        ("3000", "0.00", "1000.00"),
    ]
    assert accounting_entries_of(invoice.voucher) == [
        ("1500", "13900.00", "0.00"),
        ("2700", "0.00", "2900.00"),
        ("3000", "0.00", "11000.00"),
    ]
    assert customer_rows(invoice.voucher) == [(company.customer, "1250.00", "13900.00", date(2025, 5, 1))]
    assert findings(company.entity) == []


def test_accrual_and_invoice_each_keep_their_own_rate(company, euro_list):
    """PST-5 PST-10 MON-5: accrued at 11.50 and reversed at 11.50; the invoice is at 11.60."""
    ProfileAssignment.objects.filter(entity=company.entity, project=None).update(
        profile=company.books.profiles["ACCRUE"]
    )
    rate(company, "11.50", date(2025, 3, 1))
    rate(company, "11.60", date(2025, 4, 1))
    contract = confirmed(factories.contract(company, currency="EUR", price_lists=[euro_list]), company)
    approved(company, [factories.time_entry(company, "5", date=date(2025, 3, 10))])
    cost, sales = journalled(company)
    assert accounting_entries_of(cost) == [("4300", "500.00", "0.00"), ("5090", "0.00", "500.00")]
    assert entries_of(sales) == [("1530", "1000.00", "0.00"), ("3080", "0.00", "1000.00")]
    assert accounting_entries_of(sales) == [("1530", "11500.00", "0.00"), ("3080", "0.00", "11500.00")]

    (proforma,) = drafted(company, contract)
    invoice = invoiced(company, proforma)
    assert accounting_entries_of(invoice.voucher) == [
        ("1500", "14500.00", "0.00"),
        ("1530", "0.00", "11500.00"),
        ("2700", "0.00", "2900.00"),
        ("3000", "0.00", "11600.00"),
        ("3080", "11500.00", "0.00"),
    ]
    assert findings(company.entity) == []


def test_contracts_in_two_currencies_use_the_same_books(company, euro_list):
    """MON-5 PST-2: converted entries balance; conversion differences go to their own account.

    EUR 0.70 + 0.18 tax at 11.65: customer 0.88 × 11.65 = 10.252 → 10.25, revenue 8.155 → 8.16,
    tax 2.097 → 2.10; 0.01 is rounding.
    """
    rate(company, "11.65", date(2025, 3, 1))
    euro = confirmed(factories.contract(company, currency="EUR", price_lists=[euro_list]), company)
    project = factories.ProjectFactory(entity=company.entity)
    project.managers.add(company.manager)
    kroner = confirmed(factories.contract(company, lines=[{"project": project}]), company)
    approved(
        company,
        [
            factories.time_entry(company, "0.0035", date=date(2025, 3, 10)),
            factories.time_entry(company, "2", date=date(2025, 3, 10), project=project),
        ],
    )
    journalled(company)
    first = invoiced(company, drafted(company, euro)[0])
    second = invoiced(company, drafted(company, kroner)[0])
    assert accounting_entries_of(first.voucher) == [
        ("1500", "10.25", "0.00"),
        ("2700", "0.00", "2.10"),
        ("3000", "0.00", "8.16"),
        ("7770", "0.01", "0.00"),
    ]
    assert (second.currency, second.total) == ("NOK", 500)
    assert findings(company.entity) == []


def test_a_missing_rate_is_refused_with_a_sentence(company, euro_list):
    """MON-8: the sentence names currency and day; nothing was posted."""
    rate(company, "11.60", date(2025, 3, 1))
    contract = confirmed(factories.contract(company, currency="EUR", price_lists=[euro_list]), company)
    approved(company, [factories.time_entry(company, "5", date=date(2025, 3, 10))])
    journalled(company)
    (proforma,) = drafted(company, contract)
    ExchangeRate.objects.all().delete()
    with pytest.raises(Refused, match="EUR"):
        invoiced(company, proforma)
    assert not CustomerInvoice.objects.exists()
