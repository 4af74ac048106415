"""Formatting the sections of a proposal as a page shows them (PRP-3)."""

from collections.abc import Callable, Sequence

from invoicing_site.floor import audit, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.seen import refuse_changed
from ledger.invoicing import sections
from ledger.invoicing.operations.proposals import format_sections, still_open
from ledger.invoicing.sections import SectionFormat, stamp_of
from ledger.models import InvoiceProposal, ProposalLayout, ProposalSection


@transaction.atomic
def edit_sections(
    proposal: InvoiceProposal, layouts: dict[int, dict], *, seen: str, by
) -> list[ProposalSection]:
    """Change places, titles and modes of the sections, by key; their lines do not move.

    `seen` is the stamp of what the page showed. Refused (CHANGED) if the sections changed since, so that
    nobody overwrites changes that they have not seen.
    """
    return lay_out(proposal, lambda row: sections.changed(row, layouts), seen=seen, by=by)


@transaction.atomic
def lay_out(
    proposal: InvoiceProposal,
    layout: Callable[[InvoiceProposal], Sequence[SectionFormat]],
    *,
    seen: str,
    by,
) -> list[ProposalSection]:
    """Format the sections as `layout` returns for the current proposal; `seen` as for `edit_sections`."""
    proposal = still_open(proposal)
    refuse_changed(seen, stamp_of(proposal))
    return format_sections(proposal, layout(proposal), by=by)


@transaction.atomic
def save_layout(proposal: InvoiceProposal, *, scope: str, by) -> ProposalLayout:
    """Save the layout of a proposal as the default for its contract, customer or legal entity (PRP-3).

    Saved are how its first section is printed, whether there is one section or several, and the annex. Titles
    and moved lines are not. Refused (NO-SECTIONS) if it has no sections.
    """
    proposal = InvoiceProposal.objects.locked().select_related("entity", "proforma").get(pk=proposal.pk)
    rows = list(proposal.sections.order_by("number"))
    if not rows:
        raise Refused("NO-SECTIONS", proposal=proposal)
    proforma = proposal.proforma
    places: dict[str, dict] = {
        "contract": {"contract_id": proforma.contract_id, "customer": None},
        "customer": {"contract": None, "customer_id": proforma.customer_id},
        "company": {"contract": None, "customer": None},
    }
    place = places[scope]
    values = {
        "mode": rows[0].mode,
        "summary_by": rows[0].summary_by,
        "section_for_each_line": len(rows) > 1 or bool(rows[0].title),
        "with_annex": proposal.with_annex,
    }
    layout, _ = ProposalLayout.objects.update_or_create(entity=proposal.entity, **place, defaults=values)
    audit.record(
        "ledger.save_layout",
        layout,
        by=by,
        entity=proposal.entity.code,
        scope=scope,
        proposal=proposal.pk,
        **values,
    )
    return layout
