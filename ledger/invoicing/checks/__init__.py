"""The checks before a proposal is posted, the same on pages and in commands (PRP-5).

Each file has the checks of one subject, registered with `named` in the order in which they run.
"""

# isort: off
from ledger.invoicing.checks import invoice, agreement, totals  # noqa: F401  in the order in which they run

# isort: on
from ledger.invoicing.checks.examining import (
    ERROR,
    WARNING,
    CheckResult,
    Examination,
    Examined,
    check,
    codes,
    examine,
    named,
)

__all__ = [
    "ERROR",
    "WARNING",
    "CheckResult",
    "Examination",
    "Examined",
    "check",
    "codes",
    "examine",
    "named",
]
