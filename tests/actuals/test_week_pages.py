"""The week grid: entered, saved as a whole, submitted, copied; no input and no change by others is lost."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from actuals import weeks
from actuals.models import Entry
from actuals.operations import save_week
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories
from tests.threads import ended

MONDAY = date(2026, 3, 2)
URL = "/time/2026-03-02/"


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.fixture
def member(co, client):
    client.force_login(co.member)
    return client


def key(co, **other):
    parts = {
        "project": co.project.pk,
        "task": co.task.pk,
        "role": co.role.pk,
        "category": co.time.pk,
        **other,
    }
    return str(weeks.RowKey(**parts))


def posted(key, hours=(), bases=(), action="save", **fields):
    data = {
        "row": [key],
        "action": action,
        f"d-{key}": fields.pop("words", ""),
        f"o-{key}": fields.pop("was", ""),
    }
    for n in range(7):
        data[f"h-{key}-{n}"] = dict(enumerate(hours)).get(n, "")
        data[f"b-{key}-{n}"] = dict(enumerate(bases)).get(n, "")
    return data | fields


def stored():
    return list(Entry.objects.order_by("date").values_list("date", "quantity", "status"))


def draft(co, hours="4", day=MONDAY, **fields):
    return factories.time_entry(co, hours, date=day, status="draft", **fields)


def test_only_members_have_a_week(co, client):
    """SEC-1"""
    for person, status in ((co.member, 200), (co.manager, 403), (co.accountant, 403), (co.auditor, 403)):
        client.force_login(person)
        assert client.get(URL).status_code == status
        assert client.post(URL, {}).status_code == (302 if status == 200 else 403)


def test_any_day_leads_to_its_week_and_other_texts_are_not_found(member):
    assert member.get("/time/?day=2026-03-05").url == URL
    assert "Week 10, 2 Mar 2026 to 8 Mar 2026" in member.get("/time/2026-03-08/").text
    assert member.get("/time/2026-02-31/").status_code == 404


def test_a_user_without_a_resource_gets_a_message(co, member):
    co.resource.user = None
    co.resource.save()
    assert "You have no timesheet in" in member.get(URL).text
    assert member.post(URL, posted(key(co), ["8"])).status_code == 200
    assert stored() == []


def test_hours_can_be_typed_in_usual_formats(co, member):
    """APP-1"""
    response = member.post(URL, posted(key(co), ["7,5", "7.5", "7:30", "1,250"], words="Drawings"))

    assert response.url == URL
    assert stored() == [
        (date(2026, 3, 2), Decimal("7.5"), "draft"),
        (date(2026, 3, 3), Decimal("7.5"), "draft"),
        (date(2026, 3, 4), Decimal("7.5"), "draft"),
        (date(2026, 3, 5), Decimal("1.25"), "draft"),
    ]
    entry = Entry.objects.first()
    assert (entry.created_by, entry.resource, entry.description) == (co.member, co.resource, "Drawings")
    assert (entry.task, entry.role, entry.category, entry.unit) == (co.task, co.role, co.time, "h")
    assert AuditEvent.objects.filter(action="actuals.save_week").count() == 1


def test_cells_can_be_changed_and_emptied(co, member):
    one, two = draft(co, "4"), draft(co, "3", date(2026, 3, 3))
    bases = [weeks.base_of([one]), weeks.base_of([two])]

    member.post(URL, posted(key(co), ["5", ""], bases))

    assert stored() == [(MONDAY, Decimal(5), "draft")]
    event = AuditEvent.objects.get(action="actuals.save_week")
    assert event.detail["changed"][0]["before"][0] == "4"
    assert event.detail["deleted"][0]["hours"] == "3"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("25", "A day has 24 hours."),
        ("-2", "Hours can&#x27;t be negative"),
        ("eight", "is not a number of hours"),
        ("24.0001", "A day has 24 hours."),
        ("0.00001", "This is less than 0.0001 hours"),
    ],
)
def test_invalid_hours_stay_with_the_reason_next_to_them(co, member, typed, reason):
    response = member.post(URL, posted(key(co), ["8", typed]))

    assert response.status_code == 200
    assert stored() == []
    assert f'value="{typed}"' in response.text
    assert 'value="8"' in response.text
    assert reason in response.text


def test_a_day_has_at_most_24_hours_over_all_rows(co, member):
    draft(co, "20", task=None)
    response = member.post(URL, posted(key(co), ["5"]))
    assert "2 Mar 2026 would have 25 hours" in response.text
    assert len(stored()) == 1


def test_a_tiny_number_over_existing_hours_is_refused_and_deletes_nothing(co, member):
    """APP-10"""
    entry = draft(co, "24")
    response = member.post(URL, posted(key(co), ["0.00001"], [weeks.base_of([entry])]))
    assert "This is less than 0.0001 hours. Empty the cell to remove its hours." in response.text
    assert stored() == [(MONDAY, Decimal(24), "draft")]


@pytest.mark.parametrize(("hours", "is_kept"), [("4", True), ("4.0001", False)])
def test_a_day_has_exactly_24_hours(co, member, hours, is_kept):
    """APP-10: 20 h and 4 h fill it; 4.0001 h are too many."""
    draft(co, "20", task=None)
    member.post(URL, posted(key(co), [hours]))
    assert len(stored()) == (2 if is_kept else 1)


def test_rejected_hours_leave_room_for_other_hours(co, member):
    """APP-10: 20 h were rejected; 8 h are saved on the same day, and nothing has to be deleted before."""
    factories.time_entry(co, "20", date=MONDAY, task=None, status="rejected")
    response = member.post(URL, posted(key(co), ["8"]))
    assert response.status_code == 302
    assert sorted(hours for _, hours, _ in stored()) == [8, 20]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("/time/0026-01-05/", "5 Jan 0026 is out of range"),
        ("/time/9999-12-27/", "27 Dec 9999 is out of range"),
        ("/time/?day=0026-01-05", "5 Jan 0026 is out of range"),
        ("/time/1989-12-25/", "25 Dec 1989 is out of range"),
        ("/time/?day=tomorrow", "This is not a valid date"),
    ],
)
def test_a_week_out_of_range_redirects_to_this_week_with_the_reason(co, member, url, why):
    """APP-10"""
    page = member.get(url, follow=True)
    assert page.redirect_chain == [("/time/", 302)]
    assert why in page.text
    assert "This is the current week." in page.text
    assert page.context["monday"] == weeks.monday_of(co.entity.today())


def test_rejected_hours_do_not_count_in_totals(co, member):
    """APP-10: of 4 h rejected and 3 h in draft on Monday, 3 h count, as in the check of 24 hours."""
    draft(co, "3")
    factories.time_entry(co, "4", date=MONDAY, status="rejected", task=None)
    factories.time_entry(co, "2", date=MONDAY + timedelta(days=1), status="rejected", task=None)
    page = member.get(URL)
    assert [str(hours) for _, hours in page.context["day_totals"]][:2] == ["3.0000", "0"]
    assert page.context["week_total"] == Decimal(3)
    assert [row.counted for row in page.context["rows"]] == [Decimal(0), Decimal(3)]
    assert page.text.count(" data-rejected") == 2


def test_hours_more_than_a_year_ahead_are_refused_at_their_cell(co, member):
    """APP-10"""
    monday = weeks.monday_of(co.entity.today() + timedelta(days=380))
    response = member.post(f"/time/{monday}/", posted(key(co), ["8"]))
    assert response.status_code == 200
    assert "is out of range. Choose a day between 1 Jan 1990 and" in response.text
    assert stored() == []


@pytest.mark.parametrize("action", ["save", "submit"])
def test_days_outside_the_project_are_accepted_with_one_warning(co, member, action):
    """APP-10"""
    co.project.ends = MONDAY
    co.project.save()
    response = member.post(URL, posted(key(co), ["8", "8", "8"], action=action), follow=True)
    assert "2 entries are dated outside of project NO1-P1" in response.text
    assert "(the first of 3 Mar 2026). Is that right?" in response.text
    assert len(stored()) == 3


def test_closed_projects_and_rows_of_others_are_refused(co, member):
    """SEC-1: keys in a form must belong to records that the resource may use."""
    other = factories.company("SE1", "SEK", books=False)
    foreign = {
        "project": key(co, project=other.project.pk, task=None),
        "task": key(co, task=other.task.pk),
        "role": key(co, role=other.role.pk),
        "category": key(co, category=other.time.pk),
    }
    for row in foreign.values():
        assert member.post(URL, posted(row, ["8"])).status_code == 200
    co.project.is_open = False
    co.project.save()
    assert "is closed for entries" in member.post(URL, posted(key(co), ["8"])).text
    assert stored() == []


def test_another_users_change_is_not_lost(co, member):
    entry = draft(co, "4")
    seen = weeks.base_of([entry])
    Entry.objects.filter(pk=entry.pk).update(quantity=6)

    response = member.post(URL, posted(key(co), ["5"], [seen]))

    assert "Another person changed this cell: it has 6 hours" in response.text
    assert 'value="5"' in response.text
    assert stored() == [(MONDAY, Decimal(6), "draft")]

    # The page shows the change now, so saving again overwrites it knowingly.
    entry.refresh_from_db()
    member.post(URL, posted(key(co), ["5"], [weeks.base_of([entry])]))
    assert stored() == [(MONDAY, Decimal(5), "draft")]


@pytest.mark.parametrize("base", [":", "1:xx:yy", "1:NaN:0", "1:sNaN:0", "1:1e5:0", "x:٣:", "several", "\0"])
def test_a_cell_with_another_base_overwrites_nothing(co, member, base):
    """APP-1: the cell has 4 h; 5 h with another base value are refused at their cell."""
    draft(co, "4")

    response = member.post(URL, posted(key(co), ["5"], [base]))

    assert "Another person changed this cell: it has 4 hours" in response.text
    assert member.post(URL, posted(key(co), ["4", "1"], [base, base])).status_code in (200, 302)
    assert stored()[0] == (MONDAY, Decimal(4), "draft")


def test_an_unchanged_cell_keeps_another_users_change(co, member):
    entry = draft(co, "4")
    seen = weeks.base_of([entry])
    Entry.objects.filter(pk=entry.pk).update(quantity=6)
    member.post(URL, posted(key(co), ["4", "1"], [seen]))
    assert stored() == [(MONDAY, Decimal(6), "draft"), (date(2026, 3, 3), Decimal(1), "draft")]


def test_submitted_and_multiple_entries_are_locked_and_link_to_their_pages(co, member):
    submitted = factories.time_entry(co, "2", date=MONDAY)
    for _ in range(2):
        draft(co, "1.5", date(2026, 3, 3))
    page = member.get(URL).text
    assert f'href="/entries/{submitted.pk}/"' in page
    assert "Submitted" in page
    assert "2 entries" in page

    response = member.post(URL, posted(key(co), ["9", "9"]))
    assert response.text.count("Another person changed this cell") == 2
    assert sum(each[1] for each in stored()) == 5


@pytest.mark.parametrize("status", ["submitted", "approved", "recall"])
def test_hours_that_were_submitted_meanwhile_do_not_change(co, member, status):
    """APP-1: even if they still have the value that the user saw."""
    entry = draft(co)
    base = weeks.base_of([entry])
    Entry.objects.filter(pk=entry.pk).update(
        status=status, decided_at=timezone.now(), priced_company=co.entity
    )

    for typed in ("9", ""):
        assert (
            "Another person changed this cell: it has 4 hours"
            in member.post(URL, posted(key(co), [typed], [base])).text
        )
        assert stored() == [(MONDAY, Decimal(4), status)]


def test_a_rejected_cell_shows_its_reason_and_is_corrected_and_submitted(co, member):
    entry = factories.time_entry(
        co, "4", date=MONDAY, status="rejected", decided_by=co.manager, decision_comment="On which task?"
    )
    assert "On which task?" in member.get(URL).text
    member.post(URL, posted(key(co), ["3"], [weeks.base_of([entry])], action="submit"))
    assert stored() == [(MONDAY, Decimal(3), "submitted")]


def test_an_unchanged_rejected_cell_is_not_submitted_and_is_named(co, member):
    """APP-1"""
    entry = factories.time_entry(
        co, "4", date=MONDAY, status="rejected", decided_by=co.manager, decision_comment="On which task?"
    )
    assert "Rejected hours are submitted with the week after you change them" in member.get(URL).text

    bases = [weeks.base_of([entry])]
    page = member.post(URL, posted(key(co), ["4", "3"], bases, action="submit"), follow=True).text

    assert [each[1:] for each in stored()] == [(Decimal(4), "rejected"), (Decimal(3), "submitted")]
    assert "1 entry with 3 h submitted for approval." in page
    assert "1 entry was left out, rejected and not changed since:" in page
    assert f'<a href="/entries/{entry.pk}/">NO1-P1 · Design · 2 Mar 2026 · 4 h</a>' in page
    assert "Change it here and submit the week again, or open it and submit it unchanged." in page


def test_a_changed_rejected_cell_is_submitted_with_the_week(co, member):
    """APP-1"""
    hours = factories.time_entry(co, "4", date=MONDAY, status="rejected")
    words = factories.time_entry(co, "2", date=date(2026, 3, 3), status="rejected")
    row = posted(key(co), ["5", "2"], [weeks.base_of([hours]), weeks.base_of([words])])
    member.post(URL, row)
    assert [each[2] for each in stored()] == ["draft", "rejected"]

    page = member.get(URL)
    member.post(URL, posted(key(co), ["5", "2"], bases_on(page), words="Piers", action="submit"))
    assert [each[2] for each in stored()] == ["submitted", "submitted"]


def bases_on(page):
    return [cell.base for cell in page.context["rows"][0].cells]


def test_a_rejected_entry_among_several_in_a_cell_is_shown_and_not_submitted(co, member):
    factories.time_entry(co, "4", date=MONDAY, status="rejected", decision_comment="Twice?")
    draft(co, "1")
    page = member.get(URL).text
    assert "Twice?" in page
    member.post(URL, {"action": "submit"})
    assert sorted(each[2] for each in stored()) == ["rejected", "submitted"]


def test_submitting_saves_and_submits_or_does_neither(co, member):
    """APP-1"""
    member.post(URL, posted(key(co), ["8", "7"], action="submit"))
    assert [each[2] for each in stored()] == ["submitted", "submitted"]

    entry = draft(
        co, "1", date(2026, 3, 9), project=factories.ProjectFactory(entity=co.entity, is_open=False)
    )
    response = member.post("/time/2026-03-09/", posted(key(co), ["8"], action="submit"))
    assert "is closed for entries" in response.text
    entry.refresh_from_db()
    assert (entry.status, Entry.objects.filter(date=date(2026, 3, 9)).count()) == ("draft", 1)


def test_a_rows_description_is_used_for_all_entries_that_can_change(co, member):
    one, two = draft(co, "4", description="a"), draft(co, "3", date(2026, 3, 3), description="b")
    sent = factories.time_entry(co, "2", date=date(2026, 3, 4), description="c")
    page = member.get(URL).text
    assert "Differs by day" in page

    bases = [weeks.base_of([one]), weeks.base_of([two])]
    member.post(URL, posted(key(co), ["4", "3"], bases))
    assert set(Entry.objects.values_list("description", flat=True)) == {"a", "b", "c"}

    member.post(URL, posted(key(co), ["4", "3"], bases, words="Both"))
    assert list(Entry.objects.order_by("pk").values_list("description", flat=True)) == ["Both", "Both", "c"]
    assert sent.description == "c"


def test_last_week_is_copied_into_empty_cells_only(co, member):
    draft(co, "4", MONDAY - timedelta(days=7))
    draft(co, "5", MONDAY - timedelta(days=6))
    there = draft(co, "1")

    rows = member.post(URL, {"action": "copy"})
    assert f'name="h-{key(co)}-1" value=""' in rows.text
    assert len(stored()) == 3

    copy = posted(key(co), ["1"], [weeks.base_of([there])], action="copy_hours")
    assert "5 h of last week copied, as drafts." in member.post(URL, copy, follow=True).text
    assert [each[1] for each in stored()] == [Decimal(4), Decimal(5), Decimal(1), Decimal(5)]
    assert stored()[-1][0] == date(2026, 3, 3)


def test_descriptions_are_copied_with_the_hours_in_any_status(co, member):
    """Submitted, approved or draft, with a different text each day: each day's text is copied."""
    monday, words = MONDAY - timedelta(days=7), ("Grid work", "Grid work tested", "Report")
    for n, (status, text) in enumerate(zip(("submitted", "approved", "draft"), words, strict=True)):
        stamps = {"decided_at": datetime(2026, 3, 1, 12, tzinfo=UTC)} if status == "approved" else {}
        day = monday + timedelta(days=n)
        factories.time_entry(co, "5", date=day, status=status, description=text, **stamps)
    factories.time_entry(co, "2", date=monday, task=None, description="Meeting")

    page = member.post(URL, {"action": "copy"}).text
    assert f'name="d-{key(co, task=None)}" value="Meeting"' in page

    member.post(URL, {"action": "copy_hours"})
    new = Entry.objects.filter(date__gte=MONDAY).order_by("date", "-task")
    assert [*new.filter(task=co.task).values_list("description", flat=True)] == list(words)
    assert new.get(task=None).description == "Meeting"
    assert {entry.status for entry in new} == {"draft"}


