"""The accepted ISO 4217 codes: currencies that were legal tender in the years that books are kept for."""

from babel.core import get_global

from invoicing_site.floor.reasons import Reason

_SINCE = (2015, 1, 1)
# Units of account that contracts use.
_OF_ACCOUNT = {"CLF", "UYW"}


def _in_use():
    for rows in get_global("territory_currencies").values():
        for code, _, until, is_tender in rows:
            if is_tender and (until is None or tuple(until) >= _SINCE):
                yield code


IN_USE = frozenset(_in_use()) | _OF_ACCOUNT


def is_in_use(code: str) -> bool:
    """Whether the currency is accepted: not XXX (no currency), XAU (gold) or DEM (until 2001)."""
    return code in IN_USE


def problem(code: str) -> Reason | None:
    """The reason why the code is not accepted as a currency; None if it is."""
    return None if is_in_use(code) else Reason("NOT-A-CURRENCY", code=code)
