"""The periodic run: every contract that is due, each in a transaction of its own (RUN-1, RUN-2).

A run may be started twenty times at once, be killed at any moment and be started again. What it did stands
in `RunContract` and was committed together with its proformas; what it had not done is still due, because
claims and the status of schedule entries say so, and no run row does.
"""

import logging
from collections import defaultdict

from django.db import IntegrityError
from django.utils import timezone

from backlog.models import BacklogItem
from contracts.askers import NO_LONGER, demand_still
from contracts.models import ProjectContract, ScheduleEntry
from invoicing_site.floor import audit, jobs, moves, transaction, wording
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

_LENGTH = 500  # of the columns for messages
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
    """Make the proformas of everything that is due as of a day, and return the finished run.

    `contracts`, `customers` and `projects` restrict it; an empty selection is refused. First it finishes what
    a killed run of the same entity left. A contract that fails is logged and told in its `RunContract`, and
    the others go on.
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
    """Write down that a run begins, with its job, and return at once; the job does its work.

    Refused for a day that has not come: it would use up schedule entries before their work is done. A preview
    may look ahead.
    """
    if kind == Kind.RUN and as_of > entity.today():
        raise Refused(
            f"{wording.day(as_of)} has not come yet, at {entity} it is {wording.day(entity.today())}: "
            "make a preview for that day, or run up to today.",
            code="FUTURE-DATE",
        )
    run = InvoiceRun.objects.create(
        entity=entity, kind=kind, trigger=trigger, as_of=as_of, started_by=by, executes=executes
    )
    for field, rows in ((run.contracts, contracts), (run.customers, customers), (run.projects, projects)):
        if rows is not None:
            field.set(rows)
            if not field.exists():
                raise Refused(f"No {field.model._meta.verbose_name} is selected.")
    run.due = len(contracts_to_look_at(entity, as_of=as_of, scope=Scope.of(run)))
    run.save(update_fields=["due"])
    action = "proforma.run_invoicing" if kind == Kind.RUN else "proforma.preview_invoicing"
    audit.record(
        action, run, by=by, entity=entity.code, as_of=str(as_of), trigger=str(trigger), contracts=run.due
    )
    # Who starts one on a command line waits for it and needs no notice.
    asker = by if trigger == InvoiceRun.Trigger.MANUAL else None
    jobs.add(KIND, by=asker, entity=entity, about=run, total=run.due, run=run.pk)
    return run


def job_of(run) -> Job | None:
    """The job that does the work of the run; None when it has ended and nobody asked for it."""
    return jobs.about(run).first()


def _carry_out_here(run) -> InvoiceRun:
    jobs.carry_out(jobs.about(run)[0].pk)
    run.refresh_from_db()
    return run


@transaction.atomic
def begin_run(entity, *, as_of, by, kind=Kind.RUN, contracts=None, customers=None, projects=None):
    """Start a run or a preview whose work is done in the background; its page shows how far it is."""
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
    """Plan what `run_invoicing` would do with the same arguments, and store the plan; nothing is claimed.

    Each proforma to be made is a plan line with its total and that of the customer's one before; each reason
    to leave work out is a line with a code (RUN-4).
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
    """Carry out a stored plan, as it was shown; a plan is carried out once.

    Refused with the difference when what it rests on has changed since. A contract that changes while the
    run is at work fails in the run, and is left for the next.
    """
    return _carry_out_here(_start_execution(preview, by=by, trigger=trigger))


def execute_in_background(preview, *, by) -> InvoiceRun:
    """As `execute_preview`: refused at once, carried out by a worker."""
    run = _start_execution(preview, by=by, trigger=InvoiceRun.Trigger.MANUAL)
    jobs.send_on_commit(jobs.about(run)[0])
    return run


def _start_execution(preview, *, by, trigger):
    if preview.kind != Kind.PREVIEW:
        raise Refused(f"{preview} is not a preview.")
    moves.refuse_unless(preview, "execute_preview")
    if InvoiceRun.objects.filter(executes=preview).exists():
        raise Refused(f"{preview} was carried out already.", code="PLAN-DONE")
    if preview.as_of > preview.entity.today():
        raise Refused(
            f"{preview} looks ahead: it can be carried out from {wording.day(preview.as_of)} on.",
            code="FUTURE-DATE",
        )
    if digest_of(current_digests(preview)) != preview.digest:
        raise Refused(
            f"{preview} can't be carried out: {difference(preview)} Make a new preview.", code="PLAN-CHANGED"
        )
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
    except IntegrityError:  # somebody else, at this moment
        raise Refused(f"{preview} was carried out already.", code="PLAN-DONE") from None


