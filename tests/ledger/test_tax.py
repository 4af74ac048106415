"""Sales tax: the codes that apply, and the amounts."""

import datetime
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing_site.floor import money
from invoicing_site.floor.errors import Refused
from ledger.invoicing.tax import TaxableLine, TaxAt, TaxBook, tax_of, tax_of_change
from ledger.models import BillingTaxGroupCode, TaxCode, TaxRate
from tests.factories import BillingTaxGroupFactory, ItemTaxGroupFactory, company

DAY = datetime.date(2025, 3, 3)

SERVICES = TaxCode(pk=1, code="S25", category="S")
GOODS = TaxCode(pk=2, code="G25", category="S")
FOOD = TaxCode(pk=3, code="R15", category="AA")
EXPORT = TaxCode(pk=4, code="Z", category="Z")
CITY = TaxCode(pk=5, code="CITY", category="S")
RATES = {SERVICES: 25, GOODS: 25, FOOD: 15, EXPORT: 0, CITY: 1}


def at(*codes):
    return [TaxAt(code, Decimal(RATES[code])) for code in codes]


def line(key, net, *codes):
    return TaxableLine(key, Decimal(net), at(*codes))


def by_code(result):
    return {row.code.code: row.tax for row in result.by_code}


def test_two_codes_of_one_rate_are_rounded_together():
    """MON-4: 2.525 + 2.525 is 5.05, and not 5.06."""
    result = tax_of([line("a", "10.10", SERVICES), line("b", "10.10", GOODS)], "EUR")

    assert result.total == Decimal("5.05")
    assert by_code(result) == {"G25": Decimal("2.53"), "S25": Decimal("2.52")}
    assert result.by_line == {"a": Decimal("2.52"), "b": Decimal("2.53")}


def test_tax_is_rounded_once_per_rate():
    """MON-4"""
    result = tax_of([line(n, "10.10", SERVICES) for n in "abc"], "EUR")

    assert result.total == Decimal("7.58")
    assert result.by_line == {"a": Decimal("2.53"), "b": Decimal("2.53"), "c": Decimal("2.52")}
    assert [(row.base, row.tax) for row in result.by_code] == [(Decimal("30.30"), Decimal("7.58"))]


def test_different_rates_and_categories_are_rounded_separately():
    """MON-4"""
    result = tax_of(
        [line("a", "10.10", SERVICES), line("b", "10.10", FOOD), line("c", "10.10", EXPORT)], "EUR"
    )

    assert by_code(result) == {"S25": Decimal("2.53"), "R15": Decimal("1.52"), "Z": Decimal("0.00")}
    assert result.total == Decimal("4.05")


def test_a_line_with_two_taxes_has_both():
    """PST-4: every code that is in both groups applies."""
    result = tax_of([line("a", "100.00", SERVICES, CITY)], "EUR")

    assert by_code(result) == {"S25": Decimal("25.00"), "CITY": Decimal("1.00")}
    assert result.by_line == {"a": Decimal("26.00")}


def test_the_same_code_at_two_rates_is_two_sums():
    """MON-4: a document can have work from before and after a change of the rate."""
    old = TaxableLine("old", Decimal(100), [TaxAt(FOOD, Decimal(12))])
    result = tax_of([old, line("new", "100", FOOD)], "EUR")

    assert [(row.percent, row.base, row.tax) for row in result.by_code] == [
        (12, Decimal(100), Decimal("12.00")),
        (15, Decimal(100), Decimal("15.00")),
    ]


def test_a_currency_without_minor_unit_has_whole_tax():
    """MON-1"""
    result = tax_of([line("a", "333", SERVICES), line("b", "333", GOODS)], "JPY")

    assert result.total == 167  # 166.5


def test_no_line_no_tax():
    result = tax_of([], "EUR")

    assert (result.by_code, result.by_line, result.total) == ([], {}, 0)


def test_crediting_line_by_line_returns_exactly_the_tax():
    """MON-4: 3 × 10.10 at 25 % has tax 7.58; credited one by one 2.53, 2.52, 2.53."""
    a, b, c = (line(key, "10.10", SERVICES) for key in "abc")

    first = tax_of_change([a, b, c], [b, c], "EUR")
    second = tax_of_change([b, c], [c], "EUR")
    third = tax_of_change([c], [], "EUR")

    assert [first.total, second.total, third.total] == [
        Decimal("-2.53"),
        Decimal("-2.52"),
        Decimal("-2.53"),
    ]
    assert [(row.base, row.tax) for row in first.by_code] == [(Decimal("-10.10"), Decimal("-2.53"))]
    assert sum(first.by_line.values()) == Decimal("-2.53")


