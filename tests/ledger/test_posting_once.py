"""Posting happens once, completely or not at all, and can't be changed (PST-1, PST-3, MON-7)."""

import datetime

import pytest
from django.db import IntegrityError, transaction

from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from ledger.books import chain
from ledger.invoicing.operations import writing
from ledger.invoicing.operations.posting import post, post_many
from ledger.models import CustomerInvoice, InvoiceProposal, LedgerEntry, Voucher
from proforma.models import DetailActual
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work
from tests.ledger.voucher_samples import balances_are_kept

pytestmark = pytest.mark.django_db

APRIL_1 = datetime.date(2025, 4, 1)


@factories.remembered
def posted(no1, *items, on=MARCH_31, proforma=None):
    return post(proposed(no1, *items, on=on, proforma=proforma), by=no1.accountant, on=on)


@pytest.mark.parametrize(
    "what", ["invoice", "line", "tax", "voucher", "entry", "customer", "project", "proposal"]
)
def test_posted_rows_cannot_be_changed_or_deleted(no1, contract, what):
    """PST-3"""
    invoice = posted(no1, work(no1, contract))
    row, column = {
        "invoice": (invoice, "buyer_name"),
        "line": (invoice.lines.get(), "description"),
        "tax": (invoice.taxes.get(), "name"),
        "voucher": (invoice.voucher, "text"),
        "entry": (invoice.voucher.entries.first(), "text"),
        "customer": (invoice.voucher.customer_transactions.get(), "reference"),
        "project": (invoice.voucher.project_transactions.first(), "kind"),
        "proposal": (invoice.proposal, "header_text"),
    }[what]
    rows = type(row).objects.filter(pk=row.pk)

    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        rows.update(**{column: "other"})
    with pytest.raises(IntegrityError), transaction.atomic():
        rows._raw_delete("default")


def test_the_hashes_can_be_calculated_again_from_the_rows(no1, contract):
    """PST-7"""
    posted(no1, work(no1, contract), work(no1, contract, "0.25", "33.48"))

    voucher = Voucher.objects.get(kind="invoice")
    invoice = voucher.invoice
    details = DetailActual.objects.filter(detail__line__proforma=invoice.proposal.proforma)
    claims = chain.claims_of_invoice(
        invoice, invoice.lines.all(), invoice.taxes.all(), invoice.references.all(), details
    )
    assert claims == voucher.claims_hash
    assert voucher.hash == chain.voucher_hash(
        voucher,
        voucher.entries.all(),
        voucher.customer_transactions.all(),
        voucher.project_transactions.all(),
    )
    invoice.buyer_name = "Somebody Else"
    assert claims != chain.claims_of_invoice(
        invoice, invoice.lines.all(), invoice.taxes.all(), invoice.references.all(), details
    )


def test_posting_again_is_refused_with_the_number_of_the_invoice(no1, contract):
    """PST-1"""
    proposal = proposed(no1, work(no1, contract))
    post(proposal, by=no1.accountant, on=MARCH_31)

    with pytest.raises(Refused, match="already posted as INV-2025-000001") as refused:
        post(proposal, by=no1.accountant, on=APRIL_1)

    assert refused.value.code == "ALREADY-POSTED"
    assert CustomerInvoice.objects.count() == 1


def test_for_a_job_a_posted_proposal_is_done(no1, contract):
    """PST-1"""
    proposal = proposed(no1, work(no1, contract))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    assert post_many([proposal], by=None, on=APRIL_1) == [(proposal, invoice)]
    assert InvoiceProposal.objects.get().last_error is None


def test_many_are_posted_by_date_and_a_refused_one_does_not_stop_the_others(no1, contract):
    """PST-1 MON-7: the third one is dated first; the second is dated in the future"""
    proposals = [proposed(no1, work(no1, contract)) for _ in range(3)]
    for proposal, day in zip(proposals, (None, "2199-01-01", "2025-03-20"), strict=True):
        proposal.invoice_date = day and datetime.date.fromisoformat(day)
        proposal.save()

    results = post_many(proposals, by=no1.accountant, on=MARCH_31)

    outcomes = {proposal.pk: outcome for proposal, outcome in results}
    first, second, third = (outcomes[proposal.pk] for proposal in proposals)
    assert (third.number, first.number) == ("INV-2025-000001", "INV-2025-000002")
    assert (second.code, third.invoice_date) == ("PERIOD-MISSING", datetime.date(2025, 3, 20))
    assert "1 Jan 2199" in InvoiceProposal.objects.get(pk=proposals[1].pk).last_error.sentence


