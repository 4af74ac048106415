"""Input of numbers, the same in every form and in the administration."""

import re
from decimal import Decimal

from django import forms

from invoicing_site.floor import formatting

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)


class FigureField(forms.DecimalField):
    """A decimal in digits: with a decimal comma or point, and spaces between the thousands.

    Exponents are refused, because 1e3 is more often a typing error than a thousand. `column` is a column of a
    model, or its class, and defines the size.
    """

    default_error_messages = {"invalid": "Enter a number in digits, such as 1234.50."}

    def __init__(self, *, column=None, **kwargs):
        if column is not None:
            kwargs |= {"max_digits": column.digits, "decimal_places": column.places}
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**kwargs)

    def to_python(self, value):
        if isinstance(value, str):
            value = "".join(value.split()).replace("\u2212", "-")
            if value.count(",") == 1 and "." not in value:
                value = value.replace(",", ".")
            if value and not _PLAIN.fullmatch(value):
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)

    def prepare_value(self, value):
        """The number without trailing zeros."""
        if not isinstance(value, Decimal) or not value.is_finite():
            return value
        return formatting.typed(value)
