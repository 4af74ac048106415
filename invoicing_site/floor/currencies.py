"""Which ISO 4217 codes are money: what was legal tender somewhere in the years that books are kept for."""

from babel.core import get_global

_SINCE = (2015, 1, 1)
# Units of account that contracts are made out in.
_OF_ACCOUNT = {"CLF", "UYW"}


def _in_use():
    for rows in get_global("territory_currencies").values():
        for code, _, until, is_tender in rows:
            if is_tender and (until is None or tuple(until) >= _SINCE):
                yield code


IN_USE = frozenset(_in_use()) | _OF_ACCOUNT


def is_in_use(code: str) -> bool:
    """Whether amounts may be in it: EUR may; XXX (no currency), XAU (gold) and DEM (until 2001) may not."""
    return code in IN_USE


def trouble(code: str) -> str:
    """Why the code is no currency of an amount; empty where it is one."""
    return "" if is_in_use(code) else f"“{code}” is not a currency in use, such as EUR."
