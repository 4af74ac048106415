"""Approval: submitted entries become actuals and backlog items, and can be taken back (APP-2 to APP-5)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from actuals.models import Actual, Batch, BillingType, Entry, PriceDecision
from actuals.operations import open_batch, record, reverse
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.operations.items import cancel
from backlog.sharing import Decision, Delivered, sales_actuals
from contracts.chargeability import Coverage
from contracts.models import ContractLine, LegalEntity, Project, ProjectContract
from contracts.pricing import PriceBook, Work
from invoicing_site import audit, checked, money
from invoicing_site.errors import Refused
from invoicing_site.querysets import analyze, draw_ids, in_chunks, write_rows

FIXED_PRICE = ContractLine.BillingMethod.FIXED_PRICE

# Entries approved in one commit. SQLite's writers wait for each other, so none of them is long.
CHUNK = 1000


@dataclass
class Approval:
    """What approving made, what it left alone and why, and what the approver should know."""

    batch: Batch | None = None
    entries: list[Entry] = field(default_factory=list)
    actuals: list[Actual] = field(default_factory=list)
    items: list[BacklogItem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: list[tuple[Entry, str]] = field(default_factory=list)


def approve_many(entries, *, by, on=None, decisions=None) -> list[Approval]:
    """Approve any number of entries, a commit for every thousand; what is done stays done."""
    ordered = sorted(entries, key=lambda entry: (entry.project_id, entry.date, entry.pk))
    approvals = [approve(chunk, by=by, on=on, decisions=decisions) for chunk in in_chunks(ordered, CHUNK)]
    if len(approvals) > 1:
        analyze(Actual, BacklogItem, Entry)
    return approvals


@transaction.atomic
def approve(entries, *, by, on=None, decisions: Mapping[int, Decision] | None = None) -> Approval:
    """Turn submitted entries of one legal entity into actuals: a cost, and each customer's unbilled sales.

    Entries that can't be approved (not submitted, one's own, not one's project) are left alone and named;
    when that leaves none, it is refused. A missing price never stops an approval (PRC-6), a missing exchange
    rate does (MON-8). `on` is the day of the action, by default the entity's today.
    """
    entity, entries = _locked_entries(entries)
    decisions = decisions or {}
    result = Approval()
    result.entries, result.refused = _approvable(entity, entries, decisions, by)
    if not result.entries:
        raise Refused(result.refused[0][1] if result.refused else "Nothing is selected.")
    contracts = _locked_contracts(entity, result.entries)
    result.batch = open_batch(entity, Batch.Action.APPROVE, on=on or entity.today(), by=by)
    delivered = _costed(entity, result, contracts, decisions)
    _write_sales(result, contracts, delivered)
    _stamp(result.entries, decisions, by=by)
    audit.record(
        "backlog.approve",
        result.batch,
        by=by,
        entity=entity.code,
        entries=[entry.pk for entry in result.entries],
        actuals=len(result.actuals),
        decisions={str(pk): str(decision) for pk, decision in decisions.items()},
        warnings=result.warnings[:50],
    )
    return result


@transaction.atomic
def reject(entries, *, by, comment) -> list[Entry]:
    """Send submitted entries back with a comment; their owner mends and submits them again (APP-1)."""
    entity, entries = _locked_entries(entries)
    if not comment.strip():
        raise Refused("Say why the entries are rejected, so that their owner can mend them.")
    checked.words(comment, Entry, "decision_comment")
    mine = _managed_by(by, entries)
    for entry in entries:
        if sentence := _why_not_approvable(entity, entry, by, mine):
            raise Refused(sentence)
    _decide(entries, Entry.Status.REJECTED, by=by, comment=comment)
    audit.record(
        "backlog.reject", None, by=by, entity=entity.code, entries=[e.pk for e in entries], comment=comment
    )
    return entries


@transaction.atomic
def cancel_approval(entries, *, by, on=None, comment="") -> Batch:
    """Take approved entries back into draft: actuals are reversed, backlog items canceled (APP-5).

    Refused, naming the document, when one of them is on a draft or confirmed proforma.
    """
    entity, entries = _locked_entries(entries)
    checked.words(comment, Entry, "decision_comment")
    approved = {Entry.Status.APPROVED, Entry.Status.RECALL}
    mine = _managed_by(by, entries)
    for entry in entries:
        if entry.status not in approved:
            raise Refused(f"{entry} is not approved: there is nothing to take back.")
        if entry.project_id not in mine:
            raise Refused(f"{entry} is on project {entry.project}, which is not yours.")
    _locked_contracts(entity, entries)
    items = list(
        BacklogItem.objects.filter(actual__entry__in=entries)
        .exclude(status=BacklogItem.Status.CANCELED)
        .select_related("actual__entry", "detail__line__proforma")
    )
    for item in items:
        if item.status in (BacklogItem.Status.CREATED, BacklogItem.Status.POSTED):
            raise Refused(
                f"{item.actual.entry} is on {item.detail.line.proforma}; "
                "remove it from the draft, or credit the invoice, before its approval is canceled."
            )
    facts = Actual.objects.filter(entry__in=entries, reverses=None, reversed_by=None).order_by("pk")
    batch = open_batch(entity, Batch.Action.CANCEL, on=on or entity.today(), by=by)
    reverse(list(facts), batch=batch)
    cancel(items)
    _decide(entries, Entry.Status.DRAFT, by=by, comment=comment)
    audit.record("backlog.cancel_approval", batch, by=by, entity=entity.code, entries=[e.pk for e in entries])
    return batch


def _locked_entries(entries):
    """The entity and its entries, locked behind the projects they are on.

    The project's lock keeps a contract from being confirmed in the same moment: one of them sees the other.
    """
    pks = [entry.pk for entry in entries]
    if not pks:
        raise Refused("Nothing is selected.")
    projects = Entry.objects.filter(pk__in=pks).values("project")
    list(Project.objects.locked().filter(pk__in=projects))
    related = ["project", "task", "resource", "resource__unit", "role", "category", "product"]
    list(Entry.objects.locked().filter(pk__in=pks))
    rows = list(Entry.objects.filter(pk__in=pks).select_related(*related).order_by("date", "pk"))
    entities = {row.entity_id for row in rows}
    if len(entities) != 1:
        raise Refused(
            "The selection holds entries of several legal entities; decide on those of one at a time."
        )
    return LegalEntity.objects.get(pk=entities.pop()), rows


def _approvable(entity, entries, decisions, by):
    good, refused = [], []
    mine = _managed_by(by, entries)
    live = Actual.objects.filter(entry__in=entries, reverses=None, reversed_by=None)
    has_facts = set(live.values_list("entry", flat=True))
    for entry in entries:
        sentence = _why_not_approvable(entity, entry, by, mine)
        if entry.pk in has_facts:
            sentence = sentence or f"{entry} has actuals already; cancel its approval first."
        sentence = sentence or _why_not_decided(entry, decisions.get(entry.pk))
        if sentence:
            refused.append((entry, sentence))
        else:
            good.append(entry)
    return good, refused


def _why_not_approvable(entity, entry, by, mine):
    if entry.status != Entry.Status.SUBMITTED:
        return f"{entry} is {entry.get_status_display()}; only submitted entries are decided on."
    if entry.project_id not in mine:
        return f"{entry} is on project {entry.project}, which is not yours to approve."
    if by is not None and _is_own(entry, by) and not entity.allow_own_approval:
        return f"{entry} is your own; somebody else has to approve it."
    return ""


def _is_own(entry, user):
    """Done by the user; what nobody in particular did, such as a fee, is whose who typed or handed it in."""
    if entry.resource is not None:
        return entry.resource.user_id == user.pk
    return user.pk in (entry.created_by_id, entry.submitted_by_id)


def _why_not_decided(entry, decision):
    if decision is None:
        return ""
    if decision.billable_quantity is not None:
        try:
            checked.figure(decision.billable_quantity, Entry, "billable_quantity")
        except Refused as refusal:
            return f"{entry}: {refusal}"
        if decision.billable_quantity < 0:
            return f"{entry}: the billable quantity can't be less than 0."
    if decision.billing_type is not None and decision.billing_type not in BillingType.values:
        return f"{entry}: “{decision.billing_type}” is not a billing type."
    return ""


def _managed_by(user, entries):
    """Of the entries' projects those the user decides on; the system and superusers on all."""
    projects = {entry.project_id for entry in entries}
    if user is None or user.is_superuser:
        return projects
    return set(user.managed_projects.filter(pk__in=projects).values_list("pk", flat=True))


