"""Models of the ledger: set-up of the books, journals, proposals, vouchers, invoices, subledgers."""

from ledger.models.balances import (
    AccountBalance,
    CustomerBalance,
    PartyBalance,
    PeriodBalance,
    ProjectBalance,
)
from ledger.models.invoices import (
    CustomerInvoice,
    Delivery,
    Document,
    InvoiceLine,
    InvoiceReference,
    InvoiceTax,
)
from ledger.models.journal import IntegrationJournal, JournalLine
from ledger.models.proposals import (
    InvoiceProposal,
    ProposalDecision,
    ProposalLayout,
    ProposalLine,
    ProposalSection,
)
from ledger.models.setup import (
    Account,
    DefaultDimension,
    Dimension,
    DimensionSet,
    DimensionSetValue,
    DimensionValue,
    FiscalPeriod,
    FiscalYear,
    PostingAccount,
    Profile,
    ProfileAssignment,
)
from ledger.models.tax import BillingTaxGroupCode, ItemTaxGroupCode, TaxCode, TaxRate
from ledger.models.vouchers import (
    CustomerTransaction,
    LedgerEntry,
    Payment,
    ProjectTransaction,
    Settlement,
    Voucher,
)

__all__ = [
    "Account",
    "AccountBalance",
    "BillingTaxGroupCode",
    "CustomerBalance",
    "CustomerInvoice",
    "CustomerTransaction",
    "DefaultDimension",
    "Delivery",
    "Dimension",
    "DimensionSet",
    "DimensionSetValue",
    "DimensionValue",
    "Document",
    "FiscalPeriod",
    "FiscalYear",
    "IntegrationJournal",
    "InvoiceLine",
    "InvoiceProposal",
    "InvoiceReference",
    "InvoiceTax",
    "ItemTaxGroupCode",
    "JournalLine",
    "LedgerEntry",
    "PartyBalance",
    "Payment",
    "PeriodBalance",
    "PostingAccount",
    "Profile",
    "ProfileAssignment",
    "ProjectBalance",
    "ProjectTransaction",
    "ProposalDecision",
    "ProposalLayout",
    "ProposalLine",
    "ProposalSection",
    "Settlement",
    "TaxCode",
    "TaxRate",
    "Voucher",
]
