"""The explanation page of an amount: how it was calculated and posted, step by step (ACT-2)."""

from collections import defaultdict
from dataclasses import replace

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from django.urls import reverse
from django.views.generic import TemplateView

from actuals.models import Actual, Entry
from contracts.models import sees_costs
from invoicing_site import explain
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.screens.remedies import remedy_url, words_of
from ledger.models import CustomerInvoice, InvoiceLine, Voucher
from proforma.models import LineDetail, ProformaInvoice

# What can be explained: the model, the permission check, and the function that explains it.
_KINDS = {
    "actual": (Actual, explain.explain_actual),
    "entry": (Entry, explain.explain_entry),
    "detail": (LineDetail, explain.explain_detail),
    "proforma": (ProformaInvoice, explain.explain_proforma),
    "invoice": (CustomerInvoice, explain.explain_invoice),
    "line": (InvoiceLine, explain.explain_invoice_line),
    "voucher": (Voucher, explain.explain_voucher),
}
# Pages of the rows in an explanation.
_PAGES = {
    "actuals.actual": lambda pk: reverse("explain", args=["actual", pk]),
    "actuals.entry": lambda pk: reverse("entry", args=[pk]),
    "proforma.linedetail": lambda pk: reverse("explain", args=["detail", pk]),
    "proforma.proformainvoice": lambda pk: reverse("proforma", args=[pk]),
    "proforma.invoicerun": lambda pk: reverse("run", args=[pk]),
    "ledger.integrationjournal": lambda pk: reverse("journal", args=[pk]),
    "ledger.invoiceproposal": lambda pk: reverse("proposal", args=[pk]),
    "ledger.customerinvoice": lambda pk: reverse("invoice", args=[pk]),
    "ledger.invoiceline": lambda pk: reverse("explain", args=["line", pk]),
    "ledger.voucher": lambda pk: reverse("voucher", args=[pk]),
    "contracts.projectcontract": lambda pk: reverse("contract", args=[pk]),
}
# Their models: a reader sees only the rows that they may see (SEC-1).
_ROWS = {label: apps.get_model(label) for label in _PAGES}
_NAMES = {
    "actuals.actual": "actual",
    "actuals.entry": "entry",
    "proforma.linedetail": "detail",
    "proforma.proformainvoice": "proforma",
    "proforma.invoicerun": "run",
    "ledger.integrationjournal": "journal",
    "ledger.invoiceproposal": "proposal",
    "ledger.customerinvoice": "invoice",
    "ledger.invoiceline": "invoice line",
    "ledger.voucher": "voucher",
    "contracts.projectcontract": "contract",
}
# Steps with costs or ledger data need a permission.
_BOOKS = {"journal", "voucher"}
# Steps after the origin, shown in the right column.
_AFTERWARDS = {"journal", "voucher", "proposal", "invoice", "payment", "reversal"}
_CHUNK = 5000  # keys in one query
_MOST_LINES, _MOST_LINKS, _MOST_PARTS = 8, 6, 20  # number of repeated items on the page; JSON has all


