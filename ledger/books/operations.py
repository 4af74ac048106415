"""Writing vouchers: all postings go through here (PST-1 to PST-3, PST-7).

An operation that posts something makes plans, which are plain data, and passes them here; a preview uses the
same plans. Numbers and hashes are drawn last, because others wait for that row until commit.
"""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from itertools import chain as chains

from django.db import connection
from django.utils import timezone

from contracts.models import LegalEntity, NumberSequence
from contracts.operations.numbers import draw_for
from invoicing_site.floor import transaction
from invoicing_site.floor.querysets import draw_ids, in_chunks, write_rows
from ledger.books import balances, chain
from ledger.books.plan import VoucherPlan, imbalance
from ledger.books.settling import closing_days
from ledger.models import (
    CustomerTransaction,
    LedgerEntry,
    ProjectTransaction,
    Settlement,
    Voucher,
)

_ZERO = Decimal(0)
_TEXT_LENGTH = Voucher._meta.get_field("text").max_length


def write_vouchers(
    entity: LegalEntity, plans: list[VoucherPlan], *, by, complete: Callable[[], None] = lambda: None
) -> list[Voucher]:
    """Write the plans as vouchers, in their order, and return the saved vouchers.

    Runs in the caller's transaction, which holds the periods (`hold_open`). Entries and project transactions
    are written and hashed first. Then `complete` draws the numbers of documents, and completes the texts, the
    claims and the customer transactions of the plans. The voucher sequence is the last lock, until commit.
    Numbers have no gap. A plan that does not balance, in each currency and in accounting currency, or is
    outside its period, is an AssertionError: it is a bug. Refused (NUM-MISSING) if the entity has no voucher
    sequence.
    """
    assert connection.in_atomic_block, "Vouchers are written inside the transaction of what they book."
    if not plans:
        return []
    for plan in plans:
        _check(entity, plan)
    keys = draw_ids(Voucher, len(plans))
    texts = _write_entries(plans, keys)
    complete()
    numbers = draw_for(entity, NumberSequence.Kind.VOUCHER, [plan.date for plan in plans])
    sequence = numbers[0].sequence  # read under its lock, so that nobody else adds to the chain
    vouchers = []
    written: dict[int, int] = {}
    stamp = timezone.now()
    for plan, number, key, (entries, project_transactions) in zip(plans, numbers, keys, texts, strict=True):
        voucher = Voucher(
            pk=key,
            entity_id=entity.pk,
            number=number.text,
            kind=plan.kind,
            date=plan.date,
            document_date=plan.document_date,
            period_id=plan.period.pk,
            text=plan.text[:_TEXT_LENGTH],
            journal_line_id=_key(plan.journal_line),
            reverses_id=written[id(plan.reverses)]
            if isinstance(plan.reverses, VoucherPlan)
            else _key(plan.reverses),
            position=sequence.chain_length + 1,
            hash_format=chain.CURRENT,
            claims_hash=plan.claims_hash,
            previous_hash=sequence.chain_hash,
            posted_at=stamp,
            posted_by_id=_key(by),
        )
        for row in plan.customer_transactions:
            row.voucher_id = key
            if (
                plan.kind == Voucher.Kind.SETTLEMENT
            ):  # the settling transaction already includes the difference
                row.closed_on = max(row.date, plan.date)
        voucher.hash = chain.hash_of_texts(
            voucher, entries, chain.texts_of(plan.customer_transactions), project_transactions
        )
        sequence.chain_length, sequence.chain_hash = voucher.position, voucher.hash
        written[id(plan)] = key
        vouchers.append(voucher)
    write_rows(Voucher, vouchers)
    write_rows(CustomerTransaction, chains.from_iterable(plan.customer_transactions for plan in plans))
    sequence.save(update_fields=["chain_length", "chain_hash"])
    for kind, changed in balances.raised(plans):
        _write_balances(kind, changed)
    return vouchers


def _write_entries(plans, keys) -> list[tuple[list[str], list[str]]]:
    """Write what needs no number; returns the texts of entries and project transactions of each plan."""
    entries = []
    for plan, key in zip(plans, keys, strict=True):
        entries.append([_entry(key, place, entry) for place, entry in enumerate(plan.entries, start=1)])
        for row in plan.project_transactions:
            row.voucher_id = key
    # Their vouchers are written later; foreign keys are checked at commit.
    write_rows(LedgerEntry, chains.from_iterable(entries))
    write_rows(ProjectTransaction, chains.from_iterable(plan.project_transactions for plan in plans))
    return [
        (chain.texts_of(own), chain.texts_of(plan.project_transactions))
        for own, plan in zip(entries, plans, strict=True)
    ]


