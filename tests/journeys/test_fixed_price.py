"""A fixed price with milestones: costs when they occur, revenue on account by milestone."""

from datetime import date
from decimal import Decimal

import pytest

from backlog.models import BacklogItem
from contracts.models import Milestone
from invoicing_site.floor.errors import Refused
from invoicing_site.verify import findings
from tests import factories
from tests.journeys.steps import (
    actuals_of,
    approved,
    confirmed,
    customer_rows,
    drafted,
    entries_of,
    invoiced,
    journalled,
    project_rows,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return factories.company(cost_price=100)


def fixed_price(company, milestones, **fields):
    lines = [{"contract_amount": Decimal(10000), "milestones": milestones}]
    return factories.contract(company, method="fixed", lines=lines, **fields)


def test_two_milestones_are_billed_on_account(company):
    """CON-4 APP-4 MIL-1 PRO-5 JRN-5: 4,000 in March and 6,000 in April, 25 % tax."""
    contract = confirmed(
        fixed_price(
            company,
            [
                {"name": "Design", "amount": Decimal(4000), "date": date(2025, 3, 20)},
                {"name": "Handover", "amount": Decimal(6000), "date": date(2025, 4, 20)},
            ],
        ),
        company,
    )
    approved(company, [factories.time_entry(company, "8", date=date(2025, 3, 10))])
    assert actuals_of(contract) == [("cost", "chargeable", "8.0000", "800.00")]
    (cost,) = journalled(company)
    assert entries_of(cost) == [("4300", "800.00", "0.00"), ("5090", "0.00", "800.00")]

    (march,) = drafted(company, contract, cutoff=date(2025, 3, 31), on=date(2025, 4, 1))
    first = invoiced(company, march, on=date(2025, 4, 1))
    assert entries_of(first.voucher) == [
        ("1500", "5000.00", "0.00"),
        ("1540", "0.00", "4000.00"),
        ("2700", "0.00", "1000.00"),
    ]
    assert customer_rows(first.voucher) == [(company.customer, "5000.00", "5000.00", date(2025, 5, 1))]
    assert project_rows(first.voucher) == [("on_account", "milestone", "1.00", "4000.00")]
    assert [m.status for m in Milestone.objects.order_by("number")] == ["completed", "not_started"]

    (april,) = drafted(company, contract, cutoff=date(2025, 4, 30), on=date(2025, 5, 1))
    second = invoiced(company, april, on=date(2025, 5, 1))
    assert entries_of(second.voucher) == [
        ("1500", "7500.00", "0.00"),
        ("1540", "0.00", "6000.00"),
        ("2700", "0.00", "1500.00"),
    ]
    assert actuals_of(contract, "billed") == [
        ("billed", "chargeable", "1.0000", "4000.00"),
        ("billed", "chargeable", "1.0000", "6000.00"),
    ]
    assert not BacklogItem.objects.open().exists()
    assert findings(company.entity) == []


def test_milestones_that_do_not_add_up_keep_the_contract_a_draft(company):
    """CON-4: the sentence names the difference, and nothing changed."""
    contract = fixed_price(company, ["4000", "5999.99"])
    with pytest.raises(Refused, match=r"0\.01"):
        confirmed(contract, company)
    contract.refresh_from_db()
    assert contract.status == "draft"
    assert not BacklogItem.objects.exists()


def test_a_milestone_is_shared_by_three_customers_to_the_cent(company):
    """MIL-1 MON-3: 1,000.00 at 33.33 / 33.33 / 33.34 % is 333.30, 333.30 and 333.40."""
    customers = [company.customer, factories.customer(company), factories.customer(company)]
    contract = factories.contract(
        company,
        method="fixed",
        customers=list(zip(customers, ["33.33", "33.33", "33.34"], strict=True)),
        lines=[
            {
                "contract_amount": Decimal(1000),
                "milestones": [{"amount": Decimal(1000), "date": date(2025, 3, 1)}],
            }
        ],
    )
    confirmed(contract, company)
    invoices = [invoiced(company, proforma) for proforma in drafted(company, contract)]
    assert [f"{i.net:.2f}" for i in invoices] == ["333.30", "333.30", "333.40"]
    # 333.30 × 25 % = 83.325, half away from zero 83.33; 333.40 × 25 % = 83.35.
    assert [f"{i.tax:.2f}" for i in invoices] == ["83.33", "83.33", "83.35"]
    assert findings(company.entity) == []
