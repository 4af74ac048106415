"""The periodic run: schedule entries, milestones, failures, repeats, restrictions."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backlog.models import BacklogItem
from contracts.models import ContractRevision, NumberSequence, ScheduleEntry
from contracts.operations import generate_schedule
from invoicing_site.floor import jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent, Job
from proforma import operations
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, RunContract
from proforma.operations import runs
from tests import factories

pytestmark = pytest.mark.django_db

JAN_15, JAN_31, FEB_1 = date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 1)
FEB_15, FEB_28, MAR_1, MAR_2 = date(2025, 2, 15), date(2025, 2, 28), date(2025, 3, 1), date(2025, 3, 2)


def run(company, as_of=MAR_1, **fields):
    return operations.run_invoicing(company.entity, as_of=as_of, **fields)


def made(found):
    """(contract, run date, cutoff, items) of each proforma of a run."""
    return [
        (
            proforma.contract,
            proforma.run_date,
            proforma.cutoff,
            list(
                LineDetail.objects.on_proforma(proforma).order_by("pk").values_list("backlog_item", flat=True)
            ),
        )
        for proforma in found.proformas.order_by("pk")
    ]


def outcomes(found):
    rows = found.run_contracts.order_by("contract")
    return [(row.contract, row.outcome, row.reason.code, row.reason.sentence) for row in rows]


def schedule(contract):
    rows = ScheduleEntry.objects.filter(line__contract=contract).order_by("run_date")
    return [(row.run_date, row.status, row.result and row.result.sentence) for row in rows]


def test_a_schedule_entry_creates_its_proforma(company, contract, ready, due):
    """RUN-1"""
    line = contract.lines.get()
    due(line, FEB_1, JAN_31)
    due(line, MAR_2, MAR_1)
    items = [ready(contract, day=JAN_15), ready(contract, day=JAN_31)]
    after = ready(contract, day=FEB_1)
    found = run(company, by=company.manager)

    assert made(found) == [(contract, FEB_1, JAN_31, [item.pk for item in items])]
    assert outcomes(found) == [(contract, "created", "RUN-CREATED", "Proforma PRO-2025-000001.")]
    assert schedule(contract) == [
        (FEB_1, "succeeded", "Proforma PRO-2025-000001."),
        (MAR_2, "not_run", None),
    ]
    assert (found.status, found.due, found.trigger) == ("finished", 1, "manual")
    assert found.finished_at is not None
    after.refresh_from_db()
    assert after.status == "ready"
    proforma = found.proformas.get()
    assert (proforma.accounting_date, proforma.created_by) == (MAR_1, company.manager)
    assert proforma.schedule_entries.get().entry == line.schedule.get(run_date=FEB_1)
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["proforma.run_invoicing", "proforma.create"]


def test_each_run_date_creates_its_own_proforma(company, contract, ready, due):
    """RUN-1: two months at once, because there was no run in February."""
    line = contract.lines.get()
    due(line, MAR_1, FEB_28)
    due(line, FEB_1, JAN_31)
    january, february = ready(contract, day=JAN_15), ready(contract, day=FEB_15)
    found = run(company)
    assert made(found) == [(contract, FEB_1, JAN_31, [january.pk]), (contract, MAR_1, FEB_28, [february.pk])]
    assert outcomes(found)[0][3] == "Proformas PRO-2025-000001 and PRO-2025-000002."
    assert schedule(contract) == [
        (FEB_1, "succeeded", "Proforma PRO-2025-000001."),
        (MAR_1, "succeeded", "Proforma PRO-2025-000002."),
    ]


def test_entries_of_one_contract_with_one_run_date_share_a_proforma(company, ready, due):
    """RUN-1"""
    contract = factories.contract(
        company, confirmed=True, lines=[{}, {"project": factories.ProjectFactory(entity=company.entity)}]
    )
    first, second = contract.lines.order_by("number")
    due(first, FEB_1, JAN_31)
    due(second, FEB_1, JAN_31)
    items = [ready(contract, line=first, day=JAN_15), ready(contract, line=second, day=JAN_31, task=None)]
    found = run(company)
    assert made(found) == [(contract, FEB_1, JAN_31, [item.pk for item in items])]
    assert found.proformas.get().schedule_entries.count() == 2
    assert [status for _, status, _ in schedule(contract)] == ["succeeded", "succeeded"]


def test_each_customer_has_a_separate_proforma(company, shared_contract, ready, due):
    """RUN-1, PRO-1"""
    due(shared_contract.lines.get(), FEB_1, JAN_31)
    first, second = shared_contract.customers.order_by("pk")
    for share in (second, first):
        ready(shared_contract, customer=share, day=JAN_15)
    found = run(company)
    assert [p.contract_customer for p in found.proformas.order_by("pk")] == [first, second]
    assert schedule(shared_contract) == [
        (FEB_1, "succeeded", "Proformas PRO-2025-000001 and PRO-2025-000002.")
    ]


def test_an_entry_without_work_succeeds_with_a_message(company, contract, ready, due):
    """RUN-1"""
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15, status="not_ready")
    found = run(company)
    assert outcomes(found) == [
        (
            contract,
            "nothing",
            "NOTHING-READY-LEFT-OUT",
            "Nothing was ready to invoice. 1 item is left out: not marked ready.",
        )
    ]
    assert schedule(contract) == [(FEB_1, "succeeded", "Nothing was ready to invoice.")]
    assert not ProformaInvoice.objects.exists()


def test_a_future_entry_is_not_due(company, contract, ready, due):
    """RUN-1"""
    due(contract.lines.get(), MAR_1, FEB_28)
    ready(contract, day=FEB_15)
    found = run(company, as_of=FEB_28)
    assert (outcomes(found), found.due) == ([], 0)
    assert schedule(contract) == [(MAR_1, "not_run", None)]


def test_ready_milestones_need_no_schedule(company, milestone):
    """RUN-1: dated up to the day of the run, with that day as run date."""
    contract = factories.contract(company, method="fixed", confirmed=True)
    line = contract.lines.get()
    (item,) = milestone(line, "40000", day=MAR_1, number=2)
    milestone(line, "60000", day=MAR_2, number=3)
    found = run(company)
    assert made(found) == [(contract, MAR_1, MAR_1, [item.pk])]


def test_milestones_are_on_the_latest_due_run_date(company, ready, due, milestone):
    """RUN-1"""
    contract = factories.contract(
        company,
        confirmed=True,
        lines=[{}, {"method": "fixed", "project": factories.ProjectFactory(entity=company.entity)}],
    )
    work_line, fixed_line = contract.lines.order_by("number")
    due(work_line, FEB_1, JAN_31)
    due(work_line, MAR_1, FEB_28)
    work = ready(contract, line=work_line, day=JAN_15)
    (item,) = milestone(fixed_line, "40000", day=JAN_15, number=2)
    found = run(company)
    assert made(found) == [(contract, FEB_1, JAN_31, [work.pk]), (contract, MAR_1, FEB_28, [item.pk])]


def test_only_confirmed_contracts_of_the_entity_are_included(company, contract, ready, due):
    """RUN-1"""
    draft = factories.contract(company)
    other = factories.company("SE1", books=False)
    foreign = factories.contract(other, confirmed=True)
    for found in (draft, foreign):
        due(found.lines.get(), FEB_1, JAN_31)
    ready(draft, day=JAN_15)
    factories.ready_item(other, foreign, date=JAN_15)
    assert outcomes(run(company)) == []
    assert [contract for contract, *_ in outcomes(run(other))] == [foreign]


def test_a_line_of_a_draft_amendment_is_not_due_yet(company, contract, ready, due):
    """CON-10"""
    line = contract.lines.get()
    line.revision = ContractRevision.objects.create(
        contract=contract, number=1, effective_on=JAN_15, reason="More work"
    )
    line.save()
    due(line, FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    assert outcomes(run(company)) == []


def test_a_second_run_finds_nothing_due(company, contract, ready, due):
    """RUN-2"""
    due(contract.lines.get(), FEB_1, JAN_31)
    item = ready(contract, day=JAN_15)
    first, again = run(company), run(company)
    assert made(first) == [(contract, FEB_1, JAN_31, [item.pk])]
    assert (made(again), outcomes(again)) == ([], [])


def test_a_contract_is_processed_once_in_a_run(company, contract, ready, due, caplog):
    """RUN-2: the second call in the same run returns the first result."""
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    started = operations.start_run(company.entity, as_of=MAR_1)
    first = operations.invoice_contract(contract, run=started)
    ready(contract, day=JAN_15)
    assert operations.invoice_contract(contract, run=started) == first
    assert LineDetail.objects.count() == 1
    assert not [record for record in caplog.records if record.exc_info]


def test_a_contract_closed_in_the_meantime_is_skipped(company, contract, ready, due):
    """RUN-2: everything is checked again under the lock."""
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    started = operations.start_run(company.entity, as_of=MAR_1)
    contract.status = "closed"
    contract.save()
    row = operations.invoice_contract(contract, run=started)
    assert (row.outcome, row.reason.code) == ("nothing", "CONTRACT-NOT-CONFIRMED")


@pytest.fixture
def failing(monkeypatch):
    """failing(contract, problem): creating that contract's proformas fails after everything was written."""

    def make(contract, problem):
        real = runs.write_proformas

        def write(found, *args, **kwargs):
            proformas = real(found, *args, **kwargs)
            if found.pk == contract.pk:
                raise problem
            return proformas

        monkeypatch.setattr(runs, "write_proformas", write)

    return make


