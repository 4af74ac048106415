"""A retry after a conflict starts again: nothing of the first attempt remains."""

import io
import re
from datetime import date

import pytest
from django.contrib.auth.tokens import default_token_generator as token_of
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from PIL import Image

from actuals.importing import Mapping
from actuals.models import Entry, EntryImport
from actuals.operations import imports
from contracts.admin.people import UserAdmin
from contracts.models import LegalEntity, Membership, Project
from invoicing_site.accounts import signing_in
from invoicing_site.floor import audit, files, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import AuditEvent, Notice, User
from ledger.invoicing.operations import posting
from ledger.journal.operations import journals
from ledger.models import IntegrationJournal
from ledger.setup.operations import open_books
from tests import factories
from tests.background import do_jobs
from tests.invoicing_site.test_admin import address, posted, signed_in
from tests.invoicing_site.test_transaction import SENTENCE, conflict
from tests.journeys import steps
from tests.ledger import billing

pytestmark = pytest.mark.django_db

APRIL_10 = date(2025, 4, 10)
NEW_PROJECT = b"date,resource,project,task,hours\n2025-03-31,ANNA,NEW,PIERS,7.5\n"


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def co():
    return factories.company(books=False)


def in_conflict(monkeypatch, owner, name, *, times=1):
    """Make its next calls end in a conflict after their work; returns the list of calls."""
    original, calls = getattr(owner, name), []

    def once(*args, **kwargs):
        result = original(*args, **kwargs)
        calls.append(args)
        if len(calls) <= times:
            conflict()
        return result

    monkeypatch.setattr(owner, name, once)
    return calls


# Imports


def create():
    return Mapping(create=("projects", "tasks"))


def test_an_import_that_makes_projects_reads_the_file_again(co, monkeypatch):
    """IMP-1: the project of the first attempt was rolled back with it."""
    calls = in_conflict(monkeypatch, audit, "record")
    done = imports.import_entries(
        NEW_PROJECT, co.entity, create(), by=co.accountant, on=APRIL_10, submit=True
    )
    assert (len(calls), done.added) == (2, 1)
    entry = Entry.objects.get()
    assert (entry.project.code, entry.task.code, entry.status) == ("NEW", "PIERS", "submitted")
    assert list(entry.project.managers.all()) == [co.accountant]
    assert AuditEvent.objects.filter(action="contracts.create_project").count() == 1
    assert EntryImport.objects.count() == 1


def test_an_import_that_changes_a_draft_changes_it_once(co, monkeypatch):
    """IMP-1"""
    head = "date,resource,project,hours,external_id\n2025-03-31,ANNA,NO1-P1"
    imports.import_entries(f"{head},8,T-1\n".encode(), co.entity, by=co.accountant, on=APRIL_10)
    calls = in_conflict(monkeypatch, audit, "record")
    mapping = Mapping(answers={"changed": "change"})
    done = imports.import_entries(
        f"{head},5,T-1\n".encode(), co.entity, mapping, by=co.accountant, on=APRIL_10
    )
    assert (len(calls), done.changed, Entry.objects.get().quantity) == (2, 1, 5)
    (change,) = AuditEvent.objects.filter(action="actuals.import").latest("pk").detail["changed"]
    assert (change["before"], change["after"]) == ({"quantity": "8.0000"}, {"quantity": "5.0000"})


def test_a_second_conflict_of_an_import_is_a_sentence(co, monkeypatch):
    """IMP-1"""
    in_conflict(monkeypatch, audit, "record", times=2)
    with pytest.raises(Refused) as refused:
        imports.import_entries(NEW_PROJECT, co.entity, create(), by=co.accountant, on=APRIL_10)
    assert refused.value.message == SENTENCE
    assert not Project.objects.filter(code="NEW").exists()
    assert not EntryImport.objects.exists()