def _locked_contracts(entity, entries):
    """The confirmed contracts with a line on these projects, locked against billing and closing."""
    lines = ContractLine.objects.filter(project__in={entry.project_id for entry in entries})
    contracts = ProjectContract.objects.locked().filter(
        entity=entity, status=ProjectContract.Status.CONFIRMED, pk__in=lines.values("contract")
    )
    return {contract.pk: contract for contract in contracts}


def _costed(entity, result, contracts, decisions):
    """Write each entry's cost actual; returns what the customers may be billed for it."""
    coverage = Coverage.load(entity, {entry.project_id for entry in result.entries})
    prices = PriceBook.load(entity, list(contracts.values()))
    paper = Pricings(result.batch)
    costs, delivered = [], []
    for entry in result.entries:
        work = work_of(entry)
        covered = covering(coverage, entry)
        line = covered.line if covered else None
        price = prices.cost(work)
        cost = cost_actual(entry, line, paper.of(price), price)
        if price.warning:
            result.warnings.append(f"{entry}: {price.warning}")
        costs.append(cost)
        if line is None or line.billing_method == FIXED_PRICE:
            continue
        price = prices.sales(work, contracts[line.contract_id])
        if price.warning:
            result.warnings.append(f"{entry}: {price.warning}")
        delivered.append(
            Delivered.of(
                entry, line, covered.is_chargeable, cost, price, paper.of(price), decisions.get(entry.pk)
            )
        )
    paper.write()
    result.actuals = record(costs, batch=result.batch)
    return delivered


