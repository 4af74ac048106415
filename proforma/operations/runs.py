"""The periodic run: invoice every contract that is due, each in a separate transaction (RUN-1, RUN-2).

Runs can start at the same time, be killed at any moment and start again. A `RunContract` is committed
together with the proformas of its contract. Everything else is still due, because that is decided by claims
and by the status of schedule entries, not by the rows of a run.
"""

import logging
from collections import defaultdict

from django.db import IntegrityError
from django.utils import timezone

from backlog.models import BacklogItem
from contracts.models import ProjectContract, ScheduleEntry
from contracts.requesters import NO_LONGER, recheck_permission
from invoicing_site.floor import audit, jobs, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze, in_chunks
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import Job
from proforma.inputs import Scope, contracts_to_look_at, due_entries, load_inputs
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, ProformaLine, RunContract
from proforma.operations.drafts import MANY, write_proformas
from proforma.operations.stored_plans import store_plans
from proforma.plan_changes import CHUNK as PLANS
from proforma.plan_changes import current_digests, difference, digest_of
from proforma.plans import plan_contract

logger = logging.getLogger(__name__)

Outcome = RunContract.Outcome
Kind = InvoiceRun.Kind
Status = InvoiceRun.Status
Entry = ScheduleEntry.Status

# The kind of the job that does the work of a run.
KIND = "invoice_run"


def run_invoicing(
    entity,
    *,
    as_of,
    by=None,
    trigger=InvoiceRun.Trigger.MANUAL,
    contracts=None,
    customers=None,
    projects=None,
) -> InvoiceRun:
    """Create the proformas of everything that is due as of a day, and return the finished run.

    `contracts`, `customers` and `projects` restrict it; an empty selection is refused. It first finishes a
    killed run of the same entity. A contract that fails is logged, and its `RunContract` has the reason; the
    other contracts are still invoiced.
    """
    jobs.sweep(kind=KIND, entity=entity.code)
    run = start_run(
        entity,
        as_of=as_of,
        by=by,
        trigger=trigger,
        contracts=contracts,
        customers=customers,
        projects=projects,
    )
    return _carry_out_here(run)


@transaction.atomic
def start_run(
    entity,
    *,
    as_of,
    by=None,
    trigger=InvoiceRun.Trigger.MANUAL,
    kind=Kind.RUN,
    contracts=None,
    customers=None,
    projects=None,
    executes=None,
) -> InvoiceRun:
    """Save a new run and its job, which does the work.

    Refused for a future date: that would complete schedule entries before their work is done. A preview can
    have a future date.
    """
    if kind == Kind.RUN and as_of > entity.today():
        raise Refused("RUN-DATE-AHEAD", day=as_of, entity=entity, today=entity.today())
    run = InvoiceRun.objects.create(
        entity=entity, kind=kind, trigger=trigger, as_of=as_of, started_by=by, executes=executes
    )
    _restrict(run, contracts, customers, projects)
    run.due = len(contracts_to_look_at(entity, as_of=as_of, scope=Scope.of(run)))
    run.save(update_fields=["due"])
    action = "proforma.run_invoicing" if kind == Kind.RUN else "proforma.preview_invoicing"
    audit.record(
        action, run, by=by, entity=entity.code, as_of=str(as_of), trigger=str(trigger), contracts=run.due
    )
    # A command waits for the run, so its user needs no notice.
    asker = by if trigger == InvoiceRun.Trigger.MANUAL else None
    jobs.add(KIND, by=asker, entity=entity, about=run, total=run.due, run=run.pk)
    return run


def _restrict(run, contracts, customers, projects):
    """Save the restrictions of the run, None being none; refused for an empty selection."""
    if contracts is not None:
        run.contracts.set(contracts)
        if not run.contracts.exists():
            raise Refused("NO-CONTRACT-SELECTED")
    if customers is not None:
        run.customers.set(customers)
        if not run.customers.exists():
            raise Refused("NO-CUSTOMER-SELECTED")
    if projects is not None:
        run.projects.set(projects)
        if not run.projects.exists():
            raise Refused("NO-PROJECT-SELECTED")


def job_of(run) -> Job | None:
    """The job that does the work of the run; None if it has ended and no user started it."""
    return jobs.about(run).first()


def _carry_out_here(run) -> InvoiceRun:
    jobs.carry_out(jobs.about(run)[0].pk)
    run.refresh_from_db()
    return run


