"""Layouts of the lines of a proposal in sections, for `format_sections` (PRP-3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from invoicing_site.floor.seen import stamp
from ledger.models import InvoiceProposal, ProposalLine, ProposalSection
from ledger.models.proposals import SectionMode


@dataclass(frozen=True)
class SectionFormat:
    """The format of a section: its title, whether it is a summary and by what, and its lines."""

    lines: Sequence[ProposalLine]
    title: str = ""
    mode: str = SectionMode.DETAIL
    summary_by: str = ""


def _lines(proposal):
    return list(
        proposal.lines.select_related("detail__line__contract_line").order_by("section__number", "number")
    )


def as_it_is(proposal: InvoiceProposal) -> list[tuple[ProposalSection, SectionFormat]]:
    """Its sections in their order, each with its current format."""
    by_section = {}
    for line in _lines(proposal):
        by_section.setdefault(line.section_id, []).append(line)
    return [
        (row, SectionFormat(by_section.get(row.pk, []), row.title, row.mode, row.summary_by))
        for row in proposal.sections.order_by("number")
    ]


def changed(proposal: InvoiceProposal, layouts: dict[int, dict]) -> list[SectionFormat]:
    """The same sections with other places, titles and modes, by key of the section; lines do not move."""
    now = as_it_is(proposal)
    placed = [
        (layouts[row.pk]["number"], row.number, SectionFormat(each.lines, **_without_place(layouts[row.pk])))
        if row.pk in layouts
        else (row.number, row.number, each)
        for row, each in now
    ]
    return [each for *_, each in sorted(placed, key=lambda row: row[:2])]


def _without_place(layout):
    return {name: value for name, value in layout.items() if name != "number"}


def moved(
    proposal: InvoiceProposal, keys: Iterable[int], *, to: int | None, title: str = ""
) -> list[SectionFormat]:
    """These lines moved to the section `to`, or to a new one at the end; empty sections are removed."""
    keys, chosen, formats = set(keys), [], []
    now = as_it_is(proposal)
    for _, each in now:
        chosen += [line for line in each.lines if line.pk in keys]
    for row, each in now:
        lines = [line for line in each.lines if line.pk not in keys]
        if row.pk == to:
            lines = sorted([*lines, *chosen], key=lambda line: line.number)
        if lines:
            formats.append(SectionFormat(lines, each.title, each.mode, each.summary_by))
    return formats if to else [*formats, SectionFormat(chosen, title)]


def for_each_contract_line(proposal: InvoiceProposal) -> list[SectionFormat]:
    """A section for each contract line, in the order of the proforma, with its title; all with details."""
    longest = ProposalSection._meta.get_field("title").max_length
    groups = {}
    for line in sorted(_lines(proposal), key=lambda line: line.number):
        groups.setdefault(line.detail.line, []).append(line)
    return [
        SectionFormat(
            lines, (of.description or (of.contract_line.name if of.contract_line else ""))[:longest]
        )
        for of, lines in groups.items()
    ]


def whole(proposal: InvoiceProposal) -> list[SectionFormat]:
    """All lines in one section without a title."""
    return [SectionFormat(sorted(_lines(proposal), key=lambda line: line.number))]


def stamp_of(proposal: InvoiceProposal) -> str:
    """A stamp of its sections and lines: it changes when they change."""
    sections = stamp(proposal.sections.all(), "number", "title", "mode", "summary_by")
    return f"{sections}-{stamp(proposal.lines.only('section'), 'section')}"
