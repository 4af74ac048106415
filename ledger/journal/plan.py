"""What becomes of an actual in the books, worked out from what was read (JRN-2, JRN-3, JRN-5 to JRN-7).

Pure: rows in, unsaved lines and voucher plans out. Both steps stand here, taking an actual up into a journal
and posting its line, because they share the periods and the treatment of reversals: a reversal is the mirror
image of its original, at the stored rate and on the original's accounts, whatever the set-up says today.
"""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

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
    """The day on which a fact of that accounting date is booked (JRN-2).

    A day in a closed period becomes the first day of the next open one when the entity says so. Otherwise it
    is Refused, as it is on hold (which passes, so nothing is moved) and outside the books.
    """
    closed = periods.period(day).status == FiscalPeriod.Status.CLOSED
    if closed and entity.closed_period == LegalEntity.ClosedPeriod.MOVE:
        return periods.next_open_day(day)
    periods.open_period(day)
    return day


# Taking up


@dataclass
class TakeUpFacts:
    """What is asked of actuals that become journal lines; dictionaries by primary key."""

    entity: LegalEntity
    periods: PeriodBook
    rates: Rates
    dimensions: DefaultDimensions
    project_tax_groups: dict[int, int | None]
    contracts: dict[int, ProjectContract]
    customer_tax_groups: dict[int, int | None]  # by contract customer
    category_tax_groups: dict[int, int | None]
    product_tax_groups: dict[int, int | None]
    lines: dict[int, JournalLine]  # of the actuals that are reversed or replaced; grows with what is taken up
    behind: dict[int, int]  # for what reverses or replaces another, the nearest one that the journal books
    posted: set[int]  # of those behind, the ones that are posted
    errors: set[int]  # the batches that take errors back


def take_up(actual: Actual, facts: TakeUpFacts) -> JournalLine:
    """The unsaved line of an actual, without its journal; what keeps it from being posted is its `error`.

    Refused where the actual has to stay out of any journal for now: no exchange rate, an amount that is more
    than the books can hold, or a reversal whose original is in none.
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
            dimensions=facts.dimensions.of(
                project_id=actual.project_id,
                contract_line_id=actual.contract_line_id,
                transaction_class=actual.transaction_class,
            ),
        )
    line.actual = actual
    line.line_property = actual.billing_type
    line.accounting_date = _day_of(actual, facts)
    try:
        line.accounting_date = accounting_date(facts.entity, facts.periods, line.accounting_date)
    except Refused as refusal:
        line.error = refusal.reason
    facts.lines[actual.pk] = line
    return line


def _day_of(actual, facts) -> datetime.date:
    """The day of the action; an error that is not posted yet is canceled on its own day (JRN-7)."""
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
    """What stands in for another fact keeps its rate (JRN-7), sales have that of their contract (PST-5)."""
    replaced = facts.lines.get(facts.behind.get(actual.pk))
    if replaced and replaced.actual.currency == actual.currency:
        return replaced.exchange_rate
    contract = facts.contracts.get(actual.contract_id)
    of_contract = actual.type == _SALES and agreed(contract, actual.currency, facts.entity.currency)
    return of_contract or facts.rates.on(actual.currency, actual.date)


def _accounting_amount(actual, rate, currency) -> Decimal:
    amount = money.converted(actual.amount, rate, currency)
    if abs(amount) > bounds.MOST_TOTAL:
        found = {"actual": str(actual.pk), "amount": Amount(amount, currency), "most": bounds.MOST_TOTAL}
        remedy = reverse("approval", args=[actual.entry_id]) if actual.entry_id else ""
        if actual.currency == currency:
            raise Refused("ACTUAL-TOO-LARGE", remedy=remedy, **found)
        raise Refused("ACTUAL-TOO-LARGE-CONVERTED", remedy=remedy, rate=rate, **found)
    return amount


def _billing_tax_group(actual, facts) -> int | None:
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
    """What was posted for an original: the voucher (or its plan), its entries, its project transactions."""

    voucher: Voucher | VoucherPlan
    entries: list[LedgerEntry | EntryPlan]
    project_transactions: list[ProjectTransaction]


@dataclass
class PostingFacts:
    """What is asked of journal lines that are posted; dictionaries by primary key."""

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
    behind: dict[int, int]  # for what reverses or replaces another, the nearest one that the journal books
    journals: dict[int, str]  # for originals that are not posted, by actual: the number of their journal
    booked: dict[int, Booked] = field(default_factory=dict)  # by actual; grows with what is planned


def plan_line(line: JournalLine, facts: PostingFacts) -> VoucherPlan:
    """The voucher of one line; sets its accounting date where that has to move.

    Refused, with what to mend, when its day can't be posted on, a profile or an account is missing, or its
    original is not posted before it.
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
    """Dr project cost (or WIP), Cr payroll or offset; a disbursement is the customer's debt, not a cost."""
    actual = line.actual
    before = facts.booked.get(facts.behind.get(actual.pk))
    if before and facts.periods.is_year_closed(before.voucher.date):
        _book_as_before(plan, line, before, facts)
        return
    profile = _profile(actual, facts)
    kind, in_balance = _Kind.COST, profile.cost == Profile.Cost.BALANCE
    debit = _Purpose.WIP_COST if in_balance else _Purpose.PROJECT_COST
    if _is_disbursement(actual, facts):  # whatever the profile says of costs: the invoice takes it off again
        debit, kind, in_balance = _Purpose.DISBURSEMENT, _Kind.OUTLAY, True
    elif profile.cost == Profile.Cost.NEVER:
        _to_project(plan, line, _Kind.COST)
        return
    credit = _Purpose.PAYROLL_ALLOCATION if actual.transaction_class == "time" else _Purpose.COST_OFFSET
    _book(plan, line, facts, profile, debit, credit)
    _to_project(plan, line, kind, in_balance=in_balance)


def _book_as_before(plan, line, before, facts):
    """What stands in for a cost of a closed fiscal year keeps the accounts that it was booked on (CON-6)."""
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
    """What was posted for the original, on the other side: accounts, both amounts, rate (MON-5, JRN-7)."""
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
    """Paid in a customer's name, on a line where it can be charged on: no cost of ours and no revenue."""
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
