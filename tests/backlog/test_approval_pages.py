"""The pages where entries are approved and rejected, and approvals canceled."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from actuals.models import Actual, Entry
from actuals.operations import recall, submit
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, confirm_contract, mark_ready
from backlog.previews import preview
from contracts.models import Membership
from invoicing_site.floor import files
from proforma.operations import create_proformas
from tests import factories
from tests.approving import as_listed


@pytest.fixture
def company(db):
    return factories.company(cost_price=100, sales_price=200)


@pytest.fixture
@factories.remembered
def contract(company):
    return confirm_contract(factories.contract(company), by=company.manager)


@pytest.fixture
def manager(client, company):
    client.force_login(company.manager)
    return client


def messages_of(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.mark.parametrize("role", ["member", "accountant", "auditor", "administrator"])
def test_only_project_managers_approve(client, company, contract, role):
    """SEC-1"""
    entry = factories.time_entry(company)
    client.force_login(getattr(company, role))
    assert client.get(reverse("approvals")).status_code == 403
    assert client.get(reverse("approved")).status_code == 403
    assert client.post(reverse("approve_entries"), {"pk": entry.pk}).status_code == 403
    seen = 404 if role == "administrator" else 403
    for name in ("approval", "approval_preview", "reject_entry"):
        assert client.get(reverse(name, args=[entry.pk])).status_code == seen
    assert client.post(reverse("cancel_approval", args=[entry.pk])).status_code == seen


def test_entries_of_another_manager_are_not_found(client, company, contract):
    entry = factories.time_entry(company)
    other = factories.UserFactory()
    factories.MembershipFactory(user=other, entity=company.entity, role=Membership.Role.MANAGER)
    client.force_login(other)
    assert "0 entries" in client.get(reverse("approvals")).content.decode()
    assert client.get(reverse("approval", args=[entry.pk])).status_code == 404
    assert "Nothing is selected" in messages_of(client.post(reverse("approve_entries"), {"pk": entry.pk}))
    entry.refresh_from_db()
    assert entry.status == "submitted"


def test_the_list_shows_price_amount_and_limit_before_approval(company, manager):
    """APP-2 NTE-1: 8 h at 200 are 1,600; of a limit of 1,500 they are 100 too much."""
    confirm_contract(factories.contract(company, limit=Decimal(1500)), by=company.manager)
    factories.time_entry(company, "8", description="Drew the bridge")
    text = manager.get(reverse("approvals")).content.decode()
    for words in ("Drew the bridge", "200.00", "1,600.00", "Over the limit", "of the contract, by 100.00"):
        assert words in text
    assert not Actual.objects.exists()


def test_a_preview_is_what_approval_makes(company):
    """NTE-1: each alone fits under 2,000, both together don't; approval gives the same result."""
    confirm_contract(factories.contract(company, limit=Decimal(2000)), by=company.manager)
    entries = [factories.time_entry(company, "8") for _ in range(2)]
    found = preview(entries, by=company.manager)
    first, second = (found[entry.pk] for entry in entries)
    assert (first.amount, first.over, first.crowded) == (Decimal(1600), [], False)
    assert (second.amount, second.over, second.crowded) == (Decimal(1600), [], True)
    assert (first.margin, first.price) == (Decimal(800), Decimal(200))
    approve(entries, by=company.manager)
    assert list(BacklogItem.objects.order_by("pk").values_list("amount", "limit_status")) == [
        (Decimal(1600), "committed"),
        (Decimal(1600), "failed"),
    ]


def test_margins_are_shown_to_users_who_can_see_costs(company, contract, manager):
    """Section 11: project managers see costs only with the extra permission."""
    entry = factories.time_entry(company, "8")
    pages = [reverse("approvals"), reverse("approval", args=[entry.pk])]
    assert all("Margin" not in manager.get(page).content.decode() for page in pages)
    export = manager.get(reverse("approvals"), {"_export": "csv", "_columns": "margin"})
    assert "800" not in b"".join(export.streaming_content).decode()
    company.manager.memberships.update(sees_costs=True)
    assert all("Margin" in manager.get(page).content.decode() for page in pages)