@pytest.mark.parametrize(
    ("times", "status", "added"), [(1, "finished", 1), (2, "failed", 0)], ids=["once", "twice"]
)
def test_a_worker_reads_the_file_again(co, monkeypatch, times, status, added):
    """IMP-1"""
    stored = files.store(NEW_PROJECT, name="march.csv", media_type="text/csv")
    asked = imports.ask(stored, co.entity, create(), by=co.accountant, rows=1, submit=False)
    in_conflict(monkeypatch, audit, "record", times=times)
    do_jobs()
    asked.refresh_from_db()
    assert (asked.status, asked.added, Entry.objects.count()) == (status, added, added)
    assert asked.message == (None if added else Reason("BUSY"))


# Books


def test_opening_the_books_keeps_the_tax_group_of_milestones(monkeypatch):
    entity = factories.LegalEntityFactory(code="FI1", milestone_item_tax_group=None)
    in_conflict(monkeypatch, audit, "record")
    books = open_books(entity, first_year=2025, last_year=2026)
    group = books.item_tax_groups["SERVICES"]
    assert LegalEntity.objects.get(pk=entity.pk).milestone_item_tax_group == group
    assert entity.milestone_item_tax_group == group


def test_a_journal_that_another_user_finished_has_no_rest_of_the_first_attempt(monkeypatch):
    """JRN-4"""
    it = factories.company()
    contract = factories.contract(it)
    steps.confirmed(contract, it)
    steps.approved(it, [factories.time_entry(it, date=date(2025, 3, 3))])
    journals.add_to_journals(it.entity, on=steps.MARCH_31, by=it.accountant)
    journal = IntegrationJournal.objects.get()
    it.entity.posting_accounts.all().delete()  # so that no line can be posted

    calls = in_conflict(monkeypatch, audit, "record")

    def quicker(_):
        """Another user finishes it after the rollback of the first attempt."""
        mine = IntegrationJournal.objects.filter(pk=journal.pk)
        return mine.update(status="posted", posted_at=timezone.now())

    monkeypatch.setattr(transaction, "is_conflict", quicker)
    result = journals.post_journal(journal, by=it.accountant, on=steps.MARCH_31)
    assert (len(calls), result.in_error, result.remainder, result.journal.status) == (1, 0, None, "posted")


def test_findings_of_the_first_attempt_are_discarded(monkeypatch):
    """PRP-5: one warning, not two: the work is older than a month."""
    it = factories.company()
    contract = factories.contract(it, confirmed=True)
    proposal = billing.proposed(it, billing.work(it, contract))
    calls = in_conflict(monkeypatch, posting, "write_invoices")
    (outcome,) = posting.post_all([proposal], by=it.accountant, on=date(2025, 4, 30))
    assert (len(calls), outcome.invoice.number) == (2, "INV-2025-000001")
    assert [found.code for found in outcome.found] == ["OLD-WORK"]


# The administration


