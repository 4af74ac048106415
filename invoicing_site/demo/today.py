"""The last weeks of the demo: work in every state that it can have."""

import datetime

from actuals.models import Entry
from actuals.operations import submit
from backlog.operations import approve, cancel_approval, reject
from invoicing_site.demo.catalogue import LEFT
from invoicing_site.demo.setting import World
from invoicing_site.demo.work import DECIDED, hour_entry, weekday_until
from invoicing_site.demo.year import approve_until, book, confirm, mark_until
from ledger.invoicing.operations import proposals
from ledger.journal.operations import journals
from proforma import operations as proformas
from proforma.models import InvoiceRun


def leave_open(world: World):
    """Process the weeks since the last closing, and leave work for every role."""
    today = world.today
    left = {
        state: _deals(world, codes) for state, codes in LEFT[world.entity.code].items() if state != "no price"
    }
    until = today - DECIDED
    # The schedule entries since then found nothing ready, so that no scheduled run invoices the remaining
    # work.
    proformas.run_invoicing(world.entity, as_of=today, by=None, trigger=InvoiceRun.Trigger.SCHEDULE)
    waiting = {each.deal.code for each in left["blocked"]}
    rest = [each for each in world.deals.values() if each.deal.code not in waiting]
    approve_until(world, rest, until, on=today)
    for agreed in left["canceled"]:
        _approve_late_and_cancel(world, agreed)
    book(world, on=today)

    for state in ("ready", "draft", "review", "open"):
        mark_until(world, left[state], until)
    _drafts(world, left["draft"], until)
    for draft in _drafts(world, left["review"], until):
        proformas.submit_for_review(draft, by=world.users["manager"])
    for draft in _drafts(world, left["open"], until):
        proposals.create_proposal(confirm(world, draft, on=today))

    # Their actuals are in an unposted journal.
    approve_until(world, left["blocked"], until, on=today)
    journals.add_to_journals(world.entity, on=today, by=world.users["accountant"])
    mark_until(world, left["blocked"], until)
    for draft in _drafts(world, left["blocked"], until):
        proposals.create_proposal(confirm(world, draft, on=today))
    _reject_some(world, until)


def _deals(world, codes):
    return [world.deals[code] for code in codes]


def _drafts(world, deals, until):
    if not deals:
        return []
    return proformas.create_proformas(
        [each.contract for each in deals], cutoff=until, on=world.today, by=world.users["manager"]
    )


def _approve_late_and_cancel(world, agreed):
    """Hours that were entered weeks late, approved and booked, and then canceled."""
    day = weekday_until(max(world.today - datetime.timedelta(days=40), agreed.starts))
    entry = hour_entry(world, agreed, agreed.deal.team[0], day)
    entry.save()
    world.entries += 1
    submit([entry], by=world.users["accountant"])
    approve([entry], by=world.users["manager"], on=world.today)
    book(world, on=world.today)
    cancel_approval([entry], by=world.users["manager"], on=world.today, comment="Worked for another customer")


def _reject_some(world, until):
    submitted = Entry.objects.filter(
        entity=world.entity, status=Entry.Status.SUBMITTED, date__gt=until
    ).order_by("date", "pk")
    reject(
        list(submitted[:2]),
        by=world.users["manager"],
        comment="Please say what was done, and on which task.",
    )
