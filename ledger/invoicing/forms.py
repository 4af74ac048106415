"""Forms of invoice proposals (PRP-2 to PRP-4)."""

from django import forms
from django.utils.text import capfirst

from contracts.models import BillingTaxGroup, ItemTaxGroup
from invoicing_site.floor.seen import stamp
from invoicing_site.screens.forms import DayField, TextField, Watched
from ledger.invoicing.operations.proposals import HEADER, TAX_GROUPS
from ledger.models import InvoiceProposal
from ledger.models.proposals import SectionMode, SummaryBy
from ledger.setup.form_fields import CHANGED_LINES, STAYS, ChangeField, DimensionFields, set_of

_TITLE = 200


class HeaderForm(Watched, DimensionFields, forms.ModelForm):
    """Dates, delivery, texts and dimensions of the header."""

    class Meta:
        model = InvoiceProposal
        fields = [
            "invoice_date",
            "due_date",
            "accounting_date",
            "delivery",
            "place_of_delivery",
            "header_text",
            "footer_text",
            "with_annex",
        ]
        field_classes = dict.fromkeys(["invoice_date", "due_date", "accounting_date"], DayField)
        labels = {"with_annex": "Annex of time entries"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("header_text", "footer_text"):
            self.fields[name].widget.attrs["rows"] = 3
        delivery = self.fields["delivery"]
        delivery.choices = [(value, capfirst(str(label))) for value, label in delivery.choices]
        self.before = {name: getattr(self.instance, name) for name in self.fields}
        self.add_dimensions(self.instance.entity, self.instance.dimensions)
        self.watch(stamp([self.instance], *HEADER))

    def changes(self):
        """The arguments for the operation: the changed values.

        A new invoice date recalculates the due date unless another due date was entered.
        """
        cleaned = self.cleaned_data
        changes = {name: cleaned[name] for name, was in self.before.items() if cleaned[name] != was}
        dimensions = set_of(self.instance.entity, self.chosen_values())
        if dimensions != self.instance.dimensions:
            changes["dimensions"] = dimensions
        return changes

    def _post_clean(self):
        """Do not change the row; the operation does."""


class ProposalLinesForm(Watched, forms.Form):
    """Tax groups for several lines of one proposal; an empty field changes nothing."""

    def __init__(self, *args, entity, lines, **kwargs):
        super().__init__(*args, **kwargs)
        for name, model, label in (
            ("billing_tax_group", BillingTaxGroup, "Billing tax group"),
            ("item_tax_group", ItemTaxGroup, "Item tax group"),
        ):
            groups = model.objects.filter(entity=entity).order_by("code")
            self.fields[name] = ChangeField(groups, label=label, none=f"No {label.lower()}")
        self.watch(stamp(lines.only("pk", *TAX_GROUPS), *TAX_GROUPS))

    def changed_meanwhile(self):
        return CHANGED_LINES

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not self.changes():
            raise forms.ValidationError("Choose a tax group to change.")
        return cleaned

    def changes(self):
        return {name: value for name, value in self.cleaned_data.items() if value is not STAYS}


class MoveLinesForm(Watched, forms.Form):
    """The section for the selected lines: an existing one, or a new one at the end."""

    NEW = "new"

    section = forms.ChoiceField(label="To section")
    title = TextField(
        label="Title of the new section",
        max_length=_TITLE,
        required=False,
        help_text="Only for a new section",
    )

    def __init__(self, *args, sections, stamp, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [(str(row.pk), f"{row.number}. {row.title or 'Without title'}") for row in sections]
        self.fields["section"].choices = [*choices, (self.NEW, "A new section")]
        self.watch(stamp)

    def changed_meanwhile(self):
        return "Somebody changed these sections meanwhile. Press the button again to move the lines."


class SectionForm(forms.Form):
    """One section: its number, its title, and whether it is printed line by line or summed up."""

    number = forms.IntegerField(label="Place", min_value=1, max_value=32767)
    title = TextField(label="Title", max_length=_TITLE, required=False)
    mode = forms.ChoiceField(
        label="Printed as",
        choices=[("", "Line by line"), *((each.value, f"Summed up by {each.label}") for each in SummaryBy)],
        required=False,
    )

    def layout(self):
        """The layout for `format_sections`."""
        by = self.cleaned_data["mode"]
        return {
            "title": self.cleaned_data["title"],
            "mode": SectionMode.SUMMARY if by else SectionMode.DETAIL,
            "summary_by": by,
        }


class LayoutForm(forms.Form):
    """The scope of a default layout."""

    SCOPES = (
        ("contract", "This contract"),
        ("customer", "This customer"),
        ("company", "The whole legal entity"),
    )

    scope = forms.ChoiceField(
        label="Default for",
        choices=SCOPES,
        help_text=(
            "The layout of a contract takes precedence over that of a customer, and that over the layout "
            "of the legal entity"
        ),
    )


SectionFormSet = forms.formset_factory(SectionForm, extra=0)


class CommentForm(forms.Form):
    """An optional comment for the other person."""

    comment = TextField(
        label="Comment", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class ReasonForm(CommentForm):
    """A required comment for the other person."""

    comment = TextField(label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
