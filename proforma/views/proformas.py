"""Proformas: the list, creating new ones, and actions on several (PRO-1, PRO-4, PRO-5)."""

from dataclasses import replace

from django.contrib import messages
from django.db.models import Case, DecimalField, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpResponseRedirect
from django.urls import reverse

from backlog import obstacles
from backlog.obstacles import Step
from backlog.views.items import Backlog
from backlog.views.milestones import Milestones
from contracts.models import ProjectContract
from contracts.two_people import before_confirming
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.formatting import day
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.floor.reasons import Reason
from invoicing_site.floor.wording import counted
from invoicing_site.models import Job
from invoicing_site.screens import Action, Answer, BulkOperation, FormOperation, ListScreen, Page
from invoicing_site.screens.forms import DayField
from invoicing_site.screens.lists import keys_of
from invoicing_site.screens.tables import amount_in_words
from proforma import duplicates, forms, inputs, operations, warnings
from proforma.filters import ProformaFilter
from proforma.models import LineDetail, ProformaInvoice, was_returned
from proforma.tables import ProformaTable


def with_net(proformas):
    """The proformas with `net`, the exact sum of their chargeable details, and `is_returned`.

    `counted` is the amount that counts in totals: None for returned ones (PRP-6).
    """
    details = LineDetail.objects.chargeable().filter(line__proforma=OuterRef("pk")).order_by()
    sums = details.values("line__proforma").annotate(exact=ExactSum("amount")).values("exact")
    amount = DecimalField(max_digits=30, decimal_places=4)
    net = Coalesce(Subquery(sums, output_field=amount), Value(0), output_field=amount)
    return proformas.annotate(
        net=net,
        is_returned=was_returned(),
        counted=Case(When(~was_returned(), then=net), output_field=amount),
    )


def with_invoice(proformas):
    """The proformas with the number, date, tax and total of their posted invoices (PST-1)."""
    names = ("number", "invoice_date", "tax", "total")
    return proformas.annotate(**{f"posted_{name}": F(f"proposal__invoice__{name}") for name in names})


class Proformas(ListScreen):
    """The proformas of contracts that the user sees."""

    model = ProformaInvoice
    permission = "proforma.view"
    title = "Proforma invoices"
    lead = "Drafts to edit and confirm, and proformas that accounting has."
    filterset_class = ProformaFilter
    table_class = ProformaTable
    table_data_keys = True
    amount_field = "counted"
    noun = ("proforma", "proformas")
    template_name = "proforma/proformas.html"
    empty_title = "No proformas"
    empty_text = "Nothing matches. Remove a filter, or create a proforma for work that is ready to invoice."
    actions = (
        Action(
            "confirm_proformas",
            "Confirm",
            "proforma.confirm",
            key="c",
            style="primary",
            confirm="Confirm {n} selected, {sum}? Their work becomes billed and goes to accounting. "
            "You can't undo that; an accountant can return each until it is posted.",
        ),
        Action("submit_proformas", "Submit for review", "proforma.edit", icon="send", key="s"),
        Action(
            "delete_proformas",
            "Delete drafts",
            "proforma.edit",
            icon="trash-2",
            style="danger",
            confirm="Delete {n} selected, {sum}? Their items become ready to invoice again.",
        ),
    )

    @classmethod
    def rows(cls, request):
        return with_invoice(with_net(super().rows(request))).order_by("-pk")

    def get_queryset(self):
        return self.rows(self.request).select_related("contract", "customer")

    def get_context_data(self, **context):
        context = super().get_context_data(may_create=self.request.may("proforma.create"), **context)
        if note := before_confirming(self.request.entity, self.request.user, several=True):
            context["actions"] = [
                replace(action, confirm=f"{action.confirm} {note}")
                if action.permission == "proforma.confirm"
                else action
                for action in context["actions"]
            ]
        return context


class _Many(BulkOperation):
    screen, list_url = Proformas, "proformas"


class ConfirmMany(_Many):
    """Confirm the selected proformas in the background, and show the progress."""

    permission = "proforma.confirm"

    def operate(self, rows):
        chosen = list(rows.open().select_related("entity"))
        ahead, twice = warnings.in_advance(chosen), duplicates.maybe_twice(chosen)
        job = operations.confirm_many(chosen, by=self.request.user)
        if job is None:
            raise Refused("PROFORMAS-CONFIRMING")
        for proforma in chosen:
            if proforma.pk not in job.params["proformas"]:
                continue
            if why := ahead.get(proforma.pk):
                self._warn(proforma, why)
            if found := twice.get(proforma.pk):
                more = [Reason("MORE-DUPLICATES", count=len(found) - 1)] if len(found) > 1 else []
                self._warn(proforma, [found[0].reason, *more])
        return HttpResponseRedirect(job.get_absolute_url())

    def _warn(self, proforma, why):
        messages.warning(self.request, Reason("WARNING-OF", number=proforma.number, why=why).sentence)


class SubmitMany(_Many):
    permission = "proforma.edit"

    def operate(self, rows):
        result = operations.submit_many(rows, by=self.request.user)
        return Answer(f"{_counted(result.done)} submitted for review.", left=result.left)


