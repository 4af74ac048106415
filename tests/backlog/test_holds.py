"""Work on hold: not billed until a day, for a reason."""

from datetime import timedelta

import pytest

from backlog import obstacles
from backlog.aging import blockers
from backlog.models import BacklogItem
from backlog.operations import confirm_contract, hold, mark_ready, release_hold, undo
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from proforma.inputs import load_inputs_by_hand
from proforma.operations import add_items, create_for_items, create_proformas, refresh
from proforma.plans import plan_by_hand
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return factories.company()


@pytest.fixture
@factories.remembered
def item(company):
    contract = confirm_contract(factories.contract(company), by=company.manager)
    return factories.ready_item(company, contract, status="not_ready")


@pytest.fixture
def later(company):
    return company.entity.today() + timedelta(days=7)


def held(item):
    item.refresh_from_db()
    return item.hold_until, item.hold_reason, item.held_by


def test_a_hold_is_one_recorded_action_that_can_be_undone(company, item, later):
    """BKL-5"""
    done = hold([item], until=later, reason=" Customer asks ", by=company.manager)
    assert held(item) == (later, "Customer asks", company.manager)
    assert (done.action.action, done.action.changed, done.reasons) == ("hold", 1, {})
    assert mark_ready([item], by=company.manager).reasons == {"on hold": 1}
    assert AuditEvent.objects.filter(action="backlog.hold").count() == 1
    assert undo(done.action, by=company.manager) == 1
    assert held(item) == (None, "", None)


def test_items_on_hold_or_invoiced_are_skipped(company, item, later):
    """BKL-5"""
    other = factories.ready_item(company, item.contract, status="not_ready")
    BacklogItem.objects.filter(pk=other.pk).update(status="created")
    hold([item], until=later, reason="First", by=company.manager)
    again = hold([item, other], until=later, reason="Second", by=company.manager)
    assert again.reasons == {"on a draft proforma": 1, "already on hold": 1}
    assert held(item)[1] == "First"


def test_releasing_a_hold_removes_it(company, item, later):
    """BKL-5"""
    hold([item], until=later, reason="Waits", by=company.manager)
    other = factories.ready_item(company, item.contract, status="not_ready")
    released = release_hold([item, other], by=company.manager)
    assert (released.action.changed, released.reasons) == (1, {"not on hold": 1})
    assert held(item) == (None, "", None)
    with pytest.raises(Refused, match="can't be undone"):
        undo(released.action, by=company.manager)


def test_a_hold_needs_a_reason(company, item, later):
    with pytest.raises(Refused, match="Enter a reason"):
        hold([item], until=later, reason="  ", by=company.manager)
    assert held(item)[0] is None


@pytest.mark.parametrize(("days", "is_held"), [(0, False), (1, True)])
def test_a_hold_ends_on_its_day(company, item, days, is_held):
    """BKL-5: an item on hold until the 10th can be billed from the 10th on, not from the 11th."""
    until = company.entity.today() + timedelta(days=days)
    BacklogItem.objects.filter(pk=item.pk).update(hold_until=until, hold_reason="Waits")
    found = {each.code for each in blockers(obstacles.loaded(BacklogItem.objects.all()).get(), on=until)}
    assert "ON-HOLD" not in found
    assert mark_ready([item], by=company.manager).reasons == ({"on hold": 1} if is_held else {})
    again = hold([item], until=until + timedelta(days=9), reason="Again", by=company.manager)
    assert again.changed == (0 if is_held else 1)


@pytest.mark.parametrize(("days", "is_held"), [(0, False), (1, True)])
def test_items_on_hold_are_not_billed_until_the_hold_ends(company, item, days, is_held):
    """BKL-5: by hand, by refreshing, by choosing rows, and in a plan."""
    today, contract = company.entity.today(), item.contract
    factories.ready_item(company, contract)
    (draft,) = create_proformas([contract], cutoff=today, on=today, by=company.manager)
    BacklogItem.objects.filter(pk=item.pk).update(
        status="ready", hold_until=today + timedelta(days=days), hold_reason="Waits"
    )
    inputs = load_inputs_by_hand([contract.pk], cutoff=today, on=today)[contract.pk]
    assert bool(plan_by_hand(inputs, cutoff=today).proformas) is not is_held
    if not is_held:
        assert len(refresh(draft, by=company.manager)) == 1
        return
    assert refresh(draft, by=company.manager) == []
    with pytest.raises(Refused, match="on hold"):
        add_items(draft, [item], by=company.manager)
    with pytest.raises(Refused, match="on hold"):
        create_for_items([item], on=today, by=company.manager)
    on = today + timedelta(days=days)
    assert len(create_for_items([item], on=on, by=company.manager)) == 1


def test_undoing_an_old_hold_leaves_a_later_one(company, item, later):
    """BKL-2 BKL-5: held, released, held again by another user for another reason."""
    first = hold([item], until=later, reason="First", by=company.manager).action
    release_hold([item], by=company.manager)
    second = hold([item], until=later, reason="Second", by=company.accountant).action

    assert undo(first, by=company.manager) == 0
    assert held(item) == (later, "Second", company.accountant)
    assert undo(second, by=company.accountant) == 1
    assert held(item) == (None, "", None)


def test_undoing_a_hold_that_ended_leaves_the_one_after_it(company, item, later):
    """BKL-2 BKL-5: the first hold was not released, it ended on its day."""
    first = hold([item], until=later, reason="First", by=company.manager).action
    BacklogItem.objects.filter(pk=item.pk).update(hold_until=company.entity.today())
    hold([item], until=later, reason="Second", by=company.accountant)

    assert undo(first, by=company.manager) == 0
    assert held(item) == (later, "Second", company.accountant)
