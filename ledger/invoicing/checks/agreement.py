"""Checks of the agreement with a customer: its orders, the bill-to party, and taxes on one invoice."""

from django.urls import reverse

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from ledger.invoicing.checks.examining import ERROR, WARNING, CheckResult, named
from ledger.invoicing.tax_rows import tax_codes, tax_kind
from ledger.models import TaxCode
from proforma.orders import PO_AMOUNT, PO_DATES, outside_order, own_order, shortages
from proforma.parties import NUMBERS, in_words, party_changes, party_of


@named(PO_AMOUNT)
def _its_order_has_room(examined):
    """CON-12: an error if the entity requires an order, else a warning."""
    facts = examined.facts
    severity = ERROR if facts.entity.require_order_reference else WARNING
    for shortage in shortages(facts.proforma, orders=facts.orders, rows=facts.under_order):
        remedy = reverse("admin:contracts_purchaseorder_change", args=[shortage.order_id])
        values = {"why": shortage.reason, "proposal": facts.proposal, "remedy": remedy}
        if facts.proforma.order_reference:
            yield CheckResult(PO_AMOUNT, severity, Reason("ORDER-SHORT", **values))
        else:
            yield CheckResult(PO_AMOUNT, severity, Reason("NO-ORDER-FITS", **values))


@named(PO_DATES)
def _its_order_is_valid(examined):
    """CON-12: the order may have changed since; an error if the entity requires an order, else a warning."""
    facts = examined.facts
    if why := outside_order(facts.proforma, orders=facts.orders, rows=facts.under_order):
        severity = ERROR if facts.entity.require_order_reference else WARNING
        remedy = reverse(
            "admin:contracts_purchaseorder_change", args=[own_order(facts.orders, facts.proforma).pk]
        )
        reason = Reason("ORDER-OUTSIDE", why=why, proposal=facts.proposal, remedy=remedy)
        yield CheckResult(PO_DATES, severity, reason)


@named("TAX-SCOPE")
def _outside_scope_stands_alone(examined):
    """DOC-2: an invoice with tax category O has no other category."""
    facts, outside, inside = examined.facts, [], []
    scope = {}
    for line in facts.lines:
        kind = tax_kind(facts, line)
        if kind not in scope:
            try:
                categories = {at.code.category for at in tax_codes(facts, kind)}
            except Refused:
                categories = None  # TAX-MISSING finds it
            scope[kind] = categories and TaxCode.Category.OUTSIDE_SCOPE in categories
        if scope[kind] is not None:
            (outside if scope[kind] else inside).append(line.number)
    if outside and inside:
        are_outside = len(outside) <= len(inside)
        few = outside if are_outside else inside
        values = {"count": len(few), "line": str(few[0]), "proposal": facts.proposal}
        if are_outside:
            yield CheckResult("TAX-SCOPE", ERROR, Reason("TAX-SCOPE-OUTSIDE", **values))
        else:
            yield CheckResult("TAX-SCOPE", ERROR, Reason("TAX-SCOPE-INSIDE", **values))


@named("PARTY-CHANGED")
def _the_customer_is_as_it_was(examined):
    """CON-11: the invoice has the copied party; a warning if the customer changed since."""
    facts = examined.facts
    if changed := party_changes(facts.proforma):
        reason = Reason(
            "PARTY-CHANGED",
            name=facts.proforma.bill_to_name,
            proforma=facts.proforma,
            changes=changed,
            proposal=facts.proposal,
        )
        yield CheckResult("PARTY-CHANGED", WARNING, reason)


@named("PARTY-NUMBERS")
def _numbers_are_those_of_the_name(examined):
    """CON-9: a warning if the bill-to name was changed and the numbers were not."""
    proforma = examined.facts.proforma
    copied = proforma.copied_party
    if not copied or proforma.bill_to_name in (
        copied["bill_to_name"],
        party_of(proforma.contract_customer)["bill_to_name"],
    ):
        return
    kept = [name for name in NUMBERS[:2] if copied[name] and getattr(proforma, name) == copied[name]]
    for name in kept:
        reason = Reason(
            "PARTY-NUMBERS",
            name=proforma.bill_to_name,
            field=in_words(name),
            number=copied[name],
            original=copied["bill_to_name"],
            proposal=examined.facts.proposal,
        )
        yield CheckResult("PARTY-NUMBERS", WARNING, reason)
