"""Confirming: the draft becomes final and its actuals are created (PRO-5, PRO-6)."""

import logging
from functools import partial

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from actuals.models import Actual, Batch
from actuals.operations import negated, open_batch, record
from backlog.models import BacklogItem
from backlog.operations import settle
from contracts.models import ContractLine, TransactionClass, overrides_limits
from contracts.requesters import recheck_permission
from invoicing_site.floor import audit, checked, jobs, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze, lacks, write_rows
from invoicing_site.floor.reasons import Amount, Reason
from invoicing_site.models import Job
from proforma.limits import exceeded_limits
from proforma.models import DetailActual, LimitOverride, LineDetail, ProformaInvoice
from proforma.operations.drafts import MANY, new_row, require_draft_in_bounds
from proforma.operations.proformas import check_in_force, lock_open
from proforma.operations.queue import wait_for_proposal
from proforma.orders import outside_order, shortages
from proforma.planned_actuals import (
    ORIGINAL,
    Terms,
    actuals_billed_only,
    actuals_of_work,
    actuals_of_work_by_hand,
)
from proforma.signals import proforma_confirmed
from proforma.warnings import not_yet

logger = logging.getLogger(__name__)

Status = ProformaInvoice.Status
ConfirmJob = ProformaInvoice.ConfirmJob
Part = DetailActual.Part
FIXED_PRICE = ContractLine.BillingMethod.FIXED_PRICE


@transaction.atomic
def confirm(proforma, *, by, on=None, override_reason="") -> ProformaInvoice:
    """Freeze the proforma and create its actuals, in one transaction; this can't be undone (PRO-5).

    `on` is the day of the action, by default the entity's today. The claimed items become *on a confirmed
    proforma*, completely billed milestones are completed, and accountants are notified after the commit.
    Refused if it is empty or already confirmed, and if it exceeds a not-to-exceed limit, unless `by` may
    override limits and gives a reason (PRO-6). Also refused if an order is required and does not cover it
    (CON-12), for work or a milestone dated after the entity's today unless it invoices in advance (PRP-8),
    and if its total is too large (APP-10).
    """
    proforma = lock_open(proforma, "confirm")
    check_in_force(proforma.contract)
    work = _Work(proforma)
    if not work.details:
        raise Refused("PROFORMA-EMPTY", proforma=proforma)
    if reason := not_yet(proforma):
        raise Refused.because(reason)
    require_draft_in_bounds(proforma)
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
    _create_items_of_details_by_hand(proforma, made)
    write_rows(LimitOverride, overrides)

    proforma.status = Status.CONFIRMED
    proforma.confirmed_by, proforma.confirmed_at, proforma.batch = by, timezone.now(), batch
    proforma.confirm_job = proforma.confirm_job and ConfirmJob.COMPLETE
    proforma.confirm_error = None
    proforma.save(
        update_fields=[
            "status",
            "confirmed_by",
            "confirmed_at",
            "batch",
            "confirm_job",
            "confirm_error",
        ]
    )
    wait_for_proposal([proforma])
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
    """Everything that one proforma bills, loaded in five queries, and the actuals to be created."""

    def __init__(self, proforma):
        self.proforma = proforma
        self.details = list(LineDetail.objects.on_proforma(proforma).order_by("pk"))
        self.lines = {line.pk: line.contract_line for line in proforma.lines.select_related("contract_line")}
        self.items = {item.pk: item for item in BacklogItem.objects.filter(detail__line__proforma=proforma)}
        self.originals = {
            actual.pk: actual
            for actual in Actual.objects.filter(backlog_item__detail__line__proforma=proforma)
        }
        # Returned work is billed from the actual that replaced the original (PRP-6).
        again = Actual.objects.filter(
            lacks(Actual, "reversed_by"),
            replaces__backlog_item__detail__line__proforma=proforma,
            booked_by=Actual.BookedBy.NOTHING,
            detail_actual__part=Part.AGAIN,
        )
        self.originals |= {actual.replaces_id: actual for actual in again if actual.replaces_id}

    @property
    def claims(self):
        return list(self.items.values())

    def make(self, batch) -> list[tuple[LineDetail, str, Actual]]:
        """Each actual to be created, unsaved, with its detail and its part of that detail."""
        return [made for detail in self.details for made in self._make(detail, batch)]

    def _make(self, detail, batch):
        item = self.items.get(detail.backlog_item_id)
        original = self.originals[item.actual_id] if item and item.actual_id else None
        common = self._common(detail, item, original, batch)
        made = {ORIGINAL: original}
        for planned in self._planned(detail, item, original):
            reversed_one = made.get(planned.reverses)
            made[planned.part] = actual = _actual(planned, common, original, batch, reversed_one)
            yield detail, planned.part, actual

    def _planned(self, detail, item, original):
        terms = Terms.of(detail)
        if original is not None:
            return actuals_of_work(terms, Terms.of(original))
        assert detail.transaction_class != TransactionClass.RETAINER, "A retainer is on a proforma."
        assert item is None or item.milestone_part_id, "The backlog item has an unknown source."
        if item is None and self.lines[detail.line_id].billing_method != FIXED_PRICE:
            return actuals_of_work_by_hand(terms)
        return actuals_billed_only(terms)

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


