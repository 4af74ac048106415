"""The accountant's steps of an explanation: journal, proposal, invoice, vouchers, payment. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from invoicing_site.explain.facts import Facts
from invoicing_site.explain.story import Step, headed, on, ref, somebody
from invoicing_site.floor.formatting import currency_last as amount
from invoicing_site.floor.formatting import day, number

_ZERO = Decimal(0)


def journals(actuals: Iterable, facts: Facts) -> list[Step]:
    """The integration journal of these actuals, and the vouchers posted from it."""
    steps = []
    for actual in actuals:
        line = facts.journal_lines.get(actual.pk)
        if line is None:
            if actual.booked_by == actual.BookedBy.JOURNAL:
                words = (
                    f"Actual {actual.pk} ({actual.get_type_display()}) is not in an integration journal yet."
                )
                steps.append(Step("journal", words, {}, [ref(actual)]))
            continue
        words = f"Actual {actual.pk} ({actual.get_type_display()}) is in {line.journal}"
        references = [ref(line), ref(line.journal)]
        if not hasattr(line, "voucher"):
            words += f", which is {line.journal.get_status_display()}"
            if line.error:
                words += f": {line.error}"
            steps.append(Step("journal", words.rstrip(".") + ".", {}, references))
            continue
        steps.append(Step("journal", f"{words}, posted as {line.voucher}.", {}, references))
        steps.append(voucher(line.voucher, facts.entries[line.voucher.pk]))
    return steps


def voucher(row, entries) -> Step:
    """One voucher with its entries and its position in the chain."""
    words = f"{headed(row)} ({row.get_kind_display()}) of {day(row.date)}, number {row.position} in the chain"
    words += f", hash {row.hash[:12]}…" if entries else f", hash {row.hash[:12]}…, no ledger entries"
    lines = []
    for entry in entries:
        side, own, accounting = "Dr", entry.debit, entry.accounting_debit
        if entry.credit or entry.accounting_credit:
            side, own, accounting = "Cr", entry.credit, entry.accounting_credit
        line = f"{side} {entry.account.number} {entry.account.name}  {amount(own, entry.currency)}"
        if own != accounting:
            line += f", {amount(accounting, row.entity.currency)} at {number(entry.rate)}"
        lines.append(line)
    figures = {
        "number": row.number,
        "position": row.position,
        "hash": row.hash,
        "entries": [
            {
                "account": entry.account.number,
                "debit": entry.debit,
                "credit": entry.credit,
                "currency": entry.currency,
                "rate": entry.rate,
                "accounting_debit": entry.accounting_debit,
                "accounting_credit": entry.accounting_credit,
            }
            for entry in entries
        ],
    }
    references = [ref(row), *(ref(entry) for entry in entries)]
    return Step("voucher", "\n".join([words + ".", *lines]), figures, references)


def proposal(detail, facts: Facts) -> list[Step]:
    """The proposal line of the detail."""
    line = facts.proposal_lines.get(detail.pk) if detail else None
    if line is None:
        return []
    words = f"Line {line.number} of {line.proposal}, {line.proposal.get_status_display()}"
    if line.section.title:
        words += f", in section “{line.section.title}”"
    words += f": {amount(line.amount, detail.line.proforma.currency)}"
    if line.differs:
        words += "; its tax groups differ from the draft's"
    references = [ref(line.proposal), ref(line)]
    return [
        Step("proposal", words + ".", {"amount": line.amount, "status": line.proposal.status}, references)
    ]


def invoice_line(detail, facts: Facts) -> list[Step]:
    """The line on the posted invoice."""
    line = facts.proposal_lines.get(detail.pk) if detail else None
    if line is None and detail is not None:
        return not_charged(detail)
    if line is None or not hasattr(line, "invoice_line"):
        return []
    return [printed_line(line.invoice_line)]


def not_charged(detail) -> list[Step]:
    """The reason why a detail of a posted invoice has no line on it."""
    invoice = _invoice_of(detail.line.proforma)
    if invoice is None:
        return []
    words = f"{headed(invoice)} has no line for it: {left_out(detail)}."
    return [Step("invoice", words, {"number": invoice.number, "net": _ZERO}, [ref(invoice), ref(detail)])]


def left_out(detail) -> str:
    """The reason in words, such as “not on the invoice: 3 h non-chargeable”."""
    quantity = f"{number(detail.quantity)} {detail.unit}".strip()
    return f"not on the invoice: {quantity} {detail.get_billing_type_display()}"


def _invoice_of(document):
    proposal = getattr(document, "proposal", None)
    return getattr(proposal, "invoice", None)


def printed_line(line) -> Step:
    """One line of a posted invoice."""
    document = line.invoice
    words = f"Line {line.number} of {document} of {day(document.invoice_date)}: "
    words += f"{number(line.quantity)} {line.unit} × {number(line.price)} = ".replace("  ", " ")
    words += amount(line.net, document.currency)
    if line.tax_percent is not None:
        words += f", tax {amount(line.tax, document.currency)} at {number(line.tax_percent)} %"
    elif line.tax:
        words += f", tax {amount(line.tax, document.currency)}"
    if line.summary:
        words += f"; printed in “{line.summary}”"
    figures = {"net": line.net, "tax": line.tax, "number": document.number, "line": line.number}
    return Step("invoice", words + ".", figures, [ref(document), ref(line)])


def of_invoice(document, facts: Facts, entries=None) -> list[Step]:
    """The voucher of an invoice, and its payments."""
    entries = facts.entries[document.voucher_id] if entries is None else entries
    return [voucher(document.voucher, entries), *payments(document, facts)]


def payments(document, facts: Facts) -> list[Step]:
    """The amount that the customer owes for it, its payments and other settlements."""
    steps = []
    for row in facts.customer_transactions.get(document.voucher_id, []):
        settled = facts.settlements.get(row.pk, [])
        paid = sum((settlement.amount for settlement in settled), _ZERO)
        owed = row.amount - paid if row.amount >= 0 else row.amount + paid
        words = f"{row.get_kind_display().capitalize()} {row.document_number} of "
        words += f"{amount(row.amount, row.currency)}"
        if row.due_date:
            words += f", due {day(row.due_date)}"
        lines = []
        references = [ref(row)]
        for settlement in settled:
            other = settlement.credit if settlement.debit_id == row.pk else settlement.debit
            lines.append(
                f"{day(settlement.date)}: {amount(settlement.amount, row.currency)} set off against "
                f"{other.get_kind_display()} {other.document_number} ({other.voucher})"
            )
            references += [ref(settlement), ref(other)]
        words += f"; open {amount(owed, row.currency)}." if settled else "; nothing paid yet."
        figures = {"amount": row.amount, "settled": paid, "open": owed}
        steps.append(Step("payment", "\n".join([words, *lines]), figures, references))
    return steps


def invoice_head(document, taxes, references) -> Step:
    """A posted invoice as a whole."""
    own = document.currency
    words = f"{headed(document)} of {day(document.invoice_date)} to {document.buyer_name}: "
    words += f"{amount(document.net, own)} and {amount(document.tax, own)} tax, {amount(document.total, own)}"
    if own != document.accounting_currency:
        words += f"; {amount(document.accounting_total, document.accounting_currency)} in the books, net at "
        words += f"{number(document.net_rate)}, tax at {number(document.rate)}"
    lines = [
        f"Tax {tax.code} {tax.name}: {number(tax.percent)} % of {amount(tax.base, own)}"
        f" = {amount(tax.tax, own)}"
        for tax in taxes
    ]
    lines += [f"Refers to {reference.original}" for reference in references]
    figures = {
        "net": document.net,
        "tax": document.tax,
        "total": document.total,
        "taxes": [
            {"code": tax.code, "percent": tax.percent, "base": tax.base, "tax": tax.tax} for tax in taxes
        ],
    }
    rows = [ref(document), *(ref(tax) for tax in taxes), *(ref(r.original) for r in references)]
    return Step("invoice", "\n".join([words + ".", *lines]), figures, rows)


def proforma_head(document) -> Step:
    """A proforma as a whole."""
    words = f"{headed(document)} for {document.customer}, contract {document.contract}"
    words += f", {document.get_status_display()}"
    if document.confirmed_at:
        words += f"; confirmed by {somebody(document.confirmed_by)} on {on(document.confirmed_at)}"
    references = [ref(document), ref(document.contract), ref(document.customer)]
    if document.run_id:
        words += f"; created by {document.run}"
        references.append(ref(document.run))
    return Step("proforma", words + ".", {"status": document.status}, references)


def proposal_head(row) -> Step:
    """A proposal as a whole."""
    words = f"{headed(row)}, {row.get_status_display()}"
    if row.last_error:
        words += f"; the last posting was refused: {row.last_error}"
    return Step("proposal", words.rstrip(".") + ".", {"status": row.status}, [ref(row)])
