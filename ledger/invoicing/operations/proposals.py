"""Operations of an invoice proposal before posting: create, fill in, edit, format."""

import datetime
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from actuals.models import Actual
from contracts.models import LegalEntity
from invoicing_site.floor import audit, checked, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import in_chunks, write_rows
from invoicing_site.floor.seen import refuse_changed, stamp
from ledger.invoicing.blockers import all_blocked_by, blocked_by
from ledger.invoicing.groups import grouped
from ledger.invoicing.operations.lines import is_other, layouts_of, write_lines
from ledger.invoicing.sections import SectionFormat
from ledger.models import (
    InvoiceProposal,
    ProposalLine,
    ProposalSection,
    Voucher,
)
from ledger.models.proposals import SectionMode, SummaryBy
from proforma.models import ProformaInvoice, ProformaToPropose
from proforma.operations import leave_queue

logger = logging.getLogger(__name__)

_Status = InvoiceProposal.Status
_CHUNK = 5000
HEADER = (
    "invoice_date",
    "due_date",
    "accounting_date",
    "delivery",
    "dimensions",
    "place_of_delivery",
    "header_text",
    "footer_text",
    "with_annex",
)


@transaction.atomic
def create_proposal(proforma: ProformaInvoice) -> InvoiceProposal:
    """Create the proposal of a confirmed proforma, with its lines if it waits for no journal.

    If there is a proposal already, it is returned; also if two run this at the same time (PRO-7). Refused for
    an unconfirmed proforma.
    """
    # The row of the queue is the first lock, as for many.
    list(ProformaToPropose.objects.filter(pk=proforma.pk).locked())
    (proposal,) = _create([proforma.pk])
    return proposal


def create_proposals(entity: LegalEntity) -> list[InvoiceProposal]:
    """Create the missing proposals of the entity's confirmed proformas.

    Many in one transaction; if it fails, each in its own. One that fails is logged and does not stop the
    others. Those that somebody else is creating at this moment are skipped.
    """
    waiting = ProformaToPropose.objects.filter(entity=entity).order_by("pk")
    return _in_groups(_create_claimed, grouped(list(waiting), lambda row: row.pk))


@transaction.atomic
def _create_claimed(waiting: Sequence[ProformaToPropose]) -> list[InvoiceProposal]:
    """The new proposals of those that no other transaction has."""
    keys = [row.pk for row in waiting]
    claimed = ProformaToPropose.objects.filter(pk__in=keys).claimed(len(keys))
    return _create(claimed) if claimed else []


def _create(keys: list[int]) -> list[InvoiceProposal]:
    """The proposals of proformas of one entity, in the order of these keys."""
    rows = ProformaInvoice.objects.filter(pk__in=keys).locked()
    proformas = {row.pk: row for row in rows.select_related("entity", "customer", "contract")}
    for row in proformas.values():
        if row.status != ProformaInvoice.Status.CONFIRMED:
            raise Refused("PROFORMA-NOT-CONFIRMED", proforma=row)
    present = {row.proforma_id: row for row in InvoiceProposal.objects.filter(proforma__in=keys).locked()}
    missing = [proformas[key] for key in keys if key not in present]
    layouts = layouts_of(missing)
    new = [_new(row, layouts[row.pk]) for row in missing]
    if new:
        write_rows(InvoiceProposal, new)
        events = [(proposal, {"proforma": proposal.proforma_id}) for proposal in new]
        audit.record_each("ledger.create_proposal", events, entity=missing[0].entity.code)
        leave_queue([row.pk for row in missing])
    present |= {proposal.proforma_id: proposal for proposal in new}
    _fill([proposal for proposal in present.values() if proposal.status == _Status.BLOCKED])
    return [present[key] for key in keys]


def _new(proforma, layout) -> InvoiceProposal:
    return InvoiceProposal(
        proforma=proforma,
        entity=proforma.entity,
        number=proforma.number,
        contract_customer_id=proforma.contract_customer_id,
        delivery=proforma.customer.delivery,
        place_of_delivery=proforma.contract.place_of_delivery or proforma.city,
        header_text=proforma.description,
        with_annex=layout.with_annex,
    )


def fill_unblocked(entity: LegalEntity) -> list[InvoiceProposal]:
    """Fill in the lines of all proposals of the entity that no longer wait for a journal (PRP-1).

    Many in one transaction; if it fails, each in its own. One that fails is logged and does not stop the
    others.
    """
    waiting = Actual.objects.filter(
        ~Exists(Voucher.objects.filter(journal_line__actual=OuterRef("pk"))),
        backlog_item__detail__line__proforma=OuterRef("proforma"),
        type=Actual.Type.UNBILLED_SALES,
        booked_by=Actual.BookedBy.JOURNAL,
    )
    ready = InvoiceProposal.objects.filter(~Exists(waiting), entity=entity, status=_Status.BLOCKED)
    return _in_groups(_fill_together, grouped(list(ready.order_by("pk"))))


