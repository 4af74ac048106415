"""Choices in the admin: rows of the legal entities that the user sees or administers."""

from functools import partial
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import ValidationError
from django.forms import DateField, ModelForm

from invoicing_site.accounts.administered import reach_of
from invoicing_site.admin.columns import entity_of
from invoicing_site.floor import days


class EntityFilter(admin.SimpleListFilter):
    """A filter by the legal entities that the user sees."""

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
    """A form that links only rows of one legal entity, and shows why it refuses a change."""

    entity_path = ""  # set for each form class by its admin
    paths = {}

    def _post_clean(self):
        super()._post_clean()
        self._check_unique_code()
        for field, sentence in (*self._strangers(), *self.refusals()):
            self.add_error(field if field in self.fields else None, sentence)

    def refusals(self):
        """Pairs of a field (or None) and a sentence with the reason why the row can't be saved."""
        return ()

    def _check_unique_code(self):
        """Check that a code is unique in its legal entity; forms of existing rows have no field for it."""
        if self.errors or self.instance._state.adding:
            return
        typed = {name for name in self._get_validation_exclusions() if name in self.fields}
        try:
            self.instance.validate_constraints(exclude=typed)
        except ValidationError as refused:
            self.add_error(None, ValidationError(refused.messages))

    def _strangers(self):
        own = entity_of(self.instance, self.entity_path) if self.entity_path else None
        if own is None:
            return
        for name in self.fields:
            row = self.cleaned_data.get(name)
            path = self.paths.get(type(row))
            if path and (other := entity_of(row, path)) is not None and other != own:
                yield name, f"“{row}” belongs to {other}: choose one of {own}."


def ways(site):
    """The path from a row of each model to its legal entity, for models that have exactly one."""
    return {model: path for model, page in site._registry.items() if (path := way_to_entity(page))}


def way_to_entity(page):
    """The path from a row of a page to its legal entity; empty for other models and legal entities."""
    if not getattr(page, "has_one_entity", False) or page.entity_path == "pk":
        return ""
    return page.entity_path


def _several(request, page):
    """Whether the user sees more than one legal entity; checked once per request."""
    if not hasattr(request, "_admin_several"):
        seen = reach_of(request).seen
        count = page.entity_model()._default_manager.count() if seen.everything else len(seen.ids)
        request._admin_several = count > 1
    return request._admin_several


def option(site, request, row):
    """A row as a choice; with the code of its legal entity if the user sees several."""
    page = site._registry.get(type(row))
    text = page.option(row) if hasattr(page, "option") else str(row)
    path = way_to_entity(page)
    if not path or not _several(request, page) or (entity := entity_of(row, path)) is None:
        return text
    return f"{entity.code} · {text}"


class Options(AutocompleteJsonView):
    """The choices of a search box: rows of the form's legal entity, with its code if needed."""

    def get_queryset(self):
        path, chosen = way_to_entity(self.model_admin), self.request.GET.get("legal_entity", "")
        rows = super().get_queryset()
        if path:
            rows = rows.select_related(*self.model_admin.option_links, path)
        return rows.filter(**{path: chosen}) if path and chosen.isdigit() else rows

    def serialize_result(self, obj, to_field_name):
        text = option(self.admin_site, self.request, obj)
        return super().serialize_result(obj, to_field_name) | {"text": text}


def _options(request):
    return Options.as_view(admin_site=admin.site)(request)


def connect():
    """Use `Options` for search boxes; called when the apps are ready, after the theme has set its site."""
    admin.site.autocomplete_view = _options


def offered(site, request, model, *, seen=False):
    """The rows of a model that the user may link to: those of the entities that they set up (or see)."""
    page, rows = site._registry.get(model), model._default_manager.all()
    if path := way_to_entity(page):
        rows = rows.select_related(path)
    reach = reach_of(request)
    entities = reach.seen if seen else reach.administered
    if entities.everything or not hasattr(page, "within"):
        return rows
    return page.within(rows, entities)


def _within_bounds(day):
    if reason := days.why_not(day):
        raise ValidationError(reason.sentence)


class Linked:
    """Limits the choices of foreign keys to the user's reach, and uses search boxes for them."""

    def get_autocomplete_fields(self, request):
        """All foreign keys to models with a search."""
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
        return self._with_entity(super().formfield_for_foreignkey(db_field, request, **kwargs), request)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        kwargs.setdefault("queryset", offered(self.admin_site, request, db_field.related_model))
        return self._with_entity(super().formfield_for_manytomany(db_field, request, **kwargs), request)

    def _with_entity(self, field, request):
        """Show the legal entity of choices, and search in the legal entity of the row on the page."""
        if field is None:
            return field
        field.label_from_instance = partial(option, self.admin_site, request)
        entity = getattr(request, "_admin_entity", None)
        if entity is not None and hasattr(field.widget, "get_url"):
            url = f"{field.widget.get_url()}?{urlencode({'legal_entity': entity.pk})}"
            field.widget.get_url = lambda: url
        return field

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, DateField):
            field.validators.append(_within_bounds)
        return field
