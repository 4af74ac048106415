"""What an entry is priced by is fixed when it is submitted; the price seen is the price made (APP-9)."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils.html import escape

from actuals.models import Actual, Entry
from actuals.operations import recall, submit
from backlog.operations import approve, cancel_approval, confirm_contract
from backlog.previews import preview
from invoicing_site.floor import audit
from invoicing_site.floor.errors import Refused
from tests import factories
from tests.approving import as_listed

MARCH_10, MARCH_12 = date(2025, 3, 10), date(2025, 3, 12)


@pytest.fixture
@factories.remembered
def company(db):
    """A consultant costs 100 and sells for 200, a principal costs 180 and sells for 350, in Oslo for 90."""
    it = factories.company(cost_price=100, sales_price=200)
    it.principal = factories.RoleFactory(entity=it.entity, code="PRINCIPAL", name="Principal")
    it.oslo = factories.OrganizationalUnitFactory(entity=it.entity, code="OSLO", name="Oslo")
    factories.RolePriceFactory(price_list=it.cost_list, role=it.principal, price=Decimal(180))
    factories.RolePriceFactory(price_list=it.sales_list, role=it.principal, price=Decimal(350))
    factories.RolePriceFactory(price_list=it.sales_list, unit=it.oslo, role=it.role, price=Decimal(90))
    return it


@pytest.fixture
@factories.remembered
def contract(company):
    return confirm_contract(factories.contract(company), by=company.manager, on=MARCH_10)


@pytest.fixture
def manager(client, company):
    client.force_login(company.manager)
    return client


@factories.remembered
def submitted(company, **fields):
    fields = {"role": None, "date": MARCH_10, "status": "draft", **fields}
    entry = factories.time_entry(company, "8", **fields)
    return submit([entry], by=company.member)[0]


def promoted(company, day):
    """The resource becomes a principal on that day."""
    factories.ResourcePositionFactory(
        resource=company.resource, valid_from=day, role=company.principal, unit=company.unit
    )


def messages_of(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def facts(type_):
    rows = Actual.objects.filter(type=type_).order_by("pk").select_related("role")
    return [(row.amount, row.role.name) for row in rows]


def test_a_promotion_after_the_day_of_work_changes_nothing(company, contract):
    """APP-9: 8 h of 10 March by a consultant are 1,600, though a principal submits them on 12 March."""
    promoted(company, MARCH_12)
    entry = submitted(company)
    approve([entry], by=company.manager)
    assert facts("cost") == [(Decimal(800), "Consultant")]
    assert facts("unbilled") == [(Decimal(1600), "Consultant")]


def test_work_from_the_day_of_the_promotion_on_is_priced_by_the_new_role(company, contract):
    """APP-9: the newest position on or before the day counts: 8 × 350."""
    promoted(company, MARCH_10)
    entry = submitted(company)
    approve([entry], by=company.manager)
    assert facts("unbilled") == [(Decimal(2800), "Principal")]


@pytest.mark.parametrize("field", ["role", "unit"])
def test_a_changed_resource_changes_nothing_that_was_submitted(company, contract, field):
    """APP-9: neither another role nor another unit of the resource counts between submitting and approval."""
    entry = submitted(company)
    setattr(company.resource, field, {"role": company.principal, "unit": company.oslo}[field])
    company.resource.save()
    assert preview([entry], by=company.manager)[entry.pk].amount == Decimal(1600)
    approve([entry], by=company.manager)
    assert facts("unbilled") == [(Decimal(1600), "Consultant")]


@pytest.mark.parametrize("field", ["role", "unit"])
def test_a_promotion_between_approval_and_confirmation_changes_nothing(company, field):
    """APP-9 CON-6: work billed when a contract is confirmed is priced with the role and unit of its cost."""
    draft = factories.contract(company)
    entry = submitted(company)
    approve([entry], by=company.manager)
    setattr(company.resource, field, {"role": company.principal, "unit": company.oslo}[field])
    company.resource.save()
    confirm_contract(draft, by=company.manager, on=MARCH_12)
    assert facts("unbilled") == [(Decimal(1600), "Consultant")]


def test_a_recall_updates_the_fixed_role_and_a_canceled_approval_does_not(company, contract):
    """APP-9: the role was corrected meanwhile; only submitting again uses it."""
    entry = submitted(company)
    company.resource.role = company.principal
    company.resource.save()
    approve([entry], by=company.manager)
    cancel_approval([entry], by=company.manager)
    entry.refresh_from_db()
    assert (entry.status, entry.priced_role) == ("submitted", company.role)
    recall([entry], by=company.member)
    submit([entry], by=company.member)
    entry.refresh_from_db()
    assert (entry.priced_role, entry.priced_unit, entry.priced_company) == (
        company.principal,
        company.unit,
        company.entity,
    )


def test_the_role_on_the_entry_comes_first(company, contract):
    """APP-9"""
    entry = factories.time_entry(company, "8", role=company.principal, date=MARCH_10, status="draft")
    submit([entry], by=company.member)
    approve([entry], by=company.manager)
    assert facts("unbilled") == [(Decimal(2800), "Principal")]


def made_cheaper(company):
    """The price of a consultant falls from 200 to 90."""
    company.sales_price.price = Decimal(90)
    company.sales_price.save()


def test_one_entry_is_not_approved_at_another_price_than_the_page_showed(company, contract, manager):
    """APP-9: the page says 1,600, 720 would be made: nothing is, and the page says what it is now."""
    entry = submitted(company)
    address = reverse("approval", args=[entry.pk])
    page = manager.get(address)
    assert "1,600.00" in page.content.decode()
    made_cheaper(company)
    answer = manager.post(address, {"terms": page.context["terms"], "billable_quantity": "6"})
    text = answer.content.decode()
    assert "was “200 NOK, chargeable" in text
    assert "is “90 NOK, chargeable" in text
    entry.refresh_from_db()
    assert entry.status == "submitted"
    assert not Actual.objects.exists()
    # The page that answered shows the new price: approving from there makes it.
    manager.post(address, {"terms": answer.context["terms"]})
    assert facts("unbilled") == [(Decimal(720), "Consultant")]


def test_entries_at_another_price_than_shown_are_skipped_and_named(company, contract, manager):
    """APP-9: two were shown at 200, one of them costs 90 now; the other is approved."""
    changed, same = submitted(company), submitted(company)
    page = manager.get(reverse("approvals"))
    assert escape(page.context["terms"]) in page.content.decode()
    Entry.objects.filter(pk=changed.pk).update(priced_unit=company.oslo)
    posted = {"pk": [changed.pk, same.pk], "terms": page.context["terms"], "drawn": page.context["drawn"]}
    answer = manager.post(reverse("approve_entries"), posted)
    assert "1 entry approved" in messages_of(answer)
    assert "1 not at the price that you saw (Anna&#x27;s 8 h of 10 Mar 2025)" in messages_of(answer)
    changed.refresh_from_db()
    assert changed.status == "submitted"
    assert facts("unbilled") == [(Decimal(1600), "Consultant")]


def test_approval_is_refused_when_all_entries_have_another_price(company, contract, manager):
    """APP-9"""
    entry = submitted(company)
    page = manager.get(reverse("approvals"))
    made_cheaper(company)
    posted = {"pk": entry.pk, "terms": page.context["terms"], "drawn": page.context["drawn"]}
    assert "is “90 NOK, chargeable" in messages_of(manager.post(reverse("approve_entries"), posted))
    assert not Actual.objects.exists()


def test_entries_of_other_pages_are_skipped_when_prices_changed_meanwhile(company, contract, manager):
    """APP-9: of what no page showed, nothing is approved once a price list was changed after it was drawn."""
    shown, other = submitted(company), submitted(company)
    page = manager.get(reverse("approvals"), {"_all": "1"})
    posted = {
        "all_matching": "1",
        "stamp": page.context["stamp"],
        "terms": json.dumps({shown.pk: json.loads(page.context["terms"])[str(shown.pk)]}),
        "drawn": page.context["drawn"],
    }
    audit.record("admin.change", company.sales_list, entity=company.entity.code)
    answer = manager.post(reverse("approve_entries"), posted)
    assert "1 entry approved" in messages_of(answer)
    assert "1 not on the page that you saw, and prices have changed since" in messages_of(answer)
    other.refresh_from_db()
    assert other.status == "submitted"


def test_entries_of_other_pages_are_approved_with_all_that_match(company, contract, manager):
    """APP-9 BKL-2: no price was changed since the first page was drawn."""
    shown, other = submitted(company), submitted(company)
    context = manager.get(reverse("approvals"), {"_all": "1"}).context
    posted = {name: context[name] for name in ("stamp", "drawn")} | {"all_matching": "1"}
    posted["terms"] = json.dumps({shown.pk: json.loads(context["terms"])[str(shown.pk)]})
    assert "2 entries approved" in messages_of(manager.post(reverse("approve_entries"), posted))
    other.refresh_from_db()
    assert other.status == "approved"


def test_a_selected_entry_that_was_not_on_the_page_is_skipped(company, contract, manager):
    """APP-9"""
    shown, other = submitted(company), submitted(company)
    posted = as_listed([shown], by=company.manager) | {"pk": [shown.pk, other.pk]}
    answer = manager.post(reverse("approve_entries"), posted)
    assert "1 entry approved" in messages_of(answer)
    assert "1 not on the page that you saw; check again" in messages_of(answer)
    assert "No entry was approved: 1 is not on the page" in messages_of(
        manager.post(reverse("approve_entries"), posted | {"pk": other.pk})
    )
    other.refresh_from_db()
    assert other.status == "submitted"


# Values that no page posts; the last but one is nested deeper than Python can parse.
NOT_TERMS = [None, "", "[", "[1]", '"nul"', "nul", "7", "1" * 5000, "[" * 100_000, '{"x": 1}']


@pytest.mark.parametrize("terms", NOT_TERMS, ids=range(len(NOT_TERMS)))
def test_approval_without_the_prices_of_the_page_approves_nothing(company, contract, manager, terms):
    """APP-9: the page showed 1,600 and approval would make 720; nobody would notice it."""
    entry = submitted(company)
    listed = as_listed([entry], by=company.manager)
    one = reverse("approval", args=[entry.pk])
    seen = {"seen": manager.get(one).context["form"]["seen"].value()}
    made_cheaper(company)
    for posted in (listed, seen):
        posted.pop("terms", None)
        posted |= {} if terms is None else {"terms": terms}

    answer = messages_of(manager.post(reverse("approve_entries"), listed))
    assert "did not include what the list showed" in answer or "is not on the page that you saw" in answer
    page = manager.post(one, seen)
    assert "8 h of 10 Mar 2025 was shown without its price. It is “90 NOK, chargeable" in page.text
    entry.refresh_from_db()
    assert entry.status == "submitted"
    # The page that answered shows the price: approving from there makes it.
    manager.post(one, seen | {"terms": page.context["terms"]})
    assert facts("unbilled") == [(Decimal(720), "Consultant")]


def test_a_contract_that_was_confirmed_meanwhile_counts_as_another_price(company):
    """APP-9 CON-6: the page said cost only, and now the customer would be billed."""
    draft = factories.contract(company)
    entry = submitted(company)
    seen = {entry.pk: preview([entry], by=company.manager)[entry.pk].terms}
    confirm_contract(draft, by=company.manager, on=MARCH_12)
    with pytest.raises(Refused, match="cost only, no contract line"):
        approve([entry], by=company.manager, terms=seen)
    assert not Actual.objects.exists()