def carry_out(run, report=lambda done, total: None) -> InvoiceRun:
    """Invoice, or in a preview plan, every contract that is due and has no row in this run; then finish it.

    Safe to repeat, and for two workers at once. `report(done, total)` is called after each contract. It
    raises only when not even a failure can be written down; then the run stays open and its job is tried
    again.
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
    """Note that the run failed too often; the next run invoices the contracts that it did not reach."""
    InvoiceRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        status=Status.STOPPED, finished_at=timezone.now()
    )


def invoice_contract(contract, *, run, scope=None) -> RunContract:
    """One contract's part of a run, in one transaction under the contract's lock.

    A repeat within the same run changes nothing; in another run it finds nothing ready and nothing due, and
    says so. Whatever goes wrong rolls back, is logged, and is recorded in a transaction of its own: its
    schedule entries are failed with the reason, and tried again by the next run. `scope` saves reading the
    run's restrictions again.
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
        return _done(run, contract, Outcome.NOTHING_READY, why.code, why.sentence)
    if run.trigger == InvoiceRun.Trigger.MANUAL:
        demand_still(run.started_by, "run.start", contract)
    inputs = load_inputs([contract.pk], as_of=run.as_of, scope=scope)[contract.pk]
    _refuse_what_changed(contract, run, inputs)
    plan = plan_contract(inputs, as_of=run.as_of)
    proformas = write_proformas(contract, plan.proformas, on=run.as_of, by=run.started_by, run=run)
    _answer_schedule(plan, proformas)
    if not proformas:
        return _done(run, contract, Outcome.NOTHING_READY, plan.code, plan.why_nothing)
    audit.record(
        "proforma.create",
        proformas[0] if len(proformas) == 1 else None,
        by=run.started_by,
        entity=contract.entity.code,
        run=run.pk,
        contracts=[contract.code],
        proformas=[proforma.number for proforma in proformas],
    )
    message = f"{_named(proformas)}. {plan.what_is_lost}".strip()
    return _done(run, contract, Outcome.CREATED, plan.code, message)


def _locked(contract):
    return ProjectContract.objects.locked().select_related("entity").get(pk=contract.pk)


def _done(run, contract, outcome, code, message, **values):
    return RunContract.objects.create(
        run=run, contract=contract, outcome=outcome, code=code, message=message[:_LENGTH], **values
    )


def _refuse_what_changed(contract, run, inputs):
    """A stored plan is carried out as it was shown, or not at all (RUN-4)."""
    if run.executes_id is None:
        return
    planned = RunContract.objects.filter(run=run.executes_id, contract=contract).first()
    if (planned.digest if planned else "") != inputs.digest(run.as_of):
        raise Refused(
            f"Contract {contract} has changed since {run.executes}: look at a new preview.",
            code="PLAN-CHANGED",
        )


def _answer_schedule(plan, proformas):
    """Every due entry of the contract is done with: it names its proformas, or says that it found nothing."""
    answers = defaultdict(list)
    for planned, proforma in zip(plan.proformas, proformas, strict=True):
        for entry in planned.entries:
            answers[entry].append(proforma)
    messages = defaultdict(list)
    for due in plan.answered:
        found = answers.get(due.pk)
        messages[f"{_named(found)}." if found else "Nothing was ready to invoice."].append(due.pk)
    for message, entries in messages.items():
        ScheduleEntry.objects.filter(pk__in=entries).update(
            status=Entry.SUCCEEDED, ran_at=timezone.now(), message=message[:_LENGTH]
        )


def _named(proformas):
    numbers = ", ".join(proforma.number for proforma in proformas)
    return f"{'Proforma' if len(proformas) == 1 else 'Proformas'} {numbers}"


@transaction.atomic
def _record_failure(contract, run, scope, problem):
    contract = _locked(contract)
    if found := RunContract.objects.filter(run=run, contract=contract).first():
        return found  # another worker on the same run was luckier
    code, sentence = _reason(problem)
    entries = scope.entries(due_entries(run.as_of).filter(line__contract=contract))
    if code != NO_LONGER:  # that says nothing of the contract
        ScheduleEntry.objects.filter(pk__in=list(entries.values_list("pk", flat=True))).update(
            status=Entry.FAILED, ran_at=timezone.now(), message=sentence[:_LENGTH]
        )
    return _done(run, contract, Outcome.FAILED, code, sentence, remedy=getattr(problem, "remedy", ""))


def _reason(problem):
    if isinstance(problem, Refused):
        return problem.code or "REFUSED", str(problem)
    return (
        "ERROR",
        f"Something went wrong in the program ({type(problem).__name__}); its log has the details. "
        "The next run tries again.",
    )
