"""A company, its contract, and ready work, with which most proforma tests begin."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.models import MilestonePart, ScheduleEntry
from tests import factories


@pytest.fixture
def company():
    return factories.company(books=False, customers=2)


@pytest.fixture
def contract(company):
    """Confirmed, with one time-and-material line and one customer."""
    return factories.contract(company, confirmed=True)


@pytest.fixture
def shared_contract(company):
    """Confirmed, with one time-and-material line and two customers with half each."""
    first, second = company.customers
    return factories.contract(company, confirmed=True, customers=[(first, 50), (second, 50)])


@pytest.fixture
def ready(company):
    """ready(contract, "8", "1000", day=date): hours at a price, ready to invoice."""

    def make(contract, hours="1", price="200", day=date(2025, 3, 10), **fields):
        return factories.ready_item(
            company, contract, quantity=Decimal(hours), price=Decimal(price), date=day, **fields
        )

    return make


@pytest.fixture
def due():
    """due(line, run date, cutoff): a schedule entry that has not run."""
    return _due


@factories.remembered
def _due(line, run_date, cutoff):
    return ScheduleEntry.objects.create(line=line, run_date=run_date, cutoff=cutoff)


@pytest.fixture
def milestone():
    """milestone(line, "40000", day=date): one milestone, ready for the line's customers by their splits."""
    return _milestone


@factories.remembered
def _milestone(line, amount="10000", day=date(2025, 3, 10), *, number=1, parts=None, status="ready"):
    head = factories.MilestoneFactory(line=line, number=number, amount=Decimal(amount), date=day)
    customers = list(line.customers.order_by("pk"))
    amounts = parts or [amount]
    return [
        factories.BacklogItemFactory(
            actual=None,
            milestone_part=MilestonePart.objects.create(
                milestone=head, contract_customer=share.contract_customer, amount=Decimal(part)
            ),
            contract=line.contract,
            contract_line=line,
            contract_customer=share.contract_customer,
            date=day,
            amount=Decimal(part),
            currency=line.contract.currency,
            status=status,
        )
        for share, part in zip(customers, amounts, strict=True)
    ]
