"""Widgets and filters that look and read the same in every form."""

import django_filters
from django import forms
from django.db.models import Q
from django.utils.text import capfirst


class DayInput(forms.DateInput):
    """The browser's own date picker; always in ISO, whatever the language."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


class DayField(forms.DateField):
    widget = DayInput


class DayFilter(django_filters.DateFilter):
    field_class = DayField


class ChoicesFilter(django_filters.MultipleChoiceFilter):
    """Any of several statuses, as ticks."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        kwargs["choices"] = [(value, capfirst(str(label))) for value, label in kwargs.get("choices", ())]
        super().__init__(*args, **kwargs)


class SearchFilter(django_filters.CharFilter):
    """Words that each stand in one of the fields, in any order."""

    def __init__(self, *fields, placeholder="", **kwargs):
        kwargs.setdefault("label", "Search")
        kwargs["widget"] = forms.TextInput(attrs={"type": "search", "placeholder": placeholder})
        super().__init__(**kwargs)
        self.fields = fields

    def filter(self, rows, value):
        for word in (value or "").split()[:8]:
            found = Q()
            for name in self.fields:
                found |= Q(**{f"{name}__icontains": word})
            rows = rows.filter(found)
        return rows


class RowFilter(django_filters.ModelChoiceFilter):
    """One row of another model, among those that the reader may see in the chosen legal entity."""

    def __init__(self, *args, model, entity="entity", **kwargs):
        def rows(request):
            if request is None:
                return model.objects.none()
            return model.objects.visible_to(request.user).filter(**{entity: request.entity})

        kwargs.setdefault("empty_label", "Any")
        super().__init__(*args, queryset=rows, **kwargs)
