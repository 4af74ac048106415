"""What is too large to be billed or booked is refused by name, and stops no other (APP-10, MON-1)."""

from datetime import date
from decimal import Decimal

import pytest

from actuals.naming import named
from backlog.operations import Decision, approve
from backlog.previews import preview
from invoicing_site.floor.errors import Refused
from tests import factories
from tests.factories import DAY

# Material at 9,999.99 EUR; one euro is 11.60 NOK.
PRICE = Decimal("9999.99")


@pytest.fixture
def company(db):
    return factories.company(cost_price=100, sales_price=200)


def rated(company, rate="11.60"):
    factories.ExchangeRateFactory(
        entity=company.entity, currency="EUR", valid_from=date(2025, 1, 1), rate=Decimal(rate)
    )


def in_euros(company, **fields):
    prices = factories.PriceListFactory(entity=company.entity, code="SEUR", name="EUR", currency="EUR")
    factories.ProductPriceFactory(price_list=prices, product=company.product, price=PRICE)
    return factories.contract(company, currency="EUR", price_lists=[prices], confirmed=True, **fields)


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (
            "20000000000",
            "199,999,800,000,000.00 EUR is too large. The largest possible amount is 1,000,000,000,000.",
        ),
        (
            "10000000",
            "99,999,900,000.00 EUR at a rate of 11.6 is 1,159,998,840,000.00 NOK, which is too large. The "
            "largest possible amount is 1,000,000,000,000.",
        ),
    ],
)
def test_amounts_that_the_books_cannot_hold_are_not_approved(company, quantity, message):
    """APP-10: checked in both currencies; the other entry is approved."""
    rated(company)
    in_euros(company)
    big = factories.material_entry(company, quantity, date=DAY)
    good = factories.material_entry(company, "1", date=DAY)
    assert message in str(preview([big, good], by=company.manager)[big.pk].refused or "")
    approval = approve([big, good], by=company.manager)
    assert approval.entries == [good]
    assert [(entry, reason.sentence) for entry, reason in approval.refused] == [
        (big, f"{named(big)} can't be approved. {message} Correct the entry, or its price in the price list.")
    ]


def test_the_rate_that_the_contract_agreed_counts(company):
    """PST-5 APP-10: at 11.60 it would be 695,999,304,000 NOK; at 20 it is 1,199,998,800,000."""
    rated(company)
    in_euros(company, fixed_exchange_rate=Decimal(20))
    entry = factories.material_entry(company, "6000000", date=DAY)
    with pytest.raises(Refused, match="EUR at a rate of 20 is 1,199,998,800,000.00 NOK, which is too large"):
        approve([entry], by=company.manager)


def test_a_cost_in_another_currency_is_also_checked_in_the_accounting_currency(company):
    """APP-10: 90,000,000,000 EUR are 1,044,000,000,000 NOK; without a rate it is not checked yet."""
    entries = [
        factories.expense_entry(company, "90000000000", cost_currency=code, date=DAY)
        for code in ("EUR", "USD")
    ]
    rated(company)
    approval = approve(entries, by=company.manager)
    assert approval.entries == entries[1:]
    ((_, message),) = approval.refused
    assert (
        "90,000,000,000.00 EUR at a rate of 11.6 is 1,044,000,000,000.00 NOK, which is too large"
        in message.sentence
    )


def test_the_approver_has_the_same_bounds_as_the_submitter(company):
    """APP-10"""
    entry = factories.material_entry(company, "1", date=DAY)
    for quantity, message in (("1000000", ""), ("1000000.5", "A quantity of 1,000,000.5 is too large")):
        decisions = {entry.pk: Decision(billable_quantity=Decimal(quantity))}
        assert message in str(
            preview([entry], by=company.manager, decisions=decisions)[entry.pk].refused or ""
        )
    with pytest.raises(Refused, match="A quantity of 1,000,000.5 is too large"):
        approve([entry], by=company.manager, decisions=decisions)


def test_the_whole_amount_is_checked_when_work_at_cost_is_raised(company):
    """APP-3 APP-10: 2,000,000 paid for one, and 1,000,000 billed at that."""
    factories.contract(company, confirmed=True)
    entry = factories.expense_entry(company, "2000000", date=DAY)
    decisions = {entry.pk: Decision(billable_quantity=Decimal(1_000_000))}
    with pytest.raises(Refused, match="2,000,000,000,000.00 NOK is too large"):
        approve([entry], by=company.manager, decisions=decisions)
    assert approve([entry], by=company.manager).entries == [entry]
