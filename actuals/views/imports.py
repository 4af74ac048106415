"""Entries from files: sent, mapped, looked at, confirmed (IMP-1).

Between the steps the session remembers which stored file it is and how it is to be read; the form that
confirms holds nothing but the button. Project managers take in rows of projects they manage, accountants all.
"""

import hashlib
import json

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import FormView

from actuals import importing
from actuals.filters import ImportedFilter, ImportFilter
from actuals.forms import ImportFileForm, MappingForm, field_words
from actuals.importing.tables import read_table
from actuals.models import Entry, EntryImport
from actuals.tables import ImportedTable, ImportTable
from actuals.views.entries import _RELATED
from contracts.models import Membership, managed_projects
from invoicing_site import files
from invoicing_site.errors import Refused
from invoicing_site.models import StoredFile
from invoicing_site.querysets import ExactSum
from invoicing_site.screens import DetailScreen, FormOperation, ListScreen, Page
from invoicing_site.screens.pages import Screen

_WORK = "import"
_SHOWN_ROWS, _SHOWN_PROBLEMS = 20, 200


class Imports(ListScreen):
    """The files that were taken in."""

    model = EntryImport
    permission = "entry.import"
    title = "Imports"
    lead = "Entries from CSV and XLSX files: of Ledgerline, Kimai, Harvest, Toggl Track and Clockify."
    filterset_class = ImportFilter
    table_class = ImportTable
    template_name = "actuals/imports.html"
    noun = ("import", "imports")
    empty_title = "Nothing imported yet"
    empty_text = "Press “Import entries” and choose a file. You see what would happen before it does."

    @classmethod
    def rows(cls, request):
        return super().rows(request).order_by("-imported_at", "-pk")

    def get_queryset(self):
        return self.rows(self.request).select_related("file", "imported_by")


class ImportPage(DetailScreen):
    """What came in with one file."""

    model, permission = EntryImport, "entry.import"
    template_name = "actuals/import.html"

    def rows(self):
        return EntryImport.objects.select_related("file", "imported_by", "entity")

    def get_title(self):
        return self.row.file.name

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        entries = Entry.objects.visible_to(self.request.user).filter(source=self.row)
        found = entries.order_by("transaction_class", "status").values("transaction_class", "status")
        words = dict(Entry.Class.choices), dict(Entry.Status.choices)
        context["parts"] = [
            {
                "name": words[0][each["transaction_class"]],
                "status": words[1][each["status"]],
                "value": each["status"],
                "n": each["n"],
                "quantity": each["quantity"],
                "is_time": each["transaction_class"] == Entry.Class.TIME,
            }
            for each in found.annotate(n=Count("pk"), quantity=ExactSum("quantity"))
        ]
        mapping = self.row.mapping
        context["mapping"] = [
            (field_words(name), value)
            for part in ("columns", "constants")
            for name, value in mapping.get(part, {}).items()
        ] + [
            (name.replace("_", " ").capitalize(), value if isinstance(value, str) else ", ".join(value))
            for name, value in mapping.items()
            if name not in ("columns", "constants", "format")
        ]
        return context


class Imported(ListScreen):
    """The entries of one import that the reader may see."""

    model = Entry
    permission = "entry.import"
    title = "Imported entries"
    filterset_class = ImportedFilter
    table_class = ImportedTable
    noun = ("entry", "entries")

    @classmethod
    def rows(cls, request):
        imports = EntryImport.objects.visible_to(request.user).filter(entity=request.entity)
        found = get_object_or_404(imports, pk=request.resolver_match.kwargs["pk"])
        return super().rows(request).filter(source=found).order_by("date", "pk")

    def get_queryset(self):
        return self.rows(self.request).select_related(*_RELATED)


class Upload(FormOperation):
    """First step: the file."""

    permission = "entry.import"
    title = "Import entries"
    lead = "Step 1 of 3: the file. Then say which column is what, and look at what would happen."
    form_class = ImportFileForm
    button = "Next: columns"

    def operate(self, form):
        upload = form.cleaned_data["file"]
        if upload.size > importing.tables.MOST_BYTES:
            raise Refused("The file is larger than 50 MB: split it.")
        content = upload.read()
        read_table(content)  # what is no table is refused here, beside the field where it was chosen
        stored = files.store(
            content, name=upload.name, media_type=importing.media_type_of(content), by=self.request.user
        )
        self.request.session[_WORK] = {
            "file": stored.pk,
            "name": upload.name[:255],
            "entity": self.request.entity.pk,
            "format": form.cleaned_data["format"],
        }

    def get_back_url(self):
        return reverse("imports")

    def get_success_url(self):
        return reverse("import_columns")


class _Step(Screen):
    """A step after the first: works on the file that the session remembers, in the company it was sent to."""

    permission = "entry.import"

    def dispatch(self, request, *args, **kwargs):
        self.check_permission(request)
        self.work = request.session.get(_WORK) or {}
        if self.work.get("entity") != request.entity.pk:
            messages.info(request, "Choose the file first.")
            return HttpResponseRedirect(reverse("import_file"))
        try:
            return super().dispatch(request, *args, **kwargs)
        except Refused as refusal:  # the file is gone, or no longer a table
            messages.error(request, refusal.message)
            return HttpResponseRedirect(reverse("import_file"))

    @cached_property
    def content(self):
        return files.read(StoredFile.objects.get(pk=self.work["file"]))

    def mapping(self):
        return mapping_of(self.work)


