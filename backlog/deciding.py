"""Who decides on an entry, and what the decision may be (APP-2, APP-10).

One rule for the page, a bulk action, the command and a preview.
"""

from functools import cached_property

from actuals.models import BillingType, Entry
from actuals.naming import named
from actuals.oddities import HOURS_A_DAY
from contracts.models import Project
from invoicing_site.floor import bounds, checked, moves, wording
from invoicing_site.floor.errors import Refused


def managed_by(user, entries):
    """Of the entries' projects those the user decides on; the system and superusers on all."""
    projects = {entry.project_id for entry in entries}
    if user is None or user.is_superuser:
        return projects
    return set(user.managed_projects.filter(pk__in=projects).values_list("pk", flat=True))


class Deciding:
    """Whether one person decides on some entries of one legal entity; two queries, however many they are.

    A manager of the project does, but for work of their own and for what they recorded, imported or submitted
    themselves. That is for another manager of the project, unless the legal entity allows own approval.
    """

    def __init__(self, entity, entries, by):
        self.entity, self.by, self.today = entity, by, entity.today()
        self.mine = managed_by(by, entries)

    def why_not(self, entry) -> str:
        """Why this person can't approve or reject the entry; empty where they can."""
        if not moves.allows(entry, "approve"):
            return moves.reason(entry, "approve", name=named(entry)).sentence
        if entry.project_id not in self.mine:
            return f"{named(entry)} is on project {entry.project}, which is not yours to approve."
        if self.by is not None and not self.entity.allow_own_approval and (part := _part_in(entry, self.by)):
            return f"{named(entry)} {part}; {self._who_else(entry)}."
        return ""

    def why_not_approved(self, entry, decision=None) -> str:
        """Why this person can't approve the entry with that decision; empty where they can."""
        sentence = self.why_not(entry)
        if not sentence and entry.date > self.today:
            day = wording.day(entry.date)
            sentence = f"{named(entry)} is dated after today; it can be approved from {day} on."
        return sentence or why_not_decided(entry, decision)

    def _who_else(self, entry):
        others = self._other_managers.get(entry.project_id)
        if others:
            return f"{' or '.join(others)} can approve it"
        return (
            f"project {entry.project.code} has no other manager to approve it: a billing administrator adds "
            "one to the project, or allows own approval for the company"
        )

    @cached_property
    def _other_managers(self):
        """Names of the active people beside this one who manage each project."""
        managed = Project.managers.through.objects.filter(project__in=self.mine, user__is_active=True)
        found = {}
        for row in managed.exclude(user=self.by).select_related("user").order_by("user__username"):
            found.setdefault(row.project_id, []).append(str(row.user))
        return found


def _part_in(entry, user):
    """What the user had to do with the entry before it came to be decided on."""
    if entry.resource is not None and entry.resource.user_id == user.pk:
        return "is your own"
    if entry.submitted_by_id == user.pk:
        return "was submitted by you"
    return "was recorded by you" if entry.created_by_id == user.pk else ""


def why_not_decided(entry, decision) -> str:
    """Why the decision itself makes no sense, whoever takes it."""
    if decision is None:
        return ""
    if decision.billable_quantity is not None:
        try:
            checked.figure(decision.billable_quantity, Entry, "billable_quantity")
        except Refused as refusal:
            return f"{named(entry)}: {refusal}"
        if sentence := bounds.why_not_quantity(decision.billable_quantity):
            return f"{named(entry)}: {sentence}"
        if decision.billable_quantity < 0:
            return f"{named(entry)}: the billable quantity can't be less than 0."
        is_time = entry.transaction_class == Entry.Class.TIME
        if is_time and decision.billable_quantity > max(HOURS_A_DAY, entry.quantity):
            hours = wording.number(decision.billable_quantity)
            return f"{named(entry)}: {hours} h are more than a day has; enter {HOURS_A_DAY} at most."
    if decision.billing_type is not None and decision.billing_type not in BillingType.values:
        return f"{named(entry)}: “{decision.billing_type}” is not a billing type."
    return ""