@transaction.atomic
def _fill_together(proposals: Sequence[InvoiceProposal]) -> list[InvoiceProposal]:
    rows = InvoiceProposal.objects.filter(pk__in=[row.pk for row in proposals]).locked()
    return _fill([row for row in rows.select_related("entity") if moves.allows(row, "fill_lines")])


def _in_groups(operation, groups) -> list[InvoiceProposal]:
    """The results of the operation on each group; a group that fails is done one by one."""
    done = []
    for group in groups:
        try:
            done += operation(group)
        except Exception:
            if len(group) > 1:
                done += _in_groups(operation, [[row] for row in group])
            else:
                logger.exception("%s failed; the next sweep tries again.", group[0])
    return done


def _fill(proposals, by=None) -> list[InvoiceProposal]:
    """Fill in the locked or new proposals of one entity that wait for nothing; returns these."""
    blocked = all_blocked_by(proposals) if proposals else {}
    ready = [proposal for proposal in proposals if not blocked[proposal.pk]]
    lines = write_lines(ready)
    for proposal in ready:
        proposal.status = _Status.OPEN
    InvoiceProposal.objects.filter(pk__in=lines).update(status=_Status.OPEN)
    if ready:
        events = [(proposal, {"lines": lines[proposal.pk]}) for proposal in ready]
        audit.record_each("ledger.fill_lines", events, by=by, entity=ready[0].entity.code)
    return ready


@transaction.atomic
def fill_lines(proposal: InvoiceProposal, *, by=None) -> InvoiceProposal:
    """Create its lines and open it, after journals posted every actual that it bills (PRP-1, PRP-7).

    Non-chargeable work gets no line, complimentary work a line of 0. Tax groups and dimensions are those of
    the posted journal lines; of a correction, those of what it corrects; otherwise those of the draft. If a
    tax group is missing there, today's default is used. Refused with the journals that it waits for. A
    proposal that is already filled in is returned unchanged.
    """
    proposal = locked(proposal)
    if not moves.allows(proposal, "fill_lines"):
        return proposal
    if blockers := blocked_by(proposal):
        raise Refused("PROPOSAL-BLOCKED", why=blockers.reasons)
    _fill([proposal], by)
    return proposal


@transaction.atomic
def refill_lines(proposal: InvoiceProposal, *, by) -> InvoiceProposal:
    """Delete all lines and sections and fill them in again, with the dimensions of the header if set (PRP-2).

    Edits of lines and sections are lost. Missing tax groups are taken from today's set-up (PRP-7). Refused
    unless the proposal is open.
    """
    proposal = still_open(proposal)
    proposal.lines.all().delete()
    proposal.sections.all().delete()
    lines = write_lines([proposal])[proposal.pk]
    audit.record("ledger.refill_lines", proposal, by=by, entity=proposal.entity.code, lines=lines)
    return proposal


# Edited by the accountant


@transaction.atomic
def edit_header(proposal: InvoiceProposal, *, by, seen: str = "", **changes: Any) -> InvoiceProposal:
    """Change dates, delivery, dimensions or texts of a proposal that is not submitted (PRP-2).

    A new invoice date recalculates the due date, unless one is given with it. Refused if the due date is
    before the invoice date, and if the proposal changed since the stamp `seen` (CHANGED).
    """
    unknown = changes.keys() - set(HEADER)
    assert not unknown, f"A proposal's header has no {', '.join(sorted(unknown))}."
    proposal = _editable(proposal)
    refuse_changed(seen, stamp([proposal], *HEADER))
    _refuse_other_entities(proposal, changes.get("dimensions"))
    for name in ("place_of_delivery", "header_text", "footer_text"):
        checked.words(changes.get(name, ""), InvoiceProposal, name)
    if "invoice_date" in changes and changes["invoice_date"] != proposal.invoice_date:
        changes.setdefault("due_date", None)
    before = {name: getattr(proposal, name) for name in changes}
    for name, value in changes.items():
        setattr(proposal, name, value)
    if proposal.invoice_date and proposal.due_date and proposal.due_date < proposal.invoice_date:
        raise Refused("DUE-DATE", due=proposal.due_date, invoiced=proposal.invoice_date)
    proposal.save(update_fields=changes.keys())
    audit.record(
        "ledger.edit_proposal",
        proposal,
        by=by,
        entity=proposal.entity.code,
        before={name: _plain(value) for name, value in before.items()},
        after={name: _plain(value) for name, value in changes.items()},
    )
    return proposal


def _refuse_other_entities(proposal, *rows):
    """Refused if a row belongs to another entity than the proposal."""
    for row in rows:
        if row is not None and row.entity_id != proposal.entity_id:
            raise Refused("CHOICE-OTHER-ENTITY", value=row)


TAX_GROUPS = ("billing_tax_group", "item_tax_group")
_UNCHANGED: Any = object()