def test_a_submitted_row_shows_its_description_without_an_input(co, member):
    factories.time_entry(co, "4", date=MONDAY, description="Grid work tested")
    page = member.get(URL).text
    assert '<div class="said">Grid work tested</div>' in page
    assert 'class="words"' not in page

    member.post(URL, posted(key(co), ["", "3"], words="Grid work tested", was="Grid work tested"))
    assert set(Entry.objects.values_list("status", "description")) == {
        ("submitted", "Grid work tested"),
        ("draft", "Grid work tested"),
    }


@pytest.mark.parametrize("action", ["save", "submit"])
def test_a_description_for_a_submitted_row_is_not_lost(co, member, action):
    """The page was rendered before: the answer names the row and keeps the text."""
    factories.time_entry(co, "4", date=MONDAY, description="Old")
    response = member.post(URL, posted(key(co), words="New words", was="Old", action=action))

    assert response.status_code == 200
    assert "Nothing was saved" in response.text
    assert "The description was not saved, because this row is submitted and keeps its own." in response.text
    assert f'<input class="words" name="d-{key(co)}" value="New words"' in response.text
    assert Entry.objects.get().description == "Old"


def test_a_day_with_several_drafts_does_not_lose_a_description(co, member):
    for _ in range(2):
        draft(co, "1.5")
    response = member.post(URL, posted(key(co), words="New words"))
    assert "a day has several entries. Open each entry to describe it." in response.text
    assert 'value="New words"' in response.text


