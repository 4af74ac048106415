"""Scheduled tasks, background jobs and commands of proformas."""

import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from contracts.models import LegalEntity, Membership, ScheduleEntry
from invoicing_site.floor import jobs
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import Job
from proforma import operations, tasks
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice
from tests import factories
from tests.background import do_jobs, make_late

pytestmark = pytest.mark.django_db

JAN_15, JAN_31, FEB_1, MAR_1 = date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 1), date(2025, 3, 1)


@pytest.fixture
def due_contract(contract, ready, due):
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, "10", "100", day=JAN_15)
    return contract


def draft(contract):
    return operations.create_proformas([contract], cutoff=date(2025, 3, 31), on=MAR_1, by=None)[0]


# Scheduled tasks


def test_the_hourly_task_runs_once_a_day_for_each_entity(company, due_contract):
    """RUN-1"""
    tasks.run_due_invoicing()
    tasks.run_due_invoicing()
    run = InvoiceRun.objects.get()
    assert (run.entity, run.as_of, run.trigger) == (company.entity, company.entity.today(), "schedule")
    assert run.proformas.count() == 1


def test_the_days_run_waits_for_midnight_in_the_entitys_time_zone(monkeypatch):
    """MON-6: at 23:30 in Lisbon it is 00:30 in Oslo."""
    moment = timezone.datetime(2025, 1, 31, 23, 30, tzinfo=timezone.get_fixed_timezone(0))
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    for code, zone in (("NO1", "Europe/Oslo"), ("PT1", "Europe/Lisbon")):
        factories.LegalEntityFactory(code=code, time_zone=zone)
    tasks.run_due_invoicing()
    assert dict(InvoiceRun.objects.values_list("entity__code", "as_of")) == {"NO1": FEB_1, "PT1": JAN_31}


def test_an_error_of_one_company_does_not_stop_the_others(company, monkeypatch):
    """RUN-2"""
    factories.LegalEntityFactory(code="SE1")
    real = operations.run_invoicing

    def problem(entity, **fields):
        if entity == company.entity:
            raise RuntimeError("No")
        return real(entity, **fields)

    monkeypatch.setattr(operations, "run_invoicing", problem)
    tasks.run_due_invoicing()
    assert [run.entity for run in InvoiceRun.objects.all()] == [LegalEntity.objects.get(code="SE1")]


def test_a_run_started_on_its_page_is_carried_out_by_a_worker(company, due_contract):
    """RUN-3"""
    run = operations.start_run(company.entity, as_of=MAR_1, by=company.manager)
    assert (run.due, run.proformas.count()) == (1, 0)
    job = jobs.about(run).get()
    for _ in range(2):
        jobs.perform(job.pk)
    run.refresh_from_db()
    assert (run.status, run.proformas.count()) == ("finished", 1)


def test_a_run_without_permission_does_not_change_the_schedule(company, due_contract):
    """RUN-1, SEC-1: the permission is not a problem of the contract, so its entry does not fail."""
    operations.begin_run(company.entity, as_of=MAR_1, by=company.manager)
    Membership.objects.filter(user=company.manager).delete()

    do_jobs()

    assert InvoiceRun.objects.get().run_contracts.get().reason.code == "MAY-NO-LONGER"
    assert ScheduleEntry.objects.get().status == "not_run"
    assert not LineDetail.objects.exists()


def test_the_sweep_finishes_a_run_that_was_killed(company, due_contract):
    """RUN-2"""
    run = operations.start_run(company.entity, as_of=MAR_1)
    jobs.sweep()
    assert run.proformas.count() == 0
    make_late()
    jobs.sweep()
    assert run.proformas.count() == 1


# Confirming many


def states(*proformas):
    rows = ProformaInvoice.objects.filter(pk__in=[proforma.pk for proforma in proformas]).order_by("pk")
    return [(row.confirm_job, row.status, row.confirm_error and row.confirm_error.code) for row in rows]


