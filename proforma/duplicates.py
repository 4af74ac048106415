"""Possible duplicates: work added by hand on a proforma that is also an approved entry (APP-10).

Approving an entry warns of a detail that exists already; the draft warns in both cases.
"""

from typing import NamedTuple

from django.db.models import F, Max, Min

from actuals.models import Actual, BillingType, Entry
from backlog.approval_warnings import ByHand, by_hand
from contracts.models import ContractLine
from invoicing_site.floor.reasons import Reason
from proforma.models import LineDetail, ProformaInvoice

_LIVE = ["not_ready", "ready", "created", "posted"]
_SHARE = "actuals__backlog_item__detail__line__proforma"


class MaybeTwice(NamedTuple):
    """Work added by hand, and an approved entry that may be the same work."""

    typed: ByHand
    entry: Entry
    billed_on: str  # the number of the entry's proforma; empty while it is in the backlog

    @property
    def reason(self) -> Reason:
        """The warning."""
        values = {"work": str(self.typed), "proforma": self.typed.proforma, "entry": self.entry}
        if self.billed_on:
            return Reason("MAYBE-BILLED-TWICE", other=self.billed_on, **values)
        return Reason("MAYBE-IN-BACKLOG", **values)


def maybe_twice(proformas: list[ProformaInvoice]) -> dict[int, list[MaybeTwice]]:
    """The possible duplicates of each proforma, by its primary key; three queries for any number.

    The proforma may have either side: the work added by hand, or the share of the entry.
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
    """Chargeable approved entries of those projects and days, with one row per proforma."""
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