def test_in_a_row_of_drafts_and_submitted_entries_the_description_is_for_the_drafts(co, member):
    factories.time_entry(co, "4", date=MONDAY, description="Submitted")
    mine = draft(co, "3", date(2026, 3, 3), description="Mine")
    page = member.get(URL).text
    assert f'<input class="words" name="d-{key(co)}" value="Mine"' in page
    assert "For the drafts only. Entries that can't be changed here have the description “Submitted”" in page

    row = posted(key(co), ["", "3"], ["", weeks.base_of([mine])], words="New", was="Mine")
    del row[f"h-{key(co)}-0"]
    page = member.post(URL, row, follow=True).text
    assert "The new description of NO1-P1 was saved on its drafts; 1 entry that can&#x27;t be changed" in page
    assert list(Entry.objects.order_by("date").values_list("description", flat=True)) == ["Submitted", "New"]


def test_a_row_is_added_without_losing_input(co, member):
    other = factories.ProjectFactory(entity=co.entity, code="NO1-P2")
    data = posted(
        key(co), ["6"], action="add", add_project=other.pk, task="", add_role="", add_category=co.time.pk
    )
    page = member.post(URL, data).text
    assert 'value="6"' in page
    assert f'value="{key(co, project=other.pk, task=None, role=None)}"' in page
    assert stored() == []

    closed = factories.ProjectFactory(entity=co.entity, is_open=False)
    assert "Choose a project that is open" in member.post(URL, data | {"add_project": closed.pk}).text
    assert "does not belong to NO1-P2" in member.post(URL, data | {"task": co.task.pk}).text


def test_a_row_without_hours_is_kept_until_the_week_is_submitted(co, member):
    other = key(co, task=None)
    data = posted(key(co), ["6"]) | posted(other, words="Later")
    member.post(URL, data | {"row": [key(co), other]})
    page = member.get(URL).text
    assert f'name="row" value="{other}"' in page
    assert 'value="Later"' in page
    assert f'value="{other}"' not in member.get("/time/2026-03-09/").text
    member.post(URL, {"action": "submit"})
    assert f'value="{other}"' not in member.get(URL).text


def test_tasks_are_those_of_open_projects_of_the_company(co, member):
    other = factories.company("SE1", "SEK", books=False)
    assert "Design" in member.get(reverse("project_tasks"), {"add_project": co.project.pk}).text
    assert "Design" not in member.get(reverse("project_tasks"), {"project": other.project.pk}).text


def test_nobody_saves_the_week_of_another_user(co):
    """SEC-1"""
    row = weeks.TypedRow(
        weeks.RowKey(co.project.pk, None, None, co.time.pk), {MONDAY: weeks.Typed.read("8", "")}
    )
    with pytest.raises(Refused) as refusal:
        save_week(co.resource, MONDAY, [row], by=co.manager)
    assert refusal.value.code == "OTHER-PERSON"


