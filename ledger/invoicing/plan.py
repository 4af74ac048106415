"""The rows that posting a proposal writes, for the preview, the checks and posting.

Pure: loaded data in, unsaved rows and planned entries out. A missing rate, account or tax code is refused by
name and never replaced by 1 or 0 (MON-8).
"""

from dataclasses import dataclass
from decimal import Decimal

from contracts.models import ContractLine, Project, TransactionClass
from invoicing_site.floor import money
from ledger.books.plan import EntryPlan
from ledger.invoicing.content import header_of, lines_of, type_code
from ledger.invoicing.corrected import BookedSum
from ledger.invoicing.disbursements import Charged, clearing, for_projects
from ledger.invoicing.load import Billed, InvoiceFacts
from ledger.invoicing.tax_rows import invoice_taxes, tax_entries, tax_result
from ledger.models import (
    Account,
    CustomerInvoice,
    CustomerTransaction,
    InvoiceLine,
    InvoiceReference,
    InvoiceTax,
    PostingAccount,
    Profile,
    ProjectTransaction,
)

_ZERO = Decimal(0)
_Purpose = PostingAccount.Purpose
_Kind = CustomerInvoice.Kind


@dataclass
class InvoicePlan:
    """A future invoice: its text and its entries, without its number."""

    invoice: CustomerInvoice
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]
    references: list[InvoiceReference]
    entries: list[EntryPlan]
    customer_transaction: CustomerTransaction
    project_transactions: list[ProjectTransaction]


@dataclass(frozen=True)
class _Rates:
    official: Decimal
    net: Decimal  # agreed in the contract, or the official one
    is_agreed: bool


def plan_invoice(facts: InvoiceFacts) -> InvoicePlan:
    """The whole invoice; Refused if a rate, account or tax code is missing.

    Revenue is converted by account, dimensions and project, and tax by code; both are rounded once. Without
    an agreed rate the customer owes the total at the official rate, and the rounding difference goes to its
    own account (PST-2). With an agreed rate the customer owes the sum of the converted parts (PST-5).
    """
    rates = _rates(facts)
    tax, codes = tax_result(facts)
    taxes = invoice_taxes(facts, tax.by_code, rates.official)
    revenue, project_transactions = _revenue(facts, rates)
    net = sum((line.amount for line in facts.lines), _ZERO)
    assert net == sum((billed.amount for billed in facts.billed), _ZERO), (
        f"{facts.proposal}: the lines are not what was billed."
    )
    tax_total = sum((row.tax for row in taxes), _ZERO)
    accounting_net = sum((entry.accounting_credit - entry.accounting_debit for entry in revenue), _ZERO)
    accounting_tax = sum((row.accounting_tax for row in taxes), _ZERO)
    accounting_total = accounting_net + accounting_tax
    if not rates.is_agreed:
        booked = facts.corrected.total if facts.corrected else BookedSum()
        accounting_total = booked.changed_by(net + tax_total, rates.official, facts.entity.currency)

    invoice = header_of(facts)
    invoice.kind = _Kind.CREDIT_NOTE if net + tax_total < 0 else _Kind.INVOICE
    invoice.type_code = type_code(facts, invoice.kind)
    if invoice.kind == _Kind.CREDIT_NOTE:
        _without_payment_details(invoice)
    invoice.rate, invoice.net_rate = rates.official, rates.net
    invoice.net, invoice.tax, invoice.total = net, tax_total, net + tax_total
    invoice.accounting_net = accounting_net
    invoice.accounting_tax = accounting_tax
    invoice.accounting_total = accounting_total

    customer_rate = _customer_rate(rates, invoice)
    entries = [
        _customer_entry(facts, invoice, customer_rate),
        *revenue,
        *tax_entries(facts, taxes, rates.official),
        *_rounding(facts, rates, invoice.accounting_rounding),
        *_accruals_reversed(facts),
    ]
    return InvoicePlan(
        invoice=invoice,
        lines=lines_of(facts, tax.by_line, codes),
        taxes=taxes,
        references=[InvoiceReference(original=facts.corrected.invoice)] if facts.corrected else [],
        entries=[entry for entry in entries if _has_an_amount(entry)],
        customer_transaction=_customer_transaction(facts, invoice, customer_rate),
        project_transactions=project_transactions + _transactions_reversed(facts),
    )


def _without_payment_details(invoice):
    """A credit note has no payment terms and no bank account (DOC-5)."""
    invoice.payment_terms = ""
    invoice.seller_bank_account = invoice.seller_iban = invoice.seller_bic = ""


def _rates(facts) -> _Rates:
    agreed = facts.contract.fixed_exchange_rate
    is_agreed = agreed is not None and facts.currency != facts.entity.currency
    if facts.corrected:  # COR-3: as it was converted the first time
        original = facts.corrected.invoice
        return _Rates(original.rate, original.net_rate, is_agreed=original.rate != original.net_rate)
    official = facts.rates.on(facts.currency, facts.invoice_date)
    return _Rates(official, agreed if is_agreed else official, is_agreed)


# Revenue


