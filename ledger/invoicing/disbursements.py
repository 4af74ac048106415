"""Disbursements: what was paid in a customer's name, and how the invoice clears it (APP-8, PST-10).

The journal posts a disbursement on its own account, in the currency in which it was paid. The invoice that
charges it clears exactly that entry: account, both amounts, rate. The same if the journal posted it as a
cost, in a closed year before its contract (CON-6) or before its category was set up as a disbursement.
If less is charged, the difference is cost; if more, revenue. The difference of the conversion goes to its own
account (PST-2).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q

from actuals.models import Actual
from contracts.models import LegalEntity, Project
from invoicing_site.floor import money
from invoicing_site.floor.querysets import by_keys
from ledger.books.plan import EntryPlan
from ledger.invoicing.claims import Claim
from ledger.models import (
    Account,
    DimensionSet,
    LedgerEntry,
    PostingAccount,
    Profile,
    ProjectTransaction,
    Voucher,
)
from ledger.setup.accounts import AccountBook

_ZERO = Decimal(0)
_Purpose = PostingAccount.Purpose
_Kind = ProjectTransaction.Kind


@dataclass(frozen=True)
class Disbursement:
    """One customer's share of a disbursement as the journal posted it, and its amount on the invoice."""

    account: Account
    dimensions: DimensionSet | None
    project: Project | None
    currency: str
    rate: Decimal
    amount: Decimal
    accounting_amount: Decimal
    worth: Decimal  # in the currency of the invoice
    kind: str = _Kind.DISBURSEMENT  # as the project subledger has it
    in_balance: bool = True

    @property
    def place(self) -> tuple:
        """Disbursements with the same place are cleared by one entry."""
        keys = (row.pk if row else None for row in (self.account, self.dimensions, self.project))
        return *keys, self.currency, self.rate


def disbursement_entries():
    """The entries by which journals posted disbursements: the first of a cost's voucher, if it is an asset.

    Other costs are debited to profit and loss or to work in progress. The entries decide, and not the set-up,
    because accounts and categories may have changed since.
    """
    return _first_entries_of_costs().filter(_IS_DISBURSEMENT)


_IS_DISBURSEMENT = Q(
    account__kind=Account.Kind.ASSET,
    account__control__in=[Account.Control.NONE, Account.Control.DISBURSEMENT],
)


def _first_entries_of_costs():
    return LedgerEntry.objects.filter(number=1, voucher__journal_line__actual__type=Actual.Type.COST)


def load(claims: Iterable[Claim], entity: LegalEntity) -> dict[int, Disbursement]:
    """The disbursements among these claims, by detail, in at most two queries."""
    claims = [claim for claim in claims if claim.cost_id]
    entries = _first_entries_of_costs().filter(
        _IS_DISBURSEMENT | Q(voucher__journal_line__actual__category__is_disbursement=True)
    )
    entries = entries.select_related("account", "dimensions", "project", "voucher__journal_line")
    costs = {claim.cost_id for claim in claims}
    booked = {
        entry.voucher.journal_line.actual_id: entry
        for entry in by_keys(entries, "voucher__journal_line__actual", costs)
    }
    if not booked:
        return {}
    shares = _shares(booked, entity)
    found = {}
    for claim in claims:
        if claim.actual_id not in shares:
            continue
        entry, (amount, accounting_amount) = booked[claim.cost_id], shares[claim.actual_id]
        found[claim.detail_id] = Disbursement(
            account=entry.account,
            dimensions=entry.dimensions,
            project=entry.project,
            currency=entry.currency,
            rate=entry.rate,
            amount=amount,
            accounting_amount=accounting_amount,
            worth=amount if entry.currency == claim.currency else claim.amount,
            **_as_booked(entry.account),
        )
    return found


def _as_booked(account) -> dict:
    """The kind in the project subledger: a disbursement that was posted as a cost is a cost there too."""
    if account.kind == Account.Kind.ASSET and account.control != Account.Control.WIP_COST:
        return {"kind": _Kind.DISBURSEMENT, "in_balance": True}
    return {"kind": _Kind.COST, "in_balance": account.control == Account.Control.WIP_COST}


def unbooked(claims: Iterable[Claim]) -> dict[int, list[Actual]]:
    """By proforma, the costs of disbursements that it charges and that no journal has posted yet."""
    charged_by = defaultdict(set)
    for claim in claims:
        if claim.cost_id:
            charged_by[claim.cost_id].add(claim.proforma_id)
    costs = Actual.objects.filter(
        ~Exists(Voucher.objects.filter(journal_line__actual=OuterRef("pk"))),
        category__is_disbursement=True,
        booked_by=Actual.BookedBy.JOURNAL,
    )
    found = defaultdict(list)
    for cost in by_keys(costs.order_by("pk"), "pk", charged_by):
        for proforma in charged_by[cost.pk]:
            found[proforma].append(cost)
    return found


def _shares(booked, entity) -> dict[int, tuple[Decimal, Decimal]]:
    """The share of each unbilled sale in its disbursement, in both currencies; the shares add up.

    If a sale was divided, its share is divided, so that the other shares do not change.
    """
    sales = Actual.objects.filter(
        type=Actual.Type.UNBILLED_SALES, booked_by=Actual.BookedBy.JOURNAL, reverses=None
    )
    below = defaultdict(list)
    for sale in by_keys(sales.order_by("pk"), "cost", booked):
        below[sale.replaces_id or ("cost", sale.cost_id)].append(sale)
    shares: dict[int, tuple[Decimal, Decimal]] = {}

    def divide(parent, amount, accounting_amount, currency):
        if not (rows := below.get(parent)):
            return
        weights = [row.amount for row in rows]
        parts = zip(
            rows,
            money.largest_remainder(amount, weights, currency),
            money.largest_remainder(accounting_amount, weights, entity.currency),
            strict=True,
        )
        for row, *both in parts:
            shares[row.pk] = tuple(both)
            divide(row.pk, *both, currency)

    for cost, entry in booked.items():
        divide(
            ("cost", cost),
            entry.debit - entry.credit,
            entry.accounting_debit - entry.accounting_credit,
            entry.currency,
        )
    return shares


@dataclass(frozen=True)
class Charged:
    """The charges of one invoice for disbursements with one account, dimensions and project."""

    disbursements: list[tuple[Disbursement, Decimal]]  # each with the amount that is charged for it
    accounting_amount: Decimal  # the sum of those amounts, converted once
    rate: Decimal
    currency: str
    own_currency: str
    dimensions: DimensionSet | None
    project: Project | None
    profile: Profile
    transaction_class: str
    category_id: int | None


def clearing(charged: Charged, accounts: AccountBook) -> list[EntryPlan]:
    """The credit entries: the disbursements, and the differences to what is charged."""
    entries = []
    alike = defaultdict(list)
    for disbursement, _ in charged.disbursements:
        alike[disbursement.place].append(disbursement)
    for rows in alike.values():
        entries.append(
            EntryPlan.crediting(
                rows[0].account,
                sum((row.amount for row in rows), _ZERO),
                sum((row.accounting_amount for row in rows), _ZERO),
                currency=rows[0].currency,
                rate=rows[0].rate,
                dimensions=rows[0].dimensions,
                project=rows[0].project,
            )
        )
    differences = [amount - disbursement.worth for disbursement, amount in charged.disbursements]
    entries += _more_or_less(charged, accounts, _Purpose.PROJECT_COST, [d for d in differences if d < 0])
    entries += _more_or_less(charged, accounts, _Purpose.INVOICED_REVENUE, [d for d in differences if d > 0])
    return entries + _left_by_conversion(charged, accounts, entries)


class ToProject(NamedTuple):
    """One row of the project subledger for a disbursement; a positive amount adds to the kind."""

    kind: str
    amount: Decimal
    currency: str
    accounting_amount: Decimal
    in_balance: bool = False


def for_projects(charged: Charged) -> list[list[ToProject]]:
    """For each disbursement, the rows of the project subledger that belong to the entries of `clearing`.

    They add up to the entries: rounding differences of the conversion are divided.
    """
    found = [
        [
            ToProject(
                disbursement.kind,
                -disbursement.amount,
                disbursement.currency,
                -disbursement.accounting_amount,
                disbursement.in_balance,
            )
        ]
        for disbursement, _ in charged.disbursements
    ]
    differences = [amount - disbursement.worth for disbursement, amount in charged.disbursements]
    for kind, sign in ((_Kind.REVENUE, 1), (_Kind.COST, -1)):
        places = [place for place, difference in enumerate(differences) if difference * sign > 0]
        if not places:
            continue
        amounts = [differences[place] * sign for place in places]
        total, *parts = (
            money.converted(amount, charged.rate, charged.own_currency)
            for amount in (sum(amounts, _ZERO), *amounts)
        )
        parts = money.adding_up(total, parts, charged.own_currency)
        for place, amount, accounting_amount in zip(places, amounts, parts, strict=True):
            found[place].append(ToProject(kind, amount, charged.currency, accounting_amount))
    return found


def _more_or_less(charged, accounts, purpose, differences) -> list[EntryPlan]:
    if not differences:
        return []
    account = accounts.account(
        purpose,
        profile=charged.profile,
        transaction_class=charged.transaction_class,
        category_id=charged.category_id,
    )
    amount = sum(differences, _ZERO)
    return [_credit(charged, account, amount, money.converted(amount, charged.rate, charged.own_currency))]


def _left_by_conversion(charged, accounts, entries) -> list[EntryPlan]:
    """The entries that balance the voucher per currency, if it is charged in another currency than paid.

    A difference that rounding explains is posted to rounding; a larger one is an exchange gain or loss.
    """
    left = defaultdict(Decimal)
    left[charged.currency] = sum((amount for _, amount in charged.disbursements), _ZERO)
    accounting = charged.accounting_amount
    for entry in entries:
        left[entry.currency] -= entry.credit - entry.debit
        accounting -= entry.accounting_credit - entry.accounting_debit
    if not accounting and not any(left.values()):
        return []
    steps = money.minor_unit(charged.currency) * charged.rate + money.minor_unit(charged.own_currency)
    if abs(accounting) <= len(charged.disbursements) * steps:
        purpose = _Purpose.ROUNDING
    else:
        purpose = _Purpose.EXCHANGE_GAIN if accounting > 0 else _Purpose.EXCHANGE_LOSS
    account = accounts.account(purpose)
    rates = {disbursement.currency: disbursement.rate for disbursement, _ in charged.disbursements} | {
        charged.currency: charged.rate
    }
    others = []
    for currency, amount in sorted(left.items()):
        if currency == charged.currency or not amount:
            continue
        paid = sum(
            (
                entry.accounting_credit - entry.accounting_debit
                for entry in entries
                if entry.currency == currency
            ),
            _ZERO,
        )
        accounting += paid
        others.append(_credit(charged, account, amount, -paid, currency=currency, rate=rates[currency]))
    return [_credit(charged, account, left[charged.currency], accounting), *others]


def _credit(charged, account, amount, accounting_amount, *, currency=None, rate=None) -> EntryPlan:
    return EntryPlan.crediting(
        account,
        amount,
        accounting_amount,
        currency=currency or charged.currency,
        rate=rate or charged.rate,
        dimensions=charged.dimensions,
        project=charged.project,
    )
