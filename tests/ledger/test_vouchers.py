"""Vouchers: balanced, numbered without gap, chained, and never changed."""

import datetime
import threading
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.utils import timezone

from invoicing_site.errors import Refused
from ledger import chain
from ledger.models import (
    CustomerTransaction,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    Voucher,
)
from ledger.operations.vouchers import EntryPlan, VoucherPlan, imbalance, write_vouchers
from ledger.periods import hold_open, period_of
from tests.factories import company, contract
from tests.ledger.journal_samples import DAY, cost, take_up_and_post, unbilled, use_profile

pytestmark = pytest.mark.django_db

CLAIMS = "c" * 64


@pytest.fixture
def no1():
    return company()


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


def entry(no1, number, debit=0, credit=0, **fields):
    """An entry in kroner unless it says otherwise."""
    defaults = {
        "currency": "NOK",
        "rate": Decimal(1),
        "accounting_debit": Decimal(debit),
        "accounting_credit": Decimal(credit),
    }
    return EntryPlan(
        account=no1.books.accounts[number],
        debit=Decimal(debit),
        credit=Decimal(credit),
        **{**defaults, **fields},
    )


def general(no1, *entries, day=DAY, **fields):
    """A plan for a general voucher."""
    return VoucherPlan(
        kind=Voucher.Kind.GENERAL,
        date=day,
        document_date=day,
        period=period_of(no1.entity, day),
        text="Correction by hand",
        entries=list(entries),
        claims_hash=CLAIMS,
        **fields,
    )


def balanced(no1, amount="100", **fields):
    return general(no1, entry(no1, "1920", debit=amount), entry(no1, "3000", credit=amount), **fields)


def post(no1, *plans, by=None):
    with transaction.atomic():
        hold_open(no1.entity, [plan.date for plan in plans])
        return write_vouchers(no1.entity, list(plans), by=by)


def rows_of(voucher):
    return [
        (e.number, e.account.number, e.debit, e.credit, e.accounting_debit, e.accounting_credit)
        for e in voucher.entries.order_by("number")
    ]


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


def test_signed_amounts_find_their_side(no1):
    """PST-5, JRN-5: negative amounts swap sides."""
    account, common = no1.books.accounts["1500"], {"currency": "EUR", "rate": Decimal("11.60")}

    def sides(plan):
        return plan.debit, plan.credit, plan.accounting_debit, plan.accounting_credit

    assert sides(EntryPlan.debiting(account, Decimal(5), Decimal(58), **common)) == (5, 0, 58, 0)
    assert sides(EntryPlan.debiting(account, Decimal(-5), Decimal(-58), **common)) == (0, 5, 0, 58)
    assert sides(EntryPlan.crediting(account, Decimal(5), Decimal(58), **common)) == (0, 5, 0, 58)
    assert sides(EntryPlan.crediting(account, Decimal(-5), Decimal(-58), **common)) == (5, 0, 58, 0)


def test_a_voucher_in_foreign_currency_balances_in_both(no1):
    """PST-2: what the conversion leaves over has its own account."""
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
    ("credit", "accounting_credit", "trouble"),
    [
        ("99.99", "100", "does not balance: "),
        ("100", "100.01", "does not balance in accounting currency: -0.01"),
    ],
)
def test_a_plan_that_does_not_balance_is_a_bug(no1, credit, accounting_credit, trouble):
    """PST-2"""
    plan = general(
        no1,
        entry(no1, "1920", debit="100"),
        entry(no1, "3000", credit=credit, accounting_credit=Decimal(accounting_credit)),
    )
    with pytest.raises(AssertionError, match=trouble):
        post(no1, plan)
    assert Voucher.objects.count() == 0


def test_each_currency_of_a_voucher_balances_by_itself(no1):
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


def test_vouchers_are_numbered_year_by_year_and_chained_as_they_come(no1):
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
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write_vouchers(no1.entity, [balanced(no1)], by=None)
        raise ZeroDivisionError
    (voucher,) = post(no1, balanced(no1))

    assert (voucher.number, voucher.position) == ("V-2025-0000002", 2)


