"""What keeps a contract from being confirmed, each as a sentence (CON-1, CON-2, CON-4). Reads only."""

import zoneinfo
from itertools import combinations

from django.utils import timezone

from contracts.chargeability import colliding_lines, lines_of
from contracts.models import ContractLine, ContractRevision, PriceList, ProjectContract
from contracts.price_rows import plain
from invoicing_site.floor import bounds, money, wording
from invoicing_site.floor.errors import Refused

_Method = ContractLine.BillingMethod


def contract_troubles(
    contract: ProjectContract, *, revision: ContractRevision | None = None
) -> list[Refused]:
    """Everything that speaks against confirming; empty when all is well.

    With a draft revision: the contract as it will be when that is confirmed.
    """
    customers = list(contract.customers.select_related("customer"))
    lines = list(
        lines_of(contract, revision=revision).prefetch_related(
            "customers__contract_customer__customer", "milestones", "line_tasks__task"
        )
    )
    return [
        *_customers(contract, customers),
        *_price_lists(contract),
        *(trouble for line in lines for trouble in _line(contract, line)),
        *_collisions(contract, revision),
    ]


def _customers(contract, customers):
    whose = f"Contract {contract}"
    if not customers:
        yield Refused(f"{whose} has no customer.", code="NO-CUSTOMER")
        return
    if not any(each.is_primary for each in customers):
        yield Refused(f"{whose} has no primary customer: choose one.", code="NO-PRIMARY")
    yield from _shares(whose, customers, lambda each: each.customer)
    for each in customers:
        if each.customer.entity_id != contract.entity_id:
            yield Refused(f"{whose}: {each.customer} belongs to another company.", code="OTHER-ENTITY")


def _shares(whose, shares, name):
    """CON-1: splits add up to 100, and one of those who pay takes the rounding."""
    percent = sum(each.split for each in shares)
    if percent != 100:
        yield Refused(
            f"{whose}: the billing splits add up to {plain(percent)} %, not 100 %.", code="SPLIT-SUM"
        )
    rounding = [each for each in shares if each.is_rounding]
    if len(rounding) != 1:
        yield Refused(f"{whose} needs exactly one customer that takes the rounding.", code="ROUNDING")
    elif not rounding[0].split:
        yield Refused(
            f"{whose}: {name(rounding[0])} takes the rounding but has a split of 0 %. Choose one that pays.",
            code="ROUNDING",
        )


def _price_lists(contract):
    """PRC-1: of one owner's lists, at most one counts on a day."""
    attached = PriceList.objects.filter(pk__in=contract.contract_price_lists.values("price_list"))
    attached = list(attached.order_by("valid_from", "pk"))
    for first, second in combinations(attached, 2):
        if first.overlaps(second):
            yield Refused(
                f"Contract {contract}: the price lists “{first}” and “{second}” hold on the same days. "
                f"End the one before the other starts, or take one away.",
                code="PRICE-LISTS-OVERLAP",
            )
    for each in attached:
        if each.entity_id != contract.entity_id or each.kind != PriceList.Kind.SALES:
            yield Refused(
                f"Contract {contract}: “{each}” is not a sales price list of {contract.entity}.",
                code="PRICE-LIST",
            )


def _line(contract, line):
    whose = f"Line {line}"
    if line.project.entity_id != contract.entity_id:
        yield Refused(f"{whose}: project {line.project} belongs to another company.", code="OTHER-ENTITY")
    yield from _line_customers(contract, line, whose)
    if line.frequency_id:
        yield from schedule_troubles(contract, line)
    tasks = list(line.line_tasks.all())
    for each in tasks:
        if each.task.project_id != line.project_id:
            yield Refused(
                f"{whose}: task {each.task} is not one of project {line.project}.", code="OTHER-PROJECT"
            )
    if line.billing_method == _Method.FIXED_PRICE:
        yield from _milestones(contract, line, whose)
        return
    if not line.entire_project and not tasks:
        yield Refused(f"{whose} covers selected tasks, but none is selected.", code="NO-TASK")
    if line.milestones.all():
        yield Refused(
            f"{whose} bills time and material and has milestones, which would never be billed.",
            code="MILESTONES",
        )


def billing_start(contract, line):
    """The day from which a line has invoice days: without any, that on which the contract was confirmed."""
    return line.billing_starts or line.starts or contract.starts or _confirmed_on(contract)


def _confirmed_on(contract):
    """The day on which it was confirmed in the time zone of its company; None for a draft."""
    zone = zoneinfo.ZoneInfo(contract.entity.time_zone)
    return contract.confirmed_at and timezone.localdate(contract.confirmed_at, zone)


def schedule_troubles(contract, line):
    """What keeps the invoice days of a line from being planned (SCH-1)."""
    start = billing_start(contract, line)
    for given, what in (
        (line.frequency, "an invoice frequency"),
        (start, "a billing start"),
        (contract.ends, "the contract's requested end"),
    ):
        if given is None:
            yield Refused(
                f"Line {line} has no schedule yet: enter {what} first.",
                code="SCHEDULE-INCOMPLETE",
            )
    if start and contract.ends and contract.ends < start:
        yield Refused(
            f"Line {line} is billed from {wording.day(start)}, and contract {contract} ends before that, "
            f"on {wording.day(contract.ends)}: change one of the dates.",
            code="SCHEDULE-DATES",
        )


def _line_customers(contract, line, whose):
    customers = list(line.customers.all())
    if not customers:
        yield Refused(f"{whose} has no customers: add those of the contract.", code="NO-CUSTOMER")
        return
    yield from _shares(whose, customers, lambda each: each.contract_customer.customer)
    for each in customers:
        if each.contract_customer.contract_id != contract.pk:
            yield Refused(
                f"{whose}: {each.contract_customer.customer} is a customer of another contract.",
                code="OTHER-CONTRACT",
            )


def _milestones(contract, line, whose):
    """CON-4"""
    milestones = list(line.milestones.all())
    for each in milestones:
        if each.amount != money.rounded(each.amount, contract.currency):
            yield Refused(
                f"{whose}: milestone {each} of {plain(each.amount)} has more decimals than "
                f"{contract.currency} has.",
                code="DECIMALS",
            )
        if said := bounds.over(each.amount, contract.currency):
            yield Refused(
                f"{whose}: milestone {each} can't be billed. {said}: make several of it.", code="TOO-LARGE"
            )
    together = sum(each.amount for each in milestones)
    difference = line.contract_amount - together
    if difference:
        remedy = "is missing" if (difference > 0) == (line.contract_amount > 0) else "is too much"
        yield Refused(
            f"{whose}: the milestones add up to {_amount(together, contract)} and the contract amount is "
            f"{_amount(line.contract_amount, contract)}: {_amount(abs(difference), contract)} {remedy}.",
            code="MILESTONE-SUM",
        )


def _collisions(contract, revision):
    """CON-2"""
    for line, other in colliding_lines(contract, revision=revision):
        where = "" if other.contract_id == contract.pk else f" of contract {other.contract}"
        yield Refused(
            f"Line {line} covers work on project {line.project} that line {other}{where} covers already: "
            f"take a class, a task or some days away from one of them.",
            code="LINES-COLLIDE",
        )


def _amount(amount, contract):
    return f"{money.rounded(amount, contract.currency):,} {contract.currency}"
