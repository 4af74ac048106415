"""What every page of the admin stands on: whose rows one meets there, and what is written down of a change.

In the admin a person's roles decide, not Django's permissions: administrators of a legal entity set up what
belongs to it, its auditors look, a superuser sees all (SEC-1). Every change writes one audit event with
before and after of each field, rows of inlines included, in the change's own transaction (SEC-3).
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist, PermissionDenied
from django.db import models, transaction
from django.forms import ModelForm
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from unfold import admin as unfold
from unfold.decorators import display

from invoicing_site import audit, money
from invoicing_site.admin_changes import changed_rows, changes, falling_with, name_of, values

ADMINISTRATOR, AUDITOR = "administrator", "auditor"


@dataclass(frozen=True)
class Entities:
    """Some legal entities by id and by code, or all there are."""

    everything: bool = False
    ids: frozenset = frozenset()
    codes: frozenset = frozenset()

    def __bool__(self):
        return self.everything or bool(self.ids)


@dataclass(frozen=True)
class Reach:
    """The legal entities that somebody sees in the admin, and those that they set up."""

    seen: Entities
    administered: Entities


def reach_of(request):
    """The reach of the one who asks; read once a request."""
    if not hasattr(request, "_admin_reach"):
        request._admin_reach = _reach(request.user)
    return request._admin_reach


def _reach(user):
    if not user.is_active or not user.is_staff:
        return Reach(Entities(), Entities())
    if user.is_superuser:
        return Reach(Entities(everything=True), Entities(everything=True))
    rows = list(
        user.memberships.filter(role__in=[ADMINISTRATOR, AUDITOR]).values_list(
            "entity_id", "entity__code", "role"
        )
    )

    def those(*roles):
        chosen = [(pk, code) for pk, code, role in rows if role in roles]
        return Entities(ids=frozenset(pk for pk, _ in chosen), codes=frozenset(code for _, code in chosen))

    return Reach(those(ADMINISTRATOR, AUDITOR), those(ADMINISTRATOR))


def entity_of(row, path):
    """The legal entity a row belongs to along the path; None where a link is still missing."""
    try:
        for name in path.split("__"):
            row = getattr(row, name)
            if row is None:
                return None
    except (AttributeError, ObjectDoesNotExist):
        return None
    return row


# Columns


def chip(name, description=None, **colours):
    """A column that shows a status as a chip: success, info, warning or danger, by its stored value."""

    @display(description=description or capfirst(name.replace("_", " ")), ordering=name, label=colours)
    def show(row):
        return getattr(row, name), getattr(row, f"get_{name}_display")()

    show.__name__ = name
    return show


def amount(name, description=None, currency="currency"):
    """A column with an amount as people read it: the currency, then the number in its minor unit."""

    @display(description=description or capfirst(name.replace("_", " ")), ordering=name)
    def show(row):
        value, code = getattr(row, name), entity_of(row, currency)
        return None if value is None else money_text(value, code)

    show.__name__ = name
    return show


def through(path, description):
    """A column with a row that is reached over another, under a name of its own."""

    @display(description=description, ordering=path)
    def show(row):
        return entity_of(row, path)

    show.path = path
    return show


@cache
def day(path, description):
    """A column with a date that nobody misreads, 20 Nov 2026, and the time where there is one."""

    @display(description=description, ordering=path)
    def show(row):
        value = entity_of(row, path)
        if value is None:
            return None
        pattern = "j M Y"
        if isinstance(value, datetime.datetime):
            value, pattern = timezone.localtime(value), "j M Y H:i"
        return format_html('<span class="whitespace-nowrap">{}</span>', formats.date_format(value, pattern))

    show.path = path
    return show


def money_text(value, currency):
    """NOK 1,234.50 in figures of one width; with all its decimals where the currency is not known."""
    try:
        places = -money.minor_unit(currency).as_tuple().exponent
    except ValueError:
        places = 4
    number = f"{Decimal(value):,.{places}f}".replace("-", "−")
    return format_html('<span class="whitespace-nowrap tabular-nums">{} {}</span>', currency or "", number)


class EntityFilter(admin.SimpleListFilter):
    """Choose among the legal entities in one's reach."""

    title = "legal entity"
    parameter_name = "legal_entity"

    def __init__(self, request, params, model, model_admin):
        self.path = model_admin.entity_path
        super().__init__(request, params, model, model_admin)

    def lookups(self, request, model_admin):
        entities = offered(model_admin.admin_site, request, model_admin.entity_model(), seen=True)
        return [(str(entity.pk), str(entity)) for entity in entities]

    def queryset(self, request, queryset):
        chosen = self.value()
        return queryset.filter(**{self.path: chosen}) if chosen and chosen.isdigit() else queryset


class AdministeredForm(ModelForm):
    """A form that links only rows of one legal entity, and says why it refuses a change."""

    entity_path = ""  # set for each form class by its admin
    paths = {}

    def _post_clean(self):
        super()._post_clean()
        for field, sentence in (*self._strangers(), *self.refusals()):
            self.add_error(field if field in self.fields else None, sentence)

    def refusals(self):
        """Pairs of a field (or None) and a sentence why the row can't be saved like this."""
        return ()

    def _strangers(self):
        own = entity_of(self.instance, self.entity_path) if self.entity_path else None
        if own is None:
            return
        for name in self.fields:
            row = self.cleaned_data.get(name)
            path = self.paths.get(type(row))
            if path and (other := entity_of(row, path)) is not None and other != own:
                yield name, f"“{row}” belongs to {other}: choose one of {own}."


