"""An invoice in a foreign currency: each amount in accounting currency has a name, and they add up."""

import re
from decimal import Decimal

import pytest

from contracts.models import LegalEntity
from ledger.document import drawing
from ledger.document.shown import content_of
from ledger.invoicing.operations.posting import post
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_last_of_march(monkeypatch):
    """Every day is 31 March 2025."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)


@pytest.fixture
def accountant(client, no1):
    """The client, signed in as the accountant."""
    client.force_login(no1.accountant)
    return client


def in_euro(no1, rate, *, hours="10", price="100", **fields):
    """A proposal with 25 % tax for that work, of a contract in euro."""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal(rate))
    contract = factories.contract(no1, currency="EUR", confirmed=True, **fields)
    return proposed(no1, work(no1, contract, hours, price))


def text_of(html):
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(text.replace("\xa0", " ").split())


def shown(accountant, row):
    return text_of(accountant.get(row.get_absolute_url()).content.decode())


AGREED = (
    "Net at the agreed rate 11.00 NOK 11,000.00 Tax at the official rate 11.60 NOK 2,900.00"
    " Total in NOK NOK 13,900.00"
)
BASE = "Tax base in NOK at the official rate 11.60 Tax in NOK"


def test_the_agreed_and_the_official_rate_are_shown_with_their_amounts(no1, accountant):
    """PST-5: EUR 1,000 + 250 tax, agreed 11.00, official 11.60; 11,000 + 2,900 = 13,900, tax base 11,600"""
    proposal = in_euro(no1, "11.60", fixed_exchange_rate=Decimal(11))

    before = shown(accountant, proposal)
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    for text in (before, shown(accountant, proposal), shown(accountant, invoice)):
        assert BASE in text
        assert "EUR 1,000.00 EUR 250.00 NOK 11,600.00 NOK 2,900.00" in text
        assert AGREED in text


def test_the_printed_invoice_has_tax_base_and_tax_at_the_official_rate(no1):
    """PST-5 DOC-4: the net amount at the agreed rate is only in the books."""
    invoice = post(in_euro(no1, "11.60", fixed_exchange_rate=Decimal(11)), by=no1.accountant, on=MARCH_31)

    text = text_of(drawing.html(content_of(invoice)))

    assert "Rate Tax base VAT Tax base in NOK VAT in NOK" in text
    assert "1,000.00 250.00 11,600.00 2,900.00" in text
    assert "at the official rate: 11.60 NOK per EUR." in text
    assert "11,000.00" not in text


def test_without_an_agreed_rate_the_rounding_difference_is_named(no1, accountant):
    """PST-2: EUR 100.01 + 25.00 at 11.3333: 1,133.44 + 283.33 + 0.01 = 1,416.78"""
    text = shown(accountant, in_euro(no1, "11.3333", hours="1", price="100.01"))

    assert (
        "Net at the official rate 11.3333 NOK 1,133.44 Tax at the official rate 11.3333 NOK 283.33"
        " Rounding NOK 0.01 Total in NOK NOK 1,416.78" in text
    )


def test_an_invoice_in_the_accounting_currency_names_no_rate(no1, accountant):
    proposal = proposed(no1, work(no1, factories.contract(no1, confirmed=True)))

    assert "rate 1.00" not in shown(accountant, proposal)
