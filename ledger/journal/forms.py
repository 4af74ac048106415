"""Forms of journal lines (JRN-2)."""

from django import forms

from contracts.models import BillingTaxGroup, ItemTaxGroup
from invoicing_site.floor.seen import stamp
from invoicing_site.screens.forms import DayField, Watched
from ledger.journal.operations.lines import EDITABLE
from ledger.setup.form_fields import CHANGED_LINES, STAYS, ChangeField, DimensionFields, set_of


class JournalLinesForm(Watched, DimensionFields, forms.Form):
    """Changes of several lines of one entity; an empty field changes nothing."""

    def __init__(self, *args, entity, lines, **kwargs):
        super().__init__(*args, **kwargs)
        self.entity = entity
        self.fields["billing_tax_group"] = ChangeField(
            BillingTaxGroup.objects.filter(entity=entity).order_by("code"),
            label="Billing tax group",
            none="No billing tax group",
        )
        self.fields["item_tax_group"] = ChangeField(
            ItemTaxGroup.objects.filter(entity=entity).order_by("code"),
            label="Item tax group",
            none="No item tax group",
        )
        self.fields["accounting_date"] = DayField(
            label="Accounting date",
            required=False,
            help_text="Leave empty to keep the date of each line. The day must be in an open period.",
        )
        self.fields["replace_dimensions"] = forms.BooleanField(
            label="Replace the dimensions with these",
            required=False,
            help_text="Tick this to replace the dimensions of every line. Select none to clear them.",
        )
        self.add_dimensions(entity)
        if not self.dimension_names:
            del self.fields["replace_dimensions"]
        self.watch(stamp(lines.only("pk", *EDITABLE), *EDITABLE))

    def changed_meanwhile(self):
        return CHANGED_LINES

    def clean(self):
        cleaned = super().clean()
        if self.errors:
            return cleaned
        chosen = self.chosen_values()
        if chosen and not cleaned.get("replace_dimensions"):
            self.add_error(
                "replace_dimensions", "Tick this to give the lines the dimensions that you selected below."
            )
        elif not self._is_a_change(cleaned):
            raise forms.ValidationError("Choose a tax group, dimensions or a day to change.")
        return cleaned

    def _is_a_change(self, cleaned):
        groups = cleaned["billing_tax_group"], cleaned["item_tax_group"]
        return (
            any(group is not STAYS for group in groups)
            or cleaned["accounting_date"]
            or cleaned.get("replace_dimensions")
        )

    def changes(self):
        """The arguments for the operation: only the changes."""
        cleaned = self.cleaned_data
        changes = {
            name: cleaned[name]
            for name in ("billing_tax_group", "item_tax_group")
            if cleaned[name] is not STAYS
        }
        if cleaned["accounting_date"]:
            changes["accounting_date"] = cleaned["accounting_date"]
        if cleaned.get("replace_dimensions"):
            changes["dimensions"] = set_of(self.entity, self.chosen_values())
        return changes
