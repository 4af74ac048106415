"""Shared widgets, form fields and filters."""

import django_filters
from django import forms
from django.utils.text import capfirst

from invoicing_site.floor import days, seen, wording
from invoicing_site.floor.characters import refuse_invisible
from invoicing_site.floor.searching import containing
from invoicing_site.screens.lists import key_of


class DayInput(forms.DateInput):
    """The browser's date picker; the value is always in ISO format."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


class DayField(forms.DateField):
    """A date within the range of business dates (APP-10)."""

    widget = DayInput
    latest = days.LAST

    def validate(self, value):
        super().validate(value)
        if value and (reason := days.why_not(value, latest=self.latest)):
            raise forms.ValidationError(reason.sentence)

    def widget_attrs(self, widget):
        return {"min": days.FIRST.isoformat(), "max": self.latest.isoformat()}

    def of_work(self, today):
        """Use the range of dates of work instead."""
        self.latest = days.latest_of_work(today)
        self.widget.attrs |= self.widget_attrs(self.widget)


class TextField(forms.CharField):
    """A text without invisible characters."""

    default_validators = [refuse_invisible]


class RowField(forms.ModelChoiceField):
    """One row; the empty choice is a text such as “Choose a project” or “No role”."""

    def __init__(self, queryset, **kwargs):
        name = str(queryset.model._meta.verbose_name)
        kwargs.setdefault(
            "empty_label", f"Choose {wording.a(name)}" if kwargs.get("required", True) else f"No {name}"
        )
        super().__init__(queryset, **kwargs)


class RowsField(forms.ModelMultipleChoiceField):
    """Several rows; an invalid key is an error like any other invalid choice."""

    def clean(self, value):
        for key in value or ():
            if key_of(str(key)) is None:
                raise forms.ValidationError(
                    self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": key}
                )
        return super().clean(value)


class _Seen(forms.CharField):
    widget = forms.HiddenInput

    def has_changed(self, initial, data):
        return False


class Watched:
    """A form that detects changes by others: it sends the stamp of the shown values in `seen`.

    If the values have changed, nothing is saved and the form shows the change; the input stays, and
    submitting again overwrites the new values. The operation gets `stamp` and compares it again under its
    lock.
    """

    def watch(self, stamp):
        """Remember the present values of the rows; called at the end of __init__."""
        self.stamp = stamp
        self._watch(stamp)

    def _watch(self, now):
        self._now = now
        self.fields["seen"] = _Seen(required=False, initial=self._now)

    def clean(self):
        data = super().clean()
        data = self.cleaned_data if data is None else data
        self._seen = data.pop("seen", "")
        if self._seen and self._seen != self._now:
            self.data = self.data.copy()
            self.data[self.add_prefix("seen")] = self._now
            self.add_error(None, self.changed_meanwhile())
        return data

    def changed_meanwhile(self):
        now = [f"{self[name].label.lower()} “{self[name].initial}”"[:100] for name in self.changed_data]
        reads = f" The new value is: {', '.join(now)}." if now else ""
        return (
            f"Somebody changed this while you were typing.{reads} Press the button again to save your input."
        )


class WatchedRows(Watched):
    """A form for several rows: each row has its own stamp, so that changed rows can be named."""

    def watch_each(self, rows, *columns):
        """Remember the present values of each row; called at the end of __init__."""
        self.stamp = seen.stamp(rows, *columns)
        self._watch(" ".join(f"{row.pk}-{seen.stamp([row], *columns)[:10]}" for row in rows))

    def changed_keys(self):
        """The keys of the rows that changed or were added since the form was shown."""
        seen = set(self._seen.split())
        return [int(each.partition("-")[0]) for each in self._now.split() if each not in seen]


class DayFilter(django_filters.DateFilter):
    field_class = DayField


class ChoicesFilter(django_filters.MultipleChoiceFilter):
    """A filter with a check box for each choice, of a field of which a row has one value."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        kwargs["choices"] = [(value, capfirst(str(label))) for value, label in kwargs.get("choices", ())]
        super().__init__(*args, **kwargs)

    def filter(self, rows, value):
        # Without the DISTINCT of the original: it would sort all rows before the first is shown.
        return rows.filter(**{f"{self.field_name}__in": value}) if value else rows


class SearchFilter(django_filters.CharFilter):
    """A text search: each word must be in one of the fields, in any order."""

    def __init__(self, *fields, placeholder="", **kwargs):
        kwargs.setdefault("label", "Search")
        kwargs["widget"] = forms.TextInput(attrs={"type": "search", "placeholder": placeholder})
        super().__init__(max_length=500, **kwargs)
        self.fields = fields

    def filter(self, rows, value):
        return containing(rows, self.fields, value) if value else rows
