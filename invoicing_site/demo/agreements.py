"""The contracts, each with its project, created and confirmed by the project manager."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from backlog.operations import confirm_contract
from contracts.models import (
    ContractCustomer,
    ContractLine,
    ContractLineTask,
    LineCustomer,
    Milestone,
    PriceList,
    Project,
    ProjectContract,
    PurchaseOrder,
    Task,
)
from contracts.operations import (
    apply_default_customers,
    apply_default_price_lists,
    generate_milestones,
    generate_schedule,
)
from invoicing_site.demo.catalogue import LEFT, ROLES, TASK_NAMES, Deal
from invoicing_site.demo.setting import LONG_AGO, World, price_expenses, price_hours
from ledger.models import DefaultDimension, ProfileAssignment


@dataclass
class Agreed:
    """A contract of the catalogue in the database, with the first and last day of its work."""

    deal: Deal
    contract: ProjectContract
    project: Project
    tasks: dict
    starts: datetime.date
    until: datetime.date

    @property
    def is_scheduled(self):
        return isinstance(self.deal.billing, str)


def agree(world: World, deals):
    """Create and confirm these contracts of a company."""
    for number, deal in enumerate(deals):
        agreed = world.deals[deal.code] = _draw_up(world, deal, number)
        if not deal.is_draft:
            agreed.contract = confirm_contract(agreed.contract, by=world.users["manager"], on=agreed.starts)


def _draw_up(world, deal, number):
    entity, manager = world.entity, world.users["manager"]
    starts = world.on_month(deal.starts)
    ends = world.today + datetime.timedelta(days=150)
    project = Project.objects.create(
        entity=entity, code=deal.code.replace("C", "P"), name=deal.name, starts=starts
    )
    project.managers.add(manager)
    department = world.departments["DELIVERY" if number % 3 else "ADVICE"]
    DefaultDimension.objects.create(project=project, dimension=department.dimension, value=department)
    tasks = {
        code: Task.objects.create(project=project, code=code, name=TASK_NAMES[code]) for code in deal.tasks
    }
    contract = ProjectContract.objects.create(
        entity=entity,
        code=deal.code,
        name=deal.name,
        currency=deal.currency or entity.currency,
        starts=starts,
        ends=ends,
        limit=world.scaled(deal.limit),
        fixed_exchange_rate=Decimal(deal.agreed_rate) if deal.agreed_rate else None,
    )
    contract.managers.add(manager)
    if deal.profile:
        ProfileAssignment.objects.create(
            entity=entity, profile=world.books.profiles[deal.profile], contract=contract
        )
    _customers(world, deal, contract)
    _price_lists(world, deal, contract)
    for index, line in enumerate(deal.lines, 1):
        _line(world, deal, contract, project, tasks, index, line)
    until = world.on_month(deal.until) if deal.until else world.today
    return Agreed(deal, contract, project, tasks, starts, until)


def _customers(world, deal, contract):
    last = len(deal.customers) - 1
    for index, (number, percent) in enumerate(deal.customers):
        customer = world.customers[number]
        row = ContractCustomer.objects.create(
            contract=contract,
            customer=customer,
            split=Decimal(percent),
            is_primary=index == 0,
            is_rounding=index == last,
            limit=None if index else world.scaled(deal.customer_limit),
            buyer_reference=customer.buyer_reference,
        )
        if deal.order:
            PurchaseOrder.objects.create(
                contract_customer=row,
                number=deal.order,
                valid_from=contract.starts,
                amount=Decimal(5_000_000),
            )


def _price_lists(world, deal, contract):
    """The standard lists, or an agreed list without trainees if a price has to be missing."""
    no_price = LEFT[world.entity.code]["no price"]
    if no_price and deal.code == no_price[0]:
        agreed = PriceList.objects.create(
            entity=world.entity,
            code=deal.code,
            name=f"Agreed for {deal.code}",
            kind=PriceList.Kind.SALES,
            currency=contract.currency,
            valid_from=LONG_AGO,
            contract=contract,
        )
        price_hours(world, agreed, [role for role in ROLES if role != "TRAINEE"])
        price_expenses(world, agreed)
    apply_default_price_lists(contract, by=world.users["manager"])


def _line(world, deal, contract, project, tasks, number, plan):
    manager = world.users["manager"]
    is_fixed = bool(plan.amount)
    line = ContractLine.objects.create(
        contract=contract,
        number=number,
        name=plan.name,
        billing_method="fixed" if is_fixed else "tm",
        project=project,
        entire_project=not plan.tasks,
        contract_amount=Decimal(plan.amount) if is_fixed else None,
        limit=world.scaled(plan.limit),
        frequency=None if is_fixed else world.frequencies.get(deal.billing),
        billing_starts=contract.starts,
    )
    for code in plan.tasks:
        ContractLineTask.objects.create(line=line, task=tasks[code])
    apply_default_customers(line, by=manager)
    if plan.customer_limit:
        first = line.customers.order_by("pk").first()
        LineCustomer.objects.filter(pk=first.pk).update(limit=world.scaled(plan.customer_limit))
    for index, (month, amount) in enumerate(plan.milestones, 1):
        Milestone.objects.create(
            line=line,
            number=index,
            name=f"{plan.name}, part {index}",
            date=world.on_month(month),
            amount=Decimal(amount),
        )
    if plan.equal:
        generate_milestones(
            line,
            count=plan.equal,
            by=manager,
            frequency=world.frequencies["QUARTERLY"],
            starts=contract.starts + datetime.timedelta(days=50),
            name=plan.name,
        )
    if line.frequency:
        generate_schedule(line, by=manager)
