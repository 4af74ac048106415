"""The actuals that confirming creates for one detail, by amount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing_site.floor.money import priced
from proforma.planned_actuals import (
    Terms,
    actuals_billed_only,
    actuals_of_work,
    actuals_of_work_by_hand,
    rest_of,
)

CHARGEABLE, NON_CHARGEABLE, COMPLIMENTARY = "chargeable", "non_chargeable", "complimentary"


def terms(quantity, price, amount, billing_type=CHARGEABLE):
    return Terms(Decimal(quantity), Decimal(price), Decimal(amount), billing_type)


TEN_HOURS = terms(10, 1000, 10000)


def listed(planned):
    """(part, type, quantity, amount, billing type) of each actual."""
    return [
        (
            str(each.part),
            str(each.type),
            str(each.terms.quantity),
            str(each.terms.amount),
            each.terms.billing_type,
        )
        for each in planned
    ]


def test_unedited_work_is_reversed_and_billed():
    """PRO-5"""
    assert listed(actuals_of_work(TEN_HOURS, TEN_HOURS)) == [
        ("reversal", "unbilled", "-10", "-10000", CHARGEABLE),
        ("billed", "billed", "10", "10000", CHARGEABLE),
    ]


def test_a_lower_quantity_leaves_a_rest():
    """PRO-5: 10 h × 1,000 billed as 7 h × 1,000."""
    assert listed(actuals_of_work(terms(7, 1000, 7000), TEN_HOURS)) == [
        ("reversal", "unbilled", "-10", "-10000", CHARGEABLE),
        ("unbilled", "unbilled", "7", "7000", CHARGEABLE),
        ("unbilled_reversal", "unbilled", "-7", "-7000", CHARGEABLE),
        ("billed", "billed", "7", "7000", CHARGEABLE),
        ("rest", "unbilled", "3", "3000", NON_CHARGEABLE),
        ("rest_reversal", "unbilled", "-3", "-3000", NON_CHARGEABLE),
        ("rest_billed", "billed", "3", "3000", NON_CHARGEABLE),
    ]


def test_a_raise_leaves_no_rest():
    """PRO-5: 10 h × 1,000 billed as 12 h × 1,000."""
    assert listed(actuals_of_work(terms(12, 1000, 12000), TEN_HOURS)) == [
        ("reversal", "unbilled", "-10", "-10000", CHARGEABLE),
        ("unbilled", "unbilled", "12", "12000", CHARGEABLE),
        ("unbilled_reversal", "unbilled", "-12", "-12000", CHARGEABLE),
        ("billed", "billed", "12", "12000", CHARGEABLE),
    ]


def test_another_billing_type_is_billed_as_that_type():
    """PRO-5"""
    assert listed(actuals_of_work(TEN_HOURS._replace(billing_type=COMPLIMENTARY), TEN_HOURS)) == [
        ("reversal", "unbilled", "-10", "-10000", CHARGEABLE),
        ("unbilled", "unbilled", "10", "10000", COMPLIMENTARY),
        ("unbilled_reversal", "unbilled", "-10", "-10000", COMPLIMENTARY),
        ("billed", "billed", "10", "10000", COMPLIMENTARY),
    ]


def test_work_added_by_hand_has_unbilled_and_billed_sales():
    """PRO-5"""
    assert listed(actuals_of_work_by_hand(terms(2, 1500, 3000))) == [
        ("unbilled", "unbilled", "2", "3000", CHARGEABLE),
        ("unbilled_reversal", "unbilled", "-2", "-3000", CHARGEABLE),
        ("billed", "billed", "2", "3000", CHARGEABLE),
    ]


def test_a_milestone_is_billed_only():
    """PRO-5"""
    assert listed(actuals_billed_only(terms(1, 40000, 40000))) == [
        ("billed", "billed", "1", "40000", CHARGEABLE)
    ]


@pytest.mark.parametrize(
    ("edited", "rest"),
    [
        (terms(10, 800, 8000), (0, 2000)),
        (terms(7, 1500, 10500), None),
        (terms(7, 1000, 7000), (3, 3000)),
        (terms(12, 500, 6000), (0, 4000)),
        (terms(8, 1250, 10000), None),
        (terms(0, 1000, 0), (10, 10000)),
        (terms(10, 0, 0), (0, 10000)),
        (terms(10, 1000, 10000, COMPLIMENTARY), None),
    ],
)
def test_the_rest_is_the_decrease_of_amount_and_quantity(edited, rest):
    """PRO-5"""
    found = rest_of(edited, TEN_HOURS)
    assert (found and (found.quantity, found.amount)) == rest
    assert found is None or found.billing_type == NON_CHARGEABLE


quantities = st.decimals(-100, 1000, places=4, allow_nan=False)
prices = st.decimals(0, 5000, places=2, allow_nan=False)
types = st.sampled_from([CHARGEABLE, NON_CHARGEABLE, COMPLIMENTARY])


@given(quantities, prices, types, quantities, prices, types)
def test_unbilled_sales_net_to_zero_and_billed_sales_equal_the_detail(q1, p1, type1, q2, p2, type2):
    """PRO-5 and invariant 2: for any edit."""
    was = Terms(q1, p1, priced(q1, p1, "NOK"), type1)
    edited = Terms(q2, p2, priced(q2, p2, "NOK"), type2)
    planned = actuals_of_work(edited, was)
    unbilled = [each.terms for each in planned if each.type == "unbilled"]
    assert sum(f.amount for f in unbilled) + was.amount == 0
    assert sum(f.quantity for f in unbilled) + was.quantity == 0
    assert [each.terms for each in planned if each.part == "billed"] == [edited]
    billed = sum(each.terms.amount for each in planned if each.type == "billed")
    assert billed == max(was.amount, edited.amount)  # the rest is written off
