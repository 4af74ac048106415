"""Adding actuals to integration journals."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import AuditEvent
from ledger.journal.operations import lines as lines_module
from ledger.journal.operations.journals import back_to_draft, edit_journal_lines
from ledger.models import (
    DefaultDimension,
    Dimension,
    DimensionValue,
    IntegrationJournal,
    JournalLine,
)
from ledger.setup.dimensions import dimension_set
from tests.factories import (
    BillingTaxGroupFactory,
    ExchangeRateFactory,
    ItemTaxGroupFactory,
    ProjectFactory,
    company,
    contract,
)
from tests.ledger.journal_samples import (
    APRIL_10,
    DAY,
    add_all,
    add_and_post,
    cost,
    entries_of,
    reversed_on,
    unbilled,
    use_profile,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def deal(no1):
    return contract(no1, confirmed=True)


@pytest.fixture
def line(deal):
    return deal.lines.get()


def euro_line(no1, **fields):
    return contract(no1, confirmed=True, currency="EUR", **fields).lines.get()


# Which actuals, in which journals


def test_each_actual_gets_one_line_and_cost_and_sales_are_separate(no1, line):
    """JRN-1, JRN-2"""
    hours = cost(no1, line, 800, quantity=Decimal(8), price=Decimal(100))
    sale = unbilled(no1, line, 1600, billing_type="complimentary")
    added = add_all(no1)

    (journal,) = added.journals
    assert (journal.number, journal.period, journal.status) == ("IJ-2025-00001", "2025-03", "draft")
    assert added.lines == 2
    rows = [
        (
            row.actual,
            row.accounting_date,
            row.accounting_amount,
            row.exchange_rate,
            row.line_property,
            row.error,
        )
        for row in journal.lines.order_by("pk")
    ]
    assert rows == [
        (hours, DAY, 800, 1, "chargeable", None),
        (sale, DAY, 1600, 1, "complimentary", None),
    ]


def test_adding_twice_adds_nothing(no1, line):
    """JRN-1"""
    cost(no1, line)
    add_all(no1)
    again = add_all(no1)

    assert (again.lines, again.journals, again.left_out) == (0, [], [])
    assert JournalLine.objects.count() == IntegrationJournal.objects.count() == 1
    assert AuditEvent.objects.filter(action="ledger.add_to_journals").count() == 1


def test_new_actuals_join_the_draft_of_their_month(no1, line):
    """JRN-1"""
    cost(no1, line)
    add_all(no1)
    cost(no1, line)
    (journal,) = add_all(no1).journals

    assert journal.lines.count() == 2


def test_posted_journals_and_those_of_errors_get_no_new_lines(no1, line):
    """JRN-1, JRN-4"""
    cost(no1, line)
    add_and_post(no1)
    no1.entity.posting_accounts.filter(purpose="cost_offset").delete()
    cost(no1, line)
    cost(no1, line, 300, "expense")
    add_and_post(no1)
    cost(no1, line)
    add_all(no1)

    def journals():
        return [(j.status, j.lines.count()) for j in IntegrationJournal.objects.order_by("pk")]

    assert journals() == [("posted", 1), ("posted", 1), ("error", 1), ("draft", 1)]
    # An accountant works on a journal of lines in error, even if it is a draft.
    IntegrationJournal.objects.filter(status="draft").update(status="posted", posted_at=timezone.now())
    back_to_draft(IntegrationJournal.objects.get(status="error"), by=None)
    cost(no1, line)
    add_all(no1)
    assert journals()[2:] == [("draft", 1), ("posted", 1), ("draft", 1)]


@pytest.mark.parametrize(
    ("grouping", "periods"),
    [
        ("day", ["2024-12-31", "2025-03-10", "2025-03-11", "2025-04-10"]),
        ("month", ["2024-12", "2025-03", "2025-04"]),
        ("year", ["2024", "2025"]),
        ("all", ["all"]),
    ],
)
def test_journals_are_grouped_by_the_parameter_of_the_entity(no1, line, grouping, periods):
    """JRN-1"""
    no1.entity.journal_grouping = grouping
    for day in [APRIL_10, DAY, DAY, datetime.date(2025, 3, 11), datetime.date(2024, 12, 31)]:
        cost(no1, line, date=day)
    added = add_all(no1)

    assert sorted(journal.period for journal in added.journals) == periods
    assert added.lines == 5


def test_the_year_is_the_fiscal_one():
    """JRN-1"""
    no1 = company(fiscal_year_start_month=7, journal_grouping="year")
    line = contract(no1, confirmed=True).lines.get()
    for day in [datetime.date(2025, 6, 30), datetime.date(2025, 7, 1)]:
        cost(no1, line, date=day)

    assert [journal.period for journal in add_all(no1).journals] == ["2025", "2026"]


def test_a_journal_has_a_maximum_of_lines(no1, line, monkeypatch):
    """JRN-1"""
    monkeypatch.setattr(lines_module, "CHUNK", 4)
    no1.entity.journal_max_lines = 3
    for _ in range(7):
        cost(no1, line)
    added = add_all(no1)
    cost(no1, line)
    add_all(no1)

    assert [journal.lines.count() for journal in added.journals] == [3, 3, 2]
    assert added.lines == 7


def test_the_journal_gets_only_the_actuals_that_it_books(no1, line):
    """JRN-6: actuals of a confirmation are booked by the invoice or not at all.

    Retainers never by a journal.
    """
    mine = cost(no1, line)
    correction, again = reversed_on(mine, APRIL_10), unbilled(no1, line, replaces=mine)
    unbilled(no1, line, booked_by="nothing")
    unbilled(no1, line, booked_by="invoice", type="billed")
    unbilled(no1, line, -1000, "retainer")
    added = add_all(no1)

    assert added.lines == 3
    assert {row.actual for row in JournalLine.objects.all()} == {mine, correction, again}


def test_actuals_of_another_entity_are_not_added(no1, line):
    """JRN-1"""
    other = company(code="SE1", currency="SEK")
    theirs = cost(other, contract(other, confirmed=True).lines.get())
    cost(no1, line)

    assert add_all(no1).lines == 1
    assert not JournalLine.objects.filter(actual=theirs).exists()


def test_without_a_number_sequence_nothing_is_added(no1, line):
    """MON-8"""
    cost(no1, line)
    no1.entity.number_sequences.filter(kind="journal").delete()

    with pytest.raises(Refused, match="integration journal") as refusal:
        add_all(no1)
    assert refusal.value.code == "NUM-MISSING"
    assert JournalLine.objects.count() == 0


# Rates


def test_a_line_converts_at_the_transaction_date(no1):
    """MON-5, PST-5"""
    ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.50"))
    ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.60"), valid_from=DAY)
    ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.90"), valid_from=APRIL_10)
    before = unbilled(no1, euro_line(no1), Decimal("100.05"), date=datetime.date(2025, 3, 9))
    on_the_day = unbilled(no1, euro_line(no1), Decimal("100.05"), accounting_date=APRIL_10)
    add_all(no1, APRIL_10)

    found = [
        (row.exchange_rate, row.accounting_amount) for row in (before.journal_line, on_the_day.journal_line)
    ]
    assert found == [(Decimal("11.50"), Decimal("1150.58")), (Decimal("11.60"), Decimal("1160.58"))]


def test_an_actual_without_a_rate_is_left_out_and_reported(no1, line):
    """JRN-2, MON-8"""
    foreign, domestic = unbilled(no1, euro_line(no1)), cost(no1, line)
    added = add_all(no1)

    assert added.lines == 1
    ((actual, reason),) = added.left_out
    assert actual == foreign.pk
    assert (reason.code, reason.params["currency"], reason.params["day"]) == ("FX-MISSING", "EUR", DAY)
    assert domestic.journal_line

    ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.60"))
    assert (add_all(no1).lines, add_all(no1).left_out) == (1, [])
    assert foreign.journal_line.accounting_amount == 18560


def test_actuals_that_are_left_out_do_not_block_others(no1, line, monkeypatch):
    """JRN-2: also if they fill a whole chunk."""
    monkeypatch.setattr(lines_module, "CHUNK", 2)
    foreign = euro_line(no1)
    for _ in range(3):
        unbilled(no1, foreign)
    actual = cost(no1, line)
    added = add_all(no1)

    assert (added.lines, len(added.left_out)) == (1, 3)
    assert actual.journal_line


def test_the_contracts_agreed_rate_applies_to_its_sales_only(no1):
    """PST-5"""
    ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.60"))
    line = euro_line(no1, fixed_exchange_rate=Decimal("11.00"))
    sale, paid = unbilled(no1, line, 1000), cost(no1, line, 100, "expense", currency="EUR")
    add_all(no1)

    assert [(a.journal_line.exchange_rate, a.journal_line.accounting_amount) for a in (sale, paid)] == [
        (Decimal("11.00"), 11000),
        (Decimal("11.60"), 1160),
    ]


def test_an_agreed_rate_needs_no_official_one(no1):
    """PST-5"""
    sale = unbilled(no1, euro_line(no1, fixed_exchange_rate=Decimal("11.00")), 1000)

    assert add_all(no1).left_out == []
    assert sale.journal_line.accounting_amount == 11000


def test_an_agreed_rate_has_no_effect_in_the_accounting_currency(no1):
    """PST-5"""
    domestic = contract(no1, confirmed=True, fixed_exchange_rate=Decimal("11.00")).lines.get()
    sale = unbilled(no1, domestic, 1000)
    add_all(no1)

    assert (sale.journal_line.exchange_rate, sale.journal_line.accounting_amount) == (1, 1000)


def test_a_replacement_keeps_the_rate_of_its_original(no1):
    """JRN-7, BKL-5: a write-off of 4,000 of 10,000 leaves 6,000 at the stored rate."""
    rate = ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.60"))
    use_profile(no1, "ACCRUE")
    line = euro_line(no1)
    original = unbilled(no1, line, 10000)
    add_and_post(no1)

    rate.rate = Decimal("12.00")
    rate.save()
    reversal = reversed_on(original, APRIL_10)
    stays = unbilled(no1, line, 6000, replaces=original, accounting_date=APRIL_10)
    lost = unbilled(
        no1, line, 4000, replaces=original, accounting_date=APRIL_10, billing_type="non_chargeable"
    )
    add_and_post(no1, APRIL_10)

    assert entries_of(reversal) == [("1530", 0, 116000), ("3080", 116000, 0)]
    assert entries_of(stays) == [("1530", 69600, 0), ("3080", 0, 69600)]
    assert (entries_of(lost), lost.journal_line.accounting_amount) == ([], 46400)


def test_the_rate_is_kept_through_actuals_that_no_journal_books(no1):
    """JRN-7: billed for less, credited, and to be billed again."""
    rate = ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.60"))
    line = euro_line(no1)
    original = unbilled(no1, line, 1000)
    add_all(no1)
    rate.rate = Decimal("12.00")
    rate.save()
    edited = unbilled(no1, line, 900, replaces=original, booked_by="nothing")
    again = unbilled(no1, line, 300, replaces=edited, accounting_date=APRIL_10)
    fresh = unbilled(no1, line, 300)
    add_all(no1, APRIL_10)

    assert again.journal_line.exchange_rate == Decimal("11.60")
    assert fresh.journal_line.exchange_rate == Decimal("12.00")


def test_a_reversal_has_its_originals_rate_groups_and_dimensions(no1, line):
    """MON-5, JRN-7"""
    ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.60"))
    original = unbilled(no1, euro_line(no1), Decimal("333.33"))
    add_all(no1)
    export = BillingTaxGroupFactory(entity=no1.entity, code="EXPORT")
    dimension = Dimension.objects.create(entity=no1.entity, code="DEP", name="Department")
    value = DimensionValue.objects.create(dimension=dimension, code="A", name="A")
    chosen = dimension_set(no1.entity, [value])
    edit_journal_lines([original.journal_line], by=None, billing_tax_group=export, dimensions=chosen)
    ExchangeRateFactory(entity=no1.entity, rate=Decimal("12.00"), valid_from=DAY)
    reversal = reversed_on(original, APRIL_10)
    add_all(no1, APRIL_10)

    row = reversal.journal_line
    assert (row.exchange_rate, row.accounting_amount) == (Decimal("11.60"), Decimal("-3866.63"))
    assert (row.billing_tax_group, row.dimensions) == (export, chosen)
    assert (row.accounting_date, row.actual.date) == (APRIL_10, DAY)


def test_a_reversal_is_left_out_with_its_original(no1):
    """JRN-2, JRN-7"""
    original = unbilled(no1, euro_line(no1))
    reversal = reversed_on(original, APRIL_10)
    left_out = dict(add_all(no1).left_out)

    assert set(left_out) == {original.pk, reversal.pk}
    assert left_out[reversal.pk] == Reason(
        "ORIGINAL-MISSING", actual=str(reversal.pk), original=str(original.pk)
    )
    ExchangeRateFactory(entity=no1.entity, rate=Decimal("11.60"))
    assert add_all(no1).lines == 2


# Tax groups and dimensions


@pytest.mark.parametrize(
    ("source", "given", "found"),
    [
        ("project", ["project", "contract", "customer"], "project"),
        ("project", ["contract", "customer"], None),
        ("contract", ["project", "contract", "customer"], "contract"),
        ("contract", ["project", "customer"], None),
        ("customer", ["project", "contract", "customer"], "customer"),
        ("customer", ["project", "contract"], None),
        ("search", ["project", "contract", "customer"], "project"),
        ("search", ["contract", "customer"], "contract"),
        ("search", ["customer"], "customer"),
        ("search", [], None),
    ],
)
def test_the_billing_tax_group_comes_from_the_source_of_the_entity(no1, deal, line, source, given, found):
    """JRN-3"""
    no1.entity.tax_group_source = source
    for name, owner in [("project", no1.project), ("contract", deal), ("customer", no1.customer)]:
        group = BillingTaxGroupFactory(entity=no1.entity, code=name)
        owner.billing_tax_group = group if name in given else None
        owner.save()
    actual = unbilled(no1, line)
    add_all(no1)

    group = actual.journal_line.billing_tax_group
    assert (group and group.code) == found


def test_a_cost_has_no_customer_for_its_tax_group(no1, line):
    """JRN-3"""
    actual = cost(no1, line)
    add_all(no1)

    assert actual.journal_line.billing_tax_group is None


def test_the_item_tax_group_comes_from_category_product_or_setting(no1, line):
    """JRN-3"""
    goods, food, fixed = (ItemTaxGroupFactory(entity=no1.entity, code=code) for code in ("G", "F", "M"))
    no1.product.item_tax_group, no1.travel.item_tax_group = goods, food
    no1.product.save()
    no1.travel.save()
    no1.entity.milestone_item_tax_group = fixed
    hours = unbilled(no1, line)
    cable, trip = unbilled(no1, line, 80, "material"), unbilled(no1, line, 300, "expense")
    milestone = unbilled(no1, line, 1000, "milestone")
    add_all(no1)

    codes = [actual.journal_line.item_tax_group.code for actual in (hours, cable, trip, milestone)]
    assert codes == ["SERVICES", "G", "F", "M"]


def test_dimensions_come_from_the_project(no1, line):
    """JRN-3"""
    dimension = Dimension.objects.create(entity=no1.entity, code="DEP", name="Department")
    value = DimensionValue.objects.create(dimension=dimension, code="A", name="A")
    DefaultDimension.objects.create(project=no1.project, dimension=dimension, value=value)
    use_profile(no1, "ACCRUE")
    actual = unbilled(no1, line)
    elsewhere = unbilled(no1, line, project=ProjectFactory(entity=no1.entity))
    add_and_post(no1)

    assert actual.journal_line.dimensions == dimension_set(no1.entity, [value])
    assert elsewhere.journal_line.dimensions is None
    entries = actual.journal_line.voucher.entries.all()
    assert {(entry.dimensions, entry.project) for entry in entries} == {
        (dimension_set(no1.entity, [value]), no1.project)
    }


# Many


def test_adding_takes_as_many_queries_for_many_as_for_few(no1, line):
    """Sets, not loops."""

    def queries(count):
        for n in range(count):
            actual = unbilled(no1, line, project=ProjectFactory(entity=no1.entity, code=f"{count}-{n}"))
            cost(no1, line)
            unbilled(no1, line, replaces=actual)
            reversed_on(actual, DAY)
        with CaptureQueriesContext(connection) as captured:
            assert add_all(no1).lines == 4 * count
        # SQLite takes rows in small batches.
        return sum(not query["sql"].startswith("INSERT") for query in captured)

    queries(1)
    assert queries(2) == queries(30)


def test_statistics_are_updated_after_very_many_rows(no1, line, monkeypatch):
    monkeypatch.setattr(lines_module, "MANY", 2)
    analyzed = []
    monkeypatch.setattr(lines_module, "analyze", lambda *tables: analyzed.append(tables))
    cost(no1, line)
    add_all(no1)
    assert analyzed == []
    cost(no1, line)
    cost(no1, line)
    add_all(no1)
    assert analyzed == [(JournalLine,)]
