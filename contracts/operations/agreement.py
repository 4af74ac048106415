"""Operations before a contract is confirmed: default values, schedule, milestones, and the check."""

import datetime
from itertools import islice

from django.db.models import Max

from contracts.checks import billing_start, contract_problems, schedule_problems
from contracts.frequencies import cutoff_of, days_of
from contracts.models import (
    ContractLine,
    ContractPriceList,
    ContractRevision,
    InvoiceFrequency,
    LineCustomer,
    Milestone,
    MilestonePart,
    PriceList,
    ProjectContract,
    ScheduleEntry,
)
from invoicing_site.floor import audit, money, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import total, write_rows
from invoicing_site.floor.reasons import Amount

_Method = ContractLine.BillingMethod


@transaction.atomic
def apply_default_price_lists(contract: ProjectContract, *, by=None) -> list[ContractPriceList]:
    """Give a new contract the sales price lists in its currency that apply by default (PRC-6).

    These are the contract's own lists if there are any, else those of its primary customer, else the standard
    lists of the entity. Lists of one owner only, so that none replaces an expired list of another owner.
    Lists of all dates are included. If the contract already has price lists, nothing changes.
    """
    contract = _locked(contract)
    moves.refuse_unless(contract, "apply_default_price_lists")
    if contract.contract_price_lists.exists():
        return []
    primary = contract.customers.filter(is_primary=True).first()
    lists = PriceList.objects.filter(
        entity=contract.entity_id, kind=PriceList.Kind.SALES, currency=contract.currency
    ).order_by("valid_from", "pk")
    owners: list[dict] = [{"contract": contract}]
    if primary:
        owners.append({"customer": primary.customer_id})
    owners.append({"contract": None, "customer": None, "unit": None})
    chosen = next(filter(None, (list(lists.filter(**owner)) for owner in owners)), [])
    rows = write_rows(
        ContractPriceList, [ContractPriceList(contract=contract, price_list=each) for each in chosen]
    )
    _tell("contracts.apply_default_price_lists", contract, by, price_lists=[each.code for each in chosen])
    return rows


@transaction.atomic
def apply_default_customers(line: ContractLine, *, by=None) -> list[LineCustomer]:
    """Give a new line the contract's customers with their splits and the rounding (CON-1).

    If the line already has customers, nothing changes. Limits are not copied: a line has its own limits.
    """
    contract = _locked(line.contract)
    if line.customers.exists():
        return []
    rows = [
        LineCustomer(line=line, contract_customer=each, split=each.split, is_rounding=each.is_rounding)
        for each in contract.customers.order_by("pk")
    ]
    rows = write_rows(LineCustomer, rows)
    _tell("contracts.apply_default_customers", line, by, contract, customers=len(rows))
    return rows


@transaction.atomic
def generate_schedule(line: ContractLine, *, by) -> list[ScheduleEntry]:
    """Plan the line's invoice dates by its frequency, and return all its entries that have not run (SCH-1).

    The dates start with the line's billing start. The last one is the first whose cutoff reaches the
    contract's requested end, so that the work of the last days is billed too. The cutoff is the day before
    the run or the day of the run, as the frequency says. A second call keeps the entries that have run,
    successful or failed, and plans no dates before them.
    """
    contract = _locked(line.contract)
    line = ContractLine.objects.select_related("frequency").get(pk=line.pk)
    moves.refuse_unless(contract, "generate_schedule")
    for reason in schedule_problems(contract, line):
        raise Refused.because(reason)
    start = billing_start(contract, line)

    entries = list(line.schedule.order_by("run_date"))
    ran = max((e.run_date for e in entries if e.status != ScheduleEntry.Status.NOT_RUN), default=None)
    assert line.frequency  # otherwise `schedule_problems` has refused it
    days = (day for day in _run_dates(line.frequency, start, contract.ends) if ran is None or day > ran)
    wanted = {day: cutoff_of(line.frequency, day) for day in days}
    waiting = {e.run_date: e for e in entries if e.status == ScheduleEntry.Status.NOT_RUN}
    stale = [e.pk for day, e in waiting.items() if e.cutoff != wanted.get(day)]
    ScheduleEntry.objects.filter(pk__in=stale).delete()
    kept = {day for day, e in waiting.items() if e.pk not in stale}
    new = [
        ScheduleEntry(line=line, run_date=day, cutoff=cutoff)
        for day, cutoff in sorted(wanted.items())
        if day not in kept
    ]
    write_rows(ScheduleEntry, new)
    _tell("contracts.generate_schedule", line, by, contract, added=len(new), removed=len(stale))
    return list(line.schedule.filter(status=ScheduleEntry.Status.NOT_RUN).order_by("run_date"))


def _run_dates(frequency: InvoiceFrequency, start, end):
    """The dates of the frequency from the start on, until the first one whose cutoff reaches the end."""
    for day in days_of(frequency, start):
        yield day
        if cutoff_of(frequency, day) >= end:
            return


