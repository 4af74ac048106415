"""An entry after its approval is canceled (APP-5)."""

from datetime import date
from decimal import Decimal

import pytest

from actuals.models import Actual, Entry
from backlog import obstacles
from backlog.aging import blockers
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, cancel_approval, confirm_contract, mark_ready
from tests import factories
from tests.factories import DAY


@pytest.fixture
def company(db):
    return factories.company(cost_price=100, sales_price=200)


@pytest.fixture
@factories.remembered
def contract(company):
    return confirm_contract(factories.contract(company), by=company.manager)


def test_a_missing_price_is_found_when_the_work_is_approved_again(company, contract):
    """PRC-6 APP-5: the way out that the row's blocker names, by the approver alone."""
    company.sales_list.valid_to = date(2025, 1, 31)
    company.sales_list.save()
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    (blocker,) = [
        b for b in blockers(obstacles.loaded(BacklogItem.objects.all()).get(), on=DAY) if b.code == "NO-PRICE"
    ]
    assert (
        "change the last day of the list. Then cancel its approval and approve it again" in blocker.sentence
    )
    company.sales_list.valid_to = date(2025, 12, 31)
    company.sales_list.save()
    cancel_approval([entry], by=company.manager)
    approve([entry], by=company.manager)
    assert mark_ready(BacklogItem.objects.open(), by=company.manager).changed == 1
    assert BacklogItem.objects.ready().get().amount == Decimal(1600)


def test_canceling_removes_the_decision_of_the_approver(company, contract):
    """APP-5: after the second approval 8 h are billed, and not the 6 h of the first one."""
    entry = factories.time_entry(company, "8", date=DAY)
    decisions = {entry.pk: Decision(billable_quantity=Decimal(6), billing_type="complimentary")}
    approve([entry], by=company.manager, decisions=decisions)
    cancel_approval([entry], by=company.manager)
    entry.refresh_from_db()
    assert (entry.billable_quantity, entry.billing_type) == (None, "")
    approve([entry], by=company.manager)
    (sale,) = Actual.objects.filter(type="unbilled", reverses=None, reversed_by=None)
    assert (sale.billing_type, sale.amount) == ("chargeable", Decimal(1600))


def test_a_recall_request_that_is_granted_makes_a_draft(company, contract):
    """APP-5"""
    asked, kept = (factories.time_entry(company, "2", date=DAY) for _ in range(2))
    approve([asked, kept], by=company.manager)
    Entry.objects.filter(pk=asked.pk).update(status="recall")
    cancel_approval([asked, kept], by=company.manager)
    assert dict(Entry.objects.values_list("pk", "status")) == {asked.pk: "draft", kept.pk: "submitted"}
