"""The lines of a proposal, and the sections they are printed in (PRP-2, PRP-3)."""

from django.http import HttpResponseRedirect

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.wording import counted
from invoicing_site.screens import Action, Answer, BulkForm, DetailScreen, FormOperation, Operation
from invoicing_site.screens.lines import LinesScreen, back_to_lines
from invoicing_site.screens.lists import keys_of
from invoicing_site.screens.operations import show_answer
from ledger.invoicing import sections
from ledger.invoicing.filters import ProposalLineFilter
from ledger.invoicing.forms import LayoutForm, MoveLinesForm, ProposalLinesForm, SectionFormSet
from ledger.invoicing.operations import proposals as operations
from ledger.invoicing.operations.sections import edit_sections, lay_out, save_layout
from ledger.invoicing.sections import stamp_of
from ledger.invoicing.tables import ProposalLineTable
from ledger.invoicing.views.proposals import sections_with_sums
from ledger.models import InvoiceProposal, ProposalLine

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
    empty_text = (
        "Lines are filled in when every journal that the proposal waits for is posted. Or remove a filter."
    )
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
            "detail__task",
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


class _OfChosenLines(BulkForm):
    screen = ProposalLines
    permission = "proposal.edit"

    def proposal(self):
        return self.rows.select_related("proposal__entity").order_by("pk").first().proposal

    def get_back_url(self):
        return back_to_lines(ProposalLines, "proposal_lines", self.request)


class EditProposalLines(_OfChosenLines):
    """Tax groups of the selected lines (PRP-2)."""

    form_class = ProposalLinesForm
    button = "Save changes"
    lead = "Empty fields do not change. Amounts do not change."

    def get_title(self):
        return f"Tax groups of {counted(self.chosen, 'line')}"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"entity": self.proposal().entity, "lines": self.rows}

    def operate(self, form):
        lines = operations.edit_lines(self.rows, by=self.request.user, seen=form.stamp, **form.changes())
        return Answer(f"{counted(len(lines), 'line')} changed.")


class MoveProposalLines(_OfChosenLines):
    """The section of the selected lines (PRP-3)."""

    form_class = MoveLinesForm
    button = "Move"
    lead = "A section without lines is removed. Amounts do not change."

    def get_title(self):
        return f"Move {counted(self.chosen, 'line')} to a section"

    def get_form_kwargs(self):
        proposal = self.proposal()
        kwargs = super().get_form_kwargs() | {"stamp": stamp_of(proposal)}
        return kwargs | {"sections": list(proposal.sections.order_by("number"))}

    def operate(self, form):
        section = form.cleaned_data["section"]
        to = None if section == form.NEW else int(section)
        keys, title = list(self.rows.values_list("pk", flat=True)), form.cleaned_data["title"]
        lay_out(
            self.proposal(),
            lambda proposal: sections.moved(proposal, keys, to=to, title=title),
            seen=form.stamp,
            by=self.request.user,
        )
        return Answer(f"{counted(self.chosen, 'line')} moved.")


class EditSections(DetailScreen):
    """Order, titles and modes of the sections, all on one page (PRP-3)."""

    model, permission = InvoiceProposal, "proposal.edit"
    template_name = "ledger/proposal_sections.html"
    title = "Format sections"

    def rows(self):
        return InvoiceProposal.objects.select_related("entity", "proforma")

    def get_title(self):
        return self.title

    def get_context_data(self, *, formset=None, shown=None, **context):
        """`shown` are the keys of the sections in the order of the forms that were sent."""
        rows = sections_with_sums(self.row)
        if formset is None:
            formset = SectionFormSet(initial=[_initial(row) for row in rows], prefix="section")
        else:
            rows.sort(key=lambda row: shown.index(row.pk))
        pairs = list(zip(rows, formset, strict=True))
        return super().get_context_data(formset=formset, pairs=pairs, seen=stamp_of(self.row), **context)

    def post(self, request, *args, **kwargs):
        shown = keys_of(request.POST.get("sections", "").split(","))
        rows = self.row.sections.in_bulk()
        formset = SectionFormSet(request.POST, prefix="section")
        if set(shown) != set(rows) or len(formset.forms) != len(shown):
            refused = "The sections were changed in the meantime. This is their current state."
            return self.render_to_response(self.get_context_data(refused=refused))
        refused, changed = "", False
        if formset.is_valid():
            layouts = {
                key: form.layout() | {"number": form.cleaned_data["number"]}
                for key, form in zip(shown, formset, strict=True)
            }
            try:
                edit_sections(self.row, layouts, seen=request.POST.get("seen", ""), by=request.user)
            except Refused as refusal:
                # The form keeps what was typed and shows the other changes; sending it again replaces them.
                refused, changed = refusal.message, refusal.code == "CHANGED"
            else:
                show_answer(request, Answer("The sections are formatted."))
                return HttpResponseRedirect(self.row.get_absolute_url())
        context = self.get_context_data(formset=formset, shown=shown, refused=refused, changed=changed)
        return self.render_to_response(context)


def _initial(row):
    return {"number": row.number, "title": row.title, "mode": row.summary_by}


class SaveLayout(FormOperation):
    """Save the layout as the default for future proposals (PRP-3)."""

    model, permission = InvoiceProposal, "proposal.edit"
    form_class = LayoutForm
    title, button = "Save this layout as default", "Save as default"
    lead = (
        "How the first section is printed, whether there is a section for each contract line, and the annex. "
        "It is used for all proposals that are filled in later."
    )

    def operate(self, form):
        scope = form.cleaned_data["scope"]
        save_layout(self.row, scope=scope, by=self.request.user)
        return Answer(f"The layout is now the default for {dict(form.SCOPES)[scope].lower()}.")


class SectionsForLines(Operation):
    """A section for each contract line."""

    model, permission = InvoiceProposal, "proposal.edit"
    done = "The {} has a section for each contract line."
    formats = staticmethod(sections.for_each_contract_line)

    def operate(self, proposal):
        seen = self.request.POST.get("seen", "")
        lay_out(proposal, self.formats, seen=seen, by=self.request.user)


class OneSection(SectionsForLines):
    """All lines in one section."""

    done = "The lines of {} are in one section."
    formats = staticmethod(sections.whole)
