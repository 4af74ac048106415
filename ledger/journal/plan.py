"""Plans journal lines and their vouchers from what was loaded (JRN-2, JRN-3, JRN-5 to JRN-7).

Pure: rows in, unsaved lines and voucher plans out. Adding an actual to a journal and posting its line are in
one file because they share the periods and the rule for reversals: a reversal mirrors its original, at the
stored rate and on the accounts of the original, whatever the set-up says today.
"""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.urls import reverse

from actuals.models import Actual, BillingType
from contracts.models import (
    Category,
    ContractLine,
    LegalEntity,
    Project,
    ProjectContract,
    TransactionClass,
)
from contracts.rates import Rates, agreed
from contracts.tax_groups import billing_group
from invoicing_site.floor import bounds, money
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Amount
from ledger.books import chain
from ledger.books.periods import PeriodBook
from ledger.books.plan import EntryPlan, VoucherPlan
from ledger.models import (
    DimensionSet,
    FiscalPeriod,
    JournalLine,
    LedgerEntry,
    PostingAccount,
    Profile,
    ProjectTransaction,
    Voucher,
)
from ledger.setup.accounts import AccountBook, ProfileBook
from ledger.setup.dimensions import DefaultDimensions
from proforma import tax_groups

_Purpose = PostingAccount.Purpose
_Kind = ProjectTransaction.Kind
_SALES = Actual.Type.UNBILLED_SALES


def accounting_date(entity: LegalEntity, periods: PeriodBook, day: datetime.date) -> datetime.date:
    """The day on which an actual of that accounting date is posted (JRN-2).

    A day in a closed period becomes the first day of the next open period if the entity's parameter says so.
    Otherwise it is refused. Refused also if the period is on hold (this is temporary, so the day does not
    move) and if there is no period.
    """
    closed = periods.period(day).status == FiscalPeriod.Status.CLOSED
    if closed and entity.closed_period == LegalEntity.ClosedPeriod.MOVE:
        return periods.next_open_day(day)
    periods.open_period(day)
    return day


# Adding actuals to journals


class Waiting(NamedTuple):
    """The columns of an actual that its line is made of. Instances would take twice the time."""

    pk: int
    type: str
    transaction_class: str
    billing_type: str
    date: datetime.date
    accounting_date: datetime.date
    amount: Decimal
    currency: str
    batch_id: int
    entry_id: int | None
    project_id: int | None
    contract_id: int | None
    contract_line_id: int | None
    contract_customer_id: int | None
    category_id: int | None
    product_id: int | None
    reverses_id: int | None
    replaces_id: int | None


@dataclass
class AddingFacts:
    """The data that `new_line` needs; dictionaries by primary key."""

    entity: LegalEntity
    periods: PeriodBook
    rates: Rates
    dimensions: DefaultDimensions
    project_tax_groups: dict[int, int | None]
    contracts: dict[int, ProjectContract]
    customer_tax_groups: dict[int, int | None]  # by contract customer
    category_tax_groups: dict[int, int | None]
    product_tax_groups: dict[int, int | None]
    lines: dict[int, JournalLine]  # of the actuals that are reversed or replaced; new lines are added to it
    currencies: dict[int, str]  # of the actuals that have `lines`
    behind: dict[int, int]  # see `booked_behind`
    posted: set[int]  # those in `behind` that are posted
    errors: set[int]  # the batches that undo mistakes
    billing_tax_groups: dict[tuple, int | None] = field(default_factory=dict)  # found so far


