"""Work on hold: not billed until a day, for a reason."""

from datetime import timedelta

import pytest

from backlog.models import BacklogItem
from backlog.operations import confirm_contract, hold, mark_ready, release_hold, undo
from invoicing_site.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return factories.company()


@pytest.fixture
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


def test_what_is_held_already_or_invoiced_is_left_alone(company, item, later):
    """BKL-5"""
    other = factories.ready_item(company, item.contract, status="not_ready")
    BacklogItem.objects.filter(pk=other.pk).update(status="created")
    hold([item], until=later, reason="First", by=company.manager)
    again = hold([item, other], until=later, reason="Second", by=company.manager)
    assert again.reasons == {"already customer invoice created": 1, "on hold already": 1}
    assert held(item)[1] == "First"


def test_a_released_hold_is_forgotten(company, item, later):
    """BKL-5"""
    hold([item], until=later, reason="Waits", by=company.manager)
    other = factories.ready_item(company, item.contract, status="not_ready")
    released = release_hold([item, other], by=company.manager)
    assert (released.action.changed, released.reasons) == (1, {"not on hold": 1})
    assert held(item) == (None, "", None)
    with pytest.raises(Refused, match="can't be undone"):
        undo(released.action, by=company.manager)


def test_a_hold_says_why(company, item, later):
    with pytest.raises(Refused, match="Say why"):
        hold([item], until=later, reason="  ", by=company.manager)
    assert held(item)[0] is None
