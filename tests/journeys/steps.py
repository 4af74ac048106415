"""The steps from an entry to a posted invoice, for the journeys."""

from datetime import date

from actuals.models import Actual
from backlog.models import BacklogItem
from backlog.operations import approve, confirm_contract, mark_ready
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import ProjectTransaction, Voucher
from proforma import operations as proformas
from tests.factories import remembered

MARCH_31 = date(2025, 3, 31)
APRIL_1 = date(2025, 4, 1)


@remembered
def confirmed(contract, company):
    return confirm_contract(contract, by=company.manager, on=date(2025, 1, 1))


@remembered
def approved(company, entries, decisions=None, on=MARCH_31):
    return approve(entries, by=company.manager, on=on, decisions=decisions)


@remembered
def journalled(company, on=MARCH_31):
    """Add all actuals to journals and post them; returns the vouchers in order."""
    journals.add_to_journals(company.entity, on=on, by=company.accountant)
    journals.post_journals(company.entity, by=company.accountant, on=on)
    return list(Voucher.objects.filter(entity=company.entity, kind="journal").order_by("position"))


@remembered
def drafted(company, contract, cutoff=MARCH_31, on=APRIL_1):
    """Mark everything ready, and create the proformas."""
    mark_ready(BacklogItem.objects.open().filter(contract=contract, date__lte=cutoff), by=company.manager)
    return proformas.create_proformas([contract], cutoff=cutoff, on=on, by=company.manager)


@remembered
def invoiced(company, proforma, on=APRIL_1):
    """Confirm, propose and post one proforma; returns the invoice."""
    proforma = proformas.confirm(proforma, by=company.manager, on=on)
    proposal = proposals.create_proposal(proforma)
    proposals.fill_lines(proposal)
    return posting.post(proposal, by=company.accountant, on=on)


def entries_of(voucher):
    """(account, debit, credit) in the transaction's currency, as text, in order of account."""
    return sorted(
        (entry.account.number, f"{entry.debit:.2f}", f"{entry.credit:.2f}")
        for entry in voucher.entries.select_related("account")
    )


def accounting_entries_of(voucher):
    """(account, debit, credit) in the accounting currency, as text, in order of account."""
    return sorted(
        (entry.account.number, f"{entry.accounting_debit:.2f}", f"{entry.accounting_credit:.2f}")
        for entry in voucher.entries.select_related("account")
    )


def customer_rows(voucher):
    """(customer, amount, accounting amount, due date) of the customer subledger."""
    return [
        (row.customer, f"{row.amount:.2f}", f"{row.accounting_amount:.2f}", row.due_date)
        for row in voucher.customer_transactions.select_related("customer")
    ]


def project_rows(voucher):
    """(kind, class, quantity, amount) of the project subledger, in order."""
    return sorted(
        (row.kind, row.transaction_class, f"{row.quantity:.2f}", f"{row.amount:.2f}")
        for row in ProjectTransaction.objects.filter(voucher=voucher)
    )


def actuals_of(contract, type_=None):
    """(type, billing type, quantity, amount) of a contract's actuals, in the order of their creation."""
    facts = Actual.objects.filter(contract=contract).order_by("pk")
    if type_:
        facts = facts.filter(type=type_)
    return [(a.type, a.billing_type, f"{a.quantity:.4f}", f"{a.amount:.2f}") for a in facts]


def net_of_unbilled(contract):
    """The sum of unbilled sales, including reversals: zero after everything was invoiced."""
    return sum(a.amount for a in Actual.objects.filter(contract=contract, type="unbilled"))
