"""Proposals: created, filled in, edited."""

import datetime
from decimal import Decimal

import pytest

from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from ledger import tasks
from ledger.invoicing.blockers import blocked_by
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.operations import proposals
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import (
    SectionFormat,
    create_proposal,
    create_proposals,
    edit_header,
    edit_lines,
    fill_lines,
    fill_unblocked,
    format_sections,
    refill_lines,
)
from ledger.journal.operations import journals
from ledger.models import Dimension, IntegrationJournal, InvoiceProposal, JournalLine, ProposalLine
from ledger.setup.dimensions import dimension_set
from proforma import operations as proformas
from tests import factories
from tests.ledger.billing import (
    MARCH_10,
    MARCH_31,
    book_journals,
    confirmed,
    drafted,
    edited,
    milestone,
    proposed,
    work,
)

pytestmark = pytest.mark.django_db

APRIL_1 = datetime.date(2025, 4, 1)


def amounts(proposal):
    return [line.amount for line in proposal.lines.order_by("number")]


# Created and filled in


def test_a_confirmed_proforma_becomes_a_proposal_with_its_number(no1, contract):
    """PRP-1"""
    proforma = confirmed(no1, work(no1, contract))

    proposal = create_proposal(proforma)

    assert (proposal.number, proposal.proforma, proposal.status) == (proforma.number, proforma, "blocked")
    assert proposal.delivery == no1.customer.delivery


def test_a_proposal_is_created_once(no1, contract):
    """PRO-7"""
    proforma = confirmed(no1, work(no1, contract))

    first, second = create_proposal(proforma), create_proposal(proforma)

    assert first == second
    assert create_proposals(no1.entity) == []
    assert AuditEvent.objects.filter(action="ledger.create_proposal").count() == 1


def test_a_draft_gets_no_proposal(no1, contract):
    """PRP-1"""
    with pytest.raises(Refused, match="is not confirmed yet"):
        create_proposal(drafted(no1, work(no1, contract)))


def test_the_job_after_confirming_creates_it_at_once(no1, contract, django_capture_on_commit_callbacks):
    """PRO-7: without a button."""
    draft = drafted(no1, work(no1, contract))

    with django_capture_on_commit_callbacks(execute=True):
        proformas.confirm(draft, by=no1.manager, on=MARCH_31)

    assert InvoiceProposal.objects.get().proforma == draft


def test_a_sweep_creates_a_proposal_whose_message_was_lost(no1, contract):
    """PRO-7 PRP-1: and fills it in once the journal is posted."""
    confirmed(no1, work(no1, contract))

    tasks.sweep()
    assert InvoiceProposal.objects.get().status == "blocked"

    book_journals(no1)
    tasks.sweep()
    proposal = InvoiceProposal.objects.get()
    assert (proposal.status, amounts(proposal)) == ("open", [1000])


def test_a_failure_does_not_stop_the_sweep(no1, contract, monkeypatch, caplog):
    """RUN-2, the same for proposals."""
    first, second = confirmed(no1, work(no1, contract)), confirmed(no1, work(no1, contract))
    write = proposals.write_rows

    def fail_for_the_first(model, rows):
        if any(row.proforma == first for row in rows):
            raise RuntimeError("no room")
        return write(model, rows)

    monkeypatch.setattr(proposals, "write_rows", fail_for_the_first)

    assert [proposal.proforma for proposal in create_proposals(no1.entity)] == [second]
    assert "no room" in caplog.text


def test_it_names_the_journal_that_blocks_it(no1, contract):
    """PRP-1"""
    proposal = create_proposal(confirmed(no1, work(no1, contract), work(no1, contract)))
    assert (len(blocked_by(proposal).left_out), blocked_by(proposal).journals) == (2, [])
    assert "2 actuals" in blocked_by(proposal).reason.sentence

    journals.add_to_journals(no1.entity, on=MARCH_31, by=no1.accountant)
    (journal,) = IntegrationJournal.objects.all()
    assert (blocked_by(proposal).journals, blocked_by(proposal).left_out) == ([journal], [])
    with pytest.raises(Refused, match=f"waits for journal {journal.number} to be posted") as refused:
        fill_lines(proposal)
    assert refused.value.code == "PROPOSAL-BLOCKED"
    with pytest.raises(Refused, match=journal.number):
        post(proposal, by=no1.accountant, on=MARCH_31)

    journals.post_journal(journal, by=no1.accountant, on=MARCH_31)
    assert not blocked_by(proposal)
    assert [p.status for p in fill_unblocked(no1.entity)] == ["open"]