@transaction.atomic
def begin_run(entity, *, as_of, by, kind=Kind.RUN, contracts=None, customers=None, projects=None):
    """Start a run or a preview in the background; its page shows the progress."""
    run = start_run(
        entity, as_of=as_of, by=by, kind=kind, contracts=contracts, customers=customers, projects=projects
    )
    jobs.send_on_commit(jobs.about(run)[0])
    return run


def preview_invoicing(
    entity,
    *,
    as_of,
    by=None,
    trigger=InvoiceRun.Trigger.MANUAL,
    contracts=None,
    customers=None,
    projects=None,
) -> InvoiceRun:
    """Store the plan of `run_invoicing` with the same arguments; nothing is claimed.

    Each planned proforma is a plan line with its total and that of the customer's previous proforma; each
    reason to leave work out is a plan line with its code (RUN-4).
    """
    run = start_run(
        entity,
        as_of=as_of,
        by=by,
        trigger=trigger,
        kind=Kind.PREVIEW,
        contracts=contracts,
        customers=customers,
        projects=projects,
    )
    return _carry_out_here(run)


def execute_preview(preview, *, by, trigger=InvoiceRun.Trigger.MANUAL) -> InvoiceRun:
    """Carry out a stored plan as it was shown; this is possible once.

    Refused with the differences if the plan would be different now. A contract that changes during the run
    fails in it, and is left for the next run.
    """
    return _carry_out_here(_start_execution(preview, by=by, trigger=trigger))


def execute_in_background(preview, *, by) -> InvoiceRun:
    """As `execute_preview`, but carried out by a worker; refused at once."""
    run = _start_execution(preview, by=by, trigger=InvoiceRun.Trigger.MANUAL)
    jobs.send_on_commit(jobs.about(run)[0])
    return run


def _start_execution(preview, *, by, trigger):
    if preview.kind != Kind.PREVIEW:
        raise Refused("NOT-A-PREVIEW", run=preview)
    moves.refuse_unless(preview, "execute_preview")
    if InvoiceRun.objects.filter(executes=preview).exists():
        raise Refused("PREVIEW-DONE", preview=preview)
    if preview.as_of > preview.entity.today():
        raise Refused("PREVIEW-DATE-AHEAD", preview=preview, day=preview.as_of)
    if digest_of(current_digests(preview)) != preview.digest:
        raise Refused("PREVIEW-CHANGED", preview=preview, why=difference(preview))
    try:
        return start_run(
            preview.entity,
            as_of=preview.as_of,
            by=by,
            trigger=trigger,
            executes=preview,
            contracts=preview.contracts.all() or None,
            customers=preview.customers.all() or None,
            projects=preview.projects.all() or None,
        )
    except IntegrityError:  # another user did it at the same moment
        raise Refused("PREVIEW-DONE", preview=preview) from None


def carry_out(run, report=lambda done, total: None) -> InvoiceRun:
    """Invoice every due contract that has no row in this run (or plan it, in a preview); then finish the run.

    Safe to repeat, and for two workers at once. `report(done, total)` is called after each contract. It
    raises only if not even a failure can be saved; then the run stays open and its job is tried again.
    """
    scope = Scope.of(run)
    done = set(run.run_contracts.values_list("contract", flat=True))
    due = [pk for pk in contracts_to_look_at(run.entity, as_of=run.as_of, scope=scope) if pk not in done]
    total = len(done) + len(due)
    if run.kind == Kind.PREVIEW:
        for n, chunk in enumerate(in_chunks(due, PLANS)):
            store_plans(run, chunk, scope)
            report(min(len(done) + (n + 1) * PLANS, total), total)
        return _finish(run, digest=digest_of(dict(run.run_contracts.values_list("contract", "digest"))))
    for n, pk in enumerate(due, len(done) + 1):
        invoice_contract(ProjectContract(pk=pk), run=run, scope=scope)
        report(n, total)
    if LineDetail.objects.filter(line__proforma__run=run)[:MANY].count() == MANY:
        analyze(BacklogItem, ProformaInvoice, ProformaLine, LineDetail)
    return _finish(run)


def _finish(run, **values):
    InvoiceRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        status=Status.FINISHED, finished_at=timezone.now(), **values
    )
    run.refresh_from_db()
    return run


def stop(run: InvoiceRun):
    """Mark the run as stopped after too many failures; the next run invoices the remaining contracts."""
    InvoiceRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        status=Status.STOPPED, finished_at=timezone.now()
    )


