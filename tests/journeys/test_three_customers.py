"""One entry, three customers, without losing a cent or a minute (MON-9)."""

from datetime import date
from decimal import Decimal

import pytest

from actuals.models import Actual
from invoicing_site.verify import findings
from tests import factories
from tests.journeys.steps import approved, confirmed, drafted, entries_of, invoiced, journalled

pytestmark = pytest.mark.django_db


def test_an_entry_is_split_over_three_customers():
    """MON-9 APP-3 CON-1: 7.5 h × 133.33 = 999.98 at 33.33 / 33.33 / 33.34 %."""
    company = factories.company(sales_price=Decimal("133.33"))
    customers = [company.customer, factories.customer(company), factories.customer(company)]
    contract = confirmed(
        factories.contract(company, customers=list(zip(customers, ["33.33", "33.33", "33.34"], strict=True))),
        company,
    )
    approved(company, [factories.time_entry(company, "7.5", date=date(2025, 3, 10))])

    shares = Actual.objects.filter(type="unbilled").order_by("pk")
    assert [(f"{a.quantity:.4f}", f"{a.amount:.2f}") for a in shares] == [
        ("2.4998", "333.30"),
        ("2.4998", "333.30"),
        ("2.5004", "333.38"),
    ]
    (cost, *sales) = journalled(company)
    assert entries_of(cost) == [("4300", "750.00", "0.00"), ("5090", "0.00", "750.00")]
    assert len(sales) == 3

    invoices = [invoiced(company, proforma) for proforma in drafted(company, contract)]
    assert [invoice.customer for invoice in invoices] == customers
    # 333.30 × 25 % = 83.325 → 83.33; 333.38 × 25 % = 83.345 → 83.35.
    assert [entries_of(invoice.voucher) for invoice in invoices] == [
        [("1500", "416.63", "0.00"), ("2700", "0.00", "83.33"), ("3000", "0.00", "333.30")],
        [("1500", "416.63", "0.00"), ("2700", "0.00", "83.33"), ("3000", "0.00", "333.30")],
        [("1500", "416.73", "0.00"), ("2700", "0.00", "83.35"), ("3000", "0.00", "333.38")],
    ]
    assert sum(invoice.net for invoice in invoices) == Decimal("999.98")
    assert findings(company.entity) == []


def test_a_customer_with_zero_percent_gets_nothing():
    """MON-9: at 0 % no actual is made."""
    company = factories.company()
    other = factories.customer(company)
    contract = confirmed(
        factories.contract(company, customers=[(company.customer, 100), (other, 0)], rounding=0), company
    )
    approved(company, [factories.time_entry(company, "8", date=date(2025, 3, 10))])
    share = Actual.objects.get(type="unbilled")
    assert (share.contract_customer.customer, share.amount) == (company.customer, 1600)
    assert contract.customers.count() == 2
