"""Pages of invoice proposals: list, details, editing, preview (PRP-1 to PRP-5)."""

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from actuals.models import Actual, BillingType
from invoicing_site.floor import formatting, moves
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.floor.wording import counted
from invoicing_site.screens import Action, Answer, DetailScreen, FormOperation, ListScreen, Operation, Page
from invoicing_site.screens.lines import SomeHidden
from invoicing_site.screens.operations import refuse, show_answer
from invoicing_site.screens.pages import RowScreen
from invoicing_site.templatetags.ledgerline import day
from ledger.invoicing import checks, previews, second_person
from ledger.invoicing.blockers import blocked_by
from ledger.invoicing.filters import ProposalFilter
from ledger.invoicing.forms import HeaderForm
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.operations import proposals as operations
from ledger.invoicing.remedies import with_remedies
from ledger.invoicing.tables import ProposalTable
from ledger.models import InvoiceProposal, ProposalLine
from proforma.models import DetailActual
from proforma.returned import continued_by

_Status = InvoiceProposal.Status


def with_net(proposals):
    """Each with its net amount: of the invoice, else of its lines, else of the confirmed proforma."""
    lines = ProposalLine.objects.filter(proposal=OuterRef("pk")).order_by().values("proposal")
    billed = DetailActual.objects.filter(
        detail__line__proforma=OuterRef("proforma"),
        actual__type=Actual.Type.BILLED_SALES,
        actual__booked_by=Actual.BookedBy.INVOICE,
        actual__billing_type=BillingType.CHARGEABLE,
    )
    billed = billed.order_by().values("detail__line__proforma")
    return proposals.annotate(
        net=Coalesce(
            "invoice__net",
            Subquery(lines.annotate(found=ExactSum("amount")).values("found")),
            Subquery(billed.annotate(found=ExactSum("actual__amount")).values("found")),
        )
    )


class Proposals(SomeHidden, ListScreen):
    """The proposals of the legal entity, the newest first."""

    model = InvoiceProposal
    permission = "proposal.view"
    template_name = "ledger/proposals.html"
    title = "Invoice proposals"
    lead = "Confirmed proformas on their way to a posted invoice."
    filterset_class = ProposalFilter
    table_class = ProposalTable
    amount_field = "net"
    currency_field = "proforma__currency"
    noun = ("proposal", "proposals")
    empty_title = "No proposals"
    empty_text = (
        "A proposal appears when a proforma is confirmed. Create the missing ones, or remove a filter."
    )
    actions = (
        Action("check_proposals", "Check and post", "proposal.post", icon="list-checks", style="primary"),
        Action(
            "approve_proposals",
            "Approve",
            "proposal.approve",
            icon="stamp",
            confirm="Approve {n} selected?",
        ),
    )

    @classmethod
    def rows(cls, request):
        return with_net(super().rows(request)).order_by("-pk")

    def get_queryset(self):
        rows = self.rows(self.request).select_related(
            "entity", "invoice", "proforma__customer", "proforma__contract"
        )
        return rows.annotate(
            dated=Coalesce("invoice__invoice_date", "invoice_date"),
            due=Coalesce("invoice__due_date", "due_date"),
        )

    def get_context_data(self, **context):
        entity = self.request.entity
        return super().get_context_data(
            may_edit=self.request.may("proposal.edit"),
            totals_label="Net",
            stuck=self.model.objects.visible_to(self.request.user).filter(entity=entity).stuck().count(),
            **context,
        )


class _ForEntity(Page):
    """A button for all proposals of the chosen legal entity."""

    http_method_names = ["post"]
    permission = "proposal.edit"

    def post(self, request):
        try:
            show_answer(request, self.operate(request.entity))
        except Refused as refusal:
            refuse(request, refusal)
        return HttpResponseRedirect(reverse("proposals"))


class CreateProposals(_ForEntity):
    """Creates missing proposals of confirmed proformas, after a message was lost (PRO-7)."""

    def operate(self, entity):
        done = operations.create_proposals(entity)
        return Answer(
            f"{counted(len(done), 'proposal')} created." if done else "Every confirmed proforma has one."
        )


class FillProposals(_ForEntity):
    """Fills in all proposals that no longer wait for a journal (PRP-1)."""

    def operate(self, entity):
        done = operations.fill_unblocked(entity)
        waiting = InvoiceProposal.objects.filter(entity=entity, status=_Status.BLOCKED).count()
        left = {"still waiting for journals": waiting} if waiting else {}
        return Answer(
            f"{counted(len(done), 'proposal')} filled in.",
            left=left,
            link=f"{reverse('proposals')}?blocked=yes" if waiting else "",
        )


def steps_of(proposal, needs_approval):
    """The steps of the proposal, and its current one."""
    names = ["Journals posted", "Lines filled in", "Posted"]
    at = {_Status.BLOCKED: 0, _Status.POSTED: 3}.get(proposal.status, 2)
    if needs_approval:
        names.insert(2, "Approved")
        at = {_Status.BLOCKED: 0, _Status.APPROVED: 3, _Status.POSTED: 4}.get(proposal.status, 2)
    return [
        (name, "done" if place < at else "current" if place == at else "") for place, name in enumerate(names)
    ]


