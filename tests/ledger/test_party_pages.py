"""The buyer of a document, on the pages that lead to it (CON-9, CON-11, DOC-4)."""

import pytest
from django.urls import reverse

from ledger.invoicing.operations.posting import post
from tests.ledger.billing import MARCH_31, drafted, proposed, work

pytestmark = pytest.mark.django_db


def shown(client, user, address):
    client.force_login(user)
    return client.get(address).content.decode()


def lead(page):
    """The line below the heading."""
    return page[page.index('<p class="muted">') :].partition("</p>")[0]


def renamed(customer, name="Beta AS"):
    customer.name = name
    customer.save()


def test_a_posted_invoice_shows_the_printed_name(no1, contract, client):
    """CON-11 DOC-1: the customer has another name since then."""
    no1.customer.name = "Alfa AS"
    no1.customer.save()
    proposal = proposed(no1, work(no1, contract))
    pages = [proposal.get_absolute_url(), proposal.proforma.get_absolute_url()]
    for address in pages:
        said = lead(shown(client, no1.accountant, address))
        assert "Alfa AS ·" in said
        assert "customer" not in said
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    renamed(no1.customer)
    for address in pages:
        said = lead(shown(client, no1.accountant, address))
        assert f"Alfa AS · customer {no1.customer.number} Beta AS ·" in said
    assert invoice.buyer_name == "Alfa AS"


def test_the_question_before_confirming_names_the_buyer(no1, contract, client):
    """PRO-5 CON-11"""
    was = no1.customer.name
    draft = drafted(no1, work(no1, contract))
    renamed(no1.customer)
    page = shown(client, no1.manager, draft.get_absolute_url())
    assert f"1,000.00 for {was}, 1 detail?" in page


def test_the_search_shows_the_customer_once(no1, contract, client):
    """DOC-1: with the name that the invoice prints."""
    no1.customer.name = "Alfa AS"
    no1.customer.save()
    invoice = post(proposed(no1, work(no1, contract)), by=no1.accountant, on=MARCH_31)
    renamed(no1.customer)
    page = shown(client, no1.accountant, f"{reverse('search')}?q=Alfa")
    for title, row in (("Invoices", invoice), ("Proformas", invoice.proposal.proforma)):
        group = page[page.index(f"<h2>{title}</h2>") :].partition("</section>")[0]
        assert f'href="{row.get_absolute_url()}"' in group
        assert group.count("Alfa AS") == 1
        assert "Beta AS" not in group


def test_an_address_ends_with_the_name_of_the_country(no1, contract, client):
    """DOC-4: not with its code of two letters."""
    no1.customer.country = "SE"
    no1.customer.save()
    proposal = proposed(no1, work(no1, contract))
    no1.entity.iban, no1.entity.bic = "NO9386011117947", "DNBANOKK"
    no1.entity.save()
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    customer = reverse("customer", args=[no1.customer.pk])
    for address in (proposal.proforma.get_absolute_url(), invoice.get_absolute_url(), customer):
        page = shown(client, no1.accountant, address)
        assert "<br>Sweden<" in page
        assert "<br>SE" not in page
    assert "<br>Norway" in shown(client, no1.accountant, invoice.get_absolute_url())
