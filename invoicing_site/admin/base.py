"""Base classes of the admin: which rows a user sees, and how a change is recorded.

In the admin, a user's roles decide, not Django's permissions: administrators of a legal entity change its
set-up, its auditors can only read, a superuser sees everything (SEC-1). Every change writes one audit event
with old and new values of each field, including inline rows, in the transaction of the change (SEC-3).
"""

from collections.abc import Sequence
from functools import cache, partial
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from unfold import admin as unfold

from invoicing_site.accounts.administered import forget_reach, reach_of
from invoicing_site.admin.changes import changed_rows, changes, deleted_with, name_of, values
from invoicing_site.admin.choices import (
    AdministeredForm,
    EntityFilter,
    Linked,
    offered,
    way_to_entity,
    ways,
)
from invoicing_site.admin.columns import day, entity_of, figure, through
from invoicing_site.floor import audit, transaction
from invoicing_site.floor.fields import ExactDecimalField


class _Ordered:
    """Orders the rows of an inline, so that its pages don't overlap."""

    def get_ordering(self, request):
        return self.ordering or self.model._meta.ordering or ["pk"]


class _Inline(_Ordered, Linked):
    """Rows that are edited on the page of their parent, with the parent's permissions."""

    extra = 0
    hide_title = True
    entity_path = ""
    form = AdministeredForm

    def _page(self):
        return self.admin_site._registry[self.parent_model]

    def has_view_permission(self, request, obj=None):
        return self._page().has_view_permission(request, obj)

    def has_change_permission(self, request, obj=None):
        return self._page().has_change_permission(request, obj)

    def has_add_permission(self, request, obj=None):
        if obj is None or obj.pk is None:
            return self._page().has_add_permission(request)
        return self._page().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return self.has_add_permission(request, obj) and not (obj and self._page().keeps_rows(obj))

    def get_formset(self, request, obj=None, **kwargs):
        paths = {"entity_path": self.entity_path, "paths": ways(self.admin_site)}
        kwargs.setdefault("form", type(self.form.__name__, (self.form,), paths))
        return super().get_formset(request, obj, **kwargs)


class RowsInline(_Inline, unfold.TabularInline):
    """Editable rows in a table."""


class LookupInline(_Ordered, unfold.TabularInline):
    """Read-only rows, with pagination."""

    extra = 0
    hide_title = True
    per_page = 50
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return self.admin_site._registry[self.parent_model].has_view_permission(request, obj)

    def has_add_permission(self, request, obj=None):
        return False

    has_change_permission = has_delete_permission = has_add_permission


def _wrong(part):
    """The errors of a form or of the rows of an inline, each with its place."""
    if hasattr(part, "management_form"):
        rows = capfirst(part.model._meta.verbose_name_plural)
        yield from (f"{rows}: {sentence}" for sentence in part.non_form_errors())
        for number, form in enumerate(part.forms, 1):
            yield from (f"{rows}, row {number}: {sentence}" for sentence in _wrong(form))
        return
    for name, sentences in part.errors.items():
        label = f"{capfirst(part[name].label)}: " if name in part.fields else ""
        yield from (f"{label}{sentence}" for sentence in sentences)


# Pages


@cache
def _code_of(path):
    return through(path, "Legal entity")


