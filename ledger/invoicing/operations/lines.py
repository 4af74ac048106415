"""Writes the sections and lines of proposals from the details of their proformas (PRP-1, PRP-7)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q

from actuals.models import Actual, BillingType
from invoicing_site.floor.querysets import by_keys, write_rows
from ledger.models import InvoiceProposal, JournalLine, ProposalLayout, ProposalLine, ProposalSection
from ledger.setup.dimensions import DefaultDimensions
from proforma import tax_groups
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaLine

_ZERO = Decimal(0)
_TITLE_LENGTH = ProposalSection._meta.get_field("title").max_length


class _Detail(NamedTuple):
    pk: int
    line_id: int
    billing_type: str
    project_id: int | None
    transaction_class: str
    billing_tax_group_id: int | None
    item_tax_group_id: int | None
    actual_id: int | None

    @property
    def groups(self) -> tuple[int | None, int | None]:
        """The tax groups of the draft."""
        return self.billing_tax_group_id, self.item_tax_group_id


_COLUMNS = "pk line billing_type project transaction_class billing_tax_group item_tax_group"


def write_lines(proposals: Sequence[InvoiceProposal]) -> dict[int, int]:
    """Write the lines and sections of proposals of one entity; returns the number of lines, by proposal.

    The number of statements does not depend on the number of proposals. The proposals have no lines yet.
    """
    if not proposals:
        return {}
    proformas = ProformaInvoice.objects.select_related("entity", "customer", "contract").in_bulk(
        [proposal.proforma_id for proposal in proposals]
    )
    details = _details(proformas)
    lines = ProformaLine.objects.select_related("contract_line").in_bulk({row.line_id for row in details})
    charged = _charged(details)
    details = [
        row for row in details if row.billing_type != BillingType.NON_CHARGEABLE or charged.get(row.pk)
    ]
    taxed = _tax_groups_and_dimensions(proformas, details)
    groups = _tax_groups(proformas, details, taxed)
    defaults = DefaultDimensions.load(
        next(iter(proformas.values())).entity,
        project_ids={row.project_id for row in details if row.project_id},
        line_ids={line.contract_line_id for line in lines.values() if line.contract_line_id},
    )
    by_proforma = defaultdict(list)
    for row in details:
        by_proforma[lines[row.line_id].proforma_id].append(row)
    of_proposal = {proposal.pk: by_proforma[proposal.proforma_id] for proposal in proposals}
    on_sections = {
        key: [lines[line] for line in dict.fromkeys(row.line_id for row in rows)]
        for key, rows in of_proposal.items()
    }
    sections = _sections(proposals, layouts_of(proformas.values()), on_sections)

    def dimensions_of(row):
        if row.pk in taxed:
            return taxed[row.pk][2]
        default = defaults.of(
            project_id=row.project_id,
            contract_line_id=lines[row.line_id].contract_line_id,
            transaction_class=row.transaction_class,
        )
        return default.pk if default else None

    write_rows(
        ProposalLine,
        [
            ProposalLine(
                proposal_id=proposal.pk,
                section_id=sections[row.line_id].pk,
                detail_id=row.pk,
                number=number,
                billing_tax_group_id=groups[row.pk][0],
                item_tax_group_id=groups[row.pk][1],
                dimensions_id=proposal.dimensions_id or dimensions_of(row),
                amount=charged.get(row.pk, _ZERO),
                differs=is_other(groups[row.pk], row.groups),
            )
            for proposal in proposals
            for number, row in enumerate(of_proposal[proposal.pk], start=1)
        ],
    )
    return {key: len(rows) for key, rows in of_proposal.items()}


def _details(proformas) -> list[_Detail]:
    rows = LineDetail.objects.filter(line__proforma__in=proformas)
    rows = rows.order_by("line__proforma", "line__number", "date", "pk")
    return [_Detail(*row) for row in rows.values_list(*_COLUMNS.split(), "backlog_item__actual")]


def _charged(details) -> dict[int, Decimal]:
    """The billed sales of each detail, less what a correction reverses."""
    rows = DetailActual.objects.filter(
        actual__type=Actual.Type.BILLED_SALES,
        actual__booked_by=Actual.BookedBy.INVOICE,
        actual__billing_type=BillingType.CHARGEABLE,
    )
    found: dict[int, Decimal] = {}
    amounts = rows.order_by().values_list("detail", "actual__amount")
    for detail, amount in by_keys(amounts, "detail", [row.pk for row in details]):
        found[detail] = found.get(detail, _ZERO) + amount
    return found


def _tax_groups_and_dimensions(proformas, details) -> dict[int, tuple]:
    """Tax groups and dimensions by detail, from the posted journal lines or from the corrected line."""
    names = ("billing_tax_group", "item_tax_group", "dimensions")
    detail_of = {row.actual_id: row.pk for row in details if row.actual_id}
    posted = JournalLine.objects.posted().filter(
        actual__type=Actual.Type.UNBILLED_SALES, actual__booked_by=Actual.BookedBy.JOURNAL
    )
    posted = by_keys(posted.values_list("actual", *names), "actual", detail_of)
    found = {detail_of[actual]: tuple(values) for actual, *values in posted}
    if any(proforma.corrects_id for proforma in proformas.values()):
        corrected = ProposalLine.objects.filter(detail__corrected_by__line__proforma__in=proformas)
        for detail, *values in corrected.values_list("detail__corrected_by", *names):
            found[detail] = tuple(values)
    return found


def _tax_groups(proformas, details, taxed) -> dict[int, tuple]:
    """The tax groups of each detail; today's default for one that is missing."""
    groups = {row.pk: taxed[row.pk][:2] if row.pk in taxed else row.groups for row in details}
    # Posted without a group: the journal line does not change, but the set-up may have one now.
    missing = [key for key, own in groups.items() if None in own]
    for key, now in tax_groups.of_details(proformas.values(), missing).items():
        groups[key] = tuple(was or default for was, default in zip(groups[key], now, strict=True))
    return groups