def new_line(actual: Waiting, facts: AddingFacts) -> JournalLine:
    """The unsaved line of an actual, without its journal; `error` is the reason why it can't be posted yet.

    Refused if the actual can't be added to a journal: it has no exchange rate (FX-MISSING), its amount is too
    large for the books, or it reverses an actual that is in no journal (ORIGINAL-MISSING).
    """
    if actual.reverses_id:
        line = _line_of_reversal(actual, facts)
    else:
        rate = _rate(actual, facts)
        line = JournalLine(
            exchange_rate=rate,
            accounting_amount=_accounting_amount(actual, rate, facts.entity.currency),
            billing_tax_group_id=_billing_tax_group(actual, facts),
            item_tax_group_id=_item_tax_group(actual, facts),
            dimensions_id=_dimensions(actual, facts),
        )
    line.actual_id = actual.pk
    line.line_property = actual.billing_type
    line.accounting_date = _day_of(actual, facts)
    try:
        line.accounting_date = accounting_date(facts.entity, facts.periods, line.accounting_date)
    except Refused as refusal:
        line.error = refusal.reason
    facts.lines[actual.pk], facts.currencies[actual.pk] = line, actual.currency
    return line


def _day_of(actual, facts) -> datetime.date:
    """The accounting date; a mistake that is not posted yet is reversed on its own day (JRN-7)."""
    behind = facts.behind.get(actual.pk)
    if actual.reverses_id and actual.batch_id in facts.errors and behind not in facts.posted:
        return facts.lines[behind].accounting_date
    return actual.accounting_date


def _line_of_reversal(actual, facts):
    original = facts.lines.get(facts.behind.get(actual.pk))
    if original is None:
        raise Refused("ORIGINAL-MISSING", actual=str(actual.pk), original=str(actual.reverses_id))
    return JournalLine(
        exchange_rate=original.exchange_rate,
        accounting_amount=-original.accounting_amount,
        billing_tax_group_id=original.billing_tax_group_id,
        item_tax_group_id=original.item_tax_group_id,
        dimensions_id=original.dimensions_id,
    )


def _rate(actual, facts) -> Decimal:
    """A replacement keeps the rate of what it replaces (JRN-7); sales have their contract's (PST-5)."""
    behind = facts.behind.get(actual.pk)
    if behind and facts.currencies.get(behind) == actual.currency:
        return facts.lines[behind].exchange_rate
    contract = facts.contracts.get(actual.contract_id)
    of_contract = actual.type == _SALES and agreed(contract, actual.currency, facts.entity.currency)
    return of_contract or facts.rates.on(actual.currency, actual.date)


def _accounting_amount(actual, rate, currency) -> Decimal:
    is_own = actual.currency == currency and rate == 1
    amount = actual.amount if is_own else money.converted(actual.amount, rate, currency)
    if abs(amount) > bounds.MOST_TOTAL:
        found = {"actual": str(actual.pk), "amount": Amount(amount, currency), "most": bounds.MOST_TOTAL}
        remedy = reverse("approval", args=[actual.entry_id]) if actual.entry_id else ""
        if actual.currency == currency:
            raise Refused("ACTUAL-TOO-LARGE", remedy=remedy, **found)
        raise Refused("ACTUAL-TOO-LARGE-CONVERTED", remedy=remedy, rate=rate, **found)
    return amount


def _dimensions(actual, facts) -> int | None:
    dimensions = facts.dimensions.of(
        project_id=actual.project_id,
        contract_line_id=actual.contract_line_id,
        transaction_class=actual.transaction_class,
    )
    return dimensions.pk if dimensions else None


def _billing_tax_group(actual, facts) -> int | None:
    key = actual.project_id, actual.contract_id, actual.contract_customer_id
    if key not in facts.billing_tax_groups:
        facts.billing_tax_groups[key] = _found_billing_tax_group(actual, facts)
    return facts.billing_tax_groups[key]


def _found_billing_tax_group(actual, facts) -> int | None:
    contract = facts.contracts.get(actual.contract_id)
    return billing_group(
        facts.entity.tax_group_source,
        project=facts.project_tax_groups.get(actual.project_id),
        contract=contract.billing_tax_group_id if contract else None,
        customer=facts.customer_tax_groups.get(actual.contract_customer_id),
    )


def _item_tax_group(actual, facts) -> int | None:
    return tax_groups.item_group(
        facts.entity,
        actual.transaction_class,
        category=facts.category_tax_groups.get(actual.category_id),
        product=facts.product_tax_groups.get(actual.product_id),
    )


# Posting


