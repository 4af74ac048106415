"""Invisible characters: they can disguise a text, so no stored text may contain them.

These are control characters, characters that change the reading direction (such as U+202E), zero-width and
other invisible characters. Line breaks and tabs are allowed.
"""

import re
import unicodedata

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing_site.floor.reasons import Reason

# Invisible, although Unicode classifies them as letters and marks.
_DRAWN_AS_NOTHING = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_FORMAT = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff"
)
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff"
_INVISIBLE = re.compile(f"[{_CONTROL}{_FORMAT}{_DRAWN_AS_NOTHING}]")
_NAMED = 3


def problem(text: str) -> Reason | None:
    """The invisible characters of a text, by name; None if it has none."""
    found = list(dict.fromkeys(_INVISIBLE.findall(text)))
    if not found:
        return None
    names = [name(each) for each in found[:_NAMED]] + ([_("others")] if len(found) > _NAMED else [])
    return Reason("INVISIBLE-CHARACTERS", names=names)


def name(character: str) -> str:
    """The Unicode name of a character, such as RIGHT-TO-LEFT OVERRIDE (U+202E)."""
    code = f"U+{ord(character):04X}"
    return f"{unicodedata.name(character, 'a control character')} ({code})"


def refuse_invisible(text):
    """The validator of every column and form field of text."""
    if isinstance(text, str) and (reason := problem(text)):
        raise ValidationError(reason.sentence, code="invisible")


def watch_columns():
    """Add the validator to every text column of our models; the admin's forms use it.

    It is added to the instance and not to the declared validators, so that migrations do not include it.
    """
    for model in apps.get_models():
        if model.__module__.partition(".")[0] in _OURS:
            for field in model._meta.local_fields:
                if isinstance(field, models.CharField | models.TextField):
                    field.validators = [*field.validators, refuse_invisible]


_OURS = {"invoicing_site", "contracts", "actuals", "backlog", "proforma", "ledger"}