def test_entries_of_others_are_approved_and_own_entries_are_named(company, contract, manager):
    """APP-2"""
    theirs = factories.time_entry(company)
    own = factories.time_entry(company, resource=company.manager_resource)
    assert "is your own" in manager.get(reverse("approvals")).content.decode()
    response = manager.post(reverse("approve_entries"), as_listed([theirs, own], by=company.manager))
    assert response.status_code == 302
    assert "1 entry approved." in messages_of(response)
    assert "1 your own; Project NO1-P1 has no other manager to approve it" in messages_of(response)
    assert set(Entry.objects.values_list("pk", "status")) == {(theirs.pk, "approved"), (own.pk, "submitted")}


def test_all_that_match_are_approved_as_they_were_shown(company, contract, manager):
    for n in range(3):
        factories.time_entry(company, description="Match" if n else "Other")
    page = manager.get(reverse("approvals"), {"q": "match", "_all": "1"}).content.decode()
    stamp = re.search(r'name="stamp" value="([^"]+)"', page)[1]
    chosen = {"all_matching": "1", "filter": "q=match", "stamp": stamp}
    factories.time_entry(company, description="Match too")
    assert "Nothing was changed" in messages_of(manager.post(reverse("approve_entries"), chosen))
    assert Entry.objects.filter(status="approved").count() == 0


def test_rejection_asks_for_a_comment_and_keeps_the_selection(company, contract, manager):
    """APP-1"""
    entries = [factories.time_entry(company) for _ in range(2)]
    chosen = {"pk": [entry.pk for entry in entries]}
    form = manager.post(reverse("reject_entries"), chosen)
    assert form.status_code == 200
    assert all(f'name="pk" value="{entry.pk}"' in form.content.decode() for entry in entries)
    again = manager.post(reverse("reject_entries"), {**chosen, "_answered": "1", "comment": ""})
    assert "This field is required" in again.content.decode()
    done = manager.post(reverse("reject_entries"), {**chosen, "_answered": "1", "comment": "Which task?"})
    assert "2 entries rejected." in messages_of(done)
    assert set(Entry.objects.values_list("status", "decision_comment")) == {("rejected", "Which task?")}


def test_the_approver_changes_what_is_billable(company, contract, manager):
    """APP-2 APP-3: 6 of 8 h: 1,200 chargeable, 400 not; a comma is a decimal point."""
    entry = factories.time_entry(company, "8")
    page = reverse("approval", args=[entry.pk])
    assert "1,600.00" in manager.get(page).content.decode()
    shown = manager.get(reverse("approval_preview", args=[entry.pk]), {"billable_quantity": "6,0"})
    assert "1,200.00" in shown.content.decode()
    assert "400.00" in shown.content.decode()
    wrong = manager.post(page, {"billable_quantity": "many", "billing_type": "complimentary"})
    assert 'value="many"' in wrong.content.decode()
    assert 'value="complimentary" selected' in wrong.content.decode()
    typed = {"billable_quantity": "many", "terms": wrong.context["terms"]}
    unclear = manager.get(reverse("approval_preview", args=[entry.pk]), typed)
    assert "Enter a quantity" in unclear.text
    assert unclear.context["terms"] == wrong.context["terms"]  # shown on the page, and posted with the form
    manager.post(page, {"billable_quantity": "6,0", "billing_type": "", "terms": unclear.context["terms"]})
    sales = Actual.objects.filter(type="unbilled").order_by("pk")
    assert list(sales.values_list("billing_type", "amount")) == [
        ("chargeable", Decimal(1200)),
        ("non_chargeable", Decimal(400)),
    ]


def test_one_entry_is_rejected(company, contract, manager):
    entry = factories.time_entry(company)
    page = reverse("reject_entry", args=[entry.pk])
    assert manager.get(page).status_code == 200
    manager.post(page, {"comment": "Wrong day"})
    entry.refresh_from_db()
    assert (entry.status, entry.decision_comment) == ("rejected", "Wrong day")


def test_a_cancellation_is_refused_with_the_proforma(company, contract, manager):
    """APP-5"""
    free, billed = factories.time_entry(company), factories.time_entry(company)
    approve([free, billed], by=company.manager)
    mark_ready(BacklogItem.objects.filter(actual__entry=billed), by=company.manager)
    created = create_proformas([contract], cutoff=factories.DAY, on=factories.DAY, by=company.manager)
    (proforma,) = created
    text = manager.get(reverse("approved")).content.decode()
    assert proforma.number in text
    assert "1,500.00" in text
    page = manager.get(reverse("approval", args=[billed.pk])).content.decode()
    assert "Cancel approval" not in page
    refused = manager.post(reverse("cancel_approval", args=[billed.pk]))
    assert proforma.number in messages_of(refused)
    manager.post(reverse("cancel_approval", args=[free.pk]))
    assert set(Entry.objects.values_list("pk", "status")) == {(free.pk, "submitted"), (billed.pk, "approved")}
    refused = manager.post(reverse("cancel_approvals"), {"pk": [billed.pk]})
    assert proforma.number in messages_of(refused)