@dataclass
class Booked:
    """The voucher of an original (or its plan), with its entries and project transactions."""

    voucher: Voucher | VoucherPlan
    entries: list[LedgerEntry | EntryPlan]
    project_transactions: list[ProjectTransaction]


@dataclass
class PostingFacts:
    """What `plan_line` needs; dictionaries by primary key."""

    entity: LegalEntity
    periods: PeriodBook
    accounts: AccountBook
    profiles: ProfileBook
    projects: dict[int, Project]
    contracts: dict[int, ProjectContract]
    contract_lines: dict[int, ContractLine]
    categories: dict[int, Category]
    resources: dict[int, str]
    dimensions: dict[int, DimensionSet]
    behind: dict[int, int]  # see `booked_behind`
    journals: dict[int, str]  # number of the journal of an original that is not posted, by actual
    booked: dict[int, Booked] = field(default_factory=dict)  # by actual; planned vouchers are added to it


def plan_line(line: JournalLine, facts: PostingFacts) -> VoucherPlan:
    """The voucher of one line; changes its accounting date if that has to move to another period.

    Refused if its day can't be posted on, if a profile or an account is missing, or if the line that it
    reverses is not posted.
    """
    actual = line.actual
    line.accounting_date = accounting_date(facts.entity, facts.periods, line.accounting_date)
    if actual.type == Actual.Type.BILLED_SALES:
        raise Refused("BILLED-BY-INVOICE")
    plan = VoucherPlan(
        kind=Voucher.Kind.JOURNAL,
        date=line.accounting_date,
        document_date=actual.date,
        period=facts.periods.open_period(line.accounting_date),
        text=_text(actual, facts),
        entries=[],
        claims_hash="",
        journal_line=line,
    )
    if actual.reverses_id:
        _mirror(plan, line, facts)
    elif actual.type == Actual.Type.COST:
        _book_cost(plan, line, facts)
    else:
        _book_sales(plan, line, facts)
    plan.claims_hash = chain.claims_of_journal_line(line)
    facts.booked[actual.pk] = Booked(plan, list(plan.entries), plan.project_transactions)
    return plan


def _book_cost(plan, line, facts):
    """Dr project cost (or WIP), Cr payroll or offset; a disbursement goes to its own account, not to cost."""
    actual = line.actual
    before = facts.booked.get(facts.behind.get(actual.pk))
    if before and facts.periods.is_year_closed(before.voucher.date):
        _book_as_before(plan, line, before, facts)
        return
    profile = _profile(actual, facts)
    kind, in_balance = _Kind.COST, profile.cost == Profile.Cost.BALANCE
    debit = _Purpose.WIP_COST if in_balance else _Purpose.PROJECT_COST
    if _is_disbursement(actual, facts):  # regardless of the profile, because the invoice clears it
        debit, kind, in_balance = _Purpose.DISBURSEMENT, _Kind.DISBURSEMENT, True
    elif profile.cost == Profile.Cost.NEVER:
        _to_project(plan, line, _Kind.COST)
        return
    credit = _Purpose.PAYROLL_ALLOCATION if actual.transaction_class == "time" else _Purpose.COST_OFFSET
    _book(plan, line, facts, profile, debit, credit)
    _to_project(plan, line, kind, in_balance=in_balance)


def _book_as_before(plan, line, before, facts):
    """A replacement for a cost of a closed fiscal year is posted on the same accounts (CON-6)."""
    dimensions = facts.dimensions.get(line.dimensions_id)
    plan.entries = [
        EntryPlan(
            account=entry.account,
            debit=entry.debit,
            credit=entry.credit,
            currency=entry.currency,
            rate=entry.rate,
            accounting_debit=entry.accounting_debit,
            accounting_credit=entry.accounting_credit,
            dimensions=dimensions,
            project=entry.project,
        )
        for entry in before.entries
    ]
    for row in before.project_transactions:
        _to_project(plan, line, row.kind, in_balance=row.in_balance)


