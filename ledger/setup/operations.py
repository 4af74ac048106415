"""Creates an entity's books, adds the next fiscal year, and notifies people before the last one ends."""

from dataclasses import dataclass, field

from django.urls import reverse

from contracts.models import BillingTaxGroup, ItemTaxGroup, LegalEntity, Membership, NumberSequence
from invoicing_site.floor import audit, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.models import Notice, User
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
from ledger.setup.fiscal_years import ends_soon, fiscal_year, last_year, months, next_year, what_to_do
from ledger.setup.standard import (
    ACCOUNTS,
    BILLING_GROUPS,
    EXEMPTION_CODES,
    ITEM_GROUPS,
    POSTING,
    PROFILES,
    SEQUENCES,
    TAX_CODES,
    TAXED_SINCE,
)


@dataclass
class Books:
    """The parts of an entity's books, by their codes."""

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
    """Create everything that posting needs, for the fiscal years from first to last.

    A repeated call does not change existing rows and adds missing ones. Only the names in `standard` are
    used; a purpose that has an account for all cases keeps that account.
    """
    assert first_year <= last_year, "The first year comes before the last."
    books = _opened(entity, first_year, last_year, by)
    entity.refresh_from_db(fields=["milestone_item_tax_group"])
    return books


@transaction.atomic
def _opened(entity, first_year, last_year, by) -> Books:
    # A second call at the same time waits, and then finds the added rows.
    entity = LegalEntity.objects.locked().get(pk=entity.pk)
    add = _Added()
    years = _open_years(entity, first_year, last_year, add)
    accounts = add.missing(
        Account,
        entity.accounts.all(),
        {
            number: Account(entity=entity, number=number, name=name, kind=kind, control=control)
            for number, (name, kind, control) in ACCOUNTS.items()
        },
        lambda row: row.number,
    )
    profiles = add.missing(
        Profile,
        entity.profiles.all(),
        {
            code: Profile(entity=entity, code=code, name=name, **what)
            for code, (name, what) in PROFILES.items()
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
            for purpose, number in POSTING.items()
        },
        lambda row: row.purpose,
    )
    tax_codes, billing_groups, item_groups = _open_tax(entity, accounts, add)
    sequences = add.missing(
        NumberSequence,
        entity.number_sequences.all(),
        {
            kind: NumberSequence(entity=entity, kind=kind, format=format_)
            for kind, format_ in SEQUENCES.items()
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
    """Adds missing rows in one insert for each table, and counts them."""

    def __init__(self):
        self.rows = 0

    def missing(self, model, present, needed: dict, key) -> dict:
        """All rows by key: the existing ones, and those that were added."""
        rows = {key(row): row for row in present}
        new = [row for name, row in needed.items() if name not in rows]
        if not new:
            return rows
        model.objects.bulk_create(new)
        self.rows += len(new)
        return rows | {key(row): row for row in new}


def _open_years(entity, first_year, last_year, add) -> dict[int, FiscalYear]:
    needed = {year: fiscal_year(entity, year) for year in range(first_year, last_year + 1)}
    years = add.missing(FiscalYear, entity.fiscal_years.all(), needed, lambda row: row.year)
    # A year with periods keeps them, also if they are not months.
    divided = set(entity.fiscal_periods.values_list("year_id", flat=True))
    periods = {
        (period.year_id, period.number): period
        for year in needed
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
                exemption_code=EXEMPTION_CODES.get(category, ""),
            )
            for code, (name, category, _, standard_code, account, legal_text) in TAX_CODES.items()
        },
        lambda row: row.code,
    )
    # A code with a rate keeps its rates.
    add.missing(
        TaxRate,
        TaxRate.objects.filter(tax_code__entity=entity),
        {
            codes[code].pk: TaxRate(tax_code=codes[code], valid_from=TAXED_SINCE, percent=percent)
            for code, (_, _, percent, *_) in TAX_CODES.items()
        },
        lambda row: row.tax_code_id,
    )
    return (
        codes,
        _open_groups(entity, BillingTaxGroup, BillingTaxGroupCode, BILLING_GROUPS, codes, add),
        _open_groups(entity, ItemTaxGroup, ItemTaxGroupCode, ITEM_GROUPS, codes, add),
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


@transaction.atomic
def add_year_after(last: FiscalYear, *, by) -> FiscalYear:
    """Add the fiscal year after the entity's last one, with a period for each month, open for posting.

    Refused (YEAR-EXISTS) if a year was already added after this one, so that two clicks add one year.
    """
    entity = last.entity
    year = next_year(entity)
    made = False
    if last_year(entity) == last:
        # The year is unique: of two transactions one adds it, and the other one waits and finds it.
        year, made = FiscalYear.objects.get_or_create(
            entity=entity,
            year=year.year,
            defaults={"name": year.name, "starts": year.starts, "ends": year.ends},
        )
    if not made:
        raise Refused("YEAR-EXISTS", entity=entity, year=last, remedy=reverse("periods"))
    FiscalPeriod.objects.bulk_create(months(year))
    audit.record(
        "ledger.add_fiscal_year", year, by=by, entity=entity.code, starts=year.starts, ends=year.ends
    )
    return year


def notify_who_adds_years(entity: LegalEntity) -> int:
    """Notify accountants and administrators once before the last fiscal year ends, and once after."""
    last = ends_soon(entity)
    if last is None:
        return 0
    text = what_to_do(last).sentence
    people: dict = {}
    for role, url in (
        (Membership.Role.ADMINISTRATOR, reverse("admin:ledger_fiscalyear_add")),
        (Membership.Role.ACCOUNTANT, reverse("periods")),
    ):
        users = User.objects.filter(memberships__entity=entity, memberships__role=role, is_active=True)
        people |= dict.fromkeys(users, url)
    notified = set(Notice.objects.filter(user__in=people, text=text).values_list("user", flat=True))
    notices = [
        Notice(user=user, text=text, url=url, is_problem=True)
        for user, url in people.items()
        if user.pk not in notified
    ]
    return len(Notice.objects.bulk_create(notices))
