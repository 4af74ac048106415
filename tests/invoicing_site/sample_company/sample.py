"""A small company with everything from entries to posted invoices, for tests that need all of it.

Company NO1 keeps its books in kroner and accrues on the project “Bridge”. March is journalled and invoiced on
1 April: contract TM (60 and 40 %, one detail lowered), contract FIXED (one of two milestones), contract EURO
(at an agreed rate). One approval was canceled after it was booked; one hour is on a draft, and one is open.
"""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

from actuals.models import EntryImport
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, cancel_approval, confirm_contract, mark_ready
from contracts.models import ExchangeRate
from invoicing_site.floor import files
from ledger.document import operations as documents
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import InvoiceProposal, ProfileAssignment
from proforma import operations as proformas
from proforma.models import LineDetail
from tests import factories

MARCH_31, APRIL_1, APRIL_2 = date(2025, 3, 31), date(2025, 4, 1), date(2025, 4, 2)
D = Decimal


def build(draw=True):
    """Create the company and its work; returns its people, rows and numbers as a namespace."""
    it = SimpleNamespace(company=factories.company(customers=2))
    company = it.company
    first, second = company.customers
    ProfileAssignment.objects.create(
        entity=company.entity, project=company.project, profile=company.books.profiles["ACCRUE"]
    )
    it.harbour = factories.ProjectFactory(entity=company.entity, code="P2", name="Harbour")
    it.tower = factories.ProjectFactory(entity=company.entity, code="P3", name="Tower")
    for project in (it.harbour, it.tower):
        project.managers.add(company.manager)
    for currency_day, value in ((date(2025, 3, 1), "11.50"), (date(2025, 4, 1), "11.60")):
        ExchangeRate.objects.create(
            entity=company.entity, currency="EUR", valid_from=currency_day, rate=D(value), rate_type="spot"
        )
    _contracts(it, first, second)
    _work(it)
    _booked(it, MARCH_31)
    it.canceled_batch = cancel_approval([it.canceled], by=company.manager, on=MARCH_31)
    _booked(it, MARCH_31)
    _invoiced(it)
    _left_open(it)
    if draw:
        for invoice in it.invoices[:2]:
            documents.draw(invoice)
    return it


def _contracts(it, first, second):
    company = it.company
    euro = factories.PriceListFactory(entity=company.entity, code="EURO", name="Euro", currency="EUR")
    factories.RolePriceFactory(price_list=euro, price=D(200))
    it.tm = factories.contract(
        company, code="TM", name="Bridge", customers=[(first, 60), (second, 40)], limit=D(50000)
    )
    it.fixed = factories.contract(
        company,
        code="FIXED",
        name="Harbour",
        lines=[{"method": "fixed", "project": it.harbour, "milestones": [4000, 6000]}],
    )
    it.euro = factories.contract(
        company,
        code="EURO",
        name="Tower",
        currency="EUR",
        price_lists=[euro],
        fixed_exchange_rate=D(11),
        lines=[{"project": it.tower}],
    )
    for contract in (it.tm, it.fixed, it.euro):
        confirm_contract(contract, by=company.manager, on=date(2025, 1, 1))


def _work(it):
    company = it.company
    source = EntryImport.objects.create(
        entity=company.entity,
        file=files.store(b"date,hours\n2025-03-10,8\n", name="march.csv", media_type="text/csv"),
        rows=1,
        added=1,
    )
    it.eight = factories.time_entry(
        company, "8", date=date(2025, 3, 10), description="Drawings", external_id="T-1", source=source
    )
    it.seven = factories.time_entry(company, "7.5", date=date(2025, 3, 11), description="Meeting")
    it.canceled = factories.time_entry(company, "2", date=date(2025, 3, 12), description="Mistake")
    it.taxi = factories.expense_entry(company, "300", "75", "75", date=date(2025, 3, 13))
    it.abroad = factories.time_entry(company, "5", date=date(2025, 3, 14), project=it.tower)
    it.unsubmitted = factories.time_entry(company, "1", date=date(2025, 3, 14), status="draft")
    entries = [it.eight, it.seven, it.canceled, it.taxi, it.abroad]
    decisions = {it.eight.pk: Decision(billable_quantity=D(6))}
    it.approval = approve(entries, by=company.manager, on=MARCH_31, decisions=decisions)


