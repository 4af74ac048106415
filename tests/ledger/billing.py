"""From ready work to a proposal, with the product's operations, and the entries of a voucher as text."""

import datetime
from decimal import Decimal

from actuals.models import Actual
from backlog.models import BacklogItem
from ledger.invoicing.operations import proposals
from ledger.journal.operations import journals
from ledger.models import InvoiceProposal
from proforma import operations as proformas
from proforma.models import LineDetail
from tests import factories
from tests.factories import remembered

MARCH_10 = datetime.date(2025, 3, 10)
MARCH_31 = datetime.date(2025, 3, 31)


@remembered
def work(company, contract, hours="10", price="100", **fields):
    """Hours of the company's resource that are ready to invoice, by default on 10 March 2025."""
    fields = {"quantity": Decimal(hours), "price": Decimal(price), "date": MARCH_10, **fields}
    return factories.ready_item(company, contract, **fields)


@remembered
def milestone(contract, amount="5000", **fields):
    """A part of a new milestone on the contract's first fixed-price line, ready to invoice."""
    line = contract.lines.filter(billing_method="fixed").order_by("number").first()
    customer = contract.customers.get(is_primary=True)
    fields = {"date": MARCH_10, **fields}
    head = factories.MilestoneFactory(line=line, amount=Decimal(amount), **fields)
    part = factories.MilestonePartFactory(milestone=head, contract_customer=customer)
    return BacklogItem.objects.create(
        milestone_part=part,
        contract=contract,
        contract_line=line,
        contract_customer=customer,
        date=head.date,
        amount=head.amount,
        currency=contract.currency,
        status=BacklogItem.Status.READY,
    )


@remembered
def drafted(company, *items, on=MARCH_31):
    (proforma,) = proformas.create_for_items(items, on=on, by=company.manager)
    return proforma


@remembered
def edited(company, proforma, item, **changes):
    """Change the draft's detail of that item; returns the detail."""
    details = LineDetail.objects.filter(backlog_item=item)
    assert details.count() == 1
    proformas.edit_details(details, by=company.manager, **changes)


@remembered
def confirmed(company, *items, on=MARCH_31):
    return proformas.confirm(drafted(company, *items, on=on), by=company.manager, on=on)


@remembered
def book_journals(company, on=MARCH_31):
    """Add all waiting actuals to journals and post them."""
    journals.add_to_journals(company.entity, on=on, by=company.accountant)
    for result in journals.post_journals(company.entity, by=company.accountant, on=on):
        assert not result.in_error
        assert not result.refused


@remembered
def proposed(company, *items, on=MARCH_31, proforma=None):
    """An open proposal for these items; the journals are posted first."""
    book_journals(company, on=on)
    if proforma is None:
        proforma = confirmed(company, *items, on=on)
    proposal = proposals.create_proposal(proforma)
    assert proposal.status == InvoiceProposal.Status.OPEN
    return proposal


def entries_of(voucher):
    """Each entry as account number, debit, credit, and both in accounting currency."""
    return [
        (e.account.number, e.debit, e.credit, e.accounting_debit, e.accounting_credit)
        for e in voucher.entries.select_related("account").order_by("number")
    ]


def dr(account, amount, accounting=None):
    """A debit as in `entries_of`; in accounting currency the same unless given."""
    own, other = Decimal(amount), Decimal(amount if accounting is None else accounting)
    return account, own, Decimal(0), other, Decimal(0)


def cr(account, amount, accounting=None):
    """A credit as in `entries_of`; in accounting currency the same unless given."""
    own, other = Decimal(amount), Decimal(amount if accounting is None else accounting)
    return account, Decimal(0), own, Decimal(0), other


def facts_of(voucher):
    """Each project transaction as kind, quantity, amount, accounting amount, sorted."""
    return sorted(
        (str(row.kind), row.quantity, row.amount, row.accounting_amount)
        for row in voucher.project_transactions.all()
    )


@remembered
def accrue(company, contract):
    """Accrue revenue of the contract from now on."""
    company.entity.profile_assignments.create(profile=company.books.profiles["ACCRUE"], contract=contract)


def billed(proforma):
    return Actual.objects.filter(detail_actual__detail__line__proforma=proforma, type="billed")
