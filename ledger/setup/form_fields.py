"""Fields of bulk edits: an empty field changes nothing (JRN-2, PRP-2)."""

from django import forms

from ledger.models import DimensionValue
from ledger.setup.dimensions import dimension_set

_CLEAR = "none"
CHANGED_LINES = (
    "Somebody changed some of these lines after you selected them. Check their current values, then "
    "press the button again to save your changes."
)


class Stays:
    """The value of a field if nothing was selected."""

    def __bool__(self):
        return False


STAYS = Stays()


class ChangeField(forms.ChoiceField):
    """One of the rows, none, or no change; cleans to the row, None or STAYS."""

    def __init__(self, rows, *, none="None", **kwargs):
        self.rows = {str(row.pk): row for row in rows}
        choices = [("", "Leave as it is"), (_CLEAR, none)]
        choices += [(key, str(row)) for key, row in self.rows.items()]
        super().__init__(choices=choices, required=False, **kwargs)

    def clean(self, value):
        value = super().clean(value)
        if not value:
            return STAYS
        return None if value == _CLEAR else self.rows[value]


class DimensionFields:
    """A field for each dimension of a legal entity; together they select one set."""

    def add_dimensions(self, entity, chosen=None):
        """Add the fields, with the values of the set `chosen` in them."""
        values = DimensionValue.objects.filter(dimension__entity=entity).select_related("dimension")
        by_dimension = {}
        for value in values.order_by("dimension__code", "code"):
            by_dimension.setdefault(value.dimension, []).append(value)
        now = {row.dimension_id: row.value_id for row in chosen.values.all()} if chosen else {}
        self.dimension_names = []
        for dimension, rows in by_dimension.items():
            name = f"dimension_{dimension.pk}"
            self.dimension_names.append(name)
            self.fields[name] = forms.ModelChoiceField(
                DimensionValue.objects.filter(dimension=dimension).order_by("code"),
                label=dimension.name,
                required=False,
                empty_label="None",
                initial=now.get(dimension.pk),
            )
            self.fields[name].choices = [("", "None"), *((row.pk, str(row)) for row in rows)]

    def chosen_values(self):
        return [value for name in self.dimension_names if (value := self.cleaned_data[name])]


def set_of(entity, values):
    """The dimension set of these values, created if it is missing; None for no values."""
    return dimension_set(entity, values) if values else None
