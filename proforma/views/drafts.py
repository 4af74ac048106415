"""One proforma: its page, and editing, submitting, confirming and deleting it (PRO-2 to PRO-6)."""

from itertools import groupby

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, Count, IntegerField, Value, When
from django.http import Http404, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django_htmx.http import HttpResponseClientRefresh

from actuals.models import BillingType
from actuals.naming import in_words, title_of
from backlog.models import BacklogItem
from backlog.tables import item_in_words
from contracts.models import overrides_limits
from contracts.two_people import before_confirming
from invoicing_site.floor import moves
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens import Answer, DetailScreen, FormOperation, Operation
from invoicing_site.screens.lists import keys_of, selection, stamp_of
from invoicing_site.screens.operations import refuse
from invoicing_site.screens.tables import amount_in_words
from proforma import forms, inputs, operations
from proforma.edits import codes_of_tax_groups, edited, original_values, with_source
from proforma.limits import exceeded_by_draft
from proforma.models import LineDetail, ProformaInvoice
from proforma.orders import order_of, order_that_fits, orders_that_fit_some
from proforma.parties import party_changes
from proforma.performance import contract_performance
from proforma.returned import continued_by, recreated_from
from proforma.views.answers import after_removal, count_by_hand, counted_details, tax_note, write_off_note
from proforma.views.proformas import with_net
from proforma.warnings import warnings_of, warnings_to_ask

# Details on one page; pending items that are shown; details from which a proforma is confirmed in background.
PAGE = 200
PENDING = 50
MANY = 2000

_PENDING_RELATED = (
    "contract",
    "contract_customer__customer",
    "actual__project",
    "actual__resource",
    "actual__task",
    "actual__category",
    "actual__product",
    "milestone_part__milestone",
)
_GROUPS = (BillingType.CHARGEABLE, BillingType.NON_CHARGEABLE, BillingType.COMPLIMENTARY)


def kept_query(posted):
    """The query of the page's address, with the filter of the details."""
    show = QueryDict(posted.get("filter", "")).get("show", "")
    return "?show=edited" if show == "edited" else ""


class DetailsOf:
    """The details of one proforma, for `selection`: the ticked ones, or all of the filter."""

    model = LineDetail
    noun = ("detail", "details")

    def __init__(self, proforma):
        self.proforma = proforma

    def rows(self, request):
        return LineDetail.objects.on_proforma(self.proforma)

    def filtered(self, request, query):
        rows = self.rows(request)
        return edited(rows) if QueryDict(query).get("show") == "edited" else rows


class Proforma(DetailScreen):
    """The header, the amounts of its contract, and the details by billing type and line."""

    model = ProformaInvoice
    permission = "proforma.view"
    template_name = "proforma/proforma.html"

    def rows(self):
        return with_net(ProformaInvoice.objects.all()).select_related(
            "entity",
            "contract",
            "customer",
            "contract_customer__customer",
            "payment_term",
            "run",
            "created_by",
            "confirmed_by",
            "corrects",
            "proposal__invoice",
        )

    def get_context_data(self, **context):
        proforma = self.row
        is_open = moves.allows(proforma, "edit")
        offered = moves.offered(proforma, self.may)
        may_edit, may_confirm = "edit" in offered, "confirm" in offered
        proposal = getattr(proforma, "proposal", None)
        context |= _contract_amounts(proforma, is_open) | _details_shown(self.request, proforma, may_edit)
        context |= _could_be_added(proforma) if may_edit else {}
        context |= _to_confirm(proforma, self.request.user, context["warnings"]) if may_confirm else {}
        return super().get_context_data(
            proposal=proposal,
            may_see_proposal=self.request.may("proposal.view", proforma.entity),
            invoice=getattr(proposal, "invoice", None),
            is_open=is_open,
            offered=offered,
            continued_by=self.continued_by(),
            recreated_from=recreated_from(proforma),
            may_edit=may_edit,
            may_confirm=may_confirm,
            currency=proforma.currency,
            **context,
        )

    def continued_by(self):
        """The proformas that have the work of a returned one now, if the user sees them."""
        if not self.row.is_returned:
            return []
        mine = ProformaInvoice.objects.visible_to(self.request.user).values("pk")
        return continued_by(self.row).filter(pk__in=mine)

    def may(self, permission):
        """Whether the user has the permission for this proforma."""
        mine = ProformaInvoice.objects.reachable(self.request.user, permission)
        return mine.filter(pk=self.row.pk).exists()


