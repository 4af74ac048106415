"""Kept balances: they equal their rows after any postings, and reports read them (PST-6, PST-8)."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing_site.verify import findings
from ledger.books.operations import rebuild_balances, write_vouchers
from ledger.models import (
    AccountBalance,
    CustomerBalance,
    CustomerTransaction,
    DimensionSet,
    LedgerEntry,
    PartyBalance,
    ProjectBalance,
    Voucher,
)
from ledger.reports import control_accounts, trial_balance
from tests import factories
from tests.invoicing_site.sample_company.alterations import behind_the_guards
from tests.ledger.voucher_samples import (
    DAY,
    balanced,
    balances_are_kept,
    customer_row,
    entry,
    general,
    post,
    project_row,
)

pytestmark = pytest.mark.django_db

FEBRUARY_20, MARCH_31, APRIL_2 = date(2025, 2, 20), date(2025, 3, 31), date(2025, 4, 2)


@pytest.fixture
def no1():
    return factories.company(cost_price=100, sales_price=200)


def invoice(no1, amount, day, *, dimensions=None):
    """An invoice, or a credit note if negative, with its rows in both subledgers."""
    amount = Decimal(amount)
    party, work = customer_row(no1), project_row(no1, amount)
    party.amount = party.accounting_amount = amount
    party.kind = "invoice" if amount > 0 else "credit_note"
    party.date = day - timedelta(days=20)  # of the document; another month than that of the books, perhaps
    work.date = day
    owed, revenue = no1.books.accounts["1500"], no1.books.accounts["3000"]
    plan = general(
        no1,
        entry(no1, "1500").debiting(owed, amount, amount, currency="NOK", rate=1, customer=no1.customer),
        entry(no1, "3000").crediting(
            revenue, amount, amount, currency="NOK", rate=1, project=no1.project, dimensions=dimensions
        ),
        day=day,
        customer_transactions=[party],
        project_transactions=[work],
    )
    plan.kind = Voucher.Kind.INVOICE
    return plan


def kept(no1):
    rows = AccountBalance.objects.filter(account__entity=no1.entity).order_by("account__number", "period")
    return [
        (row.account.number, row.period.starts.month, row.count, row.debit, row.credit)
        for row in rows.select_related("account", "period")
    ]


def test_a_posting_adds_to_the_balances_of_its_period(no1):
    """PST-6"""
    post(no1, balanced(no1, "100"), balanced(no1, "0.10"), balanced(no1, "7", day=APRIL_2))
    post(no1, balanced(no1, "0.20"))

    assert kept(no1) == [
        ("1920", 3, 3, Decimal("100.30"), 0),
        ("1920", 4, 1, 7, 0),
        ("3000", 3, 3, 0, Decimal("100.30")),
        ("3000", 4, 1, 0, 7),
    ]


def test_each_set_of_dimensions_has_its_own_balance(no1):
    """PST-6: and none is a set of its own."""
    north = DimensionSet.objects.create(entity=no1.entity, key="1")
    post(no1, invoice(no1, "10", DAY, dimensions=north), invoice(no1, "5", DAY))
    post(no1, invoice(no1, "20", DAY, dimensions=north), invoice(no1, "-1", DAY))

    found = AccountBalance.objects.filter(account__number="3000").order_by("dimensions")
    assert {(row.dimensions, row.count, row.debit, row.credit) for row in found} == {
        (north, 2, 0, 30),
        (None, 2, 1, 5),
    }


def test_subledgers_have_balances_by_party_and_period(no1):
    """PST-8: those of customers also by the month of their documents."""
    post(no1, invoice(no1, "100", DAY), invoice(no1, "40", MARCH_31))
    post(no1, invoice(no1, "-30", MARCH_31))

    assert list(
        CustomerBalance.objects.order_by("month").values_list("month", "period__starts", "count", "amount")
    ) == [(date(2025, 2, 1), date(2025, 3, 1), 1, 100), (date(2025, 3, 1), date(2025, 3, 1), 2, 10)]
    assert list(
        ProjectBalance.objects.values_list("kind", "voucher_kind", "count", "quantity", "accounting_amount")
    ) == [("revenue", "invoice", 3, 3, 110)]
    assert list(
        PartyBalance.objects.values_list("account__number", "customer", "project", "debit", "credit")
    ) == [("1500", no1.customer.pk, None, 140, 30)]


def test_the_balances_of_a_group_are_written_once(no1):
    """PST-6: many vouchers need as many statements as one."""

    def statements(plans):
        with CaptureQueriesContext(connection) as captured:
            post(no1, *plans)
        return sum(bool(re.search(r'"ledger_\w+balance"', query["sql"])) for query in captured)

    post(no1, invoice(no1, "1", DAY))
    one = statements([invoice(no1, "1", DAY)])
    assert statements([invoice(no1, "1", DAY) for _ in range(30)]) == one == 10


def test_a_posting_that_is_rolled_back_leaves_the_balances(no1):
    """PST-6"""
    post(no1, balanced(no1, "100"))
    before = kept(no1)
    with transaction.atomic():
        write_vouchers(no1.entity, [balanced(no1, "5"), balanced(no1, "6", day=APRIL_2)], by=None)
        transaction.set_rollback(True)

    assert kept(no1) == before
    assert balances_are_kept()


def test_a_day_inside_a_period_leaves_out_what_is_dated_later(no1):
    """PST-6"""
    post(
        no1,
        balanced(no1, "1", day=FEBRUARY_20),
        balanced(no1, "20", day=DAY),
        balanced(no1, "300", day=MARCH_31),
        balanced(no1, "4000", day=APRIL_2),
    )

    def debit(start, end):
        rows = trial_balance(no1.entity, start=start, end=end).rows
        return next((row.opening, row.debit) for row in rows if row.account.number == "1920")

    assert debit(date(2025, 1, 1), date(2025, 3, 9)) == (0, 1)
    assert debit(date(2025, 1, 1), DAY) == (0, 21)
    assert debit(DAY, date(2025, 3, 30)) == (1, 20)
    assert debit(date(2025, 3, 11), MARCH_31) == (21, 300)
    assert debit(date(2025, 3, 1), date(2025, 12, 31)) == (1, 4320)


def test_balances_are_not_deleted_and_keep_their_key(no1):
    """PST-3: the database refuses it."""
    post(no1, invoice(no1, "100", DAY))
    for model, key in (
        (AccountBalance, {"account": no1.books.accounts["3080"]}),
        (PartyBalance, {"currency": "EUR"}),
        (CustomerBalance, {"month": DAY}),
        (ProjectBalance, {"kind": "cost"}),
    ):
        with pytest.raises(IntegrityError, match="a balance keeps"), transaction.atomic():
            model.objects.update(**key)
        with pytest.raises(IntegrityError, match="a balance keeps"), transaction.atomic():
            model.objects.all().delete()


def test_a_wrong_balance_is_named_and_rebuilt(no1, capsys):
    """PST-7"""
    other = factories.company(code="NO2")
    post(other, balanced(other, "7"))
    post(no1, invoice(no1, "100", DAY))
    AccountBalance.objects.filter(account__number="3000", account__entity=no1.entity).update(credit=90)
    with behind_the_guards():
        CustomerBalance.objects.all().delete()
        ProjectBalance.objects.update(period=no1.books.periods[0])

    sentences = [finding.sentence for finding in findings(no1.entity) if finding.code == "KEPT"]
    assert len(sentences) == 4
    assert (
        "The stored balance of account 3000 Invoiced revenue in March 2025 differs from its rows: credit "
        "90.00 instead of 100.00. The command rebuild_balances corrects it."
    ) in sentences
    assert findings(other.entity) == []

    call_command("rebuild_balances", entity="NO2")
    call_command("rebuild_balances")
    assert capsys.readouterr().out.splitlines() == [
        "NO2: 0 balances corrected.",
        "NO1: 4 balances corrected.",
        "NO2: 0 balances corrected.",
    ]
    assert [finding for finding in findings(no1.entity) if finding.code == "KEPT"] == []
    assert rebuild_balances(no1.entity) == 0
    with pytest.raises(CommandError, match="There is no legal entity NO3"):
        call_command("rebuild_balances", entity="NO3")


AMOUNTS = st.decimals("-100", "100", places=2).filter(bool)
DAYS = st.dates(date(2025, 2, 20), date(2025, 4, 10))
POSTINGS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["invoice", "general", "reverse"]), AMOUNTS, DAYS), min_size=1, max_size=3
    ),
    max_size=5,
)


@given(groups=POSTINGS, day=DAYS)
@settings(max_examples=20)
def test_balances_equal_their_rows_after_any_postings(groups, day):
    """PST-6: invoices, credit notes, general vouchers and reversals, in groups."""
    with transaction.atomic():
        no1, posted = factories.company(), []
        for group in groups:
            plans = [_planned(no1, *each, posted) for each in group]
            posted += plans
            post(no1, *plans)

        assert balances_are_kept()
        expected = {}
        for row in LedgerEntry.objects.filter(voucher__date__lte=day).select_related("account"):
            before = expected.get(row.account.number, 0)
            expected[row.account.number] = before + row.accounting_debit - row.accounting_credit
        found = trial_balance(no1.entity, start=date(2025, 1, 1), end=day)
        assert {row.account.number: row.closing for row in found.rows} == {
            **{row.account.number: 0 for row in found.rows},
            **{number: amount for number, amount in expected.items() if amount},
        }
        owed = sum(
            CustomerTransaction.objects.filter(voucher__date__lte=day).values_list("amount", flat=True)
        )
        controls = [row for row in control_accounts(no1.entity, on=day) if row.control == "customer"]
        assert [(row.ledger, row.subledger) for row in controls] == [(owed, owed)]
        transaction.set_rollback(True)


def _planned(no1, what, amount, day, posted):
    if what == "invoice":
        return invoice(no1, amount, day)
    if what == "general" or not posted:
        amount = abs(amount)
        return general(no1, entry(no1, "1920", debit=amount), entry(no1, "4300", credit=amount), day=day)
    original = posted[-1]
    (owed,) = [row.amount for row in original.customer_transactions] or [None]
    if owed is not None:
        return invoice(no1, -owed, day)
    one, two = original.entries
    return general(no1, entry(no1, "1920", credit=one.debit), entry(no1, "4300", debit=two.credit), day=day)
