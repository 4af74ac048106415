"""Opening the books, and finding accounts and profiles in them."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from contracts.models import NumberSequence
from contracts.operations.numbers import draw_number
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from ledger.invoicing.tax import TaxBook
from ledger.models import (
    Account,
    DefaultDimension,
    Dimension,
    DimensionSet,
    DimensionValue,
    FiscalPeriod,
    PostingAccount,
    Profile,
    ProfileAssignment,
)
from ledger.setup.accounts import AccountBook, ProfileBook
from ledger.setup.dimensions import DefaultDimensions, dimension_set
from ledger.setup.operations import open_books
from tests.factories import (
    LegalEntityFactory,
    ProjectContractFactory,
    ProjectFactory,
    ProjectGroupFactory,
    company,
    contract_line,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity():
    return LegalEntityFactory(code="NO1", currency="NOK")


@pytest.fixture
def books(entity):
    return open_books(entity, first_year=2025, last_year=2026)


def test_every_purpose_has_an_account(entity, books):
    """MON-8: standard books have everything that posting needs."""
    accounts = AccountBook.load(entity)

    assert {accounts.account(purpose).number for purpose in PostingAccount.Purpose} == set(books.accounts) - {
        "2700",
        "2701",
    }
    assert accounts.account("wip_sales").control == "wip_sales"
    assert accounts.account("customer").control == "customer"
    assert accounts.account("wip_cost").control == "wip_cost"


def test_a_calendar_year_has_twelve_months(books):
    """PST-6"""
    year = books.years[2025]

    assert (year.name, year.starts, year.ends) == (
        "2025",
        datetime.date(2025, 1, 1),
        datetime.date(2025, 12, 31),
    )
    february = year.periods.get(number=2)
    assert (february.starts, february.ends, february.status) == (
        datetime.date(2025, 2, 1),
        datetime.date(2025, 2, 28),
        "open",
    )
    assert len(books.periods) == 24


def test_a_year_that_begins_in_july_is_named_after_its_end():
    """MON-7: {year} is the year in which the fiscal year ends."""
    entity = LegalEntityFactory(fiscal_year_start_month=7)
    books = open_books(entity, first_year=2025, last_year=2025)

    year = books.years[2025]
    assert (year.name, year.starts, year.ends) == (
        "2024/2025",
        datetime.date(2024, 7, 1),
        datetime.date(2025, 6, 30),
    )
    assert entity.fiscal_year(year.starts) == entity.fiscal_year(year.ends) == 2025
    assert year.periods.get(number=8).ends == datetime.date(2025, 2, 28)
    number = draw_number(entity, NumberSequence.Kind.INVOICE, on=datetime.date(2024, 12, 24))
    assert number.text == "INV-2025-000001"


def test_each_pair_of_tax_groups_shares_one_code(entity, books):
    """PST-4"""
    book = TaxBook.load(entity)
    applying = {
        (billing, item): [
            tax.code.code
            for tax in book.codes(
                books.billing_tax_groups[billing].pk,
                books.item_tax_groups[item].pk,
                datetime.date(2025, 1, 1),
            )
        ]
        for billing in books.billing_tax_groups
        for item in books.item_tax_groups
    }

    assert applying == {
        ("DOMESTIC", "SERVICES"): ["OUT25"],
        ("DOMESTIC", "REDUCED"): ["OUT15"],
        ("DOMESTIC", "EXEMPT"): ["EXEMPT"],
        ("DOMESTIC", "OUTSIDE"): ["OUTSIDE"],
        ("EU", "SERVICES"): ["REVERSE"],
        ("EU", "REDUCED"): ["REVERSE"],
        ("EU", "EXEMPT"): ["EXEMPT"],
        ("EU", "OUTSIDE"): ["OUTSIDE"],
        ("EXPORT", "SERVICES"): ["ZERO"],
        ("EXPORT", "REDUCED"): ["ZERO"],
        ("EXPORT", "EXEMPT"): ["EXEMPT"],
        ("EXPORT", "OUTSIDE"): ["OUTSIDE"],
    }
    assert entity.milestone_item_tax_group == books.item_tax_groups["SERVICES"]


def test_taxed_codes_are_owed_on_an_account(books):
    """PST-4"""
    assert {code: tax.account and tax.account.number for code, tax in books.tax_codes.items()} == {
        "OUT25": "2700",
        "OUT15": "2701",
        "ZERO": None,
        "EXEMPT": None,
        "REVERSE": None,
        "OUTSIDE": None,
    }


def test_every_kind_of_document_has_numbers_and_invoices_are_in_date_order(entity, books):
    """MON-7"""
    assert set(books.sequences) == set(NumberSequence.Kind.values)
    in_order = {kind for kind, sequence in books.sequences.items() if sequence.in_date_order}
    assert in_order == {"invoice", "credit_note"}


def test_opening_twice_changes_nothing(entity, books):
    again = open_books(entity, first_year=2025, last_year=2026)

    assert again == books
    assert AuditEvent.objects.filter(action="ledger.open_books").count() == 1


def test_opening_again_keeps_changes_and_adds_a_year(entity, books):
    revenue = Account.objects.create(entity=entity, number="3010", name="Consulting", kind="revenue")
    entity.posting_accounts.filter(purpose="revenue").update(account=revenue)
    entity.profile_assignments.update(profile=books.profiles["ACCRUE"])
    books.tax_codes["OUT25"].rates.update(percent=24)
    entity.fiscal_periods.filter(starts=datetime.date(2025, 1, 1)).update(status="closed")

    again = open_books(entity, first_year=2025, last_year=2027)

    assert again.posting["revenue"] == revenue
    assert ProfileBook.load(entity).profile(None, None).code == "ACCRUE"
    assert [rate.percent for rate in books.tax_codes["OUT25"].rates.all()] == [24]
    assert [period.status for period in again.periods[:2]] == ["closed", "open"]
    assert sorted(again.years) == [2025, 2026, 2027]
    assert len(again.periods) == 36


def test_a_year_of_quarters_keeps_its_periods(entity):
    """PST-6"""
    books = open_books(entity, first_year=2025, last_year=2025)
    entity.fiscal_periods.filter(number__gt=1).delete()
    entity.fiscal_periods.update(ends=datetime.date(2025, 12, 31))

    again = open_books(entity, first_year=2025, last_year=2025)

    assert [(p.starts, p.ends) for p in again.periods] == [
        (datetime.date(2025, 1, 1), datetime.date(2025, 12, 31))
    ]
    assert books.years == again.years


def test_many_years_take_as_many_queries_as_one():
    def queries(entity, last):
        with CaptureQueriesContext(connection) as captured:
            open_books(entity, first_year=2020, last_year=last)
        return len(captured)

    assert queries(LegalEntityFactory(code="A"), 2020) == queries(LegalEntityFactory(code="B"), 2030)


# Accounts and profiles


def test_the_most_specific_row_is_used(entity, books):
    """MON-8, JRN-5"""
    accrue, travel = books.profiles["ACCRUE"], company(code="X").travel

    def row(number, **says):
        account = Account.objects.create(entity=entity, number=number, name=number, kind="expense")
        PostingAccount.objects.create(entity=entity, purpose="project_cost", account=account, **says)

    row("class", transaction_class="expense")
    row("profile", profile=accrue)
    row("category", category=travel)
    row("both", profile=accrue, transaction_class="expense")
    book = AccountBook.load(entity)

    def number(**asked):
        return book.account("project_cost", **asked).number

    assert number() == "4300"
    assert number(transaction_class="time") == "4300"
    assert number(transaction_class="expense") == "class"
    assert number(transaction_class="expense", category_id=travel.pk) == "category"
    assert number(transaction_class="time", profile=accrue) == "profile"
    assert number(transaction_class="expense", profile=accrue) == "both"
    assert number(transaction_class="expense", profile=accrue, category_id=travel.pk) == "both"
    assert number(transaction_class="expense", profile=books.profiles["STD"]) == "class"


def test_a_missing_account_is_named(entity, books):
    """MON-8"""
    entity.posting_accounts.filter(purpose="accrued").delete()

    with pytest.raises(Refused, match=r"no account for accrued revenue \(class time and profile Cost") as no:
        AccountBook.load(entity).account(
            "accrued", transaction_class="time", profile=books.profiles["ACCRUE"]
        )
    assert no.value.code == "ACCOUNT-MISSING-FOR"


def test_an_inactive_account_is_refused(entity, books):
    """MON-8"""
    entity.accounts.filter(number="1500").update(is_active=False)

    with pytest.raises(Refused, match="1500 Customers, which .* uses for customer balance") as refusal:
        AccountBook.load(entity).account("customer")
    assert refusal.value.code == "ACCOUNT-INACTIVE"


def test_the_most_specific_profile_is_used(entity, books):
    """JRN-5: project, then contract, then project group, then the entity."""
    group = ProjectGroupFactory(entity=entity)
    project = ProjectFactory(entity=entity, group=group)
    contract = ProjectContractFactory(entity=entity)

    def profile():
        return ProfileBook.load(entity).profile(project, contract).code

    def assign(code, **to):
        profile = Profile.objects.create(entity=entity, code=code, name=code)
        ProfileAssignment.objects.create(entity=entity, profile=profile, **to)

    assert profile() == "STD"
    assign("GROUP", group=group)
    assert profile() == "GROUP"
    assign("CONTRACT", contract=contract)
    assert profile() == "CONTRACT"
    assign("PROJECT", project=project)
    assert profile() == "PROJECT"


def test_a_missing_profile_is_named(entity, books):
    """MON-8"""
    entity.profile_assignments.all().delete()

    with pytest.raises(Refused, match="P1 Bridge has no cost and revenue profile") as refusal:
        ProfileBook.load(entity).profile(ProjectFactory(entity=entity, code="P1", name="Bridge"), None)
    assert refusal.value.code == "PROFILE-MISSING"


@pytest.mark.parametrize("accrued", ["time", "expense", "material", "fee"])
@pytest.mark.parametrize("cost", ["balance", "never"])
def test_revenue_is_accrued_only_where_cost_is_in_profit_and_loss(entity, accrued, cost):
    """JRN-8"""
    with pytest.raises(IntegrityError, match="accruing_needs_cost"), transaction.atomic():
        Profile.objects.create(entity=entity, code="X", name="x", cost=cost, **{f"accrue_{accrued}": True})
    Profile.objects.create(entity=entity, code="X", name="x", cost="pl", **{f"accrue_{accrued}": True})


# Dimensions


@pytest.fixture
def values(entity):
    department = Dimension.objects.create(entity=entity, code="DEP", name="Department")
    region = Dimension.objects.create(entity=entity, code="REG", name="Region")
    return {
        code: DimensionValue.objects.create(dimension=dimension, code=code, name=code)
        for dimension, code in [(department, "D1"), (department, "D2"), (region, "R1")]
    }


def test_a_combination_is_stored_once(entity, values):
    """JRN-2"""
    first = dimension_set(entity, [values["R1"], values["D1"]])
    again = dimension_set(entity, [values["D1"], values["R1"]])

    assert first == again
    assert [row.value for row in first.values.order_by("value")] == [values["D1"], values["R1"]]
    assert dimension_set(entity, []) is None
    assert DimensionSet.objects.count() == 1


def test_a_set_has_one_value_per_dimension(entity, values):
    with pytest.raises(AssertionError, match="at most one value of each dimension"):
        dimension_set(entity, [values["D1"], values["D2"]])


def test_dimensions_default_from_the_project_and_for_milestones_from_the_line(entity, values):
    """JRN-3"""
    project = ProjectFactory(entity=entity)
    line = contract_line(ProjectContractFactory(entity=entity), project=project)
    for code, owner in [
        ("D1", {"project": project}),
        ("R1", {"project": project}),
        ("D2", {"contract_line": line}),
    ]:
        DefaultDimension.objects.create(dimension=values[code].dimension, value=values[code], **owner)

    defaults = DefaultDimensions.load(entity, [project.pk], [line.pk])

    def codes(transaction_class):
        found = defaults.of(
            project_id=project.pk, contract_line_id=line.pk, transaction_class=transaction_class
        )
        return sorted(row.value.code for row in found.values.all())

    assert codes("time") == ["D1", "R1"]
    assert codes("milestone") == ["D2"]
    assert defaults.of(project_id=0, contract_line_id=None, transaction_class="time") is None


def test_each_entity_has_its_own_periods(books):
    other = open_books(LegalEntityFactory(code="SE1", currency="SEK"), first_year=2025, last_year=2025)

    assert len(other.periods) == 12
    assert FiscalPeriod.objects.count() == 36
