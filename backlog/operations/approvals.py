"""Approval: it creates actuals and backlog items, and can be canceled (APP-2 to APP-5)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from actuals.models import Actual, Batch, Entry
from actuals.naming import named
from actuals.operations import open_batch, record, record_decisions, reverse, stamp
from backlog.approval_warnings import ApprovalWarnings
from backlog.approvers import Deciding, managed_by
from backlog.current_actuals import why_it_stays
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.operations.items import cancel
from backlog.sharing import Decision, sales_actuals
from backlog.valuation import EntryPricing, Pricings, backlog_item, contracts_of, page_of, way_to
from contracts.models import LegalEntity, Project
from invoicing_site.floor import audit, checked, formatting, moves, transaction, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import analyze, in_chunks, lacks, write_rows
from invoicing_site.floor.reasons import Reason
from invoicing_site.floor.seen import refuse_changed

# Entries that are approved in one commit. Writers on SQLite wait for each other, so transactions are short.
CHUNK = 1000


class Noted(NamedTuple):
    """A warning about one entry, and the address of the page where it can be fixed, if any."""

    entry: Entry
    text: str
    page: str = ""


@dataclass
class Approval:
    """The approved entries, the refused ones with reasons, and warnings for the approver (`noted`, `over`).

    `repriced` are the entries with another price than the approver saw (APP-9).
    """

    batch: Batch | None = None
    entries: list[Entry] = field(default_factory=list)
    actuals: list[Actual] = field(default_factory=list)
    items: list[BacklogItem] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    refused: list[tuple[Entry, Reason]] = field(default_factory=list)
    repriced: list[tuple[Entry, Reason]] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """All warnings for the approver, each as a sentence."""
        return [*(f"{named(each.entry)}: {each.text}" for each in self.noted), *self.over]


class NoneApproved(Refused):
    """None of the entries can be approved; `refused` and `repriced` have the reason for each."""

    refused: list[tuple[Entry, Reason]] = []
    repriced: list[tuple[Entry, Reason]] = []

    @classmethod
    def of(cls, reason, *, refused, repriced) -> "NoneApproved":
        """The refusal for that reason; the lists have the reason for each entry."""
        refusal = cls(reason)
        refusal.refused, refusal.repriced = refused, repriced
        return refusal


def approve_many(entries, *, by, on=None, decisions=None, drawn=None, terms=None) -> list[Approval]:
    """Approve any number of entries, with a commit after each thousand; committed ones stay approved.

    Refused only if none of them can be approved.
    """
    ordered = sorted(entries, key=lambda entry: (entry.project_id, entry.date, entry.pk))
    approvals, nothing = [], None
    for chunk in in_chunks(ordered, CHUNK):
        try:
            approvals.append(approve(chunk, by=by, on=on, decisions=decisions, drawn=drawn, terms=terms))
        except NoneApproved as refusal:
            nothing = nothing or refusal
            approvals.append(Approval(refused=refusal.refused, repriced=refusal.repriced))
    if nothing and not any(approval.entries for approval in approvals):
        raise nothing
    if len(approvals) > 1:
        analyze(Actual, BacklogItem, Entry)
    return approvals


@transaction.atomic
def approve(
    entries,
    *,
    by,
    on=None,
    decisions: Mapping[int, Decision] | None = None,
    seen: str = "",
    drawn: datetime | None = None,
    terms: Mapping[int, str] | None = None,
) -> Approval:
    """Create actuals for submitted entries of one legal entity: a cost, and each customer's unbilled sales.

    Entries that can't be approved are skipped and returned with the reason: not submitted, not on a project
    of the user, dated after today, the user's own (worked, recorded or submitted), without an exchange rate
    (MON-8), or with an amount that is too large. If no entry is left, it is refused. A missing price never
    stops an approval (PRC-6). `on` is the day of the action, by default the entity's today.

    Nobody approves values that they have not seen. A single entry is refused if it differs from what was
    `seen` (its stamp). Of several, those that were submitted after the list was `drawn` are skipped. `terms`
    are the prices in the preview that was shown, empty if it showed none; an entry with another price now is
    skipped and returned in `repriced` (APP-9).
    """
    entity, entries = _locked_entries(entries)
    for entry in entries:
        refuse_changed(seen, stamp(entry))
    decisions = decisions or {}
    result = Approval()
    result.entries, result.refused = _approvable(entity, entries, decisions, by, drawn)
    contracts = {contract.pk: contract for contract in contracts_of(entity, result.entries).locked()}
    _leave_repriced(entity, result, contracts, decisions, terms or {})
    if not result.entries:
        left = [*result.refused, *result.repriced]
        raise NoneApproved.of(left[0][1], refused=result.refused, repriced=result.repriced)
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
    """Reject submitted entries with a comment; their owners can correct and submit them again (APP-1)."""
    entity, entries = _locked_entries(entries)
    if not comment.strip():
        raise Refused("REJECT-COMMENT")
    checked.words(comment, Entry, "decision_comment")
    deciding = Deciding(entity, entries, by)
    for entry in entries:
        if reason := deciding.why_not(entry):
            raise Refused.because(reason)
    _decide(entries, Entry.Status.REJECTED, by=by, comment=comment)
    audit.record(
        "backlog.reject", None, by=by, entity=entity.code, entries=[e.pk for e in entries], comment=comment
    )
    return entries


@transaction.atomic
def cancel_approval(entries, *, by, on=None, comment="") -> Batch:
    """Cancel approvals: reverse the actuals that are not reversed yet, and cancel backlog items (APP-5).

    The entry is submitted again, so that its approver can correct quantity or billing type, or reject it. An
    entry with a recall request of its owner becomes a draft. Refused, with the name of the document, if it is
    on a draft or a confirmed proforma. If it was billed and returned, the actual that replaced the original
    is reversed, and the journal reverses what it accrued for the original (PRP-6).
    """
    entity, entries = _locked_entries(entries)
    checked.words(comment, Entry, "decision_comment")
    mine = managed_by(by, entries)
    for entry in entries:
        moves.refuse_unless(entry, "cancel_approval", name=named(entry))
        if entry.project_id not in mine:
            raise Refused("NOT-YOUR-PROJECT", entry=named(entry), project=entry.project)
    list(contracts_of(entity, entries).locked())
    if reason := why_it_stays(entries):
        raise Refused.because(reason)
    items = list(BacklogItem.objects.open().filter(actual__entry__in=entries))
    current = Actual.objects.filter(lacks(Actual, "reversed_by"), entry__in=entries, reverses=None)
    by_journal: dict[bool, list[Actual]] = {True: [], False: []}
    for fact in current.select_related("replaces").order_by("pk"):
        by_journal[_is_accrued_behind(fact)].append(fact)
    batch = open_batch(entity, Batch.Action.CANCEL, on=on or entity.today(), by=by)
    reverse(by_journal[False], batch=batch)
    reverse(by_journal[True], batch=batch, booked_by=Actual.BookedBy.JOURNAL)
    cancel(items)
    by_end = defaultdict(list)
    for entry in entries:
        (end,) = Entry.MOVES.ends("cancel_approval", entry.status)
        by_end[end].append(entry)
    for status, chosen in by_end.items():
        _decide(chosen, status, by=by, comment=comment, billable_quantity=None, billing_type="")
    audit.record("backlog.cancel_approval", batch, by=by, entity=entity.code, entries=[e.pk for e in entries])
    return batch


def _is_accrued_behind(fact) -> bool:
    """Whether no document books this actual, but the journal booked the original that it replaces (PRP-6)."""
    journal, nothing = Actual.BookedBy.JOURNAL, Actual.BookedBy.NOTHING
    return fact.booked_by == nothing and bool(fact.replaces) and fact.replaces.booked_by == journal


def _locked_entries(entries):
    """The entity and its entries, locked after their projects.

    The lock of the project makes approving and confirming a contract wait for each other, so the later one
    sees the result of the first.
    """
    pks = [entry.pk for entry in entries]
    if not pks:
        raise Refused("NOTHING-SELECTED")
    projects = Entry.objects.filter(pk__in=pks).values("project")
    list(Project.objects.locked().filter(pk__in=projects))
    related = ["project", "task", "resource", "role", "category", "product"]
    list(Entry.objects.locked().filter(pk__in=pks))
    rows = list(Entry.objects.filter(pk__in=pks).select_related(*related).order_by("date", "pk"))
    entities = {row.entity_id for row in rows}
    if len(entities) != 1:
        raise Refused("ENTRIES-OF-SEVERAL-ENTITIES")
    return LegalEntity.objects.get(pk=entities.pop()), rows


def _approvable(entity, entries, decisions, by, drawn):
    good, refused = [], []
    deciding = Deciding(entity, entries, by)
    live = Actual.objects.filter(lacks(Actual, "reversed_by"), entry__in=entries, reverses=None)
    has_facts = set(live.values_list("entry", flat=True))
    for entry in entries:
        reason = deciding.why_not_approved(entry, decisions.get(entry.pk))
        if reason is None and entry.pk in has_facts:
            reason = Reason("ENTRY-APPROVED-BEFORE", entry=named(entry))
        if reason is None and drawn and entry.submitted_at and entry.submitted_at > drawn:
            reason = Reason("ENTRY-SUBMITTED-AGAIN", entry=named(entry))
        if reason:
            refused.append((entry, reason))
        else:
            good.append(entry)
    return good, refused


def _leave_repriced(entity, result, contracts, decisions, seen):
    """Remove the entries with another price than was seen: the approver gets the price that was shown."""
    looked_at = [entry for entry in result.entries if entry.pk in seen]
    if not looked_at:
        return
    pricing = EntryPricing(entity, looked_at, contracts, Pricings(batch=None))
    for entry in looked_at:
        was = seen[entry.pk]
        try:
            # The page shows them either as they were entered or with the approver's decision.
            now = [pricing.of(entry, decision).terms for decision in (decisions.get(entry.pk), None)]
        except Refused:
            continue  # it can't be priced at all, and is refused for that
        if was not in now:
            name, terms = named(entry), now[0]
            result.repriced.append(
                (
                    entry,
                    Reason("ENTRY-REPRICED", entry=name, was=was[:200], now=terms)
                    if was
                    else Reason("ENTRY-SHOWN-UNPRICED", entry=name, now=terms),
                )
            )
    left = {entry.pk for entry, _ in result.repriced}
    result.entries = [entry for entry in result.entries if entry.pk not in left]


def _costed(entity, result, contracts, decisions):
    """Write each entry's cost actual; returns the work that customers may be billed for."""
    paper = Pricings(result.batch)
    pricing, priced = EntryPricing(entity, result.entries, contracts, paper), []
    for entry in result.entries:
        try:
            priced.append(pricing.of(entry, decisions.get(entry.pk)))
        except Refused as refusal:
            why = refusal.reason
            result.refused.append((entry, Reason("ENTRY-NOT-PRICED", entry=named(entry), why=why)))
    if not priced:
        left = {"refused": result.refused, "repriced": result.repriced}
        raise NoneApproved.of(why, **left)
    result.entries = [each.entry for each in priced]
    record_decisions(paper.made())
    approval_warnings = ApprovalWarnings(entity, result.entries)
    for each in priced:
        result.noted += _noted(each)
        found = approval_warnings.of(each.entry, is_charged=each.delivered is not None, is_approved=True)
        result.noted += [Noted(each.entry, warning) for warning in found]
    result.actuals = record([each.cost for each in priced], batch=result.batch)
    return [each.delivered for each in priced if each.delivered]


