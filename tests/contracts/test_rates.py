"""Exchange rates by day."""

import datetime
from decimal import Decimal

import pytest

from contracts.rates import Rates
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from tests.factories import ExchangeRateFactory, LegalEntityFactory

MARCH = datetime.date(2025, 3, 1)


@pytest.fixture
def entity(db):
    entity = LegalEntityFactory(name="Nord AS", currency="NOK")
    ExchangeRateFactory(entity=entity, valid_from=MARCH, rate=Decimal("11.60"))
    ExchangeRateFactory(entity=entity, valid_from=datetime.date(2025, 3, 20), rate=Decimal("11.75"))
    return entity


@pytest.mark.parametrize(("day", "rate"), [(1, "11.60"), (19, "11.60"), (20, "11.75"), (31, "11.75")])
def test_the_latest_rate_on_or_before_the_day_counts(entity, day, rate):
    """MON-5"""
    assert Rates.load(entity).on("EUR", datetime.date(2025, 3, day)) == Decimal(rate)


def test_the_accounting_currency_is_one(entity):
    assert Rates.load(entity).on("NOK", datetime.date(1999, 1, 1)) == 1


def test_a_day_before_the_first_rate_is_refused(entity):
    """MON-8"""
    with pytest.raises(Refused) as refusal:
        Rates.load(entity).on("EUR", datetime.date(2025, 2, 28))

    assert refusal.value.code == "FX-MISSING"
    assert "Nord AS has no official exchange rate for EUR on 28 Feb 2025" in refusal.value.message
    assert refusal.value.remedy == "admin:contracts_exchangerate_add"


def test_a_currency_without_rates_is_refused(entity):
    """MON-8"""
    with pytest.raises(Refused, match="exchange rate for USD on 1 Mar 2025"):
        Rates.load(entity).on("USD", MARCH)


def test_rates_of_another_type_or_entity_do_not_count(entity):
    """MON-8"""
    ExchangeRateFactory(entity=entity, currency="USD", rate_type="budget", rate=Decimal("10"))
    ExchangeRateFactory(entity=LegalEntityFactory(), currency="USD", rate=Decimal("9"))

    with pytest.raises(Refused, match="no official"):
        Rates.load(entity).on("USD", MARCH)
    assert Rates.load(entity, "budget").on("USD", MARCH) == 10


def test_one_query_serves_all_days_and_currencies(entity, django_assert_num_queries):
    ExchangeRateFactory(entity=entity, currency="USD", rate=Decimal("10.10"))

    with django_assert_num_queries(1):
        rates = Rates.load(entity)
        assert rates.on("USD", MARCH) == Decimal("10.10")
        assert rates.on("EUR", MARCH) == Decimal("11.60")


def test_only_the_currencies_asked_for_are_read(entity):
    ExchangeRateFactory(entity=entity, currency="USD", rate=Decimal("10.10"))
    rates = Rates.load(entity, currencies=["USD"])

    assert rates.on("USD", MARCH) == Decimal("10.10")
    with pytest.raises(Refused):
        rates.on("EUR", MARCH)


def test_a_rate_of_more_than_35_days_before_is_old(entity):
    """FX-OLD: 20 March to 24 April are 35 days"""
    rates = Rates.load(entity)
    days = [datetime.date(2025, 4, day) for day in (24, 25, 30, 26)]

    assert rates.old([("EUR", days[0]), ("NOK", days[2]), ("USD", days[2])]) == []
    assert rates.old(("EUR", day) for day in days) == [
        Reason(
            "FX-OLD",
            remedy="admin:contracts_exchangerate_add",
            currency="EUR",
            rated=datetime.date(2025, 3, 20),
            day=days[2],
            age=41,
        )
    ]