def is_other(of_line: tuple, of_draft: tuple) -> bool:
    """Whether the draft's tax was estimated with other groups; without groups it had no estimate."""
    return any(draft is not None and own != draft for own, draft in zip(of_line, of_draft, strict=True))


def layouts_of(proformas: Iterable[ProformaInvoice]) -> dict[int, ProposalLayout]:
    """The default layout of each proforma of one entity, by its key, in one query.

    That of the contract, else of the customer, else of the entity, else one section per line.
    """
    if not (proformas := list(proformas)):
        return {}
    contracts = {proforma.contract_id for proforma in proformas}
    customers = {proforma.customer_id for proforma in proformas}
    own = Q(contract__in=contracts) | Q(customer__in=customers) | Q(contract=None, customer=None)
    layouts = {
        (row.contract_id, row.customer_id): row
        for row in ProposalLayout.objects.filter(own, entity=proformas[0].entity_id)
    }
    return {
        proforma.pk: layouts.get((proforma.contract_id, None))
        or layouts.get((None, proforma.customer_id))
        or layouts.get((None, None))
        or ProposalLayout(entity_id=proforma.entity_id)
        for proforma in proformas
    }


def _sections(proposals, layouts, lines) -> dict[int, ProposalSection]:
    """The saved section of each proforma line; `lines` are those of each proposal."""
    rows, of_line = [], {}

    def section(proposal, number, title):
        layout = layouts[proposal.proforma_id]
        rows.append(
            ProposalSection(
                proposal_id=proposal.pk,
                number=number,
                title=title,
                mode=layout.mode,
                summary_by=layout.summary_by,
            )
        )
        return rows[-1]

    for proposal in proposals:
        own = lines[proposal.pk]
        if layouts[proposal.proforma_id].section_for_each_line:
            for number, line in enumerate(own, start=1):
                of_line[line.pk] = section(proposal, number, _title(line))
        else:
            whole = section(proposal, 1, "")
            of_line |= {line.pk: whole for line in own}
    write_rows(ProposalSection, rows)
    return of_line


def _title(line):
    return (line.description or (line.contract_line.name if line.contract_line else ""))[:_TITLE_LENGTH]