class Columns(_Step, FormView):
    """Second step: which column is what."""

    title = "Import entries"
    template_name = "actuals/import_columns.html"
    form_class = MappingForm

    def get_form_kwargs(self):
        request, mapping = self.request, self.work.get("mapping", {})
        known = self.mapping().headings()
        try:
            table = read_table(self.content, sheet=mapping.get("sheet", ""), known=known)
        except Refused:  # there is no such sheet, as the preview said; here another one is named
            table = read_table(self.content, known=known)
        self.table = table
        initial = {name: value for name, value in mapping.items() if isinstance(value, str | list)}
        initial |= {f"column-{name}": value for name, value in mapping.get("columns", {}).items()}
        initial |= {f"constant-{name}": value for name, value in mapping.get("constants", {}).items()}
        format_ = self.work["format"]
        return {
            **super().get_form_kwargs(),
            "initial": initial,
            "entity": request.entity,
            "header": table.header,
            "format_": format_,
            "preset": importing.FORMATS[format_],
            "may_create": sees_all(request),
        }

    def form_valid(self, form):
        mapping = form.mapping()
        try:
            mapping.checked()
        except Refused as refusal:
            form.add_error(None, refusal.message)
            return self.form_invalid(form)
        self.request.session[_WORK] = {**self.work, "mapping": mapping.as_json()}
        return HttpResponseRedirect(reverse("import_preview"))

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        rows = [[_short(cell) for cell in cells] for _, cells in self.table.rows[:3]]
        format_ = dict(EntryImport.Format.choices)[self.work["format"]]
        return {
            **context,
            "work": self.work,
            "format": format_,
            "header": self.table.header,
            "samples": rows,
            "n": len(self.table.rows),
        }


class PreviewPage(_Step, Page):
    """Third step: what would happen, with every error; the button does it, whole or not at all."""

    title = "Import entries"
    template_name = "actuals/import_preview.html"

    def post(self, request, *args, **kwargs):
        if request.POST.get("seen", self.seen()) != self.seen():
            messages.error(request, "The file or its columns were changed in another tab: this is it now.")
            return HttpResponseRedirect(reverse("import_preview"))
        try:
            result = importing.import_entries(
                self.content,
                request.entity,
                self.mapping(),
                by=request.user,
                name=self.work["name"],
                on=request.entity.today(),
                submit=request.POST.get("submit") == "1",
                within=projects_within(request),
            )
        except importing.NotImported as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("import_preview"))
        except Refused as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(reverse("import_preview"))
        del request.session[_WORK]
        there = f" {result.already_there:,} were there already." if result.already_there else ""
        if result.added:
            n = f"{result.added:,} {'entry' if result.added == 1 else 'entries'}"
            as_what = "submitted for approval" if request.POST.get("submit") == "1" else "as drafts"
            messages.success(request, f"{n} imported {as_what}.{there}")
        else:
            messages.info(request, f"0 entries added: everything in this file is here already.{there}")
        seen = EntryImport.objects.visible_to(request.user).filter(pk=result.entry_import.pk).exists()
        return HttpResponseRedirect(result.entry_import.get_absolute_url() if seen else reverse("imports"))

    def seen(self):
        """A word for the file and how it is read, so that what is confirmed is what was looked at."""
        return hashlib.sha256(json.dumps(self.work, sort_keys=True).encode()).hexdigest()[:16]

    def get_context_data(self, **context):
        request = self.request
        seen = importing.preview(
            self.content,
            request.entity,
            self.mapping(),
            name=self.work["name"],
            on=request.entity.today(),
            within=projects_within(request),
        )
        return super().get_context_data(
            preview=seen,
            seen=self.seen(),
            work=self.work,
            errors=seen.errors[:_SHOWN_PROBLEMS],
            more_errors=max(0, len(seen.errors) - _SHOWN_PROBLEMS),
            wrong_rows=len({problem.row for problem in seen.errors}),
            warnings=seen.warnings[:_SHOWN_PROBLEMS],
            more_warnings=max(0, len(seen.warnings) - _SHOWN_PROBLEMS),
            first=seen.to_add[:_SHOWN_ROWS],
            n=len(seen.to_add),
            to_create=[(kind, [thing.code for thing in made]) for kind, made in seen.to_create.items()],
            may_submit=bool(seen.to_add) and not seen.errors,
            **context,
        )


def sees_all(request):
    """Accountants import whatever the company has, and may make what is missing."""
    return Membership.Role.ACCOUNTANT in request.roles


def projects_within(request):
    """The keys of the projects whose rows the reader may import; None means all of the company."""
    if sees_all(request):
        return None
    return set(managed_projects(request.user).values_list("project", flat=True))


def mapping_of(work):
    kept = work.get("mapping", {})
    return importing.Mapping(**{**kept, "format": work["format"], "create": tuple(kept.get("create", ()))})


def _short(cell):
    return importing.tables.shortened(importing.tables.text_of(cell), 60)
