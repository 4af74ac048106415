"""The consistency of posted invoices, and their stored documents."""

from decimal import Decimal

from django.db.models import F, Q

from contracts.models import LegalEntity, TransactionClass
from invoicing_site.floor import files, formatting
from invoicing_site.floor.querysets import ExactSum, lacks, totals
from invoicing_site.models import StoredFile
from invoicing_site.verify.finding import CHUNK, Finding, amount, percent, where
from ledger.models import (
    Account,
    CustomerInvoice,
    CustomerTransaction,
    Document,
    InvoiceLine,
    InvoiceProposal,
    InvoiceReference,
    InvoiceTax,
    LedgerEntry,
    ProposalLine,
)

_ZERO = Decimal(0)


def invoices(entity: LegalEntity):
    """INVOICE: lines, tax rows, totals, the customer's entry and transaction agree."""
    mine = {"invoice__entity": entity}
    lines = InvoiceLine.objects.filter(**mine)
    net, line_tax = totals(lines, by="invoice", field="net"), totals(lines, by="invoice", field="tax")
    row_tax = totals(InvoiceTax.objects.filter(**mine), by="invoice", field="tax")
    entries = _sums(
        LedgerEntry.objects.filter(
            voucher__invoice__entity=entity, account__control=Account.Control.CUSTOMER
        ),
        debit="debit",
        credit="credit",
        books_debit="accounting_debit",
        books_credit="accounting_credit",
    )
    owed = _sums(
        CustomerTransaction.objects.filter(voucher__invoice__entity=entity),
        amount="amount",
        books="accounting_amount",
    )
    for invoice in CustomerInvoice.objects.filter(entity=entity).order_by("pk").iterator(chunk_size=CHUNK):
        entry = entries.get(invoice.voucher_id)
        booked = (
            (entry["debit"] - entry["credit"], entry["books_debit"] - entry["books_credit"])
            if entry
            else (_ZERO, _ZERO)
        )
        owes = owed.get(invoice.voucher_id, {"amount": _ZERO, "books": _ZERO})
        for what, says, should in (
            ("net amount", invoice.net, net.get(invoice.pk, _ZERO)),
            ("tax", invoice.tax, line_tax.get(invoice.pk, _ZERO)),
            ("tax by code", invoice.tax, row_tax.get(invoice.pk, _ZERO)),
            ("total", invoice.total, invoice.net + invoice.tax),
            ("customer's ledger entry", invoice.total, booked[0]),
            ("customer's ledger entry in accounting currency", invoice.accounting_total, booked[1]),
            ("customer transaction", invoice.total, owes["amount"]),
            ("customer transaction in accounting currency", invoice.accounting_total, owes["books"]),
        ):
            if says != should:
                yield _said(
                    entity,
                    invoice,
                    f"has {amount(says)}, but its {what} is {amount(should)}.",
                )
        if (invoice.total < 0) != (invoice.kind == CustomerInvoice.Kind.CREDIT_NOTE):
            yield _said(
                entity,
                invoice,
                f"is of the kind {invoice.get_kind_display()}, but its total is {amount(invoice.total)}.",
            )
    yield from _unlike_their_rates(entity)
    yield from _before_their_originals(entity)
    yield from _unlike_their_proposals(entity)


def _unlike_their_rates(entity):
    """The tax base of a rate equals the sum of its lines; lines of several codes have no rate."""
    mine = {"invoice__entity": entity}
    mixed = InvoiceLine.objects.filter(**mine, tax_percent=None).values("invoice")
    keys = ("invoice", "tax_category", "tax_percent")
    nets = _by_rate(InvoiceLine.objects.filter(**mine), keys, "net")
    rows = InvoiceTax.objects.filter(**mine).exclude(invoice__in=mixed)
    bases = _by_rate(rows, ("invoice", "category", "percent"), "base")
    for key, base in sorted(bases.items()):
        net = nets.get(key, _ZERO)
        if base != net:
            invoice = CustomerInvoice.objects.get(pk=key[0])
            yield _said(
                entity,
                invoice,
                f"taxes {amount(base)} at {percent(key[2])}, but its lines add up to {amount(net)}.",
            )


def _before_their_originals(entity):
    """PRP-8: a correction is not dated or booked before the invoice that it corrects."""
    rows = InvoiceReference.objects.filter(
        Q(invoice__invoice_date__lt=F("original__invoice_date"))
        | Q(invoice__accounting_date__lt=F("original__accounting_date")),
        invoice__entity=entity,
        invoice__proposal__proforma__corrects__isnull=False,
    )
    for row in rows.select_related("invoice", "original").order_by("pk"):
        own, original = row.invoice, row.original
        yield _said(
            entity,
            own,
            f"is dated {formatting.day(own.invoice_date)} and booked "
            f"{formatting.day(own.accounting_date)}, before {original}, which it corrects: dated "
            f"{formatting.day(original.invoice_date)} and booked {formatting.day(original.accounting_date)}.",
        )


def _by_rate(rows, keys, field):
    found = rows.order_by(*keys).values(*keys).annotate(exact_sum=ExactSum(field))
    return {tuple(row[key] for key in keys): row["exact_sum"] for row in found}


