"""What the books say: figures for pages, read in a constant number of queries and never written.

Each function takes the entity, account, project or rows that its caller may look at. Amounts are exact
decimals, in accounting currency or per currency as each one says, and never added up over currencies.
"""

from ledger.reports.accounts import (
    LedgerCard,
    TrialBalance,
    TrialBalanceRow,
    ledger_card,
    trial_balance,
)
from ledger.reports.control import (
    Compared,
    ControlAccount,
    ControlBalance,
    compared,
    control_accounts,
)
from ledger.reports.customers import (
    AgeingRow,
    CurrencyStatement,
    CustomerStatement,
    StatementRow,
    ageing,
    customer_statement,
)
from ledger.reports.projects import (
    ProjectFigures,
    ProjectMonth,
    ProjectStatement,
    WorkInProgress,
    project_figures,
    project_statement,
)

__all__ = [
    "AgeingRow",
    "Compared",
    "ControlAccount",
    "ControlBalance",
    "CurrencyStatement",
    "CustomerStatement",
    "LedgerCard",
    "ProjectFigures",
    "ProjectMonth",
    "ProjectStatement",
    "StatementRow",
    "TrialBalance",
    "TrialBalanceRow",
    "WorkInProgress",
    "ageing",
    "compared",
    "control_accounts",
    "customer_statement",
    "ledger_card",
    "project_figures",
    "project_statement",
    "trial_balance",
]