def test_one_unposted_original_among_many_blocks_it(no1, contract):
    """PRP-1: every billed original counts."""
    first = work(no1, contract)
    book_journals(no1)
    proposal = create_proposal(confirmed(no1, first, work(no1, contract)))

    assert proposal.status == "blocked"
    assert fill_unblocked(no1.entity) == []


def test_milestones_wait_for_no_journal(no1):
    """PRP-1"""
    contract = factories.contract(no1, method="fixed", confirmed=True)

    proposal = create_proposal(confirmed(no1, milestone(contract)))

    assert (proposal.status, amounts(proposal)) == ("open", [5000])


def test_filling_in_again_changes_nothing(no1, contract):
    """PRP-1"""
    proposal = proposed(no1, work(no1, contract))
    lines = list(proposal.lines.all())

    assert fill_lines(proposal).status == "open"
    assert list(proposal.lines.all()) == lines


def test_lines_have_the_billed_amounts(no1, contract):
    """PRP-1 MON-2: complimentary work at 0, no non-chargeable work, lowered work at the billed amount."""
    items = [work(no1, contract, hours) for hours in ("1", "2", "3", "4")]
    proforma = drafted(no1, *items)
    edited(no1, proforma, items[1], billing_type="complimentary")
    edited(no1, proforma, items[2], billing_type="non_chargeable")
    edited(no1, proforma, items[3], quantity=Decimal("2.5"))
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    proposal = proposed(no1, proforma=proforma)

    assert amounts(proposal) == [100, 0, 250]


def test_lines_have_the_tax_groups_of_the_posted_journal_lines(no1, contract):
    """PRP-7: a difference from the draft is flagged."""
    same, other = work(no1, contract), work(no1, contract)
    journals.add_to_journals(no1.entity, on=MARCH_31, by=no1.accountant)
    journals.edit_journal_lines(
        JournalLine.objects.filter(actual=other.actual),
        by=no1.accountant,
        billing_tax_group=no1.books.billing_tax_groups["EXPORT"],
    )
    proposal = proposed(no1, same, other)

    lines = proposal.lines.order_by("number")
    assert [(line.billing_tax_group.code, line.differs) for line in lines] == [
        ("DOMESTIC", False),
        ("EXPORT", True),
    ]


def test_lines_have_the_dimensions_of_the_posted_journal_lines(no1, contract):
    """PRP-7: those of the project when the line was added to a journal, not those of today."""
    department = Dimension.objects.create(entity=no1.entity, code="DEP", name="Department")
    north, south = (department.values.create(code=code, name=code) for code in ("N", "S"))
    default = no1.project.default_dimensions.create(dimension=department, value=north)
    item = work(no1, contract)
    book_journals(no1)
    default.value = south
    default.save()

    proposal = proposed(no1, item)

    assert proposal.lines.get().dimensions == dimension_set(no1.entity, [north])
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    revenue = invoice.voucher.entries.get(account__number="3000")
    assert revenue.dimensions == dimension_set(no1.entity, [north])


def test_milestones_have_the_dimensions_of_their_contract_line(no1):
    """JRN-3"""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    department = Dimension.objects.create(entity=no1.entity, code="DEP", name="Department")
    north = department.values.create(code="N", name="North")
    contract.lines.get().default_dimensions.create(dimension=department, value=north)

    proposal = proposed(no1, milestone(contract))

    assert proposal.lines.get().dimensions == dimension_set(no1.entity, [north])


