"""The year in the office: every month is approved, booked, invoiced and posted by the responsible people."""

import datetime
from decimal import Decimal

from actuals.models import BillingType, Entry
from backlog.models import BacklogItem
from backlog.operations import Decision, approve_many, mark_ready
from contracts.models import ScheduleEntry
from invoicing_site.demo.setting import World
from ledger.closing.operations import close_period
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import FiscalPeriod
from proforma import operations as proformas
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice

DAY = datetime.timedelta(days=1)
# Months that ended this number of days ago are closed.
_CLOSED_AFTER = 120 * DAY


def pass_months(world: World):
    """Process the past months, and the days between on which a contract is billed."""
    firsts = _firsts(world.starts, world.today - 14 * DAY)
    between = ScheduleEntry.objects.filter(
        line__frequency=world.frequencies["BIWEEKLY"], run_date__lt=firsts[-1]
    )
    biweekly = [each for each in world.deals.values() if each.deal.billing == "BIWEEKLY"]
    days = {day: list(world.deals.values()) for day in firsts}
    for day in between.values_list("run_date", flat=True):
        days.setdefault(day, biweekly)
    for day in sorted(days):
        _close(world, day, days[day], firsts.index(day) + 1 if day in firsts else 0)
    for period in FiscalPeriod.objects.filter(
        entity=world.entity, ends__lt=world.today - _CLOSED_AFTER
    ).order_by("starts"):
        close_period(period, by=world.users["accountant"])


def _firsts(start, until):
    """The first days of the months after the start; at least one."""
    days, day = [], (start.replace(day=28) + 7 * DAY).replace(day=1)
    while day <= until:
        days.append(day)
        day = (day.replace(day=28) + 7 * DAY).replace(day=1)
    assert days, "The demo is too short: no month has ended."
    return days


def _close(world, day, deals, month):
    """Bill these contracts on one day; `month` is the number of past months, 0 for days between."""
    approve_until(world, deals, day - DAY, on=day, decide=_given_away)
    book(world, on=day)
    mark_until(world, deals, day - DAY)
    chosen = {} if month else {"contracts": [each.contract for each in deals]}
    proformas.run_invoicing(
        world.entity,
        as_of=day,
        by=world.users["accountant"],
        trigger=InvoiceRun.Trigger.COMMAND,
        **chosen,
    )
    by_hand = [
        each.contract for each in deals if month and not each.is_scheduled and not month % each.deal.billing
    ]
    if BacklogItem.objects.ready().filter(contract__in=by_hand).exists():
        proformas.create_proformas(by_hand, cutoff=day - DAY, on=day, by=world.users["manager"])
    drafts = ProformaInvoice.objects.filter(entity=world.entity, status=ProformaInvoice.Status.DRAFT)
    confirmed = [confirm(world, draft, on=day) for draft in _adjusted(world, list(drafts.order_by("pk")))]
    posting.post_many(
        [proposals.create_proposal(each) for each in confirmed], by=world.users["accountant"], on=day
    )


def _adjusted(world, drafts):
    """On some proformas, the project manager removes an hour before confirming."""
    for draft in drafts:
        if not world.rng.randrange(6):
            detail = (
                LineDetail.objects.filter(
                    line__proforma=draft,
                    transaction_class="time",
                    billing_type=BillingType.CHARGEABLE,
                    quantity__gt=2,
                )
                .order_by("pk")
                .first()
            )
            if detail:
                proformas.edit_details([detail], by=world.users["manager"], quantity=detail.quantity - 1)
    return drafts


def approve_until(world: World, deals, until: datetime.date, *, on: datetime.date, decide=None):
    """Approve the submitted entries of these contracts up to a day.

    `decide` returns changes of the entries.
    """
    entries = list(
        Entry.objects.filter(
            status=Entry.Status.SUBMITTED,
            project__in=[each.project for each in deals],
            date__lte=until,
        ).order_by("date", "pk")
    )
    if not entries:
        return
    decisions = decide(world, entries) if decide else None
    for approval in approve_many(entries, by=world.users["manager"], on=on, decisions=decisions):
        assert not approval.refused, approval.refused[0][1]


def _given_away(world, entries):
    """Mark a few hours as not chargeable."""
    decisions = {}
    for entry in entries:
        if entry.transaction_class != Entry.Class.TIME or entry.quantity < Decimal(3):
            continue
        luck = world.rng.randrange(60)
        if luck == 0:
            decisions[entry.pk] = Decision(billing_type=BillingType.COMPLIMENTARY)
        elif luck == 1:
            decisions[entry.pk] = Decision(billable_quantity=entry.quantity - 1)
        elif luck == 2:
            decisions[entry.pk] = Decision(billing_type=BillingType.NON_CHARGEABLE)
    return decisions


def book(world: World, *, on: datetime.date):
    """Add all actuals to integration journals and post them."""
    accountant = world.users["accountant"]
    journals.add_to_journals(world.entity, on=on, by=accountant)
    journals.post_journals(world.entity, by=accountant, on=on)


def mark_until(world: World, deals, until: datetime.date):
    """Mark the work of these contracts up to a day as ready to invoice."""
    items = BacklogItem.objects.filter(
        contract__in=[each.contract for each in deals],
        status=BacklogItem.Status.NOT_READY,
    ).dated_until(until)
    if items.exists():
        mark_ready(items, by=world.users["manager"])


def confirm(world: World, draft, *, on: datetime.date):
    """Confirm a draft as its project manager."""
    return proformas.confirm(draft, by=world.users["manager"], on=on)
