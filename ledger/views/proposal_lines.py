"""The lines of a proposal, and the sections they are printed in (PRP-2, PRP-3)."""

from django.http import HttpResponseRedirect

from invoicing_site.errors import Refused
from invoicing_site.screens import Action, DetailScreen, Operation, Told
from invoicing_site.screens.operations import tell
from ledger import sections
from ledger.filters.proposals import ProposalLineFilter
from ledger.forms.proposals import MoveLinesForm, ProposalLinesForm, SectionFormSet
from ledger.models import InvoiceProposal, ProposalLine
from ledger.operations import proposals as operations
from ledger.tables.proposals import ProposalLineTable
from ledger.views.chosen import ChosenForm, LinesScreen, back_to_lines, counted
from ledger.views.proposals import sections_with_sums

_Status = InvoiceProposal.Status


class ProposalLines(LinesScreen):
    """The lines of one proposal as a list."""

    document, link = InvoiceProposal, "proposal"
    model = ProposalLine
    permission = "proposal.view"
    template_name = "ledger/proposal_lines.html"
    filterset_class = ProposalLineFilter
    table_class = ProposalLineTable
    amount_field = "amount"
    currency_field = "proposal__proforma__currency"
    noun = ("line", "lines")
    empty_title = "No lines"
    empty_text = "They fill in when every journal it waits for is posted; or remove a filter."
    actions = (
        Action("edit_proposal_lines", "Change tax groups", "proposal.edit", icon="pencil"),
        Action("move_proposal_lines", "Move to a section", "proposal.edit", icon="rows-3"),
    )

    @classmethod
    def rows(cls, request):
        rows = super().rows(request).order_by("section__number", "number")
        key = request.resolver_match.kwargs.get("pk") or rows.values_list("proposal", flat=True)[:1]
        request.sections = ProposalLine.section.field.related_model.objects.filter(proposal__in=_list(key))
        return rows

    def get_queryset(self):
        rows = self.rows(self.request).select_related(
            "proposal__proforma",
            "section",
            "detail__project",
            "detail__resource",
            "detail__role",
            "detail__category",
            "detail__product",
            "billing_tax_group",
            "item_tax_group",
            "dimensions",
        )
        return rows.prefetch_related("dimensions__values__value")

    def get_context_data(self, **context):
        context = super().get_context_data(totals_label="Net", **context)
        if self.row.status != _Status.OPEN:
            context["actions"] = []
        return context


def _list(key):
    return [key] if isinstance(key, int) else list(key)


class _OfChosenLines(ChosenForm):
    screen = ProposalLines
    permission = "proposal.edit"

    def proposal(self):
        return self.rows.select_related("proposal__entity").order_by("pk").first().proposal

    def get_back_url(self):
        return back_to_lines(ProposalLines, "proposal_lines", self.request)


class EditProposalLines(_OfChosenLines):
    """Tax groups of the chosen lines (PRP-2)."""

    form_class = ProposalLinesForm
    button = "Save changes"
    lead = "What you leave empty stays as it is on every line. Amounts never change here."

    def get_title(self):
        return f"Tax groups of {counted(self.chosen, 'line')}"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"entity": self.proposal().entity}

    def operate(self, form):
        lines = operations.edit_lines(self.rows, by=self.request.user, **form.changes())
        return Told(f"{counted(len(lines), 'line')} changed.")


class MoveProposalLines(_OfChosenLines):
    """The section of the chosen lines (PRP-3)."""

    form_class = MoveLinesForm
    button = "Move"
    lead = "A section that loses its last line goes away. Amounts never change by it."

    def get_title(self):
        return f"Move {counted(self.chosen, 'line')} to a section"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"sections": list(self.proposal().sections.order_by("number"))}

    def operate(self, form):
        wanted = form.cleaned_data["section"]
        to = None if wanted == form.NEW else int(wanted)
        proposal, keys = self.proposal(), self.rows.values_list("pk", flat=True)
        formats = sections.moved(proposal, keys, to=to, title=form.cleaned_data["title"])
        operations.format_sections(proposal, formats, by=self.request.user)
        return Told(f"{counted(self.chosen, 'line')} moved.")


class EditSections(DetailScreen):
    """Order, titles and modes of the sections, all on one page (PRP-3)."""

    model, permission = InvoiceProposal, "proposal.edit"
    template_name = "ledger/proposal_sections.html"
    title = "Format the sections"

    def rows(self):
        return InvoiceProposal.objects.select_related("entity", "proforma")

    def get_title(self):
        return self.title

    def get_context_data(self, **context):
        rows = sections_with_sums(self.row)
        if "formset" not in context:
            context["formset"] = SectionFormSet(initial=[_initial(row) for row in rows], prefix="section")
        if len(context["formset"].forms) != len(rows):
            context["formset"] = SectionFormSet(initial=[_initial(row) for row in rows], prefix="section")
        context["pairs"] = list(zip(rows, context["formset"], strict=True))
        return super().get_context_data(**context)

    def post(self, request, *args, **kwargs):
        rows = list(self.row.sections.order_by("number"))
        formset = SectionFormSet(request.POST, initial=[_initial(row) for row in rows], prefix="section")
        refused = ""
        if len(formset.forms) != len(rows) or request.POST.get("sections") != _keys(rows):
            refused = "The sections were changed meanwhile. Here they are as they are now."
            formset = SectionFormSet(initial=[_initial(row) for row in rows], prefix="section")
        elif formset.is_valid():
            layouts = {
                row.pk: form.layout() | {"number": form.cleaned_data["number"]}
                for row, form in zip(rows, formset, strict=True)
            }
            try:
                formats = sections.changed(self.row, layouts)
                operations.format_sections(self.row, formats, by=request.user)
            except Refused as refusal:
                refused = refusal.message
            else:
                tell(request, Told("The sections are formatted."))
                return HttpResponseRedirect(self.row.get_absolute_url())
        return self.render_to_response(self.get_context_data(formset=formset, refused=refused))


def _initial(row):
    return {"number": row.number, "title": row.title, "mode": row.summary_by}


def _keys(rows):
    return ",".join(str(row.pk) for row in rows)


class SectionsForLines(Operation):
    """A section for each contract line."""

    model, permission = InvoiceProposal, "proposal.edit"
    done = "The {} has a section for each contract line."
    formats = staticmethod(sections.for_each_contract_line)

    def operate(self, proposal):
        operations.format_sections(proposal, self.formats(proposal), by=self.request.user)


class OneSection(SectionsForLines):
    """All lines in one section."""

    done = "The lines of {} are in one section."
    formats = staticmethod(sections.whole)