@pytest.mark.parametrize("count", [2, 30])
def test_filling_in_takes_as_many_queries_for_many_lines_as_for_one(
    no1, contract, count, django_assert_max_num_queries, django_assert_num_queries
):
    first, one = (create_proposal(confirmed(no1, work(no1, contract))) for _ in range(2))
    many = create_proposal(confirmed(no1, *(work(no1, contract) for _ in range(count))))
    book_journals(no1)
    fill_lines(first)  # only the very first one creates its counters
    with django_assert_max_num_queries(30) as queries:
        fill_lines(one)

    with django_assert_num_queries(len(queries)):
        fill_lines(many)


@pytest.mark.parametrize("count", [3, 8])
def test_creating_takes_as_many_queries_for_many_proposals_as_for_two(
    no1, contract, count, django_assert_max_num_queries, django_assert_num_queries
):
    """PRP-1: created and filled in by the same statements."""

    def confirm_some(number):
        items = [work(no1, contract) for _ in range(number)]
        book_journals(no1)
        for item in items:
            confirmed(no1, item)

    confirm_some(1)
    create_proposals(no1.entity)  # only the very first one creates its counters
    confirm_some(2)
    with django_assert_max_num_queries(40) as queries:
        create_proposals(no1.entity)
    confirm_some(count)

    with django_assert_num_queries(len(queries)):
        created = create_proposals(no1.entity)

    assert [(row.status, amounts(row)) for row in created] == [("open", [1000])] * count


def test_some_of_a_group_wait_for_a_journal(no1, contract):
    """PRP-1: they are created and filled in later; work without a journal has no lines until then."""
    ready = work(no1, contract)
    book_journals(no1)
    confirmed(no1, ready)
    confirmed(no1, work(no1, contract))

    first, second = create_proposals(no1.entity)

    assert (first.status, second.status) == ("open", "blocked")
    assert (amounts(first), amounts(second)) == ([1000], [])
    book_journals(no1)
    assert fill_unblocked(no1.entity) == [second]
    assert [event.detail["lines"] for event in AuditEvent.objects.filter(action="ledger.fill_lines")] == [
        1,
        1,
    ]


# The header


def test_the_header_is_edited_and_the_old_values_are_recorded(no1, contract):
    """PRP-2 SEC-3"""
    proposal = proposed(no1, work(no1, contract))

    edit_header(proposal, by=no1.accountant, delivery="both", footer_text="Thank you.")

    proposal.refresh_from_db()
    assert (proposal.delivery, proposal.footer_text) == ("both", "Thank you.")
    event = AuditEvent.objects.get(action="ledger.edit_proposal")
    assert (event.detail["before"]["delivery"], event.detail["after"]["delivery"]) == ("mail", "both")


def test_a_new_invoice_date_recalculates_the_due_date(no1, contract):
    """PRP-2 PRP-9: 30 days net, overridden, then dated again."""
    proposal = proposed(no1, work(no1, contract))
    assert InvoiceFacts.load(proposal, on=MARCH_31).due_date == datetime.date(2025, 4, 30)

    proposal = edit_header(proposal, by=no1.accountant, due_date=datetime.date(2025, 4, 10))
    assert InvoiceFacts.load(proposal, on=MARCH_31).due_date == datetime.date(2025, 4, 10)

    proposal = edit_header(proposal, by=no1.accountant, invoice_date=datetime.date(2025, 3, 20))
    assert proposal.due_date is None
    assert InvoiceFacts.load(proposal, on=MARCH_31).due_date == datetime.date(2025, 4, 19)

    proposal = edit_header(
        proposal, by=no1.accountant, invoice_date=MARCH_31, due_date=datetime.date(2025, 5, 31)
    )
    invoice = post(proposal, by=no1.accountant, on=APRIL_1)
    assert (invoice.invoice_date, invoice.due_date) == (MARCH_31, datetime.date(2025, 5, 31))


def test_the_terms_of_the_proforma_replace_those_of_the_customer(no1):
    """PRP-9 CON-9"""
    contract = factories.contract(no1, confirmed=True)
    share = contract.customers.get()
    share.payment_term = factories.PaymentTermFactory(entity=no1.entity, method="eom", days=15)
    share.save()

    proposal = proposed(no1, work(no1, contract))

    assert InvoiceFacts.load(proposal, on=MARCH_31).due_date == datetime.date(2025, 4, 15)


