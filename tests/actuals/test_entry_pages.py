"""The user's own entries and expenses, the page of an entry, and its receipt: access and refusals."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from actuals import operations, weeks
from actuals.models import Entry
from backlog import operations as backlog
from contracts.models import Membership
from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories, locks

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.fixture
def member(co, client):
    client.force_login(co.member)
    return client


@pytest.fixture
@factories.remembered
def colleague(co):
    user = factories.UserFactory(username="colleague")
    factories.MembershipFactory(user=user, entity=co.entity, role=Membership.Role.MEMBER)
    factories.ResourceFactory(entity=co.entity, code="BO", name="Bo", user=user)
    return user


def expense(co, **other):
    return {
        "date": "2026-03-02",
        "project": co.project.pk,
        "task": co.task.pk,
        "category": co.travel.pk,
        "quantity": "1",
        "unit": "each",
        "cost_currency": "nok",
        "cost_net": "100,50",
        "cost_tax": "25",
        "cost_tax_deductible": "25",
        "description": "Train",
        **other,
    }


def png(name="receipt.png", content=PNG):
    return SimpleUploadedFile(name, content, content_type="image/png")


@pytest.mark.parametrize("url", ["/entries/", "/expenses/", "/expenses/new/", "/expenses/material/"])
def test_only_members_have_their_own_entries(co, client, url):
    """SEC-1"""
    for person, status in ((co.member, 200), (co.manager, 403), (co.accountant, 403), (co.auditor, 403)):
        client.force_login(person)
        assert client.get(url).status_code == status


def test_an_entry_is_visible_to_its_owner_its_manager_and_accountants(co, client, colleague):
    """SEC-1"""
    entry = factories.time_entry(co)
    other = factories.company("SE1", "SEK", books=False)
    people = [
        (co.member, 200),
        (co.manager, 200),
        (co.accountant, 200),
        (co.auditor, 200),
        (colleague, 404),
        (co.administrator, 404),
        (other.manager, 404),
        (other.accountant, 404),
    ]
    for person, status in people:
        client.force_login(person)
        page = client.get(f"/entries/{entry.pk}/")
        assert page.status_code == status
        assert ("Recall" in page.text) is (person == co.member)


def test_only_the_owner_has_buttons(co, client, colleague):
    """SEC-1: a member never changes or submits the entry of another user."""
    entry = factories.time_entry(co, status="draft")
    for person in (colleague, co.manager, co.accountant, co.auditor):
        client.force_login(person)
        for verb in ("submit", "recall", "delete"):
            assert client.post(f"/entries/{entry.pk}/{verb}/").status_code == 404
        assert client.get(f"/entries/{entry.pk}/edit/").status_code == 404
    entry.refresh_from_db()
    assert entry.status == "draft"


def test_a_manager_who_is_also_a_member_edits_only_their_own_entries(co, client):
    entry = factories.time_entry(co, status="draft")
    factories.MembershipFactory(user=co.manager, entity=co.entity, role=Membership.Role.MEMBER)
    client.force_login(co.manager)
    assert client.get(f"/entries/{entry.pk}/").status_code == 200
    assert client.get(f"/entries/{entry.pk}/edit/").status_code == 404
    assert client.post(f"/entries/{entry.pk}/submit/").status_code == 404
    assert f"/entries/{entry.pk}/" not in client.get("/entries/").text


def test_submit_recall_delete(co, member):
    """APP-1"""
    entry = factories.time_entry(co, status="draft")
    for verb, status in (("submit", "submitted"), ("recall", "draft")):
        member.post(f"/entries/{entry.pk}/{verb}/")
        entry.refresh_from_db()
        assert entry.status == status
    assert member.post(f"/entries/{entry.pk}/delete/").url == "/entries/"
    assert not Entry.objects.exists()
    assert AuditEvent.objects.filter(action="actuals.delete").count() == 1


def test_approved_entries_are_not_deleted(co, member):
    entry = factories.time_entry(co, status="approved")
    member.post(f"/entries/{entry.pk}/delete/")
    response = member.get(f"/entries/{entry.pk}/edit/", follow=True)
    assert "Only drafts and rejected entries can be changed." in response.text
    assert Entry.objects.filter(pk=entry.pk, status="approved").exists()


def test_a_bulk_action_skips_and_counts_rows_that_do_not_allow_it(co, member, colleague):
    drafts = [factories.time_entry(co, status="draft") for _ in range(2)]
    sent = factories.time_entry(co)
    foreign = factories.time_entry(
        co, status="draft", resource=colleague.resources.get(), created_by=colleague
    )
    keys = [each.pk for each in (*drafts, sent, foreign)]

    page = member.post("/entries/submit/", {"pk": keys}, follow=True).text

    assert "2 entries submitted." in page
    assert "Not changed: 1 not a draft." in page
    foreign.refresh_from_db()
    assert foreign.status == "draft"

    assert "3 entries recalled" in member.post("/entries/recall/", {"pk": keys}, follow=True).text
    assert "3 entries deleted." in member.post("/entries/delete/", {"pk": keys}, follow=True).text
    assert list(Entry.objects.all()) == [foreign]


def test_the_list_filters_and_adds_up_hours(co, member):
    factories.time_entry(co, "7.5", status="draft", description="Drawings", date=date(2026, 3, 2))
    factories.time_entry(co, "2", description="Meeting", date=date(2026, 3, 9))
    factories.expense_entry(co)
    page = member.get("/entries/").text
    assert "7.5 h" in page
    assert "9.5 h" in page
    assert "Meeting" not in member.get("/entries/?status=draft").text
    assert "Drawings" not in member.get("/entries/?since=2026-03-05").text
    assert "Drawings" in member.get(f"/entries/?q=draw&project={co.project.pk}&transaction_class=time").text


@pytest.mark.parametrize("url", ["/entries/", "/expenses/"])
def test_as_many_queries_for_many_rows_as_for_few(co, member, url):
    factories.expense_entry(co)
    member.get(url)
    with CaptureQueriesContext(connection) as few:
        member.get(url)
    for _ in range(12):
        factories.expense_entry(co, category=factories.CategoryFactory(entity=co.entity))
    with CaptureQueriesContext(connection) as many:
        member.get(url)
    assert len(many) == len(few)


def test_an_expense_with_its_receipt(co, member):
    """APP-8"""
    assert member.post("/expenses/new/", expense(co, receipt=png())).url == "/expenses/"

    entry = Entry.objects.get()
    assert (entry.status, entry.resource, entry.created_by) == ("draft", co.resource, co.member)
    assert (entry.cost_net, entry.cost_tax, entry.cost_tax_deductible) == (Decimal("100.5"), 25, 25)
    assert (entry.cost_currency, entry.unit, entry.quantity) == ("NOK", "each", 1)
    assert (entry.receipt.media_type, files.read(entry.receipt)) == ("image/png", PNG)
    assert "100.50" in member.get("/expenses/").text


def test_an_expense_is_saved_and_submitted_together_or_not_at_all(co, member):
    member.post("/expenses/new/", expense(co, then="submit"))
    assert Entry.objects.get().status == "submitted"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"cost_tax_deductible": ""}, "Enter the deductible part of the tax, or 0."),
        ({"cost_tax_deductible": "26"}, "This is more than the tax."),
        ({"cost_net": "1.005"}, "1.005 has more decimals than NOK allows."),
        ({"cost_net": "-1"}, "greater than or equal to 0"),
        ({"cost_currency": "QQQ"}, "is not a currency"),
        ({"cost_currency": "XXX"}, "“XXX” is not a currency in use, such as EUR."),
        ({"quantity": "0"}, "greater than zero"),
        ({"category": ""}, "This field is required."),
    ],
)
def test_an_error_is_shown_at_its_field_and_the_input_stays(co, member, typed, reason):
    page = member.post("/expenses/new/", expense(co, **typed, receipt=png("train.png")))
    assert page.status_code == 200
    assert reason in page.text
    assert 'value="Train"' in page.text
    assert "“train.png” is kept as the receipt" in page.text
    token = page.context["kept_token"]

    member.post("/expenses/new/", expense(co, kept_receipt=token))
    assert Entry.objects.get().receipt.name == "train.png"


@pytest.mark.parametrize(
    "content", [b"<svg onload=alert(1)>", b"<html>", b"MZ", b"RIFF1234AVI ", b"1234ftypmp42"]
)
def test_a_receipt_is_checked_by_its_content(co, member, content):
    page = member.post("/expenses/new/", expense(co, receipt=png("honest.png", content)))
    assert "A receipt must be a PDF or a picture" in page.text
    assert not Entry.objects.exists()


def test_a_receipt_has_at_most_ten_megabytes(co, member):
    page = member.post("/expenses/new/", expense(co, receipt=png(content=PNG + b"0" * 10 * 1024 * 1024)))
    assert "larger than 10 MB" in page.text


def test_a_receipt_is_shown_in_a_sandbox_to_users_who_can_see_the_entry(co, client, colleague):
    """SEC-1"""
    stored = files.store(PNG, name="r.png", media_type="image/png", by=co.member)
    odd = files.store(b"<script>", name="r.html", media_type="text/html", by=co.member)
    entry, other = factories.expense_entry(co, receipt=stored), factories.expense_entry(co, receipt=odd)
    for person, status in ((co.member, 200), (co.manager, 200), (co.auditor, 200), (colleague, 404)):
        client.force_login(person)
        response = client.get(f"/entries/{entry.pk}/receipt/")
        assert response.status_code == status
    client.force_login(co.member)
    response = client.get(f"/entries/{entry.pk}/receipt/")
    assert response.content == PNG
    assert response["Content-Disposition"] == 'inline; filename="r.png"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    response = client.get(f"/entries/{other.pk}/receipt/")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert client.get(f"/entries/{factories.time_entry(co).pk}/receipt/").status_code == 404


def test_closed_projects_and_those_of_other_companies_cannot_be_selected(co, member):
    other = factories.company("SE1", "SEK", books=False)
    closed = factories.ProjectFactory(entity=co.entity, is_open=False)
    for project in (other.project, closed):
        assert member.post("/expenses/new/", expense(co, project=project.pk, task="")).status_code == 200
    assert member.post("/expenses/new/", expense(co, category=other.travel.pk)).status_code == 200
    assert member.post("/expenses/new/", expense(co, category=co.time.pk)).status_code == 200
    assert not Entry.objects.exists()


def test_material_has_the_unit_of_its_product(co, member):
    member.post(
        "/expenses/material/",
        {"date": "2026-03-02", "project": co.project.pk, "product": co.product.pk, "quantity": "2,5"},
    )
    entry = Entry.objects.get()
    assert (entry.quantity, entry.unit, entry.resource) == (Decimal("2.5"), co.product.unit, co.resource)


def test_a_rejected_entry_is_corrected(co, member):
    """APP-1"""
    entry = factories.expense_entry(co, status="rejected", decision_comment="Whose?", decided_by=co.manager)
    page = member.get(f"/entries/{entry.pk}/edit/")
    assert "Whose?" in page.text
    seen = page.context["form"]["stamp"].value()
    member.post(f"/entries/{entry.pk}/edit/", expense(co, stamp=seen, then="submit"))
    entry.refresh_from_db()
    assert (entry.status, entry.cost_net, entry.decision_comment) == ("submitted", Decimal("100.5"), "")


def test_an_edit_does_not_overwrite_another_users_change(co, member):
    entry = factories.expense_entry(co, status="draft")
    seen = operations.stamp(entry)
    Entry.objects.filter(pk=entry.pk).update(cost_net=7)
    page = member.post(f"/entries/{entry.pk}/edit/", expense(co, stamp=seen))
    assert "was changed by another person" in page.text
    entry.refresh_from_db()
    assert entry.cost_net == 7


def test_single_time_entries_can_be_edited_too(co, member):
    entry = factories.time_entry(co, "4", status="draft", date=date(2026, 3, 2))
    factories.time_entry(co, "20", status="draft", date=date(2026, 3, 2))
    data = {
        "date": "2026-03-02",
        "project": co.project.pk,
        "category": co.time.pk,
        "stamp": operations.stamp(entry),
        "quantity": "5",
    }
    assert "25 hours" in member.post(f"/entries/{entry.pk}/edit/", data).text
    member.post(f"/entries/{entry.pk}/edit/", data | {"quantity": "3,5"})
    entry.refresh_from_db()
    assert entry.quantity == Decimal("3.5")


def test_an_entry_with_reversed_actuals_is_not_deleted(co):
    """ACT-1"""
    entry = factories.time_entry(co, status="rejected")
    factories.ActualFactory(entry=entry, type="cost", contract_customer=None, project=co.project)
    with pytest.raises(Refused) as refusal:
        operations.delete([entry], by=co.member)
    assert refusal.value.code == "ENTRY-WAS-APPROVED"


def test_operations_refuse_entries_of_other_users(co, colleague):
    """SEC-1"""
    entry = factories.time_entry(co, status="draft")
    for code, act in (
        ("NOT-YOURS-TO-CHANGE", lambda: operations.delete([entry], by=colleague)),
        (
            "OTHER-PERSON",
            lambda: operations.amend(entry, by=colleague, seen=operations.stamp(entry), description="x"),
        ),
        (
            "OTHER-PERSON",
            lambda: operations.enter(
                co.resource, "time", by=colleague, date=entry.date, project=co.project, quantity=Decimal(1)
            ),
        ),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == code


def test_an_entry_without_a_resource_belongs_to_the_user_who_created_it(co, colleague):
    """APP-1, SEC-1: nobody else changes it."""
    entry = factories.material_entry(co, status="draft", resource=None, created_by=co.member)
    with pytest.raises(Refused) as refusal:
        operations.amend(entry, by=colleague, seen=operations.stamp(entry), description="Mine")
    assert refusal.value.code == "NOT-YOURS-TO-CHANGE"
    assert Entry.objects.get().description == entry.description

    operations.amend(entry, by=co.member, seen=operations.stamp(entry), description="Bolts")
    assert Entry.objects.get().description == "Bolts"


def test_entering_and_changing_work_locks_its_resource_first(co, monkeypatch):
    """APP-1: that lock guards the hours of a day; it is requested on every database."""
    asked = locks.asked(monkeypatch)
    fields = {"date": date(2026, 3, 2), "project": co.project, "task": co.task, "unit": "h"}
    entry = operations.enter(co.resource, "time", by=co.member, quantity=Decimal(2), **fields)
    assert asked[:2] == ["Resource locked", "Project held"]

    asked.clear()
    operations.amend(entry, by=co.member, seen=operations.stamp(entry), quantity=Decimal(3))
    assert asked[:2] == ["Resource locked", "Project held"]


@pytest.mark.parametrize("project", ["²", "9" * 25, "9" * 5000])
@pytest.mark.django_db
def test_an_invalid_project_is_an_error_of_the_form(client, project):
    it = factories.company()
    client.force_login(it.member)
    page = client.post("/expenses/new/", {"project": project})
    assert page.status_code == 200
    assert "project" in page.context["form"].errors


def test_each_button_has_its_message(co, member):
    new = member.get("/expenses/new/").text
    assert "Save draft</button>" in new
    assert "Submit for approval</button>" in new
    assert "checkbox" not in new[new.index('class="form-actions"') :]
    edited = member.get(f"/entries/{factories.expense_entry(co, status='draft').pk}/edit/").text
    assert "Save</button>" in edited
    assert "Save and submit</button>" in edited


def test_a_changed_rejected_entry_is_a_draft_and_keeps_its_comment(co, member):
    """APP-1"""
    entry = factories.expense_entry(co, status="rejected", decision_comment="Whose?", decided_by=co.manager)
    stored = member.get(f"/entries/{entry.pk}/edit/").context["form"].initial
    same = {name: value for name, value in stored.items() if value is not None and name != "receipt"}
    same |= {name: getattr(value, "pk", value) for name, value in same.items()}
    member.post(f"/entries/{entry.pk}/edit/", same)
    entry.refresh_from_db()
    assert entry.status == "rejected"

    member.post(f"/entries/{entry.pk}/edit/", expense(co, stamp=same["stamp"]))
    entry.refresh_from_db()
    assert (entry.status, entry.decision_comment) == ("draft", "Whose?")
    page = member.get(f"/entries/{entry.pk}/").text
    assert "Whose?" in page
    assert "Sent back by" in page


def test_an_unchanged_rejected_entry_is_submitted_on_its_own_page_only(co, member):
    """APP-1"""
    rejected, draft = (factories.time_entry(co, status=status) for status in ("rejected", "draft"))
    page = member.post("/entries/submit/", {"pk": [rejected.pk, draft.pk]}, follow=True).text
    assert "1 entry submitted." in page
    assert "1 rejected and not changed since (change it, or open it to submit it unchanged)" in page
    rejected.refresh_from_db()
    assert rejected.status == "rejected"

    assert (
        "Only drafts are submitted here"
        in member.post("/entries/submit/", {"pk": [rejected.pk]}, follow=True).text
    )

    assert "Submit unchanged" in member.get(f"/entries/{rejected.pk}/").text
    member.post(f"/entries/{rejected.pk}/submit/")
    rejected.refresh_from_db()
    assert rejected.status == "submitted"


def test_entries_without_a_description_can_be_distinguished(co, member):
    """In the list and in the labels of its check boxes."""
    factories.time_entry(co, "7.5", status="draft", description="", date=date(2026, 3, 2))
    factories.time_entry(co, "3", status="draft", description="Piers", date=date(2026, 3, 3))
    factories.expense_entry(co, status="draft", description="", date=date(2026, 3, 4))
    travel = Entry.objects.get(transaction_class="expense").category.name

    page = member.get("/entries/").text
    assert ">NO1-P1 · Design · 2 Mar 2026 · 7.5 h</a>" in page
    assert "Select NO1-P1 · Design · 2 Mar 2026 · 7.5 h<" in page
    assert "Select Piers, NO1-P1 · Design · 3 Mar 2026 · 3 h<" in page
    assert f"NO1-P1 · {travel} · 4 Mar 2026 · 1 each<" in member.get("/expenses/").text
    own = Entry.objects.get(quantity="7.5")
    assert "Time entry: NO1-P1 · Design · 2 Mar 2026 · 7.5 h" in member.get(f"/entries/{own.pk}/").text


@pytest.mark.parametrize(
    ("address", "next_step", "words"),
    [
        ("/entries/", "/time/", "Enter hours"),
        ("/expenses/", "/expenses/new/", "New expense"),
        ("/import/", "/import/new/", "Import entries"),
    ],
)
def test_an_empty_list_leads_to_the_next_step(co, client, address, next_step, words):
    client.force_login(co.manager if "import" in address else co.member)
    empty = client.get(address).text.partition('<div class="empty">')[2]
    assert f'<a class="btn primary" href="{next_step}">{words}</a>' in empty

    filtered = client.get(address, {"q": "nothing"}).text.partition('<div class="empty">')[2]
    assert "Clear the filters" in filtered
    assert words not in filtered.partition("</div>")[0]


def test_the_approver_sees_the_claimed_amount_and_no_cost_rate(co, client):
    """SEC-1: an expense's amount is what is approved.

    The cost of an hour is shown only with the permission.
    """
    entry = factories.expense_entry(co, cost_net="412", cost_tax="49.44", cost_tax_deductible="49.44")
    client.force_login(co.manager)
    for page in (f"/entries/{entry.pk}/", f"/approvals/{entry.pk}/"):
        text = client.get(page).text
        assert "412.00" in text
        assert "49.44" in text
        assert "Margin" not in text


def test_a_rejection_stays_in_the_history_after_the_entry_is_submitted_again(co, member):
    """APP-1: submitted with others, rejected, corrected in the week, submitted, approved; with the reason."""
    entry, other = (factories.time_entry(co, "4", status="draft", date=date(2026, 3, n)) for n in (2, 3))
    operations.submit([entry, other], by=co.member)
    backlog.reject([entry, other], by=co.manager, comment="On which task?")
    entry.refresh_from_db()
    key = weeks.RowKey.of(entry)
    typed = weeks.Typed.read("3", weeks.base_of([entry]))
    operations.submit_week(co.resource, entry.date, [weeks.TypedRow(key, {entry.date: typed})], by=co.member)
    # Entries whose keys begin or end with the same digits are other entries.
    factories.time_entry(co, pk=int(f"{entry.pk}1"), status="draft")
    operations.submit([Entry.objects.get(pk=int(f"{entry.pk}1"))], by=co.member)

    page = member.get(f"/entries/{entry.pk}/")
    assert [step.done for step in page.context["history"]] == [
        "Entered",
        "Submitted",
        "Rejected",
        "Changed",
        "Submitted",
    ]
    assert f"Rejected by {co.manager}: On which task?" in page.text
    entry.refresh_from_db()
    assert entry.decision_comment == ""

    again = [step.done for step in member.get(f"/entries/{other.pk}/").context["history"]]
    assert again == ["Entered", "Submitted", "Rejected"]


def test_the_history_takes_the_same_number_of_queries_for_any_length(co, member):
    entry = factories.time_entry(co, "4", status="draft")
    operations.submit([entry], by=co.member)
    with CaptureQueriesContext(connection) as few:
        member.get(f"/entries/{entry.pk}/")
    for _ in range(3):
        backlog.reject([entry], by=co.manager, comment="No")
        operations.submit([entry], by=co.member)
    with CaptureQueriesContext(connection) as many:
        page = member.get(f"/entries/{entry.pk}/")
    assert (len(page.context["history"]), len(many)) == (8, len(few))


def test_decisions_without_an_event_are_read_from_the_stamps(co, member):
    """Such as those imported from an earlier system."""
    entry = factories.time_entry(co, status="rejected", decided_by=co.manager, decision_comment="Whose?")
    page = member.get(f"/entries/{entry.pk}/")
    assert [step.done for step in page.context["history"]][-1] == "Rejected"
    assert f"Rejected by {co.manager}: Whose?" in page.text
