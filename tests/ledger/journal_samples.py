"""Actuals for the integration journal, and their entries as an accountant would list them."""

import datetime
from decimal import Decimal

from actuals.models import Actual, Batch
from actuals.operations import open_batch, reverse
from ledger.journal.operations.journals import add_to_journals, post_journals
from ledger.models import Voucher
from tests.factories import ActualFactory, remembered

DAY = datetime.date(2025, 3, 10)
APRIL_10 = datetime.date(2025, 4, 10)

# Accounts of the standard chart.
COST, PAYROLL, OFFSET, WIP_COST, WIP_SALES, ACCRUED = "4300", "5090", "4390", "1440", "1530", "3080"
DISBURSEMENT = "1570"


@remembered
def use_profile(no1, code, **changes):
    """Use this profile, with changes, for everything from now on."""
    profile = no1.books.profiles[code]
    for name, value in changes.items():
        setattr(profile, name, value)
    profile.save()
    no1.entity.profile_assignments.update(profile=profile)
    return profile


def _what(no1, transaction_class):
    person = {"resource": no1.resource, "role": no1.role}
    return {
        "time": {"category": no1.time, **person},
        "expense": {"category": no1.travel, "resource": no1.resource, "unit": "each"},
        "material": {"product": no1.product, "unit": "each"},
        "fee": {"category": no1.fee, "unit": "each"},
    }.get(transaction_class, {})


@remembered
def cost(no1, line, amount=800, transaction_class="time", **fields) -> Actual:
    """A cost actual of one unit."""
    defaults = {"price": Decimal(amount), "amount": Decimal(amount), **_what(no1, transaction_class)}
    return ActualFactory(
        type="cost", line=line, transaction_class=transaction_class, **{**defaults, **fields}
    )


@remembered
def unbilled(no1, line, amount=1600, transaction_class="time", **fields) -> Actual:
    """Unbilled sales of one unit."""
    defaults = {"price": Decimal(amount), "amount": Decimal(amount), **_what(no1, transaction_class)}
    return ActualFactory(line=line, transaction_class=transaction_class, **{**defaults, **fields})


@remembered
def reversed_on(actual, day) -> Actual:
    """The reversal of an actual by a change of terms on that day, which is its accounting date (JRN-7)."""
    batch = open_batch(actual.entity, Batch.Action.ADJUST, on=day, by=None)
    (reversal,) = reverse([actual], batch=batch)
    return reversal


@remembered
def add_all(no1, on=DAY):
    return add_to_journals(no1.entity, on=on, by=no1.accountant)


@remembered
def add_and_post(no1, on=DAY):
    taken = add_all(no1, on)
    return taken, post_journals(no1.entity, by=no1.accountant, on=on)


def voucher_of(actual) -> Voucher:
    return Voucher.objects.get(journal_line__actual=actual)


def entries_of(actual) -> list[tuple]:
    """(account, debit, credit) of each entry in the accounting currency, in order."""
    return [
        (entry.account.number, entry.accounting_debit, entry.accounting_credit)
        for entry in voucher_of(actual).entries.select_related("account").order_by("number")
    ]


def subledger_of(actual) -> list[tuple]:
    """(kind, amount in accounting currency, whether it is in the balance) of each project transaction."""
    return [
        (row.kind, row.accounting_amount, row.in_balance)
        for row in actual.project_transactions.order_by("pk")
    ]