def _sums(rows, **fields):
    """Exact sums of several columns by voucher."""
    found = rows.order_by("voucher").values("voucher")
    found = found.annotate(**{f"exact_{name}": ExactSum(field) for name, field in fields.items()})
    return {row["voucher"]: {name: row[f"exact_{name}"] for name in fields} for row in found}


def _said(entity, invoice, sentence):
    return Finding(
        "INVOICE",
        entity.code,
        invoice.number,
        where(CustomerInvoice, invoice.pk),
        f"{invoice.get_kind_display().capitalize()} {invoice.number} {sentence}",
    )


def _unlike_their_proposals(entity):
    """Every proposal line has an invoice line with the same amount; a posted proposal has an invoice."""
    lines = ProposalLine.objects.filter(proposal__invoice__entity=entity)
    for row in lines.filter(lacks(ProposalLine, "invoice_line")).select_related("proposal__invoice"):
        yield _said(entity, row.proposal.invoice, f"has no line for {row} of {row.proposal}.")
    unlike = InvoiceLine.objects.filter(invoice__entity=entity).exclude(net=F("proposal_line__amount"))
    for row in unlike.select_related("invoice", "proposal_line"):
        yield _said(
            entity,
            row.invoice,
            f"bills {amount(row.net)} in {row}, but the proposal has {amount(row.proposal_line.amount)}.",
        )
    yield from _unlike_their_details(entity)
    posted = InvoiceProposal.objects.filter(entity=entity, status=InvoiceProposal.Status.POSTED)
    for row in posted.filter(lacks(InvoiceProposal, "invoice")):
        yield Finding(
            "INVOICE",
            entity.code,
            row.number,
            where(InvoiceProposal, row.pk),
            f"Proposal {row.number} is posted without an invoice.",
        )


_COPIED = ("quantity", "price", "date", "transaction_class", "unit", "billing_type", "description")
_LONGEST = InvoiceLine._meta.get_field("description").max_length


def _unlike_their_details(entity):
    """A line has the values of its detail, which is on the invoice's own proforma.

    Corrections are not compared, because they print differences.
    """
    strangers = ProposalLine.objects.filter(proposal__invoice__entity=entity).exclude(
        detail__line__proforma=F("proposal__proforma")
    )
    for row in strangers.select_related("proposal__invoice"):
        yield _said(entity, row.proposal.invoice, f"bills detail {row.detail_id} of another proforma.")
    of_detail = "proposal_line__detail"
    rows = (
        InvoiceLine.objects.filter(invoice__entity=entity, **{f"{of_detail}__corrects": None})
        .order_by("pk")
        .values_list(
            "invoice",
            "number",
            of_detail,
            *_COPIED,
            *(f"{of_detail}__{name}" for name in _COPIED),
        )
    )
    half = len(_COPIED)
    for key, number, detail, *values in rows.iterator(chunk_size=CHUNK):
        line, billed = (
            dict(zip(_COPIED, half_of, strict=True)) for half_of in (values[:half], values[half:])
        )
        unlike = [name.replace("_", " ") for name in _COPIED if not _agree(name, line, billed)]
        if unlike:
            invoice = CustomerInvoice.objects.get(pk=key)
            sentence = f"and detail {detail}, which its line {number} bills, differ: {', '.join(unlike)}."
            yield _said(entity, invoice, sentence)


def _agree(name, line, detail) -> bool:
    """Whether the line has this value of its detail, or an allowed replacement."""
    said, should = line[name], detail[name]
    of_milestone = detail["transaction_class"] == TransactionClass.MILESTONE
    if name == "description" and said != should:
        # Lines without a description print another name; lines of a milestone's part also print its share.
        what, _, whole = said.rpartition(" (")
        return not should or (of_milestone and what == should[: _LONGEST - len(f" ({whole}")])
    if name == "date" and of_milestone:
        # The date of a milestone is a plan: if it is billed earlier, it was delivered earlier.
        return said <= should
    return said == should


def documents(entity: LegalEntity):
    """DOCUMENT: the file of every document exists and is unchanged (DOC-1)."""
    rows = Document.objects.filter(invoice__entity=entity).select_related("file", "invoice").order_by("pk")
    for row in rows.iterator(chunk_size=CHUNK):
        if problem := _problem(row.file):
            yield Finding(
                "DOCUMENT",
                entity.code,
                row.invoice.number,
                where(Document, row.pk),
                f"The {row.get_kind_display()} of {row.invoice} {problem}",
            )


def other_files():
    """DOCUMENT: the same for receipts, imports and logos, which belong to no invoice."""
    rows = StoredFile.objects.exclude(pk__in=Document.objects.values("file")).order_by("pk")
    for row in rows.iterator(chunk_size=CHUNK):
        if problem := _problem(row):
            yield Finding(
                "DOCUMENT", "", row.name, where(StoredFile, row.pk), f"The file “{row.name}” {problem}"
            )


def _problem(stored):
    try:
        sha256, size = files.found(stored)
    except FileNotFoundError:
        return "is missing from the file storage."
    if size != stored.size:
        return f"has {size} bytes in the file storage instead of {stored.size}."
    return "" if sha256 == stored.sha256 else "was changed in the file storage: its bytes have another hash."
