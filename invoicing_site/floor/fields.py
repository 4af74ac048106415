"""Columns for money, quantities, prices, percentages, rates and currencies, with their sizes."""

import re
from decimal import Decimal

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.validators import RegexValidator
from django.db import models

from invoicing_site.floor import checked, currencies
from invoicing_site.floor.figures import FigureField

_CURRENCY = re.compile(r"\A[A-Z]{3}\Z")


class ExactDecimalField(models.DecimalField):
    """A decimal column of a fixed size that never rounds.

    A float raises TypeError. More decimals than the column has raise ValueError on saving, because the
    databases would round them in different ways, and only `money.py` may round.
    """

    digits = 0
    places = 0

    def __init__(self, *args, **kwargs):
        kwargs["max_digits"], kwargs["decimal_places"] = self.digits, self.places
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def to_python(self, value):
        if isinstance(value, float):
            raise TypeError(f"{self} takes Decimal, not float.")
        return super().to_python(value)

    def formfield(self, **kwargs):
        return super().formfield(**{"form_class": FigureField, **kwargs})

    def get_db_prep_save(self, value, connection):
        if isinstance(value, str):
            value = self.to_python(value)
        if isinstance(value, Decimal):
            value = self.unrounded(value)
        return super().get_db_prep_save(value, connection)

    def unrounded(self, value: Decimal) -> Decimal:
        """Return the value, or raise ValueError if the column would have to round it or can't hold it.

        SQLite would store a value that is too large, and could never read it again.
        """
        _, digits, exponent = value.as_tuple()
        if isinstance(exponent, str):
            raise ValueError(f"{self} does not keep {value}.")
        # Trailing zeros do not count as decimals. Decimal.normalize() would round beyond 28 digits.
        if exponent < -self.places and any(digits[self.places + exponent :]):
            raise ValueError(f"{self} keeps {self.places} decimals and {value} has more: round it first.")
        if len(digits) + exponent > self.digits - self.places and any(digits):
            raise ValueError(f"{self} has no room for {value}.")
        return value


class AmountField(ExactDecimalField):
    """An amount in a currency: 15 digits and 4 decimals, the most any currency has.

    `in_currency` is the path to its currency, such as `contract__currency`. Forms of the model then accept
    no more decimals than the currency has (MON-1).
    """

    digits, places = 19, 4

    def __init__(self, *args, in_currency="", **kwargs):
        super().__init__(*args, **kwargs)
        self.in_currency = in_currency

    def validate(self, value, model_instance):
        super().validate(value, model_instance)
        currency = self._currency_of(model_instance)
        if value is not None and currency and (reason := checked.too_fine(value, currency)):
            raise ValidationError(reason.sentence, code="decimals")

    def _currency_of(self, row):
        """The currency's code; empty while the field it depends on is missing, which is a separate error."""
        *path, name = self.in_currency.split("__")
        try:
            for step in path:
                row = row and getattr(row, step)
            currency = (row and name and getattr(row, name)) or ""
        except ObjectDoesNotExist:
            return ""
        return currency if _CURRENCY.match(currency) else ""


class SumField(ExactDecimalField):
    """A sum of amounts or quantities, with more digits than its parts: as wide as an `ExactSum`."""

    digits, places = 30, 4


class PriceField(ExactDecimalField):
    """A unit price: 13 digits and 6 decimals."""

    digits, places = 19, 6


class QuantityField(ExactDecimalField):
    """Hours or a number of units: 11 digits and 4 decimals."""

    digits, places = 15, 4


class PercentField(ExactDecimalField):
    """A percentage, 25 for a quarter: 3 digits and 6 decimals."""

    digits, places = 9, 6


class RateField(ExactDecimalField):
    """An exchange rate, the price of one unit of a currency in another: 9 digits and 9 decimals."""

    digits, places = 18, 9


def _refuse_what_is_no_money(code):
    if _CURRENCY.match(code) and (reason := currencies.problem(code)):
        raise ValidationError(reason.sentence)


class CurrencyField(models.CharField):
    """An ISO 4217 code in upper case."""

    default_validators = [
        *models.CharField.default_validators,
        RegexValidator(_CURRENCY, "Enter a currency as its three letters, such as EUR."),
        _refuse_what_is_no_money,
    ]

    def __init__(self, *args, **kwargs):
        kwargs["max_length"] = 3
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs
