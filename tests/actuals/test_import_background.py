"""A large file is imported by a worker: completely or not at all, once, and its page shows the progress."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from redis.exceptions import TimeoutError as RedisTimeout

from actuals.importing import Mapping, planning
from actuals.models import Entry, EntryImport
from actuals.operations import imports
from actuals.views import imports as pages
from contracts.models import Membership, Task
from invoicing_site.floor import files, jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Label, Reason
from invoicing_site.models import AuditEvent, Job, Notice
from tests import factories
from tests.actuals.test_import_pages import OURS, preview, send
from tests.background import do_jobs, make_late
from tests.threads import ended


@pytest.fixture(autouse=True)
def _data(settings, tmp_path, monkeypatch):
    settings.DATA = tmp_path
    monkeypatch.setattr(pages, "AT_ONCE", 1)


@pytest.fixture
def unreachable(monkeypatch):
    """The cache answers nothing any more; returns the list of calls."""
    asked_for = []

    def silent(*args, **kwargs):
        asked_for.append(args)
        raise RedisTimeout("Timeout reading from socket")

    for verb in ("get", "set", "delete"):
        monkeypatch.setattr(cache, verb, silent)
    return asked_for


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.fixture
def manager(co, client):
    client.force_login(co.manager)
    return client


def asked(co, content=OURS, *, submit=False, by=None, mapping=None):
    stored = files.store(content.encode(), name="march.csv", media_type="text/csv")
    return imports.ask(stored, co.entity, mapping or Mapping(), by=by or co.manager, rows=2, submit=submit)


def confirm(client, text=OURS, **posted):
    """Upload, preview and confirm; returns the page of the import before a worker has started."""
    preview(client, text)
    return client.post("/import/preview/", posted, follow=True)


def notices():
    return list(Notice.objects.values_list("text", "is_problem"))


def test_large_files_are_imported_by_a_worker_that_gets_only_a_key(co, manager, monkeypatch):
    monkeypatch.setattr(jobs, "_send", lambda job: None)
    page = confirm(manager, submit="1")

    waiting = EntryImport.objects.get()
    assert (waiting.status, waiting.rows, waiting.added, waiting.submits) == ("queued", 2, 0, True)
    assert not Entry.objects.exists()
    assert list(Job.objects.values_list("kind", "params")) == [("import_entries", {"asked": waiting.pk})]
    assert page.redirect_chain[-1][0] == waiting.get_absolute_url()
    assert "Waiting for the background worker to start." in page.text
    assert 'hx-trigger="every 1s"' in page.text


def test_small_files_are_imported_at_once(co, manager, monkeypatch):
    monkeypatch.setattr(pages, "AT_ONCE", 2)
    assert "2 entries imported as drafts." in confirm(manager).text
    assert Entry.objects.count() == 2


def test_the_worker_imports_all_rows_and_sends_a_notice(co, manager, django_capture_on_commit_callbacks):
    """IMP-1"""
    with django_capture_on_commit_callbacks(execute=True):
        confirm(manager, submit="1")

    done = EntryImport.objects.get()
    assert (done.status, done.rows, done.added) == ("finished", 2, 2)
    assert list(Entry.objects.values_list("status", "source")) == [("submitted", done.pk)] * 2
    assert notices() == [("2 entries of march.csv imported and submitted.", False)]
    assert Notice.objects.get().url == done.get_absolute_url()
    assert AuditEvent.objects.get(action="actuals.import").by == co.manager
    page = manager.get(done.get_absolute_url()).text
    assert "11.5 h" in page
    assert "every 1s" not in page


def test_the_page_shows_the_progress_and_reloads_at_the_end(co, manager):
    waiting = asked(co)
    EntryImport.objects.update(status="running")
    job = jobs.about(waiting).get()
    Job.objects.update(state="running")
    jobs.Work(job, jobs.KINDS["import_entries"]).report_inside("written", 5000, 20000)

    page = manager.get(waiting.get_absolute_url()).text
    assert "Rows written" in page
    assert "5,000 of 20,000 rows." in page
    assert 'value="5000" max="20000"' in page

    Job.objects.update(state="waiting")
    do_jobs()
    assert manager.get(waiting.get_absolute_url(), headers={"HX-Request": "true"}).headers["HX-Refresh"]


def test_reading_and_writing_report_their_progress(co, monkeypatch):
    monkeypatch.setattr(planning, "_TOLD_EVERY", 1)
    monkeypatch.setattr(imports, "CHUNK", 1)
    heard = []

    imports.carry_out(asked(co), report=lambda *far: heard.append(far))

    assert heard == [("checked", 0, 2), ("checked", 1, 2), ("written", 0, 2), ("written", 1, 2)]


def test_one_wrong_row_prevents_the_import_and_the_page_shows_the_reason(co, manager):
    """IMP-1"""
    wrong = OURS + "2026-03-04,NOBODY,NO1-P1,1,\n"
    send(manager, wrong)
    waiting = asked(co, wrong)

    do_jobs()

    waiting.refresh_from_db()
    assert waiting.status == "failed"
    assert not Entry.objects.exists()
    assert notices() == [("march.csv was not imported. The page of the import shows the reason.", True)]
    page = manager.get(waiting.get_absolute_url()).text
    assert "1 of 3 rows of march.csv can&#x27;t be imported, so nothing was imported." in page
    assert "row 4, resource: There is no resource “NOBODY”" in page
    assert "/import/preview/" in page  # this page shows every error
    assert "Failed" in manager.get("/import/").text


def test_a_failure_in_the_middle_saves_nothing(co, manager, monkeypatch):
    """IMP-1"""
    waiting = asked(co)

    def failing(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(imports.audit, "record", failing)  # the last write of an import
    do_jobs()

    waiting.refresh_from_db()
    assert (waiting.status, waiting.added) == ("failed", 0)
    assert waiting.message == Reason("IMPORT-INTERNAL-ERROR", error="ZeroDivisionError")
    assert not Entry.objects.exists()
    assert manager.get(waiting.get_absolute_url()).status_code == 200


def test_a_repeated_message_adds_no_entries_and_sends_no_second_notice(co):
    """IMP-1"""
    job = jobs.about(asked(co)).get()
    for _ in range(2):
        jobs.perform(job.pk)
    assert Entry.objects.count() == 2
    assert len(notices()) == 1


def test_another_worker_continues_after_one_was_killed(co):
    waiting = asked(co)
    EntryImport.objects.update(status="running")
    Job.objects.update(state="running", tries=1)
    jobs.sweep()
    assert not Entry.objects.exists()  # the first worker may still be running

    make_late()
    jobs.sweep()
    waiting.refresh_from_db()
    assert (waiting.status, Entry.objects.count()) == ("finished", 2)


def test_the_same_file_requested_twice_is_one_import(co, django_capture_on_commit_callbacks):
    """IMP-1"""
    with django_capture_on_commit_callbacks() as sent:
        assert asked(co) == asked(co)
    assert len(sent) == 1


def test_a_file_that_another_import_added_first_adds_no_entries(co, manager):
    """IMP-1"""
    waiting = asked(co)
    imports.import_entries(OURS.encode(), co.entity, by=co.accountant)

    do_jobs()

    waiting.refresh_from_db()
    assert (waiting.status, waiting.added, Entry.objects.count()) == ("finished", 0, 2)
    assert notices() == [
        ("march.csv: No entries were added. Every row was imported before or left out.", False)
    ]
    assert "Every row was imported before or left out" in manager.get(waiting.get_absolute_url()).text


def test_the_same_file_can_be_requested_again_after_a_failure(co):
    asked(co)
    co.project.is_open = False
    co.project.save()
    do_jobs()
    co.project.is_open = True
    co.project.save()

    asked(co)
    do_jobs()

    assert list(EntryImport.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "finished"]
    assert Entry.objects.count() == 2


def test_the_worker_checks_which_projects_the_user_manages(co):
    """SEC-1"""
    waiting = asked(co)
    co.project.managers.clear()
    do_jobs()
    waiting.refresh_from_db()
    assert waiting.message.code == "IMPORT-ERRORS"
    assert "You don't manage project NO1-P1" in waiting.message.sentence
    assert not Entry.objects.exists()


@pytest.mark.parametrize("lost", ["membership", "role", "account"])
def test_a_user_who_lost_the_permission_imports_nothing(co, lost):
    """SEC-1: a manager who leaves, becomes a member or is deactivated while the file waits."""
    waiting = asked(co, submit=True)
    memberships = Membership.objects.filter(user=co.manager)
    if lost == "membership":
        memberships.delete()
    elif lost == "role":
        memberships.update(role="member")
    else:
        co.manager.is_active = False
        co.manager.save()

    do_jobs()

    waiting.refresh_from_db()
    reason = Reason("IMPORT-RIGHTS", person=co.manager, entity=co.entity)
    assert (waiting.status, waiting.added, waiting.message) == ("failed", 0, reason)
    assert not Entry.objects.exists()
    # The user can't see the page of the import any more, so the notice has the reason and links to the job.
    assert notices() == [(f"march.csv was not imported. {reason}", True)]
    job = jobs.about(waiting).get()
    assert Notice.objects.get().url == job.get_absolute_url()
    assert jobs.result_of(job)[0] == ""


def test_a_former_accountant_creates_no_records(co):
    """SEC-1: only accountants create missing records, at the time of the import."""
    text = "date,resource,project,task,hours\n2026-03-02,ANNA,NO1-P1,NEW,1\n"
    waiting = asked(co, text, by=co.accountant, mapping=Mapping(create=("tasks",)))
    Membership.objects.filter(user=co.accountant).update(role="manager")
    co.project.managers.add(co.accountant)

    do_jobs()

    waiting.refresh_from_db()
    assert waiting.message == Reason("IMPORT-CREATES")
    assert not Task.objects.filter(code="NEW").exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("by", ["accountant", "manager"])
def test_a_waiting_file_cannot_be_requested_in_another_way(co, by):
    """IMP-1: the second request is refused with the user, the time and the kind of the first one."""
    first = asked(co, by=co.manager)
    EntryImport.objects.update(imported_at=datetime(2026, 3, 31, 22, 5, tzinfo=UTC))

    with pytest.raises(Refused) as refusal:
        asked(co, by=getattr(co, by), submit=True)

    who = "you" if by == "manager" else co.manager
    assert refusal.value.code == "IMPORT-AT-WORK"
    assert refusal.value.message == (
        f"march.csv is already being imported: {who} requested it on 31 Mar 2026 at 22:05, as drafts. This "
        "request was not saved. Wait until that import is finished, then preview the file again."
    )
    assert EntryImport.objects.get() == first


def test_the_same_request_of_another_user_is_refused(co):
    """SEC-1: the projects of a manager and of an accountant differ, so it is another request."""
    asked(co, submit=True)
    EntryImport.objects.update(status="running")
    with pytest.raises(Refused) as refusal:
        asked(co, by=co.accountant, submit=True)
    assert refusal.value.code == "IMPORT-AT-WORK"
    assert refusal.value.params["how"] == Label("to be submitted")


def test_the_same_file_read_in_another_way_is_refused(co):
    """IMP-1"""
    asked(co)
    with pytest.raises(Refused) as refusal:
        asked(co, mapping=Mapping(constants={"comment": "From the site"}))
    assert refusal.value.code == "IMPORT-AT-WORK"
    assert refusal.value.params["who"] == Label("you")
    assert refusal.value.params["how"] == Label("as drafts, with other columns or answers")


def test_a_refused_second_request_stays_on_the_preview(co, manager, monkeypatch):
    """IMP-1"""
    monkeypatch.setattr(jobs, "_send", lambda job: None)
    assert confirm(manager).redirect_chain[-1][0] == EntryImport.objects.get().get_absolute_url()
    # The same request again returns the same import; a different request is refused.
    assert confirm(manager).redirect_chain[-1][0] == EntryImport.objects.get().get_absolute_url()
    page = confirm(manager, submit="1")
    assert page.redirect_chain[-1][0] == "/import/preview/"
    assert "march.csv is already being imported: you requested it on" in page.text
    assert not EntryImport.objects.get().submits


def test_an_import_works_without_a_cache(co, unreachable, monkeypatch):
    """IMP-1: the import does not wait for the cache after every thousand rows."""
    monkeypatch.setattr(planning, "_TOLD_EVERY", 1)
    waiting = asked(co)

    do_jobs()

    waiting.refresh_from_db()
    assert (waiting.status, waiting.added) == ("finished", 2)
    assert notices() == [("2 entries of march.csv imported as drafts.", False)]
    assert [args[1][0] for args in unreachable if len(args) > 1] == ["checked"]


def test_without_a_cache_the_page_shows_that_the_job_is_running(co, manager, unreachable):
    waiting = asked(co)
    EntryImport.objects.update(status="running")
    Job.objects.update(state="running")
    page = manager.get(waiting.get_absolute_url())
    assert page.status_code == 200
    assert "The job is running." in page.text
    assert "<progress" not in page.text


def test_one_wrong_row_of_a_large_file_prevents_the_import(
    co, manager, monkeypatch, django_capture_on_commit_callbacks
):
    """IMP-1: a large file on the pages, corrected and uploaded again."""
    monkeypatch.setattr(pages, "AT_ONCE", 2000)
    days = [datetime(2019, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(2500)]
    text = "date,resource,project,hours\n" + "".join(f"{day:%Y-%m-%d},ANNA,NO1-P1,1\n" for day in days)
    wrong = text + "2026-03-04,NOBODY,NO1-P1,1\n"

    with django_capture_on_commit_callbacks(execute=True):
        confirm(manager, wrong, submit="1")
    assert "1 of 2,501 rows of march.csv can't be imported" in EntryImport.objects.get().message.sentence
    assert not Entry.objects.exists()

    with django_capture_on_commit_callbacks(execute=True):
        confirm(manager, text, submit="1")
    assert Entry.objects.filter(status="submitted").count() == 2500


def test_the_import_of_another_manager_is_not_found(co, client):
    """SEC-1: neither its page nor its entries; an accountant of the company sees both."""
    waiting = asked(co)
    other = factories.UserFactory()
    factories.MembershipFactory(user=other, entity=co.entity, role="manager")
    stranger = factories.company("SE1", "SEK", books=False).accountant
    pages = [waiting.get_absolute_url(), f"{waiting.get_absolute_url()}entries/"]
    for person, status in [(other, 404), (stranger, 404), (co.accountant, 200), (co.manager, 200)]:
        client.force_login(person)
        assert [client.get(page).status_code for page in pages] == [status, status]


def test_the_mapping_is_stored_with_the_import(co):
    text = "Day,Who,Work,Time\n02.03.2026,ANNA,NO1-P1,7.5\n"
    mapping = Mapping(
        columns={"date": "Day", "resource": "Who", "project": "Work", "quantity": "Time"},
        constants={"task": "NEW"},
        date_format="DD.MM.YYYY",
        create=("tasks",),
    )
    asked(co, text, by=co.accountant, mapping=mapping)
    do_jobs()
    assert Entry.objects.get().task == Task.objects.get(code="NEW")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_every_row_once():
    """IMP-1"""
    co = factories.company(books=False)
    text = OURS + "".join(f"2026-04-{n:02},ANNA,NO1-P1,1,Piers {n}\n" for n in range(1, 29))
    waiting, start = asked(co, text), threading.Barrier(2)
    job = jobs.about(waiting).get()

    def work():
        try:
            start.wait(20)
            jobs.perform(job.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    ended(*threads)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.added, Entry.objects.count()) == ("finished", 30, 30)
    assert len(notices()) == 1