def _booked(it, on):
    entity, by = it.company.entity, it.company.accountant
    journals.add_to_journals(entity, on=on, by=by)
    for result in journals.post_journals(entity, by=by, on=on):
        assert not result.in_error
        assert not result.refused


def _invoiced(it):
    by = it.company.manager
    open_items = BacklogItem.objects.open()
    work = open_items.filter(contract__in=[it.tm, it.euro])
    milestone = open_items.filter(contract=it.fixed, amount=4000)
    for items in (work, milestone):
        mark_ready(items, by=by)
    it.proformas = []
    for contract in (it.tm, it.fixed, it.euro):
        it.proformas += proformas.create_proformas([contract], cutoff=date(2025, 12, 31), on=APRIL_1, by=by)
    it.lowered = LineDetail.objects.get(line__proforma=it.proformas[0], backlog_item__actual__entry=it.seven)
    proformas.edit_details([it.lowered], by=by, quantity=D(4))
    it.invoices = []
    for proforma in it.proformas:
        proformas.confirm(proforma, by=by, on=APRIL_1)
        proposal = proposals.create_proposal(proforma)
        assert proposal.status == InvoiceProposal.Status.OPEN
        it.invoices.append(posting.post(proposal, by=it.company.accountant, on=APRIL_1))


def three_shares(it):
    """An approved expense at cost, of 100.01 on the harbour project, for three customers in thirds."""
    company = it.company
    third = factories.CustomerFactory(
        entity=company.entity, billing_tax_group=company.customers[0].billing_tax_group
    )
    site = factories.ProjectFactory(entity=company.entity, code="P4", name="Site")
    site.managers.add(company.manager)
    customers = [*zip(company.customers, (D("33.33"), D("33.33")), strict=True), (third, D("33.34"))]
    shared = factories.contract(company, code="SHARED", customers=customers, lines=[{"project": site}])
    confirm_contract(shared, by=company.manager, on=date(2025, 1, 1))
    entry = factories.expense_entry(company, "100.01", "0", "0", date=APRIL_2, project=site)
    approve([entry], by=company.manager, on=APRIL_2)
    return entry


def billed(it, entries, not_charged=()):
    """Journal and bill these approved entries on 2 April, some of them as non-chargeable; the invoices."""
    by = it.company.manager
    _booked(it, APRIL_2)
    items = BacklogItem.objects.filter(actual__entry__in=entries)
    mark_ready(items, by=by)
    invoices = []
    for draft in proformas.create_for_items(items, on=APRIL_2, by=by):
        details = LineDetail.objects.filter(line__proforma=draft, backlog_item__actual__entry__in=not_charged)
        if details:
            proformas.edit_details(details, by=by, billing_type="non_chargeable")
        proformas.confirm(draft, by=by, on=APRIL_2)
        invoices.append(posting.post(proposals.create_proposal(draft), by=it.company.accountant, on=APRIL_2))
    return invoices


def _left_open(it):
    company = it.company
    it.drafted = factories.time_entry(company, "1", date=date(2025, 4, 1), description="On a draft")
    it.open = factories.time_entry(company, "1", date=date(2025, 4, 2), description="Still open")
    approve([it.drafted, it.open], by=company.manager, on=APRIL_2)
    items = BacklogItem.objects.filter(actual__entry=it.drafted)
    mark_ready(items, by=company.manager)
    it.drafts = proformas.create_for_items(items, on=APRIL_2, by=company.manager)
