"""Vouchers that are written directly, without any documents."""

from decimal import Decimal

from django.db import connection, transaction

from contracts.models import LegalEntity
from ledger.books.balances import differences
from ledger.books.operations import write_vouchers
from ledger.books.periods import hold_open, period_of
from ledger.books.plan import EntryPlan, VoucherPlan
from ledger.models import CustomerTransaction, ProjectTransaction, Voucher
from tests.ledger.journal_samples import DAY

CLAIMS = "c" * 64


def entry(no1, number, debit=0, credit=0, **fields):
    """An entry in kroner by default."""
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


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def balances_are_kept():
    """Whether the stored balances of all companies equal their rows."""
    assert [found for entity in LegalEntity.objects.all() for found in differences(entity)] == []
    return True