class ProposalPage(DetailScreen):
    """One proposal: its blockers, checks, planned totals, and actions."""

    model = InvoiceProposal
    permission = "proposal.view"
    template_name = "ledger/proposal.html"

    def rows(self):
        return InvoiceProposal.objects.select_related(
            "entity",
            "invoice",
            "dimensions",
            "proforma__customer",
            "proforma__contract",
            "proforma__confirmed_by",
        ).prefetch_related("dimensions__values__value")

    def get_context_data(self, **context):
        proposal, user = self.row, self.request.user
        entity = proposal.entity
        offered = moves.offered(proposal, lambda permission: self.request.may(permission, entity))
        context |= looked_at(proposal, self.request)
        needs_approval = entity.require_proposal_approval
        left = second_person.left_to_others(proposal.proforma, entity, user)
        postable = proposal.status == _Status.APPROVED or not needs_approval
        return super().get_context_data(
            steps=steps_of(proposal, needs_approval),
            blockers=blocked_by(proposal) if proposal.status == _Status.BLOCKED else None,
            decisions=list(proposal.decisions.select_related("by").order_by("-pk")),
            sections=sections_with_sums(proposal),
            offered=offered,
            may_submit=needs_approval and "submit_proposal" in offered,
            may_post="post" in offered and postable and not left,
            left_to_others=left
            if self.request.may("proposal.post", entity) and proposal.status != _Status.POSTED
            else "",
            continued_by=continued_by(proposal.proforma) if proposal.status == _Status.RETURNED else (),
            **context,
        )


def looked_at(proposal, request):
    """The results of the checks and the planned totals; of a posted proposal, its invoice."""
    if not moves.allows(proposal, "return_proposal"):
        invoice = getattr(proposal, "invoice", None)
        taxes = list(invoice.taxes.order_by("code")) if invoice else []
        return {"invoice": invoice, "totals": invoice, "taxes": taxes, "found": []}
    on = proposal.entity.today()
    try:
        examination = checks.examine(InvoiceFacts.load(proposal, on=on))
    except Refused as refusal:
        results, plan = [checks.CheckResult.of_refusal(refusal)], None
    else:
        results, plan = examination.results, examination.plan
    found = with_remedies(results, proposal, request)
    context = {"found": found, "errors": sum(each.result.is_error for each in found)}
    if plan:
        total = formatting.currency_first(plan.invoice.total, plan.invoice.currency)
        question = (
            f"Post {counted(len(plan.lines), 'line')}, {total}, dated {day(plan.invoice.invoice_date)}, "
            f"as {plan.invoice.get_kind_display()}? This can't be undone."
        )
        context |= {"totals": plan.invoice, "taxes": plan.taxes, "question": question}
    return context


def sections_with_sums(proposal):
    """Its sections in their order, each with the number and the sum of its lines."""
    lines = ProposalLine.objects.filter(section=OuterRef("pk")).order_by().values("section")
    return list(
        proposal.sections.order_by("number").annotate(
            held=Coalesce(Subquery(lines.annotate(n=Count("pk")).values("n")), 0),
            net=Subquery(lines.annotate(s=ExactSum("amount")).values("s")),
        )
    )


class EditProposal(FormOperation):
    """Dates, delivery, texts and dimensions of the header (PRP-2)."""

    model, permission = InvoiceProposal, "proposal.edit"
    form_class = HeaderForm
    title = "Edit the header"
    lead = "A new invoice date recalculates the due date, unless you enter another due date too."
    done = "The {} is changed."

    def rows(self):
        rows = InvoiceProposal.objects.select_related("entity", "dimensions")
        return rows.prefetch_related("dimensions__values__value")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"instance": self.row}

    def operate(self, form):
        changes = form.changes()
        if not changes:
            return Answer("Nothing was changed.")
        operations.edit_header(self.row, by=self.request.user, seen=form.stamp, **changes)
        text = f"The {self.row} is changed."
        if "dimensions" in changes and self.row.status == _Status.OPEN:
            text += " Its lines keep their dimensions until they are filled in again."
        return Answer(text)


class RefillProposal(Operation):
    """Delete lines and sections and fill them in again (PRP-2)."""

    model, permission = InvoiceProposal, "proposal.edit"
    done = "The lines of {} are filled in again."

    def operate(self, proposal):
        operations.refill_lines(proposal, by=self.request.user)


class FillProposal(Operation):
    """Fill in the lines of a proposal that no longer waits for a journal (PRP-1)."""

    model, permission = InvoiceProposal, "proposal.edit"
    done = "The lines of {} are filled in."

    def operate(self, proposal):
        operations.fill_lines(proposal, by=self.request.user)


class PreviewPage(DetailScreen):
    """The preview of the invoice, in a frame (PRP-3)."""

    model = InvoiceProposal
    permission = "proposal.view"
    template_name = "ledger/proposal_preview.html"

    def rows(self):
        return InvoiceProposal.objects.select_related("entity")

    def get_context_data(self, **context):
        refusal = None
        try:
            previews.planned(self.row, on=self.row.entity.today())
        except Refused as refused:
            refusal = refused
        return super().get_context_data(refusal=refusal, **context)


class Preview(RowScreen, View):
    """The PDF of the preview; only our own pages may frame it."""

    model = InvoiceProposal
    permission = "proposal.view"

    def rows(self):
        return InvoiceProposal.objects.select_related("entity")

    def get(self, request, pk):
        try:
            content = previews.preview(self.row, on=self.row.entity.today())
        except Refused as refusal:
            return HttpResponse(refusal.message, status=409, content_type="text/plain; charset=utf-8")
        kind = "attachment" if "download" in request.GET else "inline"
        return HttpResponse(
            content,
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'{kind}; filename="proforma-{self.row.number}.pdf"',
                "X-Frame-Options": "SAMEORIGIN",
                "Content-Security-Policy": "frame-ancestors 'self'",
            },
        )