def test_a_failing_contract_does_not_stop_the_others(company, contract, ready, due, failing, caplog):
    """RUN-2"""
    others = [factories.contract(company, confirmed=True) for _ in range(2)]
    for found in (contract, *others):
        due(found.lines.get(), FEB_1, JAN_31)
        ready(found, day=JAN_15)
    failing(others[0], RuntimeError("disk full"))
    found = run(company)

    sentence = (
        "Internal error (RuntimeError). Nothing was saved; the log has the details. The next run tries again."
    )
    assert [(c, outcome, code) for c, outcome, code, _ in outcomes(found)] == [
        (contract, "created", "RUN-CREATED"),
        (others[0], "failed", "RUN-FAILED"),
        (others[1], "created", "RUN-CREATED"),
    ]
    assert outcomes(found)[1][3] == sentence
    assert schedule(others[0]) == [(FEB_1, "failed", sentence)]
    assert BacklogItem.objects.get(contract=others[0]).status == "ready"  # rolled back
    assert not ProformaInvoice.objects.filter(contract=others[0]).exists()
    assert found.status == "finished"
    (record,) = [record for record in caplog.records if record.exc_info]
    assert "disk full" in str(record.exc_info[1])


NONE = "You manage no confirmed contract in this legal entity, so there is nothing to run."


