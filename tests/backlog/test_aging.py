"""The age of unbilled work, and the obstacles to billing it."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backlog import obstacles
from backlog.aging import aging, blockers
from backlog.models import BacklogItem
from backlog.operations import approve, cancel_approval, confirm_contract, mark_ready
from contracts.models import LegalEntity
from proforma import operations as proformas
from tests import factories

pytestmark = pytest.mark.django_db

JUNE_30 = date(2025, 6, 30)


@pytest.fixture
def company():
    return factories.company(books=False)


@pytest.fixture
def contract(company):
    return factories.contract(company, confirmed=True)


def columns(row):
    return (row.days_0_30, row.days_31_60, row.days_61_90, row.over_90)


def aged(by="contract", on=JUNE_30):
    return aging(BacklogItem.objects.all(), by=by, on=on)


def total(on):
    return sum((row.total for row in aged(on=on)), Decimal(0))


def count(call):
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


@pytest.mark.parametrize(
    ("day", "column"),
    [
        (date(2025, 6, 30), "days_0_30"),
        (date(2025, 5, 31), "days_0_30"),
        (date(2025, 5, 30), "days_31_60"),
        (date(2025, 5, 1), "days_31_60"),
        (date(2025, 4, 30), "days_61_90"),
        (date(2025, 4, 1), "days_61_90"),
        (date(2025, 3, 31), "over_90"),
        (date(2024, 1, 1), "over_90"),
    ],
)
def test_each_column_begins_on_its_day(company, contract, day, column):
    """BKL-4: by transaction date, seen from 30 June."""
    factories.ready_item(company, contract, date=day)
    (row,) = aged()
    assert getattr(row, column) == row.total == 200
    assert row.items == 1


def test_only_chargeable_work_that_waits_is_aged(company, contract):
    """BKL-4: no milestones, no non-chargeable work, no work dated later."""
    factories.ready_item(company, contract, price=Decimal("0.10"), status="not_ready", needs_price=True)
    factories.ready_item(company, contract, price=Decimal("0.20"))
    factories.ready_item(company, contract, billing_type="non_chargeable")
    factories.ready_item(company, contract, billing_type="complimentary")
    factories.ready_item(company, contract, date=date(2025, 7, 1))
    fixed = factories.contract(
        company, method="fixed", lines=[{"project": factories.ProjectFactory(entity=company.entity)}]
    )
    confirm_contract(fixed, by=company.manager, on=date(2025, 1, 1))
    (row,) = aged()
    assert (row.group, row.items, columns(row)) == (contract, 2, (0, 0, 0, Decimal("0.30")))


def test_work_is_grouped_by_contract_project_and_manager_and_never_over_currencies(company, contract):
    """BKL-4: a contract with two managers is listed under each, one without managers under nobody."""
    second = factories.UserFactory(username="zoe", first_name="Zoe", last_name="Second")
    euro = factories.contract(company, confirmed=True, currency="EUR", code="EURO")
    contract.managers.add(second)
    euro.managers.clear()
    bridge, tunnel = company.project, factories.ProjectFactory(entity=company.entity, code="Z")
    factories.ready_item(company, contract, date=JUNE_30)
    factories.ready_item(company, contract, date=JUNE_30, project=tunnel, price=Decimal(50))
    factories.ready_item(company, euro, date=JUNE_30, price=Decimal(7))

    assert [(row.group, row.currency, row.total) for row in aged("contract")] == [
        (euro, "EUR", 7),
        (contract, "NOK", 250),
    ]
    assert [(row.group, row.currency, row.total) for row in aged("project")] == [
        (bridge, "EUR", 7),
        (bridge, "NOK", 200),
        (tunnel, "NOK", 50),
    ]
    assert [(row.group, row.currency, row.total, row.items) for row in aged("manager")] == [
        (company.manager, "NOK", 250, 2),
        (second, "NOK", 250, 2),
        (None, "EUR", 7, 1),
    ]


def test_only_the_given_items_are_aged(company, contract):
    """BKL-4 SEC-1: the caller passes the rows that the user can see."""
    factories.ready_item(company, contract)
    other = factories.contract(company, confirmed=True)
    factories.ready_item(company, other, price=Decimal(3))
    rows = aging(BacklogItem.objects.filter(contract=other), by="contract", on=JUNE_30)
    assert [(row.group, row.total) for row in rows] == [(other, 3)]


def test_aging_on_a_past_day_never_changes(company, contract):
    """BKL-4: 8 h approved on 31 March and billed on 20 April; 2 h approved then and canceled on 15 April."""
    eight = factories.time_entry(company, "8", date=date(2025, 3, 10))
    two = factories.time_entry(company, "2", date=date(2025, 3, 11))
    approve([eight, two], by=company.manager, on=date(2025, 3, 31))
    days = [date(2025, 3, 30), date(2025, 3, 31), date(2025, 4, 14), date(2025, 4, 15), date(2025, 4, 19)]
    assert [total(day) for day in days] == [0, 2000, 2000, 2000, 2000]

    cancel_approval([two], by=company.manager, on=date(2025, 4, 15), comment="Elsewhere")
    assert [total(day) for day in days] == [0, 2000, 2000, 1600, 1600]

    mark_ready(BacklogItem.objects.filter(actual__entry=eight), by=company.manager)
    (draft,) = proformas.create_proformas([contract], cutoff=JUNE_30, on=date(2025, 4, 18), by=None)
    assert [total(day) for day in [*days, JUNE_30]] == [
        0,
        2000,
        2000,
        1600,
        1600,
        1600,
    ]  # a draft bills nothing

    proformas.confirm(draft, by=company.manager, on=date(2025, 4, 20))
    assert [total(day) for day in [*days, date(2025, 4, 20)]] == [0, 2000, 2000, 1600, 1600, 0]


def test_aging_runs_as_many_queries_for_sixty_contracts_as_for_three(company):
    """BKL-4"""

    def make(n):
        for _ in range(n):
            factories.ready_item(company, factories.contract(company, confirmed=True))

    make(3)
    few = {by: count(lambda by=by: aged(by)) for by in ("contract", "project", "manager")}
    make(57)
    assert {by: count(lambda by=by: aged(by)) for by in few} == few
    assert set(few.values()) == {2}
    assert len(aged()) == 60


def test_lines_added_by_hand_are_not_aged(company):
    """BKL-4 PRO-5: on a fixed price, and on time and material, where its item refers to other actuals."""
    other = factories.ProjectFactory(entity=company.entity)
    contract = factories.contract(
        company, confirmed=True, lines=[{}, {"method": "fixed", "project": other, "milestones": []}]
    )
    factories.ready_item(company, contract)
    (draft,) = proformas.create_proformas([contract], cutoff=JUNE_30, on=JUNE_30, by=None)
    for line in contract.lines.all():
        proformas.add_detail(
            draft,
            by=company.manager,
            contract_line=line,
            transaction_class="fee",
            date=date(2025, 3, 10),
            quantity=Decimal(1),
            price=Decimal(50),
            category=company.fee,
        )
    assert total(JUNE_30) == 200
    proformas.confirm(draft, by=company.manager, on=JUNE_30)
    assert BacklogItem.objects.filter(status="posted").count() == 3
    assert total(JUNE_30) == 0


def test_for_today_only_open_items_are_read(company, contract):
    """BKL-4: open items do not include items on a draft."""
    billed, drafted, _ = (factories.ready_item(company, contract, price=Decimal(p)) for p in (1, 20, 300))
    (draft,) = proformas.create_for_items([billed], on=JUNE_30, by=None)
    proformas.confirm(draft, by=company.manager, on=JUNE_30)
    proformas.create_for_items([drafted], on=JUNE_30, by=None)
    (everything,) = aged()
    standing = BacklogItem.objects.exclude(status__in=["posted", "canceled"])
    assert aging(standing, by="contract", on=JUNE_30) == [everything]
    (opened,) = aging(BacklogItem.objects.open(), by="contract", on=JUNE_30)
    assert (everything.total, opened.total) == (320, 300)


# Blockers


def found(item, on=JUNE_30):
    (item,) = obstacles.loaded(BacklogItem.objects.filter(pk=item.pk))
    return blockers(item, on=on)


def codes(item, on=JUNE_30):
    return [blocker.code for blocker in found(item, on)]


def changed(item, **fields):
    BacklogItem.objects.filter(pk=item.pk).update(**fields)
    return item


def test_ready_items_have_no_blocker_and_others_have_one(company, contract):
    """BKL-4"""
    item = factories.ready_item(company, contract)
    assert codes(item) == []
    (blocker,) = found(changed(item, status="not_ready"))
    assert (blocker.code, blocker.sentence) == ("NOT-READY", "It is not marked ready to invoice.")
    assert blocker.who == f"project manager ({company.manager})"
    contract.managers.clear()
    assert found(item)[0].who == "project manager"


@pytest.mark.parametrize("status", ["created", "posted", "canceled"])
def test_items_that_are_not_open_have_no_blocker(company, contract, status):
    """BKL-4"""
    assert codes(factories.ready_item(company, contract, status=status, needs_price=True)) == []


def test_a_blocker_names_the_limit_and_the_excess(company, contract):
    """BKL-4 NTE-2"""
    item = changed(
        factories.ready_item(company, contract, status="not_ready"),
        limit_status="failed",
        limit_level="line",
        limit_over=Decimal("1000.5"),
    )
    over, not_ready = found(item)
    assert (over.code, not_ready.code) == ("OVER-LIMIT", "NOT-READY")
    assert "over the limit of the contract line by 1,000.50 NOK" in over.sentence


def test_not_evaluated_blocks_only_where_a_limit_is_set(company, contract):
    """BKL-4 NTE-3"""
    item = factories.ready_item(company, contract, status="not_ready", limit_status="not_evaluated")
    assert codes(item) == ["NOT-READY"]
    line = contract.lines.get()
    for holder in (contract, line, contract.customers.get(), line.customers.get()):
        holder.limit = Decimal(1)
        holder.save()
        assert codes(item) == ["NOT-EVALUATED", "NOT-READY"]
        holder.limit = None
        holder.save()


def test_a_hold_ends_on_its_day(company, contract):
    """BKL-4 BKL-5"""
    item = changed(
        factories.ready_item(company, contract), hold_until=date(2025, 7, 1), hold_reason="Waits for Ida"
    )
    (blocker,) = found(item)
    assert blocker.sentence == "It is on hold until 1 Jul 2025: Waits for Ida."
    assert codes(item, on=date(2025, 7, 1)) == []


def test_a_missing_price_needs_the_price_list_first(company, contract):
    """BKL-4 PRC-6"""
    item = factories.ready_item(company, contract, status="not_ready", needs_price=True)
    assert codes(item) == ["NO-PRICE", "NOT-READY"]
    assert found(item)[0].who.startswith("billing administrator")


def test_an_order_number_is_missing_only_where_it_is_required(company, contract):
    """BKL-4 CON-12: an order counts by the day of the work, not by today."""
    item = factories.ready_item(company, contract, date=date(2025, 6, 15))
    LegalEntity.objects.filter(pk=company.entity.pk).update(require_order_reference=True)
    assert codes(item) == ["ORDER-MISSING"]
    factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(),
        valid_from=date(2025, 6, 1),
        valid_to=date(2025, 6, 30),
    )
    assert codes(item) == codes(item, on=date(2025, 7, 1)) == []
    for day in (date(2025, 5, 31), date(2025, 7, 1)):
        assert codes(factories.ready_item(company, contract, date=day)) == ["ORDER-MISSING"]


def test_a_draft_contract_bills_nothing(company):
    """BKL-4 CON-6"""
    draft = factories.contract(company)
    assert codes(factories.ready_item(company, draft)) == ["CONTRACT-NOT-CONFIRMED"]


def test_blockers_run_no_queries_once_the_page_is_loaded(company, contract):
    """BKL-4"""
    LegalEntity.objects.filter(pk=company.entity.pk).update(require_order_reference=True)

    def load():
        return list(obstacles.loaded(BacklogItem.objects.order_by("pk")))

    def make(n):
        for _ in range(n):
            factories.ready_item(
                company, factories.contract(company), status="not_ready", limit_status="not_evaluated"
            )

    make(3)
    few = count(load)
    make(57)
    assert count(load) == few == 4
    items = load()
    assert count(lambda: [blockers(item, on=JUNE_30) for item in items]) == 0
    assert len(items) == 60
