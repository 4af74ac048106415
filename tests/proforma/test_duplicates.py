"""Hours added by hand to a draft and the same hours approved: a warning before they are billed twice."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from actuals.naming import named
from backlog.operations import approve, confirm_contract, mark_ready
from backlog.previews import preview
from proforma.duplicates import maybe_twice
from proforma.operations import (
    add_detail,
    confirm,
    create_proformas,
    delete_draft,
    edit_details,
    return_proforma,
)
from tests import factories
from tests.approving import as_listed

DAY = date(2025, 3, 10)
END = date(2025, 3, 31)
TYPED = "10 h of Anna on 10 Mar 2025"


@pytest.fixture
@factories.remembered
def it(db):
    it = factories.company()
    it.contract = confirm_contract(factories.contract(it), by=it.manager)
    it.line = it.contract.lines.get()
    return it


def draft_of_other_work(it):
    """A draft that bills other hours of another day."""
    factories.ready_item(it, it.contract, date=date(2025, 3, 3))
    (draft,) = create_proformas([it.contract], cutoff=END, on=END, by=it.manager)
    return draft


def typed(it, draft, **other):
    """Ten hours added by hand: for Anna, on the day, project and task of her entry."""
    fields = {"resource": it.resource, "task": it.task, "date": DAY, "quantity": Decimal(10), **other}
    fields = {"transaction_class": "time", "price": Decimal(200), **fields}
    return add_detail(draft, by=it.manager, contract_line=it.line, **fields)


def ready(it, entry):
    approval = approve([entry], by=it.manager)
    mark_ready(approval.items, by=it.manager)
    return approval


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_approving_work_that_was_added_by_hand_gets_a_warning(it, is_confirmed):
    """APP-10: in the preview and in the answer, whether the draft is confirmed or not."""
    draft = draft_of_other_work(it)
    typed(it, draft)
    if is_confirmed:
        confirm(draft, by=it.manager, on=END)
    entry = factories.time_entry(it, "8", date=DAY)
    sentence = f"Possible duplicate: {TYPED} was added by hand to proforma {draft.number}"
    (warning,) = preview([entry], by=it.manager)[entry.pk].approval_warnings
    assert warning.startswith(sentence)
    (warning,) = approve([entry], by=it.manager).warnings
    assert warning.startswith(f"{named(entry)}: {sentence}")


@pytest.mark.parametrize("comes_first", ["entry", "detail"])
def test_the_draft_gets_a_warning_in_either_order(it, comes_first):
    """APP-10"""
    entry = factories.time_entry(it, "8", date=DAY)
    draft = draft_of_other_work(it)
    for step in ("entry", "detail") if comes_first == "entry" else ("detail", "entry"):
        approve([entry], by=it.manager) if step == "entry" else typed(it, draft)
    (found,) = maybe_twice([draft])[draft.pk]
    assert found.reason.code == "MAYBE-IN-BACKLOG"
    assert found.reason.sentence.startswith(
        f"Possible duplicate: {TYPED}, added by hand on proforma {draft.number}, may be the time entry "
        f"{entry.pk} of 10 Mar 2025, which is approved and in the backlog."
    )


def test_a_later_draft_with_the_entry_gets_a_warning_too(it):
    """APP-10: the hours added by hand are confirmed; the entry's share is on the next draft."""
    first = draft_of_other_work(it)
    typed(it, first)
    confirm(first, by=it.manager, on=END)
    ready(it, factories.time_entry(it, "8", date=DAY))
    (second,) = create_proformas([it.contract], cutoff=END, on=END, by=it.manager)
    (found,) = maybe_twice([second])[second.pk]
    assert (found.typed.proforma, found.billed_on) == (first.number, second.number)


