"""The pages of proformas: created, edited, confirmed, one or several; access, refusals, content."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from backlog.models import BacklogItem
from invoicing_site.models import Notice
from ledger.invoicing.operations import posting
from proforma import operations
from proforma.models import LimitOverride, LineDetail, ProformaInvoice
from tests import factories
from tests.ledger import billing

pytestmark = pytest.mark.django_db

MARCH = date(2025, 3, 31)
Status = ProformaInvoice.Status


@pytest.fixture
def manager(company, client):
    client.force_login(company.manager)
    return client


@pytest.fixture
def draft(company, contract, ready):
    """One draft with 8 h × 1,000 and 2 h × 500: 9,000."""
    ready(contract, "8", "1000", description="Design")
    ready(contract, "2", "500", description="Travel time")
    return drafted(company, contract)


@pytest.fixture
@factories.remembered
def foreign(company):
    """A draft of a contract that the manager can't see."""
    project = factories.ProjectFactory(entity=company.entity, code="FAR")
    contract = factories.contract(company, confirmed=True, lines=[{"project": project}])
    contract.managers.clear()
    factories.ready_item(company, contract, quantity=1, price=100, date=date(2025, 3, 10))
    return drafted(company, contract)


def drafted(company, contract):
    (proforma,) = operations.create_proformas([contract], cutoff=MARCH, on=MARCH, by=company.manager)
    return proforma


def words_of(client, address, *args):
    return client.get(address, *args).content.decode()


def post(client, name, row=None, **data):
    return client.post(reverse(name, args=[row.pk] if row else []), data, follow=True)


@pytest.mark.parametrize(
    ("role", "status"),
    [("manager", 200), ("accountant", 200), ("auditor", 200), ("member", 403), ("administrator", 403)],
)
def test_who_may_see_proformas(client, company, draft, role, status):
    """SEC-1"""
    client.force_login(getattr(company, role))
    assert client.get(reverse("proformas")).status_code == status
    alone = 404 if status == 403 else status
    assert client.get(draft.get_absolute_url()).status_code == alone


ON_DRAFT = [
    "edit_proforma",
    "edit_details",
    "remove_details",
    "add_detail",
    "add_pending",
    "refresh_proforma",
    "submit_proforma",
    "return_proforma",
    "delete_proforma",
]


@pytest.mark.parametrize("name", ON_DRAFT)
def test_only_managers_edit_and_only_their_own_contracts(client, company, draft, foreign, name):
    """SEC-1: accountants confirm and auditors read; neither can edit."""
    for role in ("accountant", "auditor"):
        client.force_login(getattr(company, role))
        assert client.post(reverse(name, args=[draft.pk])).status_code == 403
    client.force_login(company.manager)
    assert client.post(reverse(name, args=[foreign.pk])).status_code == 404
    assert ProformaInvoice.objects.filter(pk=draft.pk, status=Status.DRAFT).exists()


def test_a_detail_of_another_manager_is_not_found(manager, foreign):
    detail = LineDetail.objects.on_proforma(foreign).get()
    assert manager.get(reverse("edit_detail", args=[detail.pk])).status_code == 404
    assert foreign.number not in words_of(manager, reverse("proformas"))


def test_a_get_changes_nothing(manager, draft):
    for name in ("refresh", "submit", "return", "delete", "confirm"):
        assert manager.get(reverse(f"{name}_proforma", args=[draft.pk])).status_code == 405


def test_a_proforma_shows_its_details_and_edits(manager, company, draft):
    """PRO-2, PRO-3: 8 h × 1,000 billed as 6 h, 2 h × 500 not charged: 6,000."""
    design, travel = LineDetail.objects.on_proforma(draft).order_by("pk")
    operations.edit_details([design], by=company.manager, quantity=Decimal(6))
    operations.edit_details([travel], by=company.manager, billing_type="complimentary")
    words = words_of(manager, draft.get_absolute_url())
    for expected in ("6,000.00", "was 8,000.00", "8 h", "Complimentary", "was chargeable", "Edited 2"):
        assert expected in words.replace('<span class="money ">', "").replace("</span>", ""), expected
    assert "Travel time" in words_of(manager, draft.get_absolute_url(), {"show": "edited"})