class EntityAdmin(Linked, unfold.ModelAdmin):
    """Rows of legal entities: administrators and auditors see them, administrators change them."""

    class Media:
        js = ["js/admin.js"]

    entity_path = "entity"
    has_one_entity = True
    form = AdministeredForm
    on_index = True
    fixed: Sequence[str] = ()  # fields that can't be changed after the row is created
    option_links: Sequence[str] = ()  # related rows that `option` uses
    warn_unsaved_form = True
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False

    # Permissions (SEC-1)

    def within(self, rows, entities):
        """The rows that belong to the entities."""
        return rows.filter(**{f"{self.entity_path}__in": entities.ids})

    def entity_model(self):
        """The model of legal entities, found without importing it."""
        model = self.model
        for name in self.entity_path.split("__"):
            model = model._meta.get_field(name).related_model
        return model

    def get_queryset(self, request):
        seen = reach_of(request).seen
        rows = super().get_queryset(request)
        return rows if seen.everything else self.within(rows, seen)

    def _may(self, entities, obj):
        if not entities:
            return False
        if obj is None or obj.pk is None or entities.everything:
            return True
        return self.within(self.model._default_manager.filter(pk=obj.pk), entities).exists()

    def has_module_permission(self, request):
        return bool(reach_of(request).seen)

    def has_view_permission(self, request, obj=None):
        return self._may(reach_of(request).seen, obj)

    def has_add_permission(self, request):
        return bool(reach_of(request).administered)

    def has_change_permission(self, request, obj=None):
        return self._may(reach_of(request).administered, obj) and not (obj and self.closed_to_change(obj))

    def has_delete_permission(self, request, obj=None):
        return self.has_change_permission(request, obj) and not (obj and self.keeps_rows(obj))

    def closed_to_change(self, obj):
        """The reason why the row and its page can no longer be changed in the admin; or nothing."""
        return ""

    def keeps_rows(self, obj):
        """The reason why the row and the rows on its page can't be deleted; or nothing."""
        return ""

    def option(self, obj):
        """The name of a row in a select box."""
        return str(obj)

    def get_model_perms(self, request):
        return super().get_model_perms(request) if self.on_index else {}

    def lock(self, request):
        """Lock the rows that decide whether the page can be saved; most pages need none."""

    # Display

    def get_list_filter(self, request):
        return [*([EntityFilter] if way_to_entity(self) else []), *super().get_list_filter(request)]

    def get_search_fields(self, request):
        """Add the legal entity's code to the search of every list."""
        found, path = super().get_search_fields(request), way_to_entity(self)
        return [*found, f"{path}__code"] if found and path else found

    def get_list_display(self, request):
        names = [name for name in super().get_list_display(request) if name != "entity"]
        columns = [self._column(name) for name in names]
        return [*columns, _code_of(f"{path}__code")] if (path := way_to_entity(self)) else columns

    def _column(self, name):
        """The shared column for dates and numbers; other columns as declared."""
        try:
            *links, last = name.split("__") if isinstance(name, str) else ("",)
            model = self.model
            for link in links:
                model = model._meta.get_field(link).related_model
            field = model._meta.get_field(last)
        except FieldDoesNotExist:
            return name
        if isinstance(field, models.DateField):
            return day(name, capfirst(field.verbose_name))
        if links and field.many_to_one:
            return through(name, capfirst(field.verbose_name))
        return figure(name, capfirst(field.verbose_name)) if isinstance(field, ExactDecimalField) else name

    def get_list_select_related(self, request):
        """The related rows of the columns, so that long lists need no more queries than short ones."""
        paths = list(self.list_select_related or ())
        for column in self.get_list_display(request):
            model, path, column = self.model, [], getattr(column, "path", column)
            for name in column.split("__") if isinstance(column, str) else ():
                try:
                    field = model._meta.get_field(name)
                except FieldDoesNotExist:
                    break
                if not (field.many_to_one or field.one_to_one):
                    break
                path.append(name)
                model = field.related_model
            if path:
                paths.append("__".join(path))
        return paths or False

    def get_readonly_fields(self, request, obj=None):
        kept = ("entity", *self.fixed) if obj else ()
        names = {field.name for field in self.model._meta.fields}
        return [*super().get_readonly_fields(request, obj), *(name for name in kept if name in names)]

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        if any(field.name == "entity" for field in self.model._meta.fields):
            entities = list(offered(self.admin_site, request, self.entity_model()))
            chosen = request.entity if request.entity in entities else entities[0] if entities[:1] else None
            if chosen and (len(entities) == 1 or chosen == request.entity):
                initial.setdefault("entity", chosen.pk)
        return initial

    def get_form(self, request, obj=None, change=False, **kwargs):
        request._admin_entity = (
            (obj if self.entity_path == "pk" else entity_of(obj, way_to_entity(self))) if obj else None
        )
        if issubclass(self.form, AdministeredForm):
            path = self.entity_path if self.has_one_entity and self.entity_path != "pk" else ""
            paths = {"entity_path": path, "paths": ways(self.admin_site)}
            kwargs.setdefault("form", type(self.form.__name__, (self.form,), paths))
        return super().get_form(request, obj, change=change, **kwargs)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        obj = self.get_object(request, object_id) if request.method == "GET" else None
        if obj and (sentence := self.closed_to_change(obj) or self.keeps_rows(obj)):
            messages.info(request, sentence)
        return super().change_view(request, object_id, form_url, extra_context)

    def delete_view(self, request, object_id, extra_context=None):
        """Refuse to delete a row that is in use, with that reason instead of a message about permissions."""
        obj = self.get_object(request, object_id)
        sentence = obj and (self.closed_to_change(obj) or self.keeps_rows(obj))
        if sentence and self._may(reach_of(request).administered, obj):
            messages.error(request, sentence)
            page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(page, args=[obj.pk]))
        view = super().delete_view
        if request.method == "POST":
            view = partial(_as_one, self, view)
        return view(request, object_id, extra_context)

    def render_change_form(self, request, context, *args, **kwargs):
        """Show the errors above the form, each with its field, because a tab may hide the field."""
        if context.get("errors"):
            for part in (context["adminform"].form, *(f.formset for f in context["inline_admin_formsets"])):
                for sentence in _wrong(part):
                    messages.error(request, sentence)
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, request, object_id, extra_context=None):
        """Show the audit events of the row instead of Django's history."""
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        about = urlencode({"subject_type": self.opts.label_lower, "subject_id": obj.pk})
        return HttpResponseRedirect(f"{reverse('admin:invoicing_site_auditevent_changelist')}?{about}")

    # Audit log (SEC-3)

    def changelist_view(self, request, extra_context=None):
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        return _as_one(
            self, super().changelist_view, request, extra_context
        )  # deleting several rows, and its events

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        view = super().changeform_view
        if request.method == "POST":
            view = partial(_as_one, self, view)
        return view(request, object_id, form_url, extra_context)

    def construct_change_message(self, request, form, formsets, add=False):
        """Old and new values of every changed field, including inline rows; empty if nothing changed."""
        before, after = changes(form, add)
        rows = [row for formset in formsets or () for row in changed_rows(formset)]
        if not (add or after or rows):
            return {}
        return {"before": before, "after": after, **({"rows": rows} if rows else {})}

    def log_addition(self, request, obj, message):
        self._write_down("add", request, obj, message)

    def log_change(self, request, obj, message):
        if message:
            self._write_down("change", request, obj, message)

    def log_deletions(self, request, queryset):
        for obj in queryset:
            rows = [
                {"row": name_of(row), "what": "deleted", "before": values(row), "after": {}}
                for row in deleted_with(obj)
            ]
            detail = {"before": values(obj), "after": {}, **({"rows": rows} if rows else {})}
            self._write_down("delete", request, obj, detail)

    def _write_down(self, verb, request, obj, detail):
        action = f"{self.opts.app_label}.{verb}_{self.opts.verbose_name.lower().replace(' ', '_')}"
        audit.record(action, obj, by=request.user, entity=self.entity_code(obj), **detail)

    def entity_code(self, obj):
        """The code of the legal entity whose administrators and auditors see the event."""
        entity = obj if self.entity_path == "pk" else entity_of(obj, self.entity_path)
        return getattr(entity, "code", "")


def _as_one(page, view, request, *args):
    """Decorate an admin page that saves: one transaction, repeated after a conflict.

    Before the second attempt, the messages and the reach of the first one are removed from the request, and
    uploaded files are rewound.
    """
    queued = getattr(messages.get_messages(request), "_queued_messages", [])
    said = list(queued)

    @transaction.atomic
    def save():
        queued[:] = said
        forget_reach(request)
        for files in request.FILES.lists():
            for file in files[1]:
                file.seek(0)
        page.lock(request)
        return view(request, *args)

    try:
        return save()
    except Exception:
        queued[:] = said
        raise


class LookupAdmin(EntityAdmin):
    """Read-only pages of business rows."""

    warn_unsaved_form = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    has_delete_permission = has_change_permission
