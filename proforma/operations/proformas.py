"""The life of a draft: made by hand, filled up, handed in for review, given up (PRO-1, PRO-3, PRO-4)."""

from django.db.models import Min

from backlog import obstacles
from backlog.models import BacklogItem
from backlog.obstacles import Step
from backlog.operations import release
from contracts.models import ProjectContract
from invoicing_site.floor import audit, moves, transaction, wording
from invoicing_site.floor.errors import Refused
from proforma.inputs import load_inputs_by_hand, load_shares, what_waits
from proforma.models import LineDetail, ProformaInvoice
from proforma.operations.drafts import add_shares, write_proformas
from proforma.orders import load_orders, refuse_outside_order
from proforma.plans import NOTHING_READY, plan_by_hand, plan_chosen, plan_more

Status = ProformaInvoice.Status


@transaction.atomic
def create_proformas(contracts, *, cutoff, on, by) -> list[ProformaInvoice]:
    """A draft for each contract, customer and order with all that is ready and dated up to the cutoff.

    What is outside the scope of tax gets one of its own (PRO-1).
    `on` is the day of the action: it dates the number and is the first accounting date. Refused when a
    contract is not confirmed, and when there is nothing to invoice on any of them; one that has nothing
    beside others that have is passed over. What is on hold, and retainers, are left out; a refusal says what
    waits for a day after the cutoff.
    """
    contracts = lock_contracts([contract.pk for contract in contracts])
    if not contracts:
        raise Refused("No contract is selected.")
    _check_in_force(contracts)
    inputs = load_inputs_by_hand([contract.pk for contract in contracts], cutoff=cutoff, on=on)
    plans = [plan_by_hand(inputs[contract.pk], cutoff=cutoff) for contract in contracts]
    if not any(plan.proformas for plan in plans):
        raise Refused(_why_nothing(contracts, plans, cutoff, on), code=plans[0].code)
    created = []
    for contract, plan in zip(contracts, plans, strict=True):
        created += write_proformas(contract, plan.proformas, on=on, by=by)
    _tell_created(created, contracts, by=by, cutoff=str(cutoff))
    return created


@transaction.atomic
def create_for_items(items, *, on, by) -> list[ProformaInvoice]:
    """A draft for each contract customer and order with exactly the chosen items; all of them or none.

    Refused when one of them is not ready, is on hold, or is a retainer. The cutoff is the latest of their
    dates.
    """
    pks = {item.pk for item in items}
    if not pks:
        raise Refused("Nothing is selected.")
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
    _tell_created(created, contracts, by=by, items=len(pks))
    return created


@transaction.atomic
def refresh(proforma, *, by) -> list[LineDetail]:
    """Take what has become ready up to the cutoff, for the same contract customer; returns the new details.

    Of the work that has become ready, it takes what a proforma of its order would: what has no room there,
    and what is outside the scope of tax beside other work, stays pending (CON-12, PRO-1). A proforma of the
    periodic run takes work only on the lines it was scheduled for, each up to its own cutoff, and milestones
    up to the day the run looked at.
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
    """Take chosen pending backlog items of the same contract customer, whatever their date; all or none."""
    proforma = lock_open(proforma)
    pks = {item.pk for item in items}
    if not pks:
        raise Refused("Nothing is selected.")
    chosen = BacklogItem.objects.filter(pk__in=pks)
    shares = _ready_shares(chosen, len(pks), proforma.entity.today())
    strangers = [share for share in shares if share.contract_customer_id != proforma.contract_customer_id]
    if strangers:
        raise Refused(
            f"{_rows_are(len(strangers))} for another customer or contract than {proforma}: "
            "choose rows of the same one, or create a proforma of their own."
        )
    keep_scope_apart(
        proforma,
        {share.is_outside_scope for share in shares if share.is_billable},
        way_out="create a proforma of the chosen rows from the backlog, which keeps the two apart.",
    )
    refuse_outside_order(
        proforma,
        [share.date for share in shares if share.charged],
        way_out="create a proforma of that work from the backlog",
    )
    details = add_shares(proforma, shares)
    audit.record("proforma.add_items", proforma, by=by, entity=proforma.entity.code, added=len(details))
    return details


def keep_scope_apart(proforma, scopes: set[bool], *, way_out: str):
    """Refused where work inside and outside the scope of tax would stand on one invoice (PRO-1).

    An empty draft becomes one of what is put on it first.
    """
    if scopes <= {proforma.is_outside_scope}:
        return
    if len(scopes) == 1 and not LineDetail.objects.on_proforma(proforma).exists():
        (proforma.is_outside_scope,) = scopes
        proforma.save(update_fields=["is_outside_scope"])
        return
    raise Refused(
        f"Work outside the scope of tax can't stand on one invoice with other work: {way_out}",
        code="TAX-SCOPE",
    )


@transaction.atomic
def submit_for_review(proforma, *, by) -> ProformaInvoice:
    """Hand a draft in for review. It can still be edited, and is confirmed by whoever may."""
    proforma = lock(proforma)
    moves.refuse_unless(proforma, "submit_for_review")
    if not LineDetail.objects.on_proforma(proforma).exists():
        raise Refused("PROFORMA-EMPTY", proforma=proforma)
    return _move(proforma, Status.IN_REVIEW, "proforma.submit_for_review", by)


@transaction.atomic
def return_to_draft(proforma, *, by) -> ProformaInvoice:
    """Take a proforma back from review."""
    proforma = lock(proforma)
    moves.refuse_unless(proforma, "return_to_draft")
    return _move(proforma, Status.DRAFT, "proforma.return_to_draft", by)


@transaction.atomic
def delete_draft(proforma, *, by) -> int:
    """Give everything on it back to ready, and delete it; returns how many items that were (PRO-4).

    Refused once it is confirmed. A schedule entry that it answered stays answered: the work goes with the
    next run date, or by hand.
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


