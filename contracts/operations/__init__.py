"""The verbs of the agreement: defaults, schedules and milestones of a contract, numbers, notices of roles.

Confirming a contract, which looks at approved work, is a verb of `backlog`.
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
