"""Editing the lines of integration journals before they are posted."""

import pytest

from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from ledger.books.periods import period_of
from ledger.closing.operations import close_period
from ledger.journal.operations.journals import edit_journal_lines
from ledger.models import JournalLine
from tests.factories import BillingTaxGroupFactory, ItemTaxGroupFactory, LegalEntityFactory, contract
from tests.ledger.journal_samples import (
    APRIL_10,
    DAY,
    add_all,
    add_and_post,
    cost,
    reversed_on,
    unbilled,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


def test_lines_are_edited_in_bulk(no1, line):
    """JRN-2"""
    first, second = cost(no1, line), unbilled(no1, line)
    add_all(no1)
    group = BillingTaxGroupFactory(entity=no1.entity, code="EU")
    item = ItemTaxGroupFactory(entity=no1.entity, code="REDUCED")
    changed = edit_journal_lines(
        JournalLine.objects.all(),
        by=no1.accountant,
        billing_tax_group=group,
        item_tax_group=item,
        accounting_date=APRIL_10,
    )

    assert [
        (row.actual, row.billing_tax_group, row.item_tax_group, row.accounting_date) for row in changed
    ] == [(first, group, item, APRIL_10), (second, group, item, APRIL_10)]
    event = AuditEvent.objects.get(action="ledger.edit_journal_lines")
    assert event.by == no1.accountant
    assert event.detail["fields"] == ["billing_tax_group", "item_tax_group", "accounting_date"]
    assert event.detail["before"][0] == [changed[0].pk, None, no1.item_tax_group.pk, "2025-03-10"]
    assert event.detail["after"] == [group.pk, item.pk, "2025-04-10"]


def test_values_that_are_not_given_do_not_change(no1, line):
    """JRN-2"""
    actual = unbilled(no1, line)
    add_all(no1)
    reduced = ItemTaxGroupFactory(entity=no1.entity, code="REDUCED")
    edit_journal_lines([actual.journal_line], by=None, item_tax_group=reduced)

    row = JournalLine.objects.get()
    assert (row.item_tax_group, row.billing_tax_group) == (reduced, no1.billing_tax_group)
    assert (row.accounting_date, row.accounting_amount) == (DAY, 1600)


@pytest.mark.parametrize("field", ["billing_tax_group", "item_tax_group"])
def test_the_tax_group_of_a_sale_cannot_be_cleared(no1, line, field):
    """JRN-2 PRP-7: the invoice would use the default group instead."""
    paid, charged = cost(no1, line), unbilled(no1, line)
    add_all(no1)
    before = getattr(charged.journal_line, field)

    with pytest.raises(Refused, match="1 line is a sale, which is invoiced") as refusal:
        edit_journal_lines(JournalLine.objects.all(), by=None, **{field: None})
    assert (refusal.value.code, refusal.value.params) == ("LINES-ARE-SALES", {"count": 1})
    assert getattr(JournalLine.objects.get(actual=charged), field) == before is not None

    (changed,) = edit_journal_lines([paid.journal_line], by=None, **{field: None})
    assert getattr(changed, field) is None


@pytest.mark.parametrize("field", ["billing_tax_group", "item_tax_group"])
def test_the_tax_group_of_the_reversal_of_a_sale_can_be_cleared(no1, line, field):
    """JRN-2 PRP-7: no invoice uses its groups."""
    reversal = reversed_on(unbilled(no1, line), DAY)
    add_all(no1)

    (changed,) = edit_journal_lines([JournalLine.objects.get(actual=reversal)], by=None, **{field: None})
    assert getattr(changed, field) is None


def test_editing_clears_the_error(no1, line):
    """JRN-2, JRN-4: posting checks the line again."""
    close_period(period_of(no1.entity, DAY), by=None)
    actual = cost(no1, line)
    add_and_post(no1)
    assert JournalLine.objects.get().error.code == "PERIOD-CLOSED"

    (changed,) = edit_journal_lines([actual.journal_line], by=None, accounting_date=APRIL_10)
    assert (changed.error, changed.journal.status) == (None, "error")


def test_a_line_cannot_be_moved_into_a_closed_period(no1, line):
    """JRN-2"""
    actual = cost(no1, line)
    add_all(no1)
    close_period(period_of(no1.entity, APRIL_10), by=None)

    with pytest.raises(Refused, match=r"April 2025 of .* is closed") as refusal:
        edit_journal_lines([actual.journal_line], by=None, accounting_date=APRIL_10)
    assert refusal.value.code == "PERIOD-CLOSED"


def test_the_lines_of_a_posted_journal_cannot_change(no1, line):
    """JRN-2, PST-3"""
    cost(no1, line)
    add_and_post(no1)

    with pytest.raises(Refused) as refusal:
        edit_journal_lines(JournalLine.objects.all(), by=None, accounting_date=APRIL_10)
    assert refusal.value.code == "JOURNAL-FIXED"


def test_a_reversal_has_the_dimensions_of_its_original(no1, line):
    """JRN-7"""
    reversed_on(cost(no1, line), DAY)
    add_all(no1)

    with pytest.raises(Refused) as refusal:
        edit_journal_lines(JournalLine.objects.all(), by=None, dimensions=None)
    assert (refusal.value.code, refusal.value.params) == ("LINES-REVERSE", {"count": 1})


def test_groups_of_another_entity_are_refused(no1, line):
    """SEC-1"""
    actual = cost(no1, line)
    add_all(no1)
    theirs = BillingTaxGroupFactory(entity=LegalEntityFactory(code="SE1"), code="HOME")

    with pytest.raises(Refused, match="HOME .*belongs to another legal entity than the lines"):
        edit_journal_lines([actual.journal_line], by=None, billing_tax_group=theirs)


def test_an_empty_selection_is_refused(no1):
    with pytest.raises(Refused, match="No line is selected"):
        edit_journal_lines([], by=None, accounting_date=DAY)
