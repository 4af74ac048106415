"""Importing entries from files: upload, mapping, preview, confirmation (IMP-1).

Between the steps the session stores the key of the file and its mapping; the form that confirms contains only
the button. Project managers import rows of projects that they manage, accountants all rows. A large file is
imported by a worker, and the page of its import shows the progress.
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
from django_htmx.http import HttpResponseClientRefresh

from actuals import importing
from actuals.filters import ImportedFilter, ImportFilter
from actuals.forms import ImportChoicesForm, ImportFileForm, MappingForm, field_words
from actuals.importing.tables import read_table
from actuals.models import NAMED, Entry, EntryImport
from actuals.operations import imports
from actuals.tables import ImportedTable, ImportTable
from actuals.views.entries import _RELATED
from invoicing_site.floor import files, jobs, wording
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.models import StoredFile
from invoicing_site.screens import DetailScreen, FormOperation, ListScreen, Page, remedies
from invoicing_site.screens.operations import refuse
from invoicing_site.screens.pages import Screen

_WORK = "import"
_SHOWN_ROWS, _SHOWN_PROBLEMS = 20, 200
AT_ONCE = 2000  # the largest import without a worker; it takes at most a second


class Imports(ListScreen):
    """The imported files."""

    model = EntryImport
    permission = "entry.import"
    title = "Imports"
    lead = "Entries from CSV and XLSX files, as Ledgerline or another program writes them."
    filterset_class = ImportFilter
    table_class = ImportTable
    template_name = "actuals/imports.html"
    noun = ("import", "imports")
    empty_title = "Nothing imported yet"
    empty_text = "Choose a file. A preview shows the result before anything is imported."
    empty_link = ("import_file", "Import entries")

    @classmethod
    def rows(cls, request):
        return super().rows(request).order_by("-imported_at", "-pk")

    def get_queryset(self):
        return self.rows(self.request).select_related("file", "imported_by")


class ImportPage(DetailScreen):
    """The entries of one file, the progress of its import, or why it failed."""

    model, permission = EntryImport, "entry.import"
    template_name = "actuals/import.html"

    def get(self, request, *args, **kwargs):
        if request.htmx and not self.row.is_at_work:
            return HttpResponseClientRefresh()
        return super().get(request, *args, **kwargs)

    def rows(self):
        return EntryImport.objects.select_related("file", "imported_by", "entity")

    def get_title(self):
        return self.row.name

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        context["job"] = jobs.about(self.row).first() if self.row.is_at_work else None
        work = self.request.session.get(_WORK) or {}
        context["can_look_again"] = work.get("file") == self.row.file_id
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
        context["mapping"] = (
            [
                (field_words(name), value)
                for part in ("columns", "constants")
                for name, value in mapping.get(part, {}).items()
            ]
            + [
                (name.replace("_", " ").capitalize(), value if isinstance(value, str) else ", ".join(value))
                for name, value in mapping.items()
                if name not in ("columns", "constants", "format", "answers", NAMED)
            ]
            + [
                (importing.CHOICES[name].rows, importing.CHOICES[name].answers[answer])
                for name, answer in mapping.get("answers", {}).items()
            ]
        )
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
    lead = "Step 1 of 3: choose the file. In the next steps, you match its columns and check a preview."
    form_class = ImportFileForm
    button = "Next: columns"

    def operate(self, form):
        upload = form.cleaned_data["file"]
        if upload.size > importing.tables.MOST_BYTES:
            raise Refused("FILE-TOO-LARGE", most=importing.tables.MOST_BYTES // 1024**2)
        content = upload.read()
        # A file that is not a table is refused here, next to its field.
        table = read_table(content, known=importing.ALL_HEADINGS, name=upload.name)
        stored = files.store(
            content, name=upload.name, media_type=importing.media_type_of(content), by=self.request.user
        )
        self.request.session[_WORK] = {
            "file": stored.pk,
            "name": upload.name[:255],
            "entity": self.request.entity.pk,
            "format": form.cleaned_data["format"] or importing.recognized(table.header),
        }

    def get_back_url(self):
        return reverse("imports")

    def get_success_url(self):
        return reverse("import_columns")


class _Step(Screen):
    """A step after the first: works on the file in the session, in the legal entity it was sent to."""

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
            refuse(request, refusal)
            return HttpResponseRedirect(reverse("import_file"))

    @cached_property
    def content(self):
        return files.read(StoredFile.objects.get(pk=self.work["file"]))

    def mapping(self):
        return importing.Mapping.kept({**self.work.get("mapping", {}), "format": self.work["format"]})


class Columns(_Step, FormView):
    """Second step: which column is which field."""

    title = "Import entries"
    template_name = "actuals/import_columns.html"
    form_class = MappingForm

    def get_form_kwargs(self):
        request, mapping = self.request, self.work.get("mapping", {})
        known = self.mapping().headings()
        try:
            table = read_table(self.content, sheet=mapping.get("sheet", ""), known=known)
        except Refused:  # the chosen sheet does not exist; another one can be chosen here
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
            "preset": importing.FORMATS[format_].columns,
            # Accountants import for all projects, and can create missing records.
            "may_create": importing.projects_within(request.user, request.entity) is None,
        }

    def form_valid(self, form):
        mapping = form.mapping()
        try:
            mapping.checked()
        except Refused as refusal:
            form.add_error(None, remedies.linked_sentence(refusal, self.request))
            return self.form_invalid(form)
        before = self.work.get("mapping", {})
        answered = {name: before[name] for name in ("answers", "time_category") if before.get(name)}
        kept = mapping.as_json() | answered
        self.request.session[_WORK] = {**self.work, "mapping": kept}
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


class _PreviewStep(_Step, Page):
    """The preview, with every error and every decision."""

    title = "Import entries"
    template_name = "actuals/import_preview.html"

    def within(self):
        """The projects that the reader may import for; None is all of the legal entity."""
        return importing.projects_within(self.request.user, self.request.entity)

    def seen(self):
        """A hash of the file and its mapping, so that only the preview that was shown can be confirmed."""
        work = {name: value for name, value in self.work.items() if name != "rows"}
        return hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()[:16]

    def get_context_data(self, **context):
        entity, name = self.request.entity, self.work["name"]
        found = importing.preview(
            self.content, entity, self.mapping(), name=name, on=entity.today(), within=self.within()
        )
        self.request.session[_WORK] = {**self.work, "rows": found.total}
        answers = {name: found.mapping.answer(name) for name in importing.CHOICES}
        initial = {"format": self.work["format"], **answers}
        return super().get_context_data(
            seen=self.seen(),
            work=self.work,
            choices=ImportChoicesForm(initial=initial, found=found.found, unnamed=found.unnamed),
            approval=importing.who_approves(found.to_add, entity, self.request.user),
            **_found(found),
            **context,
        )


def _found(preview):
    """The result of a preview, with the first rows of each kind."""
    all_rows, to_add, others = preview.totals, preview.totals_to_add, preview.totals_of_others
    shown = {}
    for name in ("errors", "changed", "warnings"):
        rows = getattr(preview, name)
        shown |= {name: rows[:_SHOWN_PROBLEMS], f"more_{name}": max(0, len(rows) - _SHOWN_PROBLEMS)}
    return shown | {
        "preview": preview,
        "totals": all_rows,
        "totals_to_add": to_add,
        "totals_of_others": others,
        "people": [
            (name, to_add.people.get(name), others.people.get(name)) for name, _ in all_rows.by_name()
        ],
        "left_out": [(importing.CHOICES[name].rows, rows) for name, rows in preview.left_out.items()],
        "first": preview.to_add[:_SHOWN_ROWS],
        "n": len(preview.to_add),
        "to_create": [(kind, [thing.code for thing in made]) for kind, made in preview.to_create.items()],
        "asks": any(not problem.row and problem.field in importing.CHOICES for problem in preview.errors),
        "may_submit": bool(preview.to_add or preview.to_change) and not preview.errors,
        "n_changing": len(preview.to_change),
        "in_background": preview.total > AT_ONCE,
    }


class PreviewPage(_PreviewStep):
    """Third step: what would happen; the button imports all or nothing, at once or in the background."""

    def post(self, request, *args, **kwargs):
        again = HttpResponseRedirect(reverse("import_preview"))
        if request.POST.get("seen", self.seen()) != self.seen():
            messages.error(
                request, "The file or its columns were changed in another tab. This is the current state."
            )
            return again
        if "choose" in request.POST:
            self.choose()
            return again
        submit = request.POST.get("submit") == "1"
        try:
            return self.to_page_of(self.ask(submit) if self.is_long() else self.do(submit))
        except importing.NotImported as refusal:
            messages.error(request, str(refusal))
        except Refused as refusal:
            refuse(request, refusal)
        return again

    def is_long(self):
        return self.work.get("rows", 0) > AT_ONCE

    def choose(self):
        """Store the answers, and show the preview again."""
        form = ImportChoicesForm(self.request.POST)
        if not form.is_valid():
            messages.error(self.request, "Choose one of the answers that the page offers.")
            return
        chosen = form.cleaned_data["time_category"] or self.mapping().time_category
        mapping = {**self.work.get("mapping", {}), "answers": form.answers(), "time_category": chosen}
        work = {**self.work, "format": form.cleaned_data["format"], "mapping": mapping}
        self.request.session[_WORK] = work

    def do(self, submit):
        entity, by, name = self.request.entity, self.request.user, self.work["name"]
        how = {"by": by, "name": name, "on": entity.today(), "submit": submit, "within": self.within()}
        result = imports.import_entries(self.content, entity, self.mapping(), **how)
        del self.request.session[_WORK]
        messages.add_message(self.request, *_imported(result, submit))
        return result.entry_import

    def ask(self, submit):
        """Request the import by a worker. The session keeps the file, for a preview after a failure."""
        stored = StoredFile.objects.get(pk=self.work["file"])
        how = {
            "by": self.request.user,
            "rows": self.work["rows"],
            "submit": submit,
            "name": self.work["name"],
        }
        return imports.ask(stored, self.request.entity, self.mapping(), **how)

    def to_page_of(self, entry_import):
        seen = EntryImport.objects.visible_to(self.request.user).filter(pk=entry_import.pk).exists()
        return HttpResponseRedirect(entry_import.get_absolute_url() if seen else reverse("imports"))


def _imported(result, submit):
    """The level of the message on an import that is done, and its text."""
    there = wording.counted(result.already_there, "was imported before", "were imported before")
    done = []
    if result.added:
        as_what = "and submitted for approval" if submit else importing.as_drafts(result.added)
        done.append(f"{wording.counted(result.added, 'entry', 'entries')} imported {as_what}.")
    if result.changed:
        done.append(f"{wording.counted(result.changed, 'draft', 'drafts')} changed.")
    if done:
        return messages.SUCCESS, " ".join([*done, *([f"{there}."] if result.already_there else [])])
    left = sum(result.preview.left_out.values())
    rest = f", {wording.counted(left, 'row is', 'rows are')} left out" if left else ""
    return messages.INFO, f"0 entries added: {there}{rest}."


def _short(cell):
    return importing.tables.shortened(importing.tables.text_of(cell), 60)
