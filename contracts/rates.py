"""Exchange rates of a legal entity, read once and asked often (MON-5, MON-8)."""

import datetime
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from contracts.models import ExchangeRate, LegalEntity
from invoicing_site import wording
from invoicing_site.errors import Refused

_ONE = Decimal(1)


class Rates:
    """What one unit of a currency is worth in an entity's accounting currency, at any day."""

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
        """All rates of one type in one query; `currencies` are the only ones that will be asked for."""
        rows = ExchangeRate.objects.filter(entity=entity, rate_type=rate_type)
        if currencies is not None:
            rows = rows.filter(currency__in=set(currencies))
        rates = defaultdict(lambda: ([], []))
        for currency, day, rate in rows.order_by("valid_from").values_list("currency", "valid_from", "rate"):
            days, values = rates[currency]
            days.append(day)
            values.append(rate)
        return cls(entity, rate_type, dict(rates))

    def on(self, currency: str, day: datetime.date) -> Decimal:
        """Accounting currency for one unit, from the latest rate on or before the day; 1 for itself.

        Refused (FX-MISSING) when there is none: a missing rate never becomes 1 in silence.
        """
        if currency == self._entity.currency:
            return _ONE
        days, values = self._rates.get(currency, ((), ()))
        position = bisect_right(days, day)
        if not position:
            raise Refused(
                f"{self._entity} has no {self._rate_type.label} exchange rate for {currency} on "
                f"{wording.day(day)}: enter one that is valid from that day or earlier.",
                code="FX-MISSING",
                remedy="admin:contracts_exchangerate_add",
            )
        return values[position - 1]
