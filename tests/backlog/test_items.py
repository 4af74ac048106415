"""The billing backlog: marked ready, undone, claimed by documents."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from backlog.models import BacklogAction, BacklogItem
from backlog.operations import (
    confirm_contract,
    hold,
    mark_not_ready,
    mark_ready,
    release,
    release_hold,
    reserve,
    settle,
    undo,
)
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories
from tests.threads import ended

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return factories.company()


@pytest.fixture
@factories.remembered
def contract(company):
    return confirm_contract(factories.contract(company), by=company.manager)


@pytest.fixture
def item(company, contract):
    return factories.ready_item(company, contract, status="not_ready")


def status(item):
    item.refresh_from_db()
    return item.status


def test_marking_ready_is_one_recorded_action_that_can_be_undone(company, item):
    """BKL-2"""
    marked = mark_ready([item], by=company.manager)
    assert (status(item), marked.action.changed, marked.reasons) == ("ready", 1, {})
    assert undo(marked.action, by=company.manager) == 1
    assert status(item) == "not_ready"
    with pytest.raises(Refused, match="already undone"):
        undo(marked.action, by=company.manager)
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))[-2:] == [
        "backlog.mark_ready",
        "backlog.undo",
    ]


def test_undo_does_not_change_invoiced_items(company, contract, item):
    """BKL-2: until the next invoice takes them."""
    other = factories.ready_item(company, contract, status="not_ready")
    marked = mark_ready([item, other], by=company.manager)
    reserve([item], contract=contract)
    assert undo(marked.action, by=company.manager) == 1
    assert (status(item), status(other)) == ("created", "not_ready")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"limit_status": "failed", "limit_level": "contract", "limit_over": Decimal(5)},
            "over a not-to-exceed limit (contract, by 5.00 NOK)",
        ),
        ({"hold_until": "tomorrow"}, "on hold"),
        ({"status": "posted"}, "on a confirmed proforma"),
    ],
)
def test_items_that_cannot_be_marked_are_counted_by_reason(company, item, fields, reason):
    """BKL-2 NTE-2"""
    if fields.get("hold_until") == "tomorrow":
        fields = {"hold_until": company.entity.today() + timedelta(days=1), "hold_reason": "Waits"}
    BacklogItem.objects.filter(pk=item.pk).update(**fields)
    marked = mark_ready([item], by=company.manager)
    assert (marked.changed, marked.reasons) == (0, {reason: 1})


@pytest.mark.parametrize("kind", ["ready", "not_ready", "hold", "release"])
def test_an_action_that_changes_nothing_is_not_recorded(company, item, kind):
    """No action to undo and no event in the audit trail, for every kind of action."""
    BacklogItem.objects.filter(pk=item.pk).update(status="posted")
    before = AuditEvent.objects.count()
    until = company.entity.today() + timedelta(days=9)
    marked = {
        "ready": lambda: mark_ready([item], by=company.manager),
        "not_ready": lambda: mark_not_ready([item], by=company.manager),
        "hold": lambda: hold([item], until=until, reason="Waits", by=company.manager),
        "release": lambda: release_hold([item], by=company.manager),
    }[kind]()
    assert (marked.action, marked.changed) == (None, 0)
    assert marked.reasons == {"on a confirmed proforma": 1}
    assert (BacklogAction.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_a_hold_ends_on_its_day(company, item):
    """BKL-5"""
    BacklogItem.objects.filter(pk=item.pk).update(hold_until=company.entity.today())
    assert mark_ready([item], by=company.manager).action.changed == 1


def test_not_evaluated_blocks_only_items_with_a_limit(company, contract, item):
    """NTE-3"""
    BacklogItem.objects.filter(pk=item.pk).update(limit_status="not_evaluated")
    contract.limit = Decimal(100000)
    contract.save()
    assert mark_ready([item], by=company.manager).reasons == {"not tested against its limit": 1}
    contract.limit = None
    contract.save()
    assert mark_ready([item], by=company.manager).action.changed == 1


def test_the_database_refuses_a_failed_item_that_is_ready(item):
    """NTE-2"""
    failed = BacklogItem.objects.filter(pk=item.pk)
    failed.update(limit_status="failed", limit_level="contract", limit_over=Decimal(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        failed.update(status="ready")


def test_all_rows_of_a_filter_are_marked_at_once(company, contract, monkeypatch):
    """BKL-2: in several commits and one recorded action."""
    monkeypatch.setattr("backlog.operations.items.CHUNK", 4)
    for _ in range(10):
        factories.ready_item(company, contract, status="not_ready")
    marked = mark_ready(BacklogItem.objects.dated_until(date(2030, 1, 1)), by=company.manager)
    assert (marked.action.changed, marked.action.items.count()) == (10, 10)
    assert undo(marked.action, by=company.manager) == 10
    assert mark_not_ready(BacklogItem.objects.all(), by=company.manager).reasons == {"already not ready": 10}


@pytest.mark.postgres  # SQLite takes long inserts in batches
def test_marking_costs_the_same_for_many_rows(company, contract, django_assert_max_num_queries):
    """Sets instead of loops."""
    rows = [factories.ready_item(company, contract, status="not_ready") for _ in range(30)]
    with django_assert_max_num_queries(60) as few:
        mark_ready(rows[:2], by=company.manager)
    with django_assert_max_num_queries(60) as many:
        mark_ready(rows[2:], by=company.manager)
    assert len(few.captured_queries) == len(many.captured_queries)


def test_an_item_is_reserved_once(company, contract, item):
    """PRO-8: the second finds it gone; a release gives it back; settled, it stays."""
    with pytest.raises(Refused, match="1 row has changed"):
        reserve([item], contract=contract)
    mark_ready([item], by=company.manager)
    reserve([item], contract=contract)
    with pytest.raises(Refused, match="1 row has changed"):
        reserve([item], contract=contract)
    release([item])
    assert status(item) == "ready"
    reserve([item], contract=contract)
    settle([item])
    assert status(item) == "posted"
    with pytest.raises(Refused):
        release([item])


def test_the_items_of_another_contract_are_not_reserved(company, contract, item):
    """PRO-8: the lock of one contract covers its own items only."""
    mark_ready([item], by=company.manager)
    other = factories.contract(company, confirmed=True)
    with pytest.raises(Refused, match="1 row has changed"):
        reserve([item], contract=other)


def test_the_amount_and_owner_of_an_item_cannot_change(item):
    """ACT-1: the amount of an item, and the customer that it belongs to, can't be changed."""
    for change in ({"amount": Decimal(1)}, {"currency": "EUR"}, {"date": date(2020, 1, 1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            BacklogItem.objects.filter(pk=item.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        BacklogItem.objects.filter(pk=item.pk).delete()


def test_a_selection_belongs_to_one_company(company, item):
    """SEC-1: audit and locks are one entity's."""
    stranger = factories.company(code="SE1")
    other = factories.ready_item(
        stranger, confirm_contract(factories.contract(stranger), by=stranger.manager), status="not_ready"
    )
    with pytest.raises(Refused, match="several legal entities"):
        mark_ready([item, other], by=company.manager)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_undo_during_an_action_stops_the_action(monkeypatch):
    """BKL-2: in either order there is no deadlock, and no item is marked by an undone action."""
    monkeypatch.setattr("backlog.operations.items.CHUNK", 2)
    company = factories.company()
    contract = confirm_contract(factories.contract(company), by=company.manager)
    rows = [factories.ready_item(company, contract, status="not_ready") for _ in range(30)]
    refusals = []

    def mark():
        try:
            mark_ready(rows, by=company.manager)
        except Refused as refusal:
            refusals.append(refusal.code)
        finally:
            connection.close()

    thread = threading.Thread(target=mark)
    thread.start()
    while not (action := BacklogAction.objects.first()):
        assert thread.is_alive() or BacklogAction.objects.exists()
    undo(action, by=company.manager)
    ended(thread)
    assert not BacklogItem.objects.ready().exists()
    assert set(refusals) <= {"UNDONE-MEANWHILE"}


def test_undoing_an_old_marking_leaves_a_later_one(company, item):
    """BKL-2: marked ready, not ready, and ready again by another user."""
    first = mark_ready([item], by=company.manager).action
    back = mark_not_ready([item], by=company.manager).action
    again = mark_ready([item], by=company.accountant).action

    assert (undo(first, by=company.manager), status(item)) == (0, "ready")
    assert (undo(again, by=company.accountant), status(item)) == (1, "not_ready")
    assert (undo(back, by=company.manager), status(item)) == (1, "ready")


def test_undo_does_not_mark_items_ready_that_now_exceed_a_limit(company, item):
    """BKL-2 NTE-2"""
    BacklogItem.objects.filter(pk=item.pk).update(status="ready")
    back = mark_not_ready([item], by=company.manager).action
    BacklogItem.objects.filter(pk=item.pk).update(
        limit_status="failed", limit_level="contract", limit_over=Decimal(5)
    )

    assert (undo(back, by=company.manager), status(item)) == (0, "not_ready")
