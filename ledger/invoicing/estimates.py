"""The tax estimate of a proforma, before an accountant sets the tax (PRO-2).

With the groups, codes and rounding of an invoice. What only posting knows (the day, the groups of journal
lines) is taken as it is now.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from ledger.invoicing.content import delivery_day
from ledger.invoicing.tax import TaxableLine, TaxBook, rate_day, tax_of
from proforma.models import LineDetail, ProformaInvoice
from proforma.tax_groups import item_giver, of_details

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Estimate:
    """The net amount of a proforma and its estimated tax; `why_not` is the reason if there is no estimate."""

    currency: str
    net: Decimal
    tax: Decimal | None
    why_not: Reason | None = None

    @property
    def total(self) -> Decimal | None:
        return None if self.tax is None else self.net + self.tax


def estimate(proforma: ProformaInvoice, *, may_edit: bool = False) -> Estimate:
    """The tax of its chargeable details, if it were invoiced today.

    `may_edit` is whether the reader may change its details: the advice depends on it.
    """
    today = proforma.entity.today()
    nets = _nets_by_tax(proforma, today)
    net = sum(nets.values(), _ZERO)
    if proforma.corrects_id:
        return Estimate(proforma.currency, net, None, Reason("NO-ESTIMATE-OF-CORRECTION"))
    book = TaxBook.load(proforma.entity)
    choose = Reason("CHOOSE-AT-DETAIL") if may_edit else Reason("MANAGER-CHOOSES")
    if proforma.status == ProformaInvoice.Status.CONFIRMED:
        choose = Reason("ACCOUNTANT-CHOOSES")
    try:
        lines = [
            TaxableLine((*kind, giver), amount, book.codes(*kind, item_giver=giver, choose=choose))
            for (*kind, giver), amount in nets.items()
        ]
    except Refused as refusal:
        return Estimate(proforma.currency, net, None, Reason("NO-ESTIMATE", why=refusal.reason))
    return Estimate(proforma.currency, net, tax_of(lines, proforma.currency).total)


def _nets_by_tax(proforma, today):
    """Chargeable amounts by billing tax group, item tax group and the day whose rate applies (PST-4).

    A missing group is today's default; the last part of the key is where a missing item group is set up.
    """
    details = LineDetail.objects.on_proforma(proforma).chargeable()
    columns = (
        "pk",
        "transaction_class",
        "date",
        "amount",
        "billing_tax_group",
        "item_tax_group",
        "category",
        "product",
    )
    rows = list(details.values_list(*columns))
    now = of_details([proforma], [key for key, *_, billing, item, _, _ in rows if None in (billing, item)])
    nets = defaultdict(Decimal)
    for key, transaction_class, date, amount, billing, item, category, product in rows:
        default_billing, default_item = now.get(key, (None, None))
        delivered = delivery_day(transaction_class, date, proforma.accounting_date)
        day = rate_day(transaction_class, delivered, today)
        item = item or default_item
        giver = "" if item else item_giver(transaction_class, category=category, product=product)
        nets[billing or default_billing, item, day, giver] += amount
    return nets
