"""Template tags of the ledger for pages of other rooms."""

from django import template

from ledger.invoicing.estimates import estimate

register = template.Library()


@register.inclusion_tag("ledger/tax_estimate.html")
def tax_estimate(proforma, may_edit):
    """Net, estimated tax and total of a proforma."""
    return {"found": estimate(proforma, may_edit=may_edit)}
