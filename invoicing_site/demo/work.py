"""The entries of a company during the year."""

import datetime
from collections import Counter
from decimal import Decimal

from actuals.models import Entry
from actuals.operations import submit
from invoicing_site.demo.agreements import Agreed
from invoicing_site.demo.catalogue import LEFT, WORDS
from invoicing_site.demo.setting import World
from invoicing_site.floor import formatting
from invoicing_site.floor.querysets import write_rows

DAY = datetime.timedelta(days=1)
# Work older than this number of days is approved or rejected, and its hours are submitted.
DECIDED, SUBMITTED = 8 * DAY, 4 * DAY

_WHOLE, _HALVES = (Decimal("7.5"),), (Decimal(4), Decimal("3.5"))


def enter(world: World):
    """Enter all work up to today, and submit all but the last days."""
    rows = [*_ordinary_days(world), *_things(world), *_the_last_days(world)]
    write_rows(Entry, rows)
    world.entries += len(rows)
    until = world.today - SUBMITTED
    own = [row for row in rows if row.date <= until and _is_members(world, row)]
    others = [row for row in rows if row.date <= until and not _is_members(world, row)]
    if own:
        submit(own, by=world.users["member"])
    submit(others, by=world.users["accountant"])


def weekday_until(day: datetime.date) -> datetime.date:
    """The day itself, or the Friday before a weekend."""
    return day - max(0, day.weekday() - 4) * DAY


def hour_entry(world: World, agreed: Agreed, person: str, day, hours=Decimal("7.5"), task=None) -> Entry:
    """Unsaved hours of a person on a contract."""
    code = task or world.rng.choice(sorted(agreed.tasks))
    resource = world.people[person]
    return _entry(
        world,
        agreed,
        day,
        resource=resource,
        role=resource.role,
        category=world.categories["WORK"],
        task=agreed.tasks[code],
        quantity=hours,
        unit="h",
        description=world.rng.choice(WORDS[code]),
    )


def _entry(world, agreed, day, **what):
    resource = what.get("resource")
    # Somebody else records the hours of people without a user; not the manager, who approves them.
    by = resource.user if resource and resource.user else world.users["accountant"]
    what.setdefault("task", agreed.tasks["SUPPORT"])
    return Entry(entity=world.entity, project=agreed.project, date=day, created_by=by, **what)


def _is_members(world, row):
    return row.created_by_id == world.users["member"].pk


def _ordinary_days(world):
    rng = world.rng
    day = world.starts
    while day <= world.today:
        for person in world.people if day.weekday() < 5 else ():
            # Holidays in July; on other days, some people are absent or do internal work.
            is_away = rng.randrange(3) > 0 if day.month == 7 else rng.randrange(10) < 3
            if is_away or rng.randrange(world.every):
                continue
            at_work = [
                agreed
                for agreed in world.deals.values()
                if person in agreed.deal.team and agreed.starts <= day <= agreed.until
            ]
            for hours in rng.choice((*4 * (_WHOLE,), _HALVES)) if at_work else ():
                agreed = rng.choice(at_work)
                if not _has_price(world, agreed, person):
                    continue
                yield hour_entry(world, agreed, person, day, hours)
                if not rng.randrange(14):
                    yield _expense(world, agreed, person, day)
        day += DAY


def _has_price(world, agreed, person):
    """Whether the person has a price; on one contract, one person without a price works at the end only."""
    return (agreed.deal.code, person) != LEFT[world.entity.code]["no price"]


def _expense(world, agreed, person, day):
    """An expense in the company's own currency; half of a hotel's tax is deductible."""
    code = world.rng.choice(("TRAVEL", "TRAVEL", "HOTEL", "MILEAGE", "PUBLIC"))
    scale = 10 if world.entity.currency == "NOK" else 1
    quantity, unit, tax, deductible = 1, "each", 0, 0
    if code == "MILEAGE":
        quantity, unit = world.rng.randint(15, 180), "km"
        net = quantity * scale // 2
    else:
        net = world.rng.randint(30, 260) * scale
    if code in ("TRAVEL", "HOTEL"):
        tax = net * 12 // 100
        deductible = tax if code == "TRAVEL" else tax // 2
    return _entry(
        world,
        agreed,
        day,
        transaction_class="expense",
        resource=world.people[person],
        category=world.categories[code],
        quantity=Decimal(quantity),
        unit=unit,
        description=world.categories[code].name,
        cost_currency=world.entity.currency,
        cost_net=Decimal(net),
        cost_tax=Decimal(tax),
        cost_tax_deductible=Decimal(deductible),
    )


def _things(world):
    """Sensors and hosting, once a month."""
    for agreed in world.deals.values():
        day = agreed.starts.replace(day=12)
        while agreed.deal.sells and day <= world.today:
            if day >= agreed.starts and agreed.deal.sells == "fee":
                yield _entry(
                    world,
                    agreed,
                    day,
                    transaction_class="fee",
                    category=world.categories["HOSTING"],
                    quantity=Decimal(1),
                    unit="each",
                    description=f"Hosting in {formatting.month(day)}",
                )
            elif day >= agreed.starts:
                yield _entry(
                    world,
                    agreed,
                    day,
                    transaction_class="material",
                    product=world.product,
                    quantity=Decimal(world.rng.randint(2, 9)),
                    unit="each",
                    description="Sensors, installed and tested",
                )
            day = (day.replace(day=28) + 7 * DAY).replace(day=12)


def _the_last_days(world):
    """Work for each state of the last weeks; nothing here is random."""
    left = LEFT[world.entity.code]
    day = weekday_until(world.today - DECIDED - DAY)
    at_work = Counter()  # at most 24 hours a day
    for state in ("ready", "draft", "review", "open", "blocked", "over"):
        for code in left[state]:
            agreed = world.deals[code]
            team = [each for each in reversed(agreed.deal.team) if _has_price(world, agreed, each)]
            person = min(team, key=lambda each: at_work[each])
            at_work[person] += 1
            yield hour_entry(world, agreed, person, day, Decimal(5))
    if left["no price"]:
        code, person = left["no price"]
        yield hour_entry(world, world.deals[code], person, day, Decimal(3), task="SUPPORT")
    person = next(iter(world.people))
    agreed = next(each for each in world.deals.values() if person in each.deal.team)
    # Two that are rejected, one that waits for its approval, and a draft.
    for back in (SUBMITTED + DAY, SUBMITTED, SUBMITTED, 0 * DAY):
        yield hour_entry(world, agreed, person, weekday_until(world.today - back), Decimal(2))