@dataclass(frozen=True)
class _Place:
    """The account, dimensions and project of the amount of one billed share."""

    purpose: str
    kind: str
    profile: Profile | None = None


def place_of(facts: InvoiceFacts, billed: Billed) -> _Place:
    """Revenue for time and material; on account, by the profile, for fixed prices (section 7)."""
    if billed.transaction_class == TransactionClass.RETAINER:
        return _Place(_Purpose.ADVANCES, "")
    line = facts.contract_lines.get(billed.contract_line_id or 0)
    profile = facts.profiles.profile(project_of(facts, billed), facts.contract)
    is_fixed = line is not None and line.billing_method == ContractLine.BillingMethod.FIXED_PRICE
    if is_fixed or billed.transaction_class == TransactionClass.MILESTONE:
        in_balance = profile.on_account == Profile.OnAccount.BALANCE
        purpose = _Purpose.ON_ACCOUNT_WIP if in_balance else _Purpose.ON_ACCOUNT_REVENUE
        return _Place(purpose, ProjectTransaction.Kind.ON_ACCOUNT, profile)
    category = facts.the("category", billed.category_id)
    if category and category.is_disbursement:
        return _Place(_Purpose.DISBURSEMENT, ProjectTransaction.Kind.DISBURSEMENT, profile)
    return _Place(_Purpose.INVOICED_REVENUE, ProjectTransaction.Kind.REVENUE, profile)


def account_of(facts: InvoiceFacts, billed: Billed) -> Account:
    """The account to which its amount is credited; Refused if none is set up."""
    place = place_of(facts, billed)
    return facts.accounts.account(
        place.purpose,
        profile=place.profile,
        transaction_class=billed.transaction_class,
        category_id=billed.category_id,
    )


def project_of(facts: InvoiceFacts, billed: Billed) -> Project | None:
    """Its project; for a milestone that of its contract line, for an advance none."""
    line = facts.contract_lines.get(billed.contract_line_id or 0)
    return facts.the("project", billed.project_id or (line.project_id if line else None))


def _revenue(facts, rates) -> tuple[list[EntryPlan], list[ProjectTransaction]]:
    """The revenue entries, and the rows of the project subledger, which add up to the entries."""
    own = facts.entity.currency
    entries, transactions = [], []
    for (account, dimensions, project, are_disbursements), shares in _by_place(facts):
        amounts = [billed.amount for billed in shares]
        total = sum(amounts, _ZERO)
        place = tuple(row.pk if row else None for row in (account, dimensions, project))
        booked = facts.corrected.places.get(place, BookedSum()) if facts.corrected else BookedSum()
        accounting = booked.changed_by(total, rates.net, own)
        if are_disbursements:
            charged = _charged(facts, shares, accounting, rates)
            entries += clearing(charged, facts.accounts)
            if project:
                transactions += _disbursement_transactions(facts, project, shares, charged)
            continue
        if account:
            entries.append(
                EntryPlan.crediting(
                    account,
                    total,
                    accounting,
                    currency=facts.currency,
                    rate=rates.net,
                    dimensions=dimensions,
                    project=project,
                )
            )
        if project:
            # Each share is converted by itself; the rounding difference to the sum goes to the first ones.
            parts = [money.converted(amount, rates.net, own) for amount in amounts]
            parts = money.adding_up(accounting, parts, own)
            transactions += _project_transactions(facts, project, shares, parts)
    return entries, transactions


def _by_place(facts):
    """The billed shares by account, dimensions and project, in this order."""
    accounts: dict = {}
    groups: dict = {}
    for billed in facts.billed:
        # An amount of 0 goes to the project subledger only, and needs no account.
        account = dimensions = None
        disbursement = facts.disbursements.get(billed.detail_id)
        if disbursement:
            account, dimensions = disbursement.account, disbursement.dimensions
        elif billed.amount:
            if billed.sort not in accounts:
                accounts[billed.sort] = account_of(facts, billed)
            account = accounts[billed.sort]
            dimensions = facts.the("dimensions", billed.line.dimensions_id)
        project = project_of(facts, billed)
        key = (
            account.number if account else "",
            project.pk if project else 0,
            dimensions.pk if dimensions else 0,
            billed.category_id or 0 if disbursement else -1,
        )
        place = account, dimensions, project, disbursement is not None
        groups.setdefault(key, (place, []))[1].append(billed)
    return [groups[key] for key in sorted(groups)]


def _charged(facts, shares, accounting_amount, rates) -> Charged:
    """The charges for the disbursements of one category, including those that are charged in part."""
    amounts = dict.fromkeys((billed.detail_id for billed in shares), _ZERO)
    for billed in shares:
        amounts[billed.detail_id] += billed.amount
    first = shares[0]
    project = project_of(facts, first)
    return Charged(
        disbursements=[(facts.disbursements[detail], amount) for detail, amount in amounts.items()],
        accounting_amount=accounting_amount,
        rate=rates.net,
        currency=facts.currency,
        own_currency=facts.entity.currency,
        dimensions=facts.disbursements[first.detail_id].dimensions,
        project=project,
        profile=facts.profiles.profile(project, facts.contract),
        transaction_class=first.transaction_class,
        category_id=first.category_id,
    )