def test_without_a_voucher_sequence_nothing_is_posted(no1):
    """MON-8"""
    no1.entity.number_sequences.filter(kind="voucher").delete()

    with pytest.raises(Refused, match="voucher") as refusal:
        post(no1, balanced(no1))
    assert refusal.value.code == "NUM-MISSING"


def test_no_plan_is_no_voucher(no1):
    assert post(no1) == []


def test_writing_takes_part_in_the_callers_transaction(no1, monkeypatch):
    monkeypatch.setattr(connection, "in_atomic_block", False)
    with pytest.raises(AssertionError, match="inside the transaction"):
        write_vouchers(no1.entity, [balanced(no1)], by=None)


def test_a_voucher_may_reverse_one_of_the_same_writing(no1):
    """PST-3: corrections are new vouchers."""
    original = balanced(no1)
    first, second = post(no1, original, balanced(no1, reverses=original))
    (third,) = post(no1, balanced(no1, reverses=second))

    assert Voucher.objects.get(pk=second.pk).reverses == first
    assert Voucher.objects.get(pk=third.pk).reverses == second


def customer_row(no1):
    return CustomerTransaction(
        customer=no1.customer,
        kind="invoice",
        document_number="INV-1",
        date=DAY,
        due_date=DAY,
        amount=Decimal("100"),
        currency="NOK",
        rate=Decimal(1),
        accounting_amount=Decimal("100"),
    )


def project_row(no1, amount="100"):
    return ProjectTransaction(
        project=no1.project,
        kind="revenue",
        transaction_class="time",
        date=DAY,
        quantity=Decimal(1),
        amount=Decimal(amount),
        currency="NOK",
        accounting_amount=Decimal(amount),
    )


def test_subledger_rows_are_written_with_their_voucher(no1):
    """PST-1"""
    plan = balanced(no1, customer_transactions=[customer_row(no1)], project_transactions=[project_row(no1)])
    (voucher,) = post(no1, plan)

    assert CustomerTransaction.objects.get().voucher == voucher
    assert ProjectTransaction.objects.get().voucher == voucher


# The chain


def verified(voucher):
    """The hash worked out again from what stands in the database."""
    voucher = Voucher.objects.get(pk=voucher.pk)
    return chain.voucher_hash(
        voucher,
        voucher.entries.all(),
        voucher.customer_transactions.all(),
        voucher.project_transactions.all(),
    )


def test_each_voucher_carries_the_hash_before_it(no1, line):
    """PST-7"""
    use_profile(no1, "ACCRUE")
    post(no1, balanced(no1))
    cost(no1, line, Decimal("333.33"))
    unbilled(no1, line, Decimal("0.10"), quantity=Decimal("7.5"))
    take_up_and_post(no1)
    vouchers = list(Voucher.objects.order_by("position"))

    assert [v.previous_hash for v in vouchers] == ["", *(v.hash for v in vouchers[:-1])]
    sequence = no1.entity.number_sequences.get(kind="voucher")
    assert (sequence.chain_length, sequence.chain_hash) == (3, vouchers[-1].hash)
    assert [v.hash for v in vouchers] == [verified(v) for v in vouchers]
    assert [v.claims_hash for v in vouchers[1:]] == [
        chain.claims_of_journal_line(v.journal_line) for v in vouchers[1:]
    ]


def test_entities_have_chains_of_their_own(no1):
    """PST-7"""
    other = company(code="SE1", currency="SEK")
    post(no1, balanced(no1))
    (theirs,) = post(other, balanced(other))

    assert (theirs.position, theirs.previous_hash) == (1, "")


