"""Drafts: create by hand, add items, submit for review, delete (PRO-1, PRO-3, PRO-4)."""

from django.db.models import Min

from backlog import obstacles
from backlog.models import BacklogItem
from backlog.obstacles import Step
from backlog.operations import release
from contracts.models import ProjectContract
from invoicing_site.floor import audit, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from proforma.inputs import load_inputs_by_hand, load_shares, ready_later
from proforma.models import LineDetail, ProformaInvoice
from proforma.operations.drafts import add_shares, write_proformas
from proforma.orders import days_outside_order, load_orders
from proforma.plans import plan_by_hand, plan_chosen, plan_more

Status = ProformaInvoice.Status


@transaction.atomic
def create_proformas(contracts, *, cutoff, on, by) -> list[ProformaInvoice]:
    """Create a draft for each contract, customer and order with everything that is ready up to the cutoff.

    Work outside the scope of tax gets a separate one (PRO-1). `on` is the day of the action: the date of the
    number and the accounting date. Items on hold and retainers are left out. Refused if a contract is not
    confirmed, and if none of them has anything to invoice; the reason includes work after the cutoff.
    """
    contracts = lock_contracts([contract.pk for contract in contracts])
    if not contracts:
        raise Refused("NO-CONTRACT-SELECTED")
    _check_in_force(contracts)
    inputs = load_inputs_by_hand([contract.pk for contract in contracts], cutoff=cutoff, on=on)
    plans = [plan_by_hand(inputs[contract.pk], cutoff=cutoff) for contract in contracts]
    if not any(plan.proformas for plan in plans):
        raise Refused.because(_why_nothing(contracts, plans, cutoff, on))
    created = []
    for contract, plan in zip(contracts, plans, strict=True):
        created += write_proformas(contract, plan.proformas, on=on, by=by)
    _record_created(created, contracts, by=by, cutoff=str(cutoff))
    return created


@transaction.atomic
def create_for_items(items, *, on, by) -> list[ProformaInvoice]:
    """Create a draft for each contract customer and order with exactly the selected items; all or none.

    The cutoff is the latest of their dates. Refused if one of them is not ready, on hold or a retainer.
    """
    pks = {item.pk for item in items}
    if not pks:
        raise Refused("NOTHING-SELECTED")
    chosen = BacklogItem.objects.filter(pk__in=pks)
    contracts = lock_contracts(chosen.values("contract"))
    _check_in_force(contracts)
    shares = _ready_shares(chosen, len(pks), on)
    orders = load_orders([contract.pk for contract in contracts])
    created = []
    for contract in contracts:
        own = [share for share in shares if share.contract_id == contract.pk]
        planned = plan_chosen(own, [order for order in orders if order.contract_id == contract.pk])
        created += write_proformas(contract, planned, on=on, by=by)
    _record_created(created, contracts, by=by, items=len(pks))
    return created


@transaction.atomic
def refresh(proforma, *, by) -> list[LineDetail]:
    """Add what has become ready up to the cutoff, for the same contract customer; returns the new details.

    Adds only what a new proforma for the same order would have: work that the order does not cover, and work
    of another tax scope, stays pending (CON-12, PRO-1). A proforma of the periodic run gets work only on the
    lines that it was scheduled for, each up to its own cutoff, and milestones up to the day of the run.
    """
    proforma = lock_open(proforma)
    today = proforma.entity.today()
    inputs = load_inputs_by_hand([proforma.contract_id], cutoff=_horizon(proforma), on=today)
    cutoffs = dict(proforma.schedule_entries.values_list("entry__line", "entry__cutoff"))
    shares, orders = [], inputs[proforma.contract_id].orders
    for share in inputs[proforma.contract_id].shares:
        if share.contract_customer_id == proforma.contract_customer_id:
            cutoff = cutoffs.get(share.line_id) if cutoffs and share.is_work else _horizon(proforma)
            if cutoff is not None and share.date <= cutoff:
                shares.append(share)
    shares = plan_more(shares, orders, order=proforma.purchase_order_id, is_outside=proforma.is_outside_scope)
    details = add_shares(proforma, shares) if shares else []
    audit.record("proforma.refresh", proforma, by=by, entity=proforma.entity.code, added=len(details))
    return details


