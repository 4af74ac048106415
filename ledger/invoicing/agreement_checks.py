"""Checks of what was agreed with a customer: its orders, who is billed, what may stand on one invoice."""

from django.urls import reverse

from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused
from ledger.invoicing.checks import ERROR, WARNING, CheckResult, named
from ledger.invoicing.invoice_tax import tax_codes, tax_kind
from ledger.models import TaxCode
from proforma.orders import PO_AMOUNT, PO_DATES, order_of, outside_order, shortages
from proforma.parties import NUMBERS, in_words, party_changes, party_of


@named(PO_AMOUNT)
def _its_order_has_room(examined):
    """CON-12: an error where an order is required, else a warning."""
    facts = examined.facts
    severity = ERROR if facts.entity.require_order_reference else WARNING
    way = "bill it under another" if facts.proforma.order_reference else "bill less and enter its number"
    for shortage in shortages(facts.proforma):
        yield CheckResult(
            PO_AMOUNT,
            severity,
            f"{shortage.sentence} Have an administrator raise the order, or return {facts.proposal} to the "
            f"project manager to {way}.",
            reverse("admin:contracts_purchaseorder_change", args=[shortage.order_id]),
        )


@named(PO_DATES)
def _its_order_is_valid(examined):
    """CON-12: its days may have been changed since; an error where an order is required, else a warning."""
    facts = examined.facts
    if sentence := outside_order(facts.proforma):
        yield CheckResult(
            PO_DATES,
            ERROR if facts.entity.require_order_reference else WARNING,
            f"{sentence}. Have an administrator change the days of the order, or return {facts.proposal} to "
            "the project manager to bill it under another.",
            reverse("admin:contracts_purchaseorder_change", args=[order_of(facts.proforma).pk]),
        )


@named("TAX-SCOPE")
def _outside_scope_stands_alone(examined):
    """DOC-2: category O never stands beside another on one invoice."""
    facts, outside, inside = examined.facts, [], []
    scope = {}
    for line in facts.lines:
        kind = tax_kind(facts, line)
        if kind not in scope:
            try:
                categories = {at.code.category for at in tax_codes(facts, kind)}
            except Refused:
                categories = None  # TAX-MISSING says it
            scope[kind] = categories and TaxCode.Category.OUTSIDE_SCOPE in categories
        if scope[kind] is not None:
            (outside if scope[kind] else inside).append(line.number)
    if outside and inside:
        few, which = (outside, "outside") if len(outside) <= len(inside) else (inside, "inside")
        lines = wording.counted(len(few), "line is", "lines are")
        yield CheckResult(
            "TAX-SCOPE",
            ERROR,
            f"{lines} {which} the scope of tax, the first is line {few[0]}, and the others are not: the two "
            f"can't stand on one invoice. Return {facts.proposal} to the project manager: details that are "
            "removed from the draft are ready again, and get an invoice of their own.",
        )


@named("PARTY-CHANGED")
def _the_customer_is_as_it_was(examined):
    """CON-11: the invoice says what was copied; what has changed since is told."""
    facts = examined.facts
    if changed := party_changes(facts.proforma):
        yield CheckResult(
            "PARTY-CHANGED",
            WARNING,
            f"{facts.proforma.bill_to_name} has changed since {facts.proforma} was made: "
            f"{'; '.join(changed)}. The invoice says what was confirmed; to have it say the new, return "
            f"{facts.proposal} to the project manager, who takes it over on the draft.",
        )


@named("PARTY-NUMBERS")
def _numbers_are_those_of_the_name(examined):
    """CON-9: a bill-to of another name has its own numbers."""
    proforma = examined.facts.proforma
    copied = proforma.copied_party
    if not copied or proforma.bill_to_name in (
        copied["bill_to_name"],
        party_of(proforma.contract_customer)["bill_to_name"],
    ):
        return
    kept = [name for name in NUMBERS[:2] if copied[name] and getattr(proforma, name) == copied[name]]
    for name in kept:
        yield CheckResult(
            "PARTY-NUMBERS",
            WARNING,
            f"It is made out to {proforma.bill_to_name} with the {in_words(name)} of "
            f"{copied['bill_to_name']}, {copied[name]}. If that is not theirs too, return "
            f"{examined.facts.proposal} to the project manager to have it changed.",
        )
