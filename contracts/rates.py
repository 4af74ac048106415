"""Exchange rates of a legal entity, loaded once and then looked up in memory (MON-5, MON-8)."""

import datetime
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from contracts.models import ExchangeRate, LegalEntity
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason

ENTERED = "admin:contracts_exchangerate_add"
_ONE = Decimal(1)
_OLD_AFTER = datetime.timedelta(days=35)


def agreed(contract, currency: str, own: str) -> Decimal | None:
    """The agreed exchange rate of the contract; None for sales in the accounting currency `own` (PST-5)."""
    return contract.fixed_exchange_rate if contract and currency == contract.currency != own else None


class Rates:
    """The price of one unit of a currency in an entity's accounting currency, on any day."""

    def __init__(self, entity: LegalEntity, rate_type: str, rates: dict[str, tuple[list, list]]):
        self._entity = entity
        self._rate_type = ExchangeRate.RateType(rate_type)
        self._rates = rates

    @classmethod
    def load(
        cls,
        entity: LegalEntity,
        rate_type: str = ExchangeRate.RateType.SPOT,
        *,
        currencies: Iterable[str] | None = None,
    ) -> "Rates":
        """Load all rates of one type in one query; `currencies` are the only ones that can be looked up."""
        rows = ExchangeRate.objects.filter(entity=entity, rate_type=rate_type)
        if currencies is not None:
            rows = rows.filter(currency__in=set(currencies))
        rates: dict[str, tuple[list[datetime.date], list[Decimal]]] = defaultdict(lambda: ([], []))
        for currency, day, rate in rows.order_by("valid_from").values_list("currency", "valid_from", "rate"):
            days, values = rates[currency]
            days.append(day)
            values.append(rate)
        return cls(entity, rate_type, dict(rates))

    def on(self, currency: str, day: datetime.date) -> Decimal:
        """The rate of one unit, from the latest rate on or before the day; 1 for the accounting currency.

        Refused (FX-MISSING) if there is no rate: a missing rate is never treated as 1.
        """
        rate = self.found(currency, day)
        if rate is None:
            raise Refused(
                "FX-MISSING",
                remedy=ENTERED,
                entity=self._entity,
                kind=self._rate_type,
                currency=currency,
                day=day,
            )
        return rate

    def found(self, currency: str, day: datetime.date) -> Decimal | None:
        """The same, or None if there is no rate."""
        if currency == self._entity.currency:
            return _ONE
        days, values = self._rates.get(currency, ((), ()))
        position = bisect_right(days, day)
        return values[position - 1] if position else None

    def old(self, used: Iterable[tuple[str, datetime.date]]) -> list[Reason]:
        """An FX-OLD reason for each currency with a rate that is over 35 days older than the day of its use.

        Of several days, the one with the oldest rate is reported. Missing rates are not included: `on`
        refuses them.
        """
        found: dict[str, tuple[datetime.timedelta, datetime.date, datetime.date]] = {}
        for currency, day in used:
            days, _ = self._rates.get(currency, ((), ()))
            position = bisect_right(days, day)
            if not position or currency == self._entity.currency:
                continue
            age = day - days[position - 1]
            oldest = found[currency][0] if currency in found else _OLD_AFTER
            if age > max(_OLD_AFTER, oldest):
                found[currency] = age, days[position - 1], day
        return [
            Reason("FX-OLD", remedy=ENTERED, currency=currency, rated=rated, day=day, age=age.days)
            for currency, (age, rated, day) in sorted(found.items())
        ]