@pytest.mark.parametrize("name", ["approvals", "approved"])
def test_many_rows_cost_as_many_queries_as_one(company, manager, django_assert_max_num_queries, name):
    contracts = [factories.contract(company, limit=Decimal(9000))]
    project = factories.ProjectFactory(entity=company.entity)
    project.managers.add(company.manager)
    contracts.append(factories.contract(company, limit=Decimal(9), lines=[{"project": project}]))
    for each in contracts:
        confirm_contract(each, by=company.manager)

    def more(n):
        made = [factories.time_entry(company) for _ in range(n)]
        made += [factories.time_entry(company, project=project) for _ in range(n)]
        if name == "approved":
            approve(made, by=company.manager)

    more(1)
    with django_assert_max_num_queries(100) as few:
        manager.get(reverse(name))
    more(10)
    with django_assert_max_num_queries(len(few)):
        assert manager.get(reverse(name)).status_code == 200


def test_an_entry_that_was_changed_meanwhile_is_not_approved(company, contract, manager):
    """APP-2: the page showed 8 hours, now there are 80."""
    entry = factories.time_entry(company, "8")
    address = reverse("approval", args=[entry.pk])
    seen = manager.get(address).context["form"]["seen"].value()
    Entry.objects.filter(pk=entry.pk).update(quantity=80)  # recalled, corrected, submitted again
    answer = manager.post(address, {"seen": seen})
    assert "The entry was changed after you opened it" in answer.content.decode()
    entry.refresh_from_db()
    assert entry.status == "submitted"
    now = {"seen": answer.context["form"]["seen"].value(), "terms": answer.context["terms"]}
    manager.post(address, now)
    entry.refresh_from_db()
    assert entry.status == "approved"


def test_an_entry_that_was_submitted_again_meanwhile_is_not_approved(manager, company, contract):
    """APP-1, APP-2: the page showed 8 h; 16 h were submitted before the click."""
    entry, other = factories.time_entry(company, hours="8"), factories.time_entry(company)
    seen = as_listed([entry, other], by=company.manager)
    recall([entry], by=company.member)
    Entry.objects.filter(pk=entry.pk).update(quantity=Decimal(16))
    submit([entry], by=company.member)
    answer = manager.post(reverse("approve_entries"), seen)
    assert "1 entry approved." in messages_of(answer)
    assert "1 submitted again since you loaded the page; check again" in messages_of(answer)
    entry.refresh_from_db()
    assert entry.status == Entry.Status.SUBMITTED


@pytest.mark.parametrize("drawn", ["2025-99-99T00:00", "2025-03-10T00:00", ""])
def test_a_list_without_the_time_of_its_page_approves_nothing(manager, company, contract, drawn):
    """APP-2: entries that were submitted since then could not be recognized."""
    entry = factories.time_entry(company)
    listed = as_listed([entry], by=company.manager, drawn=drawn)
    assert "did not include what the list showed" in messages_of(
        manager.post(reverse("approve_entries"), listed)
    )
    entry.refresh_from_db()
    assert entry.status == Entry.Status.SUBMITTED


def test_the_approver_sees_the_receipt_and_all_amounts_of_an_expense(
    company, contract, manager, settings, tmp_path
):
    """APP-8: the approver decides on what the owner of the expense attached and claims."""
    settings.DATA = tmp_path
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    receipt = files.store(png, name="taxi.png", media_type="image/png", by=company.member)
    paid = {"cost_net": "412", "cost_tax": "49.44", "cost_tax_deductible": "24.72"}
    with_it = factories.expense_entry(company, receipt=receipt, description="Taxi", **paid)
    without = factories.expense_entry(company, description="Bus")

    page = manager.get(reverse("approval", args=[with_it.pk])).text
    link = reverse("receipt", args=[with_it.pk])
    assert f'<a href="{link}">taxi.png</a>' in page
    for figure in ("412.00", "49.44", "24.72"):
        assert figure in page
    assert manager.get(link).content == png
    assert "None attached" in manager.get(reverse("approval", args=[without.pk])).text

    rows = manager.get(reverse("approvals")).text
    assert rows.count(f"{company.travel.name} · Receipt") == 1


