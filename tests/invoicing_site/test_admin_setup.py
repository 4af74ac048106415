"""The administration during the set-up of a company: refusals, choices and messages."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models.constraints import BaseConstraint
from django.test import Client
from django.urls import reverse

from backlog.operations import confirm_contract
from contracts.models import (
    ContractLine,
    ExchangeRate,
    LegalEntity,
    Membership,
    NumberSequence,
    PriceList,
    ProjectContract,
    RolePrice,
)
from invoicing_site.admin.base import LookupAdmin
from invoicing_site.floor import guards
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User
from ledger.models import Account, PostingAccount
from tests import factories
from tests.invoicing_site.test_admin import PAGES, address, posted, sentences, signed_in
from tests.journeys import steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def home():
    return factories.company()


@pytest.fixture
def administrator(home):
    return signed_in(home.administrator)


@pytest.fixture
def superuser(client, admin_user):
    client.force_login(admin_user)
    return client


def edited():
    """Every model that can be edited in the administration, on its own page or on another page."""
    pages = {model: page for model, page in PAGES if not isinstance(page, LookupAdmin)}
    return {*pages, *(inline.model for page in pages.values() for inline in page.inlines)}


def test_every_constraint_of_a_form_has_a_sentence():
    constraints = [each for model in edited() for each in model._meta.constraints]
    raw = BaseConstraint.default_violation_error_message
    assert [each.name for each in constraints if each.violation_error_message == raw] == []
    sentences = {str(each.get_violation_error_message()) for each in constraints}
    assert all(sentence.endswith(".") for sentence in sentences)
    assert len(constraints) > 60


def test_no_help_text_is_the_code_of_a_rule():
    texts = {
        str(field): str(getattr(field, "help_text", "")).replace("SHA-256", "hash")
        for model in apps.get_models()
        for field in model._meta.get_fields()
    }
    assert [name for name, text in texts.items() if re.search("[A-Z]{3}-[0-9]|PO-REQUIRED", text)] == []


def test_a_list_has_the_same_name_in_the_sidebar_and_on_its_page():
    names = {address(model, "changelist"): str(model._meta.verbose_name_plural) for model, _ in PAGES}
    items = [item for group in settings.UNFOLD["SIDEBAR"]["navigation"] for item in group["items"]]
    links = {str(item["link"]): str(item["title"]).lower() for item in items}
    assert links == {link: names[link].lower() for link in links}


def test_an_account_with_postings_cannot_change(administrator, home):
    """PST-6: a control account equals its subledger, so it can't be made another account."""
    contract = factories.contract(home, confirmed=True)
    steps.approved(home, [factories.time_entry(home, date=date(2025, 3, 3))])
    steps.journalled(home)
    [proforma] = steps.drafted(home, contract)
    steps.invoiced(home, proforma)
    account = Account.objects.filter(entity=home.entity, control="customer").get()

    fields = {"kind": "expense", "control": "", "number": "9999", "name": "Debtors"}
    assert posted(administrator, Account, "change", account.pk, fields=fields).status_code == 302
    now = Account.objects.get(pk=account.pk)
    assert (now.kind, now.control, now.number) == (account.kind, "customer", account.number)
    assert now.name == "Debtors"
    page = administrator.get(address(Account, "change", account.pk)).content.decode()
    assert "has postings, so its number, its kind and what it controls can" in page

    now.control = ""
    with pytest.raises(Exception, match="has postings"):
        now.full_clean()
    unused = Account.objects.filter(entity=home.entity, entries=None).first()
    assert posted(administrator, Account, "change", unused.pk, fields={"kind": "equity"}).status_code == 302
    assert Account.objects.get(pk=unused.pk).kind == "equity"


@pytest.mark.parametrize("change", [{"control": ""}, {"kind": "expense"}, {"number": "9999"}])
def test_the_database_refuses_to_change_an_account_with_postings(home, change):
    """PST-3: also without any form."""
    contract = factories.contract(home, confirmed=True)
    steps.approved(home, [factories.time_entry(home, date=date(2025, 3, 3))])
    steps.journalled(home)
    [proforma] = steps.drafted(home, contract)
    steps.invoiced(home, proforma)
    guards.install(connection)
    account = Account.objects.filter(entity=home.entity, control="customer")
    with pytest.raises(IntegrityError, match="carries postings"), transaction.atomic():
        account.update(**change)
    assert account.update(name="Debtors") == 1