def test_a_draft_shows_that_its_order_has_other_dates(manager, company, contract, draft):
    """CON-12"""
    operations.edit_header(draft, by=company.manager, order_reference="4711")
    factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(), number="4711", valid_to=date(2025, 1, 31)
    )
    words = words_of(manager, draft.get_absolute_url())
    assert "Order 4711 is valid until 31 Jan 2025, and " in words
    assert "is later. Enter another order number" in words


def test_details_are_edited_together_and_empty_fields_change_nothing(manager, draft):
    """PRO-3: the selection is shown, then changed; 8 × 900 + 2 × 900 = 9,000."""
    keys = [str(pk) for pk in LineDetail.objects.on_proforma(draft).values_list("pk", flat=True)]
    form = post(manager, "edit_details", draft, pk=keys).content.decode()
    assert "2 details" in form
    assert "9,000.00" in form
    answer = post(manager, "edit_details", draft, pk=keys, change="1", price="900,00", billing_type="")
    assert "2 details changed." in answer.content.decode()
    details = LineDetail.objects.on_proforma(draft).order_by("pk")
    assert [(row.quantity, row.price, row.amount) for row in details] == [(8, 900, 7200), (2, 900, 1800)]


def test_a_refused_edit_keeps_the_input(manager, draft):
    detail = LineDetail.objects.on_proforma(draft).first()
    answer = post(manager, "edit_details", draft, pk=[detail.pk], change="1", price="-5", description="Kept")
    words = answer.content.decode()
    assert "below zero" in words
    assert 'value="Kept"' in words
    assert f'name="pk" value="{detail.pk}"' in words
    wrong = post(manager, "edit_details", draft, pk=[detail.pk], change="1", quantity="much").content.decode()
    assert "Enter a number" in wrong


def test_all_details_are_selected_only_if_they_are_those_that_were_shown(manager, draft):
    answer = post(manager, "remove_details", draft, all_matching="1", stamp="7-7", filter="")
    assert "Nothing was changed" in answer.content.decode()
    assert LineDetail.objects.on_proforma(draft).count() == 2


def test_details_of_another_proforma_are_not_selected(manager, company, draft, foreign):
    stranger = LineDetail.objects.on_proforma(foreign).get()
    answer = post(manager, "remove_details", draft, pk=[stranger.pk])
    assert "Nothing is selected" in answer.content.decode()
    assert LineDetail.objects.filter(pk=stranger.pk).exists()


def test_one_detail_is_edited(manager, draft):
    detail = LineDetail.objects.on_proforma(draft).order_by("pk").first()
    address = reverse("edit_detail", args=[detail.pk])
    assert 'value="8"' in words_of(manager, address)
    typed = {"quantity": "7.5", "price": "1000", "billing_type": "chargeable", "description": "Design, new"}
    typed |= {"billing_tax_group": detail.billing_tax_group_id, "item_tax_group": detail.item_tax_group_id}
    manager.post(address, typed)
    detail.refresh_from_db()
    assert (detail.amount, detail.description) == (7500, "Design, new")

    inline = {"headers": {"HX-Request": "true"}}
    assert manager.get(address, **inline).content.decode().startswith("<tr")
    assert "Enter a number" in manager.post(address, typed | {"price": "dear"}, **inline).content.decode()
    assert manager.post(address, typed | {"price": "2000"}, **inline).headers["HX-Refresh"] == "true"
    detail.refresh_from_db()
    assert detail.amount == 15000


