"""What to look at before a draft is confirmed, as sentences (APP-10, CON-12, JRN-3, PRP-8).

Only what is dated after today is refused there, unless the company invoices in advance; where an order is
required, so is what has no room under it.
"""

import datetime
from typing import NamedTuple

from actuals import oddities
from actuals.naming import title_of
from contracts.chargeability import outside_lines
from contracts.models import TransactionClass
from invoicing_site.floor import wording
from proforma.duplicates import maybe_twice
from proforma.models import LineDetail, ProformaInvoice
from proforma.orders import outside_order, shortages, unknown_order
from proforma.parties import party_changes
from proforma.tax_groups import lacking

# What the question before confirming says in full; of the rest it says how many there are.
_ASKED = 2


def doubts_of(proforma: ProformaInvoice) -> list[str]:
    """Sentences on a draft; the same number of queries whatever stands on it."""
    found = [not_yet(proforma), in_advance([proforma]).get(proforma.pk, "")]
    found += [_short(proforma, each) for each in shortages(proforma)]
    found += [_outside(proforma), unknown_order(proforma), *_odd_days(proforma), *lacking(proforma)]
    found += map(str, maybe_twice([proforma]).get(proforma.pk, ()))
    return [sentence for sentence in found if sentence]


def in_question(proforma: ProformaInvoice, doubts: list[str]) -> list[str]:
    """What the question before confirming says of them, and of a customer that has changed."""
    said = list(doubts)
    if changes := party_changes(proforma):
        said.append(f"The customer has changed since this draft was made: {'; '.join(changes)}.")
    if len(said) <= _ASKED:
        return said
    return [*said[:_ASKED], f"And {wording.counted(len(said) - _ASKED, 'more warning')} on the page."]


class _Ahead(NamedTuple):
    """What of one proforma is dated after today: how much, what it is, and its days."""

    n: int
    by_hand: int
    milestones: int
    first: datetime.date
    last: datetime.date

    @property
    def what(self) -> str:
        """As a sentence begins: 2 details are work dated after today (the first on 1 Apr 2025)."""
        of = wording.counted(self.n, "detail is", "details are")
        work = "work"
        if self.milestones:
            work = "a milestone" if self.n == 1 else "milestones"
            work = work if self.milestones == self.n else "work and milestones"
        since = "" if self.n == 1 else "the first on "
        return f"{of} {work} dated after today ({since}{wording.day(self.first)})"


def not_yet(proforma: ProformaInvoice) -> str:
    """That it holds work or a milestone of a day after today, which is not billed before; or nothing (PRP-8).

    Its invoice is dated today at the latest. Nothing where the company invoices in advance.
    """
    ahead = None if proforma.entity.invoices_in_advance else _ahead([proforma]).get(proforma.pk)
    if ahead is None:
        return ""
    them = "it" if ahead.n == 1 else "them"
    again = them if ahead.by_hand == ahead.n else "what was added by hand"
    slip = f", and add {again} again with the right day if that is a slip," if ahead.by_hand else ""
    return (
        f"Proforma {proforma.number} can't be confirmed yet: {ahead.what}. Remove {them}{slip} or confirm "
        f"from {wording.day(ahead.last)} on."
    )


def in_advance(proformas: list[ProformaInvoice]) -> dict[int, str]:
    """The same as a warning, by the key of each, where the company invoices in advance; one query."""
    found = _ahead([each for each in proformas if each.entity.invoices_in_advance])
    return {
        pk: f"{ahead.what}: {'it is' if ahead.n == 1 else 'they are'} invoiced in advance."
        for pk, ahead in found.items()
    }


def _ahead(proformas) -> dict[int, _Ahead]:
    """Of those that are no corrections; a retainer is paid before the work by its nature."""
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
    is_refused = proforma.entity.require_order_reference
    way = "remove or lower details"
    if shortage.used is None:
        way += " until it has room and enter its number in the header"
    way = f"It can't be confirmed like this: {way}" if is_refused else wording.capital(way)
    return f"{shortage.sentence} {way}, or have the order raised."


def _outside(proforma):
    if not (sentence := outside_order(proforma)):
        return ""
    way = "give it another order number, or have the days of the order changed."
    is_refused = proforma.entity.require_order_reference
    return f"{sentence}. " + (f"It can't be confirmed like this: {way}" if is_refused else way.capitalize())


def _odd_days(proforma):
    """Of what was added by hand: days outside those of its line, contract or project, or far ahead."""
    added = LineDetail.objects.on_proforma(proforma).by_hand().order_by("date", "pk")
    added = list(added.select_related("line", "project", "task", "category", "product"))
    today, found = proforma.entity.today(), []
    outside = outside_lines((each.line.contract_line_id, each.date) for each in added)
    for each in added:
        what = f"“{title_of(each)}”, added by hand, is"
        if days := outside.get((each.line.contract_line_id, each.date)):
            found.append(f"{what} dated {wording.day(each.date)}, and {days}. Is that right?")
        phrases = oddities.of_day(each.date, each.project, today)
        found += [f"{what} {phrase}. Is that right?" for phrase in phrases]
    return found