@transaction.atomic
def edit_lines(
    lines: Iterable[ProposalLine], *, by, billing_tax_group=_UNCHANGED, item_tax_group=_UNCHANGED, seen=""
) -> list[ProposalLine]:
    """Change the tax groups of lines of one open proposal (PRP-2); amounts do not change.

    Refused if the lines changed since the stamp `seen` (CHANGED).
    """
    wanted = {line.pk for line in lines}
    if not wanted:
        return []
    proposal = InvoiceProposal.objects.filter(lines__pk__in=wanted).order_by("pk").first()
    if proposal is None:
        raise Refused("LINES-GONE")
    proposal = still_open(proposal)
    changes = {"billing_tax_group": billing_tax_group, "item_tax_group": item_tax_group}
    changes = {name: group for name, group in changes.items() if group is not _UNCHANGED}
    _refuse_other_entities(proposal, *changes.values())
    found = [line for line in proposal.lines.select_related("detail") if line.pk in wanted]
    if len(found) < len(wanted):
        others = ProposalLine.objects.filter(pk__in=wanted).exclude(proposal=proposal)
        assert not others.exists(), "Lines are edited on one proposal at a time."
        raise Refused("LINES-GONE")
    refuse_changed(seen, stamp(found, *TAX_GROUPS))
    before = sorted({(line.billing_tax_group_id, line.item_tax_group_id) for line in found}, key=str)
    for line in found:
        for name, group in changes.items():
            setattr(line, name, group)
        detail = line.detail
        line.differs = is_other(
            (line.billing_tax_group_id, line.item_tax_group_id),
            (detail.billing_tax_group_id, detail.item_tax_group_id),
        )
    for differs in (False, True):
        keys = [line.pk for line in found if line.differs == differs]
        for chunk in in_chunks(keys, _CHUNK):
            proposal.lines.filter(pk__in=chunk).update(**changes, differs=differs)
    audit.record(
        "ledger.edit_proposal_lines",
        proposal,
        by=by,
        entity=proposal.entity.code,
        lines=len(found),
        before=before,
        after={name: _plain(group) for name, group in changes.items()},
    )
    return found


@transaction.atomic
def format_sections(
    proposal: InvoiceProposal, sections: Sequence[SectionFormat], *, by
) -> list[ProposalSection]:
    """Put the lines in these sections, in this order; amounts do not change (PRP-3).

    Refused unless every line of the open proposal is in exactly one section.
    """
    proposal = still_open(proposal)
    for section in sections:
        assert section.mode == SectionMode.SUMMARY or not section.summary_by, "Details are not summed up."
        assert not section.summary_by or section.summary_by in SummaryBy.values, "Nothing to sum up by."
        checked.words(section.title, ProposalSection, "title")
    given = [line.pk for section in sections for line in section.lines]
    own = set(proposal.lines.values_list("pk", flat=True))
    if len(given) != len(set(given)) or set(given) != own:
        held = len(set(given) & own)
        raise Refused("SECTIONS-INCOMPLETE", proposal=proposal, count=len(own), held=held, given=len(given))
    present = list(proposal.sections.order_by("number"))
    kept = present[: len(sections)]
    rows = kept + [ProposalSection(proposal=proposal) for _ in sections[len(kept) :]]
    for number, (row, section) in enumerate(zip(rows, sections, strict=True), start=1):
        row.number, row.title = number, section.title
        row.mode, row.summary_by = section.mode, section.summary_by
    # Existing sections are numbered 1, 2, 3 in this order, so that no number is used twice in between.
    ProposalSection.objects.bulk_update(kept, ["number", "title", "mode", "summary_by"])
    write_rows(ProposalSection, rows[len(kept) :])
    for row, section in zip(rows, sections, strict=True):
        for chunk in in_chunks([line.pk for line in section.lines], _CHUNK):
            proposal.lines.filter(pk__in=chunk).exclude(section=row).update(section=row)
    proposal.sections.filter(pk__in=[row.pk for row in present[len(sections) :]]).delete()
    audit.record(
        "ledger.format_sections",
        proposal,
        by=by,
        entity=proposal.entity.code,
        sections=[[s.title, str(s.mode), str(s.summary_by), len(s.lines)] for s in sections],
    )
    return rows


# Read again, under the lock


def locked(proposal: InvoiceProposal) -> InvoiceProposal:
    """The current proposal, locked until commit."""
    return InvoiceProposal.objects.locked().select_related("entity").get(pk=proposal.pk)


def still_open(proposal: InvoiceProposal, verb: str = "edit_lines") -> InvoiceProposal:
    """The proposal, locked; Refused if its status does not allow the verb."""
    proposal = locked(proposal)
    if proposal.status == _Status.BLOCKED:
        raise Refused("PROPOSAL-BLOCKED", why=blocked_by(proposal).reasons)
    moves.refuse_unless(proposal, verb)
    return proposal


def _editable(proposal) -> InvoiceProposal:
    proposal = locked(proposal)
    moves.refuse_unless(proposal, "edit_header")
    return proposal


def _plain(value):
    """A value for the audit log: dates and texts unchanged, rows by their key."""
    if value is None or isinstance(value, str | bool | datetime.date):
        return value
    return value.pk
