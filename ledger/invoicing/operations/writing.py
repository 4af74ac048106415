"""Writes planned invoices: numbers, vouchers, subledgers and the request for documents (PST-1)."""

from itertools import chain as joined
from typing import NamedTuple

from contracts.models import LegalEntity, NumberSequence
from contracts.operations.numbers import draw_for
from invoicing_site.floor import audit, jobs
from invoicing_site.floor.querysets import draw_ids, write_rows
from ledger.books import chain
from ledger.books.operations import write_vouchers
from ledger.books.plan import VoucherPlan
from ledger.document.operations import wait_for_document
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.payment_references import reference_of
from ledger.invoicing.plan import InvoicePlan
from ledger.models import (
    CustomerInvoice,
    FiscalPeriod,
    InvoiceLine,
    InvoiceProposal,
    InvoiceReference,
    InvoiceTax,
    Voucher,
)

_Status = InvoiceProposal.Status


class Planned(NamedTuple):
    """A proposal that is ready to post."""

    facts: InvoiceFacts
    plan: InvoicePlan
    period: FiscalPeriod


def write_invoices(entity: LegalEntity, planned: list[Planned], *, by) -> list[CustomerInvoice]:
    """Write the plans of one entity, by invoice date, in the caller's transaction; returns the invoices.

    The number of statements does not depend on the number of plans. Slow parts come first, because others
    wait for a number until commit.
    """
    if not planned:
        return []
    plans = [each.plan for each in planned]
    invoices = [plan.invoice for plan in plans]
    for plan, key in zip(plans, draw_ids(CustomerInvoice, len(plans)), strict=True):
        plan.invoice.pk = key
        for row in (*plan.lines, *plan.taxes, *plan.references):
            row.invoice_id = key  # type: ignore[attr-defined]  # all of them have it
    # The invoices are written after they have their numbers; foreign keys are checked at commit.
    write_rows(InvoiceLine, joined.from_iterable(plan.lines for plan in plans))
    write_rows(InvoiceTax, joined.from_iterable(plan.taxes for plan in plans))
    write_rows(InvoiceReference, joined.from_iterable(plan.references for plan in plans))
    texts = [
        chain.texts_behind(plan.lines, plan.taxes, plan.references, facts.links) for facts, plan, _ in planned
    ]
    for each in planned:
        each.facts.proposal.status, each.facts.proposal.last_error = _Status.POSTED, None
    posted = InvoiceProposal.objects.filter(pk__in=[each.facts.proposal.pk for each in planned])
    posted.update(status=_Status.POSTED, last_error=None)

    booked = [_voucher(each) for each in planned]

    def complete():
        _number(entity, planned)
        for voucher, invoice, own_texts in zip(booked, invoices, texts, strict=True):
            voucher.text = f"{invoice.get_kind_display().capitalize()} {invoice.number}, {invoice.buyer_name}"
            voucher.claims_hash = chain.claims_of_numbered(invoice, own_texts)

    vouchers = write_vouchers(entity, booked, by=by, complete=complete)
    for invoice, voucher in zip(invoices, vouchers, strict=True):
        invoice.voucher = voucher
    write_rows(CustomerInvoice, invoices)
    wait_for_document(invoices)
    audit.record_each("ledger.post", map(_recorded, invoices), by=by, entity=entity.code)
    jobs.enqueue_each_on_commit(
        "draw_documents", [(invoice, {"invoice": invoice.pk}) for invoice in invoices]
    )
    return invoices


def _number(entity, planned):
    """Draw the numbers of invoices, then those of credit notes, if these have a sequence of their own."""
    by_sequence: dict[str, list[Planned]] = {}
    for each in planned:
        series = each.facts.series_of(each.plan.invoice.kind)
        assert series, "A check refuses an invoice without a number sequence."
        by_sequence.setdefault(series.sequence.kind, []).append(each)
    for kind in (NumberSequence.Kind.INVOICE, NumberSequence.Kind.CREDIT_NOTE):
        drawn_for = by_sequence.get(kind, [])
        days = [each.plan.invoice.invoice_date for each in drawn_for]
        for each, number in zip(drawn_for, draw_for(entity, kind, days) if days else [], strict=True):
            invoice, transaction = each.plan.invoice, each.plan.customer_transaction
            invoice.number, invoice.year, invoice.seq = number.text, number.year, number.seq
            invoice.sequence = number.sequence
            if invoice.kind != CustomerInvoice.Kind.CREDIT_NOTE:  # nobody pays one (DOC-5)
                reference = reference_of(entity, each.facts.customer, number.text)
                invoice.payment_reference_kind, invoice.payment_reference = reference
            transaction.document_number = number.text
            transaction.reference = invoice.payment_reference


def _voucher(each) -> VoucherPlan:
    """Its voucher; text and claims follow with the number."""
    _, plan, period = each
    invoice = plan.invoice
    return VoucherPlan(
        kind=Voucher.Kind.INVOICE,
        date=invoice.accounting_date,
        document_date=invoice.invoice_date,
        period=period,
        text=str(each.facts.proposal),
        entries=plan.entries,
        claims_hash="",
        customer_transactions=[plan.customer_transaction],
        project_transactions=plan.project_transactions,
    )


def _recorded(invoice) -> tuple[CustomerInvoice, dict]:
    return invoice, {
        "proposal": invoice.proposal_id,
        "voucher": invoice.voucher.number,
        "currency": invoice.currency,
        "total": invoice.total,
    }
