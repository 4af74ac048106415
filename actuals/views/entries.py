"""The user's own entries: search, submit, recall, delete (APP-1); and the page of one entry."""

from collections import Counter

from django.contrib import messages
from django.db.models import Q
from django.urls import reverse

from actuals import oddities, operations, weeks
from actuals.filters import EntryFilter
from actuals.history import history_of
from actuals.models import Actual, Entry
from actuals.naming import identity_of
from actuals.tables import EntryTable
from invoicing_site.floor import moves, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens import Action, Answer, BulkOperation, DetailScreen, ListScreen, Operation

_RELATED = ("project", "task", "resource", "role", "category", "product")


def warn_of_days(request, entries):
    """Show warnings about the dates of entries that were just saved or submitted (APP-10)."""
    if entries:
        for sentence in oddities.in_sentences(entries, entries[0].entity.today()):
            messages.warning(request, sentence)


def own(request):
    """The reader's own entries, regardless of their other roles."""
    return Entry.objects.visible_to(request.user).filter(Entry.objects.of_member(request.user))


class Entries(ListScreen):
    """All entries of the user."""

    model = Entry
    permission = "entry.write"
    title = "My entries"
    lead = "Your hours, expenses and material, from draft to approved."
    filterset_class = EntryFilter
    table_class = EntryTable
    noun = ("entry", "entries")
    totals_template = "actuals/hours_totals.html"
    has_totals = True
    empty_title = "No entries yet"
    empty_text = "Enter hours in the week, and expenses under Expenses."
    empty_link = ("week", "Enter hours")
    table_data_keys = True
    template_name = "actuals/entries.html"
    actions = (
        Action("submit_entries", "Submit", "entry.write", icon="send", key="s", style="primary"),
        Action("recall_entries", "Recall", "entry.write", icon="undo-2"),
        Action(
            "delete_entries",
            "Delete",
            "entry.write",
            icon="trash-2",
            style="danger",
            confirm="Delete {n} selected? Drafts and rejected entries are deleted permanently.",
        ),
    )

    @classmethod
    def rows(cls, request):
        return own(request).filter(entity=request.entity).order_by("-date", "-pk")

    def get_queryset(self):
        return self.rows(self.request).select_related(*_RELATED)

    def summed(self, rows):
        """Hours by status, for the whole filter."""
        time = Q(transaction_class=Entry.Class.TIME)
        found = rows.order_by().values("status").annotate(hours=ExactSum("quantity", filter=time))
        hours = {each["status"]: each["hours"] for each in found}
        shown = [(label, value, hours[value]) for value, label in Entry.Status.choices if hours.get(value)]
        return {"hours": shown, "all_hours": sum(hours.values())}


class _Chosen(BulkOperation):
    """Runs the operation on the selected entries that allow it; the others are counted."""

    screen, list_url, permission = Entries, "entries", "entry.write"
    statuses = ()
    done = left = ""

    def operate(self, rows):
        chosen = list(rows)
        fitting = [entry for entry in chosen if entry.status in self.statuses]
        if not fitting:
            self.refuse()
        self.act(fitting)
        left = Counter(self.why_not(entry) for entry in chosen if entry not in fitting)
        n = wording.counted(len(fitting), "entry", "entries")
        return Answer(self.done.format(n), left=dict(left))

    def why_not(self, entry):
        return self.left

    def act(self, entries):
        raise NotImplementedError

    def refuse(self):
        """Raise the refusal if no entry allows it."""
        raise NotImplementedError


class SubmitMany(_Chosen):
    """Submit drafts. A rejected entry that was not changed can only be submitted on its own page."""

    statuses = (Entry.Status.DRAFT,)
    done, left = "{} submitted.", "not a draft"

    def refuse(self):
        raise Refused("NO-DRAFT-SELECTED")

    def why_not(self, entry):
        if entry.status == Entry.Status.REJECTED:
            return "rejected and not changed since (change it, or open it to submit it unchanged)"
        return self.left

    def act(self, entries):
        warn_of_days(self.request, operations.submit(entries, by=self.request.user))


class RecallMany(_Chosen):
    statuses = Entry.MOVES.starts("recall")
    done, left = "{} recalled to draft.", "not submitted"

    def refuse(self):
        raise Refused("NO-SUBMITTED-SELECTED")

    def act(self, entries):
        operations.recall(entries, by=self.request.user)


class DeleteMany(_Chosen):
    statuses, left = Entry.MOVES.starts("delete"), "neither draft nor rejected"
    done = "{} deleted."

    def refuse(self):
        raise Refused("NO-OPEN-SELECTED")

    def act(self, entries):
        operations.delete(entries, by=self.request.user)


class EntryPage(DetailScreen):
    """The page of one entry, with actions for its owner."""

    model, permission = Entry, "entry.view"
    template_name = "actuals/entry.html"

    def rows(self):
        people = ("created_by", "submitted_by", "decided_by", "source__file", "receipt", "entity")
        return Entry.objects.select_related(*_RELATED, *people, "resource__user")

    def get_context_data(self, **context):
        entry, user = self.row, self.request.user
        context = super().get_context_data(**context)
        mine = Entry.objects.reachable(user, "entry.write").filter(Entry.objects.of_member(user))
        is_mine = mine.filter(pk=entry.pk).exists()
        offered = moves.offered(entry, lambda permission: is_mine and permission == "entry.write")
        context["can_edit"] = "amend" in offered and entry.transaction_class != Entry.Class.FEE
        context |= {f"can_{verb}": verb in offered for verb in ("submit", "recall", "delete")}
        context["is_mine"] = is_mine
        is_approved = moves.allows(entry, "cancel_approval")
        amounts = Actual.objects.visible_to(user).filter(entry=entry)
        context["can_explain"] = is_approved and amounts.exists()
        context["monday"] = weeks.monday_of(entry.date)
        context["history"] = history_of(entry)
        context["sees_import"] = entry.source_id and self.request.may("entry.import", entry.entity)
        return context

    def get_title(self):
        return f"{self.row.get_transaction_class_display().capitalize()} entry: {identity_of(self.row)}"


class Submit(Operation):
    model, permission, done = Entry, "entry.write", "The entry was submitted for approval."

    def rows(self):
        return Entry.objects.filter(Entry.objects.of_member(self.request.user))

    def operate(self, entry):
        warn_of_days(self.request, operations.submit([entry], by=self.request.user))


class Recall(Submit):
    done = "The entry was recalled and is a draft again."

    def operate(self, entry):
        operations.recall([entry], by=self.request.user)


class Delete(Submit):
    done = "The entry was deleted."

    def operate(self, entry):
        operations.delete([entry], by=self.request.user)

    def success_url(self, entry):
        return reverse("entries")

    def refused_url(self, entry):
        return entry.get_absolute_url()