def _paths(site):
    """How a row of each model reaches its legal entity, for models that have exactly one."""
    return {
        model: page.entity_path
        for model, page in site._registry.items()
        if isinstance(page, EntityAdmin) and page.has_one_entity and page.entity_path != "pk"
    }


def offered(site, request, model, *, seen=False):
    """The rows of a model that the one who asks may link to: of the entities that they set up (or see)."""
    page, rows = site._registry.get(model), model._default_manager.all()
    reach = reach_of(request)
    entities = reach.seen if seen else reach.administered
    if entities.everything or not isinstance(page, EntityAdmin):
        return rows
    return page.within(rows, entities)


class _Linked:
    """Choices of links are limited by reach, and searched for, never rendered whole."""

    def get_autocomplete_fields(self, request):
        """Every link to a model that can be searched for."""
        links = (*self.model._meta.fields, *self.model._meta.many_to_many)
        searchable = [
            field.name
            for field in links
            if field.is_relation
            and field.editable
            and (page := self.admin_site._registry.get(field.related_model))
            and page.search_fields
        ]
        return [*super().get_autocomplete_fields(request), *searchable]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs.setdefault("queryset", offered(self.admin_site, request, db_field.related_model))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        kwargs.setdefault("queryset", offered(self.admin_site, request, db_field.related_model))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class _Ordered:
    """Rows of an inline come in an order, so that its pages don't overlap."""

    def get_ordering(self, request):
        return self.ordering or self.model._meta.ordering or ["pk"]


class _Inline(_Ordered, _Linked):
    """Rows that are set up on the page of what they belong to, by whoever may set that up."""

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
        paths = {"entity_path": self.entity_path, "paths": _paths(self.admin_site)}
        kwargs.setdefault("form", type(self.form.__name__, (self.form,), paths))
        return super().get_formset(request, obj, **kwargs)


class RowsInline(_Inline, unfold.TabularInline):
    """Editable rows in a table."""


class LookupInline(_Ordered, unfold.TabularInline):
    """Rows to look at, a page at a time; nobody changes them here."""

    extra = 0
    hide_title = True
    per_page = 50
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return self.admin_site._registry[self.parent_model].has_view_permission(request, obj)

    def has_add_permission(self, request, obj=None):
        return False

    has_change_permission = has_delete_permission = has_add_permission


# Pages


class EntityAdmin(_Linked, unfold.ModelAdmin):
    """Rows of legal entities, seen by their administrators and auditors, set up by their administrators."""

    entity_path = "entity"
    has_one_entity = True
    form = AdministeredForm
    on_index = True
    fixed = ()  # fields that can't be changed any more once the row is there
    warn_unsaved_form = True
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False

    # Who may what (SEC-1)

    def within(self, rows, entities):
        """Those of the rows that belong to the entities."""
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
        """A sentence why the row, and all on its page, can't be changed in the admin any more; or nothing."""
        return ""

    def keeps_rows(self, obj):
        """A sentence why neither the row nor rows on its page can be deleted; or nothing."""
        return ""

    def get_model_perms(self, request):
        return super().get_model_perms(request) if self.on_index else {}

    # What is shown

    def get_list_filter(self, request):
        several = self.has_one_entity and self.entity_path != "pk"
        return [*([EntityFilter] if several else []), *super().get_list_filter(request)]

    def get_list_display(self, request):
        return [self._column(name) for name in super().get_list_display(request)]

    def _column(self, name):
        """Dates are shown alike everywhere; every other column as it was declared."""
        try:
            *links, last = name.split("__") if isinstance(name, str) else ("",)
            model = self.model
            for link in links:
                model = model._meta.get_field(link).related_model
            field = model._meta.get_field(last)
        except FieldDoesNotExist:
            return name
        return day(name, capfirst(field.verbose_name)) if isinstance(field, models.DateField) else name

    def get_list_select_related(self, request):
        """What the columns show of other rows, so that a list costs the same however long it is."""
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
            entities = list(offered(self.admin_site, request, self.entity_model())[:2])
            if len(entities) == 1:
                initial.setdefault("entity", entities[0].pk)
        return initial

    def get_form(self, request, obj=None, change=False, **kwargs):
        if issubclass(self.form, AdministeredForm):
            path = self.entity_path if self.has_one_entity and self.entity_path != "pk" else ""
            paths = {"entity_path": path, "paths": _paths(self.admin_site)}
            kwargs.setdefault("form", type(self.form.__name__, (self.form,), paths))
        return super().get_form(request, obj, change=change, **kwargs)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        obj = self.get_object(request, object_id) if request.method == "GET" else None
        if obj and (sentence := self.closed_to_change(obj) or self.keeps_rows(obj)):
            messages.info(request, sentence)
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(self, request, object_id, extra_context=None):
        """The audit events of the row: there is no second history."""
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        about = urlencode({"subject_type": self.opts.label_lower, "subject_id": obj.pk})
        return HttpResponseRedirect(f"{reverse('admin:invoicing_site_auditevent_changelist')}?{about}")

    # What is written down (SEC-3)

    def changelist_view(self, request, extra_context=None):
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        with transaction.atomic():  # deleting many, and its events
            return super().changelist_view(request, extra_context)

    def construct_change_message(self, request, form, formsets, add=False):
        """Before and after of every field that changed, rows of inlines included; empty when none did."""
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
                for row in falling_with(obj)
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


class LookupAdmin(EntityAdmin):
    """Rows of the business, for looking things up: nobody changes them here."""

    warn_unsaved_form = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    has_delete_permission = has_change_permission
