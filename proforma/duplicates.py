"""The same work twice: typed by hand on a proforma, and approved as an entry (APP-10, MAYBE-TWICE).

Approval warns where the detail was there before; here the draft does, whichever came first.
"""

from typing import NamedTuple

from django.db.models import F, Max, Min

from actuals.models import Actual, BillingType, Entry
from backlog.doubts import MAYBE_TWICE, ByHand, by_hand
from contracts.models import ContractLine
from proforma.models import LineDetail, ProformaInvoice

_LIVE = ["not_ready", "ready", "created", "posted"]
_SHARE = "actuals__backlog_item__detail__line__proforma"


class MaybeTwice(NamedTuple):
    """Work added by hand, an approved entry that may be the same, and the proforma that this one is on."""

    typed: ByHand
    entry: Entry
    billed_on: str  # its number; empty: on none yet

    def __str__(self):
        where = f"is on proforma {self.billed_on}" if self.billed_on else "waits in the backlog"
        return (
            f"{MAYBE_TWICE}: {self.typed}, added by hand on proforma {self.typed.proforma}, may be the "
            f"{self.entry}, which was approved and {where}. Take one of them off, or make it non-chargeable."
        )


def maybe_twice(proformas: list[ProformaInvoice]) -> dict[int, list[MaybeTwice]]:
    """What each of these would bill a second time, as it seems, by its key; three queries for any number.

    Either side may stand on it: the work added by hand, or the share of the entry.
    """
    pks = {proforma.pk for proforma in proformas}
    details = LineDetail.objects.filter(line__proforma__in=pks).chargeable()
    span = details.aggregate(since=Min("date"), until=Max("date"))
    if span["since"] is None:
        return {}
    lines = ContractLine.objects.filter(proforma_lines__proforma__in=pks)
    typed = by_hand(lines.values("project"), **span)
    found = {}
    for entry in _billed(typed) if typed else ():
        for each in typed:
            if each.may_be(entry):
                for pk in pks & {each.proforma_id, entry.on}:
                    found.setdefault(pk, []).append(MaybeTwice(each, entry, entry.number or ""))
    return found


def _billed(typed):
    """Approved entries of those projects and days that are charged; one row for each proforma they are on."""
    charged = Entry.objects.filter(
        status=Entry.Status.APPROVED,
        project__in={each.project_id for each in typed},
        date__in={each.date for each in typed},
        actuals__type=Actual.Type.UNBILLED_SALES,
        actuals__billing_type=BillingType.CHARGEABLE,
        actuals__reverses=None,
        actuals__backlog_item__status__in=_LIVE,
    )
    return charged.annotate(on=F(_SHARE), number=F(f"{_SHARE}__number")).order_by("date", "pk").distinct()
