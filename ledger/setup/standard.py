"""Books that a legal entity can start with: years, chart of accounts, profiles, tax and number sequences.

The chart follows the Norwegian standard chart, as the SAF-T codes do. Everything here is ordinary set-up: a
billing administrator changes it afterwards, and opening the books again puts back only what is missing.
"""

import datetime
from dataclasses import dataclass, field

from contracts.models import BillingTaxGroup, ItemTaxGroup, LegalEntity, NumberSequence
from invoicing_site.floor import audit, transaction
from ledger.models import (
    Account,
    BillingTaxGroupCode,
    FiscalPeriod,
    FiscalYear,
    ItemTaxGroupCode,
    PostingAccount,
    Profile,
    ProfileAssignment,
    TaxCode,
    TaxRate,
)
from ledger.setup.fiscal_years import fiscal_year, months

_Kind, _Control, _Purpose = Account.Kind, Account.Control, PostingAccount.Purpose

# number: name, kind, control account of
_ACCOUNTS = {
    "1440": ("WIP cost value", _Kind.ASSET, _Control.WIP_COST),
    "1500": ("Customers", _Kind.ASSET, _Control.CUSTOMER),
    "1530": ("WIP sales value", _Kind.ASSET, _Control.WIP_SALES),
    "1540": ("WIP invoiced on account", _Kind.ASSET, _Control.ON_ACCOUNT),
    "1570": ("Disbursements for customers", _Kind.ASSET, _Control.OUTLAY),
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

_POSTING = {
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
# code: name, what differs from the model's defaults
_PROFILES = {
    "STD": ("Cost to profit and loss, no accrual", {}),
    "ACCRUE": ("Cost to profit and loss, all revenue accrued", _ACCRUING),
    "BALANCE": ("Cost to balance, no accrual", {"cost": Profile.Cost.BALANCE}),
}

_Tax = TaxCode.Category
_TAXED_SINCE = datetime.date(2012, 1, 1)  # the day from which both Norwegian rates are as they are
# code: name, category, percent, standard tax code, account, legal text
_TAX_CODES = {
    "OUT25": ("Output VAT 25 %", _Tax.STANDARD, 25, "3", "2700", ""),
    "OUT15": ("Output VAT 15 %", _Tax.REDUCED, 15, "31", "2701", ""),
    "ZERO": ("Zero-rated", _Tax.ZERO, 0, "52", None, "Zero-rated supply"),
    "EXEMPT": ("Exempt", _Tax.EXEMPT, 0, "6", None, "Exempt from VAT"),
    "REVERSE": ("Reverse charge", _Tax.REVERSE_CHARGE, 0, "52", None, "Reverse charge"),
    "OUTSIDE": ("Outside the scope of VAT", _Tax.OUTSIDE_SCOPE, 0, "7", None, "Not subject to VAT"),
}
# VATEX; of what is zero-rated the category says it all, of what is exempt it depends on the law that exempts.
_EXEMPTION_CODES = {_Tax.REVERSE_CHARGE: "VATEX-EU-AE", _Tax.OUTSIDE_SCOPE: "VATEX-EU-O"}
# Each pair of a billing and an item tax group shares exactly one code.
_BILLING_GROUPS = {
    "DOMESTIC": ("Domestic customers", ["OUT25", "OUT15", "EXEMPT", "OUTSIDE"]),
    "EU": ("Businesses in the EU", ["REVERSE", "EXEMPT", "OUTSIDE"]),
    "EXPORT": ("Customers abroad", ["ZERO", "EXEMPT", "OUTSIDE"]),
}
_ITEM_GROUPS = {
    "SERVICES": ("Services and goods", ["OUT25", "REVERSE", "ZERO"]),
    "REDUCED": ("At the reduced rate", ["OUT15", "REVERSE", "ZERO"]),
    "EXEMPT": ("Exempt services", ["EXEMPT"]),
    "OUTSIDE": ("Outside the scope of VAT, such as disbursements", ["OUTSIDE"]),
}

_Number = NumberSequence.Kind
_SEQUENCES = {
    _Number.PROFORMA: "PF-{year}-{seq:06}",
    _Number.JOURNAL: "IJ-{year}-{seq:05}",
    _Number.INVOICE: "INV-{year}-{seq:06}",
    _Number.CREDIT_NOTE: "CN-{year}-{seq:06}",
    _Number.PAYMENT_REQUEST: "PR-{year}-{seq:06}",
    _Number.VOUCHER: "V-{year}-{seq:07}",
    _Number.CORRECTION: "COR-{year}-{seq:05}",
}


@dataclass
class Books:
    """What an entity's books consist of, by the names people know it by."""

    years: dict[int, FiscalYear] = field(default_factory=dict)
    periods: list[FiscalPeriod] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    posting: dict[str, Account] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    tax_codes: dict[str, TaxCode] = field(default_factory=dict)
    billing_tax_groups: dict[str, BillingTaxGroup] = field(default_factory=dict)
    item_tax_groups: dict[str, ItemTaxGroup] = field(default_factory=dict)
    sequences: dict[str, NumberSequence] = field(default_factory=dict)


def open_books(entity: LegalEntity, *, first_year: int, last_year: int, by=None) -> Books:
    """Give the entity all that posting needs, for the fiscal years from first to last.

    May be called again: what is there already stays as people left it, what is missing is added. Only the
    names above are looked at; a purpose that has an account for all cases keeps that account.
    """
    assert first_year <= last_year, "The first year comes before the last."
    books = _opened(entity, first_year, last_year, by)
    entity.refresh_from_db(fields=["milestone_item_tax_group"])
    return books


@transaction.atomic
def _opened(entity, first_year, last_year, by) -> Books:
    # Whoever opens the same books at this moment waits, and then finds what was added.
    entity = LegalEntity.objects.locked().get(pk=entity.pk)
    add = _Added()
    years = _open_years(entity, first_year, last_year, add)
    accounts = add.missing(
        Account,
        entity.accounts.all(),
        {
            number: Account(entity=entity, number=number, name=name, kind=kind, control=control)
            for number, (name, kind, control) in _ACCOUNTS.items()
        },
        lambda row: row.number,
    )
    profiles = add.missing(
        Profile,
        entity.profiles.all(),
        {
            code: Profile(entity=entity, code=code, name=name, **what)
            for code, (name, what) in _PROFILES.items()
        },
        lambda row: row.code,
    )
    add.missing(
        ProfileAssignment,
        entity.profile_assignments.filter(project=None, contract=None, group=None),
        {None: ProfileAssignment(entity=entity, profile=profiles["STD"])},
        lambda row: None,
    )
    posting = add.missing(
        PostingAccount,
        entity.posting_accounts.filter(profile=None, transaction_class="", category=None).select_related(
            "account"
        ),
        {
            purpose: PostingAccount(entity=entity, purpose=purpose, account=accounts[number])
            for purpose, number in _POSTING.items()
        },
        lambda row: row.purpose,
    )
    tax_codes, billing_groups, item_groups = _open_tax(entity, accounts, add)
    sequences = add.missing(
        NumberSequence,
        entity.number_sequences.all(),
        {
            kind: NumberSequence(entity=entity, kind=kind, format=format_)
            for kind, format_ in _SEQUENCES.items()
        },
        lambda row: row.kind,
    )
    if entity.milestone_item_tax_group_id is None:
        entity.milestone_item_tax_group = item_groups["SERVICES"]
        entity.save(update_fields=["milestone_item_tax_group"])
    if add.rows:
        audit.record(
            "ledger.open_books",
            entity,
            by=by,
            entity=entity.code,
            first_year=first_year,
            last_year=last_year,
            rows=add.rows,
        )
    return Books(
        years={row.year: row for row in years.values()},
        periods=list(entity.fiscal_periods.order_by("starts")),
        accounts=accounts,
        posting={purpose: row.account for purpose, row in posting.items()},
        profiles=profiles,
        tax_codes=tax_codes,
        billing_tax_groups=billing_groups,
        item_tax_groups=item_groups,
        sequences=sequences,
    )


class _Added:
    """Adds what is missing in one insert a table, and counts it."""

    def __init__(self):
        self.rows = 0

    def missing(self, model, present, wanted: dict, key) -> dict:
        """All rows by key: those present, and of the wanted ones those that were not."""
        rows = {key(row): row for row in present}
        new = [row for name, row in wanted.items() if name not in rows]
        if not new:
            return rows
        model.objects.bulk_create(new)
        self.rows += len(new)
        return rows | {key(row): row for row in new}


def _open_years(entity, first_year, last_year, add) -> dict[int, FiscalYear]:
    wanted = {year: fiscal_year(entity, year) for year in range(first_year, last_year + 1)}
    years = add.missing(FiscalYear, entity.fiscal_years.all(), wanted, lambda row: row.year)
    # A year that has periods keeps them, also where somebody chose other stretches than months.
    divided = set(entity.fiscal_periods.values_list("year_id", flat=True))
    periods = {
        (period.year_id, period.number): period
        for year in wanted
        if years[year].pk not in divided
        for period in months(years[year])
    }
    add.missing(FiscalPeriod, entity.fiscal_periods.all(), periods, lambda row: (row.year_id, row.number))
    return years


def _open_tax(entity, accounts, add):
    codes = add.missing(
        TaxCode,
        entity.tax_codes.all(),
        {
            code: TaxCode(
                entity=entity,
                code=code,
                name=name,
                category=category,
                standard_code=standard_code,
                account=accounts.get(account),
                legal_text=legal_text,
                exemption_code=_EXEMPTION_CODES.get(category, ""),
            )
            for code, (name, category, _, standard_code, account, legal_text) in _TAX_CODES.items()
        },
        lambda row: row.code,
    )
    # A code that has a rate already keeps its own history of rates.
    add.missing(
        TaxRate,
        TaxRate.objects.filter(tax_code__entity=entity),
        {
            codes[code].pk: TaxRate(tax_code=codes[code], valid_from=_TAXED_SINCE, percent=percent)
            for code, (_, _, percent, *_) in _TAX_CODES.items()
        },
        lambda row: row.tax_code_id,
    )
    return (
        codes,
        _open_groups(entity, BillingTaxGroup, BillingTaxGroupCode, _BILLING_GROUPS, codes, add),
        _open_groups(entity, ItemTaxGroup, ItemTaxGroupCode, _ITEM_GROUPS, codes, add),
    )


def _open_groups(entity, model, through, declared, codes, add):
    groups = add.missing(
        model,
        model.objects.filter(entity=entity),
        {code: model(entity=entity, code=code, name=name) for code, (name, _) in declared.items()},
        lambda row: row.code,
    )
    members = {
        (groups[code].pk, codes[tax_code].pk): through(group=groups[code], tax_code=codes[tax_code])
        for code, (_, tax_codes) in declared.items()
        for tax_code in tax_codes
    }
    add.missing(
        through,
        through.objects.filter(group__entity=entity),
        members,
        lambda row: (row.group_id, row.tax_code_id),
    )
    return groups