def test_crediting_line_by_line_returns_exactly_the_tax_of_each_code():
    """MON-4: of 5.05 two codes of 25 % have 2.52 and 2.53; a single code has 2.53, so 0.01 moves to it."""
    a, b = line("a", "10.10", SERVICES), line("b", "10.10", GOODS)

    first, second = tax_of_change([a, b], [a], "EUR"), tax_of_change([a], [], "EUR")

    assert by_code(first) == {"S25": Decimal("0.01"), "G25": Decimal("-2.53")}
    assert (first.total, first.by_line) == (Decimal("-2.52"), {"a": 0, "b": Decimal("-2.52")})
    assert by_code(second) == {"S25": Decimal("-2.53")}


def test_a_line_credited_in_part_keeps_the_tax_of_the_rest():
    """MON-4"""
    change = tax_of_change([line("a", "100.00", FOOD)], [line("a", "60.00", FOOD)], "EUR")

    assert change.by_line == {"a": Decimal("-6.00")}
    assert [(row.base, row.tax) for row in change.by_code] == [(Decimal("-40.00"), Decimal("-6.00"))]


def test_a_correction_that_adds_a_line_taxes_it():
    """MON-4"""
    change = tax_of_change([line("a", "100", FOOD)], [line("a", "100", FOOD), line("b", "10", FOOD)], "EUR")

    assert change.by_line == {"a": Decimal("0.00"), "b": Decimal("1.50")}


amounts = st.integers(min_value=-10_000_000, max_value=10_000_000)
codes = st.lists(st.sampled_from(list(RATES)), min_size=1, max_size=3, unique=True)
documents = st.lists(st.tuples(amounts, codes), min_size=1, max_size=25)


@given(documents, st.sampled_from(["EUR", "JPY", "BHD"]))
def test_shares_of_tax_add_up_by_code_and_by_line(document, currency):
    """MON-4: tax shares always add up to the tax."""
    unit = money.minor_unit(currency)
    lines = [TaxableLine(n, net * unit, at(*codes)) for n, (net, codes) in enumerate(document)]

    result = tax_of(lines, currency)

    assert sum(result.by_line.values()) == sum(row.tax for row in result.by_code)
    for row in result.by_code:
        assert row.base == sum(ln.net for ln in lines if row.code in [tax.code for tax in ln.codes])
    groups = {(row.code.category, row.percent) for row in result.by_code}
    for category, percent in groups:
        rows = [row for row in result.by_code if (row.code.category, row.percent) == (category, percent)]
        exact = money.exact_percentage(sum(row.base for row in rows), percent)
        assert abs(sum(row.tax for row in rows) - exact) <= unit / 2
        assert all(abs(row.tax - money.exact_percentage(row.base, percent)) < unit for row in rows)


@given(documents)
def test_a_full_credit_is_the_mirror_image(document):
    """MON-4"""
    lines = [TaxableLine(n, Decimal(net) / 100, at(*codes)) for n, (net, codes) in enumerate(document)]
    negated = [TaxableLine(ln.key, -ln.net, ln.codes) for ln in lines]
    whole, mirrored, change = tax_of(lines, "EUR"), tax_of(negated, "EUR"), tax_of_change(lines, [], "EUR")

    assert mirrored.by_line == {key: -tax for key, tax in whole.by_line.items()}
    assert change.by_line == mirrored.by_line
    assert by_code(change) == {code: -tax for code, tax in by_code(whole).items()}


@given(documents, st.data())
def test_credits_in_any_order_return_exactly_the_tax(document, data):
    """MON-4"""
    lines = [TaxableLine(n, Decimal(net) / 100, at(*codes)) for n, (net, codes) in enumerate(document)]
    order = data.draw(st.permutations(lines))
    standing, credited, codes = list(lines), Decimal(0), Counter()
    for gone in order:
        rest = [ln for ln in standing if ln.key != gone.key]
        change = tax_of_change(standing, rest, "EUR")
        assert sum(change.by_line.values()) == change.total
        assert {key for key, tax in change.by_line.items() if tax} <= {gone.key}
        credited += change.total
        codes.subtract(by_code(change))
        standing = rest

    assert credited == -tax_of(lines, "EUR").total
    assert codes == by_code(tax_of(lines, "EUR"))


# The set-up


@pytest.fixture
def books(db):
    return company().books


@pytest.fixture
def groups(books):
    def ids(billing, item):
        return books.billing_tax_groups[billing].pk, books.item_tax_groups[item].pk

    return ids


