"""Who may approve an entry, and which decisions are allowed (APP-2, APP-10).

One rule for the page, bulk actions, the command and previews.
"""

from functools import cached_property

from actuals.models import BillingType, Entry
from actuals.naming import named
from actuals.oddities import HOURS_A_DAY
from contracts.models import Project
from invoicing_site.floor import bounds, checked, moves
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason


def managed_by(user, entries):
    """The projects of the entries for which the user may approve; the system and superusers may for all."""
    projects = {entry.project_id for entry in entries}
    if user is None or user.is_superuser:
        return projects
    return set(user.managed_projects.filter(pk__in=projects).values_list("pk", flat=True))


class Deciding:
    """Whether one user may approve some entries of one legal entity; two queries for any number of entries.

    Managers of the project may, except for their own work and for entries that they recorded, imported or
    submitted themselves. Another manager of the project approves those, unless the legal entity allows own
    approval.
    """

    def __init__(self, entity, entries, by):
        self.entity, self.by, self.today = entity, by, entity.today()
        self.mine = managed_by(by, entries)

    def why_not(self, entry) -> Reason | None:
        """Why this user can't approve or reject the entry; None if allowed."""
        if not moves.allows(entry, "approve"):
            return moves.reason(entry, "approve", name=named(entry))
        if entry.project_id not in self.mine:
            return Reason("NOT-YOUR-PROJECT", entry=named(entry), project=entry.project)
        if self.by is None or self.entity.allow_own_approval:
            return None
        return self._why_own(entry)

    def why_not_approved(self, entry, decision=None) -> Reason | None:
        """Why this user can't approve the entry with that decision; None if allowed."""
        if reason := self.why_not(entry):
            return reason
        if entry.date > self.today:
            return Reason("ENTRY-FUTURE", entry=named(entry), day=entry.date)
        return why_not_decided(entry, decision)

    def _why_own(self, entry):
        """Why the entry is this user's own: worked, recorded, imported or submitted by the user.

        Else None.
        """
        if entry.resource is not None and entry.resource.user_id == self.by.pk:
            return Reason("OWN-WORK", entry=named(entry), why=self._who_else(entry))
        if entry.submitted_by_id == self.by.pk:
            return Reason("OWN-SUBMISSION", entry=named(entry), why=self._who_else(entry))
        if entry.created_by_id == self.by.pk:
            return Reason("OWN-RECORD", entry=named(entry), why=self._who_else(entry))
        return None

    def _who_else(self, entry):
        if others := self._other_managers.get(entry.project_id):
            return Reason("OTHERS-APPROVE", others=others)
        return Reason("NO-OTHER-APPROVER", project=entry.project.code)

    @cached_property
    def _other_managers(self):
        """The names of the other active managers of each project."""
        managed = Project.managers.through.objects.filter(project__in=self.mine, user__is_active=True)
        found = {}
        for row in managed.exclude(user=self.by).select_related("user").order_by("user__username"):
            found.setdefault(row.project_id, []).append(str(row.user))
        return found


def why_not_decided(entry, decision) -> Reason | None:
    """Why the decision is not possible for any approver; None if it is."""
    if decision is None:
        return None
    if decision.billable_quantity is not None:
        try:
            checked.figure(decision.billable_quantity, Entry, "billable_quantity")
        except Refused as refusal:
            return Reason("OF-ENTRY", entry=named(entry), why=refusal.reason)
        if why := bounds.quantity_too_large(decision.billable_quantity):
            return Reason("OF-ENTRY", entry=named(entry), why=why)
        if decision.billable_quantity < 0:
            return Reason("BILLABLE-NEGATIVE", entry=named(entry))
        is_time = entry.transaction_class == Entry.Class.TIME
        if is_time and decision.billable_quantity > max(HOURS_A_DAY, entry.quantity):
            hours, most = decision.billable_quantity, HOURS_A_DAY
            return Reason("BILLABLE-LONG-DAY", entry=named(entry), hours=hours, most=most)
    if decision.billing_type is not None and decision.billing_type not in BillingType.values:
        return Reason("NOT-A-BILLING-TYPE", entry=named(entry), kind=decision.billing_type)
    return None