CHANGES = [
    "UPDATE ledger_voucher SET number = 'V-2025-0000009'",
    "UPDATE ledger_voucher SET date = '2025-03-11'",
    "UPDATE ledger_voucher SET claims_hash = 'd'",
    "UPDATE ledger_voucher SET previous_hash = 'd'",
    "UPDATE ledger_voucher SET text = 'other'",
    "UPDATE ledger_ledgerentry SET debit = 100.01 WHERE number = 1",
    "UPDATE ledger_ledgerentry SET accounting_credit = 99 WHERE number = 2",
    "UPDATE ledger_ledgerentry SET account_id = (SELECT max(id) FROM ledger_account)",
    "UPDATE ledger_ledgerentry SET rate = 1.000000001",
    "DELETE FROM ledger_ledgerentry WHERE number = 2",
    "UPDATE ledger_customertransaction SET amount = 1",
    "UPDATE ledger_customertransaction SET due_date = NULL",
    "DELETE FROM ledger_customertransaction",
    "UPDATE ledger_projecttransaction SET accounting_amount = 1",
    "UPDATE ledger_projecttransaction SET in_balance = NOT in_balance",
    "DELETE FROM ledger_projecttransaction",
]


@pytest.fixture
def posted(no1):
    plan = balanced(no1, customer_transactions=[customer_row(no1)], project_transactions=[project_row(no1)])
    (voucher,) = post(no1, plan)
    return voucher


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def guards_off():
    """What a person with the database's password could do; the rollback of the test puts all back."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')


@pytest.mark.parametrize("sql", CHANGES)
def test_whatever_is_changed_past_the_guards_the_hash_tells(posted, guards_off, sql):
    """PST-7"""
    assert verified(posted) == posted.hash
    run(sql)
    assert verified(posted) != posted.hash


def test_a_changed_claim_no_longer_fits_its_voucher(no1, line, guards_off):
    """PST-7: the hash covers the actual behind the line."""
    actual = cost(no1, line)
    take_up_and_post(no1)
    voucher = Voucher.objects.get()
    run(f"UPDATE actuals_actual SET quantity = 9 WHERE id = {actual.pk}")

    assert chain.claims_of_journal_line(JournalLine.objects.get()) != voucher.claims_hash


def test_the_text_of_a_row_is_fixed():
    """PST-7: these very texts are hashed, now and when the books are verified in ten years."""
    row = LedgerEntry(
        number=1,
        account_id=7,
        debit=Decimal("10.5"),
        credit=Decimal("-0"),
        currency="EUR",
        rate=Decimal("11.6"),
        accounting_debit=Decimal("121.80"),
        accounting_credit=0,
        tax_percent=Decimal(25),
        due_date=datetime.date(2025, 3, 10),
        text='Bærum "A"',
    )
    assert chain.canonical(row) == (
        '["ledger.ledgerentry","1","7","10.5000","0.0000","EUR","11.600000000","121.8000","0.0000",'
        'null,null,null,null,"25.000000",null,"2025-03-10","B\\u00e6rum \\"A\\""]'
    )
    noon = datetime.datetime(2025, 3, 10, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    texts = [
        chain.canonical(Voucher(posted_at=moment, number="V-1", kind="general", date=DAY, document_date=DAY))
        for moment in (noon, noon.astimezone(datetime.UTC))
    ]
    assert texts[0] == texts[1]
    assert '"2025-03-10T12:00:00.000000+00:00"' in texts[0]
    assert chain.digest("a", "b") != chain.digest("ab")
    assert chain.digest("a") == "0f7ea1bfa3bb8ca3d0ae7a9b18d6f6c9f7f7e7c3f1f0c0bd3f0b3f0c0bd3f0b3"


def test_a_text_never_rounds():
    """PST-7, MON-1"""
    with pytest.raises(ValueError, match="has more: round it first"):
        chain.canonical(LedgerEntry(debit=Decimal("0.00001")))


# The database refuses


@pytest.mark.parametrize("table", ["voucher", "ledgerentry", "customertransaction", "projecttransaction"])
@pytest.mark.parametrize("statement", ["UPDATE ledger_{} SET {}", "DELETE FROM ledger_{}"])
def test_what_is_posted_is_neither_changed_nor_removed(posted, table, statement):
    """PST-3"""
    column = {
        "voucher": "text = 'other'",
        "ledgerentry": "debit = debit + 1",
        "customertransaction": "due_date = NULL",
        "projecttransaction": "quantity = 2",
    }[table]
    with pytest.raises(IntegrityError, match=f"ledger_{table} rows are never changed"), transaction.atomic():
        run(statement.format(table, column))


def test_a_posted_journal_line_stays_as_it_was(no1, line):
    """PST-3"""
    cost(no1, line)
    take_up_and_post(no1)

    for sql in ("UPDATE ledger_journalline SET accounting_amount = 1", "DELETE FROM ledger_journalline"):
        with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
            run(sql)


@pytest.mark.postgres
def test_nothing_posted_is_truncated(posted):
    """PST-3"""
    with pytest.raises(DatabaseError, match="rows are never changed"), transaction.atomic():
        run("TRUNCATE ledger_voucher CASCADE")


def unbalanced(no1, position, **sides):
    """A voucher and its entries written past the operation."""
    voucher = Voucher.objects.create(
        entity=no1.entity,
        number=f"X-{position}",
        kind="general",
        date=DAY,
        document_date=DAY,
        period=period_of(no1.entity, DAY),
        position=position,
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
    return voucher


@pytest.mark.postgres
@pytest.mark.parametrize(("credit", "accounting_credit"), [("99.99", "100"), ("100", "99.99"), (None, None)])
def test_postgresql_refuses_a_voucher_that_does_not_balance(no1, credit, accounting_credit):
    """PST-2: at the end of the transaction, whoever wrote it."""
    sides = {"_1920": {"debit": Decimal(100), "accounting_debit": Decimal(100)}}
    if credit:
        sides["_3000"] = {"credit": Decimal(credit), "accounting_credit": Decimal(accounting_credit)}

    with pytest.raises(IntegrityError, match="voucher X-1 does not balance"), transaction.atomic():
        unbalanced(no1, 1, **sides)
        run("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.postgres
def test_postgresql_accepts_what_balances_and_what_has_no_entries(no1, line):
    """PST-2"""
    post(no1, balanced(no1))
    unbilled(no1, line)
    take_up_and_post(no1)

    run("SET CONSTRAINTS ALL IMMEDIATE")
    assert Voucher.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_postgresql_takes_no_entries_for_an_old_voucher():
    """PST-3: entries come in their voucher's own transaction, or never."""
    no1 = company()
    (voucher,) = post(no1, balanced(no1))
    late = {"voucher": voucher, "currency": "NOK", "rate": 1, "account": no1.books.accounts["1920"]}

    with (
        pytest.raises(IntegrityError, match="only in the transaction of their voucher"),
        transaction.atomic(),
    ):
        LedgerEntry.objects.create(number=3, debit=1, accounting_debit=1, **late)
        LedgerEntry.objects.create(number=4, credit=1, accounting_credit=1, **late)
    assert voucher.entries.count() == 2


