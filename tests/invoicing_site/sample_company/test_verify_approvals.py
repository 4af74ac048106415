"""Approvals that are canceled and repeated, with raised and lowered quantities, have no findings (APP-5)."""

import random
from decimal import Decimal

import pytest
from django.db.models import F

from actuals.models import Actual, Entry
from actuals.operations import amend, stamp, submit
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, cancel_approval, reject
from invoicing_site import explain
from invoicing_site.verify import findings
from tests import factories
from tests.invoicing_site.sample_company.alterations import altered, behind_the_guards
from tests.invoicing_site.sample_company.sample import APRIL_2, _booked

D = Decimal


@pytest.fixture
def eight(ledger):
    """Eight hours for two customers, 60 and 40 %, submitted."""
    return factories.time_entry(ledger.company, "8", date=APRIL_2, description="Drawings")


def given(ledger, entry, quantity=None, billing_type=None):
    decision = Decision(None if quantity is None else D(quantity), billing_type)
    return approve([entry], by=ledger.company.manager, on=APRIL_2, decisions={entry.pk: decision})


def canceled(ledger, entry):
    cancel_approval([entry], by=ledger.company.manager, on=APRIL_2)


def results():
    return [(finding.code, finding.sentence) for finding in findings()]


def shares_of(approval):
    return Actual.objects.filter(pk__in=[each.pk for each in approval.actuals if each.type == "unbilled"])


@pytest.mark.parametrize("again", [None, "9", "8", "6", "0", "12"])
@pytest.mark.parametrize("first", ["10", "6"])
def test_a_quantity_raised_by_a_canceled_approval_does_not_count_for_the_next_one(
    ledger, eight, first, again
):
    """APP-5, PST-7"""
    given(ledger, eight, first)
    assert findings() == []
    canceled(ledger, eight)
    assert findings() == []
    given(ledger, eight, again)
    assert findings() == []


def test_a_requested_recall_keeps_the_raised_quantity(ledger, eight):
    """APP-5, PST-7"""
    given(ledger, eight, "10")
    Entry.objects.filter(pk=eight.pk).update(status="recall")
    assert findings() == []
    with behind_the_guards():
        altered(Entry.objects.filter(pk=eight.pk), billable_quantity=D(9))
    sentence = f"The shares of entry {eight.pk} add up to 10.00 instead of 8.00."
    assert results() == [("SPLIT", sentence)]


@pytest.mark.parametrize("status", ["approved", "recall"])
def test_shares_of_the_current_approval_that_were_raised_by_hand_are_named(ledger, eight, status):
    """PST-7: 4.8 and 3.2 h become 6 and 4, at 200; only the first approval says ten."""
    given(ledger, eight, "10")
    canceled(ledger, eight)
    second = given(ledger, eight)
    Entry.objects.filter(pk=eight.pk).update(status=status)
    with behind_the_guards():
        shares = shares_of(second)
        for share, quantity, amount in zip(shares.order_by("pk"), (6, 4), (1200, 800), strict=True):
            altered(Actual.objects.filter(pk=share.pk), quantity=D(quantity), amount=D(amount))
            altered(BacklogItem.objects.filter(actual=share), amount=D(amount))
    sentence = f"The shares of entry {eight.pk} add up to 10.00 instead of 8.00."
    assert results() == [("SPLIT", sentence)]


def test_changed_shares_of_a_canceled_approval_are_named(ledger, eight):
    """PST-7: by their sum if it is below what was delivered, and always by their reversals."""
    first = given(ledger, eight, "10")
    canceled(ledger, eight)
    given(ledger, eight)
    for quantity in ("-2", "1"):
        with behind_the_guards():
            shares_of(first).update(quantity=F("quantity") + D(quantity))
        codes = {finding.code for finding in findings()}
        assert codes == {"SPLIT", "REVERSAL"}
        with behind_the_guards():
            shares_of(first).update(quantity=F("quantity") - D(quantity))
    assert findings() == []


def test_each_approval_is_explained_by_its_own_decision(ledger, eight):
    """ACT-2: the entry has the last decision only."""
    first = given(ledger, eight, "10", "complimentary")
    canceled(ledger, eight)
    second = given(ledger, eight, "6")

    def decided(approval):
        steps = [explain.explain_actual(each).steps for each in approval.actuals if not each.reverses_id]
        return {
            "6 of 8 h billable" in step.sentence
            for found in steps
            for step in found
            if step.stage == "approval"
        }

    assert (decided(first), decided(second)) == ({False}, {True})


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_approving_and_canceling_has_no_findings(ledger, eight, seed):
    """APP-5, PST-7: raised and lowered, recalled, changed, rejected, journalled in between."""
    company, chance = ledger.company, random.Random(seed)
    entry = eight
    for _ in range(8):
        entry.refresh_from_db()
        if entry.status in ("draft", "rejected"):
            hours = D(chance.choice(["8", "7.5", "0.3333"]))
            amend(entry, by=company.member, seen=stamp(entry), quantity=hours)
            submit([entry], by=company.member)
        elif entry.status == "submitted" and chance.random() < 0.2:
            reject([entry], by=company.manager, comment="Look again")
        elif entry.status == "submitted":
            quantity = chance.choice([None, "0", "0.3333", "6", "7.5", "8", "10", "23.9999"])
            kind = chance.choice([None, None, "chargeable", "non_chargeable", "complimentary"])
            given(ledger, entry, quantity, kind)
        elif chance.random() < 0.3:
            _booked(ledger, APRIL_2)
        else:
            if chance.random() < 0.3:
                Entry.objects.filter(pk=entry.pk).update(status="recall")
            canceled(ledger, entry)
        assert results() == []
