"""Widgets and filters that look and read the same in every form."""

import django_filters
from django import forms
from django.db.models import Q
from django.utils.text import capfirst

from invoicing_site.floor import days, seen, wording
from invoicing_site.floor.characters import refuse_invisible
from invoicing_site.screens.lists import key_of


class DayInput(forms.DateInput):
    """The browser's own date picker; always in ISO, whatever the language."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


class DayField(forms.DateField):
    """A day within the bounds of all business dates (APP-10)."""

    widget = DayInput
    latest = days.LAST

    def validate(self, value):
        super().validate(value)
        if value and (reason := days.why_not(value, latest=self.latest)):
            raise forms.ValidationError(reason.sentence)

    def widget_attrs(self, widget):
        return {"min": days.FIRST.isoformat(), "max": self.latest.isoformat()}

    def of_work(self, today):
        """From here on the day of some work, which has a range of its own."""
        self.latest = days.latest_of_work(today)
        self.widget.attrs |= self.widget_attrs(self.widget)


class TextField(forms.CharField):
    """A text that is kept: nothing invisible may hide in it."""

    default_validators = [refuse_invisible]


class RowField(forms.ModelChoiceField):
    """One row; where none is chosen yet, words say so, and not dashes: “Choose a project”, “No role”."""

    def __init__(self, queryset, **kwargs):
        name = str(queryset.model._meta.verbose_name)
        kwargs.setdefault(
            "empty_label", f"Choose {wording.a(name)}" if kwargs.get("required", True) else f"No {name}"
        )
        super().__init__(queryset, **kwargs)


class RowsField(forms.ModelMultipleChoiceField):
    """Several rows; a key that no database can look for is a wrong choice like any other."""

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
    """A form about rows that others may change meanwhile: the stamp of what it shows travels along in `seen`.

    When they say something else by then, nothing is done and the form says so; what was typed stays, and
    sending it again puts it in the place of what the others wrote. The operation gets `stamp`, and compares
    it once more under its lock.
    """

    def watch(self, stamp):
        """Remember what the rows say now; called at the end of __init__."""
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
        reads = f" Now it reads: {', '.join(now)}." if now else ""
        return f"Somebody changed this while you were typing.{reads} Press the button again to save yours."


class WatchedRows(Watched):
    """A form about several rows at once: each is watched, so that those can be named that changed."""

    def watch_each(self, rows, *columns):
        """Remember what each row says now; called at the end of __init__."""
        self.stamp = seen.stamp(rows, *columns)
        self._watch(" ".join(f"{row.pk}-{seen.stamp([row], *columns)[:10]}" for row in rows))

    def changed_keys(self):
        """The keys of the rows that say something else than when the form was shown, or came since."""
        seen = set(self._seen.split())
        return [int(each.partition("-")[0]) for each in self._now.split() if each not in seen]


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
        super().__init__(max_length=500, **kwargs)
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