def test_a_refusal_is_recorded_with_its_sentence_and_tried_again(
    company, contract, ready, due, failing, monkeypatch
):
    """RUN-2"""
    due(contract.lines.get(), FEB_1, JAN_31)
    item = ready(contract, day=JAN_15)
    with monkeypatch.context() as while_it_lasts:
        while_it_lasts.setattr(
            runs,
            "write_proformas",
            lambda *args, **kwargs: (_ for _ in ()).throw(Refused("NO-CONTRACT-TO-RUN")),
        )
        assert outcomes(run(company)) == [(contract, "failed", "NO-CONTRACT-TO-RUN", NONE)]
    assert schedule(contract) == [(FEB_1, "failed", NONE)]
    found = run(company)
    assert made(found) == [(contract, FEB_1, JAN_31, [item.pk])]
    assert schedule(contract) == [(FEB_1, "succeeded", "Proforma PRO-2025-000001.")]


def test_a_missing_number_sequence_is_named(company, contract, ready, due):
    """RUN-2, MON-8"""
    NumberSequence.objects.filter(kind="proforma").delete()
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    ((_, outcome, code, message),) = outcomes(run(company))
    assert (outcome, code) == ("failed", "NUM-MISSING")
    assert "no number sequence" in message


# A run that was killed


def killed(company, *done, silent=timedelta(minutes=11), **fields):
    """A run whose process died after these contracts."""
    started = operations.start_run(company.entity, as_of=MAR_1, **fields)
    for contract in done:
        operations.invoice_contract(contract, run=started)
    begun = timezone.now() - silent
    jobs.about(started).update(state="running", tries=1, beat_at=begun, due_at=begun + runs_are_silent_for)
    return started


