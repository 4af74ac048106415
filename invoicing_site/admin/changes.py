"""Old and new values of a change in the admin, for the audit log (SEC-3)."""

from django.contrib.admin.utils import NestedObjects
from django.db import models


def plain(value):
    """A value for the audit log: numbers, dates and texts unchanged, rows by name and id."""
    if isinstance(value, models.Model):
        return f"{value} (#{value.pk})"
    if isinstance(value, (list, tuple, set, models.QuerySet)):
        return sorted(str(plain(one)) for one in value)
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def values(row):
    """All stored fields of a row except passwords."""
    return {
        field.name: plain(getattr(row, field.attname)) if not field.choices else getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name != "password"
    }


def changes(form, add=False):
    """(before, after) of the changed fields of a form; for a password, only that it changed."""
    before, after = {}, {}
    for name in form.changed_data:
        if "password" in name:
            after["password"] = "changed"
            continue
        if name not in form.fields:
            continue
        if not add:
            before[name] = plain(_as_shown(form, name, form.get_initial_for_field(form.fields[name], name)))
        after[name] = plain(form.cleaned_data.get(name))
    return before, after


def _as_shown(form, name, value):
    """The row of the initial id of a form field."""
    rows = getattr(form.fields[name], "queryset", None)
    if rows is None or value in (None, "") or isinstance(value, (models.Model, list, models.QuerySet)):
        return value
    return rows.model._default_manager.filter(pk=value).first() or value


def changed_rows(formset):
    """The added, changed and deleted rows of an inline."""
    forms = {id(form.instance): form for form in formset.forms}  # a deleted row has no hash
    for row in formset.new_objects:
        after = changes(forms[id(row)], add=True)[1]
        yield {"row": name_of(row), "what": "added", "before": {}, "after": after}
    for row, _ in formset.changed_objects:
        before, after = changes(forms[id(row)])
        yield {"row": name_of(row), "what": "changed", "before": before, "after": after}
    for row in formset.deleted_objects:
        yield {"row": name_of(row), "what": "deleted", "before": values(row), "after": {}}


def name_of(row):
    """The kind and the name of a row."""
    return f"{row._meta.verbose_name} {row}"


def deleted_with(obj):
    """The rows that are deleted together with this one."""
    fallen = NestedObjects(using=obj._state.db)
    fallen.collect([obj])
    return [row for rows in fallen.data.values() for row in rows if row != obj]
