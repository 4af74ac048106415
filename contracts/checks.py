"""Why a contract can't be confirmed, as reasons (CON-1, CON-2, CON-4). Reads only."""

import zoneinfo
from itertools import combinations

from django.utils import timezone

from contracts.chargeability import colliding_lines, lines_of
from contracts.models import ContractLine, ContractRevision, PriceList, ProjectContract
from invoicing_site.floor import bounds, money
from invoicing_site.floor.reasons import Amount, Reason

_Method = ContractLine.BillingMethod


def contract_problems(contract: ProjectContract, *, revision: ContractRevision | None = None) -> list[Reason]:
    """All reasons why the contract can't be confirmed; empty if there are none.

    With a draft revision: the contract as it will be after the revision is confirmed.
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
        *(problem for line in lines for problem in _line(contract, line)),
        *_collisions(contract, revision),
    ]


def _customers(contract, customers):
    if not customers:
        yield Reason("CONTRACT-NO-CUSTOMER", contract=contract)
        return
    if not any(each.is_primary for each in customers):
        yield Reason("NO-PRIMARY", contract=contract)
    yield from _shares(Reason("OF-CONTRACT", contract=contract), customers, lambda each: each.customer)
    for each in customers:
        if each.customer.entity_id != contract.entity_id:
            yield Reason("CUSTOMER-OTHER-ENTITY", contract=contract, customer=each.customer)


def _shares(whose, shares, name):
    """CON-1: the splits add up to 100, and one customer with a share takes the rounding difference."""
    percent = sum(each.split for each in shares)
    if percent != 100:
        yield Reason("SPLIT-SUM", whose=whose, percent=percent)
    rounding = [each for each in shares if each.is_rounding]
    if len(rounding) != 1:
        yield Reason("ROUNDING-ONE", whose=whose)
    elif not rounding[0].split:
        yield Reason("ROUNDING-NO-SHARE", whose=whose, customer=name(rounding[0]))


def _price_lists(contract):
    """PRC-1: the price lists of one owner do not overlap."""
    lists = PriceList.objects.filter(pk__in=contract.contract_price_lists.values("price_list"))
    attached = list(lists.order_by("valid_from", "pk"))
    for first, second in combinations(attached, 2):
        if first.overlaps(second):
            yield Reason("PRICE-LISTS-OVERLAP", contract=contract, first=first, second=second)
    for each in attached:
        if each.entity_id != contract.entity_id or each.kind != PriceList.Kind.SALES:
            yield Reason("NOT-A-SALES-LIST", contract=contract, price_list=each, entity=contract.entity)


def _line(contract, line):
    if line.project.entity_id != contract.entity_id:
        yield Reason("PROJECT-OTHER-ENTITY", line=line, project=line.project)
    yield from _line_customers(contract, line)
    if line.frequency_id:
        yield from schedule_problems(contract, line)
    tasks = list(line.line_tasks.all())
    for each in tasks:
        if each.task.project_id != line.project_id:
            yield Reason("TASK-OTHER-PROJECT", line=line, task=each.task, project=line.project)
    if line.billing_method == _Method.FIXED_PRICE:
        yield from _milestones(contract, line)
        return
    if not line.entire_project and not tasks:
        yield Reason("NO-TASK", line=line)
    if line.milestones.all():
        yield Reason("MILESTONES-UNBILLED", line=line)


def billing_start(contract, line):
    """The first day of a line's invoice dates: by default, the day on which the contract was confirmed."""
    return line.billing_starts or line.starts or contract.starts or _confirmed_on(contract)


def _confirmed_on(contract):
    """The day on which it was confirmed, in the time zone of its legal entity; None for a draft."""
    zone = zoneinfo.ZoneInfo(contract.entity.time_zone)
    return contract.confirmed_at and timezone.localdate(contract.confirmed_at, zone)


def schedule_problems(contract, line):
    """The reasons why the invoice dates of a line can't be planned (SCH-1)."""
    start = billing_start(contract, line)
    if line.frequency is None:
        yield Reason("SCHEDULE-FREQUENCY", line=line)
    if start is None:
        yield Reason("SCHEDULE-START", line=line)
    if contract.ends is None:
        yield Reason("SCHEDULE-END", line=line)
    if start and contract.ends and contract.ends < start:
        yield Reason("SCHEDULE-DATES", line=line, starts=start, contract=contract, ends=contract.ends)


def _line_customers(contract, line):
    customers = list(line.customers.all())
    if not customers:
        yield Reason("LINE-NO-CUSTOMER", line=line)
        return
    yield from _shares(Reason("OF-LINE", line=line), customers, lambda each: each.contract_customer.customer)
    for each in customers:
        if each.contract_customer.contract_id != contract.pk:
            yield Reason("CUSTOMER-OTHER-CONTRACT", line=line, customer=each.contract_customer.customer)


def _milestones(contract, line):
    """CON-4: the milestones are rounded to the currency and add up to the contract amount."""
    currency = contract.currency
    milestones = list(line.milestones.all())
    for each in milestones:
        if each.amount != money.rounded(each.amount, currency):
            yield Reason(
                "MILESTONE-DECIMALS", line=line, milestone=each, amount=each.amount, currency=currency
            )
        if why := bounds.amount_too_large(each.amount, currency):
            yield Reason("MILESTONE-TOO-LARGE", line=line, milestone=each, why=why)
    together = sum(each.amount for each in milestones)
    difference = line.contract_amount - together
    amounts: dict = {
        "total": Amount(money.rounded(together, currency), currency),
        "amount": Amount(money.rounded(line.contract_amount, currency), currency),
        "difference": Amount(money.rounded(abs(difference), currency), currency),
    }
    if difference and (difference > 0) == (line.contract_amount > 0):
        yield Reason("MILESTONES-MISSING", line=line, **amounts)
    elif difference:
        yield Reason("MILESTONES-EXCEED", line=line, **amounts)


def _collisions(contract, revision):
    """CON-2: no other line covers the same work on the same day."""
    for line, other in colliding_lines(contract, revision=revision):
        if other.contract_id == contract.pk:
            yield Reason("LINES-COLLIDE", line=line, project=line.project, other=other)
        else:
            yield Reason(
                "LINES-COLLIDE-ELSEWHERE",
                line=line,
                project=line.project,
                other=other,
                contract=other.contract,
            )
