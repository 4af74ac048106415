"""Work that a journal posted without a tax group can be invoiced after the group is set."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from invoicing_site.floor.errors import Refused
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal, fill_lines, refill_lines
from ledger.journal.operations.journals import add_to_journals
from ledger.models import JournalLine
from proforma.models import LineDetail, ProformaInvoice
from proforma.operations import add_detail, edit_details
from proforma.warnings import warnings_of
from tests import factories
from tests.ledger.billing import (
    MARCH_10,
    MARCH_31,
    book_journals,
    confirmed,
    drafted,
    milestone,
    proposed,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
@factories.remembered
def contract(no1):
    """A contract without a billing tax group on customer, contract or project."""
    no1.customer.billing_tax_group = None
    no1.customer.save()
    return factories.contract(no1, confirmed=True)


def set_up_groups(no1):
    no1.customer.billing_tax_group = no1.billing_tax_group
    no1.customer.save()


def groups(proposal):
    return list(
        proposal.lines.order_by("number").values_list("billing_tax_group__code", "item_tax_group__code")
    )


def test_a_group_set_after_the_journal_is_used_when_lines_are_filled_in_again(no1, contract):
    """PRP-7 JRN-3 MON-8: the sentence names the solution, which works; 1,000 at 25 %."""
    proposal = proposed(no1, work(no1, contract))
    assert groups(proposal) == [(None, "SERVICES")]
    with pytest.raises(Refused) as refusal:
        post(proposal, by=no1.accountant, on=MARCH_31)
    assert refusal.value.code == "TAX-MISSING-REFILL"
    assert refusal.value.message == (
        "Line 1: There is no billing tax group, so the tax of Company NO1 can't be calculated. Choose one "
        "on the line. Or set it up for the project, the contract or the customer. After the set-up is "
        "changed, use “Fill lines again” on the page of the proposal."
    )

    set_up_groups(no1)
    refill_lines(proposal, by=no1.accountant)

    assert groups(proposal) == [("DOMESTIC", "SERVICES")]
    assert not proposal.lines.get().differs
    assert JournalLine.objects.get().billing_tax_group is None
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert (invoice.tax, invoice.total) == (250, 1250)


def test_a_group_set_before_lines_are_filled_in_is_used_at_once(no1, contract):
    """PRP-7 JRN-3"""
    proposal = create_proposal(confirmed(no1, work(no1, contract)))
    book_journals(no1)
    set_up_groups(no1)

    assert groups(fill_lines(proposal)) == [("DOMESTIC", "SERVICES")]


def test_the_group_of_the_journal_line_is_kept(no1):
    """PRP-7: only empty groups are looked up."""
    no1.time.item_tax_group = None
    no1.time.save()
    proposal = proposed(no1, work(no1, factories.contract(no1, confirmed=True)))
    assert groups(proposal) == [("DOMESTIC", None)]
    no1.customer.billing_tax_group = no1.books.billing_tax_groups["EXPORT"]
    no1.customer.save()
    no1.time.item_tax_group = no1.books.item_tax_groups["REDUCED"]
    no1.time.save()

    refill_lines(proposal, by=no1.accountant)

    assert groups(proposal) == [("DOMESTIC", "REDUCED")]


def test_the_item_group_of_materials_is_that_of_the_product(no1):
    """JRN-3"""
    no1.product.item_tax_group = None
    no1.product.save()
    contract = factories.contract(no1, confirmed=True)
    item = work(no1, contract, "1", "80", transaction_class="material", product=no1.product, category=None)
    proposal = proposed(no1, item)
    assert groups(proposal) == [("DOMESTIC", None)]
    no1.product.item_tax_group = no1.books.item_tax_groups["REDUCED"]
    no1.product.save()

    refill_lines(proposal, by=no1.accountant)

    assert groups(proposal) == [("DOMESTIC", "REDUCED")]


def test_a_milestone_gets_the_groups_of_the_entity_and_of_its_lines_project(no1):
    """JRN-3: it has no journal line, and the draft had no groups."""
    set_up_groups(no1)
    no1.entity.milestone_item_tax_group = None
    no1.entity.tax_group_source = "project"
    no1.entity.save()
    contract = factories.contract(no1, method="fixed", confirmed=True)
    proposal = proposed(no1, milestone(contract))
    assert groups(proposal) == [(None, None)]
    no1.entity.milestone_item_tax_group = no1.books.item_tax_groups["REDUCED"]
    no1.entity.save()
    no1.project.billing_tax_group = no1.books.billing_tax_groups["DOMESTIC"]
    no1.project.save()

    refill_lines(proposal, by=no1.accountant)

    assert groups(proposal) == [("DOMESTIC", "REDUCED")]
    # 5,000 at 15 %
    assert post(proposal, by=no1.accountant, on=MARCH_31).tax == Decimal(750)


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("project", "Or set it up for the project. "),
        ("contract", "Or set it up for the contract. "),
        ("customer", "Or set it up for the customer. "),
        ("search", "Or set it up for the project, the contract or the customer. "),
    ],
)
def test_the_advice_names_the_source_of_the_company(no1, contract, source, where):
    """MON-8 JRN-3"""
    no1.entity.tax_group_source = source
    no1.entity.save()
    proposal = proposed(no1, work(no1, contract))

    with pytest.raises(Refused) as refusal:
        post(proposal, by=no1.accountant, on=MARCH_31)

    assert where in refusal.value.message


def test_the_command_fills_in_lines_again(no1, contract, capsys):
    """PRP-7 PRP-2"""
    proposal = proposed(no1, work(no1, contract))
    set_up_groups(no1)

    call_command("propose", "--entity", "NO1", "--refill", proposal.number)

    assert capsys.readouterr().out.splitlines() == [
        "0 proposals created, 0 filled in.",
        f"Filled in again: {proposal.number}.",
    ]
    assert groups(proposal) == [("DOMESTIC", "SERVICES")]


def test_the_command_refuses_posted_and_unknown_proposals(no1):
    """PST-3"""
    proposal = proposed(no1, work(no1, factories.contract(no1, confirmed=True)))
    post(proposal, by=no1.accountant, on=MARCH_31)

    with pytest.raises(CommandError, match="is posted and can't be changed. Statuses that allow this: open"):
        call_command("propose", "--entity", "NO1", "--refill", proposal.number)
    with pytest.raises(CommandError, match="There is no invoice proposal “PF-1”"):
        call_command("propose", "--entity", "NO1", "--refill", "PF-1")


def test_missing_groups_take_as_many_queries_for_many_lines(
    no1, contract, django_assert_max_num_queries, django_assert_num_queries
):
    first, one = (create_proposal(confirmed(no1, work(no1, contract))) for _ in range(2))
    many = create_proposal(confirmed(no1, *(work(no1, contract) for _ in range(30))))
    book_journals(no1)
    fill_lines(first)  # only the very first one creates its counters
    with django_assert_max_num_queries(30) as queries:
        fill_lines(one)

    with django_assert_num_queries(len(queries)):
        fill_lines(many)


_ACCOUNTANT = "An accountant can choose it on the journal line or on the line of the invoice proposal."


def test_confirming_warns_of_work_without_a_category(client, no1):
    """JRN-3 TAX-MISSING: otherwise the draft has no warning, and its proposal can't be posted."""
    contract = factories.contract(no1, confirmed=True)
    draft = drafted(no1, work(no1, contract, category=None), work(no1, contract, category=None))
    assert list(map(str, warnings_of(draft))) == [
        f"2 details have no item tax group, and the invoice needs one. {_ACCOUNTANT}",
    ]
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert page.count("2 details have no item tax group") == 2, "on the page, and in the question"