def test_unseen_changes_of_others_are_not_overwritten(manager, company, draft):
    """PRO-3: two users edit the same details in bulk; the later one sees the change of the first."""
    design, travel = LineDetail.objects.on_proforma(draft).order_by("pk")
    keys = [design.pk, travel.pk]
    seen = post(manager, "edit_details", draft, pk=keys).context["form"]["seen"].value()
    operations.edit_details([design], by=company.manager, quantity=Decimal(6))
    typed = {"pk": keys, "change": "1", "price": "900", "description": "Typed words"}

    refused = post(manager, "edit_details", draft, **typed, seen=seen)
    words = refused.content.decode()
    assert "Somebody changed 1 chosen detail while you were typing." in words
    assert "Now: “Design” 6 h × 1,000.00, chargeable." in words
    assert "Travel time” 2" not in words
    assert 'value="Typed words"' in words
    assert [detail.price for detail in LineDetail.objects.on_proforma(draft).order_by("pk")] == [1000, 500]

    again = refused.context["form"]["seen"].value()
    assert "2 details changed" in post(manager, "edit_details", draft, **typed, seen=again).content.decode()
    design.refresh_from_db()
    assert (design.quantity, design.price) == (6, 900)


def test_a_removed_detail_is_shown_before_the_others_are_changed(manager, company, draft):
    """PRO-3"""
    design, travel = LineDetail.objects.on_proforma(draft).order_by("pk")
    keys = [design.pk, travel.pk]
    seen = post(manager, "edit_details", draft, pk=keys).context["form"]["seen"].value()
    operations.remove_details([travel], by=company.manager)
    words = post(manager, "edit_details", draft, pk=keys, change="1", price="900", seen=seen).content.decode()
    assert "Somebody removed selected details while you were typing." in words
    design.refresh_from_db()
    assert design.price == 1000


def test_removed_details_are_pending_and_can_be_added_again(manager, draft):
    """PRO-3"""
    detail = LineDetail.objects.on_proforma(draft).order_by("pk").first()
    answer = post(manager, "remove_details", draft, pk=[detail.pk]).content.decode()
    assert "1 detail removed. 1 item is ready" in answer
    assert "1 more item is ready for this customer" in answer
    post(manager, "add_pending", draft, pk=[detail.backlog_item_id])
    assert LineDetail.objects.on_proforma(draft).count() == 2


def test_details_added_by_hand_are_deleted_and_not_promised_as_ready(manager, company, contract, draft):
    """PRO-3, PRO-4: the question names them, and the answer counts only items that are ready again."""
    item = LineDetail.objects.on_proforma(draft).order_by("pk").first()
    first, second, third = (
        operations.add_detail(
            draft,
            by=company.manager,
            contract_line=contract.lines.get(),
            transaction_class="time",
            date=date(2025, 3, 12),
            quantity=Decimal(1),
            price=Decimal(100),
        )
        for _ in range(3)
    )
    assert words_of(manager, draft.get_absolute_url()).count(". Details added by hand are deleted.") == 2
    answer = post(manager, "remove_details", draft, pk=[first.pk]).content.decode()
    assert "1 detail removed. 1 detail added by hand deleted." in answer
    answer = post(manager, "remove_details", draft, pk=[second.pk, item.pk]).content.decode()
    expected = "2 details removed. 1 item is ready to invoice again. 1 detail added by hand deleted."
    assert expected in answer
    answer = post(manager, "delete_proforma", draft).content.decode()
    assert "is deleted. 1 item is ready to invoice again. 1 detail added by hand deleted." in answer


def test_an_expense_needs_a_category(manager, contract, draft):
    """PRO-3"""
    typed = {"contract_line": contract.lines.get().pk, "transaction_class": "expense", "date": "2025-03-12"}
    typed |= {"quantity": "1", "price": "10", "billing_type": "chargeable"}
    words = post(manager, "add_detail", draft, **typed).content.decode()
    assert "Choose a category." in words


def test_the_page_names_work_that_gets_a_separate_proforma(manager):
    """PRO-1"""
    words = words_of(manager, reverse("new_proforma"))
    assert "One for each contract, customer and order number, with all work that is ready" in words