def _book_sales(plan, line, facts):
    """Dr WIP sales value, Cr accrued revenue where revenue is accrued; else the project subledger only."""
    actual = line.actual
    accrues = (
        actual.billing_type == BillingType.CHARGEABLE
        and not _is_disbursement(actual, facts)
        and _profile(actual, facts).accrues(actual.transaction_class)
    )
    if not accrues:
        _to_project(plan, line, _Kind.UNBILLED)
        return
    _book(plan, line, facts, _profile(actual, facts), _Purpose.WIP_SALES, _Purpose.ACCRUED_REVENUE)
    _to_project(plan, line, _Kind.ACCRUED, in_balance=True)


def _book(plan, line, facts, profile, debit, credit):
    actual = line.actual
    if not actual.amount and not line.accounting_amount:
        return
    for book, purpose in ((EntryPlan.debiting, debit), (EntryPlan.crediting, credit)):
        account = facts.accounts.account(
            purpose,
            profile=profile,
            transaction_class=actual.transaction_class,
            category_id=actual.category_id,
        )
        plan.entries.append(
            book(
                account,
                actual.amount,
                line.accounting_amount,
                currency=actual.currency,
                rate=line.exchange_rate,
                dimensions=facts.dimensions.get(line.dimensions_id),
                project=facts.projects.get(actual.project_id),
            )
        )


def _to_project(plan, line, kind, *, in_balance=False):
    actual = line.actual
    if actual.project_id is None:
        return
    plan.project_transactions.append(
        ProjectTransaction(
            project_id=actual.project_id,
            contract_line_id=actual.contract_line_id,
            actual_id=actual.pk,
            kind=kind,
            transaction_class=actual.transaction_class,
            date=line.accounting_date,
            quantity=actual.quantity,
            amount=actual.amount,
            currency=actual.currency,
            accounting_amount=line.accounting_amount,
            in_balance=in_balance,
        )
    )


def _mirror(plan, line, facts):
    """The entries of the original with debit and credit swapped; same accounts and rate (MON-5, JRN-7)."""
    behind = facts.behind.get(line.actual_id)
    original = facts.booked.get(behind)
    if original is None:
        if number := facts.journals.get(behind):
            raise Refused("ORIGINAL-IN-JOURNAL", journal=number)
        raise Refused("ORIGINAL-NOT-POSTED")
    plan.reverses = original.voucher
    plan.entries = [
        EntryPlan(
            account=entry.account,
            debit=entry.credit,
            credit=entry.debit,
            currency=entry.currency,
            rate=entry.rate,
            accounting_debit=entry.accounting_credit,
            accounting_credit=entry.accounting_debit,
            dimensions=entry.dimensions,
            project=entry.project,
        )
        for entry in original.entries
    ]
    plan.project_transactions = [
        ProjectTransaction(
            project_id=row.project_id,
            contract_line_id=row.contract_line_id,
            actual_id=line.actual_id,
            kind=row.kind,
            transaction_class=row.transaction_class,
            date=line.accounting_date,
            quantity=-row.quantity,
            amount=-row.amount,
            currency=row.currency,
            accounting_amount=-row.accounting_amount,
            in_balance=row.in_balance,
        )
        for row in original.project_transactions
    ]


def _profile(actual, facts) -> Profile:
    return facts.profiles.profile(
        facts.projects.get(actual.project_id), facts.contracts.get(actual.contract_id)
    )


def _is_disbursement(actual, facts) -> bool:
    """Whether it is a disbursement on a line that charges disbursements: neither cost nor revenue."""
    category = facts.categories.get(actual.category_id)
    line = facts.contract_lines.get(actual.contract_line_id)
    return bool(
        category
        and category.is_disbursement
        and line
        and line.billing_method == ContractLine.BillingMethod.TIME_AND_MATERIAL
    )


def _text(actual, facts) -> str:
    project = facts.projects.get(actual.project_id)
    words = [
        f"{TransactionClass(actual.transaction_class).label} {Actual.Type(actual.type).label}",
        project.code if project else "",
        facts.resources.get(actual.resource_id, ""),
        actual.description,
    ]
    return ", ".join(filter(None, words))
