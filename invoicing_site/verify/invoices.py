"""Posted invoices in themselves, their documents on the disk, and what was confirmed before."""

import hashlib
from decimal import Decimal
from itertools import groupby

from django.db.models import F

from actuals.models import Actual
from contracts.models import LegalEntity
from invoicing_site import files
from invoicing_site.models import StoredFile
from invoicing_site.querysets import ExactSum, totals
from invoicing_site.verify.finding import CHUNK, Finding, amount, where
from ledger.models import (
    Account,
    CustomerInvoice,
    CustomerTransaction,
    Document,
    InvoiceLine,
    InvoiceProposal,
    InvoiceTax,
    LedgerEntry,
    ProposalLine,
)
from proforma.models import DetailActual, LineDetail, ProformaInvoice

_ZERO = Decimal(0)
_Part = DetailActual.Part


def invoices(entity: LegalEntity):
    """INVOICE: lines, tax rows, totals, the customer's entry and transaction all say the same."""
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
                    f"says {amount(says)} where its {what} comes to {amount(should)}.",
                )
        if (invoice.total < 0) != (invoice.kind == CustomerInvoice.Kind.CREDIT_NOTE):
            yield _said(
                entity, invoice, f"is called {invoice.get_kind_display()} at {amount(invoice.total)}."
            )
    yield from _unlike_their_proposals(entity)


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
    """Every proposal line is an invoice line of the same amount; a posted proposal has its invoice."""
    lines = ProposalLine.objects.filter(proposal__invoice__entity=entity)
    for row in lines.filter(invoice_line=None).select_related("proposal__invoice"):
        yield _said(entity, row.proposal.invoice, f"lacks {row} of {row.proposal}.")
    unlike = InvoiceLine.objects.filter(invoice__entity=entity).exclude(net=F("proposal_line__amount"))
    for row in unlike.select_related("invoice", "proposal_line"):
        yield _said(
            entity,
            row.invoice,
            f"bills {amount(row.net)} in {row}, and the proposal {amount(row.proposal_line.amount)}.",
        )
    posted = InvoiceProposal.objects.filter(entity=entity, status=InvoiceProposal.Status.POSTED, invoice=None)
    for row in posted:
        yield Finding(
            "INVOICE",
            entity.code,
            row.number,
            where(InvoiceProposal, row.pk),
            f"Proposal {row.number} is posted without an invoice.",
        )


def documents(entity: LegalEntity):
    """DOCUMENT: the bytes of every document are there and are those that were drawn (DOC-1)."""
    rows = Document.objects.filter(invoice__entity=entity).select_related("file", "invoice").order_by("pk")
    for row in rows.iterator(chunk_size=CHUNK):
        if trouble := _trouble(row.file):
            yield Finding(
                "DOCUMENT",
                entity.code,
                row.invoice.number,
                where(Document, row.pk),
                f"The {row.get_kind_display()} of {row.invoice} {trouble}",
            )


def other_files():
    """DOCUMENT: the same for receipts, imports and logos, which belong to no invoice."""
    rows = StoredFile.objects.exclude(pk__in=Document.objects.values("file")).order_by("pk")
    for row in rows.iterator(chunk_size=CHUNK):
        if trouble := _trouble(row):
            yield Finding(
                "DOCUMENT", "", row.name, where(StoredFile, row.pk), f"The file “{row.name}” {trouble}"
            )


def _trouble(stored):
    try:
        with open(files.path(stored), "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError:
        return "is missing from the data folder."
    if size != stored.size:
        return f"has {size} bytes in the data folder in place of {stored.size}."
    return "" if found == stored.sha256 else "was changed in the data folder: its bytes have another hash."


def confirmed(entity: LegalEntity):
    """CONFIRMED: of each confirmed detail the unbilled nets to zero and the billed is it (invariant 2)."""
    details = LineDetail.objects.filter(
        line__proforma__entity=entity, line__proforma__status=ProformaInvoice.Status.CONFIRMED
    )
    for key, number in details.filter(detail_actuals=None).values_list("pk", "line__proforma__number"):
        yield _of_detail(entity, key, number, "has no actuals")
    rows = (
        DetailActual.objects.filter(detail__in=details)
        .order_by("detail", "pk")
        .values_list(
            "detail",
            "part",
            "actual",
            "actual__type",
            "actual__quantity",
            "actual__amount",
            "actual__billing_type",
            "actual__reverses",
            "actual__milestone_part",
            "detail__quantity",
            "detail__amount",
            "detail__billing_type",
            "detail__line__proforma__number",
            "detail__backlog_item__actual",
            "detail__backlog_item__actual__amount",
            "detail__backlog_item__milestone_part",
            named=True,
        )
    )
    for key, parts in groupby(rows.iterator(chunk_size=CHUNK), key=lambda row: row.detail):
        parts = list(parts)
        for trouble in _troubles_of_detail(parts):
            yield _of_detail(entity, key, parts[0].detail__line__proforma__number, trouble)


# Made by confirming to be billed later, or given up: they do not pass through.
_STAYS = {_Part.AGAIN, _Part.GIVEN_UP, _Part.BALANCE}


def _troubles_of_detail(parts):
    detail = parts[0]
    made = {row.actual for row in parts}
    claimed = detail.detail__backlog_item__actual
    unbilled = sum(
        (
            row.actual__amount
            for row in parts
            if row.actual__type == Actual.Type.UNBILLED_SALES and row.part not in _STAYS
        ),
        _ZERO,
    )
    if claimed is not None and claimed not in made:
        unbilled += detail.detail__backlog_item__actual__amount
    if unbilled:
        yield f"leaves {amount(unbilled)} unbilled"
    for row in parts:
        if row.part == _Part.BILLED:
            says = (row.actual__quantity, row.actual__amount, row.actual__billing_type)
            if says != (row.detail__quantity, row.detail__amount, row.detail__billing_type):
                yield (
                    f"is {amount(row.detail__amount)} {row.detail__billing_type}, and billed as "
                    f"{amount(row.actual__amount)} {row.actual__billing_type}"
                )
            if row.actual__milestone_part != row.detail__backlog_item__milestone_part:
                yield "claims another milestone part than it billed"
        if row.part == _Part.REVERSAL and row.actual__reverses != claimed:
            yield f"claims actual {claimed}, but its reversal is that of actual {row.actual__reverses}"


def _of_detail(entity, key, number, trouble):
    return Finding(
        "CONFIRMED",
        entity.code,
        number,
        where(LineDetail, key),
        f"Detail {key} of proforma {number} {trouble}.",
    )