def test_an_entry_is_a_debit_or_a_credit(no1):
    """PST-2"""
    for values in ({"debit": 1, "credit": 1}, {"debit": -1}, {"accounting_debit": 1, "accounting_credit": 1}):
        with pytest.raises(IntegrityError, match="ledger_entry_is_a_debit_or_a_credit"), transaction.atomic():
            unbalanced(no1, 1, _1920=values)


def test_a_journal_line_is_posted_once(no1, line):
    """PST-1: the unique link from voucher to line decides."""
    cost(no1, line)
    take_up_and_post(no1)
    plan = balanced(no1, journal_line=JournalLine.objects.get())
    plan.kind = Voucher.Kind.JOURNAL

    with pytest.raises(IntegrityError), transaction.atomic():
        post(no1, plan)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_who_post_at_once_make_one_chain_without_gap():
    """MON-7, PST-7: also when some of them roll back."""
    no1 = company()
    barrier, troubles = threading.Barrier(4), []

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
        except Exception as trouble:  # shown by the assertion
            troubles.append(trouble)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert troubles == []
    vouchers = list(Voucher.objects.order_by("position"))
    assert [v.position for v in vouchers] == list(range(1, 49))
    assert [v.number for v in vouchers] == [f"V-2025-{n:07}" for n in range(1, 49)]
    assert [v.previous_hash for v in vouchers] == ["", *(v.hash for v in vouchers[:-1])]
