"""Work without a price: every message says how to add one, with a link for users who can."""

from datetime import date

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.operations import approve, confirm_contract
from contracts.models import Membership
from tests import factories
from tests.approving import as_listed
from tests.factories import DAY


@pytest.fixture
@factories.remembered
def company(db):
    """Its sales list ended before the work of 10 March."""
    it = factories.company(cost_price=100, sales_price=200)
    it.deal = confirm_contract(factories.contract(it), by=it.manager)
    it.sales_list.valid_to = date(2025, 2, 28)
    it.sales_list.save()
    it.address = reverse("admin:contracts_pricelist_change", args=[it.sales_list.pk])
    return it


@pytest.fixture
def manager(client, company):
    client.force_login(company.manager)
    return client


def make_administrator(user, entity):
    factories.MembershipFactory(user=user, entity=entity, role=Membership.Role.ADMINISTRATOR)
    user.is_staff = True
    user.save()


def messages_of(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_the_missing_price_is_named_before_approval(manager, company):
    """PRC-6 MON-8: who can add the price, and to approve after that."""
    entry = factories.time_entry(company, "8", date=DAY)
    address = reverse("approval", args=[entry.pk])
    page = manager.get(address).text
    assert "Price list “Sales” is not valid on that day: the price is 0." in page
    assert "Have a billing administrator move the last day of “Sales”; then approve it." in page
    assert company.address not in page
    assert (
        "Its amount is 0, and it can&#x27;t be billed without a price"
        in manager.get(reverse("approvals")).text
    )
    make_administrator(company.manager, company.entity)
    assert f'<a href="{company.address}">Open the price list</a>' in manager.get(address).text


def test_the_missing_price_is_named_on_approval(manager, company):
    """PRC-6 MON-8: one sentence for all entries with the same price missing."""
    entries = [factories.time_entry(company, "8", date=DAY) for _ in range(3)]
    make_administrator(company.manager, company.entity)
    answer = manager.post(reverse("approve_entries"), as_listed(entries, by=company.manager))
    assert messages_of(answer) == (
        "3 entries approved. Anna&#x27;s 8 h of 10 Mar 2025 and 2 more: Price list “Sales” is not "
        "valid on that day: the price is 0. Have a billing administrator move the last day of “Sales”; then "
        f'cancel the approval and approve it again. <a href="{company.address}">Open the price list</a>'
    )


def test_a_list_that_begins_later_can_not_be_extended(manager, company):
    """PRC-6: only possible ways are named: the first day of a list in use cannot change."""
    company.sales_list.valid_from, company.sales_list.valid_to = date(2025, 4, 1), None
    company.sales_list.save()
    entry = factories.time_entry(company, "8", date=DAY)
    page = manager.get(reverse("approval", args=[entry.pk])).text
    assert "Price list “Sales” is not valid on that day" in page
    assert "Have a billing administrator" not in page


def test_a_missing_cost_alone_is_no_missing_sales_price(manager, company):
    """PRC-2: it is billed at its price; the message names the missing cost."""
    company.sales_list.valid_to = None
    company.sales_list.save()
    company.cost_price.delete()
    factories.time_entry(company, "8", date=DAY)
    rows = manager.get(reverse("approvals")).text
    assert "Its amount is 0" not in rows
    assert "has no price for role Consultant of Consulting: the cost is 0." in rows


def test_the_missing_price_is_named_when_marking_ready(manager, company):
    """PRC-6"""
    approve([factories.time_entry(company, "8", date=DAY)], by=company.manager)
    message = messages_of(manager.post(reverse("mark_ready"), {"pk": BacklogItem.objects.get().pk}))
    assert (
        "Not changed: 1 without a price (have a billing administrator extend the price list or add the "
        "price to it, then cancel the approval and approve again)." in message
    )
    assert "blocked=NO-PRICE" in message


def test_the_missing_price_is_named_in_the_explanation(manager, company):
    """PRC-6 ACT-2: as long as its approval can be canceled."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    (sale,) = entry.actuals.filter(type="unbilled")
    address = reverse("explain", args=["actual", sale.pk])
    page = manager.get(address).text
    assert (
        "no price was found, so it is 0. To price it, ask a billing administrator to extend the price list "
        "or to add the price, then cancel the approval and approve the entry again." in page
    )
    lists = reverse("admin:contracts_pricelist_changelist")
    assert lists not in page
    make_administrator(company.manager, company.entity)
    assert f'<a href="{lists}">Open Price lists</a>' in manager.get(address).text
    manager.post(reverse("cancel_approval", args=[entry.pk]))
    assert "no price was found, so it is 0." in manager.get(address).text
    assert "To price it" not in manager.get(address).text