def test_no_price_is_negative(administrator, home):
    """PRC-2"""
    where = PriceList, "change", home.sales_list.pk
    answer = posted(administrator, *where, fields={"role_prices-0-price": "-5"})
    assert "A price must be 0 or more." in sentences(answer)
    override = {
        "overrides-TOTAL_FORMS": "1",
        "overrides-0-role_price": home.sales_price.pk,
        "overrides-0-valid_from": "2026-01-01",
        "overrides-0-price": "-5",
    }
    answer = posted(administrator, RolePrice, "change", home.sales_price.pk, fields=override)
    assert "A price must be 0 or more." in sentences(answer)
    markup = {
        "markups-TOTAL_FORMS": "1",
        "markups-0-price_list": home.sales_list.pk,
        "markups-0-name": "Given away",
        "markups-0-percent": "-101",
    }
    assert "A markup must be" in sentences(posted(administrator, *where, fields=markup))
    with pytest.raises(IntegrityError), transaction.atomic():
        RolePrice.objects.filter(pk=home.sales_price.pk).update(price=-1)


def test_prices_are_read_without_six_decimals(administrator, home):
    RolePrice.objects.filter(pk=home.sales_price.pk).update(price=Decimal("1250.5"))
    price = RolePrice.objects.get(pk=home.sales_price.pk)
    assert str(price) == "1,250.5"
    page = administrator.get(address(RolePrice, "change", price.pk)).content.decode()
    assert "1250.500000" not in page
    assert 'value="1250.5"' in page


def test_choices_of_several_companies_name_the_company(superuser, administrator, home):
    """Accounts of two companies have the same number and name."""
    abroad = factories.company("SE1", "SEK")
    ours, theirs = (Account.objects.filter(entity=one.entity).first() for one in (home, abroad))
    asked = {"app_label": "ledger", "model_name": "postingaccount", "field_name": "account"}

    def found(client, **more):
        answer = client.get(reverse("admin:autocomplete"), {**asked, "term": ours.number, **more})
        return [row["text"] for row in answer.json()["results"]]

    assert set(found(superuser)) == {f"NO1 · {ours}", f"SE1 · {theirs}"}
    assert found(superuser, legal_entity=abroad.entity.pk) == [f"SE1 · {theirs}"]
    assert found(administrator) == [str(ours)]

    row = PostingAccount.objects.filter(entity=abroad.entity).first()
    page = superuser.get(address(PostingAccount, "change", row.pk)).content.decode()
    assert f"/admin/autocomplete/?legal_entity={abroad.entity.pk}" in page
    assert f"SE1 · {row.account}" in page


def test_a_customer_of_a_contract_is_offered_by_name(administrator, home):
    contract = factories.contract(home)
    asked = {"app_label": "contracts", "model_name": "linecustomer", "field_name": "contract_customer"}
    rows = administrator.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert [row["text"] for row in rows] == [f"{contract.code} · {home.customer}"]


def test_a_posting_account_needs_an_existing_class(administrator, home):
    row = PostingAccount.objects.filter(entity=home.entity).first()
    answer = posted(administrator, PostingAccount, "change", row.pk, fields={"transaction_class": "xyz"})
    assert "Select a valid choice" in sentences(answer)


def test_an_exchange_rate_is_another_currencys_and_near_the_last_one(administrator, home):
    """MON-8: a value that differs by a power of ten must be confirmed."""

    def added(**fields):
        row = {"currency": "EUR", "valid_from": "2026-03-01", "rate": "11.60", **fields}
        return posted(administrator, ExchangeRate, "add", fields=row)

    assert "NOK is " in sentences(added(currency="NOK", rate="2"))
    ExchangeRate.objects.filter(currency="EUR").delete()
    assert added().status_code == 302
    far = {"valid_from": "2026-04-01", "rate": "116.01"}
    assert "Check it, and tick" in sentences(added(**far))
    assert "Check it, and tick" in sentences(added(**far | {"rate": "1.15"}))
    assert added(**far | {"rate": "116"}).status_code == 302
    assert added(valid_from="2026-05-01", rate="1161", is_sure="on").status_code == 302


