"""The company that the billing run is measured in: some contracts, and many submitted hours on them."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace

from django.db import transaction
from django.utils import timezone

from actuals.models import Entry
from invoicing_site.floor.querysets import in_chunks, write_rows
from ledger.models import ProfileAssignment
from tests import factories

MONTH = datetime.date(2025, 3, 1)
APPROVED_ON = datetime.date(2025, 3, 31)
BILLED_ON = datetime.date(2025, 4, 1)
ROLES, RESOURCES = 5, 25


@dataclass(frozen=True)
class World:
    """The data that both sides work on: the company, its contracts, and the number of submitted entries."""

    company: SimpleNamespace
    contracts: list
    entries: int

    @property
    def entity(self):
        return self.company.entity


@transaction.atomic
def build(*, entries: int, contracts: int) -> World:
    """Hours of 25 people in 5 roles, spread evenly over time-and-material contracts with one customer each.

    Revenue is accrued, so that the journal and the invoice write all entries that exist for time. Every
    contract is due on the first day of the next month.
    """
    company = factories.company(customers=0)
    ProfileAssignment.objects.filter(entity=company.entity, project=None, contract=None, group=None).update(
        profile=company.books.profiles["ACCRUE"]
    )
    resources = _people(company)
    rows = [_contract(company) for _ in range(contracts)]
    for chunk in in_chunks(range(entries), 5000):
        write_rows(Entry, [_entry(company, resources, rows, n) for n in chunk])
    return World(company, rows, entries)


def _people(company):
    roles = [factories.RoleFactory(entity=company.entity) for _ in range(ROLES)]
    for n, role in enumerate(roles):
        factories.RolePriceFactory(price_list=company.cost_list, role=role, price=Decimal(500 + 45 * n))
        factories.RolePriceFactory(price_list=company.sales_list, role=role, price=Decimal(1100 + 95 * n))
    return [
        factories.ResourceFactory(entity=company.entity, unit=company.unit, role=roles[n % ROLES])
        for n in range(RESOURCES)
    ]


def _contract(company):
    project = factories.ProjectFactory(entity=company.entity)
    project.managers.add(company.manager)
    customer = factories.customer(company)
    contract = factories.contract(
        company, lines=[{"project": project}], customers=[(customer, 100)], confirmed=True
    )
    task = factories.TaskFactory(project=project)
    line = contract.lines.get()
    factories.ScheduleEntryFactory(line=line, run_date=BILLED_ON)
    return SimpleNamespace(contract=contract, project=project, task=task)


def _entry(company, resources, contracts, n):
    where, resource = contracts[n % len(contracts)], resources[n // len(contracts) % len(resources)]
    return Entry(
        entity=company.entity,
        transaction_class=Entry.Class.TIME,
        date=MONTH + datetime.timedelta(days=n // (len(contracts) * len(resources)) % 31),
        project=where.project,
        task=where.task,
        resource=resource,
        role=resource.role,
        priced_role=resource.role,
        priced_unit=resource.unit,
        priced_company=company.entity,
        category=company.time,
        quantity=Decimal(n % 32 + 1) / 4,
        description=f"Work on item {n % 97}",
        status=Entry.Status.SUBMITTED,
        submitted_at=timezone.now(),
        submitted_by=company.member,
        created_by=company.member,
    )
