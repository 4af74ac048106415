"""A not-to-exceed limit: it limits billing, never the recording of work (NTE-1 to NTE-5)."""

from datetime import date
from decimal import Decimal

import pytest

from backlog.models import BacklogItem
from backlog.operations import mark_ready
from invoicing_site.verify import findings
from tests import factories
from tests.journeys.steps import approved, confirmed, drafted, entries_of, invoiced, journalled

pytestmark = pytest.mark.django_db


def item_states():
    return [
        (f"{item.amount:.0f}", item.status, item.limit_status, item.limit_level, item.limit_over)
        for item in BacklogItem.objects.order_by("pk")
    ]


def test_an_hour_over_the_limit_is_recorded_and_not_billed():
    """NTE-1 NTE-2: limit 50,000, billed 30,000, committed 15,000, new 7,500: failed, over by 2,500."""
    company = factories.company(sales_price=1500)
    contract = confirmed(factories.contract(company, limit=Decimal(50000)), company)
    approved(company, [factories.time_entry(company, "20", date=date(2025, 3, 3))])
    journalled(company)
    (proforma,) = drafted(company, contract)
    first = invoiced(company, proforma)
    assert first.net == 30000

    approved(company, [factories.time_entry(company, "10", date=date(2025, 4, 3))])
    approval = approved(company, [factories.time_entry(company, "5", date=date(2025, 4, 4))])
    assert item_states() == [
        ("30000", "posted", "committed", "", None),
        ("15000", "not_ready", "committed", "", None),
        ("7500", "not_ready", "failed", "contract", Decimal(2500)),
    ]
    assert f"1 actual is over the limit of contract {contract} by 2,500.00 NOK." in approval.warnings

    marked = mark_ready(BacklogItem.objects.open(), by=company.manager)
    assert (marked.action.changed, marked.reasons) == (
        1,
        {"over a not-to-exceed limit (contract, by 2,500.00 NOK)": 1},
    )
    journalled(company, on=date(2025, 4, 30))
    (proforma,) = drafted(company, contract, cutoff=date(2025, 4, 30), on=date(2025, 5, 1))
    second = invoiced(company, proforma, on=date(2025, 5, 1))
    assert entries_of(second.voucher) == [
        ("1500", "18750.00", "0.00"),
        ("2700", "0.00", "3750.00"),
        ("3000", "0.00", "15000.00"),
    ]
    assert findings(company.entity) == []


@pytest.mark.parametrize(
    ("level", "label"),
    [
        ("line_customer", "line_customer"),
        ("line", "line"),
        ("customer", "customer"),
        ("contract", "contract"),
    ],
)
def test_each_level_can_fail(level, label):
    """CON-5 NTE-1: 8 h × 200 = 1,600 against a limit of 1,000 is over by 600, and says at which level."""
    company = factories.company()
    contract = factories.contract(company)
    line = contract.lines.get()
    owner = {
        "line_customer": line.customers.get(),
        "line": line,
        "customer": contract.customers.get(),
        "contract": contract,
    }[level]
    owner.limit = Decimal(1000)
    owner.save()
    confirmed(contract, company)
    approved(company, [factories.time_entry(company, "8", date=date(2025, 3, 3))])
    assert item_states() == [("1600", "not_ready", "failed", label, Decimal(600))]


def test_milestones_count_for_the_customer_and_the_contract():
    """NTE-1: 1,000 billed by milestone and a limit of 2,000 leave room for 5 h × 200, not for 6."""
    company = factories.company()
    other = factories.ProjectFactory(entity=company.entity)
    other.managers.add(company.manager)
    contract = factories.contract(
        company,
        limit=Decimal(2000),
        lines=[
            {"method": "tm"},
            {
                "method": "fixed",
                "project": other,
                "contract_amount": Decimal(1000),
                "milestones": [{"amount": Decimal(1000), "date": date(2025, 3, 1)}],
            },
        ],
    )
    confirmed(contract, company)
    (proforma,) = drafted(company, contract)
    invoiced(company, proforma)
    approved(company, [factories.time_entry(company, "6", date=date(2025, 4, 3))])
    approved(company, [factories.time_entry(company, "5", date=date(2025, 4, 4))])
    assert [state[2:] for state in item_states()[1:]] == [
        ("failed", "contract", Decimal(200)),
        ("committed", "", None),
    ]
