"""Storing the plan of a preview: the proformas of a run, and the work that is left out (RUN-4)."""

from decimal import Decimal

from django.db.models import Max

from contracts.models import ProjectContract
from invoicing_site.floor import transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import totals, write_rows
from proforma.inputs import load_inputs
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, RunContract, RunPlanLine
from proforma.operations.drafts import require_plans_in_bounds
from proforma.plans import plan_contract


@transaction.atomic
def store_plans(run, pks, scope) -> None:
    """Store the plans of these contracts: a line for each proforma, and for each reason to leave work out.

    Contracts that another worker planned for the same preview are skipped.
    """
    run = InvoiceRun.objects.locked().get(pk=run.pk)
    done = set(run.run_contracts.filter(contract__in=pks).values_list("contract", flat=True))
    pks = [pk for pk in pks if pk not in done]
    inputs = load_inputs(pks, as_of=run.as_of, scope=scope)
    previous = _previous_nets(pks)
    currencies = dict(ProjectContract.objects.filter(pk__in=pks).values_list("pk", "currency"))
    rows, lines = [], []
    for pk in pks:
        plan = plan_contract(inputs[pk], as_of=run.as_of)
        outcome = RunContract.Outcome.CREATED if plan.proformas else RunContract.Outcome.NOTHING_READY
        row = RunContract(
            run=run,
            contract_id=pk,
            outcome=outcome,
            reason=plan.never_billed if plan.proformas else plan.why_nothing,
            digest=inputs[pk].digest(run.as_of),
        )
        rows.append(row)
        try:
            require_plans_in_bounds(plan.proformas, currencies[pk], left_out=plan.skipped)
        except Refused as refusal:
            row.outcome, row.reason = RunContract.Outcome.FAILED, refusal.reason
            continue
        for line in _plan_lines(plan, previous):
            line.run_contract, line.currency = row, currencies[pk]
            lines.append(line)
    write_rows(RunContract, rows)
    write_rows(RunPlanLine, lines)


def _plan_lines(plan, previous) -> list[RunPlanLine]:
    """The unsaved lines of one contract's plan; `previous` has the net of the last proforma of each kind."""
    previous = dict(previous)
    lines = []
    for planned in plan.proformas:
        order = planned.order.pk if planned.order else None
        kind = planned.contract_customer_id, order, planned.is_outside_scope
        lines.append(
            RunPlanLine(
                contract_customer_id=planned.contract_customer_id,
                run_date=planned.run_date,
                purchase_order_id=order,
                is_outside_scope=planned.is_outside_scope,
                items=len(planned.shares),
                amount=planned.net,
                previous_amount=previous.get(kind),
            )
        )
        previous[kind] = planned.net
    lines += [
        RunPlanLine(
            contract_customer_id=skipped.contract_customer_id,
            run_date=plan.run_date,
            code=skipped.code,
            items=skipped.items,
            amount=skipped.amount,
        )
        for skipped in plan.skipped
    ]
    return lines


def _previous_nets(contract_pks):
    """The net of the last proforma of each customer, order and tax scope."""
    kind = ("contract_customer", "purchase_order", "is_outside_scope")
    proformas = ProformaInvoice.objects.filter(contract__in=contract_pks, kind=ProformaInvoice.Kind.INVOICE)
    last = proformas.order_by().values(*kind).annotate(last=Max("pk")).values_list("last", *kind)
    by_proforma = {pk: tuple(found) for pk, *found in last}
    details = LineDetail.objects.chargeable().filter(line__proforma__in=by_proforma)
    nets = dict.fromkeys(by_proforma.values(), Decimal(0))
    return nets | {by_proforma[pk]: net for pk, net in totals(details, by="line__proforma").items()}