@pytest.mark.parametrize(
    "other",
    [
        {"date": DAY + timedelta(days=1)},
        {"resource": "manager_resource"},
        {"task": "other"},
        {"billing_type": "complimentary"},
    ],
)
def test_different_work_gets_no_warning(it, other):
    """APP-10: another day, person or task, or work that is not charged."""
    if "resource" in other:
        other = {"resource": it.manager_resource}
    if "task" in other:
        other = {"task": factories.TaskFactory(project=it.project, code="OTHER")}
    draft = draft_of_other_work(it)
    typed(it, draft, **other)
    entry = factories.time_entry(it, "8", date=DAY)
    assert preview([entry], by=it.manager)[entry.pk].approval_warnings == []
    assert approve([entry], by=it.manager).warnings == []
    assert maybe_twice([draft]) == {}


def test_a_detail_without_a_person_matches_any_person(it):
    """APP-10"""
    draft = draft_of_other_work(it)
    typed(it, draft, resource=None, task=None)
    entry = factories.time_entry(it, "8", date=DAY)
    (warning,) = preview([entry], by=it.manager)[entry.pk].approval_warnings
    assert warning.startswith("Possible duplicate: 10 h on 10 Mar 2025 was added by hand to")


def test_deleted_and_returned_details_are_not_duplicates(it):
    """APP-10: a deleted draft has no details; of a returned one only the new draft counts."""
    draft = draft_of_other_work(it)
    typed(it, draft)
    entry = factories.time_entry(it, "8", date=DAY)
    confirm(draft, by=it.manager, on=END)
    again = return_proforma(draft, by=it.manager, on=END)
    (warning,) = preview([entry], by=it.manager)[entry.pk].approval_warnings
    assert f"was added by hand to proforma {again.number}" in warning
    delete_draft(again, by=it.manager)
    assert preview([entry], by=it.manager)[entry.pk].approval_warnings == []


def test_approving_as_non_chargeable_gets_no_warning(it):
    """APP-10: nor if the draft's detail is not charged."""
    draft = draft_of_other_work(it)
    detail = typed(it, draft)
    edit_details([detail], by=it.manager, billing_type="non_chargeable")
    assert approve([factories.time_entry(it, "8", date=DAY)], by=it.manager).warnings == []


def test_pages_and_the_command_show_the_warning(it, client, capsys):
    """APP-10: approval, its list, the draft, the list of proformas, and confirming from the command line."""
    draft = draft_of_other_work(it)
    typed(it, draft)
    entry = factories.time_entry(it, "8", date=DAY)
    client.force_login(it.manager)
    for url in (reverse("approval", args=[entry.pk]), reverse("approvals")):
        assert "Possible duplicate: 10 h of Anna" in client.get(url).text
    response = client.post(reverse("approve_entries"), as_listed([entry], by=it.manager), follow=True)
    assert "Possible duplicate: 10 h of Anna" in response.text
    page = client.get(draft.get_absolute_url()).text
    assert page.count("Possible duplicate: 10 h of Anna") == 2  # above the lines, and in the question
    assert "Possible duplicate" in client.get(reverse("proformas")).text
    call_command("confirm_proformas", entity=it.entity.code, number=[draft.number], json=True)
    answer = json.loads(capsys.readouterr().out)
    (warning,) = answer["warnings"][draft.number]
    assert warning["code"] == "MAYBE-IN-BACKLOG"
    assert warning["message"].startswith("Possible duplicate: 10 h of Anna")


def test_many_drafts_take_as_many_queries_as_one(it, client):
    """APP-10"""
    draft = draft_of_other_work(it)
    entries = [factories.time_entry(it, "1", date=DAY) for _ in range(6)]
    typed(it, draft)
    with CaptureQueriesContext(connection) as one:
        preview(entries[:1], by=it.manager)
    with CaptureQueriesContext(connection) as many:
        preview(entries, by=it.manager)
    assert len(many) == len(one)
    approve(entries, by=it.manager)
    with CaptureQueriesContext(connection) as queries:
        assert len(maybe_twice([draft])[draft.pk]) == 6
    assert len(queries) == 3
