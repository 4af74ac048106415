"""A proposal with a total that is too large for the books is not posted (MON-1, PRP-5)."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from contracts.models import ExchangeRate
from ledger.invoicing import checks
from ledger.invoicing.operations.posting import post, post_all
from ledger.models import CustomerInvoice
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


def check_of(proposal):
    return [(each.severity, each.message, each.remedy) for each in _too_large(proposal)]


def _too_large(proposal):
    return [each for each in checks.check(proposal, on=MARCH_31) if each.code == "TOO-LARGE"]


def test_a_total_that_is_too_large_for_the_books_is_an_error(no1):
    """PRP-5 MON-1: 8,000,000,000,000 EUR at 11.60 are 92,800,000,000,000 NOK.

    With 25 % tax this is too much.
    """
    rate = factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", valid_from=date(2025, 1, 1), rate=Decimal("11.60")
    )
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    proposal = proposed(no1, work(no1, contract, "8", "1000000000000"))
    ((severity, message, remedy),) = check_of(proposal)
    assert message == (
        "The total in accounting currency: 116,000,000,000,000.00 NOK is too large. The largest possible "
        f"amount is 100,000,000,000,000. Return {proposal} to the project manager to reduce its details, or "
        "to bill some of them on another proforma."
    )
    assert (severity, remedy) == ("error", reverse("return_proposal", args=[proposal.pk]))
    (outcome,) = post_all([proposal], by=no1.accountant, on=MARCH_31)
    assert outcome.refusal.code == "INVOICE-TOO-LARGE"
    assert not CustomerInvoice.objects.exists()
    ExchangeRate.objects.filter(pk=rate.pk).update(rate=Decimal(10))
    assert check_of(proposal) == []
    assert post(proposal, by=no1.accountant, on=MARCH_31).accounting_total == Decimal("100000000000000")


def test_a_total_with_tax_is_checked_in_its_own_currency_too(no1):
    """PRP-5 MON-1: 90,000,000,000,000 and 25 % of tax are 112,500,000,000,000."""
    proposal = proposed(no1, work(no1, factories.contract(no1, confirmed=True), "18", "5000000000000"))
    ((_, message, _),) = check_of(proposal)
    assert message.startswith("The total: 112,500,000,000,000.00 NOK is too large. The largest")
