"""Many operations at the same moment: nothing twice, nothing lost. Real threads on PostgreSQL."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from actuals.models import Actual
from backlog.models import BacklogItem
from backlog.operations import mark_not_ready
from contracts.models import ScheduleEntry
from invoicing_site.floor import jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.models import Notice
from proforma import operations
from proforma.models import DetailActual, InvoiceRun, LineDetail, ProformaInvoice, RunContract
from tests import factories
from tests.background import make_late

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

JAN_15, JAN_31, FEB_1, MAR_1 = date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 1), date(2025, 3, 1)


@pytest.fixture(autouse=True)
def _nobody_listens(monkeypatch):
    """The ledger does not receive signals in these tests."""
    monkeypatch.setattr("invoicing_site.floor.jobs._send", lambda job: None)


def at_once(*actions):
    """Run the actions in threads that start together; returns their results or refusals."""
    together = threading.Barrier(len(actions))

    def act(action):
        try:
            together.wait(30)
            return action()
        except Refused as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def claims():
    """How often each item is on a detail, and the statuses of all items."""
    items = LineDetail.objects.values_list("backlog_item", flat=True)
    return Counter(Counter(items).values()), Counter(BacklogItem.objects.values_list("status", flat=True))


@pytest.fixture
@factories.remembered
def six_contracts(company, ready, due, milestone):
    """Six contracts with three hours each due on 1 February; two of them with a ready milestone."""
    contracts = []
    for number in range(6):
        lines = [{}]
        if number < 2:
            lines.append({"method": "fixed", "project": factories.ProjectFactory(entity=company.entity)})
        contract = factories.contract(company, confirmed=True, lines=lines)
        line, *fixed = contract.lines.order_by("number")
        due(line, FEB_1, JAN_31)
        for _ in range(3):
            ready(contract, line=line, day=JAN_15)
        for line in fixed:
            milestone(line, day=JAN_15, number=2)
        contracts.append(contract)
    return contracts


def test_twenty_starts_at_once(company, six_contracts):
    """RUN-2: nothing is invoiced twice, and no start fails."""
    runs = at_once(*[lambda: operations.run_invoicing(company.entity, as_of=MAR_1)] * 20)

    assert {run.status for run in runs} == {"finished"}
    assert claims() == (Counter({1: 20}), Counter({"created": 20}))
    assert ProformaInvoice.objects.count() == 6
    outcomes = Counter(RunContract.objects.values_list("outcome", flat=True))
    assert (outcomes["created"], outcomes["failed"]) == (6, 0)
    assert set(ScheduleEntry.objects.values_list("status", flat=True)) == {"succeeded"}
    numbers = sorted(ProformaInvoice.objects.values_list("number", flat=True))
    assert numbers == [f"PRO-2025-{n:06}" for n in range(1, 7)]


def test_twenty_workers_on_one_run(company, six_contracts):
    """RUN-2: a repeated message has the effect of one."""
    run = operations.start_run(company.entity, as_of=MAR_1)
    at_once(*[lambda: operations.carry_out(InvoiceRun.objects.get(pk=run.pk))] * 20)
    assert claims() == (Counter({1: 20}), Counter({"created": 20}))
    assert [row.outcome for row in run.run_contracts.all()] == ["created"] * 6


def test_a_silent_run_is_resumed_by_one_worker(company, six_contracts):
    """RUN-2"""
    run = operations.start_run(company.entity, as_of=MAR_1)
    make_late()
    taken = at_once(*[jobs.sweep] * 8)
    assert sorted(len(found) for found in taken) == [0] * 7 + [1]
    run.refresh_from_db()
    assert (run.status, run.run_contracts.count()) == ("finished", 6)
    assert claims() == (Counter({1: 20}), Counter({"created": 20}))


def test_two_users_create_from_the_same_contract(company, contract, ready):
    """PRO-1: one of them succeeds, the other is refused."""
    for _ in range(5):
        ready(contract, day=JAN_15)

    def create():
        return operations.create_proformas([contract], cutoff=MAR_1, on=MAR_1, by=None)

    results = at_once(create, create)
    (refused,) = [result for result in results if isinstance(result, Refused)]
    assert refused.code == "CONTRACT-NOTHING"
    assert claims() == (Counter({1: 5}), Counter({"created": 5}))
    assert ProformaInvoice.objects.count() == 1


def test_two_users_create_from_the_same_rows(company, contract, ready):
    """PRO-1, PRO-8: overlapping selections; one is included completely, the other not at all."""
    items = [ready(contract, day=JAN_15) for _ in range(6)]
    results = at_once(
        lambda: operations.create_for_items(items[:4], on=MAR_1, by=None),
        lambda: operations.create_for_items(items[2:], on=MAR_1, by=None),
    )
    (refused,) = [result for result in results if isinstance(result, Refused)]
    assert "2 rows have changed" in str(refused)
    assert claims() == (Counter({1: 4}), Counter({"created": 4, "ready": 2}))


def test_a_run_a_user_and_unmarking_at_once(company, six_contracts):
    """PRO-1, RUN-2: in any order, an item is invoiced once or not at all."""
    items = list(BacklogItem.objects.order_by("pk"))

    def create():
        return operations.create_proformas(six_contracts, cutoff=JAN_31, on=MAR_1, by=None)

    at_once(
        lambda: operations.run_invoicing(company.entity, as_of=MAR_1),
        create,
        lambda: mark_not_ready(items[:7], by=company.manager),
        lambda: operations.run_invoicing(company.entity, as_of=MAR_1),
    )
    on_details, statuses = claims()
    assert set(on_details) == {1}
    assert statuses["created"] == LineDetail.objects.count()
    assert statuses["created"] + statuses["not_ready"] == 20
    assert not RunContract.objects.filter(outcome="failed").exists()


def test_two_users_confirm_at_once(company, contract, ready):
    """PRO-5: only one succeeds."""
    for _ in range(3):
        ready(contract, "10", "1000", day=JAN_15)
    (proforma,) = operations.create_proformas([contract], cutoff=MAR_1, on=MAR_1, by=None)

    def confirm():
        return operations.confirm(ProformaInvoice.objects.get(pk=proforma.pk), by=company.manager, on=MAR_1)

    results = at_once(*[confirm] * 8)
    assert [result.code for result in results if isinstance(result, Refused)] == ["NOT-ALLOWED-NOW"] * 7
    assert Actual.objects.filter(type="billed").count() == 3
    assert DetailActual.objects.count() == 6
    proforma.refresh_from_db()
    assert proforma.batch.actuals.count() == 6


def test_two_workers_confirm_the_same_one(company, contract, ready):
    """PRO-5: a repeated message leaves no failure."""
    ready(contract, day=JAN_15)
    (proforma,) = operations.create_proformas([contract], cutoff=MAR_1, on=MAR_1, by=None)
    job = operations.confirm_many([proforma], by=company.manager, on=MAR_1)
    at_once(*[lambda: jobs.perform(job.pk)] * 6)
    proforma.refresh_from_db()
    assert (proforma.confirm_job, proforma.status, proforma.confirm_error) == ("complete", "confirmed", None)
    assert Actual.objects.filter(type="billed").count() == 1
    assert Notice.objects.count() == 1


def test_one_user_confirms_while_another_edits(company, contract, ready):
    """PRO-5: the billed amount is that of the detail."""
    ready(contract, "10", "1000", day=JAN_15)
    (proforma,) = operations.create_proformas([contract], cutoff=MAR_1, on=MAR_1, by=None)
    (detail,) = LineDetail.objects.all()
    at_once(
        lambda: operations.confirm(proforma, by=company.manager, on=MAR_1),
        lambda: operations.edit_details([detail], by=company.manager, quantity=Decimal(7)),
    )
    detail.refresh_from_db()
    billed = Actual.objects.get(detail_actual__detail=detail, detail_actual__part="billed")
    assert (billed.quantity, billed.amount) == (detail.quantity, detail.amount)
    assert sum(actual.amount for actual in Actual.objects.filter(type="unbilled")) == 0


def test_two_confirmations_cannot_both_use_the_rest_of_a_limit(company, contract, ready):
    """PRO-6, NTE-4: 20,000 are committed of a limit of 21,000; both add 1,000."""
    contract.limit = Decimal(21000)
    contract.save()
    proformas = []
    for _ in range(2):
        item = ready(contract, "10", "1000", day=JAN_15, limit_status="committed")
        proformas += operations.create_for_items([item], on=MAR_1, by=None)
    operations.edit_details(LineDetail.objects.all(), by=company.manager, quantity=Decimal(11))
    results = at_once(*[lambda p=p: operations.confirm(p, by=company.manager, on=MAR_1) for p in proformas])
    assert [result.code for result in results if isinstance(result, Refused)] == ["LIMIT-EXCEEDED"]
    assert Actual.objects.filter(type="billed").count() == 1


def test_two_at_once_do_not_overdraw_an_order():
    """CON-12: 800 each, 1,000 left: under the contract's lock the second one sees the used amount."""
    no1 = factories.company()
    contract = factories.contract(no1, confirmed=True)
    order = factories.PurchaseOrderFactory(contract_customer=contract.customers.get(), amount=Decimal(1000))
    items = [
        factories.ready_item(no1, contract, quantity=Decimal(4), price=Decimal(200), date=JAN_15)
        for _ in range(2)
    ]
    made = at_once(
        *(lambda item=item: operations.create_for_items([item], on=JAN_31, by=no1.manager) for item in items)
    )
    assert sorted(len(each) for each in made) == [1, 1]
    references = ProformaInvoice.objects.values_list("order_reference", flat=True)
    assert sorted(references) == ["", order.number]