def _noted(priced):
    """The warnings of an entry; a missing price has advice for after the approval (PRC-6)."""
    missing = {price.warning: price for price in priced.missing}
    for warning in priced.warnings:
        price = missing.get(warning)
        way = way_to(price, "cancel the approval and approve it again") if price else ""
        yield Noted(priced.entry, f"{warning} {way}".rstrip(), page_of(price) if way else "")


def _write_sales(result, contracts, delivered):
    """Write the customers' shares and their backlog items; tests each against the limits, in order."""
    sales = sales_actuals(delivered, contracts)
    result.actuals += record(sales, batch=result.batch)
    books = LimitBook.load_many(contracts.values())
    result.items = write_rows(
        BacklogItem, [backlog_item(actual, books[actual.contract_id]) for actual in sales]
    )
    failed = defaultdict(list)
    for item in result.items:
        if item.limit_status == BacklogItem.LimitStatus.FAILED:
            failed[item.contract_id, item.limit_level].append(item.limit_over)
    for (pk, level), overs in failed.items():
        contract, by = contracts[pk], "by" if len(overs) == 1 else "by up to"
        over = formatting.currency_last(max(overs), contract.currency)
        result.over.append(
            f"{wording.counted(len(overs), 'actual is', 'actuals are')} over the limit of "
            f"{_limited(level, contract)} {by} {over}."
        )


def _limited(level, contract):
    level = BacklogItem.LimitLevel(level)
    whole = level == BacklogItem.LimitLevel.CONTRACT
    return f"contract {contract}" if whole else f"the {level.label} of contract {contract}"


def _stamp(entries, decisions, *, by):
    _decide(entries, Entry.Status.APPROVED, by=by)
    decided = [entry for entry in entries if entry.pk in decisions]
    for entry in decided:
        entry.billable_quantity = decisions[entry.pk].billable_quantity
        entry.billing_type = decisions[entry.pk].billing_type or ""
    Entry.objects.bulk_update(decided, ["billable_quantity", "billing_type"], batch_size=500)


def _decide(entries, status, *, by, comment="", **fields):
    stamps = {"decided_at": timezone.now(), "decided_by": by, "decision_comment": comment}
    fields |= {"status": status, **stamps}
    Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(**fields)
    for entry in entries:
        for name, value in fields.items():
            setattr(entry, name, value)