def settle(settlements: list[Settlement]) -> list[Settlement]:
    """Write settlements and note which transactions they close, or reopen if they reverse others (PST-8).

    Runs in the caller's transaction, before it draws numbers: the transactions are locked.
    """
    assert connection.in_atomic_block, "Settlements are written inside the transaction of what they settle."
    keys = {key for row in settlements for key in (row.debit_id, row.credit_id)}
    touched = CustomerTransaction.objects.filter(pk__in=keys)
    before = {row.pk: row.closed_on for row in touched.locked()}
    write_rows(Settlement, settlements)
    _close(touched, before)
    return settlements


def _close(transactions, before) -> int:
    """Write the closing days that differ from those of before; returns how many."""
    changed = defaultdict(list)
    days = closing_days(transactions)
    for key, day in before.items():
        if days.get(key) != day:
            changed[days.get(key)].append(key)
    for day, keys in changed.items():
        for some in in_chunks(keys, 1000):
            CustomerTransaction.objects.filter(pk__in=some).update(closed_on=day)
    return sum(map(len, changed.values()))


@transaction.atomic
def rebuild_balances(entity: LegalEntity) -> int:
    """Correct the stored balances and closing days that differ from their rows; returns how many.

    Postings wait until it ends. A balance without rows becomes 0, because balances are never deleted.
    """
    own = CustomerTransaction.objects.filter(customer__entity=entity)
    corrected = _close(own, {row.pk: row.closed_on for row in own.locked()})
    NumberSequence.objects.locked().filter(entity=entity, kind=NumberSequence.Kind.VOUCHER).first()
    wrong: dict[balances.Kind, list] = {}
    for found in balances.differences(entity):
        row = found.kind.new(found.key)
        row.pk = found.balance
        for name, amount in zip(found.kind.sums, found.rows, strict=True):
            setattr(row, name, amount)
        wrong.setdefault(found.kind, []).append(row)
    for kind, rows in wrong.items():
        _write_balances(kind, rows)
    return corrected + sum(map(len, wrong.values()))


def _write_balances(kind, rows):
    """Insert the new balances and update the others, by one statement for all of them."""
    new = [row for row in rows if row.pk is None]
    for row, key in zip(new, draw_ids(kind.model, len(new)), strict=True):
        row.pk = key
    kind.model._base_manager.bulk_create(
        rows, batch_size=1000, update_conflicts=True, unique_fields=["pk"], update_fields=kind.sums
    )


def _check(entity, plan):
    assert plan.period.entity_id == entity.pk, f"{plan.text}: the period is another entity's."
    assert plan.period.starts <= plan.date <= plan.period.ends, (
        f"{plan.text}: {plan.date} is outside its period."
    )
    own, accounting = imbalance(plan.entries)
    assert not own, f"{plan.text} does not balance: {own}."
    assert not accounting, f"{plan.text} does not balance in accounting currency: {accounting}."
    strangers = [row.date for row in plan.project_transactions if row.date != plan.date]
    assert not strangers, f"{plan.text}: a project transaction is dated {strangers[0]}."


def _entry(voucher_id, number, plan) -> LedgerEntry:
    # By key: assigning instances is slow for thousands of entries.
    return LedgerEntry(
        voucher_id=voucher_id,
        number=number,
        account_id=plan.account.pk,
        debit=plan.debit,
        credit=plan.credit,
        currency=plan.currency,
        rate=plan.rate,
        accounting_debit=plan.accounting_debit,
        accounting_credit=plan.accounting_credit,
        dimensions_id=_key(plan.dimensions),
        project_id=_key(plan.project),
        customer_id=_key(plan.customer),
        tax_code_id=_key(plan.tax_code),
        tax_percent=plan.tax_percent,
        tax_base=plan.tax_base,
        due_date=plan.due_date,
        text=plan.text[:_TEXT_LENGTH],
    )


def _key(row) -> int | None:
    return None if row is None else row.pk
