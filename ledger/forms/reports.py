"""From when to when a report tells."""

import datetime

from django import forms

from invoicing_site.screens.forms import DayField, TextField

_FIRST, _LAST = datetime.date(1990, 1, 1), datetime.date(2099, 12, 31)


class PeriodForm(forms.Form):
    """The first and the last day of a report, both included."""

    since = DayField(label="From")
    until = DayField(label="To")

    def clean(self):
        data = super().clean()
        for name in ("since", "until"):
            if data.get(name) and not _FIRST <= data[name] <= _LAST:
                self.add_error(name, f"Choose a day between {_FIRST.year} and {_LAST.year}.")
        if not self.errors and data["since"] > data["until"]:
            self.add_error("until", "Choose a day on or after the first one.")
        return data


class ReceivablesForm(forms.Form):
    """As of which day, and of whom."""

    on = DayField(label="As of")
    q = TextField(label="Customer", required=False, max_length=100)
    age = forms.ChoiceField(label="Age", required=False)

    def __init__(self, *args, ages, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["q"].widget.attrs["placeholder"] = "Number or name"
        self.fields["age"].choices = [("", "Any"), ("overdue", "Overdue"), *ages.items()]

    def clean_on(self):
        on = self.cleaned_data["on"]
        if not _FIRST <= on <= _LAST:
            raise forms.ValidationError(f"Choose a day between {_FIRST.year} and {_LAST.year}.")
        return on