def invoice_contract(contract, *, run, scope=None) -> RunContract:
    """Invoice one contract in a run, in one transaction under the contract's lock.

    Repeating it in the same run changes nothing; in another run nothing is ready or due any more. An error is
    rolled back, logged, and recorded in a separate transaction: the contract's schedule entries fail with the
    reason, and the next run tries them again. `scope` avoids reading the run's restrictions again.
    """
    scope = scope or Scope.of(run)
    try:
        return _invoice_contract(contract, run, scope)
    except Exception as problem:
        logger.exception("%s: contract %s failed.", run, contract.pk)
        return _record_failure(contract, run, scope, problem)


@transaction.atomic
def _invoice_contract(contract, run, scope):
    contract = _locked(contract)
    if found := RunContract.objects.filter(run=run, contract=contract).first():
        return found
    if not moves.allows(contract, "create_proformas"):
        why = Reason(
            "CONTRACT-NOT-CONFIRMED", contract=contract, status=ProjectContract.Status(contract.status)
        )
        return _done(run, contract, Outcome.NOTHING_READY, why)
    if run.trigger == InvoiceRun.Trigger.MANUAL:
        recheck_permission(run.started_by, "run.start", contract)
    inputs = load_inputs([contract.pk], as_of=run.as_of, scope=scope)[contract.pk]
    _refuse_changed_inputs(contract, run, inputs)
    plan = plan_contract(inputs, as_of=run.as_of)
    proformas = write_proformas(contract, plan.proformas, on=run.as_of, by=run.started_by, run=run)
    _complete_entries(plan, proformas)
    if not proformas:
        return _done(run, contract, Outcome.NOTHING_READY, plan.why_nothing)
    audit.record(
        "proforma.create",
        proformas[0] if len(proformas) == 1 else None,
        by=run.started_by,
        entity=contract.entity.code,
        run=run.pk,
        contracts=[contract.code],
        proformas=[proforma.number for proforma in proformas],
    )
    numbers = [proforma.number for proforma in proformas]
    return _done(run, contract, Outcome.CREATED, _created(numbers, left_out=plan.never_billed))


def _locked(contract):
    return ProjectContract.objects.locked().select_related("entity").get(pk=contract.pk)


def _done(run, contract, outcome, reason):
    return RunContract.objects.create(run=run, contract=contract, outcome=outcome, reason=reason)


def _refuse_changed_inputs(contract, run, inputs):
    """Refused if the run carries out a stored plan that would be different now (RUN-4)."""
    if run.executes_id is None:
        return
    planned = RunContract.objects.filter(run=run.executes_id, contract=contract).first()
    if (planned.digest if planned else "") != inputs.digest(run.as_of):
        raise Refused("CONTRACT-CHANGED", contract=contract, preview=run.executes)


def _complete_entries(plan, proformas):
    """Mark the due entries of the contract as succeeded, with their proformas."""
    answers = defaultdict(list)
    for planned, proforma in zip(plan.proformas, proformas, strict=True):
        for entry in planned.entries:
            answers[entry].append(proforma)
    results = defaultdict(list)
    for due in plan.answered:
        results[tuple(proforma.number for proforma in answers[due.pk])].append(due.pk)
    for numbers, entries in results.items():
        result = _created(numbers) if numbers else Reason("NOTHING-READY")
        ScheduleEntry.objects.filter(pk__in=entries).update(
            status=Entry.SUCCEEDED, ran_at=timezone.now(), result=result
        )


def _created(numbers, left_out=None):
    if left_out:
        return Reason("RUN-CREATED-LEFT-OUT", count=len(numbers), proformas=numbers, why=left_out)
    return Reason("RUN-CREATED", count=len(numbers), proformas=numbers)


@transaction.atomic
def _record_failure(contract, run, scope, problem):
    contract = _locked(contract)
    if found := RunContract.objects.filter(run=run, contract=contract).first():
        return found  # another worker on the same run succeeded
    reason = _reason(problem)
    entries = scope.entries(due_entries(run.as_of).filter(line__contract=contract))
    if reason.code != NO_LONGER:  # this is not about the contract
        ScheduleEntry.objects.filter(pk__in=list(entries.values_list("pk", flat=True))).update(
            status=Entry.FAILED, ran_at=timezone.now(), result=reason
        )
    return _done(run, contract, Outcome.FAILED, reason)


def _reason(problem):
    if isinstance(problem, Refused):
        return problem.reason
    return Reason("RUN-FAILED", error=type(problem).__name__)
