"""Warnings about a draft, to be checked before it is confirmed (APP-10, CON-12, JRN-3, PRP-8).

Confirming refuses only work dated after today, unless the legal entity invoices in advance, and work
that no order covers, if an order is required.
"""

import datetime
from typing import NamedTuple

from actuals import oddities
from actuals.naming import title_of
from contracts.chargeability import outside_lines
from contracts.models import TransactionClass
from invoicing_site.floor.reasons import Reason
from proforma.duplicates import maybe_twice
from proforma.models import LineDetail, ProformaInvoice
from proforma.orders import outside_order, shortages, unknown_order
from proforma.parties import party_changes
from proforma.tax_groups import missing_tax_groups

# The question before confirming shows this many warnings, and the number of the others.
_ASKED = 2


def warnings_of(proforma: ProformaInvoice) -> list[Reason]:
    """The warnings about a draft; the number of queries does not depend on its size."""
    found = [not_yet(proforma), in_advance([proforma]).get(proforma.pk)]
    found += [_short(proforma, each) for each in shortages(proforma)]
    found += [
        _outside(proforma),
        unknown_order(proforma),
        *_odd_days(proforma),
        *missing_tax_groups(proforma),
    ]
    found += [each.reason for each in maybe_twice([proforma]).get(proforma.pk, ())]
    return [reason for reason in found if reason]


def warnings_to_ask(proforma: ProformaInvoice, warnings: list[Reason]) -> list[Reason]:
    """The first warnings, and a changed customer, for the question before confirming."""
    asked = list(warnings)
    if changes := party_changes(proforma):
        asked.append(Reason("CUSTOMER-CHANGED", why=changes))
    if len(asked) <= _ASKED:
        return asked
    return [*asked[:_ASKED], Reason("MORE-WARNINGS", count=len(asked) - _ASKED)]


class _Ahead(NamedTuple):
    """The details of one proforma that are dated after today: how many, of which kind, from when to when."""

    n: int
    by_hand: int
    milestones: int
    first: datetime.date
    last: datetime.date

    @property
    def reason(self) -> Reason:
        if not self.milestones:
            return Reason("AHEAD-DETAILS", count=self.n, day=self.first)
        if self.milestones == self.n:
            return Reason("AHEAD-MILESTONES", count=self.n, day=self.first)
        return Reason("AHEAD-BOTH", count=self.n, day=self.first)


def not_yet(proforma: ProformaInvoice) -> Reason | None:
    """That it has work or a milestone dated after today, which can't be billed yet; None if not (PRP-8).

    Its invoice is dated today at the latest. None if the legal entity invoices in advance.
    """
    ahead = None if proforma.entity.invoices_in_advance else _ahead([proforma]).get(proforma.pk)
    if ahead is None:
        return None
    values = {"number": proforma.number, "why": ahead.reason, "last": ahead.last}
    return Reason("DATE-AHEAD-BY-HAND", **values) if ahead.by_hand else Reason("DATE-AHEAD", **values)


def in_advance(proformas: list[ProformaInvoice]) -> dict[int, Reason]:
    """The same as a warning, by primary key, for entities that invoice in advance; one query."""
    found = _ahead([each for each in proformas if each.entity.invoices_in_advance])
    return {pk: Reason("BILLED-IN-ADVANCE", why=ahead.reason) for pk, ahead in found.items()}


def _ahead(proformas) -> dict[int, _Ahead]:
    """By primary key, without corrections and retainers: a retainer is always paid before the work."""
    today = {
        each.pk: each.entity.today() for each in proformas if each.kind != ProformaInvoice.Kind.CORRECTION
    }
    if not today:
        return {}
    rows = LineDetail.objects.filter(line__proforma__in=today, date__gt=min(today.values())).order_by("pk")
    rows = rows.exclude(transaction_class=TransactionClass.RETAINER)
    found = {}
    for pk, day, kind, by in rows.values_list("line__proforma", "date", "transaction_class", "added_by"):
        if day > today[pk]:
            found.setdefault(pk, []).append((day, kind == TransactionClass.MILESTONE, by is not None))
    return {pk: _summed(details) for pk, details in found.items()}


def _summed(details):
    days, are_milestones, are_by_hand = zip(*details, strict=True)
    return _Ahead(len(days), sum(are_by_hand), sum(are_milestones), min(days), max(days))


def _short(proforma, shortage):
    is_refused, why = proforma.entity.require_order_reference, shortage.reason
    if shortage.used is None:
        return Reason("NO-ORDER-BLOCKS", why=why) if is_refused else Reason("NO-ORDER-WARNING", why=why)
    return Reason("SHORT-ORDER-BLOCKS", why=why) if is_refused else Reason("SHORT-ORDER-WARNING", why=why)


def _outside(proforma):
    if not (why := outside_order(proforma)):
        return None
    is_refused = proforma.entity.require_order_reference
    return Reason("ORDER-DATES-BLOCKS", why=why) if is_refused else Reason("ORDER-DATES-WARNING", why=why)


def _odd_days(proforma):
    """Details added by hand that are dated outside their line, contract or project, or far ahead."""
    added = LineDetail.objects.on_proforma(proforma).by_hand().order_by("date", "pk")
    added = list(added.select_related("line", "project", "task", "category", "product"))
    today, found = proforma.entity.today(), []
    outside = outside_lines((each.line.contract_line_id, each.date) for each in added)
    for each in added:
        title = title_of(each)
        if line := outside.get((each.line.contract_line_id, each.date)):
            found.append(Reason("BY-HAND-OUTSIDE-LINE", title=title, day=each.date, line=line))
        for oddity in oddities.of_day(each.date, each.project, today):
            found.append(Reason("BY-HAND-ODD-DATE", title=title, oddity=oddity))
    return found
