"""The reason for a refusal, a blocker or a finding: a code and its values, rendered when it is shown.

Each room has one table in `<room>/refusals.py`: `REFUSALS` maps a code to its sentence, a template marked for
gettext. A reason keeps the code and the values, so that it can be stored. It becomes a sentence when it is
shown, in the reader's language.
"""

import contextlib
import datetime
import functools
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.utils.functional import Promise
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext, override

from invoicing_site.floor import formatting, wording

ENGLISH = "en"


@dataclass(frozen=True)
class Amount:
    """An amount with its currency, as a value of a reason."""

    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Label:
    """A text of the product itself, such as a status: stored in English, translated when shown."""

    english: str


class Reason:
    """A code and the values of its template; equal if both are equal. Treat it as immutable.

    Values are texts, whole numbers (counts, written with commas: pass identifiers as text), decimals, days,
    amounts, other reasons, and lists of these. Choices and lazy texts become labels; rows of the database
    are kept as their text. `remedy` is the URL name or the path of the page where it can be fixed.
    """

    __slots__ = ("code", "params", "remedy")

    def __init__(self, code: str, /, *, remedy: str = "", **params):
        """TypeError for an unknown code, or if the values are not those of the template."""
        if code not in templates():
            raise TypeError(f"No table has a template for the code {code!r}.")
        if set(params) != placeholders(code):
            raise TypeError(f"{code} needs {sorted(placeholders(code))} and has {sorted(params)}.")
        self.code, self.remedy = code, remedy
        self.params = {name: _kept(value) for name, value in params.items()}

    @classmethod
    def from_json(cls, stored: dict) -> "Reason":
        """The reason from `as_json`, even if its code or values have changed since."""
        params = {name: _from_json(value) for name, value in stored["params"].items()}
        return cls._stored(stored["code"], params, stored["remedy"])

    @classmethod
    def _stored(cls, code, params, remedy):
        reason = cls.__new__(cls)
        reason.code, reason.params, reason.remedy = code, params, remedy
        return reason

    def as_json(self) -> dict:
        """The reason as JSON; decimals, days and amounts keep their type."""
        params = {name: _as_json(value) for name, value in self.params.items()}
        return {"code": self.code, "params": params, "remedy": self.remedy}

    @property
    def sentence(self) -> str:
        """The sentence in the reader's language."""
        if template := templates().get(self.code):
            # If a stored count is no longer a whole number, translations can't choose a plural form.
            with contextlib.suppress(TypeError):
                return wording.capital(template % _Shown(self.params))
        values = ", ".join(f"{name} {shown(value)}" for name, value in self.params.items())
        return f"{self.code}: {values}" if values else self.code

    @property
    def english(self) -> str:
        """The sentence in English, for books, logs and hashes."""
        with override(ENGLISH):
            return self.sentence

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"<Reason {self.code} {self.params}>"

    def __eq__(self, other) -> bool:
        if not isinstance(other, Reason):
            return NotImplemented
        return (self.code, self.params, self.remedy) == (other.code, other.params, other.remedy)

    def __hash__(self) -> int:
        # The database changes the order of the values. Lists have no hash.
        simple = {
            (name, value) for name, value in self.params.items() if isinstance(value, str | int | Decimal)
        }
        return hash((self.code, self.remedy, frozenset(simple)))


class ReasonField(models.JSONField):
    """A reason, or None; filter by `<field>__code`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs, null=True, blank=True, editable=False)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("null", "blank", "editable"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def from_db_value(self, value, expression, connection):
        value = super().from_db_value(value, expression, connection)
        return value if isinstance(expression, KeyTransform) else self.to_python(value)

    def to_python(self, value):
        return Reason.from_json(value) if isinstance(value, dict) else value

    def get_prep_value(self, value):
        return super().get_prep_value(value.as_json() if isinstance(value, Reason) else value)

    def value_from_object(self, obj):
        value = super().value_from_object(obj)
        return value.as_json() if isinstance(value, Reason) else value


# Templates


@functools.cache
def templates() -> dict:
    """The templates of all rooms by code; ImproperlyConfigured if a code is in two tables."""
    found: dict = {}
    for config in apps.get_app_configs():
        if not module_has_submodule(config.module, "refusals"):
            continue
        table = import_module(f"{config.name}.refusals").REFUSALS
        if twice := found.keys() & table.keys():
            raise ImproperlyConfigured(
                f"{', '.join(sorted(twice))}: in {config.name}, and in a table before."
            )
        found |= table
    return found


@functools.cache
def placeholders(code: str) -> frozenset:
    """The names of the values that the template of that code has, in any of its plural forms."""
    named = _Named()
    with override(ENGLISH):
        for named.count in (1, 2):
            templates()[code] % named
    return frozenset(named.names)


class _Named(dict):
    """Records the names of a template, and returns a number for each."""

    count = 1

    def __init__(self):
        self.names = set()

    def __missing__(self, name):
        self.names.add(name)
        return self.count


class _Shown(dict):
    """Values as text; a missing value of a stored reason is a question mark."""

    def __missing__(self, name):
        return "?"

    def __getitem__(self, name):
        value = super().__getitem__(name)
        return _Count(value) if type(value) is int else shown(value)


class _Count(int):
    """A whole number that chooses the plural form and is written with commas."""

    def __str__(self):
        return shown(int(self))


# Values


def shown(value) -> str:
    """A value of a reason as text: 1,200, 7.5, 20 Nov 2026, 1,200.00 NOK, one, two and three."""
    match value:
        case Amount():
            return formatting.currency_last(value.amount, value.currency)
        case Label():
            return gettext(value.english)
        case Reason():
            return value.sentence
        case list():
            return _listed(value)
        case Decimal():
            return formatting.number(value)
        case int():
            return formatting.count(value)
        case datetime.date():
            return formatting.day(value)
        case _:
            return str(value)


def _listed(values) -> str:
    if any(isinstance(value, Reason) for value in values):
        return " ".join(map(shown, values))
    *most, last = map(shown, values) if values else [""]
    # Translators: the end of a list, such as “A, B and C”.
    return gettext("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last


def _kept(value):
    """The value as a reason stores it; TypeError for other types."""
    match value:
        case models.Choices():
            return _kept(value.label)
        case Promise():
            with override(ENGLISH):
                return Label(str(value))
        case bool() | datetime.datetime():
            pass
        case str():
            return str(value)
        case int() | Decimal() | datetime.date() | Amount() | Label() | Reason():
            return value
        case list() | tuple():
            return [_kept(each) for each in value]
        case models.Model():
            return str(value)
    raise TypeError(f"A reason can't keep {value!r}.")


def _as_json(value):
    match value:
        case Amount():
            return {"amount": str(value.amount), "currency": value.currency}
        case Label():
            return {"label": value.english}
        case Reason():
            return {"reason": value.as_json()}
        case Decimal():
            return {"decimal": str(value)}
        case datetime.date():
            return {"day": value.isoformat()}
        case list():
            return [_as_json(each) for each in value]
    return value


def _from_json(value):
    match value:
        case {"amount": amount, "currency": currency}:
            return Amount(Decimal(amount), currency)
        case {"label": english}:
            return Label(english)
        case {"reason": stored}:
            return Reason.from_json(stored)
        case {"decimal": number}:
            return Decimal(number)
        case {"day": day}:
            return datetime.date.fromisoformat(day)
        case list():
            return [_from_json(each) for each in value]
    return value