def _disbursement_transactions(facts, project, shares, charged) -> list[ProjectTransaction]:
    """Each disbursement cleared, and the difference as revenue or cost, on its first billed share."""
    first: dict[int, Billed] = {}
    for billed in shares:
        first.setdefault(billed.detail_id, billed)
    return [
        ProjectTransaction(
            project_id=project.pk,
            contract_line_id=billed.contract_line_id,
            actual_id=billed.actual_id,
            kind=row.kind,
            transaction_class=billed.transaction_class,
            date=facts.accounting_date,
            quantity=_ZERO if number else -billed.quantity,
            amount=row.amount,
            currency=row.currency,
            accounting_amount=row.accounting_amount,
            in_balance=row.in_balance,
        )
        for billed, rows in zip(first.values(), for_projects(charged), strict=True)
        for number, row in enumerate(rows)
    ]


def _project_transactions(facts, project, shares, accounting_amounts) -> list[ProjectTransaction]:
    places = {}
    transactions = []
    for billed, accounting_amount in zip(shares, accounting_amounts, strict=True):
        if billed.sort not in places:
            places[billed.sort] = place_of(facts, billed)
        place = places[billed.sort]
        # Charging a disbursement clears its account, also if it was never posted there.
        sign = -1 if place.kind == ProjectTransaction.Kind.DISBURSEMENT else 1
        transactions.append(
            ProjectTransaction(
                project_id=project.pk,
                contract_line_id=billed.contract_line_id,
                actual_id=billed.actual_id,
                kind=place.kind,
                transaction_class=billed.transaction_class,
                date=facts.accounting_date,
                quantity=sign * billed.quantity,
                amount=sign * billed.amount,
                currency=facts.currency,
                accounting_amount=sign * accounting_amount,
                in_balance=place.purpose in (_Purpose.ON_ACCOUNT_WIP, _Purpose.DISBURSEMENT),
            )
        )
    return transactions


# What the journal posted for the originals


def _accruals_reversed(facts) -> list[EntryPlan]:
    """The accrued amounts with debit and credit swapped (PST-10)."""
    return [
        EntryPlan.crediting(
            accrued.account,
            accrued.debit - accrued.credit,
            accrued.accounting_debit - accrued.accounting_credit,
            currency=accrued.currency,
            rate=accrued.rate,
            dimensions=accrued.dimensions,
            project=accrued.project,
        )
        for accrued in facts.accrued
    ]


def _transactions_reversed(facts) -> list[ProjectTransaction]:
    return [
        ProjectTransaction(
            project_id=row.project_id,
            contract_line_id=row.contract_line_id,
            actual_id=row.actual_id,
            kind=row.kind,
            transaction_class=row.transaction_class,
            date=facts.accounting_date,
            quantity=-row.quantity,
            amount=-row.amount,
            currency=row.currency,
            accounting_amount=-row.accounting_amount,
            in_balance=row.in_balance,
        )
        for row in facts.accrued_transactions
    ]


# The customer


def _customer_rate(rates, invoice) -> Decimal:
    """The rate at which the customer's balance is converted (MON-5).

    With an agreed rate it is a mix of the agreed and the official one: the total in accounting currency
    divided by the total of the invoice. If net and tax have opposite signs, or the minor unit is too large,
    there is no such rate, and the official one is used.
    """
    if not rates.is_agreed or not invoice.total or invoice.net * invoice.tax < 0:
        return rates.official
    return money.rounded_rate(invoice.accounting_total / invoice.total) or rates.official


def _customer_entry(facts, invoice, rate) -> EntryPlan:
    return EntryPlan.debiting(
        facts.accounts.account(_Purpose.CUSTOMER),
        invoice.total,
        invoice.accounting_total,
        currency=facts.currency,
        rate=rate,
        dimensions=facts.proposal.dimensions,
        customer=facts.customer,
        due_date=invoice.due_date,
    )


def _customer_transaction(facts, invoice, rate) -> CustomerTransaction:
    is_credit = invoice.kind == _Kind.CREDIT_NOTE
    return CustomerTransaction(
        customer=facts.customer,
        kind=CustomerTransaction.Kind.CREDIT_NOTE if is_credit else CustomerTransaction.Kind.INVOICE,
        date=invoice.invoice_date,
        due_date=invoice.due_date,
        amount=invoice.total,
        currency=invoice.currency,
        rate=rate,
        accounting_amount=invoice.accounting_total,
    )


def _rounding(facts, rates, difference) -> list[EntryPlan]:
    if not difference:
        return []
    account = facts.accounts.account(_Purpose.ROUNDING)
    rate = rates.official
    return [
        EntryPlan.crediting(
            account,
            _ZERO,
            difference,
            currency=facts.currency,
            rate=rate,
            dimensions=facts.proposal.dimensions,
        )
    ]


def _has_an_amount(entry):
    return any((entry.debit, entry.credit, entry.accounting_debit, entry.accounting_credit))
