"""The pages of contracts and the billing hub: access, content, actions."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backlog.models import BacklogAction, BacklogItem
from contracts.models import ProjectContract
from proforma.inputs import load_inputs_by_hand
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(company, client):
    client.force_login(company.manager)
    return client


@pytest.fixture
@factories.remembered
def foreign(company):
    """A contract of the same company that the manager can't see."""
    project = factories.ProjectFactory(entity=company.entity, code="FAR", name="Far away")
    contract = factories.contract(company, confirmed=True, lines=[{"project": project}])
    contract.managers.clear()
    return contract


def sign_in(client, user):
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("role", "status"),
    [("manager", 200), ("accountant", 200), ("auditor", 200), ("member", 403), ("administrator", 403)],
)
@pytest.mark.parametrize("name", ["contracts", "hub", "contract"])
def test_who_may_see_contracts(client, company, contract, name, role, status):
    """SEC-1"""
    sign_in(client, getattr(company, role))
    answer = client.get(reverse(name, args=[contract.pk] if name == "contract" else []))
    # A single row is not found by users who may not see any.
    assert answer.status_code == (404 if name == "contract" and status == 403 else status)


def test_a_contract_of_other_managers_is_not_found(manager, contract, foreign):
    """SEC-1"""
    assert manager.get(reverse("contract", args=[foreign.pk])).status_code == 404
    assert manager.post(reverse("hub_mark_contract", args=[foreign.pk])).status_code == 404
    assert manager.post(reverse("confirm_contract", args=[foreign.pk])).status_code == 404
    for page in ("contracts", "hub"):
        words = manager.get(reverse(page)).content.decode()
        assert contract.code in words
        assert foreign.code not in words


def test_a_list_of_contracts_shows_their_amounts(manager, company, contract, ready):
    """CON-8: 8 h × 1,000 are ready, and nothing is billed."""
    contract.lines.update(estimate=Decimal(20000))
    ready(contract, "8", "1000")
    words = manager.get(reverse("contracts")).content.decode()
    assert "20,000.00" in words
    assert "8,000.00" in words
    exported = manager.get(reverse("contracts"), {"_export": "csv"}).getvalue().decode()
    assert contract.code in exported
    assert "20000" in exported


def test_the_totals_above_the_list_are_of_chargeable_work(manager, company, contract, ready):
    """PRO-3: 6 h × 1,190 are charged, the other 1.5 h of the same work are not; 2 h × 1,000 wait.

    An advance of 12,000 belongs to no line, and is not in the ready or open amounts of the lines.
    """
    payer = contract.customers.get()
    advance = factories.RetainerFactory(contract_customer=payer, amount=Decimal(12000))
    BacklogItem.objects.create(
        retainer=advance,
        contract=contract,
        contract_customer=payer,
        date=advance.date,
        amount=advance.amount,
        currency=contract.currency,
        status="ready",
    )
    ready(contract, "6", "1190")
    ready(contract, "1.5", "1190", billing_type="non_chargeable")
    ready(contract, "1", "1190", billing_type="complimentary")
    ready(contract, "2", "1000", status="not_ready")

    def above(name):
        return [(each["n"], each["sum"]) for each in manager.get(reverse(name)).context["sums"]]

    assert above("contracts") == [(1, 7140)]
    assert above("hub") == [(2, 9140)]
    (block,) = manager.get(reverse("hub")).context["blocks"]
    figures = block["performance"]
    assert (figures.ready, figures.not_ready) == (7140, 2000)
    ((_, found, words),) = manager.get(reverse("new_proforma")).context["ready"]
    assert (found["items"], found["amount"]) == (3, 7140)
    assert "7,140.00" in words


def test_waiting_work_adds_up_chargeable_amounts(contract, ready):
    """PRO-3: a run leaves out 6 h × 1,190, and 1.5 h that are not charged."""
    ready(contract, "6", "1190", status="not_ready")
    ready(contract, "1.5", "1190", status="not_ready", billing_type="non_chargeable")
    day = date(2025, 3, 31)
    (group,) = load_inputs_by_hand([contract.pk], cutoff=day, on=day)[contract.pk].waiting
    assert group[-2:] == (2, 7140)


def test_contracts_are_filtered_by_billing_method(manager, company, contract):
    fixed = factories.contract(company, method="fixed", confirmed=True, code="FIXED-1")
    words = manager.get(reverse("contracts"), {"billing_method": "fixed"}).content.decode()
    assert fixed.code in words
    assert f">{contract.code}<" not in words


def test_a_contract_shows_its_lines_customers_and_milestones(manager, company):
    contract = factories.contract(
        company, method="fixed", confirmed=True, lines=[{"contract_amount": Decimal(10000)}]
    )
    factories.PurchaseOrderFactory(contract_customer=contract.customers.get(), number="PO-77")
    words = manager.get(reverse("contract", args=[contract.pk])).content.decode()
    for expected in ("10,000.00", "PO-77", company.customer.name, "Not started", "Fixed price"):
        assert expected in words
    assert "Confirm contract" not in words
    assert "Create proforma" in words


def test_a_draft_contract_is_confirmed_by_its_manager_only(client, company):
    """CON-6"""
    contract = factories.contract(company)
    address = reverse("confirm_contract", args=[contract.pk])
    assert sign_in(client, company.accountant).post(address).status_code == 403
    assert sign_in(client, company.manager).get(address).status_code == 405
    assert "Confirm contract" in client.get(reverse("contract", args=[contract.pk])).content.decode()
    answer = client.post(address, follow=True)
    contract.refresh_from_db()
    assert contract.status == ProjectContract.Status.CONFIRMED
    assert "is confirmed" in answer.content.decode()
    again = client.post(address, follow=True).content.decode()
    assert "Statuses that allow this: draft" in again