def _write_sales(result, contracts, delivered):
    """Write the customers' shares and their backlog items, testing each against the limits in order."""
    sales = sales_actuals(delivered, contracts)
    result.actuals += record(sales, batch=result.batch)
    books = {pk: LimitBook.load(contract) for pk, contract in contracts.items()}
    result.items = write_rows(
        BacklogItem, [backlog_item(actual, books[actual.contract_id]) for actual in sales]
    )
    failed = defaultdict(int)
    for item in result.items:
        if item.limit_status == BacklogItem.LimitStatus.FAILED:
            failed[item.contract_id, item.limit_level] += 1
    for (contract, level), count in failed.items():
        result.warnings.append(
            f"{count} of the actuals are over the limit of the {BacklogItem.LimitLevel(level).label} "
            f"of contract {contracts[contract]}."
        )


def _stamp(entries, decisions, *, by):
    _decide(entries, Entry.Status.APPROVED, by=by)
    decided = [entry for entry in entries if entry.pk in decisions]
    for entry in decided:
        entry.billable_quantity = decisions[entry.pk].billable_quantity
        entry.billing_type = decisions[entry.pk].billing_type or ""
    Entry.objects.bulk_update(decided, ["billable_quantity", "billing_type"], batch_size=500)


def _decide(entries, status, *, by, comment=""):
    now = timezone.now()
    Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(
        status=status, decided_at=now, decided_by=by, decision_comment=comment
    )
    for entry in entries:
        entry.status, entry.decided_at, entry.decided_by, entry.decision_comment = status, now, by, comment


# What approving shares with confirming a contract, which looks at what was approved before it.


def covering(coverage, entry):
    """The confirmed contract line that covers the entry, and whether it charges for it; or None."""
    return coverage.line_for(
        transaction_class=entry.transaction_class,
        project_id=entry.project_id,
        task_id=entry.task_id,
        date=entry.date,
        role_id=role_of(entry),
        category_id=entry.category_id,
    )


