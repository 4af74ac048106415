"""The hash chain: the content that it covers, and that every change is found."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection

from invoicing_site.verify.chain import vouchers
from ledger.books import chain
from ledger.models import JournalLine, LedgerEntry, Voucher
from tests.factories import company, contract
from tests.ledger.journal_samples import DAY, add_and_post, cost, unbilled, use_profile
from tests.ledger.voucher_samples import balanced, customer_row, post, project_row, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


@pytest.fixture
def posted(no1):
    plan = balanced(no1, customer_transactions=[customer_row(no1)], project_transactions=[project_row(no1)])
    (voucher,) = post(no1, plan)
    return voucher


def verified(voucher):
    """The hash calculated again from the stored rows."""
    voucher = Voucher.objects.get(pk=voucher.pk)
    return chain.voucher_hash(
        voucher,
        voucher.entries.all(),
        voucher.customer_transactions.all(),
        voucher.project_transactions.all(),
    )


def test_each_voucher_has_the_hash_of_the_previous_one(no1, line):
    """PST-7"""
    use_profile(no1, "ACCRUE")
    post(no1, balanced(no1))
    cost(no1, line, Decimal("333.33"))
    unbilled(no1, line, Decimal("0.10"), quantity=Decimal("7.5"))
    add_and_post(no1)
    rows = list(Voucher.objects.order_by("position"))

    assert [v.previous_hash for v in rows] == ["", *(v.hash for v in rows[:-1])]
    sequence = no1.entity.number_sequences.get(kind="voucher")
    assert (sequence.chain_length, sequence.chain_hash) == (3, rows[-1].hash)
    assert [v.hash for v in rows] == [verified(v) for v in rows]
    assert [v.claims_hash for v in rows[1:]] == [
        chain.claims_of_journal_line(v.journal_line) for v in rows[1:]
    ]


def test_each_entity_has_its_own_chain(no1):
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
    "UPDATE ledger_voucher SET hash_format = 2",
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


@pytest.fixture(autouse=True)
def a_later_format(monkeypatch):
    """A format that hashes a voucher's row number too, as a later version might."""
    first = chain.FORMATS[1]
    later = {**first, Voucher: first[Voucher] + " id"}
    monkeypatch.setattr(chain, "FORMATS", {**chain.FORMATS, 2: later})
    chain._reader.cache_clear()
    yield
    chain._reader.cache_clear()


@pytest.fixture
def guards_off():
    """Drop the guards, as the owner of the database could; the rollback of the test restores them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # pending deferred checks would run too late
            cursor.execute("SET LOCAL session_replication_role = replica")
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')


@pytest.mark.parametrize("sql", CHANGES)
def test_a_change_without_guards_is_found_by_the_hash(posted, guards_off, sql):
    """PST-7"""
    assert verified(posted) == posted.hash
    run(sql)
    assert verified(posted) != posted.hash


def test_vouchers_of_an_older_format_are_verified_next_to_newer_ones(no1, line, monkeypatch):
    """PST-7"""
    cost(no1, line)
    add_and_post(no1)
    monkeypatch.setattr(chain, "CURRENT", 2)
    unbilled(no1, line)
    add_and_post(no1)

    assert [v.hash_format for v in Voucher.objects.order_by("position")] == [1, 2]
    assert [v.hash for v in Voucher.objects.all()] == [verified(v) for v in Voucher.objects.all()]
    assert list(vouchers(no1.entity)) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (2, "its content has another hash"),
        (3, "format 3"),
    ],
)
def test_a_format_that_was_changed_is_named(posted, no1, guards_off, number, words):
    """PST-7"""
    assert list(vouchers(no1.entity)) == []
    run(f"UPDATE ledger_voucher SET hash_format = {number}")
    (finding,) = vouchers(no1.entity)
    assert (finding.code, finding.number) == ("CHAIN", posted.number)
    assert words in finding.sentence


def test_the_format_is_part_of_the_text_and_of_each_hash():
    """PST-7"""
    assert "hash_format" in chain.FORMATS[chain.CURRENT][Voucher].split()
    assert chain.digest("a", of=2) != chain.digest("a")


def test_a_changed_claim_does_not_match_its_voucher(no1, line, guards_off):
    """PST-7: the hash covers the actual behind the line."""
    actual = cost(no1, line)
    add_and_post(no1)
    voucher = Voucher.objects.get()
    run(f"UPDATE actuals_actual SET quantity = 9 WHERE id = {actual.pk}")

    assert chain.claims_of_journal_line(JournalLine.objects.get()) != voucher.claims_hash


def test_the_text_of_a_row_never_changes():
    """PST-7: exactly these texts are hashed, now and when the books are verified in ten years."""
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
    assert chain.digest("a") == "95b9722128f3b50fc5cfefb105116254579367f24b21e518413b9980f6af4952"


def test_a_text_never_rounds():
    """PST-7, MON-1"""
    with pytest.raises(ValueError, match="has more: round it first"):
        chain.canonical(LedgerEntry(debit=Decimal("0.00001")))
