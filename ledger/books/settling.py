"""From which day on nothing of a customer's transaction is open (PST-8).

A transaction is closed when its settlements add up to it, in its currency and in accounting currency: from
the last day of these settlements, and of the documents and vouchers of both sides. Reports of earlier days
read it with the open ones, so a settlement that was reversed in between does no harm.
"""

import datetime
from collections import defaultdict
from decimal import Decimal

from django.db.models import QuerySet
from django.db.models.functions import Greatest

from invoicing_site.floor.querysets import in_chunks
from ledger.models import CustomerTransaction, Settlement, Voucher

_CHUNK = 5000
_SIDES = (("debit", 1), ("credit", -1))


def closing_days(transactions: QuerySet[CustomerTransaction]) -> dict[int, datetime.date | None]:
    """The day from which each of these transactions is closed by the settlements that are stored, or None.

    Transactions without any settlement, and which post no exchange difference, are left out: they are open.
    """
    settled: dict[int, list] = defaultdict(lambda: [Decimal(0), Decimal(0), datetime.date.min])
    for side, sign in _SIDES:
        rows = Settlement.objects.filter(**{f"{side}__in": transactions.values("pk")})
        days = Greatest(
            "date", "debit__date", "debit__voucher__date", "credit__date", "credit__voucher__date"
        )
        columns = side, "amount", f"{side}_accounting_amount"
        for key, amount, books, day in rows.annotate(day=days).values_list(*columns, "day"):
            sums = settled[key]
            sums[0] += sign * amount
            sums[1] += sign * books
            sums[2] = max(sums[2], day)
    result: dict[int, datetime.date | None] = {}
    for keys in in_chunks(settled, _CHUNK):
        rows = CustomerTransaction.objects.filter(pk__in=keys)
        for key, *amounts in rows.values_list("pk", "amount", "accounting_amount"):
            *sums, day = settled[key]
            result[key] = day if sums == amounts else None
    differences = transactions.filter(voucher__kind=Voucher.Kind.SETTLEMENT)
    result.update(differences.values_list("pk", Greatest("date", "voucher__date")))
    return result