def test_a_refresh_adds_work_that_became_ready(manager, contract, draft, ready):
    ready(contract, "1", "100")
    assert "1 detail added." in post(manager, "refresh_proforma", draft).content.decode()
    assert "Nothing new" in post(manager, "refresh_proforma", draft).content.decode()


def test_a_detail_is_added_by_hand(manager, company, contract, draft):
    line = contract.lines.get()
    typed = {"contract_line": line.pk, "transaction_class": "time", "date": "2025-03-12", "quantity": "1,5"}
    typed |= {"price": "1000", "billing_type": "chargeable", "description": "On site"}
    assert "The detail is added" in post(manager, "add_detail", draft, **typed).content.decode()
    assert LineDetail.objects.by_hand().get().amount == 1500
    typed |= {"transaction_class": "material"}
    assert "Choose a product" in post(manager, "add_detail", draft, **typed).content.decode()


def test_the_header_is_edited_on_the_draft_only(manager, company, draft):
    """PRO-2: with before and after in the audit trail, and with terms of this company only."""
    address = reverse("edit_proforma", args=[draft.pk])
    typed = {"cutoff": "2025-03-31", "accounting_date": "2025-04-01", "bill_to_name": "Group finance"}
    manager.post(address, typed | {"order_reference": "PO-9", "country": "no"})
    draft.refresh_from_db()
    assert (draft.bill_to_name, draft.order_reference, draft.country) == ("Group finance", "PO-9", "NO")
    assert draft.accounting_date == date(2025, 4, 1)
    other = factories.company("HR1", "EUR", books=False)
    answer = manager.post(address, typed | {"payment_term": other.payment_term.pk})
    assert "valid choice" in answer.content.decode()
    refused = manager.post(address, typed | {"cutoff": "soon", "city": "Oslo"}).content.decode()
    assert "Enter a valid date" in refused
    assert 'value="Oslo"' in refused


def test_a_draft_is_submitted_for_review_and_returned_on_its_page(manager, draft):
    """PRO-4"""
    assert "is in review" in post(manager, "submit_proforma", draft).content.decode()
    assert "is a draft again" in post(manager, "return_proforma", draft).content.decode()
    assert "Statuses that allow this: in review" in post(manager, "return_proforma", draft).content.decode()


def test_deleting_a_draft_releases_its_items(manager, draft):
    """PRO-4"""
    answer = post(manager, "delete_proforma", draft)
    assert "2 items are ready to invoice again" in answer.content.decode()
    assert answer.redirect_chain[-1][0] == reverse("proformas")
    assert BacklogItem.objects.ready().count() == 2


def test_an_accountant_confirms_and_nothing_can_be_edited_after_that(client, company, draft):
    """PRO-5"""
    client.force_login(company.accountant)
    words = words_of(client, draft.get_absolute_url())
    assert "an accountant can return it until it is posted" in words
    assert "Submit for review" not in words
    assert "is confirmed and sent" in post(client, "confirm_proforma", draft).content.decode()
    client.force_login(company.manager)
    words = words_of(client, draft.get_absolute_url())
    assert "Remove" not in words
    assert "Its invoice proposal is being created" in words or "Invoice proposal" in words
    detail = LineDetail.objects.on_proforma(draft).first()
    assert client.get(reverse("edit_detail", args=[detail.pk])).status_code == 404
    assert "can&#x27;t be deleted any more" in post(client, "delete_proforma", draft).content.decode()


