"""Approval of submitted entries by project managers (APP-2, APP-5)."""

import json

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import View

from actuals.models import Actual, Entry
from actuals.naming import named
from backlog import operations, previews
from backlog.current_actuals import (
    current_actuals,
    invoice_of,
    item_of,
    proforma_of,
    proformas_of,
    why_it_stays,
)
from backlog.filters import ApprovalFilter, ApprovedFilter
from backlog.forms import DecisionForm, RejectionForm
from backlog.tables import ApprovalTable, ApprovedTable
from contracts.models import sees_costs
from invoicing_site.floor import moves
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.floor.reasons import shown
from invoicing_site.floor.wording import counted, sentence
from invoicing_site.models import AuditEvent
from invoicing_site.screens import (
    Action,
    Answer,
    BulkForm,
    BulkOperation,
    FormOperation,
    ListScreen,
    Operation,
)
from invoicing_site.screens.lists import drawn_at, key_of
from invoicing_site.screens.pages import RowScreen
from invoicing_site.screens.remedies import linked

_SHOWN, _MOST = 3, 50  # the number of warnings that are shown, and of those in the folded list

_RELATED = (
    "entity",
    "project",
    "task",
    "resource",
    "priced_role",
    "category",
    "product",
    "submitted_by",
    "decided_by",
)


class EntryList(ListScreen):
    """Entries on projects that the reader manages, with additional data for each."""

    model = Entry
    permission = "entry.approve"
    noun = ("entry", "entries")
    template_name = "backlog/approvals.html"
    totals_template = "backlog/entry_totals.html"
    table_data_keys = True
    has_totals = True

    @classmethod
    def rows(cls, request):
        rows = cls.model.objects.reachable(request.user, cls.permission)
        return rows.filter(entity=request.entity).order_by("date", "pk")

    def get_queryset(self):
        return self.rows(self.request).select_related(*_RELATED)

    def get_table_kwargs(self):
        return super().get_table_kwargs() | {"find": self.found}

    def summed(self, rows):
        """Quantities by unit, because the amount of an entry is not known before it is priced."""
        by_unit = rows.order_by().values("unit").annotate(quantity=ExactSum("quantity")).order_by("unit")
        by_unit = sorted(by_unit, key=lambda each: (each["unit"] != "h", each["unit"]))
        return {"quantities": [(each["unit"], each["quantity"]) for each in by_unit]}

    def found(self, entries):
        """The additional data of the entries, by key."""
        raise NotImplementedError


class Approvals(EntryList):
    """Entries that wait for the reader's approval, each with the result of approving it."""

    title = "Approvals"
    lead = "Entries submitted on your projects. Each shows its price and its limit before you decide."
    filterset_class = ApprovalFilter
    table_class = ApprovalTable
    actions = (
        Action("approve_entries", "Approve", "entry.approve", key="y", style="primary"),
        Action("reject_entries", "Reject", "entry.approve", icon="x", key="w"),
    )
    empty_title = "Nothing to approve"
    empty_text = "All submitted entries on your projects are decided, or a filter hides them."

    results_template = "backlog/approvals_results.html"

    @classmethod
    def rows(cls, request):
        return super().rows(request).submitted()

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        context["terms"] = json.dumps({pk: each.terms for pk, each in context["table"].found.items()})
        return context

    def found(self, entries):
        return previews.preview(entries, by=self.request.user)

    def hidden_columns(self):
        hidden = super().hidden_columns()
        return hidden if sees_costs(self.request.user, self.request.entity) else [*hidden, "margin"]

    def optional_columns(self):
        names = super().optional_columns()
        if not sees_costs(self.request.user, self.request.entity):
            names.remove("margin")
        return names


class Approve(BulkOperation):
    screen, list_url, permission = Approvals, "approvals", "entry.approve"

    def operate(self, rows):
        entries = list(rows.only("pk", "project_id", "date", "submitted_at"))
        drawn, terms = drawn_at(self.request), seen_terms(self.request)
        if drawn is None or terms is None:
            raise Refused("APPROVE-NOT-SHOWN")
        shown, unseen, has_other_prices = entries, "", False
        if self.request.POST.get("all_matching") != "1":
            unseen = "not on the page that you saw; check again"
        elif prices_changed(self.request.entity, since=drawn):
            # Entries on other pages of the list had no preview that could be compared.
            has_other_prices = True
            unseen = "not on the page that you saw, and prices have changed since; check again"
        if unseen:
            shown = [each for each in entries if each.pk in terms]
        if not shown:
            if has_other_prices:
                raise Refused("APPROVE-PRICES-CHANGED", count=len(entries))
            raise Refused("APPROVE-NOT-ON-PAGE", count=len(entries))
        approvals = operations.approve_many(shown, by=self.request.user, drawn=drawn, terms=terms)
        answer = reply(approvals, self.request)
        if left := len(entries) - len(shown):
            answer.left[unseen] = left
        return answer