def test_many_are_confirmed_in_the_background_each_with_its_status(
    company, contract, ready, django_capture_on_commit_callbacks
):
    """PRO-5: without a worker it is done at once."""
    other = factories.contract(company, confirmed=True)
    for found in (contract, other):
        ready(found)
    good, empty = draft(contract), draft(other)
    operations.remove_details(LineDetail.objects.on_proforma(empty), by=company.manager)
    with django_capture_on_commit_callbacks(execute=True):
        job = operations.confirm_many([good, empty], by=company.manager, on=MAR_1)
        assert states(good, empty) == [("scheduled", "draft", None), ("scheduled", "draft", None)]
    assert job.params["proformas"] == [good.pk, empty.pk]
    assert states(good, empty) == [
        ("complete", "confirmed", None),
        ("failed", "draft", "PROFORMA-EMPTY"),
    ]
    good.refresh_from_db()
    assert (good.confirmed_by, good.batch.on) == (company.manager, MAR_1)


def test_a_failed_confirmation_can_be_requested_again(company, contract, ready):
    """PRO-5"""
    ready(contract)
    proforma = draft(contract)
    ProformaInvoice.objects.update(confirm_job="failed", confirm_error=Reason("CONFIRM-FAILED"))
    job = operations.confirm_many([proforma], by=company.manager)
    assert job.params["proformas"] == [proforma.pk]
    assert operations.confirm_many([proforma], by=company.manager) is None  # it is in progress
    for _ in range(2):
        jobs.perform(job.pk)
        assert states(proforma) == [("complete", "confirmed", None)]
    assert operations.confirm_many([proforma], by=company.manager) is None


def test_an_internal_error_is_shown_without_details(company, contract, ready, monkeypatch, caplog):
    """PRO-5"""
    ready(contract)
    proforma = draft(contract)
    operations.confirm_many([proforma], by=company.manager)

    def fail(*args, **kwargs):
        raise RuntimeError("secret table")

    monkeypatch.setattr("proforma.operations.confirmations.settle", fail)
    do_jobs()
    assert states(proforma) == [("failed", "draft", "CONFIRM-FAILED")]
    assert "secret table" in caplog.text


def test_the_sweep_confirms_if_the_message_was_lost(company, contract, ready):
    """PRO-5, PRO-7"""
    ready(contract)
    proforma = draft(contract)
    operations.confirm_many([proforma], by=company.manager, on=MAR_1)
    jobs.sweep()
    assert states(proforma) == [("scheduled", "draft", None)]
    make_late()
    ProformaInvoice.objects.update(confirm_job="processing")
    jobs.sweep()
    assert states(proforma) == [("complete", "confirmed", None)]


def test_a_run_that_is_given_up_stops_and_another_invoices_the_rest(company, due_contract):
    """RUN-2: its worker died five times; the hourly task starts another run."""
    stopped = operations.start_run(company.entity, as_of=company.entity.today(), trigger="schedule")
    Job.objects.update(state="running", tries=5)
    make_late()
    jobs.sweep()
    stopped.refresh_from_db()
    assert (stopped.status, stopped.proformas.count()) == ("stopped", 0)
    for _ in range(2):
        tasks.run_due_invoicing()
    again = InvoiceRun.objects.exclude(pk=stopped.pk).get()
    assert (again.status, again.proformas.count()) == ("finished", 1)


def test_a_confirmation_that_was_given_up_can_be_requested_again(company, contract, ready, monkeypatch):
    """PRO-5: its worker died five times."""
    ready(contract)
    proforma = draft(contract)
    job = operations.confirm_many([proforma], by=company.manager, on=MAR_1)
    Job.objects.update(state="running", tries=5)
    ProformaInvoice.objects.update(confirm_job="processing")
    make_late()
    jobs.sweep()
    job.refresh_from_db()
    assert (job.state, job.outcome_code, job.is_problem) == ("failed", "GAVE-UP", True)
    assert states(proforma)[0][:2] == ("failed", "draft")
    assert operations.confirm_many([proforma], by=company.manager, on=MAR_1)
    do_jobs()
    assert states(proforma) == [("complete", "confirmed", None)]


# The command line


def command(capsys, *arguments):
    call_command("run_invoicing", *arguments)
    return capsys.readouterr()


def test_the_command_prints_what_it_created(company, due_contract, capsys):
    """RUN-1"""
    out = command(capsys, "--entity", "NO1", "--as-of", "2025-03-01", "--by", company.manager.username).out
    run = InvoiceRun.objects.get()
    assert (run.trigger, run.started_by, run.as_of) == ("command", company.manager, MAR_1)
    assert out == (
        f"NO1: run {run.pk} as of 2025-03-01, 1 contract, 1 proforma created, NOK 1,000.00\n"
        f"  {due_contract.code}: proforma created: Proforma PRO-2025-000001.\n"
    )


def test_the_command_prints_json(company, due_contract, capsys):
    (answer,) = json.loads(command(capsys, "--as-of", "2025-03-01", "--json").out)
    assert answer == {
        "entity": "NO1",
        "run": InvoiceRun.objects.get().pk,
        "kind": "run",
        "as_of": "2025-03-01",
        "proformas": 1,
        "totals": {"NOK": "1000.00"},
        "contracts": [
            {
                "contract": due_contract.code,
                "outcome": "created",
                "said": "proforma created",
                "code": "RUN-CREATED",
                "message": "Proforma PRO-2025-000001.",
            }
        ],
    }


def test_the_command_can_preview(company, due_contract, capsys):
    """RUN-4"""
    (answer,) = json.loads(command(capsys, "--as-of", "2025-03-01", "--preview", "--json").out)
    assert (answer["kind"], answer["proformas"], answer["totals"]) == ("preview", 1, {"NOK": "1000.00"})
    assert not ProformaInvoice.objects.exists()


def test_the_command_can_be_restricted(company, due_contract, ready, due, capsys):
    """RUN-3"""
    other = factories.contract(company, confirmed=True)
    due(other.lines.get(), FEB_1, JAN_31)
    ready(other, day=JAN_15)
    out = command(capsys, "--entity", "NO1", "--as-of", "2025-03-01", "--contract", other.code, "--json").out
    assert [row["contract"] for row in json.loads(out)[0]["contracts"]] == [other.code]


def test_the_command_shows_a_failure_and_continues(company, due_contract, capsys, monkeypatch):
    """RUN-2"""
    monkeypatch.setattr("proforma.operations.runs.write_proformas", lambda *a, **k: 1 / 0)
    answer = command(capsys, "--entity", "NO1", "--as-of", "2025-03-01")
    assert f"{due_contract.code}: failed: Internal error (ZeroDivisionError)" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--entity", "XX"],
        ["--entity", "NO1", "--contract", "XX"],
        ["--entity", "NO1", "--by", "XX"],
        ["--contract", "XX"],
    ],
)
def test_the_command_refuses_unknown_values(company, arguments):
    with pytest.raises(CommandError):
        call_command("run_invoicing", *arguments)
    assert not InvoiceRun.objects.exists()


def test_each_currency_has_its_own_total(company, ready, due, capsys):
    """RUN-3"""
    contract = factories.contract(company, confirmed=True, currency="EUR")
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, "2", "10", day=JAN_15)
    (answer,) = json.loads(command(capsys, "--as-of", "2025-03-01", "--json").out)
    assert answer["totals"] == {"EUR": "20.00"}
    assert ProformaInvoice.objects.get().currency == "EUR"
    assert LineDetail.objects.get().amount == Decimal(20)


def test_statistics_are_updated_after_very_many_rows(
    company, contract, ready, due, monkeypatch, django_capture_on_commit_callbacks
):
    """With the statistics of an empty table, the planner would scan a full one."""
    analyzed = []
    for module in ("runs", "confirmations"):
        monkeypatch.setattr(f"proforma.operations.{module}.MANY", 2)
        monkeypatch.setattr(f"proforma.operations.{module}.analyze", lambda *tables: analyzed.append(tables))
    monkeypatch.setattr("invoicing_site.floor.jobs._send", lambda job: None)
    line = contract.lines.get()
    for month, expected in ((1, []), (2, [LineDetail])):
        due(line, date(2025, month + 1, 1), date(2025, month, 28))
        for _ in range(month):
            ready(contract, day=date(2025, month, 15))
        run = operations.run_invoicing(company.entity, as_of=date(2025, 4, 1))
        assert [tables[-1] for tables in analyzed] == expected
    with django_capture_on_commit_callbacks(execute=True):
        operations.confirm(run.proformas.get(), by=company.manager)
        assert len(analyzed) == 1
    assert len(analyzed) == 2