def test_users_who_cannot_post_after_confirming_are_warned(client, company, draft):
    """SEC-2: for one and for several, with the users who can post; managers never post and get no warning."""
    warning = "not be able to post {} yourself. Another accountant has to post."
    pages = {reverse("proforma", args=[draft.pk]): "its invoice", reverse("proformas"): "their invoices"}

    def warned(user):
        client.force_login(user)
        found = {page: words_of(client, page) for page in pages}
        return [text for page, text in found.items() if warning.format(pages[page]) in text]

    assert warned(company.accountant) == []
    type(company.entity).objects.filter(pk=company.entity.pk).update(separate_confirm_and_post=True)
    assert warned(company.manager) == []
    assert all("Nobody else in this legal entity may post it." in text for text in warned(company.accountant))
    second = factories.UserFactory(first_name="Vera", last_name="Eksempel")
    factories.MembershipFactory(user=second, entity=company.entity, role="accountant")
    found = warned(company.accountant)
    assert len(found) == 2
    assert all("In this legal entity, these people may post it: Vera Eksempel." in text for text in found)


def test_an_auditor_cannot_confirm(client, company, draft):
    client.force_login(company.auditor)
    assert client.post(reverse("confirm_proforma", args=[draft.pk])).status_code == 403


def test_over_a_limit_it_is_confirmed_only_with_permission_and_reason(manager, company, contract, draft):
    """PRO-6: 9,000 against 5,000 is 4,000 over."""
    contract.limit = Decimal(5000)
    contract.save()
    address = reverse("confirm_over_limit", args=[draft.pk])
    words = words_of(manager, draft.get_absolute_url())
    assert "4,000.00" in words
    assert address not in words
    assert manager.get(address).status_code == 403
    assert "permission to override limits" in post(manager, "confirm_proforma", draft).content.decode()

    company.manager.memberships.update(overrides_limits=True)
    assert address in words_of(manager, draft.get_absolute_url())
    assert "This field is required" in manager.post(address, {"reason": ""}).content.decode()
    manager.post(address, {"reason": "The customer agreed by letter"})
    draft.refresh_from_db()
    assert draft.status == Status.CONFIRMED
    assert LimitOverride.objects.get().over == 4000


