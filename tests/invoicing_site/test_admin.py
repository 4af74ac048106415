"""The administration: who sees what, which changes are recorded, and what cannot change."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import Customer, LegalEntity, Membership, PriceList, ProjectContract, RolePrice
from invoicing_site.admin.base import LookupAdmin
from invoicing_site.models import AuditEvent, Notice, User
from ledger.models import FiscalPeriod, FiscalYear, TaxCode, Voucher
from tests import factories
from tests.journeys import steps

pytestmark = pytest.mark.django_db

PAGES = [(model, page) for model, page in admin.site._registry.items()]
LABELS = [model._meta.label_lower for model, _ in PAGES]


def address(model, what, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def signed_in(user):
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    client = Client()
    client.force_login(user)
    return client


def posted(client, model, what, *args, fields):
    """Post the form of the page with some fields changed."""
    where = address(model, what, *args)
    page = client.get(where)
    assert page.status_code == 200
    form = {}
    context = page.context["adminform"].form, *(f.formset for f in page.context["inline_admin_formsets"])
    for part in context:
        forms = [part] if not hasattr(part, "management_form") else [part.management_form, *part.forms]
        for one in forms:
            for bound in one:
                value = bound.value()
                if isinstance(value, (list, tuple)):
                    form[bound.html_name] = [str(getattr(v, "pk", v)) for v in value]
                elif value is not None and value is not False:
                    form[bound.html_name] = str(value)
    return client.post(where, {**form, **fields})


def sentences(response):
    """The refusals on the page, as one text."""
    assert response.status_code == 200, "It was saved."
    return response.content.decode()


@pytest.fixture
def home():
    return factories.company()


@pytest.fixture
def administrator(home):
    return signed_in(home.administrator)


@pytest.fixture
def abroad():
    return factories.company("SE1", "SEK", books=False)


@pytest.fixture
@factories.remembered
def billed(home):
    """An hour that was invoiced and posted, so that most tables have a row."""
    contract = factories.contract(home)
    steps.confirmed(contract, home)
    steps.approved(home, [factories.time_entry(home, date=date(2025, 3, 3))])
    steps.journalled(home)
    [proforma] = steps.drafted(home, contract)
    return steps.invoiced(home, proforma)


def test_every_list_and_page_opens_for_an_administrator(administrator, home, billed):
    """SEC-1"""
    wrong = []
    for model, _ in PAGES:
        pages = [address(model, "changelist") + "?q=x"]
        if row := model._default_manager.first():
            pages.append(address(model, "change", row.pk))
        wrong += [page for page in pages if administrator.get(page).status_code not in (200, 302)]
        adds = administrator.get(address(model, "add")).status_code
        if adds != (200 if admin.site._registry[model].has_add_permission(_asking(home)) else 403):
            wrong.append((model, adds))
    assert wrong == []


def _asking(home):
    class Request:
        user = home.administrator

    return Request()


def test_a_long_list_runs_as_many_queries_as_a_short_one(client, admin_user, home, abroad):
    """Lists of 2 and of 12 rows."""
    client.force_login(admin_user)

    def cost(model):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address(model, "changelist")).status_code == 200
        return len(queries)

    _in_numbers(home, 2)
    few = {model: (cost(model), model._default_manager.count()) for model, _ in PAGES}
    _in_numbers(home, 10)
    grown = {model for model, (_, rows) in few.items() if model._default_manager.count() >= rows + 10}
    dearer = {model: (few[model][0], now) for model in few if (now := cost(model)) > few[model][0]}
    assert dearer == {}
    assert len(grown) >= 35


def _in_numbers(home, n):
    """This number of rows of nearly every model, each with its own contract, project and invoice."""
    entity, work = home.entity, []
    for _ in range(n):
        project = factories.ProjectFactory(entity=entity, group=factories.ProjectGroupFactory(entity=entity))
        project.managers.add(home.manager)
        contract = factories.contract(home, lines=[{"project": project}])
        factories.ScheduleEntryFactory(line=contract.lines.get())
        steps.confirmed(contract, home)
        task = factories.TaskFactory(project=project)
        work.append((contract, factories.time_entry(home, project=project, task=task)))
        draft = factories.contract(home, lines=[{"method": "fixed"}])
        factories.RetainerFactory(contract_customer=draft.customers.get())
        price_list = factories.PriceListFactory(entity=entity, contract=draft)
        factories.RolePriceFactory(price_list=price_list, role=home.role)
        factories.customer(home)
        factories.ResourceFactory(entity=entity, role=home.role, unit=home.unit)
        factories.ProductFactory(entity=entity, item_tax_group=home.item_tax_group)
        factories.CategoryFactory(entity=entity, item_tax_group=home.item_tax_group)
        factories.MembershipFactory(entity=entity)
        for maker in (
            factories.RoleFactory,
            factories.PaymentTermFactory,
            factories.OrganizationalUnitFactory,
            factories.InvoiceFrequencyFactory,
            factories.BillingTaxGroupFactory,
            factories.ItemTaxGroupFactory,
        ):
            maker(entity=entity)
    steps.approved(home, [entry for _, entry in work])
    steps.journalled(home)
    for contract, _ in work:
        [proforma] = steps.drafted(home, contract)
        steps.invoiced(home, proforma)


def test_rows_of_another_entity_are_not_found(administrator, home, abroad):
    """SEC-1"""
    stranger = abroad.customer
    shown = administrator.get(address(Customer, "changelist"))
    assert list(shown.context["cl"].result_list) == [home.customer]
    away = administrator.get(address(Customer, "change", stranger.pk))
    assert (away.status_code, away.url) == (302, "/admin/")
    found = administrator.get(
        reverse("admin:autocomplete"),
        {"app_label": "contracts", "model_name": "projectcontract", "field_name": "unit"},
    )
    assert [row["id"] for row in found.json()["results"]] == [str(home.unit.pk)]

    answer = posted(
        administrator, Customer, "change", home.customer.pk, fields={"payment_term": abroad.payment_term.pk}
    )
    assert "Select a valid choice" in sentences(answer)


def test_not_even_a_superuser_links_rows_of_two_entities(client, admin_user, home, abroad):
    client.force_login(admin_user)
    answer = posted(
        client, Customer, "change", home.customer.pk, fields={"payment_term": abroad.payment_term.pk}
    )
    assert f"belongs to {abroad.entity}: choose one of {home.entity}" in sentences(answer)


def test_an_auditor_can_read_and_not_change(home):
    """SEC-1"""
    auditor = signed_in(home.auditor)
    where = address(Customer, "change", home.customer.pk)
    assert auditor.get(where).status_code == 200
    assert auditor.post(where, {"name": "Mine"}).status_code == 403
    assert auditor.get(address(Customer, "add")).status_code == 403
    assert auditor.post(address(Customer, "delete", home.customer.pk), {"post": "yes"}).status_code == 403
    assert signed_in(home.manager).get(address(Customer, "changelist")).status_code == 403


def test_users_of_two_companies_are_changed_by_superusers_only(administrator, home, abroad):
    """SEC-1: users with another company, and superusers, are changed by superusers only."""
    both = abroad.member
    factories.MembershipFactory(user=both, entity=home.entity)
    password = "admin:auth_user_password_change"
    assert administrator.get(address(User, "change", both.pk)).status_code == 200
    for person in (both,):
        assert administrator.get(reverse(password, args=[person.pk])).status_code == 403
    assert administrator.get(reverse(password, args=[home.member.pk])).status_code == 200
    answer = posted(administrator, User, "change", home.member.pk, fields={"is_superuser": "on"})
    assert answer.status_code == 302
    home.member.refresh_from_db()
    assert not home.member.is_superuser


def test_business_rows_are_read_only(client, admin_user):
    client.force_login(admin_user)
    lookups = [model for model, page in PAGES if isinstance(page, LookupAdmin)]
    assert {Voucher, AuditEvent} <= set(lookups)
    for model in lookups:
        page = admin.site._registry[model]
        assert client.get(address(model, "add")).status_code == 403
        assert not page.has_change_permission(None)
        assert not page.has_delete_permission(None)


def test_a_change_is_recorded_with_before_and_after(administrator, home):
    """SEC-3"""
    answer = posted(
        administrator,
        Customer,
        "change",
        home.customer.pk,
        fields={
            "name": "Renamed",
            "payment_term": "",
            "contacts-TOTAL_FORMS": "1",
            "contacts-0-customer": home.customer.pk,
            "contacts-0-name": "Kari",
            "contacts-0-email": "kari@example.com",
        },
    )
    assert answer.status_code == 302
    event = AuditEvent.objects.get(action="contracts.change_customer")
    assert (event.by, event.entity, event.subject_id) == (
        home.administrator,
        "NO1",
        str(home.customer.pk),
    )
    assert event.detail["before"]["payment_term"] == f"30 days (#{home.payment_term.pk})"
    assert event.detail["after"] == {"name": "Renamed", "payment_term": None}
    [row] = event.detail["rows"]
    assert (row["what"], row["after"]["email"]) == ("added", "kari@example.com")

    administrator.post(address(Customer, "delete", home.customer.pk), {"post": "yes"})
    event = AuditEvent.objects.get(action="contracts.delete_customer")
    assert event.detail["before"]["name"] == "Renamed"
    assert [row["what"] for row in event.detail["rows"]] == ["deleted"]
    assert administrator.get(address(Customer, "history", 0)).status_code == 302


def test_a_rate_and_its_change_and_many_deletions_are_recorded(administrator, home):
    """SEC-3"""
    code = TaxCode.objects.filter(rates__percent=25).first()
    answer = posted(administrator, TaxCode, "change", code.pk, fields={"rates-0-percent": "24"})
    assert answer.status_code == 302
    [row] = AuditEvent.objects.get(action="ledger.change_tax_code").detail["rows"]
    assert (row["what"], Decimal(row["before"]["percent"]), row["after"]) == (
        "changed",
        Decimal(25),
        {"percent": "24"},
    )
    groups = [factories.ProjectGroupFactory(entity=home.entity) for _ in range(2)]
    administrator.post(
        address(type(groups[0]), "changelist"),
        {"action": "delete_selected", "_selected_action": [g.pk for g in groups], "post": "yes"},
    )
    assert AuditEvent.objects.filter(action="contracts.delete_project_group").count() == 2


def test_administrators_cannot_set_the_password_of_another_user(
    administrator, home, mailoutbox, django_capture_on_commit_callbacks
):
    """SEC-1, SEC-3: an administrator could set the password of an accountant, and sign in as that user."""
    person = home.accountant
    person.email = "accountant@example.com"
    person.set_password("what they know 1815")
    person.save()
    where = reverse("admin:auth_user_password_change", args=[person.pk])
    new = {"password1": "a-long-new-secret-1", "password2": "a-long-new-secret-1", "usable_password": "true"}
    with django_capture_on_commit_callbacks(execute=True):
        assert administrator.post(where, {**new, "set-password": "1"}).status_code == 302
    person.refresh_from_db()
    assert person.check_password("what they know 1815")

    (mail,) = mailoutbox
    assert mail.to == ["accountant@example.com"]
    assert "/password/choose/" in mail.body
    event = AuditEvent.objects.get(action="invoicing_site.send_password_link")
    assert (event.by, event.subject_id) == (home.administrator, str(person.pk))
    assert event.detail == {"to": "accountant@example.com"}
    both = set(Notice.objects.filter(text__contains="link to choose").values_list("user", flat=True))
    assert both == {person.pk, home.administrator.pk}


def test_a_new_person_chooses_their_own_password(
    administrator, home, mailoutbox, django_capture_on_commit_callbacks
):
    """SEC-1: the creator of a user does not know the password, even if they post one."""
    fields = {
        "username": "new",
        "email": "new@example.com",
        "language": "en",
        "usable_password": "true",
        "password1": "a-long-secret-1",
        "password2": "a-long-secret-1",
        "memberships-TOTAL_FORMS": "1",
        "memberships-0-entity": home.entity.pk,
        "memberships-0-role": "accountant",
    }
    with django_capture_on_commit_callbacks(execute=True):
        assert posted(administrator, User, "add", fields=fields).status_code == 302
    person = User.objects.get(username="new")
    assert not person.has_usable_password()
    assert [mail.to for mail in mailoutbox] == [["new@example.com"]]

    link = re.search(r"http://testserver(/password/choose/\S+)", mailoutbox[0].body)[1]
    stranger = Client()
    page = stranger.get(link, follow=True)
    form = {"new_password1": "mine alone 1815", "new_password2": "mine alone 1815"}
    assert stranger.post(page.redirect_chain[-1][0], form).status_code == 302
    person.refresh_from_db()
    assert person.check_password("mine alone 1815")
    assert AuditEvent.objects.get(action="invoicing_site.choose_password").by == person
    dead = Client().get(link, follow=True).content.decode()
    assert "is no longer valid" in dead
    assert "If you have just chosen a password, sign in with it." in dead
    assert "as it was" not in dead


@pytest.mark.parametrize("old", ["", "old@example.com"])
def test_nobody_can_change_the_address_of_another_user_with_a_password(administrator, home, old):
    """SEC-1: an administrator could enter their own address for an accountant, and get the link."""
    home.accountant.set_password("what they know 1815")
    home.accountant.email = old
    home.accountant.save()
    fields = {"email": "mallory@example.com"}
    answer = posted(administrator, User, "change", home.accountant.pk, fields=fields)
    assert "can change this address" in sentences(answer)
    home.accountant.refresh_from_db()
    assert home.accountant.email == old


def test_the_address_of_somebody_without_a_password_is_corrected(
    administrator, home, mailoutbox, django_capture_on_commit_callbacks
):
    """SEC-3: both addresses get a message, and both people a notice."""
    home.member.set_unusable_password()
    home.member.email = "tpyo@example.com"
    home.member.save()
    with django_capture_on_commit_callbacks(execute=True):
        fields = {"email": "typo@example.com"}
        assert posted(administrator, User, "change", home.member.pk, fields=fields).status_code == 302
    assert [mail.to for mail in mailoutbox] == [["tpyo@example.com"], ["typo@example.com"]]
    text = f"{home.administrator} changed the email address of {home.member} from tpyo@example.com"
    notices = Notice.objects.filter(text__startswith=text)
    assert set(notices.values_list("user", flat=True)) == {home.member.pk, home.administrator.pk}


def invited(home, **fields):
    """An accountant who has not chosen a password yet."""
    user = factories.UserFactory(email="vera@example.com")
    user.set_unusable_password()
    user.save()
    return factories.MembershipFactory(user=user, entity=home.entity, **fields).user


@pytest.mark.parametrize("role", ["accountant", "administrator", "manager", "member"])
@pytest.mark.parametrize("extra", [False, True])
def test_administrators_and_auditors_are_notified_of_a_first_link(administrator, home, role, extra):
    """SEC-1, SEC-3: an administrator could take over the account of an invited accountant unnoticed."""
    person = invited(home, role=role, overrides_limits=extra)
    anna = factories.MembershipFactory(entity=home.entity, role="administrator").user
    gone = factories.MembershipFactory(entity=home.entity, role="auditor", user__is_active=False).user
    watching = {home.administrator.pk, anna.pk}
    if extra or role in ("accountant", "administrator"):
        watching |= {home.accountant.pk, home.auditor.pk}

    fields = {"email": "mallory@example.com"}
    assert posted(administrator, User, "change", person.pk, fields=fields).status_code == 302
    changed = (
        f"{home.administrator} changed the email address of {person} from vera@example.com to "
        "mallory@example.com."
    )
    assert set(Notice.objects.filter(text=changed).values_list("user", flat=True)) == {person.pk, *watching}

    where = reverse("admin:auth_user_password_change", args=[person.pk])
    assert "the people who are notified of their roles get a notice" in administrator.get(where).text
    assert administrator.post(where).status_code == 302
    sent = f"{home.administrator} sent {person} a link to choose a password, to mallory@example.com."
    assert set(Notice.objects.filter(text=sent).values_list("user", flat=True)) == {person.pk, *watching}
    assert not Notice.objects.filter(user=gone).exists()
    event = AuditEvent.objects.get(action="invoicing_site.change_user")
    assert (event.by, event.detail["before"], event.detail["after"]) == (
        home.administrator,
        {"email": "vera@example.com"},
        {"email": "mallory@example.com"},
    )


def test_users_of_each_company_are_notified(client, admin_user, home, abroad):
    """SEC-3: a user of two companies is changed by a superuser."""
    person = invited(home, role="accountant")
    factories.MembershipFactory(user=person, entity=abroad.entity, role="member")
    client.force_login(admin_user)
    posted(client, User, "change", person.pk, fields={"email": "v@example.com"})
    notified = set(Notice.objects.filter(text__contains="v@example.com").values_list("user", flat=True))
    here = {home.administrator.pk, home.accountant.pk, home.auditor.pk}
    assert notified == {person.pk, admin_user.pk, *here, abroad.administrator.pk}


def own_membership(home):
    return home.administrator.memberships.get(entity=home.entity)


def test_users_cannot_give_themselves_a_role(administrator, home):
    """SEC-1: an administrator could make themselves an accountant who can exceed limits."""
    refusal = "You can't give yourself a role or a permission."
    mine = {"user": home.administrator.pk, "entity": home.entity.pk, "role": "accountant"}
    pages = [
        (Membership, "add", None, mine),
        (Membership, "change", own_membership(home).pk, {"role": "accountant"}),
        (Membership, "change", own_membership(home).pk, {"overrides_limits": "on"}),
    ]
    row = {"memberships-TOTAL_FORMS": "2", "memberships-1-role": "accountant"}
    rows = {**row, "memberships-1-entity": home.entity.pk}
    pages.append((User, "change", home.administrator.pk, rows))
    factories.MembershipFactory(entity=home.entity, role="administrator", user__first_name="Anna")
    count = home.entity.memberships.count()
    rows = {
        "memberships-TOTAL_FORMS": count + 1,
        f"memberships-{count}-user": home.administrator.pk,
        f"memberships-{count}-role": "accountant",
    }
    pages.append((LegalEntity, "change", home.entity.pk, rows))
    place = list(home.entity.memberships.values_list("user", flat=True)).index(home.accountant.pk)
    moved = {f"memberships-{place}-user": home.administrator.pk}
    for model, verb, pk, fields in pages:
        answer = posted(administrator, model, verb, *([pk] if pk else []), fields=fields)
        assert answer.status_code == 200, (model, verb)
        assert refusal in answer.content.decode().replace("&#x27;", "'"), (model, verb)
    answer = posted(administrator, LegalEntity, "change", home.entity.pk, fields=moved)
    assert "move a membership to another person" in sentences(answer)
    assert [*home.administrator.memberships.values_list("role", "overrides_limits")] == [
        ("administrator", False)
    ]


def test_a_role_is_given_by_another_and_both_are_notified(administrator, home):
    """SEC-3: accountants, administrators and auditors are notified too."""
    anna = factories.MembershipFactory(entity=home.entity, role="administrator").user
    fields = {
        "user": home.member.pk,
        "entity": home.entity.pk,
        "role": "accountant",
        "overrides_limits": "on",
    }
    assert posted(administrator, Membership, "add", fields=fields).status_code == 302
    sentence = (
        f"{home.administrator} gave {home.member} the role project accountant in {home.entity}, and the "
        "permission to override limits."
    )
    notices = Notice.objects.filter(text=sentence)
    watching = {home.administrator.pk, anna.pk, home.accountant.pk, home.auditor.pk}
    assert set(notices.values_list("user", flat=True)) == {home.member.pk, *watching}
    assert AuditEvent.objects.filter(action="contracts.add_membership", by=home.administrator).exists()


@pytest.mark.parametrize(
    ("fields", "now"),
    [
        ({"role": "manager"}, "project manager now, with no extra permission"),
        (
            {"sees_costs": "on", "overrides_limits": "on"},
            "project member now, with the permission to override limits and to see costs",
        ),
    ],
)
def test_a_notice_names_the_changed_role(administrator, home, fields, now):
    """SEC-3"""
    one = home.member.memberships.get()
    assert posted(administrator, Membership, "change", one.pk, fields=fields).status_code == 302
    sentence = f"{home.administrator} changed the role of {home.member} in {home.entity}: it is {now}."
    assert Notice.objects.filter(text=sentence, user=home.member).exists()


@pytest.mark.parametrize("server", ["mail.example.com", ""])
def test_the_page_names_the_address_of_the_link(administrator, home, settings, server):
    """SEC-3: without a mail server in a folder; a new user has no old password"""
    settings.EMAIL_HOST = server
    home.member.email = "member@example.com"
    home.member.save()
    where = reverse("admin:auth_user_password_change", args=[home.member.pk])
    shown = administrator.get(where).content.decode()
    assert ("mail folder of the server" in shown) == (not server)
    assert "The old password works until then." in shown
    home.member.set_unusable_password()
    home.member.save()
    assert "The old password works until then." not in administrator.get(where).content.decode()
    said = administrator.post(where, follow=True).content.decode()
    if server:
        assert f"A link to choose a password was sent to {home.member.email}." in said
    else:
        assert "was written to the mail folder of the server" in said
    assert ("mail folder" in Client().get("/password/forgotten/sent/").content.decode()) == (not server)


def test_users_can_remove_their_own_role(administrator, home):
    extra = factories.MembershipFactory(user=home.administrator, entity=home.entity, role="member")
    Membership.objects.filter(pk=extra.pk).update(sees_costs=True)
    answer = posted(administrator, Membership, "change", extra.pk, fields={"sees_costs": ""})
    assert answer.status_code == 302
    extra.refresh_from_db()
    assert not extra.sees_costs


def test_a_price_list_in_use_is_extended_but_no_price_changes(administrator, home):
    """PRC-5; style: frozen in the admin once a confirmed contract uses it."""
    contract = factories.contract(home)
    prices = {"role_prices-0-price": "210"}
    assert posted(administrator, PriceList, "change", home.sales_list.pk, fields=prices).status_code == 302
    steps.confirmed(contract, home)

    posted(administrator, PriceList, "change", home.sales_list.pk, fields={"role_prices-0-price": "1"})
    posted(administrator, RolePrice, "change", home.sales_price.pk, fields={"price": "1"})
    assert RolePrice.objects.get(pk=home.sales_price.pk).price == Decimal(210)
    answer = posted(
        administrator, PriceList, "change", home.sales_list.pk, fields={"valid_from": "2025-02-02"}
    )
    assert "Only its name and its last day can be changed" in sentences(answer)
    new_role = {
        "role_prices-TOTAL_FORMS": "2",
        "role_prices-1-price_list": home.sales_list.pk,
        "role_prices-1-role": home.role.pk,
        "role_prices-1-price": "5",
    }
    answer = posted(administrator, PriceList, "change", home.sales_list.pk, fields=new_role)
    assert "the list already has a price for this work" in sentences(answer)
    gone = administrator.post(address(PriceList, "delete", home.sales_list.pk), {"post": "yes"}, follow=True)
    assert f"is used by confirmed contract {contract.code}, so its prices can" in sentences(gone)

    later = {"valid_to": "2030-12-31"}
    assert posted(administrator, PriceList, "change", home.sales_list.pk, fields=later).status_code == 302
    override = {
        "overrides-TOTAL_FORMS": "1",
        "overrides-0-role_price": home.sales_price.pk,
        "overrides-0-valid_from": "2026-01-01",
        "overrides-0-price": "230",
    }
    answer = posted(administrator, RolePrice, "change", home.sales_price.pk, fields=override)
    assert answer.status_code == 302
    price = RolePrice.objects.get(pk=home.sales_price.pk)
    assert (price.price, price.overrides.get().price) == (Decimal(210), Decimal(230))
    posted(administrator, RolePrice, "change", price.pk, fields={"overrides-0-price": "9"})
    assert price.overrides.get().price == Decimal(230)


def test_a_draft_contract_can_be_edited_and_a_confirmed_one_cannot(administrator, home):
    """CON-7; no status changes in the admin."""
    contract = factories.contract(home)
    fields = {"name": "New name", "status": "confirmed", "currency": "EUR"}
    assert posted(administrator, ProjectContract, "change", contract.pk, fields=fields).status_code == 302
    contract.refresh_from_db()
    assert (contract.name, contract.status, contract.currency) == ("New name", "draft", "NOK")
    steps.confirmed(contract, home)
    where = address(ProjectContract, "change", contract.pk)
    assert "and can&#x27;t be changed." in administrator.get(where).content.decode()
    assert administrator.post(where, {"name": "Other"}).status_code == 403
    line = contract.lines.get()
    assert administrator.post(address(type(line), "change", line.pk), {"name": "Other"}).status_code == 403


def test_an_administrator_adds_a_customer_to_the_only_entity(administrator, home):
    answer = posted(
        administrator,
        Customer,
        "add",
        fields={"number": "K-77", "name": "New", "currency": "NOK", "contacts-TOTAL_FORMS": "0"},
    )
    assert answer.status_code == 302
    assert Customer.objects.get(number="K-77").entity == home.entity
    assert AuditEvent.objects.get(action="contracts.add_customer").detail["after"]["name"] == "New"


def test_a_period_keeps_its_status_and_a_company_its_currency(administrator, home):
    period = FiscalPeriod.objects.filter(entity=home.entity).first()
    posted(administrator, FiscalPeriod, "change", period.pk, fields={"status": "closed"})
    assert FiscalPeriod.objects.get(pk=period.pk).status == "open"
    posted(administrator, LegalEntity, "change", home.entity.pk, fields={"currency": "EUR", "city": "Oslo"})
    entity = LegalEntity.objects.get(pk=home.entity.pk)
    assert (entity.currency, entity.city) == ("NOK", "Oslo")
    assert administrator.get(address(LegalEntity, "add")).status_code == 403


def test_a_fiscal_year_is_added_with_its_periods_and_none_overlap(administrator, home):
    """PST-6"""
    fields = {"name": "2031", "year": "2031", "starts": "2031-01-01", "ends": "2031-12-31"}
    days = [("2031-01-01", "2031-06-30"), ("2031-06-30", "2031-12-31")]
    for number, (starts, ends) in enumerate(days):
        row = {"number": number + 1, "starts": starts, "ends": ends}
        fields |= {f"periods-{number}-{name}": value for name, value in row.items()}
    one, both = {"periods-TOTAL_FORMS": "1"}, {"periods-TOTAL_FORMS": "2", "periods-1-starts": "2031-02-01"}
    assert posted(administrator, FiscalYear, "add", fields=fields | one).status_code == 302
    period = FiscalPeriod.objects.get(year__year=2031)
    assert (period.entity, period.status) == (home.entity, "open")
    more = {name: value for name, value in (fields | both).items() if name.startswith("periods-")}
    more |= {"periods-0-id": period.pk, "periods-0-year": period.year_id, "periods-1-year": period.year_id}
    answer = posted(administrator, FiscalYear, "change", period.year_id, fields=more)
    assert "These days overlap with the period from 2031-01-01 to 2031-06-30" in sentences(answer)


def test_every_editable_field_is_on_its_page():
    """A field that no fieldset contains could not be set up."""
    forgotten = {}
    for model, page in PAGES:
        if isinstance(page, LookupAdmin) or not page.fieldsets:
            continue
        shown = set()
        for _, part in page.fieldsets:
            for name in part["fields"]:
                shown |= set(name) if isinstance(name, (tuple, list)) else {name}
        editable = {f.name for f in (*model._meta.fields, *model._meta.many_to_many) if f.editable}
        elsewhere = {model._meta.pk.name, "groups", "user_permissions", "password"}
        if missing := editable - shown - elsewhere:
            forgotten[model._meta.label] = missing
    assert forgotten == {}