def messages_of(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def new_person(client, entity):
    return posted(
        client,
        User,
        "add",
        fields={
            "username": "vera",
            "email": "vera@example.com",
            "memberships-TOTAL_FORMS": "1",
            "memberships-0-entity": str(entity.pk),
            "memberships-0-role": "member",
        },
    )


def test_a_page_of_the_administration_shows_its_message_once(co, monkeypatch):
    """SEC-3: the link in it leads to the row that is there."""
    client = signed_in(co.administrator)
    calls = in_conflict(monkeypatch, UserAdmin, "response_add")
    answer = new_person(client, co.entity)
    vera = User.objects.get(username="vera")
    assert (answer.status_code, len(calls)) == (302, 2)
    first, second = messages_of(answer)
    assert "link to choose" in first
    assert re.search(rf'href="{address(User, "change", vera.pk)}"', second)
    assert "was added successfully" in second
    assert AuditEvent.objects.filter(action="invoicing_site.add_user").count() == 1
    assert Notice.objects.filter(text__contains="gave vera the role").count() >= 1


def test_a_failed_page_leaves_no_message_for_later(co, monkeypatch):
    client = signed_in(co.administrator)
    client.raise_request_exception = False
    in_conflict(monkeypatch, UserAdmin, "response_add", times=2)
    answer = new_person(client, co.entity)
    assert answer.status_code == 503
    assert SENTENCE in answer.text
    assert not User.objects.filter(username="vera").exists()
    assert "successfully" not in client.get("/admin/").text


def test_a_retry_is_refused_if_the_user_lost_the_role(co, monkeypatch):
    """SEC-1: the retry reads the roles again."""
    client = signed_in(co.administrator)
    in_conflict(monkeypatch, UserAdmin, "response_add")
    role = Membership.objects.get(user=co.administrator)

    attempts = []
    original = UserAdmin.lock

    def lock(page, request):
        attempts.append(1)
        if len(attempts) == 2:
            Membership.objects.filter(pk=role.pk).update(role="member")
        return original(page, request)

    monkeypatch.setattr(UserAdmin, "lock", lock)
    assert new_person(client, co.entity).status_code == 403
    assert not User.objects.filter(username="vera").exists()


def test_a_logo_is_read_again_from_its_beginning(co, monkeypatch):
    """DOC-1"""
    client = signed_in(co.administrator)
    picture = io.BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")
    picture.seek(0)
    picture.name = "logo.png"
    calls = in_conflict(monkeypatch, audit, "record")
    answer = posted(client, LegalEntity, "change", co.entity.pk, fields={"new_logo": picture})
    assert (answer.status_code, len(calls)) == (302, 2)
    assert LegalEntity.objects.get(pk=co.entity.pk).logo.size == len(picture.getvalue())


# The user's own account


def test_choosing_a_password_is_retried_after_a_conflict(co, client, monkeypatch):
    key = urlsafe_base64_encode(force_bytes(co.member.pk))
    page = client.get(reverse("password_reset_confirm", args=[key, token_of.make_token(co.member)]))
    calls = in_conflict(monkeypatch, audit, "record")
    answer = client.post(page.url, {"new_password1": "correct horse", "new_password2": "correct horse"})
    assert (answer.status_code, len(calls)) == (302, 2)
    assert messages_of(answer) == ["Your password is changed. Sign in with the new one."]
    assert User.objects.get(pk=co.member.pk).check_password("correct horse")


def test_a_password_change_is_retried_after_a_conflict(co, client, monkeypatch):
    co.member.set_password("old horse battery")
    co.member.save()
    client.force_login(co.member)
    calls = in_conflict(monkeypatch, audit, "record")
    new = {"new_password1": "correct horse", "new_password2": "correct horse"}
    answer = client.post(reverse("password_change"), {"old_password": "old horse battery", **new})
    assert (answer.status_code, len(calls)) == (302, 2)
    assert User.objects.get(pk=co.member.pk).check_password("correct horse")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("times", [1, 2])
def test_a_changed_address_is_reported_once(
    co, client, mailoutbox, monkeypatch, django_capture_on_commit_callbacks, times
):
    """Or not at all, if it was not saved."""
    co.member.set_password("old horse battery")
    co.member.save()
    client.force_login(co.member)
    in_conflict(monkeypatch, signing_in.password_links, "notify_of_address", times=times)
    client.raise_request_exception = False
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            reverse("mail_address"), {"email": "anna@example.com", "password": "old horse battery"}
        )
    once = ["Your email address is anna@example.com."] if times == 1 else []
    assert (answer.status_code, messages_of(answer)) == (302 if once else 503, once)
    assert Notice.objects.filter(user=co.member).count() == len(once)
    assert [to for mail in mailoutbox for to in mail.to if to.startswith("anna")] == [
        "anna@example.com"
    ] * len(once)


# Arguments that a retry could not use again


def test_operations_take_no_iterators_that_a_retry_would_find_empty():
    @transaction.atomic
    def count(rows):
        return len(list(rows))

    assert count([1, 2]) == 2
    with pytest.raises(AssertionError, match="would be empty on the second attempt"):
        count(row for row in [1, 2])
