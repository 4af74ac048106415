"""Figures from the books for pages; each needs a constant number of queries and writes nothing.

Each function takes the entity, account, project or rows that the caller may see. Amounts are exact decimals,
in accounting currency or per currency, as each function says. They are never added up over currencies.
"""

from ledger.reports.accounts import TrialBalance, TrialBalanceRow, trial_balance
from ledger.reports.cards import LedgerCard, ledger_card
from ledger.reports.control import (
    Compared,
    ControlAccount,
    ControlBalance,
    compared,
    control_accounts,
)
from ledger.reports.customers import (
    CurrencyStatement,
    CustomerStatement,
    StatementRow,
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
from ledger.reports.receivables import (
    AGES,
    AgedReceivables,
    Ages,
    AgingRow,
    OpenTransaction,
    ReceivableRow,
    aged_receivables,
    aging,
    open_transactions,
)

__all__ = [
    "AGES",
    "AgedReceivables",
    "AgingRow",
    "Ages",
    "Compared",
    "ControlAccount",
    "ControlBalance",
    "CurrencyStatement",
    "CustomerStatement",
    "LedgerCard",
    "OpenTransaction",
    "ProjectFigures",
    "ProjectMonth",
    "ProjectStatement",
    "ReceivableRow",
    "StatementRow",
    "TrialBalance",
    "TrialBalanceRow",
    "WorkInProgress",
    "aged_receivables",
    "aging",
    "compared",
    "control_accounts",
    "customer_statement",
    "ledger_card",
    "open_transactions",
    "project_figures",
    "project_statement",
    "trial_balance",
]