def seen_terms(request) -> dict[int, str] | None:
    """The prices that the page showed, by entry (APP-9); None if they can't be read."""
    try:
        seen = json.loads(request.POST.get("terms", ""))
    except (ValueError, RecursionError):
        return None
    if not isinstance(seen, dict):
        return None
    texts = {text: terms for text, terms in seen.items() if isinstance(terms, str)}
    return {key: terms for text, terms in texts.items() if (key := key_of(text)) is not None}


def prices_changed(entity, *, since) -> bool:
    """Whether any data that prices depend on was changed or confirmed since then."""
    about = [f"contracts.{name}" for name in _PRICED_BY]
    return AuditEvent.objects.filter(entity=entity.code, subject_type__in=about, at__gt=since).exists()


# Models with their own admin page; changes of inline rows are in the event of their page.
_PRICED_BY = ("pricelist", "roleprice", "projectcontract", "contractline", "role", "category", "exchangerate")


def reply(approvals, request):
    """The number of approved entries, their warnings, and the refused ones by reason."""
    n = sum(len(each.entries) for each in approvals)
    text = f"{n} {'entry' if n == 1 else 'entries'} approved."
    if noted := _noted(approvals, request):
        shown = format_html_join(" ", "{}", ((each,) for each in noted[:_SHOWN]))
        text = format_html("{} {}{}", text, shown, _folded(noted[_SHOWN:]))
    left = {}
    if repriced := [named(entry) for each in approvals for entry, _ in each.repriced]:
        listed = ", ".join(repriced[:3]) + (f" and {len(repriced) - 3} more" if len(repriced) > 3 else "")
        left[f"not at the price that you saw ({listed}); check again"] = len(repriced)
    left |= _counted_alike([reason for each in approvals for _, reason in each.refused])
    return Answer(text, left=left, link=reverse("approvals") if left else "")


def _counted_alike(reasons):
    """The number of entries that were not approved by reason, without naming the entries."""
    alike = {}
    for reason in reasons:
        alike.setdefault((reason.code, reason.params.get("why")), []).append(reason)
    return {_in_words(each[0], len(each)): len(each) for each in alike.values()}


def _in_words(reason, n):
    label, why = _LEFT.get(reason.code), reason.params.get("why")
    if label is None:
        return why.sentence if why else reason.sentence
    if why is None:
        return str(label)
    if why.code == "NO-OTHER-APPROVER":
        return f"{label}; {why.sentence}"
    others = shown(why.params["others"])
    return ngettext("%(label)s; %(others)s can approve it", "%(label)s; %(others)s can approve them", n) % {
        "label": label,
        "others": others,
    }


# Reasons why entries were not approved, as texts after their count.
_LEFT = {
    "NOT-ALLOWED-NOW": _("not submitted"),
    "NOT-YOUR-PROJECT": _("on a project that is not yours"),
    "OWN-WORK": _("your own"),
    "OWN-SUBMISSION": _("submitted by you"),
    "OWN-RECORD": _("recorded by you"),
    "ENTRY-FUTURE": _("dated after today"),
    "ENTRY-APPROVED-BEFORE": _("already approved"),
    "ENTRY-SUBMITTED-AGAIN": _("submitted again since you loaded the page; check again"),
}


def _noted(approvals, request):
    """The warnings for the approver; equal warnings of several entries are one sentence."""
    alike = {}
    for each in approvals:
        for entry, text, page in each.noted:
            alike.setdefault((text, page), []).append(entry)
    found = []
    for (text, page), entries in alike.items():
        more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
        found.append(linked(sentence(f"{named(entries[0])}{more}: {text}"), page, request))
    return found + [sentence(text) for each in approvals for text in each.over]


def _folded(sentences):
    """The warnings that do not fit into the message, as a folded list."""
    if not sentences:
        return ""
    rest = format_html_join("", "<li>{}</li>", ((each,) for each in sentences[:_MOST]))
    if left := len(sentences[_MOST:]):
        rest += format_html("<li>… and {} more.</li>", left)
    label = f"And {counted(len(sentences), 'more warning')}"
    return format_html("<details><summary>{}</summary><ul>{}</ul></details>", label, rest)


class Reject(BulkForm):
    """Reject all selected entries, or none: one that can't be rejected is named."""

    screen, list_url, permission = Approvals, "approvals", "entry.approve"
    form_class, title, button, danger = RejectionForm, "Reject entries", "Reject", True

    def operate(self, form):
        entries = operations.reject(self.rows, by=self.request.user, **form.cleaned_data)
        n = len(entries)
        return Answer(f"{n} {'entry' if n == 1 else 'entries'} rejected.")


class _OneEntry(RowScreen):
    model, permission = Entry, "entry.approve"

    def rows(self):
        return Entry.objects.select_related(*_RELATED, "receipt")


def _decided(entry, form):
    """The form's values as a decision; None if nothing was changed."""
    quantity, kind = form.cleaned_data["billable_quantity"], form.cleaned_data["billing_type"]
    if quantity is None and not kind:
        return {}
    return {entry.pk: operations.Decision(quantity, kind or None)}