def test_the_hub_marks_a_line_or_a_contract_ready(manager, company, contract, ready):
    """BKL-3: with an undo link; other rows are named with the reason."""
    first = ready(contract, "2", "1000", status="not_ready")
    line = contract.lines.get()
    answer = manager.post(reverse("hub_mark_line", args=[contract.pk, line.pk]), follow=True)
    assert "1 item of line" in answer.content.decode()
    first.refresh_from_db()
    assert first.status == BacklogItem.Status.READY
    words = manager.post(reverse("hub_mark_contract", args=[contract.pk]), follow=True).content.decode()
    assert "has no items to mark ready" in words
    # NTE-2: the page shows what can't be marked, and there is nothing to undo.
    BacklogItem.objects.filter(pk=first.pk).update(
        status="not_ready", limit_status="failed", limit_level="contract", limit_over=5
    )
    words = manager.post(reverse("hub_mark_contract", args=[contract.pk]), follow=True).content.decode()
    assert f"No item of contract {contract.code} marked ready to invoice." in words
    assert "1 over a not-to-exceed limit" in words
    assert "data-undo>" not in words
    other = factories.contract(company, confirmed=True, lines=[{"project": company.project}])
    address = reverse("hub_mark_line", args=[contract.pk, other.lines.get().pk])
    assert manager.post(address).status_code == 404


def test_undo_from_the_hub_returns_to_the_hub_with_its_filter(manager, contract, ready):
    """BKL-2, BKL-3"""
    item = ready(contract, status="not_ready")
    here = f"{reverse('hub')}?has=not_ready"
    marked = manager.post(reverse("hub_mark_contract", args=[contract.pk]), {"next": here}, follow=True)
    assert marked.redirect_chain == [(here, 302)]
    words = marked.content.decode()
    undo = reverse("undo_marking", args=[BacklogAction.objects.get().pk])
    form = words[words.index(f'action="{undo}"') :]
    assert f'name="next" value="{here}"' in form[: form.index("</form>")]
    undone = manager.post(undo, {"next": here}, follow=True)
    assert undone.redirect_chain == [(here, 302)]
    assert "1 item restored." in undone.content.decode()
    item.refresh_from_db()
    assert item.status == BacklogItem.Status.NOT_READY


def test_the_hub_is_filtered_by_waiting_work(manager, company, contract, ready, due):
    """BKL-3"""
    ready(contract)
    due(contract.lines.get(), date(2025, 4, 1), date(2025, 3, 31))
    for word, is_there in (("ready", True), ("due", True), ("not_ready", False), ("draft", False)):
        words = manager.get(reverse("hub"), {"has": word}).content.decode()
        assert (f"Figures of {contract.code}" in words) == is_there, word


def _contracts_with_work(company, n):
    for number in range(n):
        project = factories.ProjectFactory(entity=company.entity, code=f"X{number}-{n}")
        project.managers.add(company.manager)
        contract = factories.contract(company, confirmed=True, lines=[{"project": project}])
        factories.ready_item(company, contract, quantity=1, price=100)


@pytest.mark.parametrize("name", ["contracts", "hub"])
def test_many_contracts_take_as_many_queries_as_few(manager, company, name):
    """BKL-3: a page of 25 contracts is read together."""
    _contracts_with_work(company, 2)
    few = _queries(manager, reverse(name))
    _contracts_with_work(company, 12)
    assert _queries(manager, reverse(name)) == few


def test_many_rows_on_a_contract_take_as_many_queries_as_few(manager, company):
    contract = factories.contract(company, confirmed=True)
    few = _queries(manager, reverse("contract", args=[contract.pk]))
    for n in range(2, 7):
        project = factories.ProjectFactory(entity=company.entity, code=f"Y{n}")
        line = factories.contract_line(contract, method="tm", number=n, project=project)
        for day in (1, 2, 3):
            factories.ScheduleEntryFactory(line=line, run_date=date(2025, day, 1), cutoff=date(2024, 12, 31))
    assert _queries(manager, reverse("contract", args=[contract.pk])) == few


def _queries(client, address):
    client.get(address)  # fill the caches of the process first
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


@pytest.mark.parametrize(
    ("status", "reader", "said"),
    [
        ("draft", "manager", "It is a draft. Once a project manager has confirmed it, its work"),
        ("closed", "manager", "It is closed. Nothing more is invoiced under it."),
        (
            "confirmed",
            "manager",
            "Mark work or milestones ready to invoice, then create a proforma for them.",
        ),
        ("confirmed", "auditor", "A project manager marks work ready to invoice and creates proformas"),
    ],
)
def test_a_contract_without_invoices_shows_the_next_step(client, company, contract, status, reader, said):
    """CON-6, CON-7: nothing can be marked on a draft or on a closed contract."""
    ProjectContract.objects.filter(pk=contract.pk).update(status=status)
    page = sign_in(client, getattr(company, reader)).get(contract.get_absolute_url()).content.decode()
    assert f"<h3>Nothing invoiced yet</h3><p>{said}" in page


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2020-01-01", None, "from 1 Jan 2020<"),
        ("2020-01-01", "2026-12-31", "from 1 Jan 2020 until 31 Dec 2026<"),
    ],
)
def test_a_price_list_shows_its_dates_in_words(manager, contract, first, last, said):
    """PRC-1"""
    price_list = contract.contract_price_lists.get().price_list
    price_list.valid_from, price_list.valid_to = first, last
    price_list.save()
    assert f"NOK, {said}" in manager.get(contract.get_absolute_url()).content.decode()