def test_as_many_queries_for_many_rows_as_for_few(co, member):
    draft(co)
    member.get(URL)
    with CaptureQueriesContext(
        connection,
    ) as few:
        member.get(URL)
    for n in range(6):
        project = factories.ProjectFactory(entity=co.entity)
        draft(co, "1", project=project, task=factories.TaskFactory(project=project, code=f"T{n}"))
    with CaptureQueriesContext(connection) as many:
        member.get(URL)
    assert len(many) == len(few)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_users_cannot_fill_one_cell_at_the_same_time():
    """The second one is refused, because the cell has changed."""
    co = factories.company(books=False)
    row_key = weeks.RowKey(co.project.pk, None, None, co.time.pk)
    start, outcomes = threading.Barrier(2), []

    def fill(hours):
        row = weeks.TypedRow(row_key, {MONDAY: weeks.Typed.read(hours, "")})
        start.wait()
        try:
            save_week(co.resource, MONDAY, [row], by=co.member)
            outcomes.append("saved")
        except weeks.NotSaved as refusal:
            outcomes.append(next(iter(refusal.problems.values())).code)
        finally:
            connection.close()

    threads = [threading.Thread(target=fill, args=(hours,)) for hours in ("4", "5")]
    for thread in threads:
        thread.start()
    ended(*threads)
    assert sorted(outcomes) == ["WEEK-HOURS-CHANGED", "saved"]
    assert Entry.objects.count() == 1
