"""Entries before approval: submitted and recalled."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actuals.models import Entry
from actuals.operations import enter, recall, submit
from contracts.models import Project
from invoicing_site.floor import formatting
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories, locks
from tests.threads import ended

Status = Entry.Status


@pytest.fixture
def co(db):
    return factories.company(books=False)


def refused(code, call, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)
    assert refusal.value.code == code
    return str(refusal.value)


def statuses():
    return list(Entry.objects.order_by("pk").values_list("status", flat=True))


def test_drafts_are_submitted_and_recalled_by_their_owner(co):
    """APP-1"""
    entries = [factories.time_entry(co, status="draft") for _ in range(2)]

    submitted = submit(entries, by=co.member)

    assert [entry.status for entry in submitted] == ["submitted", "submitted"]
    assert statuses() == ["submitted", "submitted"]
    entry = Entry.objects.first()
    assert entry.submitted_by == co.member
    assert entry.submitted_at is not None

    recall(entries, by=co.member)

    entry.refresh_from_db()
    assert statuses() == ["draft", "draft"]
    assert (entry.submitted_by, entry.submitted_at) == (None, None)


def test_each_step_is_one_audit_event(co):
    """SEC-3"""
    first, second = (factories.time_entry(co, status="draft") for _ in range(2))

    submit([first, second], by=co.member)
    recall([first], by=co.member)

    events = AuditEvent.objects.order_by("pk")
    assert [(event.action, event.by, event.entity) for event in events] == [
        ("actuals.submit", co.member, "NO1"),
        ("actuals.recall", co.member, "NO1"),
    ]
    assert events[0].detail == {"entries": [first.pk, second.pk]}
    assert (events[1].subject_type, events[1].subject_id) == ("actuals.entry", str(first.pk))


def test_a_rejected_entry_is_submitted_again(co):
    """APP-1"""
    entry = factories.time_entry(
        co, status="rejected", decided_by=co.manager, decision_comment="Which customer?"
    )

    submit([entry], by=co.member)

    entry.refresh_from_db()
    assert entry.status == "submitted"
    assert (entry.decided_by, entry.decided_at, entry.decision_comment) == (None, None, "")


@pytest.mark.parametrize(("hours", "is_room"), [("4", True), ("4.0001", False)])
def test_rejected_hours_are_submitted_again_if_their_day_has_room(co, hours, is_room):
    """APP-10: the day has 20 h; 4 h make 24, and 4.0001 h are too many."""
    again = factories.time_entry(co, hours, status="rejected")
    factories.time_entry(co, "20")

    if is_room:
        submit([again], by=co.member)
    else:
        message = refused("LONG-DAY", submit, [again], by=co.member)
        assert message == "10 Mar 2025 would have 24.0001 hours, and a day has 24. Enter fewer hours."

    assert statuses() == ["submitted" if is_room else "rejected", "submitted"]


def test_drafts_over_24_hours_a_day_are_not_submitted(co):
    """APP-10: regardless of how they were entered."""
    drafts = [factories.time_entry(co, hours, status="draft") for hours in ("12", "12.5")]
    message = refused("LONG-DAY", submit, drafts, by=co.member)
    assert message == "10 Mar 2025 would have 24.5 hours, and a day has 24. Enter fewer hours."
    assert "24.5 hours" in refused("LONG-DAY", submit, drafts[:1], by=co.member)
    assert statuses() == ["draft", "draft"]


def test_two_rejected_rows_count_together(co):
    """APP-10: 12 h and 13 h of one day."""
    again = [factories.time_entry(co, hours, status="rejected") for hours in ("12", "13")]
    assert "25 hours" in refused("LONG-DAY", submit, again, by=co.member)


@pytest.mark.parametrize(("hours", "is_room"), [("4", True), ("4.0001", False)])
def test_an_entry_fills_its_day_to_exactly_24_hours(co, hours, is_room):
    """APP-10: 20 h, and 15 rejected hours that do not count."""
    factories.time_entry(co, "20")
    factories.time_entry(co, "15", status="rejected")
    fields = {"date": date(2025, 3, 10), "project": co.project, "quantity": Decimal(hours)}

    if is_room:
        enter(co.resource, "time", by=co.member, **fields)
    else:
        refused("LONG-DAY", enter, co.resource, "time", by=co.member, **fields)

    assert Entry.objects.count() == (3 if is_room else 2)


@pytest.mark.parametrize("status", ["submitted", "approved", "recall"])
def test_only_drafts_and_rejected_entries_are_submitted(co, status):
    """APP-1"""
    draft = factories.time_entry(co, status="draft")
    other = factories.time_entry(co, status=status)

    message = refused("NOT-ALLOWED-NOW", submit, [draft, other], by=co.member)

    assert message == (
        f"Anna's {formatting.quantity(other.quantity)} h of 10 Mar 2025 is {other.get_status_display()} "
        "and can't be submitted. Statuses that allow this: draft and rejected."
    )
    assert statuses() == ["draft", status]


@pytest.mark.parametrize("status", ["draft", "approved", "rejected", "recall"])
def test_only_submitted_entries_are_recalled(co, status):
    """APP-1"""
    entry = factories.time_entry(co, status=status)

    refused("NOT-ALLOWED-NOW", recall, [entry], by=co.member)

    assert statuses() == [status]


def test_an_entry_that_was_approved_meanwhile_is_not_recalled(co):
    """APP-1: the entry is read again under its lock."""
    entry = factories.time_entry(co)
    Entry.objects.update(status="approved", decided_at="2025-03-11T08:00:00Z")

    refused("NOT-ALLOWED-NOW", recall, [entry], by=co.member)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_recall_during_an_approval_waits_and_is_refused():
    """APP-1"""
    co = factories.company(books=False)
    entry = factories.time_entry(co)
    is_approving, outcomes = threading.Event(), []

    def recalling():
        try:
            assert is_approving.wait(20)
            recall([entry], by=co.member)
            outcomes.append("recalled")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    thread = threading.Thread(target=recalling)
    thread.start()
    with transaction.atomic():
        list(Entry.objects.locked().filter(pk=entry.pk))
        is_approving.set()
        thread.join(1)
        assert thread.is_alive()
        Entry.objects.update(status="approved", decided_at=timezone.now())
    ended(thread)

    assert outcomes == ["NOT-ALLOWED-NOW"]
    assert statuses() == ["approved"]


def test_nobody_recalls_entries_of_others(co):
    """APP-1"""
    entry = factories.time_entry(co)

    for other in (co.manager, co.accountant, factories.UserFactory()):
        refused("NOT-YOURS-TO-RECALL", recall, [entry], by=other)

    assert statuses() == ["submitted"]


def test_the_user_who_created_an_entry_owns_it_too(co):
    """APP-1"""
    without_login = factories.ResourceFactory(entity=co.entity, role=co.role)
    entry = factories.time_entry(co, resource=without_login, created_by=co.accountant)

    recall([entry], by=co.accountant)

    assert statuses() == ["draft"]


@pytest.mark.parametrize(
    ("person", "may"), [("manager", True), ("accountant", True), ("auditor", False), ("administrator", False)]
)
def test_managers_of_the_project_and_accountants_submit_for_others(co, person, may):
    """APP-1, SEC-1"""
    entry = factories.time_entry(co, status="draft")
    by = getattr(co, person)

    if may:
        submit([entry], by=by)
    else:
        refused("NOT-YOURS-TO-SUBMIT", submit, [entry], by=by)

    assert statuses() == ["submitted" if may else "draft"]


def test_a_manager_of_another_project_cannot_submit(co):
    """SEC-1"""
    entry = factories.time_entry(co, status="draft")
    other = factories.UserFactory()
    factories.ProjectFactory(entity=co.entity).managers.add(other)

    refused("NOT-YOURS-TO-SUBMIT", submit, [entry], by=other)


def test_an_accountant_of_another_company_cannot_submit(co):
    """SEC-1"""
    entry = factories.time_entry(co, status="draft")
    elsewhere = factories.company("SE1", "SEK", books=False)

    refused("NOT-YOURS-TO-SUBMIT", submit, [entry], by=elsewhere.accountant)


def test_the_system_submits_and_recalls(co):
    entry = factories.time_entry(co, status="draft")

    submit([entry], by=None)
    recall([entry], by=None)

    assert statuses() == ["draft"]


def test_nothing_is_submitted_on_a_closed_project(co):
    entry = factories.time_entry(co, status="draft")
    co.project.is_open = False
    co.project.save()

    message = refused("SUBMIT-PROJECT-CLOSED", submit, [entry], by=co.member)

    assert "project NO1-P1 Bridge is closed for entries" in message
    assert statuses() == ["draft"]


def test_a_resource_of_another_company_is_refused(co):
    elsewhere = factories.company("SE1", "SEK", books=False)
    entry = factories.time_entry(co, status="draft", resource=elsewhere.resource, role=None)

    message = refused("SUBMIT-OTHER-ENTITY", submit, [entry], by=co.member)

    assert "belongs to another legal entity" in message


def test_entries_of_one_company_at_a_time(co):
    elsewhere = factories.company("SE1", "SEK", books=False)
    entries = [factories.time_entry(it, status="draft") for it in (co, elsewhere)]

    refused("ENTRIES-SEVERAL-ENTITIES", submit, entries, by=None)


def test_a_deleted_entry_is_refused(co):
    entry = factories.time_entry(co, status="draft")
    Entry.objects.all().delete()

    refused("ENTRY-GONE", submit, [entry], by=co.member)


def test_submitting_no_entries_records_no_event(co):
    assert submit([], by=co.member) == []
    assert recall(Entry.objects.none(), by=co.member) == []
    assert not AuditEvent.objects.exists()


def test_a_hundred_entries_cost_as_many_queries_as_one(co):
    for n in range(101):
        factories.time_entry(co, status="draft", date=date(2025, 1, 1) + timedelta(days=n))
    one, *hundred = Entry.objects.all()

    with CaptureQueriesContext(connection) as for_one:
        submit([one], by=co.member)
    with CaptureQueriesContext(connection) as for_many:
        submit(hundred, by=co.member)

    assert len(for_many) == len(for_one) < 11


def test_submitting_locks_the_projects_of_the_entries(co, monkeypatch):
    """APP-1: on every database a shared lock of the projects is requested before the entries are locked."""
    entry = factories.time_entry(co, status="draft")
    asked = locks.asked(monkeypatch)
    submit([entry], by=co.member)
    assert asked.index("Project held") < asked.index("Entry locked")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_project_that_is_being_closed_accepts_no_entry():
    """APP-1: a submission waits for the closing of the project and is refused."""
    co = factories.company(books=False)
    entry = factories.time_entry(co, status="draft")
    is_closing, outcomes = threading.Event(), []

    def submitting():
        try:
            assert is_closing.wait(20)
            submit([entry], by=co.member)
            outcomes.append("submitted")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    thread = threading.Thread(target=submitting)
    thread.start()
    with transaction.atomic():
        Project.objects.filter(pk=co.project.pk).update(is_open=False)
        is_closing.set()
        thread.join(1)
        assert thread.is_alive(), "It did not wait for the project."
    ended(thread)

    assert outcomes == ["SUBMIT-PROJECT-CLOSED"]
    assert statuses() == ["draft"]
