"""Confirming a contract: its lines then cover what is approved, and what was approved before (CON-6)."""

from typing import NamedTuple

from django import urls
from django.db.models import Count
from django.utils import timezone

from actuals.models import Actual, Batch, Entry
from actuals.naming import named
from actuals.operations import anew, open_batch, record, reverse
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.sharing import Decision, Delivered, sales_actuals
from backlog.weighing import (
    FIXED_PRICE,
    Pricings,
    Worth,
    backlog_item,
    covering,
    most_of,
    outside_of,
    work_of,
)
from contracts.chargeability import Coverage, lines_of
from contracts.models import Milestone, MilestonePart, Project, ProjectContract
from contracts.operations import check_contract, generate_schedule, part_milestone
from contracts.pricing import PriceBook
from invoicing_site.floor import audit, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import write_rows


@transaction.atomic
def confirm_contract(contract, *, by, on=None):
    """Put a draft contract into force.

    Its milestones become parts and backlog items; lines with a frequency get their invoice days; entries
    approved before, and now covered by a line, get their cost under it and their unbilled sales. Refused by
    the sentence of whatever does not add up (CON-1, CON-2, CON-4), and naming an entry that would come to
    more than can be kept (APP-10).
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
    costs, sales = _cover_what_was_approved(contract, by=by, on=on or contract.entity.today())
    audit.record(
        "backlog.confirm_contract",
        contract,
        by=by,
        entity=contract.entity.code,
        milestone_parts=len(parts),
        costs=len(costs),
        unbilled_sales=len(sales),
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


def _cover_what_was_approved(contract, *, by, on):
    """Put costs approved before under the lines that cover them now; returns these and their sales (CON-6).

    Each is reversed and recorded anew as it was, so that the contract's profile, dimensions and figures count
    for it, and the unbilled sales that are now due are made at the role and unit it was priced by.
    """
    due = _newly_covered(contract)
    if not due:
        return [], []
    batch = open_batch(contract.entity, Batch.Action.CONFIRM_CONTRACT, on=on, by=by)
    reverse([cost for cost, _ in due], batch=batch)
    costs = [
        anew(cost, batch, contract_id=contract.pk, contract_line_id=covered.line.pk) for cost, covered in due
    ]
    record(costs, batch=batch)
    prices, paper, delivered = PriceBook.load(contract.entity, [contract]), Pricings(batch), []
    worth = Worth(contract.entity)
    for cost, (_, covered) in zip(costs, due, strict=True):
        if covered.line.billing_method == FIXED_PRICE:
            continue
        entry = cost.entry
        price = prices.sales(work_of(entry, cost), contract)
        decision = Decision(entry.billable_quantity, entry.billing_type or None)
        try:
            worth.demand_room(price, most_of(entry, decision), entry.date, contract)
        except Refused as refusal:
            raise Refused(
                f"{named(entry)} was approved before, and contract {contract} can't be confirmed with it. "
                f"{refusal.message} To correct the entry, cancel its approval.",
                code=refusal.code,
                remedy=urls.reverse("approval", args=[entry.pk]),
            ) from None
        delivered.append(
            Delivered.of(entry, covered.line, covered.is_chargeable, cost, price, paper.of(price), decision)
        )
    paper.write()
    sales = sales_actuals(delivered, {contract.pk: contract})
    for sale in sales:
        sale.accounting_date = on  # no revenue before the contract (JRN-7)
    record(sales, batch=batch)
    book = LimitBook.load(contract)
    write_rows(BacklogItem, [backlog_item(actual, book) for actual in sales])
    return costs, sales


def _newly_covered(contract):
    """The costs that name no line, each with what covers it now on the contract, in the order of the work."""
    uncovered = _uncovered(contract).select_related("entry__resource", "price_decision")
    uncovered = uncovered.order_by("date", "pk")
    coverage = Coverage.load(contract.entity, contract.lines.values_list("project_id", flat=True))
    found = ((cost, _covered(coverage, cost.entry, contract)) for cost in uncovered)
    return [(cost, covered) for cost, covered in found if covered]


def _covered(coverage, entry, contract):
    """What covers an approved entry on the contract, with the billing type that its approver set; or None."""
    covered = covering(coverage, entry, entry.billing_type)
    return covered if covered and covered.line.contract_id == contract.pk else None


def _uncovered(contract):
    """The costs of approved entries on its projects that no line covers."""
    return Actual.objects.filter(
        type=Actual.Type.COST,
        project__in=contract.lines.values("project"),
        entry__status__in=[Entry.Status.APPROVED, Entry.Status.RECALL],
        reverses=None,
        reversed_by=None,
        contract_line=None,
    )


# What decides whether a line covers an approved entry.
_WORK = ("transaction_class", "project_id", "task_id", "date", "billing_wish", "billing_type")


class ApprovedBefore(NamedTuple):
    """How many entries were approved before a contract is confirmed, by what becomes of them."""

    covered: int
    outside: int  # a line covers such work, but not on its day (CON-12)


def approved_before(contract) -> ApprovedBefore:
    """What confirming the draft would put under its lines, and what stays outside by its day; two queries."""
    coverage, covered, outside = Coverage.of_contract(contract), 0, 0
    work = [f"entry__{name}" for name in _WORK]
    for *values, n in _uncovered(contract).order_by().values_list(*work).annotate(n=Count("pk")):
        entry = Entry(**dict(zip(_WORK, values, strict=True)))
        if _covered(coverage, entry, contract):
            covered += n
        elif outside_of(coverage, entry):
            outside += n
    return ApprovedBefore(covered, outside)