def test_the_due_date_cannot_be_before_the_invoice_date(no1, contract):
    """PRP-2"""
    proposal = proposed(no1, work(no1, contract))

    with pytest.raises(Refused, match="The due date 30 Mar 2025 is before") as refusal:
        edit_header(proposal, by=no1.accountant, invoice_date=MARCH_31, due_date=datetime.date(2025, 3, 30))
    assert refusal.value.code == "DUE-DATE"


def test_the_headers_dimensions_are_used_when_lines_are_filled_in_again(no1, contract):
    """PRP-2: all lines are deleted and created again."""
    department = Dimension.objects.create(entity=no1.entity, code="DEP", name="Department")
    chosen = dimension_set(no1.entity, [department.values.create(code="N", name="North")])
    proposal = proposed(no1, work(no1, contract))
    edit_header(proposal, by=no1.accountant, dimensions=chosen)
    assert proposal.lines.get().dimensions is None

    refill_lines(proposal, by=no1.accountant)

    assert proposal.lines.get().dimensions == chosen
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert {entry.dimensions for entry in invoice.voucher.entries.all()} == {chosen}


def test_a_posted_proposal_cannot_be_edited(no1, contract):
    """PST-3"""
    proposal = proposed(no1, work(no1, contract))
    line = proposal.lines.get()
    post(proposal, by=no1.accountant, on=MARCH_31)

    for edit in (
        lambda: edit_header(proposal, by=no1.accountant, footer_text="Late"),
        lambda: edit_lines([line], by=no1.accountant, item_tax_group=None),
        lambda: format_sections(proposal, [SectionFormat([line])], by=no1.accountant),
        lambda: refill_lines(proposal, by=no1.accountant),
    ):
        with pytest.raises(Refused) as refused:
            edit()
        assert refused.value.code == "NOT-ALLOWED-NOW"


def test_tax_groups_of_lines_are_edited_in_bulk(no1, contract):
    """PRP-2: amounts do not change."""
    proposal = proposed(no1, *(work(no1, contract) for _ in range(3)))
    first, second, _ = proposal.lines.order_by("number")

    edit_lines([first, second], by=no1.accountant, item_tax_group=no1.books.item_tax_groups["REDUCED"])

    lines = proposal.lines.order_by("number")
    assert [line.item_tax_group.code for line in lines] == ["REDUCED", "REDUCED", "SERVICES"]
    assert [line.differs for line in lines] == [True, True, False]
    # 2 × 1,000 at 15 %, 1,000 at 25 %
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert (invoice.net, invoice.tax) == (3000, 550)


def test_lines_have_the_dates_of_the_work(no1, contract):
    """PRP-1: by contract line, then by day"""
    late, early = work(no1, contract), work(no1, contract, date=datetime.date(2025, 3, 3))
    proposal = proposed(no1, late, early)

    lines = ProposalLine.objects.filter(proposal=proposal).order_by("number").select_related("detail")
    assert [line.detail.date for line in lines] == [datetime.date(2025, 3, 3), MARCH_10]


def test_records_of_another_company_are_refused(no1, contract):
    """PRP-2 SEC-1: dimensions and tax groups."""
    stranger = factories.company(code="SE1")
    department = Dimension.objects.create(entity=stranger.entity, code="DEP", name="Department")
    theirs = dimension_set(stranger.entity, [department.values.create(code="N", name="North")])
    proposal = proposed(no1, work(no1, contract))
    with pytest.raises(Refused, match="belongs to another legal entity"):
        edit_header(proposal, by=no1.accountant, dimensions=theirs)
    with pytest.raises(Refused, match="belongs to another legal entity"):
        edit_lines(proposal.lines.all(), by=no1.accountant, item_tax_group=stranger.item_tax_group)


def test_a_text_that_databases_cannot_store_is_refused(no1, contract):
    """PRP-2"""
    proposal = proposed(no1, work(no1, contract))
    with pytest.raises(Refused, match="U\\+0000"):
        edit_header(proposal, by=no1.accountant, footer_text="a\0b")