def _contract_amounts(proforma, is_open):
    """The amounts of its contract and, while it is open, the warnings before it is confirmed."""
    performance = contract_performance([proforma.contract])[0]
    return {
        "performance": performance,
        "remaining_after": _remaining_after(performance, proforma) if is_open else performance.remaining,
        "limits": exceeded_by_draft(proforma) if is_open else [],
        "warnings": warnings_of(proforma) if is_open else [],
        "party_changes": party_changes(proforma) if is_open else [],
        "order": order_of(proforma),
    }


def _details_shown(request, proforma, may_edit):
    """A page of its details, all or only edited ones, with the subtotals of all."""
    show = "edited" if request.GET.get("show") == "edited" else ""
    details = DetailsOf(proforma).filtered(request, f"show={show}")
    stamp, shown = stamp_of(details)
    page = Paginator(_in_order(details), PAGE).get_page(request.GET.get("page"))
    everything = LineDetail.objects.on_proforma(proforma)
    by_hand = count_by_hand(everything) if may_edit else 0
    return {
        "show": show,
        "stamp": stamp,
        "shown": shown,
        "page": page,
        "groups": _grouped(page.object_list, proforma.currency),
        "subtotals": _subtotals(everything),
        "counts": {"all": everything.count(), "edited": edited(everything).count(), "by_hand": by_hand},
    }


def _could_be_added(proforma):
    """Ready items that could be added, and the orders that it could be billed under."""
    pending = inputs.pending(proforma)
    shown = pending.select_related(*_PENDING_RELATED).order_by("date", "pk")[:PENDING]
    fits = order_that_fits(proforma)
    return {
        "pending": [(item, item_in_words(item)) for item in shown],
        "pending_count": pending.count(),
        "order_that_fits": fits,
        "orders_that_fit_some": None if fits else orders_that_fit_some(proforma),
    }


def _to_confirm(proforma, user, warnings):
    """The warnings in the question before confirming, for this user."""
    return {
        "asked": warnings_to_ask(proforma, warnings),
        "posting_warning": before_confirming(proforma.entity, user),
        "may_override": overrides_limits(user, proforma.entity),
    }


def _remaining_after(performance, proforma):
    return None if performance.remaining is None else performance.remaining - proforma.net


def _in_order(details):
    rank = Case(
        *(When(billing_type=kind, then=Value(n)) for n, kind in enumerate(_GROUPS)),
        output_field=IntegerField(),
    )
    return (
        with_source(details)
        .select_related(
            "line__contract_line",
            "project",
            "task",
            "resource",
            "role",
            "category",
            "product",
            "billing_tax_group",
            "item_tax_group",
            "backlog_item__actual",
            "backlog_item__milestone_part__milestone",
        )
        .order_by(rank, "line__number", "date", "pk")
    )


def _grouped(details, currency):
    """Details of one page by billing type and line, each with its original values, title and full name."""
    groups, codes = [], codes_of_tax_groups(details)
    for kind, of_kind in groupby(details, key=lambda detail: detail.billing_type):
        lines = []
        for line, rows in groupby(of_kind, key=lambda detail: detail.line):
            rows = list(rows)
            for row in rows:
                row.was, row.title = original_values(row, codes), title_of(row)
                amount = amount_in_words(row.amount, currency)
                row.words = in_words(row, row.resource, amount)
            lines.append((line, rows))
        groups.append((BillingType(kind), lines))
    return groups


def _subtotals(details):
    """By line: the number of details, and the chargeable, non-chargeable and complimentary amounts."""
    by = ("line__number", "line__description", "line__contract_line__billing_method", "billing_type")
    rows = details.order_by(*by).values_list(*by).annotate(n=Count("pk"), exact=ExactSum("amount"))
    lines = {}
    for number, words, method, kind, n, amount in rows:
        line = lines.setdefault(
            number,
            {"number": number, "words": words, "method": method, "n": 0}
            | dict.fromkeys(map(str, _GROUPS), 0),
        )
        line["n"] += n
        line[kind] += amount
    return list(lines.values())


class _OnDraft(Operation):
    """An action on an open proforma."""

    model, permission = ProformaInvoice, "proforma.edit"