runs_are_silent_for = timedelta(minutes=3)


def swept(**restricted):
    """The runs that a sweep carried out."""
    before = {job.pk: job.params["run"] for job in Job.objects.all()}
    return [InvoiceRun.objects.get(pk=before[pk]) for pk in jobs.sweep(**restricted)]


def test_a_silent_run_is_resumed_and_finished(company, contract, ready, due):
    """RUN-2: finished contracts do not change, and the others are done now."""
    other = factories.contract(company, confirmed=True)
    for found in (contract, other):
        due(found.lines.get(), FEB_1, JAN_31)
        ready(found, day=JAN_15)
    dead = killed(company, contract)
    before = dead.proformas.get()
    assert swept() == [dead]
    dead.refresh_from_db()
    assert dead.status == "finished"
    assert [(c, outcome) for c, outcome, *_ in outcomes(dead)] == [(contract, "created"), (other, "created")]
    assert dead.proformas.order_by("pk").first() == before
    assert swept() == []


def test_a_run_that_reports_progress_is_not_resumed(company):
    """RUN-2"""
    alive = killed(company, silent=timedelta(minutes=2))
    assert swept() == []
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert swept() == [alive]


def test_a_run_is_not_resumed_by_two_workers(company, monkeypatch):
    """RUN-2: of two silent runs, another process takes the second while the first one is carried out."""
    first, second = killed(company), killed(company)

    def carry_out(run, report):
        jobs.about(second).update(due_at=timezone.now() + runs_are_silent_for)
        return run

    monkeypatch.setattr(operations, "carry_out", carry_out)
    assert swept() == [first]


def test_every_start_resumes_silent_runs_of_the_same_entity(company, contract, ready, due):
    """RUN-2"""
    other = factories.company("SE1", books=False)
    due(contract.lines.get(), FEB_1, JAN_31)
    item = ready(contract, day=JAN_15)
    dead, foreign = killed(company), killed(other)
    found = run(company)
    dead.refresh_from_db()
    foreign.refresh_from_db()
    assert (dead.status, foreign.status) == ("finished", "running")
    assert made(dead) == [(contract, FEB_1, JAN_31, [item.pk])]
    assert made(found) == []


def test_a_run_reports_progress_after_every_contract(company, contract, ready, due, monkeypatch):
    """RUN-2"""
    due(contract.lines.get(), FEB_1, JAN_31)
    killed(company)
    seen = []

    def finish(run):
        job = jobs.about(run).get()
        seen.append((job.done, job.total, job.beat_at, job.due_at))

    monkeypatch.setattr(runs, "_finish", finish)
    with time_machine.travel(timezone.now() + timedelta(minutes=9)):
        now = timezone.now()
        swept()
    (done, total, beat_at, due_at), *_ = seen
    assert (done, total) == (1, 1)
    assert beat_at >= now
    assert due_at - beat_at == runs_are_silent_for


# Restrictions


def test_a_run_can_be_restricted_to_contracts(company, contract, ready, due):
    """RUN-3"""
    other = factories.contract(company, confirmed=True)
    for found in (contract, other):
        due(found.lines.get(), FEB_1, JAN_31)
        ready(found, day=JAN_15)
    found = run(company, contracts=[other])
    assert [c for c, *_ in outcomes(found)] == [other]
    assert schedule(contract) == [(FEB_1, "not_run", None)]
    with pytest.raises(Refused, match="No contract is selected"):
        run(company, contracts=[])


def test_a_run_can_be_restricted_to_projects(company, ready, due, milestone):
    """RUN-3: the other lines of the contract stay due."""
    project = factories.ProjectFactory(entity=company.entity)
    contract = factories.contract(
        company, confirmed=True, lines=[{}, {"project": project}, {"method": "fixed"}]
    )
    first, second, third = contract.lines.order_by("number")
    for line in (first, second):
        due(line, FEB_1, JAN_31)
    ready(contract, line=first, day=JAN_15)
    wanted = ready(contract, line=second, day=JAN_15, task=None)
    milestone(third, number=2, day=JAN_15)
    found = run(company, projects=[project])
    assert made(found) == [(contract, FEB_1, JAN_31, [wanted.pk])]
    statuses = dict(ScheduleEntry.objects.values_list("line", "status"))
    assert statuses == {first.pk: "not_run", second.pk: "succeeded"}


