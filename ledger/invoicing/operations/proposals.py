"""Operations of an invoice proposal before posting: create, fill in, edit, format."""

import datetime
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from actuals.models import Actual, BillingType
from contracts.models import LegalEntity
from invoicing_site.floor import audit, checked, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum, in_chunks, write_rows
from invoicing_site.floor.seen import refuse_changed, stamp
from ledger.invoicing.blockers import blocked_by
from ledger.invoicing.claims import by_keys, claimed_by, claims_of
from ledger.invoicing.sections import SectionFormat
from ledger.models import (
    InvoiceProposal,
    JournalLine,
    ProposalLayout,
    ProposalLine,
    ProposalSection,
    Voucher,
)
from ledger.models.proposals import SectionMode, SummaryBy
from ledger.setup.dimensions import DefaultDimensions
from proforma import tax_groups
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaToPropose
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
    proforma = (
        ProformaInvoice.objects.locked().select_related("entity", "customer", "contract").get(pk=proforma.pk)
    )
    if proforma.status != ProformaInvoice.Status.CONFIRMED:
        raise Refused("PROFORMA-NOT-CONFIRMED", proforma=proforma)
    proposal = InvoiceProposal.objects.filter(proforma=proforma).first()
    is_new = proposal is None
    if proposal is None:
        proposal = InvoiceProposal.objects.create(
            proforma=proforma,
            entity=proforma.entity,
            number=proforma.number,
            contract_customer_id=proforma.contract_customer_id,
            delivery=proforma.customer.delivery,
            place_of_delivery=proforma.contract.place_of_delivery or proforma.city,
            header_text=proforma.description,
            with_annex=_layout(proforma).with_annex,
        )
        audit.record("ledger.create_proposal", proposal, entity=proforma.entity.code, proforma=proforma.pk)
    if proposal.status == _Status.BLOCKED and not blocked_by(proposal):
        proposal = fill_lines(proposal)
    if is_new:
        leave_queue([proforma.pk])
    return proposal


def create_proposals(entity: LegalEntity) -> list[InvoiceProposal]:
    """Create the missing proposals of the entity's confirmed proformas.

    Each in its own transaction; one that fails is logged and does not stop the others. Those that somebody
    else is creating at this moment are skipped.
    """
    return _each(_create_claimed, ProformaToPropose.objects.filter(entity=entity).order_by("pk"))


@transaction.atomic
def _create_claimed(waiting):
    """The new proposal; None if somebody else has it."""
    if ProformaToPropose.objects.filter(pk=waiting.pk).claimed(1):
        return create_proposal(waiting.proforma)
    return None


def fill_unblocked(entity: LegalEntity) -> list[InvoiceProposal]:
    """Fill in the lines of all proposals of the entity that no longer wait for a journal (PRP-1).

    Each in its own transaction; one that fails is logged and does not stop the others.
    """
    waiting = Actual.objects.filter(
        ~Exists(Voucher.objects.filter(journal_line__actual=OuterRef("pk"))),
        backlog_item__detail__line__proforma=OuterRef("proforma"),
        type=Actual.Type.UNBILLED_SALES,
        booked_by=Actual.BookedBy.JOURNAL,
    )
    ready = InvoiceProposal.objects.filter(~Exists(waiting), entity=entity, status=_Status.BLOCKED)
    return _each(fill_lines, ready.order_by("pk"))


def _each(operation, rows) -> list[InvoiceProposal]:
    done = []
    for row in rows:
        try:
            if result := operation(row):
                done.append(result)
        except Exception:
            logger.exception("%s failed for %s; the next sweep tries again.", operation.__name__, row)
    return done


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
    lines = _write_lines(proposal)
    proposal.status = _Status.OPEN
    proposal.save(update_fields=["status"])
    audit.record("ledger.fill_lines", proposal, by=by, entity=proposal.entity.code, lines=lines)
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
    lines = _write_lines(proposal)
    audit.record("ledger.refill_lines", proposal, by=by, entity=proposal.entity.code, lines=lines)
    return proposal