def test_a_line_with_a_frequency_gets_its_invoice_days_with_the_confirming(home):
    """SCH-1"""
    contract = factories.contract(home)
    line = contract.lines.get()
    frequency = factories.InvoiceFrequencyFactory(entity=home.entity, rhythm="monthly", days="1")
    ContractLine.objects.filter(pk=line.pk).update(frequency=frequency, billing_starts=None, starts=None)
    ProjectContract.objects.filter(pk=contract.pk).update(starts=None, ends=date(2025, 3, 31))
    with pytest.raises(Refused, match="has no schedule yet: enter a billing start first"):
        confirm_contract(contract, by=home.manager)
    ContractLine.objects.filter(pk=line.pk).update(billing_starts=date(2025, 2, 1))
    confirm_contract(contract, by=home.manager)
    assert [each.run_date for each in line.schedule.order_by("run_date")] == [
        date(2025, 2, 1),
        date(2025, 3, 1),
        date(2025, 4, 1),
    ]


def test_a_line_that_was_confirmed_without_invoice_days_gets_them(administrator, home):
    """SCH-1, CON-10"""
    contract = factories.contract(home, confirmed=True)
    line = contract.lines.get()
    frequency = factories.InvoiceFrequencyFactory(entity=home.entity, rhythm="monthly", days="1")
    ContractLine.objects.filter(pk=line.pk).update(frequency=frequency, billing_starts=None, starts=None)
    confirmed = home.entity.today()
    ProjectContract.objects.filter(pk=contract.pk).update(starts=None, ends=confirmed + timedelta(days=70))
    chosen = {"action": "plan_invoice_days", "_selected_action": [line.pk]}
    answer = administrator.post(address(ContractLine, "changelist"), chosen, follow=True)
    assert " planned." in answer.content.decode()
    assert line.schedule.count() >= 3
    assert line.schedule.earliest("run_date").run_date >= contract.confirmed_at.date()


def test_a_company_keeps_an_administrator(administrator, home):
    """SEC-1"""
    [own] = Membership.objects.filter(entity=home.entity, role="administrator")
    sentence = f"The last billing administrator of {home.entity}"
    answer = posted(administrator, Membership, "change", own.pk, fields={"role": "auditor"})
    assert sentence in sentences(answer)
    gone = administrator.post(address(Membership, "delete", own.pk), {"post": "yes"}, follow=True)
    assert sentence in sentences(gone)
    chosen = {"action": "delete_selected", "_selected_action": [own.pk], "post": "yes"}
    administrator.post(address(Membership, "changelist"), chosen)
    assert sentence in sentences(posted(administrator, User, "change", own.user_id, fields={"is_active": ""}))
    formset = {
        f"memberships-{n}-DELETE": "on" for n in range(Membership.objects.filter(entity=home.entity).count())
    }
    assert sentence in sentences(posted(administrator, LegalEntity, "change", home.entity.pk, fields=formset))
    assert Membership.objects.filter(pk=own.pk, role="administrator", user__is_active=True).exists()

    other = factories.MembershipFactory(entity=home.entity, role="administrator")
    User.objects.filter(pk=other.user_id).update(is_staff=True)
    page = administrator.get(address(Membership, "delete", own.pk)).content.decode()
    assert f"{home.administrator}, billing administrator of {home.entity}" in page
    another = Client()  # nobody gives themselves a role
    another.force_login(User.objects.get(pk=other.user_id))
    answer = posted(another, Membership, "change", own.pk, fields={"role": "auditor"})
    assert answer.status_code == 302


def test_the_code_of_a_company_finds_its_rows(superuser, home):
    factories.company("SE1", "SEK")
    for model in (Membership, PostingAccount, Account, NumberSequence, ContractLine):
        rows = superuser.get(address(model, "changelist") + "?q=SE1").context["cl"].result_list
        assert {row.contract.entity.code if model is ContractLine else row.entity.code for row in rows} <= {
            "SE1"
        }
        assert len(rows) == (0 if model is ContractLine else model.objects.filter(entity__code="SE1").count())
        page = superuser.get(address(model, "changelist")).content.decode()
        assert model is ContractLine or ">SE1<" in page.replace("\n", "").replace(" ", "")


