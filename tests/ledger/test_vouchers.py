"""Vouchers: balanced, numbered without gap, and never changed."""

import datetime
import threading
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.utils import timezone

from invoicing_site.floor.errors import Refused
from ledger.books.operations import write_vouchers
from ledger.books.periods import hold_open, period_of
from ledger.books.plan import EntryPlan, imbalance
from ledger.models import (
    CustomerTransaction,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    Voucher,
)
from tests.factories import company, contract
from tests.ledger.journal_samples import DAY, add_and_post, cost, unbilled
from tests.ledger.voucher_samples import (
    CLAIMS,
    balanced,
    balances_are_kept,
    customer_row,
    entry,
    general,
    post,
    project_row,
    rows_of,
    run,
)
from tests.threads import ended

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


@pytest.fixture
def posted(no1):
    plan = balanced(no1, customer_transactions=[customer_row(no1)], project_transactions=[project_row(no1)])
    (voucher,) = post(no1, plan)
    return voucher


# Writing


def test_a_plan_becomes_a_voucher_with_its_entries(no1):
    """PST-1"""
    (voucher,) = post(no1, balanced(no1), by=no1.accountant)

    found = Voucher.objects.get()
    assert found == voucher
    assert (found.number, found.kind, found.date, found.text) == (
        "V-2025-0000001",
        "general",
        DAY,
        "Correction by hand",
    )
    assert (found.period, found.posted_by) == (period_of(no1.entity, DAY), no1.accountant)
    assert rows_of(found) == [(1, "1920", 100, 0, 100, 0), (2, "3000", 0, 100, 0, 100)]


def test_signed_amounts_become_debit_or_credit(no1):
    """PST-5, JRN-5: negative amounts swap sides."""
    account, common = no1.books.accounts["1500"], {"currency": "EUR", "rate": Decimal("11.60")}

    def sides(plan):
        return plan.debit, plan.credit, plan.accounting_debit, plan.accounting_credit

    assert sides(EntryPlan.debiting(account, Decimal(5), Decimal(58), **common)) == (5, 0, 58, 0)
    assert sides(EntryPlan.debiting(account, Decimal(-5), Decimal(-58), **common)) == (0, 5, 0, 58)
    assert sides(EntryPlan.crediting(account, Decimal(5), Decimal(58), **common)) == (0, 5, 0, 58)
    assert sides(EntryPlan.crediting(account, Decimal(-5), Decimal(-58), **common)) == (5, 0, 58, 0)


def test_a_voucher_in_foreign_currency_balances_in_both(no1):
    """PST-2: conversion differences have their own account."""
    foreign = {"currency": "EUR", "rate": Decimal("11.33")}
    plan = general(
        no1,
        entry(no1, "1500", debit="1.50", accounting_debit=Decimal("17.00"), **foreign),
        entry(no1, "3000", credit="1.00", accounting_credit=Decimal("11.33"), **foreign),
        entry(no1, "2700", credit="0.50", accounting_credit=Decimal("5.66"), **foreign),
        entry(no1, "7770", accounting_credit=Decimal("0.01"), **foreign),
    )
    assert imbalance(plan.entries) == ({}, 0)

    (voucher,) = post(no1, plan)
    assert [row[4:] for row in rows_of(voucher)] == [
        (Decimal("17.00"), 0),
        (0, Decimal("11.33")),
        (0, Decimal("5.66")),
        (0, Decimal("0.01")),
    ]


@pytest.mark.parametrize(
    ("credit", "accounting_credit", "problem"),
    [
        ("99.99", "100", "does not balance: "),
        ("100", "100.01", "does not balance in accounting currency: -0.01"),
    ],
)
def test_a_plan_that_does_not_balance_is_a_bug(no1, credit, accounting_credit, problem):
    """PST-2"""
    plan = general(
        no1,
        entry(no1, "1920", debit="100"),
        entry(no1, "3000", credit=credit, accounting_credit=Decimal(accounting_credit)),
    )
    with pytest.raises(AssertionError, match=problem):
        post(no1, plan)
    assert Voucher.objects.count() == 0