def test_confirming_names_each_missing_group_and_its_solution(no1, contract):
    """JRN-3 TAX-MISSING: accountants fix work of a journal, managers fix work added by hand."""
    no1.time.item_tax_group = None
    no1.time.save()
    draft = drafted(no1, work(no1, contract))
    line = draft.contract.lines.get()
    byhand = {"quantity": Decimal(1), "price": Decimal(100), "date": MARCH_10, "contract_line": line}
    detail = add_detail(draft, by=no1.manager, transaction_class="time", **byhand)
    assert list(map(str, warnings_of(draft))) == [
        "2 details have no billing tax group, and the invoice needs one. An administrator can add it to the "
        "project, the contract or the customer. You can choose it with “Edit” on the detail. "
        f"{_ACCOUNTANT}",
        "2 details have no item tax group, and the invoice needs one. An administrator can add it to the "
        f"category. You can choose it with “Edit” on the detail. {_ACCOUNTANT}",
    ]
    edit_details([detail], by=no1.manager, item_tax_group=no1.item_tax_group)
    set_up_groups(no1)
    assert list(map(str, warnings_of(ProformaInvoice.objects.get(pk=draft.pk)))) == [
        "1 detail has no item tax group, and the invoice needs one. An administrator can add it to the "
        f"category. {_ACCOUNTANT}",
    ]


def test_work_that_is_not_printed_needs_no_group(no1):
    """JRN-3 PRO-3: work that has a group by now gets no warning either."""
    contract = factories.contract(no1, confirmed=True)
    given_away = work(no1, contract, category=None)
    draft = drafted(no1, work(no1, contract), given_away)
    assert len(warnings_of(draft)) == 1
    edit_details(
        LineDetail.objects.filter(backlog_item=given_away), by=no1.manager, billing_type="non_chargeable"
    )
    assert warnings_of(draft) == []


def test_a_journal_warns_of_sales_without_a_tax_group(client, no1):
    """JRN-2 JRN-3: costs need none, and there is no warning after a group was set."""
    contract = factories.contract(no1, confirmed=True)
    work(no1, contract), work(no1, contract, category=None)
    (journal,) = add_to_journals(no1.entity, on=MARCH_31, by=no1.accountant).journals
    client.force_login(no1.accountant)
    warning = "1 line of sales has no tax group, and an invoice needs one."

    page = client.get(journal.get_absolute_url()).content.decode()
    assert warning in page
    assert f'{journal.get_absolute_url()}?missing=invoiced">1</a>' in page
    (shown,) = client.get(journal.get_absolute_url(), {"missing": "invoiced"}).context["table"].rows
    assert shown.record.item_tax_group is None

    journal.lines.update(item_tax_group=no1.item_tax_group)
    assert warning not in client.get(journal.get_absolute_url()).content.decode()
