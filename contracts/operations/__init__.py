"""The operations of the agreement: defaults, schedules and milestones, numbers, and notices of roles.

Confirming a contract checks approved work too, so it is an operation of `backlog`.
"""

from contracts.operations.agreement import (
    apply_default_customers,
    apply_default_price_lists,
    check_contract,
    generate_milestones,
    generate_schedule,
    part_milestone,
    part_milestones,
)

__all__ = [
    "apply_default_customers",
    "apply_default_price_lists",
    "check_contract",
    "generate_milestones",
    "generate_schedule",
    "part_milestone",
    "part_milestones",
]