def _actual(planned, common, original, batch, reversed_one):
    """The unsaved actual; only billed sales are booked, by the invoice (JRN-6)."""
    if reversed_one is not None:
        return negated(reversed_one, batch, Actual.BookedBy.NOTHING)
    columns = common | planned.terms._asdict()
    columns["type"] = planned.type
    is_billed = planned.type == Actual.Type.BILLED_SALES
    columns["booked_by"] = Actual.BookedBy.INVOICE if is_billed else Actual.BookedBy.NOTHING
    if original is not None:
        columns["replaces_id"] = original.pk
        if planned.terms.price != original.price:
            columns["price_decision_id"] = None  # the price was entered on the draft
        if planned.terms.amount != original.amount:
            columns["is_rounding_share"] = False
    return new_row(Actual, columns)


def _refuse_without_an_order(proforma):
    """Refused if an order is required and does not cover the proforma; otherwise it's a warning (CON-12)."""
    if not proforma.entity.require_order_reference:
        return
    if found := shortages(proforma):
        raise Refused(
            "ORDER-AMOUNT-TO-CONFIRM",
            why=found[0].reason,
            entity=proforma.entity,
            remedy=proforma.contract.get_absolute_url(),
        )
    if why := outside_order(proforma):
        raise Refused(
            "ORDER-DATES-TO-CONFIRM",
            why=why,
            entity=proforma.entity,
            remedy=proforma.contract.get_absolute_url(),
        )


def _overridden(proforma, work, *, by, reason) -> list[LimitOverride]:
    """The unsaved records of the limits that are overridden; refused without permission or reason (PRO-6)."""
    exceeded = exceeded_limits(proforma, work.details, work.items)
    if not exceeded:
        return []
    values = {
        "number": proforma.number,
        "limit": Amount(exceeded[0].limit, proforma.currency),
        "level": BacklogItem.LimitLevel(exceeded[0].level),
        "over": Amount(exceeded[0].over, proforma.currency),
    }
    if by is None or not overrides_limits(by, proforma.entity):
        raise Refused("LIMIT-EXCEEDED", **values)
    if not reason:
        raise Refused("OVERRIDE-REASON", **values)
    checked.words(reason, LimitOverride, "reason")
    return [
        LimitOverride(
            proforma=proforma, level=found.level, limit=found.limit, over=found.over, reason=reason, by=by
        )
        for found in exceeded
    ]


def _create_items_of_details_by_hand(proforma, made):
    """Create the backlog items of details added by hand, so that these are claimed like all others (PRO-8).

    Each refers to the unbilled sales just created, or on a fixed-price line, which has none, to the billed
    sales. It was never open, so its status is posted.
    """
    sources: dict = {}
    for detail, part, actual in made:
        if detail.backlog_item_id is None and part in (Part.UNBILLED, Part.BILLED):
            sources.setdefault(detail.pk, actual)  # the unbilled one comes first, if there is one
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
    """Confirm these proformas in the background, each in a separate transaction and with its own status.

    Returns the job, or None if there is nothing to do: confirmed and scheduled ones are skipped.
    """
    chosen = ProformaInvoice.objects.open().filter(pk__in=[proforma.pk for proforma in proformas])
    waiting = chosen.exclude(confirm_job__in=[ConfirmJob.SCHEDULED, ConfirmJob.PROCESSING])
    scheduled = list(waiting.select_related("entity").locked())
    if not scheduled:
        return None
    keys = [proforma.pk for proforma in scheduled]
    ProformaInvoice.objects.filter(pk__in=keys).update(confirm_job=ConfirmJob.SCHEDULED, confirm_error=None)
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
    """Confirm a proforma that `confirm_many` scheduled, or store on it why that is refused."""
    scheduled = ProformaInvoice.objects.open().filter(
        pk=pk, confirm_job__in=[ConfirmJob.SCHEDULED, ConfirmJob.PROCESSING]
    )
    if not scheduled.update(confirm_job=ConfirmJob.PROCESSING):
        return
    proforma = ProformaInvoice.objects.get(pk=pk)
    try:
        recheck_permission(by, "proforma.confirm", proforma)
        confirm(proforma, by=by, on=on)
    except Refused as refusal:
        # Only what is still open: a second worker may have confirmed it meanwhile.
        scheduled.update(confirm_job=ConfirmJob.FAILED, confirm_error=refusal.reason)
    except Exception:
        logger.exception("Confirming proforma %s failed.", proforma.number)
        scheduled.update(confirm_job=ConfirmJob.FAILED, confirm_error=Reason("CONFIRM-FAILED"))


def stop_confirming(keys):
    """Mark those still scheduled as failed; each can be confirmed again."""
    ProformaInvoice.objects.open().filter(
        pk__in=keys, confirm_job__in=[ConfirmJob.SCHEDULED, ConfirmJob.PROCESSING]
    ).update(confirm_job=ConfirmJob.FAILED, confirm_error=Reason("CONFIRM-FAILED"))
