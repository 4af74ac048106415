"""The billing type that an import gives applies, unless the approver decides otherwise."""

from decimal import Decimal

import pytest
from django.urls import reverse

from actuals.models import Actual
from backlog.operations import Decision, approve, confirm_contract
from backlog.previews import preview
from tests.factories import ProjectFactory, company, contract, time_entry


@pytest.fixture
def it(db):
    return company()


def facts(approval):
    return [
        (actual.type, actual.type != "cost" and actual.billing_type, str(actual.quantity))
        for actual in approval.actuals
    ]


def test_work_imported_as_not_billable_is_non_chargeable(it):
    """IMP-1: 8 h at 200 cost 800 and are delivered for nothing."""
    contract(it, confirmed=True)
    entry = time_entry(it, hours="8", imported_billing="non_chargeable")

    assert preview([entry], by=it.manager)[entry.pk].amount == 0
    assert facts(approve([entry], by=it.manager)) == [
        ("cost", False, "8.0000"),
        ("unbilled", "non_chargeable", "8.0000"),
    ]


def test_work_that_is_invoiced_elsewhere_makes_a_cost_only(it):
    """IMP-1"""
    contract(it, confirmed=True)
    entry = time_entry(it, hours="8", imported_billing="cost_only")

    assert preview([entry], by=it.manager)[entry.pk].amount is None
    approval = approve([entry], by=it.manager)

    assert facts(approval) == [("cost", False, "8.0000")]
    assert (approval.actuals[0].amount, approval.actuals[0].contract_line) == (Decimal("800.00"), None)


def test_work_invoiced_elsewhere_still_counts_on_a_fixed_price_line(it):
    """IMP-1: such a line sells its milestones and no hours."""
    agreed = contract(it, method="fixed", confirmed=True)
    (cost,) = approve([time_entry(it, imported_billing="cost_only")], by=it.manager).actuals
    assert cost.contract_line == agreed.lines.get()


@pytest.mark.parametrize("billing", ["cost_only", "non_chargeable"])
def test_the_approver_can_choose_another_billing_type(it, billing):
    """IMP-1, APP-3"""
    contract(it, confirmed=True)
    entry = time_entry(it, hours="8", imported_billing=billing)

    approval = approve([entry], by=it.manager, decisions={entry.pk: Decision(billing_type="chargeable")})

    assert facts(approval)[1:] == [("unbilled", "chargeable", "8.0000")]
    assert approval.actuals[1].amount == Decimal("1600.00")


def test_a_contract_that_is_confirmed_later_keeps_the_imported_billing_type(it):
    """IMP-1, CON-6"""
    imported = ("", "non_chargeable", "cost_only")
    entries = [time_entry(it, hours="8", imported_billing=billing) for billing in imported]
    approve(entries, by=it.manager)

    confirm_contract(contract(it), by=it.manager)

    sales = Actual.objects.filter(type="unbilled").order_by("pk")
    assert [(actual.entry.imported_billing, actual.billing_type) for actual in sales] == [
        ("", "chargeable"),
        ("non_chargeable", "non_chargeable"),
    ]


def test_the_approver_reads_why_it_is_a_cost_only_and_how_to_bill_it(it, client):
    """IMP-1 APP-2: a line covers it; where none does, that is the reason."""
    deal = contract(it, confirmed=True)
    line = deal.lines.get()
    elsewhere = time_entry(it, hours="8", imported_billing="cost_only")
    other = ProjectFactory(entity=it.entity)
    other.managers.add(it.manager)
    uncovered = time_entry(it, hours="8", imported_billing="cost_only", project=other)
    client.force_login(it.manager)

    rows = client.get(reverse("approvals")).text
    assert rows.count("Imported as already invoiced") == 1
    assert rows.count("No contract line: cost only") == 1
    page = client.get(reverse("approval", args=[elsewhere.pk])).text
    assert (
        "It was imported as already invoiced in another program: approving records the cost only. "
        f"Choose a billing type to bill it on {line} of contract {deal}." in page
    )
    assert "No confirmed contract line" not in page
    assert "No confirmed contract line" in client.get(reverse("approval", args=[uncovered.pk])).text

    approve([elsewhere], by=it.manager)
    client.force_login(it.accountant)
    page = client.get(reverse("explain", args=["entry", elsewhere.pk])).text
    assert "It was imported as already invoiced, so there are no sales." in page