def _previewed(entry, user, decisions):
    found = previews.preview([entry], by=user, decisions=decisions)[entry.pk]
    customers = {item.contract_customer_id for item in found.items}
    names = {}
    if customers:
        from_line = found.line.customers.all()  # loaded with the coverage
        names = {share.contract_customer_id: share.contract_customer for share in from_line}
    return {
        "preview": found,
        "terms": json.dumps({entry.pk: found.terms}) if found.terms else "",
        "shares": [(names.get(item.contract_customer_id), item) for item in found.items],
        "sees_costs": sees_costs(user, entry.entity),
    }


class Approval(_OneEntry, FormOperation):
    """One entry with its data, the editable fields, and the result of approving it."""

    form_class, button = DecisionForm, "Approve"
    template_name = "backlog/approval.html"

    def get_title(self):
        entry = self.row
        who = entry.resource.name if entry.resource else entry.project.code
        return f"{entry.get_transaction_class_display().capitalize()} of {who}"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"entry": self.row}

    def get_context_data(self, **context):
        context = super().get_context_data(entry=self.row, **context)
        entry, user = self.row, self.request.user
        context["offered"] = moves.offered(entry, lambda permission: permission == self.permission)
        if moves.allows(entry, "approve"):
            form = context["form"]
            decisions = _decided(entry, form) if form.is_bound and form.is_valid() else None
            context |= _previewed(entry, user, decisions)
            # Reasons that other input can't fix; a wrong number can be fixed.
            context["blocked"] = context["preview"].refused and not decisions
        else:
            facts = current_actuals([entry]).get(entry.pk, [])
            shown = sees_costs(user, entry.entity)
            context["is_sold"] = any(fact.type != Actual.Type.COST for fact in facts)
            context["facts"] = [
                (fact, item_of(fact), proforma, invoice_of(proforma))
                for fact in facts
                if fact.type != Actual.Type.COST or shown
                for proforma in [proforma_of(fact)]
            ]
            context["proformas"] = [(each, invoice_of(each)) for each in proformas_of(facts)]
            context["stays"] = why_it_stays([entry])
        return context

    def operate(self, form):
        entry = self.row
        decisions, terms = _decided(entry, form), {entry.pk: ""} | (seen_terms(self.request) or {})
        approval = operations.approve(
            [entry], by=self.request.user, decisions=decisions, seen=form.stamp, terms=terms
        )
        return reply([approval], self.request)

    def get_back_url(self):
        done = moves.allows(self.row, "cancel_approval")
        return reverse("approved" if done else "approvals")

    def get_success_url(self):
        return reverse("approvals")


class ApprovalPreview(_OneEntry, View):
    """The result of approving with the quantity and billing type in the form."""

    def get(self, request, *args, **kwargs):
        if not moves.allows(self.row, "approve"):
            raise Http404("Only submitted entries can be previewed.")
        form = DecisionForm(request.GET, entry=self.row)
        if not form.is_valid():
            # The page showed a preview of a draft decision; the entry may have changed since.
            context = {"unclear": True, "terms": request.GET.get("terms", "")}
            return render(request, "backlog/approval_preview.html", context)
        return render(
            request,
            "backlog/approval_preview.html",
            _previewed(self.row, request.user, _decided(self.row, form)),
        )


class RejectOne(_OneEntry, FormOperation):
    form_class, title, button, danger = RejectionForm, "Reject entry", "Reject", True

    def operate(self, form):
        operations.reject([self.row], by=self.request.user, **form.cleaned_data)
        return Answer("The entry was rejected.")

    def get_back_url(self):
        return reverse("approval", args=[self.row.pk])

    def get_success_url(self):
        return reverse("approvals")


class Approved(EntryList):
    """Approved entries on the reader's projects, and their invoices."""

    title = "Approved entries"
    lead = "You can cancel the approval of entries that are on no proforma. Their actuals are then reversed."
    filterset_class = ApprovedFilter
    table_class = ApprovedTable
    actions = (
        Action(
            "cancel_approvals",
            "Cancel approval",
            "entry.approve",
            icon="undo-2",
            style="danger",
            confirm="Cancel the approval of {n} selected? Their actuals are reversed, their backlog items "
            "canceled, and the entries wait for approval again.",
        ),
    )
    empty_title = "Nothing approved"
    empty_text = "Approved entries on your projects are shown here."

    @classmethod
    def rows(cls, request):
        statuses = [Entry.Status.APPROVED, Entry.Status.RECALL]
        return super().rows(request).filter(status__in=statuses).order_by("-decided_at", "-pk")

    def found(self, entries):
        return current_actuals(entries)


class CancelApprovals(BulkOperation):
    """Cancel all selected approvals, or none: an entry that is on a proforma is named with it."""

    screen, list_url, permission = Approved, "approved", "entry.approve"

    def operate(self, rows):
        entries = list(rows)
        operations.cancel_approval(entries, by=self.request.user)
        n = len(entries)
        return Answer(f"The approval of {counted(n, 'entry', 'entries')} is canceled. Decide on them again.")


class CancelApproval(_OneEntry, Operation):
    done = "The approval is canceled. Decide on the entry again, or reject it."

    def operate(self, entry):
        operations.cancel_approval([entry], by=self.request.user)

    def success_url(self, entry):
        return reverse("approved")

    def refused_url(self, entry):
        return reverse("approval", args=[entry.pk])
