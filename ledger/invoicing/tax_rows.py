"""The tax of one invoice: the codes of its lines, their amounts, and their entries (PST-4).

Pure. A missing code or account is refused by name (MON-8).
"""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from invoicing_site.floor.errors import Refused
from ledger.books.plan import EntryPlan
from ledger.document.translations import Words
from ledger.invoicing.content import delivered_on
from ledger.invoicing.corrected import BookedSum
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.tax import TaxableLine, TaxAt, TaxResult, TaxSum, rate_day, tax_of, tax_of_change
from ledger.models import InvoiceTax, ProposalLine
from proforma.tax_groups import item_giver


class TaxKind(NamedTuple):
    """The values that decide the tax of a line: lines with the same kind have the same codes."""

    billing_group_id: int | None
    item_group_id: int | None
    day: datetime.date
    percent: Decimal | None  # of the corrected line
    item_giver: str = ""  # where a missing item tax group is set up


def tax_kind(facts: InvoiceFacts, line: ProposalLine) -> TaxKind:
    """Its tax groups and the day whose rates apply (PST-4); a correction keeps its original's (COR-3)."""
    detail, original = line.detail, facts.corrected_line(line.detail)
    invoiced = facts.corrected.invoice.invoice_date if original else facts.invoice_date
    giver = ""
    if line.item_tax_group_id is None:
        giver = item_giver(detail.transaction_class, category=detail.category_id, product=detail.product_id)
    return TaxKind(
        line.billing_tax_group_id,
        line.item_tax_group_id,
        rate_day(detail.transaction_class, delivered_on(facts, detail), invoiced),
        original.tax_percent if original else None,
        giver,
    )


def tax_codes(facts: InvoiceFacts, kind: TaxKind) -> list[TaxAt]:
    """The codes of such lines; Refused if the groups have none in common or one has no rate on that day."""
    codes = facts.tax_book.codes(
        kind.billing_group_id, kind.item_group_id, kind.day, item_giver=kind.item_giver
    )
    if kind.percent is not None and len(codes) == 1:
        return [TaxAt(codes[0].code, kind.percent)]
    return codes


def tax_result(facts: InvoiceFacts) -> tuple[TaxResult, dict[int, list[TaxAt]]]:
    """The tax of all lines, and the codes of each by its key."""
    kinds = {line.pk: tax_kind(facts, line) for line in facts.lines}
    of_kind = {kind: tax_codes(facts, kind) for kind in dict.fromkeys(kinds.values())}
    codes = {key: of_kind[kind] for key, kind in kinds.items()}
    lines = [TaxableLine(line.pk, line.amount, codes[line.pk]) for line in facts.lines]
    result = _tax_of_the_difference(facts, lines) if facts.corrected else tax_of(lines, facts.currency)
    return result, codes


def _tax_of_the_difference(facts, lines) -> TaxResult:
    """The tax of a correction: the tax after it less the tax before it (MON-4).

    Without codes whose tax does not change.
    """
    before = [
        TaxableLine(("standing", number), row.base, [TaxAt(row.tax_code, row.percent)])
        for number, row in enumerate(facts.corrected.taxes)
    ]
    result = tax_of_change(before, [*before, *lines], facts.currency)
    touched = {(at.code.pk, at.percent) for line in lines for at in line.codes}
    return TaxResult(
        [row for row in result.by_code if row.tax or (row.code.pk, row.percent) in touched],
        {line.key: result.by_line[line.key] for line in lines},
    )


def invoice_taxes(facts: InvoiceFacts, by_code: Iterable[TaxSum], rate: Decimal) -> list[InvoiceTax]:
    """The row for each code and rate that is stored and printed, in both currencies."""

    def converted(of, name):
        booked = facts.corrected.taxed(of.code.pk, of.percent, name) if facts.corrected else BookedSum()
        return booked.changed_by(getattr(of, name), rate, facts.entity.currency)

    words = Words(facts.customer.language)
    return [
        InvoiceTax(
            tax_code=of.code,
            code=of.code.code,
            name=of.code.name,
            category=of.code.category,
            percent=of.percent,
            legal_text=words.of_setup(of.code.legal_text),
            exemption_code=of.code.exemption_code,
            base=of.base,
            tax=of.tax,
            accounting_base=converted(of, "base"),
            accounting_tax=converted(of, "tax"),
        )
        for of in by_code
    ]


def tax_entries(facts: InvoiceFacts, taxes: Iterable[InvoiceTax], rate: Decimal) -> list[EntryPlan]:
    """The credit entries of the taxes."""
    return [
        EntryPlan.crediting(
            _account_of(tax),
            tax.tax,
            tax.accounting_tax,
            currency=facts.currency,
            rate=rate,
            dimensions=facts.proposal.dimensions,
            tax_code=tax.tax_code,
            tax_percent=tax.percent,
            tax_base=tax.base,
        )
        for tax in taxes
        if tax.tax or tax.accounting_tax
    ]


def _account_of(tax):
    if tax.tax_code.account is None:
        raise Refused("TAX-ACCOUNT-MISSING", tax_code=tax.tax_code, remedy="admin:ledger_taxcode_changelist")
    return tax.tax_code.account
