"""What the ledger has to say on pages of the rooms to its left."""

from django import template

from ledger.invoicing.estimates import estimate

register = template.Library()


@register.inclusion_tag("ledger/tax_estimate.html")
def tax_estimate(proforma, may_edit):
    """One line with net, tax and total of a proforma, as accounting would work them out today."""
    return {"found": estimate(proforma, may_edit=may_edit)}