def test_an_internal_error_does_not_stop_the_others(no1, contract, monkeypatch, caplog):
    """PST-1"""
    proposals = [proposed(no1, work(no1, contract)) for _ in range(2)]
    write = writing.write_vouchers

    def fail_for_the_first(*args, **kwargs):
        if InvoiceProposal.objects.filter(pk=proposals[0].pk, status="posted").exists():
            raise RuntimeError("disk full")
        return write(*args, **kwargs)

    monkeypatch.setattr(writing, "write_vouchers", fail_for_the_first)

    (_, first), (_, second) = post_many(proposals, by=no1.accountant, on=MARCH_31)

    assert (first.code, second.number) == ("POSTING-FAILED", "INV-2025-000001")
    assert "disk full" in caplog.text


def test_a_posting_that_fails_in_the_middle_leaves_no_gap_and_no_rows(no1, contract, monkeypatch):
    """MON-7 PST-1: the number was drawn already."""
    first, second, third = (proposed(no1, work(no1, contract)) for _ in range(3))
    post(first, by=no1.accountant, on=MARCH_31)
    before = LedgerEntry.objects.count(), AuditEvent.objects.count(), Voucher.objects.count()

    def fail(*args, **kwargs):
        raise RuntimeError("the voucher cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_vouchers", fail)
        with pytest.raises(RuntimeError):
            post(second, by=no1.accountant, on=MARCH_31)

    assert (LedgerEntry.objects.count(), AuditEvent.objects.count(), Voucher.objects.count()) == before
    assert InvoiceProposal.objects.get(pk=second.pk).status == "open"
    assert post(third, by=no1.accountant, on=MARCH_31).number == "INV-2025-000002"
    assert post(second, by=no1.accountant, on=MARCH_31).number == "INV-2025-000003"
    numbers = Voucher.objects.order_by("position").values_list("number", flat=True)
    assert list(numbers) == [f"V-2025-{n:07}" for n in range(1, 7)]
    assert balances_are_kept()


def test_the_accounting_date_can_be_another_day_in_an_open_period(no1, contract):
    """PRP-8"""
    proposal = proposed(no1, work(no1, contract))
    proposal.accounting_date = datetime.date(2025, 2, 28)
    proposal.save()

    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    assert (invoice.invoice_date, invoice.accounting_date) == (MARCH_31, datetime.date(2025, 2, 28))
    assert (invoice.voucher.date, invoice.voucher.document_date) == (datetime.date(2025, 2, 28), MARCH_31)
    assert invoice.due_date == datetime.date(2025, 4, 30)


def test_the_user_who_confirmed_cannot_post_if_two_people_are_required(no1, contract):
    """SEC-2"""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(separate_confirm_and_post=True)
    proposal = proposed(no1, work(no1, contract))

    with pytest.raises(Refused, match="somebody else has to post") as refused:
        post(proposal, by=no1.manager, on=MARCH_31)
    assert refused.value.code == "CONFIRMED-BY-YOU"

    assert post(proposal, by=no1.accountant, on=MARCH_31).number == "INV-2025-000001"


def test_the_user_who_posted_is_recorded(no1, contract):
    """SEC-3"""
    invoice = posted(no1, work(no1, contract))

    event = AuditEvent.objects.get(action="ledger.post")
    assert (event.by, event.entity, event.subject_id) == (no1.accountant, "NO1", str(invoice.pk))
    assert event.detail["total"] == "1250.0000"


def test_documents_are_requested_after_commit(no1, contract, monkeypatch, django_capture_on_commit_callbacks):
    """PST-1"""
    asked = []
    monkeypatch.setattr("ledger.document.operations.draw", asked.append)
    proposal = proposed(no1, work(no1, contract))

    with django_capture_on_commit_callbacks(execute=True):
        invoice = post(proposal, by=no1.accountant, on=MARCH_31)
        assert asked == []

    assert asked == [invoice]


@pytest.mark.parametrize("count", [2, 30])
def test_posting_takes_as_many_queries_for_many_lines_as_for_one(
    no1, contract, count, django_assert_max_num_queries, django_assert_num_queries
):
    first, one = (proposed(no1, work(no1, contract)) for _ in range(2))
    many = proposed(no1, *(work(no1, contract, "1") for _ in range(count)))
    post(first, by=no1.accountant, on=MARCH_31)  # only the very first one creates its counters
    with django_assert_max_num_queries(75) as queries:
        post(one, by=no1.accountant, on=MARCH_31)

    with django_assert_num_queries(len(queries)):
        post(many, by=no1.accountant, on=MARCH_31)