def test_skipped_entries_are_named_once_for_each_reason(manager, company, contract):
    """APP-2 APP-10: entries of several days give one sentence."""
    good = factories.time_entry(company)
    mine = [factories.time_entry(company, submitted_by=company.manager) for _ in range(2)]
    other = factories.UserFactory(first_name="Olga", last_name="Other")
    company.project.managers.add(other)
    today = company.entity.today()
    later = [factories.time_entry(company, date=today + timedelta(days=n)) for n in (1, 2)]
    listed = as_listed([good, *mine, *later], by=company.manager)
    answer = messages_of(manager.post(reverse("approve_entries"), listed))
    assert "2 submitted by you; Olga Other can approve them" in answer
    assert "2 dated after today" in answer
    assert "it can be approved from" not in answer


@pytest.mark.parametrize("typed", ["24.0001", "1000"])
def test_time_can_be_raised_to_24_hours_at_most(company, contract, manager, typed):
    """APP-3 APP-10: an entry covers one day; the page keeps the typed value."""
    entry = factories.time_entry(company, "1.5")
    address = reverse("approval", args=[entry.pk])
    terms = manager.get(address).context["terms"]
    answer = manager.post(address, {"billable_quantity": typed, "terms": terms})
    assert "a day can&#x27;t have " in answer.text
    assert f'value="{typed}"' in answer.text
    assert not Actual.objects.exists()


def test_a_number_with_an_exponent_is_not_approved(company, contract, manager):
    """APP-10: 1e3 is asked about again, in the preview and when it is sent."""
    entry = factories.time_entry(company, "1.5")
    address = reverse("approval", args=[entry.pk])
    terms = manager.get(address).context["terms"]
    answer = manager.post(address, {"billable_quantity": "1e3", "terms": terms})
    assert "Enter a number in digits" in answer.text
    preview_of = reverse("approval_preview", args=[entry.pk])
    assert "Enter a quantity such as 7.5" in manager.get(preview_of, {"billable_quantity": "1e3"}).text
    assert not Actual.objects.exists()


def test_other_quantities_can_be_raised_without_that_limit(company, contract):
    """APP-3: material is not of a day: 1 piece at 80 is billed as 30, 2,400."""
    entry = factories.material_entry(company)
    approve([entry], by=company.manager, decisions={entry.pk: Decision(billable_quantity=Decimal(30))})
    assert Actual.objects.get(type="unbilled").amount == Decimal(2400)


def test_all_warnings_of_an_approval_can_be_read(company, contract, manager):
    """APP-2 PRC-6: the message shows three, and the number of the others as a link."""
    company.sales_price.delete()
    roles = [factories.RoleFactory(entity=company.entity, name=f"Role {n}") for n in range(5)]
    entries = [factories.time_entry(company, role=role) for role in roles]
    answer = manager.post(reverse("approve_entries"), as_listed(entries, by=company.manager), follow=True)
    shown, _, folded = answer.text.partition("<summary>And 2 more warnings</summary>")
    assert [f"no price for role Role {n} of" in shown for n in range(5)] == [True, True, True, False, False]
    assert [f"no price for role Role {n} of" in folded for n in range(5)] == [False, False, False, True, True]


def test_a_missing_rate_names_who_can_enter_it(company, contract, manager):
    """MON-8: with a link for users who can open it, before approval and in the refusal."""
    entry = factories.expense_entry(company, cost_currency="USD")
    add = reverse("admin:contracts_exchangerate_add")
    sentence = "An administrator can enter one that is valid from that day or earlier."
    chosen = {"pk": entry.pk} | as_listed([entry], by=company.manager)
    for is_administrator in (False, True):
        if is_administrator:
            factories.MembershipFactory(user=company.manager, entity=company.entity, role="administrator")
            company.manager.is_staff = True
            company.manager.save()
        page = manager.get(reverse("approval", args=[entry.pk])).text
        answer = messages_of(manager.post(reverse("approve_entries"), chosen))
        for text in (page, answer):
            assert "has no official exchange rate for USD on" in text
            assert sentence in text
            assert (f'href="{add}"' in text) == is_administrator