# What the operations on drafts share.


def lock_contracts(pks) -> list[ProjectContract]:
    """The contracts under their locks, in the order of their keys, with their entities."""
    return list(ProjectContract.objects.locked().filter(pk__in=pks).select_related("entity"))


def check_in_force(contract):
    """Refused unless the contract is confirmed: a draft covers nothing, a closed one is done with."""
    if not moves.allows(contract, "create_proformas"):
        raise Refused(
            "CONTRACT-NOT-CONFIRMED",
            contract=contract,
            status=ProjectContract.Status(contract.status),
        )


def lock(proforma) -> ProformaInvoice:
    """The proforma read again under its contract's lock and its own; refused when it is gone."""
    (contract,) = lock_contracts([proforma.contract_id])
    number = proforma.number
    proforma = ProformaInvoice.objects.locked().select_related("entity").filter(pk=proforma.pk).first()
    if proforma is None:
        raise Refused(f"Proforma {number} was deleted.", code="GONE")
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
    """Delete the details in one statement; what they claimed has to be released by the caller.

    The usual delete() reads every row and its relations first, and sends a hundred keys at a time.
    """
    details._raw_delete(details.db)


def _check_in_force(contracts):
    if len({contract.entity_id for contract in contracts}) > 1:
        raise Refused("The selection belongs to several companies: choose that of one at a time.")
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
        raise Refused(
            f"“{name}” is a retainer, and this version does not put retainers on proforma invoices: "
            "take it out of the selection.",
            code="IS-RETAINER",
        )
    if held := counts.get("ON-HOLD"):
        first = stopped.filter(obstacle="ON-HOLD").aggregate(first=Min("hold_until"))["first"]
        raise Refused(
            f"{_rows_are(held)} on hold, the first until {wording.day(first)}: take them off hold first.",
            code="ON-HOLD",
        )
    for code, n in counts.items():
        raise Refused(f"{_rows_are(n)} {obstacles.BY_CODE[code].label}: leave them out.", code=code)
    return load_shares(chosen)


# Somebody else was quicker: the selection was ready when it was made.
_NOT_READY = ("IS-CANCELED", "IS-BILLED", "ON-DRAFT", "NOT-READY")


def _rows_are(n):
    return wording.counted(n, "chosen row is", "chosen rows are")


def _horizon(proforma):
    """The last day that milestones on it may have."""
    return max(proforma.cutoff, proforma.run.as_of) if proforma.run_id else proforma.cutoff


def _why_nothing(contracts, plans, cutoff, on):
    waits = what_waits(contracts, cutoff=cutoff, on=on)
    if len(contracts) == 1:
        why = f"Contract {contracts[0]} up to {wording.day(cutoff)}: {plans[0].why_nothing}"
        return f"{why} {waits}".strip()
    skipped = [plan.why_nothing for plan in plans if plan.code != NOTHING_READY]
    nothing = f"Nothing is ready to invoice on these contracts up to {wording.day(cutoff)}."
    return " ".join(filter(None, [nothing, *skipped[:1], waits]))


def _tell_created(created, contracts, *, by, **detail):
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


def _name(proforma):
    return f"Proforma {proforma.number}"
