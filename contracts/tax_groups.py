"""Which billing tax group counts, and which work is outside the scope of tax.

Groups have names here and a meaning in the ledger (their codes and rates). What has to be known on the way
there, whether work is outside the scope of tax (category O), the ledger answers: it stands to the right, and
says how when it is loaded (`answered_by`).
"""

from collections.abc import Callable

from contracts.models.entity import LegalEntity

Pairs = frozenset[tuple[int, int]]

_Source = LegalEntity.TaxGroupSource
_answers: list[Callable[[int], Pairs]] = []


def billing_group(
    source: str, *, project: int | None, contract: int | None, customer: int | None
) -> int | None:
    """Who is taxed: the group of project, contract or customer, as the entity's parameter says (JRN-3)."""
    groups = {_Source.PROJECT: project, _Source.CONTRACT: contract, _Source.CUSTOMER: customer}
    if source == _Source.SEARCH:
        return next((group for group in groups.values() if group is not None), None)
    return groups[_Source(source)]


def billing_giver(source: str) -> str:
    """Where the group is given so that work gets it, as people call it."""
    return {
        _Source.PROJECT: "the project",
        _Source.CONTRACT: "the contract",
        _Source.CUSTOMER: "the customer",
        _Source.SEARCH: "the project, the contract or the customer",
    }[_Source(source)]


def answered_by(answer: Callable[[int], Pairs]) -> None:
    """Say how `outside_scope` is answered; once, when the ledger is loaded."""
    _answers[:] = [answer]


def outside_scope(entity: int) -> Pairs:
    """The pairs of a billing and an item tax group of the entity that are outside the scope of tax."""
    return _answers[0](entity)
