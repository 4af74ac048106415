"""Which billing tax group applies, and which work is outside the scope of tax.

Here groups have only names; the ledger defines their tax codes and rates. Contracts and proformas need to
know whether work is outside the scope of tax (category O), but may not import the ledger. So the ledger
registers a function when it is loaded (`answered_by`).
"""

from collections.abc import Callable

from contracts.models.entity import LegalEntity

Pairs = frozenset[tuple[int, int]]

_Source = LegalEntity.TaxGroupSource
_answers: list[Callable[[int], Pairs]] = []


def billing_group(
    source: str, *, project: int | None, contract: int | None, customer: int | None
) -> int | None:
    """The billing tax group of project, contract or customer, as the entity's parameter says (JRN-3)."""
    groups = {_Source.PROJECT: project, _Source.CONTRACT: contract, _Source.CUSTOMER: customer}
    if source == _Source.SEARCH:
        return next((group for group in groups.values() if group is not None), None)
    return groups[_Source(source)]


def billing_giver(source: str) -> str:
    """The name of the record on which the group must be set."""
    return {
        _Source.PROJECT: "the project",
        _Source.CONTRACT: "the contract",
        _Source.CUSTOMER: "the customer",
        _Source.SEARCH: "the project, the contract or the customer",
    }[_Source(source)]


def answered_by(answer: Callable[[int], Pairs]) -> None:
    """Register the function that `outside_scope` calls; the ledger does this once when it is loaded."""
    _answers[:] = [answer]


def outside_scope(entity: int) -> Pairs:
    """The pairs of a billing and an item tax group of the entity that are outside the scope of tax."""
    return _answers[0](entity)
