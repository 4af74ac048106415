"""Standard books for a legal entity: years, chart of accounts, profiles, tax and number sequences.

The chart follows the Norwegian standard chart and its SAF-T codes. All of it is ordinary set-up: a billing
administrator can change it, and creating the books again only adds what is missing.
"""

import datetime

from contracts.models import NumberSequence
from ledger.models import (
    Account,
    PostingAccount,
    Profile,
    TaxCode,
)

_Kind, _Control, _Purpose = Account.Kind, Account.Control, PostingAccount.Purpose

# number: name, kind, control account of which subledger
ACCOUNTS = {
    "1440": ("WIP cost value", _Kind.ASSET, _Control.WIP_COST),
    "1500": ("Customers", _Kind.ASSET, _Control.CUSTOMER),
    "1530": ("WIP sales value", _Kind.ASSET, _Control.WIP_SALES),
    "1540": ("WIP invoiced on account", _Kind.ASSET, _Control.ON_ACCOUNT),
    "1570": ("Disbursements for customers", _Kind.ASSET, _Control.DISBURSEMENT),
    "1920": ("Bank", _Kind.ASSET, _Control.NONE),
    "2700": ("Output VAT, standard rate", _Kind.LIABILITY, _Control.NONE),
    "2701": ("Output VAT, reduced rate", _Kind.LIABILITY, _Control.NONE),
    "2970": ("Customer advances", _Kind.LIABILITY, _Control.NONE),
    "2980": ("Provision for expected losses", _Kind.LIABILITY, _Control.NONE),
    "3000": ("Invoiced revenue", _Kind.REVENUE, _Control.NONE),
    "3070": ("Invoiced on account, revenue", _Kind.REVENUE, _Control.NONE),
    "3080": ("Accrued revenue", _Kind.REVENUE, _Control.NONE),
    "3090": ("Contract variance", _Kind.REVENUE, _Control.NONE),
    "4300": ("Project cost", _Kind.EXPENSE, _Control.NONE),
    "4390": ("Expenses and materials allocated to projects", _Kind.EXPENSE, _Control.NONE),
    "5090": ("Payroll allocated to projects", _Kind.EXPENSE, _Control.NONE),
    "7770": ("Rounding of conversion", _Kind.EXPENSE, _Control.NONE),
    "7820": ("Work written off", _Kind.EXPENSE, _Control.NONE),
    "7830": ("Bad debts", _Kind.EXPENSE, _Control.NONE),
    "8060": ("Exchange gains", _Kind.REVENUE, _Control.NONE),
    "8160": ("Exchange losses", _Kind.EXPENSE, _Control.NONE),
}

POSTING = {
    _Purpose.PROJECT_COST: "4300",
    _Purpose.PAYROLL_ALLOCATION: "5090",
    _Purpose.COST_OFFSET: "4390",
    _Purpose.WIP_COST: "1440",
    _Purpose.WIP_SALES: "1530",
    _Purpose.ACCRUED_REVENUE: "3080",
    _Purpose.INVOICED_REVENUE: "3000",
    _Purpose.ON_ACCOUNT_WIP: "1540",
    _Purpose.ON_ACCOUNT_REVENUE: "3070",
    _Purpose.CUSTOMER: "1500",
    _Purpose.ADVANCES: "2970",
    _Purpose.ROUNDING: "7770",
    _Purpose.EXCHANGE_GAIN: "8060",
    _Purpose.EXCHANGE_LOSS: "8160",
    _Purpose.WRITE_OFF: "7820",
    _Purpose.BAD_DEBT: "7830",
    _Purpose.BANK: "1920",
    _Purpose.DISBURSEMENT: "1570",
    _Purpose.CONTRACT_VARIANCE: "3090",
    _Purpose.LOSS_PROVISION: "2980",
}

_ACCRUING = dict.fromkeys(["accrue_time", "accrue_expense", "accrue_material", "accrue_fee"], True)
# code: name, and the values that differ from the model's defaults
PROFILES: dict[str, tuple[str, dict]] = {
    "STD": ("Cost to profit and loss, no accrual", {}),
    "ACCRUE": ("Cost to profit and loss, all revenue accrued", _ACCRUING),
    "BALANCE": ("Cost to balance, no accrual", {"cost": Profile.Cost.BALANCE}),
}

_Tax = TaxCode.Category
TAXED_SINCE = datetime.date(2012, 1, 1)  # both Norwegian rates are valid from this day
# code: name, category, percent, standard tax code, account, legal text
TAX_CODES = {
    "OUT25": ("Output VAT 25 %", _Tax.STANDARD, 25, "3", "2700", ""),
    "OUT15": ("Output VAT 15 %", _Tax.REDUCED, 15, "31", "2701", ""),
    "ZERO": ("Zero-rated", _Tax.ZERO, 0, "52", None, "Zero-rated supply"),
    "EXEMPT": ("Exempt", _Tax.EXEMPT, 0, "6", None, "Exempt from VAT"),
    "REVERSE": ("Reverse charge", _Tax.REVERSE_CHARGE, 0, "52", None, "Reverse charge"),
    "OUTSIDE": ("Outside the scope of VAT", _Tax.OUTSIDE_SCOPE, 0, "7", None, "Not subject to VAT"),
}
# VATEX: zero-rated supplies need no reason; the reason of exempt ones depends on the law that exempts them.
EXEMPTION_CODES = {_Tax.REVERSE_CHARGE: "VATEX-EU-AE", _Tax.OUTSIDE_SCOPE: "VATEX-EU-O"}
# Each pair of a billing and an item tax group shares exactly one code.
BILLING_GROUPS = {
    "DOMESTIC": ("Domestic customers", ["OUT25", "OUT15", "EXEMPT", "OUTSIDE"]),
    "EU": ("Businesses in the EU", ["REVERSE", "EXEMPT", "OUTSIDE"]),
    "EXPORT": ("Customers abroad", ["ZERO", "EXEMPT", "OUTSIDE"]),
}
ITEM_GROUPS = {
    "SERVICES": ("Services and goods", ["OUT25", "REVERSE", "ZERO"]),
    "REDUCED": ("At the reduced rate", ["OUT15", "REVERSE", "ZERO"]),
    "EXEMPT": ("Exempt services", ["EXEMPT"]),
    "OUTSIDE": ("Outside the scope of VAT, such as disbursements", ["OUTSIDE"]),
}

_Number = NumberSequence.Kind
SEQUENCES = {
    _Number.PROFORMA: "PF-{year}-{seq:06}",
    _Number.JOURNAL: "IJ-{year}-{seq:05}",
    _Number.INVOICE: "INV-{year}-{seq:06}",
    _Number.CREDIT_NOTE: "CN-{year}-{seq:06}",
    _Number.PAYMENT_REQUEST: "PR-{year}-{seq:06}",
    _Number.VOUCHER: "V-{year}-{seq:07}",
    _Number.CORRECTION: "COR-{year}-{seq:05}",
}