def role_of(entry):
    """As what the work is priced: the entry's own role, or else the resource's."""
    return entry.role_id or (entry.resource.role_id if entry.resource else None)


def work_of(entry):
    """The entry as the price lists look at it."""
    return Work(
        transaction_class=entry.transaction_class,
        date=entry.date,
        role_id=role_of(entry),
        unit_id=entry.resource.unit_id if entry.resource else None,
        company_id=entry.resource.entity_id if entry.resource else None,
        category_id=entry.category_id,
        product_id=entry.product_id,
        unit=entry.unit,
        quantity=entry.quantity,
        cost_net=entry.cost_net,
        cost_currency=entry.cost_currency,
        cost_tax_not_deducted=(entry.cost_tax or Decimal(0)) - (entry.cost_tax_deductible or Decimal(0)),
        sales_price=entry.sales_price,
    )


def cost_actual(entry, line, decision, price):
    """What the entry cost: hours at the role's cost, or what was paid, net of deductible tax (APP-8)."""
    amount = price.amount
    if amount is None:
        amount = money.priced(entry.quantity, price.price, price.currency)
    return Actual(
        type=Actual.Type.COST,
        transaction_class=entry.transaction_class,
        date=entry.date,
        accounting_date=entry.date,
        project_id=entry.project_id,
        task_id=entry.task_id,
        resource_id=entry.resource_id,
        role_id=role_of(entry),
        category_id=entry.category_id,
        product_id=entry.product_id,
        contract_id=line.contract_id if line else None,
        contract_line=line,
        quantity=entry.quantity,
        unit=entry.unit,
        price=price.price,
        amount=amount,
        currency=price.currency,
        description=entry.description,
        booked_by=Actual.BookedBy.JOURNAL,
        price_decision=decision,
        entry=entry,
    )


def backlog_item(actual, book):
    """The item of a new share, tested against the limits under the contract's lock (NTE-1, NTE-4)."""
    item = BacklogItem(
        actual=actual,
        contract_id=actual.contract_id,
        contract_line_id=actual.contract_line_id,
        contract_customer_id=actual.contract_customer_id,
        date=actual.date,
        amount=actual.amount,
        currency=actual.currency,
        description=actual.description,
        needs_price=bool(actual.price_decision and actual.price_decision.is_missing)
        and actual.billing_type == BillingType.CHARGEABLE,
    )
    if actual.billing_type == BillingType.CHARGEABLE:
        where = actual.contract_customer_id, actual.contract_line_id
        verdict = book.test(actual.amount, *where)
        item.limit_status = verdict.status
        if verdict.failed:
            item.limit_level, item.limit_over = verdict.level, verdict.over
        elif verdict.status == BacklogItem.LimitStatus.COMMITTED and actual.amount > 0:
            book.commit(actual.amount, *where)
    return item


class Pricings:
    """The price decisions of one batch: one row for all that was priced alike."""

    def __init__(self, batch):
        self.batch = batch
        self.rows = {}

    def of(self, price):
        """The row for a price that the price book found; what is priced alike shares the very same object."""
        if id(price) not in self.rows:
            # The price is kept beside its row: its id stays its own while it lives.
            self.rows[id(price)] = (
                price,
                PriceDecision(
                    batch=self.batch,
                    kind=price.kind,
                    price_list=price.price_list,
                    role_price=price.role_price,
                    override=price.override,
                    category_price=price.category_price,
                    product_price=price.product_price,
                    base_price=price.base_price,
                    markup=price.markup,
                    price=price.price,
                    is_missing=price.is_missing,
                    reasoning=price.reasoning,
                ),
            )
        return self.rows[id(price)][1]

    def write(self):
        """Insert the rows; the actuals that point at them can be written then."""
        rows = [row for _, row in self.rows.values()]
        for row, pk in zip(rows, draw_ids(PriceDecision, len(rows)), strict=True):
            row.pk = pk
        write_rows(PriceDecision, rows)
