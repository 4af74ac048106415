"""The pages of invoice runs: started, shown, previewed, carried out; managers see their own contracts."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backlog.models import BacklogItem
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import Notice
from proforma import operations
from proforma.models import InvoiceRun, ProformaInvoice, RunContract
from tests import factories

pytestmark = pytest.mark.django_db

APRIL = date(2025, 4, 1)


@pytest.fixture
def manager(company, client):
    client.force_login(company.manager)
    return client


@pytest.fixture
def due_contract(contract, ready, due):
    """8 h × 1,000 that are due on 1 April 2025."""
    ready(contract, "8", "1000")
    due(contract.lines.get(), APRIL, date(2025, 3, 31))
    return contract


@pytest.fixture
@factories.remembered
def foreign(company, due):
    """A due contract of 100 that the manager can't see."""
    project = factories.ProjectFactory(entity=company.entity, code="FAR")
    contract = factories.contract(company, confirmed=True, lines=[{"project": project}], code="FAR-1")
    contract.managers.clear()
    factories.ready_item(company, contract, quantity=1, price=100, date=date(2025, 3, 10))
    due(contract.lines.get(), APRIL, date(2025, 3, 31))
    return contract


def words_of(client, address, *args):
    return client.get(address, *args).content.decode()


def start(client, capture, **data):
    with capture(execute=True):
        answer = client.post(reverse("new_run"), {"as_of": "2025-04-01"} | data)
    return answer


@pytest.mark.parametrize(
    ("role", "status"),
    [("manager", 200), ("accountant", 200), ("auditor", 200), ("member", 403), ("administrator", 403)],
)
def test_who_may_see_runs(client, company, due_contract, role, status):
    """SEC-1"""
    run = operations.run_invoicing(company.entity, as_of=APRIL)
    client.force_login(getattr(company, role))
    assert client.get(reverse("runs")).status_code == status
    assert client.get(run.get_absolute_url()).status_code == (404 if status == 403 else status)


def test_a_run_shows_whose_contracts_it_included(
    client, manager, company, due_contract, django_capture_on_commit_callbacks
):
    """RUN-3: an unrestricted run shows no restriction; contracts of others are not called the reader's."""
    other = factories.contract(company, confirmed=True, lines=[{"project": company.project}])
    answer = start(manager, django_capture_on_commit_callbacks)
    words = words_of(manager, answer.url)
    assert ", for your 2 contracts" in words
    assert "restricted to" not in words
    chosen = start(manager, django_capture_on_commit_callbacks, contracts=[other.pk])
    assert ", for 1 of your contracts" in words_of(manager, chosen.url)
    customer = due_contract.customers.get().customer_id
    fewer = start(manager, django_capture_on_commit_callbacks, customers=[customer])
    assert ", for your 2 contracts, restricted to 1 customer" in words_of(manager, fewer.url)
    client.force_login(company.accountant)
    assert ", for 2 contracts" in words_of(client, answer.url)


def test_a_preview_of_a_future_day_shows_when_it_can_be_carried_out(
    manager, company, due_contract, django_capture_on_commit_callbacks
):
    """RUN-4: on the page, without a button, and in the refusal of a direct request."""
    day = date(company.entity.today().year + 1, 2, 3)
    answer = start(manager, django_capture_on_commit_callbacks, as_of=day.isoformat(), preview="1")
    words = words_of(manager, answer.url)
    assert f"It can be carried out from 3 Feb {day.year}." in words
    assert "Carry out this plan" not in words
    refused = manager.post(reverse("execute_preview", args=[InvoiceRun.objects.get().pk]), follow=True)
    said = refused.content.decode()
    assert f"is for a future date. It can be carried out on 3 Feb {day.year} or later." in said


@pytest.mark.parametrize("role", ["accountant", "auditor", "member"])
def test_only_managers_start_runs(client, company, due_contract, role):
    preview = operations.preview_invoicing(company.entity, as_of=APRIL)
    client.force_login(getattr(company, role))
    assert client.get(reverse("new_run")).status_code == 403
    refused = client.post(reverse("execute_preview", args=[preview.pk])).status_code
    assert refused == (404 if role == "member" else 403)
    assert not ProformaInvoice.objects.exists()