def test_many_are_confirmed_in_the_background(
    manager, company, contract, draft, foreign, ready, django_capture_on_commit_callbacks
):
    """PRO-5: each has a status, a failed one has its reason, and a notice reports the end."""
    ready(contract, "1", "100")
    empty = drafted(company, contract)
    operations.remove_details(LineDetail.objects.on_proforma(empty), by=company.manager)
    with django_capture_on_commit_callbacks(execute=True):
        keys = [draft.pk, empty.pk, foreign.pk]
        answer = manager.post(reverse("confirm_proformas"), {"pk": keys})
    words = words_of(manager, answer.url)
    assert "1 of 2 proformas confirmed, 1 failed" in words
    assert f"Proforma {empty.number} is empty" in words
    assert foreign.number not in words
    foreign.refresh_from_db()
    assert foreign.status == Status.DRAFT
    notice = Notice.objects.get(user=company.manager)
    assert "1 of 2 proformas confirmed, 1 failed" in notice.text
    assert notice.is_problem
    assert "is empty" in words_of(manager, notice.url)
    assert "failed: Proforma" in words_of(manager, empty.get_absolute_url())
    poll = manager.get(answer.url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in poll
    assert "every 1s" not in poll


def test_the_page_polls_while_proformas_are_confirmed(manager, company, draft):
    job = operations.confirm_many([draft], by=company.manager)
    assert manager.get(reverse("confirming")).url == job.get_absolute_url()
    words = words_of(manager, job.get_absolute_url())
    assert 'hx-trigger="every 1s"' in words
    assert "0 of 1 done" in words


def test_without_a_running_job_the_link_leads_to_the_list(manager, draft):
    answer = manager.get(reverse("confirming"), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("proformas")
    assert "No proformas are being confirmed." in answer.content.decode()


def test_several_drafts_are_submitted_or_deleted(manager, company, contract, draft, ready):
    ready(contract, "1", "100")
    second = drafted(company, contract)
    operations.submit_for_review(second, by=company.manager)
    words = post(manager, "submit_proformas", pk=[draft.pk, second.pk]).content.decode()
    assert "1 proforma submitted for review" in words
    assert "1 in review" in words
    words = post(manager, "delete_proformas", pk=[draft.pk, second.pk]).content.decode()
    assert "2 proformas deleted" in words
    assert not ProformaInvoice.objects.exists()


def test_an_accountant_cannot_delete(client, company, draft):
    client.force_login(company.accountant)
    assert client.post(reverse("delete_proformas"), {"pk": [draft.pk]}).status_code == 403


def test_the_list_adds_up_and_filters(manager, contract, draft):
    words = words_of(manager, reverse("proformas"), {"status": ["draft", "review"]})
    assert "9,000.00" in words
    assert draft.number in words
    assert draft.number not in words_of(manager, reverse("proformas"), {"status": "confirmed"})
    assert draft.number not in words_of(manager, reverse("proformas"), {"run": "4711"})


def test_ready_work_is_shown_before_a_proforma_is_created(manager, company, contract, ready):
    """PRO-1: as of the entity's today, or of the entered day."""
    ready(contract, "8", "1000")
    ready(contract, "1", "500", day=date(2025, 4, 2))
    address = reverse("new_proforma")
    assert "8,500.00" in words_of(manager, address)
    part = manager.get(address, {"cutoff": "2025-03-31"}, headers={"HX-Request": "true"}).content.decode()
    assert "8,000.00" in part
    assert "<html" not in part
    typed = {"cutoff": "2025-03-31", "contracts": [contract.pk]}
    answer = manager.post(address, typed, follow=True)
    (made,) = ProformaInvoice.objects.all()
    assert answer.redirect_chain[-1][0] == made.get_absolute_url()
    assert f"1 proforma created: {made.number}" in answer.content.decode()
    later = "1 ready item is dated after the cutoff, on 2 Apr 2025."
    assert later in answer.content.decode()
    again = manager.post(address, typed).content.decode()
    assert "up to 31 Mar 2025: Nothing was ready to invoice." in again
    assert again.count(later) == 2  # in the refusal, and next to the field of the day
    assert f'value="{contract.pk}" checked' in again


def test_a_double_click_opens_the_drafts(manager, contract, ready):
    """PRO-1"""
    ready(contract)
    typed = {"cutoff": "2025-03-31", "contracts": [contract.pk], "once": "drawn"}
    assert manager.post(reverse("new_proforma"), typed).status_code == 302
    again = manager.post(reverse("new_proforma"), typed, follow=True)
    assert again.redirect_chain[-1][0] == f"{reverse('proformas')}?status=draft"
    assert "This form was already submitted" in again.content.decode()
    assert ProformaInvoice.objects.count() == 1


def test_a_contract_without_ready_work_does_not_stop_the_others(manager, company, contract, ready):
    """PRO-1: the message names the contracts without a proforma and the reason."""
    ready(contract)
    project = factories.ProjectFactory(entity=company.entity, code="IDLE")
    idle = factories.contract(company, confirmed=True, lines=[{"project": project}])
    typed = {"cutoff": "2025-03-31", "contracts": [contract.pk, idle.pk]}
    words = manager.post(reverse("new_proforma"), typed, follow=True).content.decode()
    assert "1 proforma created" in words
    assert f"Contract {idle.code}" in words


def test_no_proforma_is_created_for_contracts_of_others(client, company, foreign, contract):
    client.force_login(company.manager)
    typed = {"cutoff": "2025-03-31", "contracts": [foreign.contract_id]}
    assert "not one of the available choices" in client.post(reverse("new_proforma"), typed).content.decode()
    client.force_login(company.accountant)
    assert client.get(reverse("new_proforma")).status_code == 403


def test_proformas_are_created_from_selected_backlog_rows(manager, company, contract, ready):
    """PRO-1: rows that are not ready are named."""
    first, second = ready(contract, "8", "1000"), ready(contract, "1", "100", status="not_ready")
    ready(contract, "5", "100")
    words = post(manager, "create_from_backlog", pk=[first.pk, second.pk]).content.decode()
    assert "1 proforma created" in words
    assert "1 not marked ready" in words
    assert LineDetail.objects.get().backlog_item == first


def test_many_details_take_as_many_queries_as_few(manager, company, contract, draft, ready):
    def queries(address):
        manager.get(address)
        with CaptureQueriesContext(connection) as found:
            assert manager.get(address).status_code == 200
        return len(found)

    few = queries(draft.get_absolute_url()), queries(reverse("proformas"))
    for n in range(30):
        ready(contract, "1", str(100 + n))
    operations.refresh(draft, by=company.manager)
    for _ in range(4):
        ready(contract, "1", "100")
        drafted(company, contract)
    assert (queries(draft.get_absolute_url()), queries(reverse("proformas"))) == few


def test_proformas_are_created_from_selected_milestones(manager, company, milestone):
    """PRO-1"""
    contract = factories.contract(company, method="fixed", confirmed=True)
    (part,) = milestone(contract.lines.get(), "4000", number=2)
    (waiting,) = milestone(contract.lines.get(), "6000", number=3, status="not_ready")
    words = post(manager, "create_from_milestones", pk=[part.pk, waiting.pk]).content.decode()
    assert "1 proforma created" in words
    assert LineDetail.objects.get().amount == 4000
    refused = post(manager, "create_from_milestones", pk=[waiting.pk]).content.decode()
    assert "None of the selected rows is ready" in refused


def test_two_users_do_not_overwrite_each_others_detail(manager, draft):
    """PRO-3: the later one sees the text of the other, and the input stays."""
    detail = LineDetail.objects.on_proforma(draft).get(description="Design")
    address = reverse("edit_detail", args=[detail.pk])
    form = manager.get(address).context["form"]
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    typed |= {"description": "Design of the bridge"}
    operations.edit_details([detail], by=manager.get(address).wsgi_request.user, quantity=Decimal(5))
    answer = manager.post(address, typed)
    text = answer.content.decode()
    assert "Somebody changed this while you were typing. The new value is: quantity “5" in text
    assert "Design of the bridge" in text
    detail.refresh_from_db()
    assert (detail.quantity, detail.description) == (5, "Design")
    form = answer.context["form"]
    assert manager.post(address, typed | {"seen": form["seen"].value(), "quantity": "5"}).status_code == 302
    detail.refresh_from_db()
    assert (detail.quantity, detail.description) == (5, "Design of the bridge")


def test_two_users_do_not_overwrite_each_others_header(company, manager, draft):
    """PRO-2"""
    address = reverse("edit_proforma", args=[draft.pk])
    form = manager.get(address).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {"city": "Bergen"}
    operations.edit_header(draft, by=company.manager, order_reference="PO-7")
    assert "Somebody changed this while you were typing." in manager.post(address, typed).content.decode()
    draft.refresh_from_db()
    assert (draft.order_reference, draft.city) != ("", "Bergen")
    assert draft.order_reference == "PO-7"


def test_a_posted_proforma_shows_tax_and_status(client):
    """PST-1: number, date, tax, total and status, on its page and in the list. 8 h at 100 with 25 % tax."""
    it = factories.company()
    deal = factories.contract(it, confirmed=True)
    proposal = billing.proposed(it, billing.work(it, deal, hours="8", price="100"))
    invoice = posting.post(proposal, by=it.accountant, on=billing.MARCH_31)
    client.force_login(it.manager)
    listed = reverse("proformas")
    for address in (proposal.proforma.get_absolute_url(), listed, f"{listed}?status=posted"):
        text = " ".join(strip_tags(client.get(address).content.decode()).split())
        for said in (invoice.number, "31 Mar 2025", "200.00", "1,000.00", "Posted"):
            assert said in text, (address, said)
    assert client.get(reverse("proformas") + "?status=confirmed").context["matching"] == 0