@pytest.mark.parametrize(
    ("billing", "item", "code", "percent"),
    [
        ("DOMESTIC", "SERVICES", "OUT25", "25"),
        ("DOMESTIC", "REDUCED", "OUT15", "15"),
        ("DOMESTIC", "EXEMPT", "EXEMPT", "0"),
        ("EU", "SERVICES", "REVERSE", "0"),
        ("EU", "REDUCED", "REVERSE", "0"),
        ("EXPORT", "SERVICES", "ZERO", "0"),
        ("EXPORT", "OUTSIDE", "OUTSIDE", "0"),
    ],
)
def test_a_code_applies_if_both_groups_have_it(books, groups, billing, item, code, percent):
    """PST-4"""
    (found,) = TaxBook.load(books.tax_codes[code].entity).codes(*groups(billing, item), DAY)

    assert (found.code.code, found.percent) == (code, Decimal(percent))


def test_the_rate_of_the_day_is_used(books, groups):
    """PST-4: codes have dated rates."""
    code = books.tax_codes["OUT15"]
    TaxRate.objects.create(tax_code=code, valid_from=DAY, percent=Decimal("12"))
    book, pair = TaxBook.load(code.entity), groups("DOMESTIC", "REDUCED")

    assert [tax.percent for tax in book.codes(*pair, DAY - datetime.timedelta(days=1))] == [15]
    assert [tax.percent for tax in book.codes(*pair, DAY)] == [12]


def test_several_shared_codes_all_apply(books, groups):
    """PST-4"""
    food, home = books.tax_codes["OUT15"], books.billing_tax_groups["DOMESTIC"]
    books.item_tax_groups["SERVICES"].codes.create(tax_code=food)

    found = TaxBook.load(home.entity).codes(*groups("DOMESTIC", "SERVICES"), DAY)

    assert [tax.code.code for tax in found] == ["OUT15", "OUT25"]


def test_a_rate_that_does_not_exist_yet_is_named(books, groups):
    """MON-8: never 0 without an error."""
    code = books.tax_codes["OUT25"]
    code.rates.update(valid_from=DAY)

    with pytest.raises(Refused, match=r"OUT25 .* has no rate on 2 Mar 2025") as refusal:
        TaxBook.load(code.entity).codes(*groups("DOMESTIC", "SERVICES"), datetime.date(2025, 3, 2))
    assert refusal.value.code == "TAX-RATE-MISSING"


def test_groups_without_a_common_code_are_named(books, groups):
    """MON-8"""
    entity = books.billing_tax_groups["EU"].entity
    BillingTaxGroupCode.objects.filter(group__code="EU", tax_code__code="REVERSE").delete()

    with pytest.raises(
        Refused, match=r"EU and item tax group SERVICES .* have no tax code in common"
    ) as refusal:
        TaxBook.load(entity).codes(*groups("EU", "SERVICES"), DAY)
    assert refusal.value.code == "TAX-CODE-MISSING"


@pytest.mark.parametrize("missing", ["billing tax group", "item tax group"])
def test_a_missing_group_is_named(books, groups, missing):
    """MON-8"""
    billing, item = groups("DOMESTIC", "SERVICES")
    pair = (None, item) if missing == "billing tax group" else (billing, None)

    with pytest.raises(Refused, match=f"There is no {missing}") as refusal:
        TaxBook.load(books.tax_codes["ZERO"].entity).codes(*pair, DAY)
    assert refusal.value.code == f"{missing.split()[0].upper()}-GROUP-MISSING"


def test_groups_without_any_code_have_none_in_common(books):
    """MON-8"""
    entity = books.tax_codes["ZERO"].entity
    billing = BillingTaxGroupFactory(entity=entity, code="NEW")
    item = ItemTaxGroupFactory(entity=entity, code="NEW")

    with pytest.raises(Refused, match="have no tax code in common"):
        TaxBook.load(entity).codes(billing.pk, item.pk, DAY)


def test_loading_takes_as_many_queries_for_many_codes_as_for_few(books, django_assert_num_queries):
    entity = books.tax_codes["ZERO"].entity
    for n in range(20):
        code = TaxCode.objects.create(entity=entity, code=f"X{n}", name="x", category="S")
        TaxRate.objects.create(tax_code=code, valid_from=DAY, percent=1)
        books.billing_tax_groups["EU"].codes.create(tax_code=code)
        books.item_tax_groups["SERVICES"].codes.create(tax_code=code)

    with django_assert_num_queries(6):
        book = TaxBook.load(entity)
        assert (
            len(book.codes(*(books.billing_tax_groups["EU"].pk, books.item_tax_groups["SERVICES"].pk), DAY))
            == 21
        )
