"""Confirming: the one-way step from a draft to facts (PRO-5, PRO-6)."""

import logging
from functools import partial

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from actuals.models import Actual, Batch
from actuals.operations import negated, open_batch, record
from backlog.models import BacklogItem
from backlog.operations import settle
from contracts.askers import demand_still
from contracts.models import ContractLine, TransactionClass, overrides_limits
from invoicing_site.floor import audit, checked, formatting, jobs, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze, write_rows
from invoicing_site.models import Job
from proforma.doubts import not_yet
from proforma.facts import (
    ORIGINAL,
    Figures,
    facts_billed_only,
    facts_of_work,
    facts_of_work_by_hand,
)
from proforma.limits import broken_limits
from proforma.models import DetailActual, LimitOverride, LineDetail, ProformaInvoice
from proforma.operations.drafts import MANY, demand_room_on, new_row
from proforma.operations.proformas import check_in_force, lock_open
from proforma.orders import PO_AMOUNT, PO_DATES, outside_order, shortages
from proforma.signals import proforma_confirmed

logger = logging.getLogger(__name__)

Status = ProformaInvoice.Status
ConfirmJob = ProformaInvoice.ConfirmJob
Part = DetailActual.Part
FIXED_PRICE = ContractLine.BillingMethod.FIXED_PRICE
INTERNAL_ERROR = "Internal error. Nothing was saved halfway. Confirm it again; the log has the details."


@transaction.atomic
def confirm(proforma, *, by, on=None, override_reason="") -> ProformaInvoice:
    """Freeze the proforma and make its actuals, all in this one transaction; there is no way back (PRO-5).

    `on` is the day of the action, by default the entity's today. What it claims becomes *customer invoice
    posted*, milestones that are billed to the last part are completed, and the accountant is told after
    commit. Refused when it is empty or confirmed already, and when an increase breaks a not-to-exceed limit,
    unless `by` may override that and says why (PRO-6). Refused too where an order is required and has no room
    for it (CON-12), for work or a milestone dated after the company's today, unless it invoices in advance
    (PRP-8), and where it comes to too much (APP-10).
    """
    proforma = lock_open(proforma, "confirm")
    check_in_force(proforma.contract)
    work = _Work(proforma)
    if not work.details:
        raise Refused("PROFORMA-EMPTY", proforma=proforma)
    if sentence := not_yet(proforma):
        raise Refused(sentence, code="DATE")
    demand_room_on(proforma)
    _refuse_without_an_order(proforma)
    overrides = _overridden(proforma, work, by=by, reason=override_reason.strip())

    batch = open_batch(
        proforma.entity, Batch.Action.CONFIRM_PROFORMA, on=on or proforma.entity.today(), by=by
    )
    made = work.make(batch)
    record([actual for _, _, actual in made], batch=batch)
    write_rows(
        DetailActual,
        [
            new_row(DetailActual, {"detail_id": detail.pk, "actual_id": actual.pk, "part": part})
            for detail, part, actual in made
        ],
    )
    settle(work.claims)
    _give_items_to_what_was_added_by_hand(proforma, made)
    write_rows(LimitOverride, overrides)

    proforma.status = Status.CONFIRMED
    proforma.confirmed_by, proforma.confirmed_at, proforma.batch = by, timezone.now(), batch
    proforma.confirm_job = proforma.confirm_job and ConfirmJob.COMPLETE
    proforma.confirm_message = proforma.confirm_remedy = ""
    proforma.save(
        update_fields=[
            "status",
            "confirmed_by",
            "confirmed_at",
            "batch",
            "confirm_job",
            "confirm_message",
            "confirm_remedy",
        ]
    )
    audit.record(
        "proforma.confirm",
        proforma,
        by=by,
        entity=proforma.entity.code,
        on=str(batch.on),
        details=len(work.details),
        actuals=len(made),
        overrides=[str(override) for override in overrides],
    )
    if len(made) >= MANY:
        transaction.on_commit(partial(analyze, Actual, BacklogItem, DetailActual))
    proforma_confirmed.send(ProformaInvoice, proforma=proforma)
    return proforma


