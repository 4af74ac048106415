"""Forms for the dates of reports."""

from django import forms

from invoicing_site.screens.forms import DayField, TextField


class PeriodForm(forms.Form):
    """The first and the last day of a report, both included."""

    since = DayField(label="From")
    until = DayField(label="To")

    def clean(self):
        data = super().clean()
        if not self.errors and data["since"] > data["until"]:
            self.add_error("until", "Choose a date on or after the first date.")
        return data


class ReceivablesForm(forms.Form):
    """The date, and the customers."""

    on = DayField(label="As of")
    q = TextField(label="Customer", required=False, max_length=100)
    age = forms.ChoiceField(label="Age", required=False)

    def __init__(self, *args, ages, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["q"].widget.attrs["placeholder"] = "Number or name"
        self.fields["age"].choices = [("", "Any"), ("overdue", "Overdue"), *ages.items()]