class DeleteMany(_Many):
    permission = "proforma.edit"

    def operate(self, rows):
        result = operations.delete_many(rows, by=self.request.user)
        return Answer(f"{_counted(result.done)} deleted. Their items are ready again.", left=result.left)


def _counted(proformas):
    return counted(len(proformas), "proforma")


class Confirming(Page):
    """Redirect to the user's last job that confirms proformas."""

    permission = "proforma.confirm"

    def get(self, request):
        mine = Job.objects.filter(kind="confirm_proformas", asked_by=request.user, entity=request.entity.code)
        if job := mine.order_by("-pk").first():
            return HttpResponseRedirect(job.get_absolute_url())
        messages.info(request, "No proformas are being confirmed. Select some in the list and press Confirm.")
        return HttpResponseRedirect(reverse("proformas"))


class NewProforma(FormOperation):
    """Choose contracts and a cutoff, see the ready work, and create the drafts."""

    permission = "proforma.create"
    title = "Create proformas"
    lead = "One for each contract, customer and order number, with all work that is ready up to the cutoff."
    template_name = "proforma/new_proforma.html"
    form_class = forms.NewProformas
    button = "Create proformas"
    created = ()

    def contracts(self):
        mine = ProjectContract.objects.reachable(self.request.user, self.permission)
        return mine.filter(entity=self.request.entity).confirmed()

    def get_template_names(self):
        return ["proforma/ready_contracts.html"] if self.request.htmx else [self.template_name]

    def get_initial(self):
        return {"cutoff": self.request.entity.today()}

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"contracts": self.contracts()}

    def get_context_data(self, **context):
        asked = self.request.POST if self.request.method == "POST" else self.request.GET
        today = self.request.entity.today()
        cutoff = _cutoff(asked) or today
        chosen = set(keys_of(asked.getlist("contracts") + asked.getlist("contract")))
        mine = self.contracts()
        asked_for = (mine.filter(pk__in=chosen) if chosen else mine).order_by().values("pk")
        context = super().get_context_data(**context)
        context |= {"cutoff": cutoff, "chosen": chosen, "back": reverse("proformas")}
        context["ready"] = [
            (contract, found, _ready_in_words(contract, found))
            for contract, found in inputs.ready_by_contract(mine, chosen, cutoff=cutoff, on=today)
        ]
        context["later"] = inputs.ready_later(asked_for, cutoff=cutoff, on=today)
        return context

    def operate(self, form):
        cutoff, contracts = form.cleaned_data["cutoff"], list(form.cleaned_data["contracts"].order_by("code"))
        today = self.request.entity.today()
        result = operations.create_for_each(contracts, cutoff=cutoff, on=today, by=self.request.user)
        if not result.done:
            raise Refused.because(*list(result.refused.values())[:5])
        self.created = result.done
        # The reason of a refused contract includes its later work already.
        invoiced = [contract for contract in contracts if contract not in result.refused]
        later = inputs.ready_later(invoiced, cutoff=cutoff, on=today)
        return Answer(" ".join([*_created(result), *([later.sentence] if later else [])]))

    def get_success_url(self):
        if len(self.created) == 1:
            return self.created[0].get_absolute_url()
        return f"{reverse('proformas')}?status=draft"


def _cutoff(asked):
    """The cutoff that was entered; None if it is not a date."""
    try:
        return DayField(required=False).clean(asked.get("cutoff"))
    except forms.forms.ValidationError:
        return None


def _created(result):
    """Sentences: the created proformas, and the reasons of the first contracts without one."""
    numbers = ", ".join(proforma.number for proforma in result.done[:10])
    more = f" and {len(result.done) - 10} more" if len(result.done) > 10 else ""
    refused = list(result.refused.values())
    yield f"{_counted(result.done)} created: {numbers}{more}."
    yield from (reason.sentence for reason in refused[:3])
    if len(refused) > 3:
        yield f"{counted(len(refused) - 3, 'more contract')} had nothing to invoice."


def _ready_in_words(contract, found):
    """The label of its checkbox: the contract, with its ready items and their amount."""
    if not found["items"]:
        return f"{contract}, nothing ready"
    amount = amount_in_words(found["amount"], contract.currency)
    return f"{contract}, {counted(found['items'], 'item')} until {day(found['last'])}, {amount}"


class CreateFromBacklog(BulkOperation):
    """Create proformas with exactly the ready rows of the selection in the backlog (PRO-1)."""

    screen, list_url, permission = Backlog, "backlog", "proforma.create"

    def operate(self, rows):
        today = self.request.entity.today()
        ready = obstacles.free(rows, Step.DRAFT, on=today)
        left = obstacles.counted(rows, Step.DRAFT, on=today)
        if not ready.exists():
            raise Refused("CHOSEN-NONE-READY")
        created = operations.create_for_items(ready.only("pk"), on=today, by=self.request.user)
        numbers = ", ".join(proforma.number for proforma in created[:10])
        return Answer(
            f"{_counted(created)} created: {numbers}.",
            left={obstacles.BY_CODE[code].label: n for code, n in left.items()},
        )


class CreateFromMilestones(CreateFromBacklog):
    """Create proformas with exactly the ready milestones of the selection (PRO-1)."""

    screen, list_url = Milestones, "milestones"