def test_each_currency_of_a_voucher_balances(no1):
    """PST-2"""
    plan = general(
        no1,
        entry(no1, "1920", debit="100", currency="EUR"),
        entry(no1, "3000", credit="100", currency="USD"),
    )
    with pytest.raises(AssertionError, match="EUR"):
        post(no1, plan)


def test_a_plan_outside_its_period_is_a_bug(no1):
    """PST-6"""
    plan = balanced(no1)
    plan.date = datetime.date(2025, 4, 1)

    with pytest.raises(AssertionError, match="2025-04-01 is outside its period"):
        post(no1, plan)


def test_vouchers_are_numbered_per_year_and_chained_in_order(no1):
    """MON-7, PST-7"""
    days = [DAY, datetime.date(2026, 1, 2), datetime.date(2025, 12, 31), datetime.date(2026, 1, 1)]
    vouchers = post(no1, *(balanced(no1, day=day) for day in days))

    assert [(v.number, v.position) for v in vouchers] == [
        ("V-2025-0000001", 1),
        ("V-2026-0000001", 2),
        ("V-2025-0000002", 3),
        ("V-2026-0000002", 4),
    ]


def test_a_voucher_that_is_rolled_back_leaves_no_gap(no1):
    """MON-7, PST-7"""
    post(no1, balanced(no1))
    with transaction.atomic():
        write_vouchers(no1.entity, [balanced(no1)], by=None)
        transaction.set_rollback(True)
    (voucher,) = post(no1, balanced(no1))

    assert (voucher.number, voucher.position) == ("V-2025-0000002", 2)


def test_without_a_voucher_sequence_nothing_is_posted(no1):
    """MON-8"""
    no1.entity.number_sequences.filter(kind="voucher").delete()

    with pytest.raises(Refused, match="voucher") as refusal:
        post(no1, balanced(no1))
    assert refusal.value.code == "NUM-MISSING"


def test_no_plans_create_no_vouchers(no1):
    assert post(no1) == []


def test_a_voucher_can_reverse_one_of_the_same_call(no1):
    """PST-3: corrections are new vouchers."""
    original = balanced(no1)
    first, second = post(no1, original, balanced(no1, reverses=original))
    (third,) = post(no1, balanced(no1, reverses=second))

    assert Voucher.objects.get(pk=second.pk).reverses == first
    assert Voucher.objects.get(pk=third.pk).reverses == second


def test_subledger_rows_are_written_with_their_voucher(no1):
    """PST-1"""
    plan = balanced(no1, customer_transactions=[customer_row(no1)], project_transactions=[project_row(no1)])
    (voucher,) = post(no1, plan)

    assert CustomerTransaction.objects.get().voucher == voucher
    assert ProjectTransaction.objects.get().voucher == voucher


# The database refuses


@pytest.mark.parametrize("table", ["voucher", "ledgerentry", "customertransaction", "projecttransaction"])
@pytest.mark.parametrize("statement", ["UPDATE ledger_{} SET {}", "DELETE FROM ledger_{}"])
def test_posted_rows_cannot_be_changed_or_deleted(posted, table, statement):
    """PST-3"""
    column = {
        "voucher": "text = 'other'",
        "ledgerentry": "debit = debit + 1",
        "customertransaction": "due_date = NULL",
        "projecttransaction": "quantity = 2",
    }[table]
    with pytest.raises(IntegrityError, match=f"ledger_{table} rows are never changed"), transaction.atomic():
        run(statement.format(table, column))


def test_a_posted_journal_line_cannot_change(no1, line):
    """PST-3"""
    cost(no1, line)
    add_and_post(no1)

    for sql in ("UPDATE ledger_journalline SET accounting_amount = 1", "DELETE FROM ledger_journalline"):
        with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
            run(sql)


@pytest.mark.postgres
def test_posted_tables_cannot_be_truncated(posted):
    """PST-3"""
    run("SET CONSTRAINTS ALL IMMEDIATE")  # as after a commit
    with pytest.raises(DatabaseError, match="rows are never changed"), transaction.atomic():
        run("TRUNCATE ledger_voucher CASCADE")