class Refresh(_OnDraft):
    def operate(self, proforma):
        n = len(operations.refresh(proforma, by=self.request.user))
        return Answer(f"{counted_details(n)} added." if n else "Nothing new is ready up to the cutoff.")


class CopyParty(_OnDraft):
    done = "{} has the current name, address and numbers of the customer."

    def operate(self, proforma):
        operations.copy_party(proforma, by=self.request.user)


class Submit(_OnDraft):
    done = "{} is in review."

    def operate(self, proforma):
        operations.submit_for_review(proforma, by=self.request.user)


class ReturnToDraft(_OnDraft):
    done = "{} is a draft again."

    def operate(self, proforma):
        operations.return_to_draft(proforma, by=self.request.user)


class Delete(_OnDraft):
    """Delete the draft; its items are ready again."""

    deleted = False

    def operate(self, proforma):
        number, by_hand = proforma.number, count_by_hand(LineDetail.objects.on_proforma(proforma))
        n = operations.delete_draft(proforma, by=self.request.user)
        self.deleted = True
        return Answer(f"Proforma {number} is deleted.{after_removal(n, by_hand)}")

    def success_url(self, proforma):
        return reverse("proformas") if self.deleted else proforma.get_absolute_url()


class RemoveDetails(_OnDraft):
    """Remove the selected details; their items are ready again."""

    def operate(self, proforma):
        rows = selection(DetailsOf(proforma), self.request, self.permission)
        n, by_hand = rows.count(), count_by_hand(rows)
        ready = operations.remove_details(rows, by=self.request.user)
        return Answer(f"{counted_details(n)} removed.{after_removal(ready, by_hand)}")


class AddPending(_OnDraft):
    """Add selected ready backlog items of the same contract customer."""

    def operate(self, proforma):
        keys = keys_of(self.request.POST.getlist("pk"))[:1000]
        items = BacklogItem.objects.reachable(self.request.user, self.permission)
        items = inputs.pending(proforma).filter(pk__in=items.filter(pk__in=keys).values("pk"))
        if items.count() != len(set(keys)):
            raise Refused("PENDING-GONE")
        n = len(operations.add_items(proforma, items, by=self.request.user))
        return Answer(f"{counted_details(n)} added.")


class Confirm(Operation):
    """Confirm a proforma; a large one is confirmed in the background."""

    model, permission = ProformaInvoice, "proforma.confirm"
    target = ""

    def operate(self, proforma):
        if LineDetail.objects.on_proforma(proforma)[:MANY].count() == MANY:
            job = operations.confirm_many([proforma], by=self.request.user)
            if job is None:
                raise Refused("PROFORMA-CONFIRMING", number=proforma.number)
            self.target = job.get_absolute_url()
            return Answer(f"Proforma {proforma.number} is being confirmed.")
        operations.confirm(proforma, by=self.request.user)
        return Answer(f"Proforma {proforma.number} is confirmed and sent to accounting.")

    def success_url(self, proforma):
        return self.target or proforma.get_absolute_url()


class ConfirmOverLimit(FormOperation):
    """Confirm a proforma over a limit, with permission and a reason (PRO-6)."""

    model, permission = ProformaInvoice, "proforma.confirm"
    template_name = "proforma/confirm_over_limit.html"
    title = "Confirm over a limit"
    form_class = forms.ConfirmOverLimit
    button = "Confirm permanently"
    danger = True
    done = "{} is confirmed over its limit and sent to accounting."

    def check_permission(self, request):
        super().check_permission(request)
        if not overrides_limits(request.user, self.row.entity):
            raise PermissionDenied("This page needs the permission to override limits.")

    def rows(self):
        return with_net(ProformaInvoice.objects.all()).select_related("contract", "customer", "entity")

    def get_context_data(self, **context):
        return super().get_context_data(
            limits=exceeded_by_draft(self.row),
            warnings=warnings_of(self.row),
            posting_warning=before_confirming(self.row.entity, self.request.user),
            **context,
        )

    def operate(self, form):
        reason = form.cleaned_data["reason"]
        operations.confirm(self.row, by=self.request.user, override_reason=reason)


class EditHeader(FormOperation):
    model, permission = ProformaInvoice, "proforma.edit"
    title = "Edit the header"
    form_class = forms.Header
    done = "The header of {} is saved."

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"proforma": self.row}

    def operate(self, form):
        operations.edit_header(self.row, by=self.request.user, seen=form.stamp, **form.cleaned_data)