def test_a_used_sequence_changes_its_format_between_two_years(administrator, home):
    """MON-7"""
    sequence = NumberSequence.objects.get(entity=home.entity, kind="invoice")
    year = home.entity.fiscal_year(home.entity.today())
    NumberSequence.objects.filter(pk=sequence.pk).update(format="INV-{year}-{seq:06}")
    counter = sequence.counters.create(year=year, last=4, last_date=home.entity.today())
    where = NumberSequence, "change", sequence.pk

    answer = posted(administrator, *where, fields={"format": "F-{year}-{seq:06}"})
    assert f"INV-{year}-000004 is already used" in sentences(answer)
    answer = posted(administrator, *where, fields={"format": "INV-{seq:06}"})
    assert "only if the old and the new one both have {year}" in sentences(answer)
    page = administrator.get(address(NumberSequence, "changelist")).content.decode()
    assert f"INV-{year}-000004" in page

    type(counter).objects.filter(pk=counter.pk).update(year=year - 1)
    assert posted(administrator, *where, fields={"format": "F-{year}-{seq:06}"}).status_code == 302


def test_a_code_is_unique_in_its_company_after_a_change_too(administrator, home):
    first, second = Account.objects.filter(entity=home.entity)[:2]
    answer = posted(administrator, Account, "change", second.pk, fields={"number": first.number})
    assert "Another account of this legal entity already has this number." in sentences(answer)


def test_errors_in_rows_are_listed_at_the_top_with_their_field(administrator):
    answer = posted(administrator, User, "add", fields={"username": "new", "email": "new@example.com"})
    messages = [str(message) for message in answer.context["messages"]]
    assert "Memberships, row 1: Role: This field is required." in messages


def test_a_new_contract_and_its_lines_get_their_defaults(administrator, home):
    """CON-1, PRC-6"""
    fields = {
        "code": "C-NEW",
        "name": "New",
        "currency": "NOK",
        "customers-TOTAL_FORMS": "1",
        "customers-0-customer": home.customer.pk,
        "customers-0-is_primary": "on",
        "customers-0-is_rounding": "on",
        "customers-0-split": "100",
        "contract_price_lists-TOTAL_FORMS": "0",
        "lines-TOTAL_FORMS": "1",
        "lines-0-number": "1",
        "lines-0-name": "Hours",
        "lines-0-billing_method": "tm",
        "lines-0-project": home.project.pk,
        "lines-0-entire_project": "on",
    }
    answer = posted(administrator, ProjectContract, "add", fields=fields)
    assert answer.status_code == 302, json.dumps([str(m) for m in answer.context["messages"]])
    contract = ProjectContract.objects.get(code="C-NEW")
    [share] = contract.lines.get().customers.all()
    assert (share.contract_customer.customer, share.split, share.is_rounding) == (home.customer, 100, True)
    assert contract.contract_price_lists.get().price_list == home.sales_list
    confirm_contract(contract, by=home.manager)


def test_confirming_warns_of_milestones_without_tax(client, home):
    """PST-4"""
    contract = factories.contract(home, lines=[{"method": "fixed"}])
    line = contract.lines.get()
    if not line.milestones.exists():
        factories.MilestoneFactory(line=line, amount=line.contract_amount)
    LegalEntity.objects.filter(pk=home.entity.pk).update(milestone_item_tax_group=None)
    client.force_login(home.manager)
    answer = client.post(reverse("confirm_contract", args=[contract.pk]), follow=True)
    contract.refresh_from_db()
    assert contract.status == "confirmed"
    assert "has no item tax group for milestones" in answer.content.decode()


def test_statuses_are_not_in_capitals(administrator, home):
    page = administrator.get(address(PriceList, "changelist")).content.decode()
    label = re.search(r'<span class="([^"]*)"[^>]*>\s*sales\s*</span>', page)
    assert "uppercase" not in label.group(1)


def test_prices_of_a_list_in_use_are_read_only(administrator, home):
    """PRC-5"""
    factories.contract(home, confirmed=True)
    page = administrator.get(address(RolePrice, "change", home.sales_price.pk))
    assert "price" not in page.context["adminform"].form.fields
    assert "so its prices can" in page.content.decode()
    rows = administrator.get(address(PriceList, "change", home.sales_list.pk)).content.decode()
    assert 'name="role_prices-0-price"' not in rows
    assert 'name="role_prices-TOTAL_FORMS"' in rows


def test_every_page_that_searches_finds_by_the_company():
    for model, page in PAGES:
        path = page.entity_path
        if page.has_one_entity and path != "pk" and page.search_fields:
            assert f"{path}__code" in page.get_search_fields(None), model
