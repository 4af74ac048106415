"""The words of an invoice are in its customer's language, and its page names another language."""

import datetime

import pytest

from contracts.models import Customer
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import edit_header
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "terms", "label"),
    [
        ("en", "By 20 May 2025", "<dt>Terms</dt>"),
        ("nb", "Innen 20. mai 2025", "<dt>Terms, as printed in Norwegian Bokmål</dt>"),
    ],
)
def test_the_page_of_an_invoice_names_the_language_of_its_terms(client, language, terms, label):
    """PRP-9 DOC-1"""
    no1 = factories.company()
    Customer.objects.update(language=language)
    proposal = proposed(no1, work(no1, factories.contract(no1, confirmed=True)))
    edit_header(proposal, by=no1.accountant, due_date=datetime.date(2025, 5, 20))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    assert invoice.payment_terms == terms
    client.force_login(no1.accountant)
    assert f"{label}<dd>{terms}</dd>" in client.get(invoice.get_absolute_url()).content.decode()
