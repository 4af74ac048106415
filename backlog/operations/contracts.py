"""Confirming a contract: its lines then cover what is approved, and what was approved before (CON-6)."""

from django.utils import timezone

from actuals.models import Actual, Batch, Entry
from actuals.operations import open_batch, record
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.sharing import Decision, Delivered, sales_actuals
from backlog.weighing import FIXED_PRICE, Pricings, backlog_item, covering, work_of
from contracts.chargeability import Coverage, lines_of
from contracts.models import Milestone, MilestonePart, Project, ProjectContract
from contracts.operations import check_contract, generate_schedule, part_milestone
from contracts.pricing import PriceBook
from invoicing_site import audit, transaction
from invoicing_site.errors import Refused
from invoicing_site.querysets import write_rows


@transaction.atomic
def confirm_contract(contract, *, by, on=None):
    """Put a draft contract into force.

    Its milestones become parts and backlog items; lines with a frequency get their invoice days; entries
    approved before, and now covered by a line, get their unbilled sales. Refused by the sentence
    of whatever does not add up (CON-1, CON-2, CON-4).
    """
    list(Project.objects.locked().filter(contract_lines__contract=contract).order_by("pk"))
    contract = ProjectContract.objects.locked().select_related("entity").get(pk=contract.pk)
    if contract.status != ProjectContract.Status.DRAFT:
        raise Refused(
            f"Contract {contract} is {contract.get_status_display()}; only a draft can be confirmed."
        )
    check_contract(contract)
    contract.status = ProjectContract.Status.CONFIRMED
    contract.confirmed_at, contract.confirmed_by = timezone.now(), by
    contract.save(update_fields=["status", "confirmed_at", "confirmed_by"])
    parts = _release_milestones(contract)
    for line in lines_of(contract).filter(frequency__isnull=False).order_by("number"):
        generate_schedule(line, by=by)
    shares = _bill_what_was_approved(contract, by=by, on=on or contract.entity.today())
    audit.record(
        "backlog.confirm_contract",
        contract,
        by=by,
        entity=contract.entity.code,
        milestone_parts=len(parts),
        unbilled_sales=len(shares),
    )
    return contract


def _release_milestones(contract):
    """A backlog item for each customer's part of each milestone."""
    for milestone in Milestone.objects.filter(line__contract=contract, parts=None):
        part_milestone(milestone)
    parts = MilestonePart.objects.filter(milestone__line__contract=contract).select_related("milestone")
    return write_rows(
        BacklogItem,
        [
            BacklogItem(
                milestone_part=part,
                contract=contract,
                contract_line_id=part.milestone.line_id,
                contract_customer_id=part.contract_customer_id,
                date=part.milestone.date,
                amount=part.amount,
                currency=contract.currency,
                description=part.milestone.name,
            )
            for part in parts.order_by("pk")
        ],
    )


def _bill_what_was_approved(contract, *, by, on):
    """The unbilled sales of entries whose approval found no line to cover them."""
    entity = contract.entity
    projects = set(contract.lines.values_list("project_id", flat=True))
    coverage = Coverage.load(entity, projects)
    uncovered = (
        Actual.objects.filter(
            type=Actual.Type.COST,
            project__in=projects,
            entry__status=Entry.Status.APPROVED,
            reverses=None,
            reversed_by=None,
            contract_line=None,
            sales=None,
        )
        .select_related("entry__resource__unit", "entry__task")
        .order_by("date", "pk")
    )
    due = []
    for cost in uncovered:
        covered = covering(coverage, cost.entry, cost.entry.billing_type)
        is_ours = covered and covered.line.contract_id == contract.pk
        if is_ours and covered.line.billing_method != FIXED_PRICE:
            due.append((cost, covered))
    if not due:
        return []
    batch = open_batch(entity, Batch.Action.CONFIRM_CONTRACT, on=on, by=by)
    prices = PriceBook.load(entity, [contract])
    paper = Pricings(batch)
    delivered = []
    for cost, covered in due:
        work = work_of(cost.entry)
        price = prices.sales(work, contract)
        decision = Decision(cost.entry.billable_quantity, cost.entry.billing_type or None)
        delivered.append(
            Delivered.of(
                cost.entry, covered.line, covered.is_chargeable, cost, price, paper.of(price), decision
            )
        )
    paper.write()
    sales = record(sales_actuals(delivered, {contract.pk: contract}), batch=batch)
    book = LimitBook.load(contract)
    return write_rows(BacklogItem, [backlog_item(actual, book) for actual in sales])
