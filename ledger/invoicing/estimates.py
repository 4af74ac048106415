"""What tax a proforma is likely to bear, before accounting has decided on it (PRO-2).

The groups, codes and rounding of the invoice itself; what only posting knows (the day, groups that journals
carry) is taken as it is now.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from invoicing_site.floor.errors import Refused
from ledger.invoicing.content import delivery_day
from ledger.invoicing.tax import TaxableLine, TaxBook, rate_day, tax_of
from proforma.models import LineDetail, ProformaInvoice
from proforma.tax_groups import item_giver, of_details

_ZERO = Decimal(0)
_EDITING = "press “Edit” at the detail and choose one"
_READING = "have its project manager choose one at the detail"
_CONFIRMED = "have an accountant choose one on the line of its invoice proposal"


@dataclass(frozen=True)
class Estimate:
    """The net of a proforma and its likely tax; without a tax there is a sentence that says why."""

    currency: str
    net: Decimal
    tax: Decimal | None
    why_not: str = ""

    @property
    def total(self) -> Decimal | None:
        return None if self.tax is None else self.net + self.tax


def estimate(proforma: ProformaInvoice, *, may_edit: bool = False) -> Estimate:
    """The tax of what is chargeable on it, if it were invoiced today.

    `may_edit` is whether whoever reads this may change its details: what they are told to do depends on it.
    """
    today = proforma.entity.today()
    nets = _nets_by_tax(proforma, today)
    net = sum(nets.values(), _ZERO)
    if proforma.corrects_id:
        why = "the tax of a correction follows from the invoice that it corrects"
        return Estimate(proforma.currency, net, None, f"No estimate: {why}.")
    book = TaxBook.load(proforma.entity)
    choose = _EDITING if may_edit else _READING
    if proforma.status == ProformaInvoice.Status.CONFIRMED:
        choose = _CONFIRMED
    try:
        lines = [
            TaxableLine((*kind, giver), amount, book.codes(*kind, item_giver=giver, choose=choose))
            for (*kind, giver), amount in nets.items()
        ]
    except Refused as refusal:
        return Estimate(proforma.currency, net, None, f"No estimate: {refusal.message}")
    return Estimate(proforma.currency, net, tax_of(lines, proforma.currency).total)


def _nets_by_tax(proforma, today):
    """What is chargeable by billing and item tax group and by the day whose rate counts (PST-4).

    A group that is blank is the default as it is now; where there is none either, what would give one.
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
    now = of_details(proforma, [key for key, *_, billing, item, _, _ in rows if None in (billing, item)])
    nets = defaultdict(Decimal)
    for key, transaction_class, date, amount, billing, item, category, product in rows:
        default_billing, default_item = now.get(key, (None, None))
        delivered = delivery_day(transaction_class, date, proforma.accounting_date)
        day = rate_day(transaction_class, delivered, today)
        item = item or default_item
        giver = "" if item else item_giver(transaction_class, category=category, product=product)
        nets[billing or default_billing, item, day, giver] += amount
    return nets