@transaction.atomic
def add_items(proforma, items, *, by) -> list[LineDetail]:
    """Add selected pending backlog items of the same contract customer, of any date; all or none."""
    proforma = lock_open(proforma)
    pks = {item.pk for item in items}
    if not pks:
        raise Refused("NOTHING-SELECTED")
    chosen = BacklogItem.objects.filter(pk__in=pks)
    shares = _ready_shares(chosen, len(pks), proforma.entity.today())
    others = [share for share in shares if share.contract_customer_id != proforma.contract_customer_id]
    if others:
        raise Refused("CHOSEN-OTHER-CUSTOMER", count=len(others), proforma=proforma)
    if not fits_scope(proforma, {share.is_outside_scope for share in shares if share.is_billable}):
        raise Refused("SCOPE-MIXED-ITEMS")
    if why := days_outside_order(proforma, [share.date for share in shares if share.charged]):
        raise Refused("ORDER-DATES-OF-ITEMS", why=why, number=proforma.number)
    details = add_shares(proforma, shares)
    audit.record("proforma.add_items", proforma, by=by, entity=proforma.entity.code, added=len(details))
    return details


def fits_scope(proforma, scopes: set[bool]) -> bool:
    """Whether work can be added without mixing work inside and outside the scope of tax (PRO-1).

    `scopes` says for the new work whether it is outside the scope. An empty draft gets the scope of the work.
    """
    if scopes <= {proforma.is_outside_scope}:
        return True
    if len(scopes) == 1 and not LineDetail.objects.on_proforma(proforma).exists():
        (proforma.is_outside_scope,) = scopes
        proforma.save(update_fields=["is_outside_scope"])
        return True
    return False


@transaction.atomic
def submit_for_review(proforma, *, by) -> ProformaInvoice:
    """Submit a draft for review. It can still be edited and confirmed."""
    proforma = lock(proforma)
    moves.refuse_unless(proforma, "submit_for_review")
    if not LineDetail.objects.on_proforma(proforma).exists():
        raise Refused("PROFORMA-EMPTY", proforma=proforma)
    return _move(proforma, Status.IN_REVIEW, "proforma.submit_for_review", by)


@transaction.atomic
def return_to_draft(proforma, *, by) -> ProformaInvoice:
    """Return a proforma from review to draft."""
    proforma = lock(proforma)
    moves.refuse_unless(proforma, "return_to_draft")
    return _move(proforma, Status.DRAFT, "proforma.return_to_draft", by)


@transaction.atomic
def delete_draft(proforma, *, by) -> int:
    """Delete the draft; returns the number of items that are ready to invoice again (PRO-4).

    Refused if it is confirmed. Its schedule entries stay completed: the work is billed by the next run date,
    or by hand.
    """
    proforma = lock_open(proforma, "delete_draft")
    details = LineDetail.objects.on_proforma(proforma)
    items = claimed_items(details)
    audit.record(
        "proforma.delete_draft",
        proforma,
        by=by,
        entity=proforma.entity.code,
        items=[item.pk for item in items[:1000]],
        released=len(items),
    )
    delete_rows(details)
    proforma.delete()
    return release(items)


# Helpers of the operations on drafts


def lock_contracts(pks) -> list[ProjectContract]:
    """The contracts, locked in the order of their keys, with their entities."""
    return list(ProjectContract.objects.locked().filter(pk__in=pks).select_related("entity"))


def check_in_force(contract):
    """Refused unless the contract is confirmed."""
    if not moves.allows(contract, "create_proformas"):
        raise Refused(
            "CONTRACT-NOT-CONFIRMED",
            contract=contract,
            status=ProjectContract.Status(contract.status),
        )