def test_a_run_is_started_and_shows_its_proformas(
    manager, company, due_contract, foreign, django_capture_on_commit_callbacks
):
    """RUN-3: contracts of others are not included."""
    answer = start(manager, django_capture_on_commit_callbacks, start="1")
    run = InvoiceRun.objects.get()
    assert answer.url == run.get_absolute_url()
    made = ProformaInvoice.objects.get()
    assert made.contract == due_contract
    words = words_of(manager, answer.url)
    assert made.number in words
    assert "8,000.00" in words
    assert "every 1s" not in words
    assert "Would be invoiced" not in words
    notice = Notice.objects.get()
    assert (notice.user, notice.url) == (company.manager, answer.url)
    assert "1 of 1 contract invoiced" in notice.text
    assert "8,000.00" in words_of(manager, reverse("runs"))


def test_a_running_run_shows_its_progress(manager, company, due_contract):
    run = operations.start_run(company.entity, as_of=APRIL, by=company.manager)
    words = words_of(manager, run.get_absolute_url())
    assert 'hx-trigger="every 1s"' in words
    assert "0 of 1 contract processed." in words
    poll = manager.get(run.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in poll


def test_a_stopped_run_shows_the_next_step(manager, company, due_contract, client):
    """RUN-2"""
    run = operations.start_run(company.entity, as_of=APRIL, by=company.manager)
    InvoiceRun.objects.update(status="stopped", finished_at=run.started_at)
    words = words_of(manager, run.get_absolute_url())
    assert "The next run invoices the others." in words
    assert "every 1s" not in words


def test_only_the_user_who_started_a_run_expects_a_notice(client, company, due_contract):
    run = operations.start_run(company.entity, as_of=APRIL, by=company.manager)
    for user, is_told in ((company.manager, True), (company.accountant, False)):
        client.force_login(user)
        words = words_of(client, run.get_absolute_url())
        assert ("You get a notice when it is done." in words) is is_told


def test_a_future_day_is_refused_and_the_input_stays(
    manager, due_contract, django_capture_on_commit_callbacks
):
    answer = start(manager, django_capture_on_commit_callbacks, start="1", as_of="2098-01-01")
    words = answer.content.decode()
    assert "is in the future" in words
    assert 'value="2098-01-01"' in words
    assert not InvoiceRun.objects.exists()


def test_a_run_is_restricted_to_the_users_contracts(
    manager, due_contract, foreign, django_capture_on_commit_callbacks
):
    """SEC-1"""
    answer = start(manager, django_capture_on_commit_callbacks, start="1", contracts=[foreign.pk])
    assert "not one of the available choices" in answer.content.decode()
    assert not InvoiceRun.objects.exists()


def test_a_manager_sees_only_their_part_of_a_run(manager, company, due_contract, foreign):
    """SEC-1: the run billed 8,000 for this manager and 100 for another one."""
    run = operations.run_invoicing(company.entity, as_of=APRIL)
    for address in (run.get_absolute_url(), reverse("runs")):
        words = words_of(manager, address)
        assert "8,000.00" in words
        assert "FAR-1" not in words
        assert "8,100.00" not in words


def test_an_accountant_sees_the_whole_run(client, company, due_contract, foreign):
    run = operations.run_invoicing(company.entity, as_of=APRIL)
    client.force_login(company.accountant)
    words = words_of(client, run.get_absolute_url())
    assert "FAR-1" in words
    assert "8,100.00" in words


def test_runs_with_failures_can_be_filtered(manager, company, due_contract):
    good = operations.run_invoicing(company.entity, as_of=APRIL)
    bad = operations.start_run(company.entity, as_of=APRIL, by=company.manager)
    RunContract.objects.create(
        run=bad, contract=due_contract, outcome="failed", reason=Reason("RUN-FAILED", error="OSError")
    )
    words = words_of(manager, reverse("runs"), {"failed": "1"})
    assert bad.get_absolute_url() in words
    assert good.get_absolute_url() not in words
    assert "Internal error (OSError)." in words_of(manager, bad.get_absolute_url(), {"outcome": "failed"})


def test_a_plan_is_shown_and_carried_out(manager, company, due_contract, django_capture_on_commit_callbacks):
    """RUN-4: nothing is claimed before that, and a plan is carried out once."""
    answer = start(manager, django_capture_on_commit_callbacks, preview="1")
    preview = InvoiceRun.objects.get()
    words = words_of(manager, answer.url)
    assert "Carry out this plan" in words
    assert "first proforma" in words
    assert "8,000.00" in words
    assert not ProformaInvoice.objects.exists()
    execute = reverse("execute_preview", args=[preview.pk])
    with django_capture_on_commit_callbacks(execute=True):
        done = manager.post(execute)
    assert done.url == InvoiceRun.objects.get(executes=preview).get_absolute_url()
    assert ProformaInvoice.objects.count() == 1
    assert "Carry out this plan" not in words_of(manager, answer.url)
    assert "is already carried out" in manager.post(execute, follow=True).content.decode()


def test_an_outdated_plan_is_refused_with_the_difference(manager, company, due_contract, ready):
    """RUN-4: 8,000 in one row before, 8,500 in two now."""
    preview = operations.preview_invoicing(company.entity, as_of=APRIL, by=company.manager)
    ready(due_contract, "1", "500")
    answer = manager.post(reverse("execute_preview", args=[preview.pk]), follow=True).content.decode()
    assert "had 1 row of 8,000.00" in answer
    assert "now has 2 of 8,500.00" in answer


def test_a_preview_of_other_contracts_cannot_be_carried_out(manager, company, due_contract, foreign):
    """SEC-1"""
    preview = operations.preview_invoicing(company.entity, as_of=APRIL)
    assert "Carry out this plan" not in words_of(manager, preview.get_absolute_url())
    answer = manager.post(reverse("execute_preview", args=[preview.pk]), follow=True).content.decode()
    assert "don&#x27;t manage" in answer
    assert not ProformaInvoice.objects.exists()


def test_work_that_is_left_out_shows_its_reason(manager, company, contract, ready):
    """RUN-4: ready work on a line without a schedule."""
    ready(contract, "8", "1000")
    preview = operations.preview_invoicing(company.entity, as_of=APRIL, by=company.manager)
    words = words_of(manager, preview.get_absolute_url())
    assert "ready without a schedule entry" in words
    assert "1 left out" in words


def test_many_contracts_take_as_many_queries_as_few(manager, company, due_contract, due):
    def queries(address):
        manager.get(address)
        with CaptureQueriesContext(connection) as found:
            assert manager.get(address).status_code == 200
        return len(found)

    run = operations.run_invoicing(company.entity, as_of=APRIL)
    preview = operations.preview_invoicing(company.entity, as_of=APRIL)
    addresses = run.get_absolute_url(), reverse("runs"), preview.get_absolute_url()
    few = [queries(address) for address in addresses[:2]]
    for n in range(6):
        project = factories.ProjectFactory(entity=company.entity, code=f"Z{n}")
        project.managers.add(company.manager)
        contract = factories.contract(company, confirmed=True, lines=[{"project": project}])
        factories.ready_item(company, contract, quantity=1, price=100, date=date(2025, 3, 10))
        due(contract.lines.get(), APRIL, date(2025, 3, 31))
    planned = operations.preview_invoicing(company.entity, as_of=APRIL)
    run = operations.run_invoicing(company.entity, as_of=APRIL)
    assert [queries(run.get_absolute_url()), queries(reverse("runs"))] == few
    assert queries(planned.get_absolute_url()) <= few[0] + 2
    assert BacklogItem.objects.filter(status="created").count() == 7