def _write_lines(proposal) -> int:
    proforma = ProformaInvoice.objects.select_related("entity", "customer", "contract").get(
        pk=proposal.proforma_id
    )
    details = list(
        LineDetail.objects.filter(line__proforma=proforma)
        .select_related("line__contract_line")
        .order_by("line__number", "date", "pk")
    )
    charged = _charged(proforma)
    details = [
        detail
        for detail in details
        if detail.billing_type != BillingType.NON_CHARGEABLE or charged.get(detail.pk)
    ]
    taxed = _tax_groups_and_dimensions(proforma)
    defaults = DefaultDimensions.load(
        proforma.entity,
        project_ids={detail.project_id for detail in details if detail.project_id},
        line_ids={detail.line.contract_line_id for detail in details if detail.line.contract_line_id},
    )
    sections = _sections(proposal, _layout(proforma), details)
    of_draft = {detail.pk: (detail.billing_tax_group_id, detail.item_tax_group_id) for detail in details}
    groups = {key: tuple(taxed[key][:2]) if key in taxed else own for key, own in of_draft.items()}
    # Posted without a group: the journal line does not change, but the set-up may have one now.
    for key, now in tax_groups.of_details(
        proforma, [key for key, own in groups.items() if None in own]
    ).items():
        groups[key] = tuple(was or default for was, default in zip(groups[key], now, strict=True))
    lines = []
    for number, detail in enumerate(details, start=1):
        of_line = groups[detail.pk]
        if detail.pk in taxed:
            dimensions = taxed[detail.pk][2]
        else:
            default = defaults.of(
                project_id=detail.project_id,
                contract_line_id=detail.line.contract_line_id,
                transaction_class=detail.transaction_class,
            )
            dimensions = default.pk if default else None
        lines.append(
            ProposalLine(
                proposal=proposal,
                section=sections[detail.line_id],
                detail=detail,
                number=number,
                billing_tax_group_id=of_line[0],
                item_tax_group_id=of_line[1],
                dimensions_id=proposal.dimensions_id or dimensions,
                amount=charged.get(detail.pk, 0),
                differs=_differs(of_line, of_draft[detail.pk]),
            )
        )
    write_rows(ProposalLine, lines)
    return len(lines)


def _charged(proforma) -> dict:
    """The billed sales of each detail, less what a correction reverses."""
    rows = (
        DetailActual.objects.filter(
            detail__line__proforma=proforma,
            actual__type=Actual.Type.BILLED_SALES,
            actual__booked_by=Actual.BookedBy.INVOICE,
            actual__billing_type=BillingType.CHARGEABLE,
        )
        .values_list("detail")
        .annotate(charged=ExactSum("actual__amount"))
    )
    return dict(rows)


def _tax_groups_and_dimensions(proforma) -> dict:
    """Tax groups and dimensions by detail, from the posted journal lines or from the corrected line."""
    names = ("billing_tax_group", "item_tax_group", "dimensions")
    detail_of = {
        claim.journal_line_id: claim.detail_id
        for claim in claims_of(claimed_by([proforma.pk]))
        if claim.journal_line_id
    }
    posted = [
        (detail_of[line], *values)
        for line, *values in by_keys(JournalLine.objects.values_list("pk", *names), "pk", detail_of)
    ]
    corrected = ProposalLine.objects.filter(detail__corrected_by__line__proforma=proforma)
    return {
        detail: values
        for detail, *values in [*posted, *corrected.values_list("detail__corrected_by", *names)]
    }


def _differs(of_line, of_draft) -> bool:
    """Whether the draft's tax was estimated with other groups; without groups it had no estimate."""
    return any(draft is not None and own != draft for own, draft in zip(of_line, of_draft, strict=True))


def _layout(proforma) -> ProposalLayout:
    """The default layout: of the contract, else the customer, else the entity, else one section per line."""
    layouts = ProposalLayout.objects.filter(
        Q(contract=proforma.contract_id) | Q(customer=proforma.customer_id) | Q(contract=None, customer=None),
        entity=proforma.entity_id,
    )
    most_specific = sorted(layouts, key=lambda row: (row.contract_id is None, row.customer_id is None))
    return most_specific[0] if most_specific else ProposalLayout(entity_id=proforma.entity_id)


def _sections(proposal, layout, details) -> dict[int, ProposalSection]:
    """The saved section of each proforma line."""

    def section(number, title):
        return ProposalSection(
            proposal=proposal, number=number, title=title, mode=layout.mode, summary_by=layout.summary_by
        )

    lines = dict.fromkeys(detail.line for detail in details)
    if not layout.section_for_each_line:
        (whole,) = write_rows(ProposalSection, [section(1, "")])
        return {line.pk: whole for line in lines}
    rows = [section(number, _title(line)) for number, line in enumerate(lines, start=1)]
    return {line.pk: row for line, row in zip(lines, write_rows(ProposalSection, rows), strict=True)}


def _title(line):
    longest = ProposalSection._meta.get_field("title").max_length
    return (line.description or (line.contract_line.name if line.contract_line else ""))[:longest]


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
    """Refused if a row belongs to another company than the proposal."""
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
        line.differs = _differs(
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