class _Work:
    """All that one proforma bills, loaded in five queries, and the actuals that follow from it."""

    def __init__(self, proforma):
        self.proforma = proforma
        self.details = list(LineDetail.objects.on_proforma(proforma).order_by("pk"))
        self.lines = {line.pk: line.contract_line for line in proforma.lines.select_related("contract_line")}
        self.items = {item.pk: item for item in BacklogItem.objects.filter(detail__line__proforma=proforma)}
        self.originals = {
            actual.pk: actual
            for actual in Actual.objects.filter(backlog_item__detail__line__proforma=proforma)
        }
        # What was returned is billed from the fact that stands in for the original now (PRP-6).
        again = Actual.objects.filter(
            replaces__backlog_item__detail__line__proforma=proforma,
            booked_by=Actual.BookedBy.NOTHING,
            detail_actual__part=Part.AGAIN,
            reversed_by=None,
        )
        self.originals |= {actual.replaces_id: actual for actual in again if actual.replaces_id}

    @property
    def claims(self):
        return list(self.items.values())

    def make(self, batch) -> list[tuple[LineDetail, str, Actual]]:
        """Each actual to be made, unsaved, with its detail and what it is to it."""
        return [made for detail in self.details for made in self._make(detail, batch)]

    def _make(self, detail, batch):
        item = self.items.get(detail.backlog_item_id)
        original = self.originals[item.actual_id] if item and item.actual_id else None
        common = self._common(detail, item, original, batch)
        made = {ORIGINAL: original}
        for fact in self._facts(detail, item, original):
            made[fact.part] = actual = _actual(fact, common, original, batch, undone=made.get(fact.undoes))
            yield detail, fact.part, actual

    def _facts(self, detail, item, original):
        stands = Figures.of(detail)
        if original is not None:
            return facts_of_work(stands, Figures.of(original))
        assert detail.transaction_class != TransactionClass.RETAINER, "A retainer got on a proforma."
        assert item is None or item.milestone_part_id, "A claim of nothing that is known."
        if item is None and self.lines[detail.line_id].billing_method != FIXED_PRICE:
            return facts_of_work_by_hand(stands)
        return facts_billed_only(stands)

    def _common(self, detail, item, original, batch):
        """What all actuals of one detail have in common, by column."""
        columns = {
            "entity_id": self.proforma.entity_id,
            "batch_id": batch.pk,
            "accounting_date": batch.on,
            "contract_id": self.proforma.contract_id,
            "contract_line_id": self.lines[detail.line_id].pk,
            "contract_customer_id": self.proforma.contract_customer_id,
            "currency": self.proforma.currency,
            "description": detail.description,
            **{name: getattr(detail, name) for name in _OF_DETAIL},
        }
        if original is not None:
            return columns | {name: getattr(original, name) for name in _OF_ORIGINAL}
        if item is not None:
            columns["milestone_part_id"] = item.milestone_part_id
        return columns


_OF_DETAIL = (
    "transaction_class",
    "date",
    "project_id",
    "task_id",
    "resource_id",
    "role_id",
    "category_id",
    "product_id",
    "unit",
)
_OF_ORIGINAL = ("entry_id", "cost_id", "split", "retainer_id", "price_decision_id", "is_rounding_share")


def _actual(fact, common, original, batch, *, undone):
    """The unsaved actual of one fact; the invoice books what is billed, nothing books the rest (JRN-6)."""
    if undone is not None:
        return negated(undone, batch, Actual.BookedBy.NOTHING)
    columns = common | fact.figures._asdict()
    columns["type"] = fact.type
    is_billed = fact.type == Actual.Type.BILLED_SALES
    columns["booked_by"] = Actual.BookedBy.INVOICE if is_billed else Actual.BookedBy.NOTHING
    if original is not None:
        columns["replaces_id"] = original.pk
        if fact.figures.price != original.price:
            columns["price_decision_id"] = None  # no price list said so: somebody on the draft did
        if fact.figures.amount != original.amount:
            columns["is_rounding_share"] = False
    return new_row(Actual, columns)


def _refuse_without_an_order(proforma):
    """Where an order is required, nothing is confirmed that has no room under it; else a warning (CON-12)."""
    if not proforma.entity.require_order_reference:
        return
    if found := shortages(proforma):
        raise Refused(
            f"{found[0].sentence} {proforma.entity} bills only with an order number: remove details, lower "
            "them, or have the order raised on the contract.",
            code=PO_AMOUNT,
            remedy=proforma.contract.get_absolute_url(),
        )
    if sentence := outside_order(proforma):
        raise Refused(
            f"{sentence}. {proforma.entity} bills only with an order number: give the proforma another "
            "order number, or have an administrator change the days of this one.",
            code=PO_DATES,
            remedy=proforma.contract.get_absolute_url(),
        )


