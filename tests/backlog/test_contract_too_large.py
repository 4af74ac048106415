"""What was approved before and is too large for a contract keeps it from being confirmed, by name (CON-6)."""

from decimal import Decimal

import pytest
from django.urls import reverse

from actuals.models import Actual, Entry
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, cancel_approval, confirm_contract
from contracts.models import ProductPrice
from invoicing_site.floor.errors import Refused
from tests import factories
from tests.factories import DAY


@pytest.fixture
def company(db):
    return factories.company(cost_price=100, sales_price=200)


def test_a_contract_is_not_confirmed_over_an_entry_that_is_too_large(company, client):
    """CON-6 APP-10: 9,999,999 × 9,999,999,999.99; the sentence names the solution."""
    ProductPrice.objects.filter(price_list=company.sales_list).update(price=Decimal("9999999999.99"))
    big = factories.material_entry(company, "9999999", date=DAY)
    hours = factories.time_entry(company, "8", date=DAY)
    approve([big, hours], by=company.manager)
    contract = factories.contract(company)
    client.force_login(company.manager)

    page = client.post(reverse("confirm_contract", args=[contract.pk]), follow=True)

    amount = "99,999,989,999,900,000.01 NOK is too large. The largest possible amount is 1,000,000,000,000"
    assert (
        f"The material of 10 Mar 2025 was approved before, and contract {contract} can&#x27;t be confirmed"
        in (page.text)
    )
    assert f"{amount}. Correct the entry, or its price in the price list. To correct the entry" in page.text
    assert reverse("approval", args=[big.pk]) in page.text
    contract.refresh_from_db()
    assert contract.status == "draft"
    assert not BacklogItem.objects.exists()

    cancel_approval([Entry.objects.get(pk=big.pk)], by=company.manager)
    confirm_contract(contract, by=company.manager)
    (sale,) = Actual.objects.filter(type="unbilled")
    assert sale.amount == Decimal(1600)


def test_the_approvers_decision_counts_when_a_contract_is_confirmed(company):
    """CON-6 APP-3: 1 piece was used and 1,000,000 are billed, at 1,000,000.01."""
    ProductPrice.objects.filter(price_list=company.sales_list).update(price=Decimal("1000000.01"))
    entry = factories.material_entry(company, "1", date=DAY)
    decisions = {entry.pk: Decision(billable_quantity=Decimal(1_000_000))}
    approve([entry], by=company.manager, decisions=decisions)
    with pytest.raises(Refused, match="1,000,000,010,000.00 NOK is too large") as caught:
        confirm_contract(factories.contract(company), by=company.manager)
    assert caught.value.code == "CONTRACT-ENTRY-BEFORE"