class Explain(TemplateView):
    """The explanation of one amount; as JSON with ?format=json. 404 for rows that the reader may not see."""

    template_name = "explain.html"

    def get(self, request, kind, pk):
        if kind not in _KINDS:
            raise Http404("This kind of record can't be explained.")
        model, explain = _KINDS[kind]
        row, entity = self.find(model, pk)
        self.costs = sees_costs(request.user, entity)
        self.books = request.may("voucher.view", entity)
        if model is Actual and row.type == Actual.Type.COST and not self.costs:
            raise PermissionDenied("You need the permission to see costs.")
        explanation = self.seen(explain(row))
        if request.GET.get("format") == "json":
            return JsonResponse(self.as_data(explanation))
        explanation = self.drawn(explanation)
        return self.render_to_response(
            self.get_context_data(title=explanation["subject"], explanation=explanation, row=row, kind=kind)
        )

    def find(self, model, pk):
        """The row, if the reader may see it, and its legal entity."""
        user = self.request.user
        try:
            row = _visible(model, user).get(pk=pk)
        except model.DoesNotExist as missing:
            raise Http404("This amount does not exist.") from missing
        if model is InvoiceLine:
            return row, row.invoice.entity
        entity = row
        for name in model.objects.all().entity_path.split("__"):
            entity = getattr(entity, name)
        return row, entity

    def seen(self, explanation):
        """The explanation without the rows, costs and ledger data that the reader may not see."""
        visible = self.visible(explanation)
        return _pruned(
            explanation, self.steps, lambda reference: reference in visible or not _is_row(reference)
        )

    def visible(self, explanation):
        """The references in an explanation whose rows the reader may see; one query per model."""
        keys = defaultdict(set)
        for reference in _references(explanation):
            if _is_row(reference):
                label, _, pk = reference.partition(":")
                keys[label].add(int(pk))
        found = set()
        for label, pks in keys.items():
            rows = _visible(_ROWS[label], self.request.user)
            if label == "actuals.actual" and not self.costs:
                rows = rows.exclude(type=Actual.Type.COST)
            for chunk in in_chunks(pks, _CHUNK):
                found |= {f"{label}:{pk}" for pk in rows.filter(pk__in=chunk).values_list("pk", flat=True)}
        return found

    def steps(self, explanation):
        """The steps that the reader may see, without costs if the reader may not see them."""
        found = [step for step in explanation.steps if self.books or step.stage not in _BOOKS]
        return found if self.costs else [step.without_costs or step for step in found]

    def drawn(self, explanation):
        """The explanation for the template: the steps of both columns, and the first parts."""
        steps, parts = explanation.steps, explanation.parts
        return {
            "subject": explanation.subject,
            "before": [self.drawn_step(step) for step in steps if step.stage not in _AFTERWARDS],
            "after": [self.drawn_step(step) for step in steps if step.stage in _AFTERWARDS],
            "parts": [self.drawn(part) for part in parts[:_MOST_PARTS]],
            "more_parts": len(parts[_MOST_PARTS:]),
        }

    def drawn_step(self, step):
        """Sentences in lines, references as links."""
        lines = step.sentence.split("\n")
        links = [link for link in map(self.link, step.references) if link]
        if page := remedy_url(step.remedy, self.request):
            links.insert(0, (page, words_of(page)))
        return {
            "stage": step.stage,
            "lines": lines[:_MOST_LINES],
            "more_lines": lines[_MOST_LINES:],
            "links": links[:_MOST_LINKS],
            "more_links": len(links[_MOST_LINKS:]),
        }

    def link(self, reference):
        kind, _, pk = reference.partition(":")
        return (_PAGES[kind](int(pk)), f"{_NAMES[kind]} {pk}") if kind in _PAGES else None

    def as_data(self, explanation):
        return {
            "subject": explanation.subject,
            "reference": explanation.reference,
            "steps": [
                {
                    "stage": step.stage,
                    "sentence": step.sentence,
                    "figures": step.figures,
                    "references": step.references,
                }
                for step in explanation.steps
            ],
            "parts": [self.as_data(part) for part in explanation.parts],
        }


def _visible(model, user):
    """The rows of a model that the user may see; an invoice line is seen with its invoice."""
    if model is InvoiceLine:
        invoices = CustomerInvoice.objects.visible_to(user)
        return InvoiceLine.objects.filter(invoice__in=invoices.values("pk")).select_related("invoice__entity")
    return model.objects.visible_to(user)


def _is_row(reference):
    return reference.partition(":")[0] in _ROWS


def _references(explanation):
    """All references of an explanation and its parts."""
    yield explanation.reference
    for step in explanation.steps:
        yield from step.references
    for part in explanation.parts:
        yield from _references(part)


def _pruned(explanation, steps, is_seen):
    """The explanation with the steps of `steps`, without invisible references."""
    return replace(
        explanation,
        steps=[
            replace(step, references=list(filter(is_seen, step.references))) for step in steps(explanation)
        ],
        parts=[_pruned(part, steps, is_seen) for part in explanation.parts if is_seen(part.reference)],
    )
