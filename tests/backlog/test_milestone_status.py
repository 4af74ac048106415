"""The status of a milestone follows from the status of its parts (MIL-1)."""

from datetime import date

import pytest

from backlog.models import BacklogItem
from backlog.operations import confirm_contract, mark_not_ready, mark_ready, split_off, undo
from contracts.models import Milestone
from proforma.operations import confirm, create_proformas, delete_draft, return_proforma
from tests import factories

DAY = date(2025, 6, 30)


@pytest.fixture
@factories.remembered
def it(db):
    it = factories.company(customers=2)
    shares = [(customer, 50) for customer in it.customers]
    it.contract = confirm_contract(factories.contract(it, method="fixed", customers=shares), by=it.manager)
    it.parts = list(BacklogItem.objects.order_by("pk"))
    assert len(it.parts) == 2
    return it


def head():
    return Milestone.objects.get().status


def drafts(it):
    return create_proformas([it.contract], cutoff=DAY, on=DAY, by=it.manager)


def test_the_head_is_in_progress_as_soon_as_a_part_is_ready(it):
    """MIL-1: and not started again when the marking is undone."""
    assert head() == "not_started"
    marked = mark_ready(it.parts[:1], by=it.manager)
    assert head() == "in_progress"
    undo(marked.action, by=it.manager)
    assert head() == "not_started"
    mark_ready(it.parts, by=it.manager)
    mark_not_ready(it.parts[:1], by=it.manager)
    assert head() == "in_progress"
    mark_not_ready(it.parts[1:], by=it.manager)
    assert head() == "not_started"


def test_the_head_is_in_progress_on_a_draft_and_until_the_last_part_is_confirmed(it):
    """MIL-1: ready, on a draft, one of two confirmed: in progress; both: completed."""
    mark_ready(it.parts, by=it.manager)
    first, second = drafts(it)
    assert head() == "in_progress"
    delete_draft(second, by=it.manager)
    assert head() == "in_progress"
    confirm(first, by=it.manager, on=DAY)
    assert head() == "in_progress"
    (second,) = drafts(it)
    confirm(second, by=it.manager, on=DAY)
    assert head() == "completed"


def test_a_head_is_in_progress_again_after_a_return(it):
    """MIL-1 PRP-6"""
    mark_ready(it.parts, by=it.manager)
    first, second = drafts(it)
    for each in (first, second):
        confirm(each, by=it.manager, on=DAY)
    return_proforma(first, by=it.manager, on=DAY)
    assert head() == "in_progress"


def test_a_part_billed_slice_by_slice_is_in_progress_until_the_last(it):
    """MIL-1 MIL-2"""
    whole, other = it.parts
    rest = split_off(whole, amount=whole.amount / 2, by=it.manager).rest
    assert head() == "in_progress"
    mark_ready([rest, other], by=it.manager)
    for each in drafts(it):
        confirm(each, by=it.manager, on=DAY)
    assert head() == "completed"


def test_other_milestones_do_not_change(it):
    """MIL-1: only milestones whose parts change are updated."""
    other = factories.MilestoneFactory(line=it.contract.lines.get(), number=9, status="completed")
    mark_ready(it.parts, by=it.manager)
    other.refresh_from_db()
    assert other.status == "completed"
