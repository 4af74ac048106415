"""Keeps what django-tables2 learns about the functions of columns.

It inspects the signature of a column's function for each cell, which takes half of the time of a file.
"""

from functools import cache
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import FunctionType

from django_tables2 import utils

_inspected = utils.signature


def keep() -> None:
    """Let django-tables2 ask here. Nothing but the code of functions is kept, so no table stays in memory."""
    utils.signature = _signature


def _signature(function):
    """The names of the arguments without `self`, and that of the argument for all others, if any."""
    plain = getattr(function, "__func__", function)
    if not isinstance(plain, FunctionType) or hasattr(plain, "__wrapped__"):
        return _inspected(function)
    return _of_code(plain.__code__, plain is not function)


@cache
def _of_code(code, is_bound):
    count = code.co_argcount + code.co_kwonlyargcount
    place = count + bool(code.co_flags & CO_VARARGS)
    others = code.co_varnames[place] if code.co_flags & CO_VARKEYWORDS else None
    return code.co_varnames[is_bound:count], others