def test_a_run_restricted_to_one_of_two_customers_leaves_the_entry_due(company, shared_contract, ready, due):
    """RUN-3, RUN-2: no work is lost."""
    due(shared_contract.lines.get(), FEB_1, JAN_31)
    first, second = shared_contract.customers.order_by("pk")
    mine, theirs = (ready(shared_contract, customer=share, day=JAN_15) for share in (first, second))
    found = run(company, customers=[first.customer])
    assert made(found) == [(shared_contract, FEB_1, JAN_31, [mine.pk])]
    assert schedule(shared_contract) == [(FEB_1, "not_run", None)]
    again = run(company)
    assert made(again) == [(shared_contract, FEB_1, JAN_31, [theirs.pk])]
    assert schedule(shared_contract) == [(FEB_1, "succeeded", "Proforma PRO-2025-000002.")]


def test_refresh_of_a_runs_proforma_stays_on_its_schedule(company, ready, due):
    """PRO-3, RUN-1: work of a line with another schedule is not added."""
    contract = factories.contract(
        company, confirmed=True, lines=[{}, {"project": factories.ProjectFactory(entity=company.entity)}]
    )
    weekly, monthly = contract.lines.order_by("number")
    due(weekly, FEB_1, JAN_31)
    ready(contract, line=weekly, day=JAN_15)
    proforma = run(company).proformas.get()
    late = ready(contract, line=weekly, day=JAN_31)
    ready(contract, line=weekly, day=FEB_1)
    ready(contract, line=monthly, day=JAN_15, task=None)
    assert [d.backlog_item for d in operations.refresh(proforma, by=company.manager)] == [late]


def test_a_contract_takes_as_many_queries_for_many_items_as_for_few(company, contract, ready, due):
    line = contract.lines.get()
    counts = []
    for month, rows in ((1, 1), (2, 2), (3, 20)):  # the first one creates the counters
        due(line, date(2025, month + 1, 1), date(2025, month, 28))
        for _ in range(rows):
            ready(contract, day=date(2025, month, 15))
        started = operations.start_run(company.entity, as_of=date(2025, 4, 1))
        with CaptureQueriesContext(connection) as captured:
            row = operations.invoice_contract(contract, run=started)
        assert row.outcome == RunContract.Outcome.CREATED
        counts.append(len(captured))
    assert counts[1] == counts[2]


def test_contracts_that_are_not_due_take_no_queries(company, contract, ready, due):
    """RUN-1: the run reads due contracts only."""

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert run(company).due == 0
        return len(captured)

    few = queries()
    for _ in range(5):
        other = factories.contract(company, confirmed=True)
        due(other.lines.get(), date(2026, 1, 1), date(2025, 12, 31))
        ready(other)
    assert queries() == few
    assert Decimal(5) == BacklogItem.objects.ready().count()


def test_a_run_on_the_31st_includes_the_work_of_the_31st(company, contract, ready):
    """RUN-1 SCH-1: if the frequency has its cutoff on the run day; the preview shows the same."""
    line = contract.lines.get()
    line.frequency = factories.InvoiceFrequencyFactory(
        entity=company.entity, days="31", cutoff_on_run_day=True
    )
    line.billing_starts, contract.ends = date(2025, 1, 1), FEB_28
    line.save()
    contract.save()
    generate_schedule(line, by=company.manager)
    item, later = ready(contract, day=JAN_31), ready(contract, day=FEB_1)

    preview = operations.preview_invoicing(company.entity, as_of=JAN_31, by=company.manager)
    (planned,) = preview.run_contracts.get().plan_lines.filter(code="")
    assert (planned.run_date, planned.items, planned.amount) == (JAN_31, 1, 200)

    assert made(run(company, as_of=JAN_31)) == [(contract, JAN_31, JAN_31, [item.pk])]
    assert made(run(company, as_of=FEB_28)) == [(contract, FEB_28, FEB_28, [later.pk])]
