"""Milestones in equal parts, and each customer's part of one."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from contracts import operations
from contracts.models import MilestonePart
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories
from tests.factories import ContractRevisionFactory, InvoiceFrequencyFactory, MilestoneFactory


def day(text):
    return datetime.date.fromisoformat(f"2025-{text}")


@pytest.fixture
@factories.remembered
def it(db):
    it = factories.company(books=False, customers=3)
    it.monthly = InvoiceFrequencyFactory(entity=it.entity, days="31")
    return it


def fixed_line(it, amount="1000", milestones=(), *, currency=None, **fields):
    line = {
        "method": "fixed",
        "contract_amount": Decimal(amount),
        "milestones": milestones,
        "frequency": it.monthly,
        "billing_starts": day("01-01"),
        **fields,
    }
    return factories.contract(it, currency=currency, lines=[line]).lines.get()


def test_equal_parts_by_frequency_with_the_rest_on_the_last(it):
    """MIL-1, MON-3"""
    line = fixed_line(it)

    made = operations.generate_milestones(line, count=3, by=it.manager)

    assert [(m.number, m.name, m.date, m.amount) for m in made] == [
        (1, "Milestone 1", day("01-31"), Decimal("333.33")),
        (2, "Milestone 2", day("02-28"), Decimal("333.33")),
        (3, "Milestone 3", day("03-31"), Decimal("333.34")),
    ]
    assert list(line.milestones.all()) == made
    event = AuditEvent.objects.get()
    assert (event.action, event.detail["milestones"]) == ("contracts.generate_milestones", 3)


def test_parts_are_in_the_currencys_minor_unit(it):
    """MON-1, MON-3"""
    line = fixed_line(it, "1000", currency="JPY")

    made = operations.generate_milestones(line, count=3, by=None)

    assert [milestone.amount for milestone in made] == [333, 333, 334]


def test_milestones_made_by_hand_stay_and_the_rest_is_split(it):
    """MIL-1"""
    line = fixed_line(it, milestones=[{"number": 4, "amount": Decimal("400.01")}])

    made = operations.generate_milestones(line, count=2, by=None, starts=day("06-15"), name="Instalment")

    assert [(m.number, m.name, m.date, m.amount) for m in made] == [
        (5, "Instalment 5", day("06-30"), Decimal("300.00")),
        (6, "Instalment 6", day("07-31"), Decimal("299.99")),
    ]


def test_generating_without_a_rest_is_refused(it):
    """CON-4"""
    with pytest.raises(Refused, match=r"has 0\.00 NOK left"):
        operations.generate_milestones(fixed_line(it, milestones=["1000"]), count=2, by=None)
    with pytest.raises(Refused, match=r"has −200\.00 NOK left"):
        operations.generate_milestones(fixed_line(it, milestones=["1200"]), count=2, by=None)


@pytest.mark.parametrize("count", [3, 4])
def test_more_parts_than_cents_are_refused(it, count):
    """MON-3: of 0.02, three parts would be 0.01, 0.01 and nothing."""
    with pytest.raises(Refused, match=f"can't be divided into {count} milestones"):
        operations.generate_milestones(fixed_line(it, "0.02"), count=count, by=None)


def test_a_time_and_material_line_has_no_milestones(it):
    """MIL-1"""
    line = factories.contract(it, lines=[{"frequency": it.monthly, "starts": day("01-01")}]).lines.get()

    with pytest.raises(Refused, match="bills time and material"):
        operations.generate_milestones(line, count=2, by=None)


def test_a_value_missing_for_generating_is_named(it):
    """MIL-1"""
    with pytest.raises(Refused, match="choose an invoice frequency"):
        operations.generate_milestones(fixed_line(it, frequency=None), count=2, by=None)
    with pytest.raises(Refused, match="enter the day on which the milestones start"):
        operations.generate_milestones(fixed_line(it, billing_starts=None), count=2, by=None)
    with pytest.raises(Refused, match="at least one"):
        operations.generate_milestones(fixed_line(it), count=0, by=None)


def test_milestones_of_a_confirmed_contract_need_an_amendment(it):
    """CON-10"""
    contract = factories.contract(it, method="fixed", confirmed=True)
    line = factories.contract_line(
        contract, method="fixed", project=it.project, milestones=[], frequency=it.monthly, starts=day("01-01")
    )
    with pytest.raises(Refused, match="is confirmed, so its milestones can't change"):
        operations.generate_milestones(line, count=2, by=None)

    line.revision = ContractRevisionFactory(contract=contract)
    line.save()
    made = operations.generate_milestones(line, count=2, by=None)
    assert [milestone.amount for milestone in made] == [5000, 5000]


# Parts: MIL-1, MON-3


def milestone_of(it, amount, *percents, rounding=-1, currency=None):
    customers = list(zip(it.customers, percents, strict=True))
    contract = factories.contract(
        it,
        customers=customers,
        rounding=rounding,
        currency=currency,
        lines=[{"method": "fixed", "contract_amount": Decimal(amount)}],
    )
    return contract.lines.get().milestones.get()


def amounts(parts):
    return [(part.contract_customer.customer.pk, part.amount) for part in parts]


def test_each_customer_gets_its_share_and_the_rounding_customer_the_rest(it):
    """MIL-1, MON-3: 100.00 by thirds is 33.33, 33.33 and 33.34."""
    a, b, c = it.customers
    milestone = milestone_of(it, "100", "33.33", "33.33", "33.34")

    parts = operations.part_milestone(milestone)

    assert amounts(parts) == [
        (a.pk, Decimal("33.33")),
        (b.pk, Decimal("33.33")),
        (c.pk, Decimal("33.34")),
    ]


@pytest.mark.parametrize(
    ("rounding", "amounts"), [(0, "0.01 0.02 0.02"), (1, "0.02 0.01 0.02"), (2, "0.02 0.02 0.01")]
)
def test_the_rounding_customer_takes_the_rest_in_any_position(it, rounding, amounts):
    """MON-3: 0.05 at 33.33 / 33.33 / 33.34 % is 0.02 three times; one of them takes a cent less."""
    milestone = milestone_of(it, "0.05", "33.33", "33.33", "33.34", rounding=rounding)

    parts = operations.part_milestone(milestone)

    assert [str(part.amount) for part in parts] == amounts.split()


def test_a_share_of_nothing_gets_no_part(it):
    """MIL-1, MON-9"""
    parts = operations.part_milestone(milestone_of(it, "100", 60, 0, 40))

    assert [part.amount for part in parts] == [60, 40]


def test_shares_come_from_the_line_and_not_the_contract(it):
    """CON-1"""
    a, b, c = it.customers
    contract = factories.contract(
        it,
        customers=[(a, 50), (b, 25), (c, 25)],
        lines=[{"method": "fixed", "contract_amount": Decimal(80), "customers": [(b, 75), (c, 25)]}],
    )

    parts = operations.part_milestone(contract.lines.get().milestones.get())

    assert amounts(parts) == [(b.pk, 60), (c.pk, 20)]


def test_splitting_twice_makes_no_second_parts(it):
    """MIL-1"""
    milestone = milestone_of(it, "100", 60, 0, 40)
    first = operations.part_milestone(milestone)

    assert operations.part_milestone(milestone) == first
    assert MilestonePart.objects.count() == 2


def test_many_milestones_are_split_in_as_many_queries_as_one(it, django_assert_max_num_queries):
    """MIL-1"""
    milestone = milestone_of(it, "100", 60, 0, 40)
    more = [MilestoneFactory(line=milestone.line, number=n, amount=Decimal(n)) for n in range(2, 50)]

    with django_assert_max_num_queries(10):
        parts = operations.part_milestones([milestone, *more])

    assert [part.amount for part in parts[:4]] == [60, 40, Decimal("1.20"), Decimal("0.80")]
    assert len(parts) == 98


class PartsAddUp(TestCase):
    @given(
        st.decimals(Decimal("0.01"), Decimal("99999999.99"), places=2),
        st.decimals(0, 100, places=2),
        st.decimals(0, 100, places=2),
        st.sampled_from(["NOK", "JPY", "BHD"]),
    )
    def test_the_parts_of_a_milestone_add_up_to_it(self, amount, first, second, currency):
        """MON-3"""
        first, second = sorted([first, second])
        splits = [first, second - first, 100 - second]
        if currency == "JPY":
            amount = amount // 1 + 1
        it = factories.company(books=False, customers=3)
        rounding = splits.index(max(splits))
        milestone = milestone_of(it, amount, *splits, rounding=rounding, currency=currency)

        parts = operations.part_milestone(milestone)

        assert sum(part.amount for part in parts) == amount
        assert len(parts) <= len([split for split in splits if split])
