"""The performance of contracts and their lines, with amounts calculated by hand."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actuals.models import Actual
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.operations import Decision, approve, cancel_approval, confirm_contract, mark_ready
from contracts.models import ContractRevision, ProjectContract
from proforma import operations
from proforma.models import LineDetail, ProformaInvoice
from proforma.performance import contract_performance
from tests import factories

pytestmark = pytest.mark.django_db

APRIL_1 = date(2025, 4, 1)
NOTHING = {
    "worked_hours": 0,
    "worked_sales": 0,
    "not_charged": 0,
    "not_ready": 0,
    "ready": 0,
    "over_limit": 0,
    "on_draft": 0,
    "billed": 0,
    "credited": 0,
    "remaining": None,
    "limit": None,
    "limit_left": None,
    "last_billed_on": None,
    "next_run_on": None,
    "open_milestones": 0,
    "open_milestone_amount": 0,
}


def nonzero(row):
    """The amounts that are not zero."""
    found = {name: getattr(row, name) for name in NOTHING}
    return {name: value for name, value in found.items() if value != NOTHING[name]}


def performance(*contracts):
    return contract_performance(ProjectContract.objects.filter(pk__in=[c.pk for c in contracts]))


@pytest.fixture
@factories.remembered
def story(company):
    """A contract with two lines, limited to 30,000 in total and to 5,000 for time and material.

    At 200 an hour: 8 h are billed, of 3 h 2 h are charged and on a draft, 20 h are over the limit by 1,000
    (1,600 + 400 + 4,000 − 5,000), 5 h are ready. Of the fixed price, 6 h were worked and nothing is due yet.
    """
    other = factories.ProjectFactory(entity=company.entity)
    other.managers.add(company.manager)
    contract = factories.contract(
        company,
        limit=Decimal(30000),
        lines=[
            {"estimate": Decimal(20000), "limit": Decimal(5000)},
            {
                "method": "fixed",
                "project": other,
                "contract_amount": Decimal(10000),
                "milestones": [4000, 6000],
            },
        ],
    )
    confirm_contract(contract, by=company.manager, on=date(2025, 1, 1))
    eight, three, twenty, five = (
        factories.time_entry(company, hours, date=date(2025, 3, day))
        for day, hours in ((10, "8"), (11, "3"), (12, "20"), (13, "5"))
    )
    approve(
        [eight, three, twenty, five, factories.time_entry(company, "6", project=other)],
        by=company.manager,
        on=date(2025, 3, 31),
        decisions={three.pk: Decision(billable_quantity=Decimal(2))},
    )
    items = BacklogItem.objects.filter(actual__billing_type="chargeable")
    mark_ready(items.exclude(limit_status="failed"), by=company.manager)
    (first,) = operations.create_for_items(items.filter(actual__entry=eight), on=APRIL_1, by=None)
    operations.confirm(first, by=company.manager, on=date(2025, 4, 2))
    operations.create_for_items(items.filter(actual__entry=three), on=APRIL_1, by=None)
    return contract


def test_a_time_and_material_line_shows_its_hours_by_status(story):
    """BKL-3 CON-8"""
    (found,) = performance(story)
    work, _ = found.lines
    assert nonzero(work) == {
        "worked_hours": 36,
        "worked_sales": 7000,
        "not_charged": 200,
        "ready": 1000,
        "over_limit": 4000,
        "on_draft": 400,
        "billed": 1600,
        "remaining": 18400,
        "limit": 5000,
        "limit_left": 2000,
        "last_billed_on": date(2025, 4, 2),
    }
    assert (work.line.number, work.value, work.open) == (1, 20000, 5000)
    assert work.worked_sales == work.open + work.on_draft + work.billed


def test_a_fixed_price_line_shows_its_milestones(story):
    """BKL-3 CON-8"""
    (found,) = performance(story)
    _, fixed = found.lines
    assert nonzero(fixed) == {
        "worked_hours": 6,
        "not_ready": 10000,
        "remaining": 10000,
        "open_milestones": 2,
        "open_milestone_amount": 10000,
    }


def test_a_contract_is_the_sum_of_its_lines_with_its_own_limit(story):
    """BKL-3 CON-8 NTE-1: the limit is used by 1,600 billed, 400 on the draft and 1,000 ready."""
    (found,) = performance(story)
    assert nonzero(found) == {
        "worked_hours": 42,
        "worked_sales": 7000,
        "not_charged": 200,
        "not_ready": 10000,
        "ready": 1000,
        "over_limit": 4000,
        "on_draft": 400,
        "billed": 1600,
        "remaining": 28400,
        "limit": 30000,
        "limit_left": 27000,
        "last_billed_on": date(2025, 4, 2),
        "open_milestones": 2,
        "open_milestone_amount": 10000,
    }
    assert (found.contract, found.currency, found.value) == (story, "NOK", 30000)


def test_the_rest_of_limits_agrees_with_the_limit_book(story, company):
    """NTE-1: also if a milestone is billed, which counts for the contract and not for its line."""
    milestone = BacklogItem.objects.get(milestone_part__amount=4000)
    mark_ready(BacklogItem.objects.filter(pk=milestone.pk), by=company.manager)
    (draft,) = operations.create_for_items([milestone], on=APRIL_1, by=None)
    operations.confirm(draft, by=company.manager, on=APRIL_1)
    (found,) = performance(story)
    book = LimitBook.load(story)
    work, fixed = found.lines
    assert (found.limit_left, work.limit_left, fixed.limit_left) == (23000, 2000, None)
    assert book.left("contract") == 23000
    assert book.left("line", work.line.pk) == 2000
    assert (fixed.billed, fixed.open_milestones, fixed.open_milestone_amount) == (4000, 1, 6000)


def test_a_lowered_detail_is_billed_with_its_new_amount(company, contract):
    """BKL-3 PRO-5: of 8 h 7 h are billed; the worked amount does not change, and the rest is not open."""
    factories.ready_item(company, contract, quantity=Decimal(8))
    (draft,) = operations.create_proformas([contract], cutoff=APRIL_1, on=APRIL_1, by=None)
    operations.edit_details(LineDetail.objects.on_proforma(draft), by=company.manager, quantity=Decimal(7))
    (found,) = performance(contract)
    assert nonzero(found) == {"worked_hours": 8, "worked_sales": 1600, "on_draft": 1400}
    operations.confirm(draft, by=company.manager, on=APRIL_1)
    (found,) = performance(contract)
    assert nonzero(found) == {
        "worked_hours": 8,
        "worked_sales": 1600,
        "billed": 1400,
        "last_billed_on": APRIL_1,
    }
    assert (found.value, found.remaining) == (None, None)


def test_work_added_by_hand_is_billed_and_was_not_worked(company, contract):
    """BKL-3 PRO-5: 1 h of 200, and a fee of 50 by hand."""
    factories.ready_item(company, contract)
    (draft,) = operations.create_proformas([contract], cutoff=APRIL_1, on=APRIL_1, by=None)
    operations.add_detail(
        draft,
        by=company.manager,
        contract_line=contract.lines.get(),
        transaction_class="fee",
        date=APRIL_1,
        quantity=Decimal(1),
        price=Decimal(50),
        category=company.fee,
    )
    assert nonzero(performance(contract)[0]) == {"worked_hours": 1, "worked_sales": 200, "on_draft": 250}
    operations.confirm(draft, by=company.manager, on=APRIL_1)
    assert nonzero(performance(contract)[0]) == {
        "worked_hours": 1,
        "worked_sales": 200,
        "billed": 250,
        "last_billed_on": APRIL_1,
    }


def test_canceled_work_was_not_worked(company):
    """BKL-3 APP-5"""
    contract = factories.contract(company, confirmed=True)
    entry = factories.time_entry(company, "8")
    approve([entry], by=company.manager, on=date(2025, 3, 31))
    assert nonzero(performance(contract)[0]) == {"worked_hours": 8, "worked_sales": 1600, "not_ready": 1600}
    cancel_approval([entry], by=company.manager, on=date(2025, 3, 31), comment="Elsewhere")
    assert nonzero(performance(contract)[0]) == {}


def test_credits_are_subtracted_and_shown(company, contract):
    """BKL-3 COR-1: of 1,600 billed, 600 are credited: the old actual is reversed, and 1,000 remain."""
    factories.ready_item(company, contract, quantity=Decimal(8))
    (draft,) = operations.create_proformas([contract], cutoff=APRIL_1, on=APRIL_1, by=None)
    invoice = operations.confirm(draft, by=company.manager, on=APRIL_1)
    batch = factories.BatchFactory(entity=company.entity, action="proforma", on=date(2025, 4, 20))
    ProformaInvoice.objects.create(
        entity=company.entity,
        number="C-1",
        kind="correction",
        corrects=invoice,
        contract=contract,
        contract_customer=invoice.contract_customer,
        customer=invoice.customer,
        currency="NOK",
        cutoff=APRIL_1,
        accounting_date=APRIL_1,
        status="confirmed",
        confirmed_at=timezone.now(),
        batch=batch,
    )
    line = contract.lines.get()
    billed = Actual.objects.get(type="billed")
    factories.ActualFactory(line=line, type="billed", batch=batch, amount=Decimal(-1600), reverses=billed)
    factories.ActualFactory(line=line, type="billed", batch=batch, amount=Decimal(1000))
    (found,) = performance(contract)
    assert (found.billed, found.credited) == (1000, 600)
    assert found.last_billed_on == date(2025, 4, 20)


def test_shares_of_several_customers_add_up(company, shared_contract):
    """BKL-3 MON-9: 8 h for two customers with half each."""
    approve([factories.time_entry(company, "8")], by=company.manager, on=date(2025, 3, 31))
    (found,) = performance(shared_contract)
    assert nonzero(found) == {"worked_hours": 8, "worked_sales": 1600, "not_ready": 1600}


def test_a_milestone_shared_by_two_customers_is_one(company, milestone):
    """BKL-3 MIL-1"""
    first, second = company.customers
    contract = factories.contract(
        company, method="fixed", confirmed=True, customers=[(first, 50), (second, 50)]
    )
    milestone(contract.lines.get(), "4000", number=2, parts=["2000", "2000"])
    (found,) = performance(contract)
    assert nonzero(found) == {
        "ready": 4000,
        "remaining": 10000,
        "open_milestones": 1,
        "open_milestone_amount": 4000,
    }


def test_the_next_run_date_is_the_first_that_has_not_run(company, contract, due):
    """BKL-3 SCH-1"""
    line = contract.lines.get()
    done = due(line, date(2025, 3, 1), date(2025, 2, 28))
    done.status = "succeeded"
    done.save()
    due(line, date(2025, 5, 1), date(2025, 4, 30))
    due(line, date(2025, 4, 1), date(2025, 3, 31))
    (found,) = performance(contract)
    assert nonzero(found) == {"next_run_on": date(2025, 4, 1)}
    assert nonzero(found.lines[0]) == {"next_run_on": date(2025, 4, 1)}


def test_a_retainer_is_not_part_of_the_value_of_a_contract(company, contract):
    """BKL-3 NTE-1"""
    retainer = factories.RetainerFactory(contract_customer=contract.customers.get())
    factories.BacklogItemFactory(
        actual=None,
        retainer=retainer,
        contract=contract,
        contract_line=None,
        contract_customer=retainer.contract_customer,
        date=retainer.date,
        amount=retainer.amount,
        currency="NOK",
    )
    assert nonzero(performance(contract)[0]) == {}


def test_a_line_of_an_unconfirmed_amendment_does_not_count(company, contract):
    """BKL-3 CON-10; a contract with a line without an estimate has no value."""
    line = contract.lines.get()
    line.estimate = Decimal(5000)
    line.save()
    revision = ContractRevision.objects.create(
        contract=contract, number=1, effective_on=APRIL_1, reason="More"
    )
    amendment = factories.ContractLineFactory(contract=contract, number=2, revision=revision)
    assert performance(contract)[0].value == 5000
    revision.status, revision.confirmed_at = "confirmed", timezone.now()
    revision.save()
    (found,) = performance(contract)
    assert [row.line for row in found.lines] == [line, amendment]
    assert found.value is None


def test_contracts_keep_their_order_and_currency(company):
    """BKL-3: nothing is added up over contracts."""
    crowns = factories.contract(company, code="B", confirmed=True)
    euro = factories.contract(company, code="A", confirmed=True, currency="EUR")
    factories.ready_item(company, crowns)
    factories.ready_item(company, euro, price=Decimal(20))
    contracts = ProjectContract.objects.order_by("-code")
    assert [(row.contract, row.currency, row.ready) for row in contract_performance(contracts)] == [
        (crowns, "NOK", 200),
        (euro, "EUR", 20),
    ]
    assert contract_performance(ProjectContract.objects.none()) == []


def test_sixty_contracts_take_as_many_queries_as_three(company, due):
    """BKL-3"""

    def make(n):
        for _ in range(n):
            contract = factories.contract(company, confirmed=True, limit=Decimal(1000))
            factories.ready_item(company, contract, limit_status="committed")
            due(contract.lines.get(), date(2025, 4, 1), date(2025, 3, 31))

    def ask():
        with CaptureQueriesContext(connection) as captured:
            found = contract_performance(ProjectContract.objects.order_by("code"))
            seen = [(row.contract.code, line.line.project.name) for row in found for line in row.lines]
        return len(captured), len(seen)

    make(3)
    few, seen = ask()
    assert (few, seen) == (9, 3)
    make(57)
    assert ask() == (few, 60)
