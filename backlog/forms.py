"""What people type in the project manager's room; the operations judge it."""

from django import forms

from actuals.models import BillingType
from actuals.operations import stamp
from invoicing_site.floor.fields import AmountField, PercentField, QuantityField
from invoicing_site.floor.figures import FigureField
from invoicing_site.screens.forms import DayField, TextField, Watched


class DecisionForm(Watched, forms.Form):
    """What the approver may change about one entry."""

    billable_quantity = FigureField(
        column=QuantityField,
        required=False,
        min_value=0,
        label="Billable quantity",
        help_text="Empty: all of it. Below what was entered, the rest is non-chargeable.",
    )
    billing_type = forms.ChoiceField(
        required=False,
        label="Billing type",
        choices=[("", "As the contract line says"), *((v, w.capitalize()) for v, w in BillingType.choices)],
    )

    def __init__(self, *args, entry, **kwargs):
        super().__init__(*args, **kwargs)
        self.watch(stamp(entry))

    def changed_meanwhile(self):
        return "The entry was changed after you opened it. Look at it as it is now; then approve it, or not."


class RejectionForm(forms.Form):
    comment = TextField(
        label="What has to be mended",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whoever entered it reads this.",
    )


class HoldForm(forms.Form):
    until = DayField(label="Hold until", help_text="From that day on it can be billed again.")
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
    """The next invoice of a milestone: a percentage or an amount, each works out the other."""

    percent = FigureField(
        column=PercentField, required=False, label="Next invoice, %", help_text="Of the whole milestone."
    )
    amount = FigureField(column=AmountField, required=False, label="Next invoice, amount")

    def clean(self):
        data = super().clean()
        if not self.errors and (data.get("percent") is None) == (data.get("amount") is None):
            raise forms.ValidationError("Enter a percentage or an amount, one of them.")
        return data


class AgeingForm(forms.Form):
    on = DayField(label="As of")
