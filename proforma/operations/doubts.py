"""What to look at before a draft is confirmed, as sentences (APP-10, CON-12).

Only work dated after today is refused there; where an order is required, so is what has no room under it.
"""

from django.db.models import Count, Max, Min

from actuals import oddities
from actuals.naming import title_of
from contracts.chargeability import outside_lines
from invoicing_site import wording
from proforma.models import LineDetail, ProformaInvoice
from proforma.operations.twice import maybe_twice
from proforma.orders import outside_order, shortages, unknown_order
from proforma.parties import party_changes

# What the question before confirming says in full; of the rest it says how many there are.
_ASKED = 2


def doubts_of(proforma: ProformaInvoice) -> list[str]:
    """Sentences on a draft; the same number of queries whatever stands on it."""
    found = [not_yet(proforma), *(_short(proforma, each) for each in shortages(proforma))]
    found += [_outside(proforma), unknown_order(proforma), *_odd_days(proforma)]
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


def not_yet(proforma: ProformaInvoice) -> str:
    """That it holds work added by hand for a day after today, which is not billed before; or nothing.

    Approved work has had its day.
    """
    if proforma.kind == ProformaInvoice.Kind.CORRECTION:
        return ""
    ahead = LineDetail.objects.on_proforma(proforma).by_hand().order_by()
    ahead = ahead.filter(date__gt=proforma.entity.today())
    found = ahead.aggregate(n=Count("pk"), first=Min("date"), last=Max("date"))
    if not found["n"]:
        return ""
    of = wording.counted(found["n"], "detail is", "details are")
    them = "it" if found["n"] == 1 else "them"
    since = "" if found["n"] == 1 else "the first on "
    return (
        f"Proforma {proforma.number} can't be confirmed yet: {of} work dated after today "
        f"({since}{wording.day(found['first'])}). Remove {them}, and add {them} again with the right day if "
        f"that is a slip, or confirm from {wording.day(found['last'])} on."
    )


def _short(proforma, shortage):
    is_refused = proforma.entity.require_order_reference
    way = "give it another order number" if shortage.used is None else "remove or lower details"
    way = f"It can't be confirmed like this: {way}" if is_refused else f"{way[:1].upper()}{way[1:]}"
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