def _overridden(proforma, work, *, by, reason) -> list[LimitOverride]:
    """The unsaved records of limits that this goes over by permission; refused without it (PRO-6)."""
    broken = broken_limits(proforma, work.details, work.items)
    if not broken:
        return []
    worst = broken[0]
    sentence = (
        f"Proforma {proforma.number} goes over the limit of "
        f"{formatting.currency_last(worst.limit, proforma.currency)} "
        f"of the {BacklogItem.LimitLevel(worst.level).label} by "
        f"{formatting.amount(worst.over, proforma.currency)}"
    )
    if by is None or not overrides_limits(by, proforma.entity):
        raise Refused(
            f"{sentence}: lower it, or have it confirmed by somebody who may override limits.",
            code="OVER-LIMIT",
        )
    if not reason:
        raise Refused(f"{sentence}: say why it is confirmed all the same.", code="OVERRIDE-REASON")
    checked.words(reason, LimitOverride, "reason")
    return [
        LimitOverride(
            proforma=proforma, level=found.level, limit=found.limit, over=found.over, reason=reason, by=by
        )
        for found in broken
    ]


def _give_items_to_what_was_added_by_hand(proforma, made):
    """A detail added by hand gets its backlog item now, so that it is claimed like all others (PRO-8).

    It stands for the unbilled sales just made, or, on a fixed-price line where nothing is unbilled, for the
    billed sales. It was never open, so it starts as posted.
    """
    sources: dict = {}
    for detail, part, actual in made:
        if detail.backlog_item_id is None and part in (Part.UNBILLED, Part.BILLED):
            sources.setdefault(detail.pk, actual)  # the unbilled one comes first, where there is one
    if not sources:
        return
    write_rows(
        BacklogItem,
        [
            BacklogItem(
                actual=actual,
                contract_id=actual.contract_id,
                contract_line_id=actual.contract_line_id,
                contract_customer_id=actual.contract_customer_id,
                date=actual.date,
                amount=actual.amount,
                currency=actual.currency,
                status=BacklogItem.Status.POSTED,
                description=actual.description,
            )
            for actual in sources.values()
        ],
    )
    mine = BacklogItem.objects.filter(actual__detail_actual__detail=OuterRef("pk"))
    LineDetail.objects.on_proforma(proforma).filter(backlog_item=None).update(
        backlog_item_id=Subquery(mine.values("pk")[:1])
    )


@transaction.atomic
def confirm_many(proformas, *, by, on=None) -> Job | None:
    """Have these proformas confirmed in the background, each in a transaction and with a status of its own.

    Returns the job, or None where there is nothing to do: confirmed ones and those on their way are left out.
    """
    chosen = ProformaInvoice.objects.open().filter(pk__in=[proforma.pk for proforma in proformas])
    waiting = chosen.exclude(confirm_job__in=[ConfirmJob.SCHEDULED, ConfirmJob.PROCESSING])
    scheduled = list(waiting.select_related("entity").locked())
    if not scheduled:
        return None
    keys = [proforma.pk for proforma in scheduled]
    ProformaInvoice.objects.filter(pk__in=keys).update(
        confirm_job=ConfirmJob.SCHEDULED, confirm_message="", confirm_remedy=""
    )
    audit.record(
        "proforma.confirm_many",
        None,
        by=by,
        entity=scheduled[0].entity.code,
        proformas=[proforma.number for proforma in scheduled],
    )
    return jobs.enqueue_on_commit(
        "confirm_proformas",
        by=by,
        entity=scheduled[0].entity,
        subject=", ".join(proforma.number for proforma in scheduled[:5]),
        total=len(keys),
        proformas=keys,
        on=on.isoformat() if on else None,
    )


def confirm_scheduled(pk: int, *, by, on=None):
    """Confirm one of those that `confirm_many` scheduled, or note on it why that is refused."""
    scheduled = ProformaInvoice.objects.open().filter(
        pk=pk, confirm_job__in=[ConfirmJob.SCHEDULED, ConfirmJob.PROCESSING]
    )
    if not scheduled.update(confirm_job=ConfirmJob.PROCESSING):
        return
    proforma = ProformaInvoice.objects.get(pk=pk)
    try:
        demand_still(by, "proforma.confirm", proforma)
        confirm(proforma, by=by, on=on)
    except Refused as refusal:
        # Only what is still open: a second worker may have confirmed it meanwhile.
        scheduled.update(
            confirm_job=ConfirmJob.FAILED, confirm_message=str(refusal)[:500], confirm_remedy=refusal.remedy
        )
    except Exception:
        logger.exception("Confirming proforma %s failed.", proforma.number)
        scheduled.update(confirm_job=ConfirmJob.FAILED, confirm_message=INTERNAL_ERROR)


def stop_confirming(keys):
    """Note on those still scheduled that nothing came of it; each can be confirmed again."""
    ProformaInvoice.objects.open().filter(
        pk__in=keys, confirm_job__in=[ConfirmJob.SCHEDULED, ConfirmJob.PROCESSING]
    ).update(confirm_job=ConfirmJob.FAILED, confirm_message=INTERNAL_ERROR)