@transaction.atomic
def generate_milestones(
    line: ContractLine,
    *,
    count: int,
    by,
    frequency: InvoiceFrequency | None = None,
    starts: datetime.date | None = None,
    name: str = "Milestone",
) -> list[Milestone]:
    """Split the part of the contract amount without milestones into `count` equal new ones (MIL-1, MON-3).

    Their dates are those of the frequency (by default the line's) from `starts` on, their names "Milestone 1"
    and so on. Each amount is rounded, and the last milestone gets the rest.
    """
    contract = _locked(line.contract)
    line = ContractLine.objects.select_related("frequency", "revision").get(pk=line.pk)
    if not (line.revision and line.revision.status == ContractRevision.Status.DRAFT):
        moves.refuse_unless(contract, "generate_milestones")
    frequency = frequency or line.frequency
    starts = starts or line.billing_starts or line.starts or contract.starts
    if line.billing_method != _Method.FIXED_PRICE:
        raise Refused("NOT-FIXED-PRICE", line=line)
    if frequency is None:
        raise Refused("MILESTONE-FREQUENCY", line=line)
    if starts is None:
        raise Refused("MILESTONE-START", line=line)
    if count < 1:
        raise Refused("MILESTONE-COUNT")
    whole = line.contract_amount
    assert whole is not None  # a constraint of fixed-price lines
    rest = whole - total(line.milestones.all())
    amounts = money.equal_parts(rest, count, contract.currency)
    if not all((amount > 0) == (whole > 0) and amount for amount in amounts):
        left = Amount(money.rounded(rest, contract.currency), contract.currency)
        raise Refused("MILESTONE-REST", line=line, rest=left, count=count)
    last = line.milestones.aggregate(last=Max("number"))["last"] or 0
    days = islice(days_of(frequency, starts), count)
    rows = [
        Milestone(line=line, number=number, name=f"{name} {number}", date=day, amount=amount)
        for number, day, amount in zip(range(last + 1, last + count + 1), days, amounts, strict=True)
    ]
    rows = write_rows(Milestone, rows)
    _tell("contracts.generate_milestones", line, by, contract, milestones=count, amount=rest)
    return rows


def part_milestone(milestone: Milestone) -> list[MilestonePart]:
    """The parts of one milestone; see `part_milestones`."""
    return part_milestones([milestone])


@transaction.atomic
def part_milestones(milestones) -> list[MilestonePart]:
    """Split milestones into parts, one for each customer of the line, by the splits (MIL-1, MON-3).

    The parts of a milestone add up to its amount; the rounding customer gets the rest. A share of 0 % gets no
    part. A milestone that already has parts keeps them. The caller holds the contract's lock.
    """
    milestones = list(milestones)
    parts: dict[int, list[MilestonePart]] = {}
    for part in MilestonePart.objects.filter(milestone__in=milestones, split_from=None).order_by("pk"):
        parts.setdefault(part.milestone_id, []).append(part)
    lines = {milestone.line_id for milestone in milestones}
    shares: dict[int, list[LineCustomer]] = {}
    for share in LineCustomer.objects.filter(line__in=lines).order_by("line", "pk"):
        shares.setdefault(share.line_id, []).append(share)
    currencies = dict(ContractLine.objects.filter(pk__in=lines).values_list("pk", "contract__currency"))
    new = [
        part
        for milestone in milestones
        if milestone.pk not in parts
        for part in _parts(milestone, shares[milestone.line_id], currencies[milestone.line_id])
    ]
    for part in write_rows(MilestonePart, new):
        parts.setdefault(part.milestone_id, []).append(part)
    return [part for milestone in milestones for part in parts[milestone.pk]]


def _parts(milestone, shares, currency):
    rounding = next(n for n, share in enumerate(shares) if share.is_rounding)
    amounts = money.split(milestone.amount, [share.split for share in shares], rounding, currency)
    return [
        MilestonePart(milestone=milestone, contract_customer_id=share.contract_customer_id, amount=amount)
        for share, amount in zip(shares, amounts, strict=True)
        if amount
    ]


def check_contract(contract: ProjectContract, *, revision: ContractRevision | None = None) -> None:
    """Refuse a contract that can't be confirmed, with all reasons at once (CON-1, CON-2, CON-4).

    With a draft revision: the contract as it will be after the revision is confirmed. The caller holds the
    locks of the contract and of its lines' projects; without them another contract could claim the same work.
    """
    if reasons := contract_problems(contract, revision=revision):
        raise Refused.because(*reasons)


def _locked(contract):
    return ProjectContract.objects.locked().select_related("entity").get(pk=contract.pk)


def _tell(action, subject, by, contract=None, **detail):
    contract = contract or subject
    audit.record(action, subject, by=by, entity=contract.entity.code, **detail)