def written(no1, position, **sides):
    """A voucher and its entries inserted without the operation, until the end of the transaction."""
    voucher = Voucher.objects.create(
        entity=no1.entity,
        number=f"X-{position}",
        kind="general",
        date=DAY,
        document_date=DAY,
        period=period_of(no1.entity, DAY),
        position=position,
        hash_format=1,
        claims_hash=CLAIMS,
        hash=CLAIMS,
        posted_at=timezone.now(),
    )
    for number, (account, values) in enumerate(sides.items(), 1):
        LedgerEntry.objects.create(
            voucher=voucher,
            number=number,
            account=no1.books.accounts[account.strip("_")],
            currency="NOK",
            rate=1,
            **values,
        )
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.postgres
@pytest.mark.parametrize(("credit", "accounting_credit"), [("99.99", "100"), ("100", "99.99"), (None, None)])
def test_postgresql_refuses_a_voucher_that_does_not_balance(no1, credit, accounting_credit):
    """PST-2: at the end of the transaction, for any program that writes."""
    sides = {"_1920": {"debit": Decimal(100), "accounting_debit": Decimal(100)}}
    if credit:
        sides["_3000"] = {"credit": Decimal(credit), "accounting_credit": Decimal(accounting_credit)}

    with pytest.raises(IntegrityError, match="voucher X-1 does not balance"), transaction.atomic():
        written(no1, 1, **sides)


@pytest.mark.postgres
def test_postgresql_accepts_balanced_vouchers_and_those_without_entries(no1, line):
    """PST-2"""
    post(no1, balanced(no1))
    unbilled(no1, line)
    add_and_post(no1)

    run("SET CONSTRAINTS ALL IMMEDIATE")
    assert Voucher.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_postgresql_refuses_new_entries_for_an_old_voucher():
    """PST-3: entries can be inserted only in their voucher's own transaction."""
    no1 = company()
    with pytest.raises(AssertionError, match="inside the transaction of what they book"):
        write_vouchers(no1.entity, [balanced(no1)], by=None)
    (voucher,) = post(no1, balanced(no1))
    late = [
        LedgerEntry(
            voucher=voucher,
            currency="NOK",
            rate=1,
            account=no1.books.accounts["1920"],
            number=number,
            **sides,
        )
        for number, sides in [
            (3, {"debit": 1, "accounting_debit": 1}),
            (4, {"credit": 1, "accounting_credit": 1}),
        ]
    ]

    with pytest.raises(IntegrityError, match="only in the transaction of their voucher"):
        LedgerEntry.objects.bulk_create(late)
    assert voucher.entries.count() == 2


def test_an_entry_is_a_debit_or_a_credit(no1):
    """PST-2"""
    for values in ({"debit": 1, "credit": 1}, {"debit": -1}, {"accounting_debit": 1, "accounting_credit": 1}):
        with pytest.raises(IntegrityError, match="ledger_entry_is_a_debit_or_a_credit"), transaction.atomic():
            written(no1, 1, _1920=values)


def test_a_journal_line_is_posted_once(no1, line):
    """PST-1: the unique link from voucher to line decides."""
    cost(no1, line)
    add_and_post(no1)
    plan = balanced(no1, journal_line=JournalLine.objects.get())
    plan.kind = Voucher.Kind.JOURNAL

    with pytest.raises(IntegrityError), transaction.atomic():
        post(no1, plan)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_simultaneous_postings_make_one_chain_without_gaps():
    """MON-7, PST-7: also when some of them roll back."""
    no1 = company()
    barrier, problems = threading.Barrier(4), []

    def work(name):
        try:
            barrier.wait(10)
            for n in range(8):
                try:
                    with transaction.atomic():
                        hold_open(no1.entity, [DAY])
                        write_vouchers(no1.entity, [balanced(no1), balanced(no1)], by=None)
                        if n % 4 == name:
                            raise ZeroDivisionError
                except ZeroDivisionError:
                    continue
        except Exception as problem:  # shown by the assertion
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    ended(*threads)

    assert problems == []
    vouchers = list(Voucher.objects.order_by("position"))
    assert [v.position for v in vouchers] == list(range(1, 49))
    assert [v.number for v in vouchers] == [f"V-2025-{n:07}" for n in range(1, 49)]
    assert [v.previous_hash for v in vouchers] == ["", *(v.hash for v in vouchers[:-1])]
    assert balances_are_kept()
