"""Planned vouchers and entries as plain data, for previews, checks and posting (PST-1)."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

from contracts.models import Customer, Project
from ledger.models import (
    Account,
    CustomerTransaction,
    DimensionSet,
    FiscalPeriod,
    JournalLine,
    ProjectTransaction,
    TaxCode,
    Voucher,
)

_ZERO = Decimal(0)


@dataclass
class EntryPlan:
    """One planned debit or credit, in the transaction's currency and in the accounting currency."""

    account: Account
    debit: Decimal
    credit: Decimal
    currency: str
    rate: Decimal
    accounting_debit: Decimal
    accounting_credit: Decimal
    dimensions: DimensionSet | None = None
    project: Project | None = None
    customer: Customer | None = None
    tax_code: TaxCode | None = None
    tax_percent: Decimal | None = None
    tax_base: Decimal | None = None
    due_date: datetime.date | None = None
    text: str = ""

    @classmethod
    def debiting(cls, account, amount, accounting_amount, **rest) -> "EntryPlan":
        """A debit of signed amounts: a negative one becomes a credit."""
        debit, credit = (amount, _ZERO) if amount >= 0 else (_ZERO, -amount)
        own = (accounting_amount, _ZERO) if accounting_amount >= 0 else (_ZERO, -accounting_amount)
        return cls(
            account=account,
            debit=debit,
            credit=credit,
            accounting_debit=own[0],
            accounting_credit=own[1],
            **rest,
        )

    @classmethod
    def crediting(cls, account, amount, accounting_amount, **rest) -> "EntryPlan":
        """A credit of signed amounts: a negative one becomes a debit."""
        return cls.debiting(account, -amount, -accounting_amount, **rest)


@dataclass
class VoucherPlan:
    """A planned voucher, with everything that is posted with it.

    A voucher without entries posts to a subledger only. The transactions are unsaved instances without a
    voucher. The voucher that it reverses may be a plan before it in the same list.
    """

    kind: str
    date: datetime.date
    document_date: datetime.date
    period: FiscalPeriod
    text: str
    entries: list[EntryPlan]
    claims_hash: str
    journal_line: JournalLine | None = None
    customer_transactions: list[CustomerTransaction] = field(default_factory=list)
    project_transactions: list[ProjectTransaction] = field(default_factory=list)
    reverses: "Voucher | VoucherPlan | None" = None


def imbalance(entries: list[EntryPlan]) -> tuple[dict[str, Decimal], Decimal]:
    """Debit less credit: by currency where it is not 0, and in accounting currency."""
    own: dict[str, Decimal] = {}
    accounting = _ZERO
    for entry in entries:
        own[entry.currency] = own.get(entry.currency, _ZERO) + entry.debit - entry.credit
        accounting += entry.accounting_debit - entry.accounting_credit
    return {currency: difference for currency, difference in own.items() if difference}, accounting
