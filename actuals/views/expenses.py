"""Expenses and material: enter with a receipt, edit, submit (APP-1, APP-8)."""

import secrets

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.urls import reverse

from actuals import operations
from actuals.filters import ExpenseFilter
from actuals.forms import FORMS
from actuals.models import Entry
from actuals.naming import identity_of
from actuals.tables import ExpenseTable
from actuals.views import entries
from actuals.views.entries import _RELATED, own
from contracts.models import Resource
from invoicing_site.floor import files, moves
from invoicing_site.floor.errors import Refused
from invoicing_site.models import StoredFile
from invoicing_site.screens import Action, FormOperation, ListScreen

_CLASSES = (Entry.Class.EXPENSE, Entry.Class.MATERIAL)
_KEPT = "kept_receipts"


def resource_of(request):
    """The reader's resource in the selected legal entity, or None."""
    return (
        Resource.objects.filter(entity=request.entity, user=request.user)
        .select_related("role", "entity")
        .first()
    )


class Expenses(ListScreen):
    """The user's expenses and material."""

    model = Entry
    permission = "entry.write"
    title = "Expenses"
    lead = "Your expenses and the material you used."
    filterset_class = ExpenseFilter
    table_class = ExpenseTable
    template_name = "actuals/expenses.html"
    amount_field = "cost_net"
    currency_field = "cost_currency"
    noun = ("expense", "expenses")
    empty_title = "No expenses yet"
    empty_text = "Enter an expense with a picture of the receipt."
    empty_link = ("new_expense", "New expense")
    actions = (
        Action("submit_expenses", "Submit", "entry.write", icon="send", key="s", style="primary"),
        Action(
            "delete_expenses",
            "Delete",
            "entry.write",
            icon="trash-2",
            style="danger",
            confirm="Delete {n} selected, {sum}? Drafts and rejected expenses are deleted permanently.",
        ),
    )

    @classmethod
    def rows(cls, request):
        return (
            own(request)
            .filter(entity=request.entity, transaction_class__in=_CLASSES)
            .order_by("-date", "-pk")
        )

    def get_queryset(self):
        return self.rows(self.request).select_related(*_RELATED)

    def summed(self, rows):
        context = super().summed(rows)
        # Material without its own cost has no currency.
        context["totals_label"] = "Net"
        context["sums"] = [each for each in context["sums"] if each["currency"]]
        return context


class SubmitMany(entries.SubmitMany):
    screen, list_url = Expenses, "expenses"
    done = "{} submitted for approval."


class DeleteMany(entries.DeleteMany):
    screen, list_url = Expenses, "expenses"


class _WithReceipt(FormOperation):
    """A form of one entry; the receipt is kept if another field has an error."""

    permission = "entry.write"
    template_name = "actuals/entry_form.html"
    transaction_class = Entry.Class.EXPENSE
    entry = None

    def company(self):
        return self.request.entity

    def get_form_class(self):
        return FORMS[self.transaction_class]

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "entity": self.company(), "entry": self.entry}

    def form_invalid(self, form):
        upload = form.cleaned_data.get("receipt") if hasattr(form, "cleaned_data") else None
        if upload:
            self.kept_token, self.kept = self._keep(upload)
        else:
            self.kept_token, self.kept = self.request.POST.get("kept_receipt", ""), self._kept()
        return super().form_invalid(form)

    def _keep(self, upload):
        stored = files.store(
            upload.content, name=upload.name, media_type=upload.media_type, by=self.request.user
        )
        token = secrets.token_urlsafe(8)
        kept = dict(list(self.request.session.get(_KEPT, {}).items())[-9:])
        self.request.session[_KEPT] = {**kept, token: stored.pk}
        return token, stored

    def _kept(self):
        key = self.request.session.get(_KEPT, {}).get(self.request.POST.get("kept_receipt", ""))
        return StoredFile.objects.filter(pk=key).first() if key else None

    def values(self, form):
        """The arguments of the operation: the form's fields, and the receipt as a stored file."""
        fields = {name: value for name, value in form.cleaned_data.items() if name != "stamp"}
        if "receipt" not in fields:
            return fields
        upload = fields.pop("receipt")
        stored = self._keep(upload)[1] if upload else self._kept()
        if stored:
            fields["receipt"] = stored
        elif self.entry and self.request.POST.get("drop_receipt"):
            fields["receipt"] = None
        return fields

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        kept = getattr(self, "kept", None)
        return {
            **context,
            "entry": self.entry,
            "kept": kept,
            "kept_token": self.kept_token if kept else "",
        }


class NewExpense(_WithReceipt):
    title = "New expense"
    button = "Save draft"

    def get_initial(self):
        initial = {"date": self.request.entity.today(), "cost_currency": self.request.entity.currency}
        last = Expenses.rows(self.request).filter(project__is_open=True).order_by("-pk").first()
        return {**initial, "project": last.project_id, "task": last.task_id} if last else initial

    def operate(self, form):
        resource = resource_of(self.request)
        if resource is None:
            raise Refused("NO-RESOURCE", entity=self.request.entity.name)
        fields = self.values(form)
        if self.transaction_class == Entry.Class.MATERIAL:
            fields["unit"] = fields["product"].unit
        if self.request.POST.get("then") == "submit":
            self.done = "Saved and submitted for approval."
            enter = operations.enter_and_submit
        else:
            self.done = "Saved as a draft. Submit it when it is complete."
            enter = operations.enter
        entry = enter(resource, self.transaction_class, by=self.request.user, **fields)
        entries.warn_of_days(self.request, [entry])

    def get_back_url(self):
        return reverse("expenses")


class NewMaterial(NewExpense):
    title = "New material"
    transaction_class = Entry.Class.MATERIAL


class Edit(_WithReceipt):
    """Edit the user's own draft or rejected entry."""

    model = Entry
    button = "Save"
    done = "Saved."

    def rows(self):
        mine = Entry.objects.filter(Entry.objects.of_member(self.request.user))
        return mine.select_related(*_RELATED, "entity", "receipt", "resource__user")

    def get(self, request, *args, **kwargs):
        return self._not_open() or super().get(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        return self._not_open() or super().post(request, *args, **kwargs)

    def _not_open(self):
        self.entry, self.transaction_class = self.row, self.row.transaction_class
        if moves.allows(self.row, "amend") and self.transaction_class in FORMS:
            return None
        messages.error(self.request, "Only drafts and rejected entries can be changed.")
        return HttpResponseRedirect(self.row.get_absolute_url())

    def company(self):
        return self.row.entity

    def get_title(self):
        return f"Edit {self.row.get_transaction_class_display()} entry: {identity_of(self.row)}"

    def operate(self, form):
        fields, seen = self.values(form), form.cleaned_data["stamp"]
        if self.transaction_class == Entry.Class.MATERIAL:
            fields["unit"] = fields["product"].unit
        if self.request.POST.get("then") == "submit":
            self.done = "Saved and submitted for approval."
            amend = operations.amend_and_submit
        else:
            amend = operations.amend
        entry = amend(self.row, by=self.request.user, seen=seen, **fields)
        entries.warn_of_days(self.request, [entry])