def lock(proforma) -> ProformaInvoice:
    """The proforma, read again under its contract's lock and its own; refused if it was deleted."""
    (contract,) = lock_contracts([proforma.contract_id])
    number = proforma.number
    proforma = ProformaInvoice.objects.locked().select_related("entity").filter(pk=proforma.pk).first()
    if proforma is None:
        raise Refused("PROFORMA-DELETED", number=number)
    proforma.contract = contract
    return proforma


def lock_open(proforma, verb="edit") -> ProformaInvoice:
    """The same, and refused unless its status allows the verb."""
    proforma = lock(proforma)
    moves.refuse_unless(proforma, verb)
    return proforma


def claimed_items(details) -> list[BacklogItem]:
    """The backlog items that these details claim; details added by hand have none yet."""
    return list(BacklogItem.objects.filter(detail__in=details).only("pk").order_by("pk"))


def delete_rows(details):
    """Delete the details in one statement; the caller must release their items.

    The usual delete() first reads every row and its relations, and sends a hundred keys at a time.
    """
    details._raw_delete(details.db)


def _check_in_force(contracts):
    if len({contract.entity_id for contract in contracts}) > 1:
        raise Refused("CHOSEN-SEVERAL-ENTITIES")
    for contract in contracts:
        check_in_force(contract)


def _ready_shares(chosen, count, on):
    stopped = obstacles.with_obstacle(chosen, Step.DRAFT, on=on).exclude(obstacle="")
    counts = obstacles.counted(chosen, Step.DRAFT, on=on)
    gone = count - chosen.count() + sum(counts.get(code, 0) for code in _NOT_READY)
    if gone:
        raise Refused("CLAIM-GONE", count=gone)
    if "IS-RETAINER" in counts:
        name = stopped.filter(obstacle="IS-RETAINER").order_by("pk")[0].retainer.name
        raise Refused("CHOSEN-RETAINER", name=name)
    if held := counts.get("ON-HOLD"):
        first = stopped.filter(obstacle="ON-HOLD").aggregate(first=Min("hold_until"))["first"]
        raise Refused("CHOSEN-ON-HOLD", count=held, day=first)
    for code, n in counts.items():
        raise Refused("CHOSEN-BLOCKED", count=n, obstacle=obstacles.BY_CODE[code].label)
    return load_shares(chosen)


# The items were ready when they were selected; another user changed them since.
_NOT_READY = ("IS-CANCELED", "IS-BILLED", "ON-DRAFT", "NOT-READY")


def _horizon(proforma):
    """The last possible date of milestones on it."""
    return max(proforma.cutoff, proforma.run.as_of) if proforma.run_id else proforma.cutoff


def _why_nothing(contracts, plans, cutoff, on):
    later = ready_later(contracts, cutoff=cutoff, on=on)
    if len(contracts) == 1:
        why = [each for each in (plans[0].why_nothing, later) if each]
        return Reason("CONTRACT-NOTHING", contract=contracts[0], cutoff=cutoff, why=why)
    left_out = [plan.why_nothing for plan in plans if plan.skipped]
    if why := [*left_out[:1], *([later] if later else [])]:
        return Reason("CONTRACTS-NOTHING-WHY", cutoff=cutoff, why=why)
    return Reason("CONTRACTS-NOTHING", cutoff=cutoff)


def _record_created(created, contracts, *, by, **detail):
    audit.record(
        "proforma.create",
        created[0] if len(created) == 1 else None,
        by=by,
        entity=contracts[0].entity.code,
        contracts=[contract.code for contract in contracts],
        proformas=[proforma.number for proforma in created],
        **detail,
    )


def _move(proforma, status, action, by):
    before, proforma.status = proforma.status, status
    proforma.save(update_fields=["status"])
    audit.record(action, proforma, by=by, entity=proforma.entity.code, before=before, after=status)
    return proforma
