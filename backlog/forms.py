"""Forms for project managers; the operations check the rules."""

from django import forms

from actuals.models import BillingType
from actuals.operations import stamp
from invoicing_site.floor.fields import AmountField, PercentField, QuantityField
from invoicing_site.floor.figures import FigureField
from invoicing_site.screens.forms import DayField, TextField, Watched


class DecisionForm(Watched, forms.Form):
    """The fields of an entry that the approver can change."""

    billable_quantity = FigureField(
        column=QuantityField,
        required=False,
        min_value=0,
        label="Billable quantity",
        help_text="If empty: the whole quantity. If less, the rest is non-chargeable.",
    )
    billing_type = forms.ChoiceField(
        required=False,
        label="Billing type",
        choices=[
            ("", "According to the contract line"),
            *((v, w.capitalize()) for v, w in BillingType.choices),
        ],
    )

    def __init__(self, *args, entry, **kwargs):
        super().__init__(*args, **kwargs)
        self.watch(stamp(entry))

    def changed_meanwhile(self):
        return "The entry was changed after you opened it. Check the new values before you approve it."


class RejectionForm(forms.Form):
    comment = TextField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The person who entered it can read this.",
    )


class HoldForm(forms.Form):
    until = DayField(label="Hold until", help_text="It can be billed again from this date.")
    reason = TextField(max_length=300, label="Reason")

    def __init__(self, *args, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_until(self):
        until = self.cleaned_data["until"]
        if until <= self.today:
            raise forms.ValidationError("Choose a day after today.")
        return until


class ProgressForm(forms.Form):
    """The next invoice of a milestone: a percentage or an amount; one is calculated from the other."""

    percent = FigureField(
        column=PercentField, required=False, label="Next invoice, %", help_text="Of the whole milestone."
    )
    amount = FigureField(column=AmountField, required=False, label="Next invoice, amount")

    def clean(self):
        data = super().clean()
        if not self.errors and (data.get("percent") is None) == (data.get("amount") is None):
            raise forms.ValidationError("Enter either a percentage or an amount.")
        return data


class AgingForm(forms.Form):
    on = DayField(label="As of")
