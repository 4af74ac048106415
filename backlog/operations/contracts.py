"""Confirming a contract: its lines then cover entries, including those that were approved before (CON-6)."""

from django import urls
from django.utils import timezone

from actuals.models import Batch
from actuals.naming import named
from actuals.operations import open_batch, record, record_decisions, replacement, reverse
from backlog.approved_before import newly_covered
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.sharing import Decision, Delivered, sales_actuals
from backlog.valuation import (
    FIXED_PRICE,
    Pricings,
    Worth,
    backlog_item,
    most_of,
    work_of,
)
from contracts.chargeability import lines_of
from contracts.models import Milestone, MilestonePart, Project, ProjectContract
from contracts.operations import check_contract, generate_schedule, part_milestone
from contracts.pricing import PriceBook
from invoicing_site.floor import audit, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import lacks, write_rows


@transaction.atomic
def confirm_contract(contract, *, by, on=None):
    """Confirm a draft contract.

    Its milestones get parts and backlog items, and lines with a frequency get invoice dates. Entries that
    were approved before and are covered now get their cost on the line, and their unbilled sales. Refused
    with all reasons that the check of the contract finds (CON-1, CON-2, CON-4), and if the amount of an entry
    would be too large (APP-10).
    """
    list(Project.objects.locked().filter(contract_lines__contract=contract).order_by("pk"))
    contract = ProjectContract.objects.locked().select_related("entity").get(pk=contract.pk)
    moves.refuse_unless(contract, "confirm_contract", name=f"contract {contract}")
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
    """Create a backlog item for each customer's part of each milestone."""
    for milestone in Milestone.objects.filter(lacks(Milestone, "parts"), line__contract=contract):
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
    """Assign earlier costs to the lines that cover them now; returns these costs and their sales (CON-6).

    Each cost is reversed and recorded again with the line, so that the contract's profile, dimensions and
    reports include it. The unbilled sales are created with the role and unit that priced the entry.
    """
    due = newly_covered(contract)
    if not due:
        return [], []
    batch = open_batch(contract.entity, Batch.Action.CONFIRM_CONTRACT, on=on, by=by)
    reverse([cost for cost, _ in due], batch=batch)
    costs = [
        replacement(cost, batch, contract_id=contract.pk, contract_line_id=covered.line.pk)
        for cost, covered in due
    ]
    record(costs, batch=batch)
    prices, paper, delivered = PriceBook.load(contract.entity, [contract]), Pricings(batch), []
    worth = Worth(contract.entity)
    for cost, (_, covered) in zip(costs, due, strict=True):
        if covered.line.billing_method == FIXED_PRICE:
            continue
        entry = cost.entry
        assert entry  # a cost always has an entry
        price = prices.sales(work_of(entry, cost), contract)
        decision = Decision(entry.billable_quantity, entry.billing_type or None)
        try:
            worth.require_amount_in_bounds(price, most_of(entry, decision), entry.date, contract)
        except Refused as refusal:
            raise Refused(
                "CONTRACT-ENTRY-BEFORE",
                entry=named(entry),
                contract=contract,
                why=refusal.reason,
                remedy=urls.reverse("approval", args=[entry.pk]),
            ) from None
        delivered.append(
            Delivered.of(entry, covered.line, covered.is_chargeable, cost, price, paper.of(price), decision)
        )
    record_decisions(paper.made())
    sales = sales_actuals(delivered, {contract.pk: contract})
    for sale in sales:
        sale.accounting_date = on  # no revenue dated before the contract (JRN-7)
    record(sales, batch=batch)
    book = LimitBook.load(contract)
    write_rows(BacklogItem, [backlog_item(actual, book) for actual in sales])
    return costs, sales
