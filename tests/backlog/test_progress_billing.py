"""MIL-2: a milestone is billed slice by slice, never more than the whole."""

from decimal import Decimal

import pytest

from backlog.models import BacklogItem
from backlog.operations import confirm_contract, split_off
from backlog.slices import slice_of
from contracts.models import Milestone, MilestonePart
from invoicing_site.floor.errors import Refused
from tests import factories, locks

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return factories.company()


@pytest.fixture
@factories.remembered
def item(company):
    confirm_contract(factories.contract(company, method="fixed"), by=company.manager)
    return BacklogItem.objects.get()


def states():
    return list(BacklogItem.objects.order_by("pk").values_list("amount", "status"))


def test_a_slice_is_ready_and_the_rest_waits(company, item):
    """MIL-2: 40 % of 10,000, then 35 %, then all that is left."""
    assert slice_of(item, Decimal(40)) == Decimal(4000)
    first = split_off(item, amount=Decimal(4000), by=company.manager)
    assert states() == [(10000, "canceled"), (4000, "ready"), (6000, "not_ready")]
    assert Milestone.objects.get().status == "in_progress"
    assert set(MilestonePart.objects.exclude(split_from=None).values_list("split_from")) == {
        (item.milestone_part_id,)
    }
    # A percentage refers to the whole milestone, also for later slices.
    assert slice_of(first.rest, Decimal(35)) == Decimal(3500)
    second = split_off(first.rest, amount=Decimal(3500), by=company.manager)
    last = split_off(second.rest, amount=slice_of(second.rest, Decimal(25)), by=company.manager)
    assert last.rest is None
    live = BacklogItem.objects.exclude(status="canceled").order_by("pk")
    assert list(live.values_list("amount", "status")) == [(4000, "ready"), (3500, "ready"), (2500, "ready")]


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("10000.01", "Only 10,000.00 NOK of “.+” is left. A milestone can't be billed above 100 %"),
        ("0", "Enter an amount"),
        ("-1", "Enter an amount"),
        ("0.001", "more decimals than NOK allows"),
    ],
)
def test_an_invalid_slice_is_refused(company, item, amount, sentence):
    """MIL-2"""
    with pytest.raises(Refused, match=sentence):
        split_off(item, amount=Decimal(amount), by=company.manager)
    assert states() == [(10000, "not_ready")]


def test_a_part_is_split_once(company, item):
    """MIL-2: the second user with the same page is refused."""
    split_off(item, amount=Decimal(6000), by=company.manager)
    with pytest.raises(Refused, match="Statuses that allow this: not ready"):
        split_off(item, amount=Decimal(6000), by=company.manager)
    assert sum(i.amount for i in BacklogItem.objects.exclude(status="canceled")) == 10000


def test_an_item_that_cannot_be_ready_is_not_split(company, item):
    BacklogItem.objects.update(hold_until="2999-01-01", hold_reason="Waits")
    with pytest.raises(Refused, match="on hold"):
        split_off(item, amount=Decimal(1), by=company.manager)


def test_the_last_third_takes_the_cent_that_is_left(company):
    """MIL-2 MON-3: 33.333333 % three times is the whole milestone."""
    line = {"method": "fixed", "contract_amount": Decimal(100)}
    confirm_contract(factories.contract(company, lines=[line]), by=company.manager)
    rest, third = BacklogItem.objects.get(), Decimal("33.333333")
    amounts = []
    while rest is not None:
        amount = slice_of(rest, third)
        amounts.append(amount)
        rest = split_off(rest, amount=amount, by=company.manager).rest
    assert amounts == [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]


def test_splitting_off_a_slice_locks_the_contract(company, item, monkeypatch):
    """MIL-2: asked for on every database, so that two slices at once are never more than the whole."""
    asked = locks.asked(monkeypatch)

    split_off(item, amount=Decimal(4000), by=company.manager)

    assert asked[0] == "ProjectContract locked"
