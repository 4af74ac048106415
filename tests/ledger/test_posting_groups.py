"""Many proposals are posted in one transaction, each as if it were alone (PST-1, MON-7)."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contracts.models import SequenceCounter
from contracts.operations.numbers import draw_for
from invoicing_site.floor import jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent, Job
from invoicing_site.verify import findings
from ledger.invoicing import groups
from ledger.invoicing.operations import posting, writing
from ledger.invoicing.operations.posting import look_at_all, post, post_all
from ledger.invoicing.operations.proposals import create_proposal
from ledger.models import CustomerInvoice, FiscalPeriod, InvoiceProposal, Voucher
from tests import factories
from tests.ledger.billing import MARCH_31, accrue, proposed, work
from tests.ledger.test_posting_corrections import correction, details_of

pytestmark = pytest.mark.django_db

MARCH_20 = datetime.date(2025, 3, 20)


@pytest.fixture
def together(monkeypatch):
    """The groups that are posted, by the numbers of their proposals."""
    written, write = [], posting.write_invoices

    def noting(entity, planned, *, by):
        written.append([each.facts.proposal.number for each in planned])
        return write(entity, planned, by=by)

    monkeypatch.setattr(posting, "write_invoices", noting)
    return written


def several(no1, contract, count):
    return [proposed(no1, work(no1, contract)) for _ in range(count)]


def posted(outcomes):
    return [outcome.invoice.number if outcome.invoice else outcome.refusal.code for outcome in outcomes]


def test_a_refused_one_leaves_the_group_and_the_others_are_posted_together(no1, contract, together):
    """PST-1 MON-7: the second of three is refused; no number is lost."""
    proposals = several(no1, contract, 3)
    InvoiceProposal.objects.filter(pk=proposals[1].pk).update(
        invoice_date="2199-01-01", accounting_date=MARCH_31
    )
    proposals = list(InvoiceProposal.objects.order_by("pk"))

    outcomes = post_all(proposals, by=no1.accountant, on=MARCH_31)

    by_number = {outcome.proposal.number: outcome for outcome in outcomes}
    first, second, third = (by_number[proposal.number] for proposal in proposals)
    assert posted([first, second, third]) == ["INV-2025-000001", "FUTURE-DATE", "INV-2025-000002"]
    assert together == [[proposals[0].number, proposals[2].number]]
    assert InvoiceProposal.objects.get(pk=proposals[1].pk).last_error.code == "FUTURE-DATE"
    assert (first.found, third.found) == ([], [])
    assert findings(no1.entity) == []


def test_the_period_is_judged_for_each(no1, contract, together):
    """PST-6: one is booked in a closed period, one on a day without a period."""
    proposals = several(no1, contract, 3)
    for proposal, day in zip(proposals, (None, "2025-02-28", "2199-01-01"), strict=True):
        InvoiceProposal.objects.filter(pk=proposal.pk).update(accounting_date=day)
    FiscalPeriod.objects.filter(entity=no1.entity, ends="2025-02-28").update(status="closed")

    outcomes = post_all(InvoiceProposal.objects.order_by("pk"), by=no1.accountant, on=MARCH_31)

    assert posted(outcomes) == ["INV-2025-000001", "PERIOD-CLOSED", "PERIOD-MISSING"]
    assert together == [[proposals[0].number]]


def test_an_error_of_the_database_makes_it_post_one_by_one(no1, contract, together, monkeypatch, caplog):
    """PST-1: the group is rolled back; the one with the error is not posted, and no number is lost."""
    proposals = several(no1, contract, 3)
    write = writing.write_vouchers

    def fail_for_the_second(entity, plans, **options):
        vouchers = write(entity, plans, **options)
        if InvoiceProposal.objects.filter(pk=proposals[1].pk, status="posted").exists():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM no_such_table")
        return vouchers

    monkeypatch.setattr(writing, "write_vouchers", fail_for_the_second)
    outcomes = post_all(proposals, by=no1.accountant, on=MARCH_31)

    numbers = [proposal.number for proposal in proposals]
    assert posted(outcomes) == ["INV-2025-000001", "POSTING-FAILED", "INV-2025-000002"]
    assert together == [numbers, *([number] for number in numbers)]
    assert InvoiceProposal.objects.get(pk=proposals[1].pk).status == "open"
    assert AuditEvent.objects.filter(action="ledger.post").count() == 2
    assert Job.objects.filter(kind="draw_documents").count() == 2
    assert "posted one by one" in caplog.text
    assert findings(no1.entity) == []


def test_numbers_have_no_gap_and_rise_with_the_date(no1, contract, together):
    """MON-7 PRP-8: three dates and a credit note in one group; both counters keep the latest date."""
    proposals = several(no1, contract, 4)
    credit = proposed(no1, work(no1, contract, "-2"))
    days = [MARCH_31, MARCH_20, datetime.date(2025, 3, 25), MARCH_20]
    for proposal, day in zip(proposals, days, strict=True):
        InvoiceProposal.objects.filter(pk=proposal.pk).update(invoice_date=day)
    InvoiceProposal.objects.filter(pk=credit.pk).update(invoice_date=datetime.date(2025, 3, 26))

    outcomes = post_all(InvoiceProposal.objects.order_by("pk"), by=no1.accountant, on=MARCH_31)

    order = [proposals[1], proposals[3], proposals[2], credit, proposals[0]]
    assert [outcome.proposal for outcome in outcomes] == order
    assert together == [[proposal.number for proposal in order]]
    invoices = [outcome.invoice for outcome in outcomes]
    assert [invoice.number for invoice in invoices] == [
        "INV-2025-000001",
        "INV-2025-000002",
        "INV-2025-000003",
        "CN-2025-000001",
        "INV-2025-000004",
    ]
    assert [invoice.voucher.position for invoice in invoices] == [6, 7, 8, 9, 10]
    counters = SequenceCounter.objects.filter(sequence__kind__in=["invoice", "credit_note"])
    assert list(counters.order_by("-last").values_list("last", "last_date")) == [
        (4, MARCH_31),
        (1, datetime.date(2025, 3, 26)),
    ]
    assert findings(no1.entity) == []


def test_each_date_counts_when_numbers_are_drawn(no1):
    """MON-7: of the dates of a group the last one is kept, and none may be before the one before it."""
    days = [MARCH_20, MARCH_20, MARCH_31]

    numbers = draw_for(no1.entity, "invoice", days)

    assert [number.seq for number in numbers] == [1, 2, 3]
    assert SequenceCounter.objects.get(sequence=no1.books.sequences["invoice"]).last_date == MARCH_31
    with pytest.raises(Refused) as refused:
        draw_for(no1.entity, "invoice", [MARCH_31, MARCH_20])
    assert refused.value.code == "NUM-ORDER"


def test_a_group_is_what_was_posted_one_by_one(no1, contract):
    """PST-1 PST-10: entries, subledgers, totals and hashes are the same in either way."""
    accrue(no1, contract)
    alone, *twins = (
        proposed(no1, work(no1, contract), work(no1, contract, "0.25", "33.48")) for _ in range(3)
    )
    alone = post(alone, by=no1.accountant, on=MARCH_31)

    outcomes = post_all(twins, by=no1.accountant, on=MARCH_31)

    def content(invoice):
        columns = ("account", "debit", "credit", "accounting_debit", "accounting_credit", "tax_base")
        entries = invoice.voucher.entries.order_by("number").values_list(*columns)
        rows = invoice.voucher.project_transactions.order_by("kind", "amount").values_list("kind", "amount")
        return list(entries), list(rows), list(invoice.lines.values_list("net", "tax")), invoice.total

    assert alone.total == Decimal("1260.46")
    assert [content(outcome.invoice) for outcome in outcomes] == [content(alone)] * 2
    assert findings(no1.entity) == []


@pytest.mark.parametrize("count", [3, 8])
def test_a_group_asks_as_many_queries_for_many_as_for_two(no1, contract, count, monkeypatch):
    """PST-1: the number of statements does not grow with the number of proposals."""
    monkeypatch.setattr(jobs, "_send", lambda job: None)
    accrue(no1, contract)
    several(no1, contract, 1 + 2 + count)
    first, *rest = InvoiceProposal.objects.order_by("pk")
    post(first, by=no1.accountant, on=MARCH_31)  # only the first one of all has to make its counters
    with CaptureQueriesContext(connection) as few:
        post_all(rest[:2], by=no1.accountant, on=MARCH_31)

    with CaptureQueriesContext(connection) as many:
        outcomes = post_all(rest[2:], by=no1.accountant, on=MARCH_31)

    assert len([outcome for outcome in outcomes if outcome.invoice]) == count
    assert len(many) == len(few) <= 80


def test_a_group_ends_at_its_size_and_where_the_company_changes(no1, contract, monkeypatch):
    """PST-1"""
    other = factories.company(code="SE1")
    proposals = several(no1, contract, 3)
    proposals.insert(1, proposed(other, work(other, factories.contract(other, confirmed=True))))
    proposals.append(proposed(no1, work(no1, contract), work(no1, contract)))
    monkeypatch.setattr(groups, "MOST", 3)

    found = [[proposals.index(proposal) for proposal in group] for group in groups.grouped(proposals)]

    assert found == [[0, 2, 3], [4], [1]]


def test_a_correction_is_posted_after_what_it_corrects(no1, contract, together):
    """COR-1: it is a group of its own, as it needs the posted invoice."""
    original = proposed(no1, work(no1, contract))
    credit = create_proposal(correction(no1, original.proforma, {details_of(original)[0]: Decimal(0)}))
    later = proposed(no1, work(no1, contract))

    outcomes = post_all([original, credit, later], by=no1.accountant, on=MARCH_31)

    assert [outcome.invoice.total for outcome in outcomes] == [1250, -1250, 1250]
    assert together == [[original.number], [credit.number], [later.number]]


def test_looking_at_many_finds_what_posting_would_find(no1, contract):
    """PRP-5: nothing is posted or stored."""
    proposals = several(no1, contract, 3)
    post(proposals[0], by=no1.accountant, on=MARCH_31)
    InvoiceProposal.objects.filter(pk=proposals[1].pk).update(due_date="2025-03-01")

    first, second, third = look_at_all(InvoiceProposal.objects.order_by("pk"), by=no1.accountant, on=MARCH_31)

    assert (first.was_posted_already, first.invoice.number) == (True, "INV-2025-000001")
    assert (second.refusal.code, third.refusal, third.plan.invoice.total) == ("DUE-DATE", None, 1250)
    assert (CustomerInvoice.objects.count(), Voucher.objects.filter(kind="invoice").count()) == (1, 1)