class AddDetail(FormOperation):
    model, permission = ProformaInvoice, "proforma.edit"
    title = "Add a detail by hand"
    lead = "Work without an entry. Confirming the proforma creates its actuals."
    form_class = forms.AddDetail
    button = "Add detail"
    done = "The detail is added."

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs() | {"proforma": self.row}
        return kwargs | {"initial": {"date": self.row.cutoff, "quantity": 1}}

    def operate(self, form):
        operations.add_detail(self.row, by=self.request.user, **form.cleaned_data)


class EditDetails(FormOperation):
    """Change the selected details together; the form keeps the selection of the page."""

    model, permission = ProformaInvoice, "proforma.edit"
    template_name = "proforma/edit_details.html"
    title = "Edit details"
    lead = "Empty fields are not changed."
    form_class = forms.EditDetails
    button = "Change details"

    def get(self, request, *args, **kwargs):
        return HttpResponseRedirect(self.row.get_absolute_url())

    def post(self, request, *args, **kwargs):
        try:
            self.details = selection(DetailsOf(self.row), request, self.permission)
        except Refused as refusal:
            refuse(request, refusal)
            return HttpResponseRedirect(self.row.get_absolute_url())
        if "change" in request.POST:
            return super().post(request, *args, **kwargs)
        return self.render_to_response(self.get_context_data())  # the form is still empty

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs() | {"entity": self.row.entity_id}
        kwargs["details"] = self.details.order_by("pk")
        if "change" not in self.request.POST:
            del kwargs["data"], kwargs["files"]
        return kwargs

    def get_context_data(self, **context):
        details = self.details.order_by("pk")
        posted = self.request.POST
        return super().get_context_data(
            count=details.count(),
            sum=details.chargeable().aggregate(sum=ExactSum("amount"))["sum"],
            examples=[title_of(each) for each in details.select_related("task", "category", "product")[:5]],
            kept=[
                *(("pk", key) for key in posted.getlist("pk")),
                *((name, posted.get(name, "")) for name in ("filter", "stamp", "all_matching")),
            ],
            **context,
        )

    def operate(self, form):
        changes = form.changes()
        if not changes:
            raise Refused("NOTHING-ENTERED")
        n = len(operations.edit_details(self.details, by=self.request.user, seen=form.stamp, **changes))
        return Answer(f"{counted_details(n)} changed. {tax_note(self.details, changes)}".strip())

    def get_success_url(self):
        return self.row.get_absolute_url() + kept_query(self.request.POST)


class EditDetail(FormOperation):
    """Change one detail; with htmx its form is shown in the row."""

    model, permission = LineDetail, "proforma.edit"
    title = "Edit a detail"
    form_class = forms.EditDetail
    done = "The detail is changed."

    def rows(self):
        return LineDetail.objects.select_related("line__proforma")

    @property
    def proforma(self):
        return self.row.line.proforma

    def get_form_kwargs(self):
        if not moves.allows(self.proforma, "edit"):
            raise Http404("A confirmed proforma can't be edited.")
        kwargs = super().get_form_kwargs() | {"detail": self.row, "entity": self.proforma.entity_id}
        return kwargs | {"auto_id": f"detail_{self.row.pk}_%s"}  # one page can have several of these forms

    def get_template_names(self):
        return ["proforma/detail_form.html"] if self.request.htmx else [self.template_name]

    def form_valid(self, form):
        answer = super().form_valid(form)
        # A form in its row reloads the page, because subtotals and the net total change too.
        is_done = self.request.htmx and answer.status_code == 302
        return HttpResponseClientRefresh() if is_done else answer

    def get_context_data(self, **context):
        return super().get_context_data(
            lead=f"{title_of(self.row)} on proforma {self.proforma.number}",
            **context,
        )

    def operate(self, form):
        if changes := form.changes():
            operations.edit_details([self.row], by=self.request.user, seen=form.stamp, **changes)
        detail = LineDetail.objects.filter(pk=self.row.pk)
        more = [write_off_note(self.row.pk), tax_note(detail, changes)]
        return Answer(" ".join(filter(None, [self.done, *more])))

    def get_back_url(self):
        return f"{self.proforma.get_absolute_url()}#detail-{self.row.pk}"
