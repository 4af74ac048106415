"""Find one row among any number: a select of up to 50 rows; above that, a text field with suggestions.

The address has the key of the row (`customer=12`), or the typed text (`customer_text=nord`) if no row was
chosen: then all rows whose code or name contains it.
"""

from typing import NamedTuple

import django_filters
from django import forms
from django.db.models import Model, QuerySet
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django_filters.fields import ModelChoiceField

from invoicing_site.floor.searching import containing
from invoicing_site.screens.lists import key_of

MOST_OPTIONS = 50
_MOST_FOUND = 20
_NAMES = ("number", "code", "name", "title", "username", "first_name", "last_name")


class Chosen(NamedTuple):
    """The selected value: the key of one row, or all rows that contain the text; for a lookup with `__in`."""

    keys: list | QuerySet
    words: str
    row: Model | None = None

    def __str__(self):
        return self.words


def named(rows, text):
    """The rows whose code or name contains each word of the text, by code."""
    fields = {field.name for field in rows.model._meta.concrete_fields}
    names = [name for name in _NAMES if name in fields]
    return containing(rows, names, text).order_by(names[0], "pk")


class Finder(forms.Select):
    """A select, or the text field; `static/js/finder.js` makes a combobox of it."""

    def value_from_datadict(self, data, files, name):
        return data.get(name, ""), data.get(f"{name}_text")

    def render(self, name, value, attrs=None, renderer=None):
        key, text = value if isinstance(value, tuple) else (value, None)
        field = self.choices.field
        rows = self.choices.queryset
        is_long = rows.order_by()[MOST_OPTIONS : MOST_OPTIONS + 1].exists()
        if not is_long and not text:
            options = [("", field.empty_label), *((row.pk, field.label_from_instance(row)) for row in rows)]
            return forms.Select(choices=options).render(name, key, attrs, renderer)
        row = field.row(key, text)
        context = {
            "name": name,
            "id": attrs["id"],
            "attrs": flatatt(attrs),
            "key": row.pk if row else "",
            "text": field.label_from_instance(row) if row else text or "",
            "empty_label": field.empty_label,
            "label": field.label,
        }
        return render_to_string("partials/finder.html", context)


class FinderField(ModelChoiceField):
    """Cleans to `Chosen`, or None."""

    widget = Finder

    def clean(self, value):
        key, text = value
        if text is None:
            row = super().clean(key)
        elif text := forms.CharField(max_length=100, required=False).clean(text):
            row = self.row(key, text)
        else:
            return None
        if row:
            return Chosen([row.pk], self.label_from_instance(row), row)
        return Chosen(named(self.queryset, text), f"“{text}”") if text else None

    def row(self, key, text):
        """The row with the key; None if the text is not its name: then the text decides."""
        row = self.queryset.filter(pk=key_of(key)).first() if key_of(key) else None
        return row if row and text in (None, self.label_from_instance(row)) else None

    def suggested(self, text):
        """At most 20 rows for a text, each with its key and name."""
        found = named(self.queryset, text.replace("\0", "")[:100])[:_MOST_FOUND]
        return [{"key": row.pk, "name": self.label_from_instance(row)} for row in found]


class RowFilter(django_filters.ModelChoiceFilter):
    """A filter by a row of `queryset(request)`, or of a model: one that the reader may see in the company.

    Its method gets `Chosen`.
    """

    field_class = FinderField

    def __init__(self, *args, model=None, entity="entity", **kwargs):
        def rows(request):
            if request is None:
                return model.objects.none()
            return model.objects.visible_to(request.user).filter(**{entity: request.entity})

        kwargs.setdefault("queryset", rows)
        kwargs.setdefault("empty_label", "Any")
        super().__init__(*args, **kwargs)

    def filter(self, rows, chosen):
        return rows if chosen is None else rows.filter(**{f"{self.field_name}__in": chosen.keys})
