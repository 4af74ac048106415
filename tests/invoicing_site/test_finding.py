"""Filters by a row: a select of few rows, suggestions above that (SEC-1)."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import company, contract, customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def it(client):
    it = company()
    client.force_login(it.accountant)
    it.nord = customer(it, number="K-NORD", name="Nordlys AS")
    it.sor = customer(it, number="K-SOR", name="Sørlys AS")
    it.deal = contract(it, customers=[(it.nord, 100)])
    it.other = contract(it, customers=[(it.sor, 100)])
    return it


@pytest.fixture
def many(it):
    for n in range(60):
        customer(it, number=f"K-{n:03}", name=f"Customer {n}")
    return it


def page(client, query="", name="contracts"):
    return client.get(f"{reverse(name)}?{query}")


def shown(client, query):
    return set(page(client, query).context["object_list"])


def chips(client, query):
    return [each for each in page(client, query).context["active_filters"] if each[0] == "Customer"]


def suggested(client, text="", of="customer", name="contracts"):
    found = client.get(reverse(name), {"_suggest": of, "_text": text}).json()["found"]
    return [each["name"] for each in found]


def field(client, query=""):
    """The filter of the page: its hidden key and its text, or None if it is a select."""
    html = page(client, query).content.decode()
    found = re.search(r'name="customer" value="(\d*)"><input type="text"[^>]* value="([^"]*)"', html)
    return found and found.groups()


def test_few_rows_are_a_select(it, client):
    html = page(client, f"customer={it.nord.pk}").content.decode()
    assert f'<option value="{it.nord.pk}" selected>Nordlys AS</option>' in html
    assert field(client) is None


def test_more_than_fifty_rows_are_a_text_field(many, client):
    html = page(client).content.decode()
    assert "Customer 42" not in html
    assert field(client) == ("", "")
    assert field(client, f"customer={many.nord.pk}") == (str(many.nord.pk), "Nordlys AS")
    assert field(client, "customer_text=lys") == ("", "lys")
    # Nothing is selected, because there is no such row.
    assert field(client, "customer=999999999") == ("", "")


def test_the_key_in_the_address_chooses_one_row(many, client):
    assert shown(client, f"customer={many.nord.pk}") == {many.deal}
    assert chips(client, f"customer={many.nord.pk}&status=draft") == [
        ("Customer", "Nordlys AS", "status=draft")
    ]


def test_a_text_chooses_all_rows_that_contain_it(many, client):
    assert shown(client, "customer_text=lys") == {many.deal, many.other}
    assert shown(client, "customer_text=lys+nord") == {many.deal}
    assert shown(client, "customer_text=k-sor") == {many.other}
    assert shown(client, "customer_text=nobody") == set()
    assert chips(client, "customer_text=lys") == [("Customer", "“lys”", "")]


def test_without_javascript_an_edited_text_replaces_the_row(many, client):
    """The form then sends the key and the text."""
    key = f"customer={many.nord.pk}"
    assert shown(client, f"{key}&customer_text=Nordlys+AS") == {many.deal}
    assert chips(client, f"{key}&customer_text=Nordlys+AS") == [("Customer", "Nordlys AS", "")]
    assert shown(client, f"{key}&customer_text=s%C3%B8r") == {many.other}
    assert field(client, f"{key}&customer_text=s%C3%B8r") == ("", "sør")
    assert shown(client, f"{key}&customer_text=") == {many.deal, many.other}


def test_select_all_includes_the_rows_of_a_text(many, client):
    context = page(client, "customer_text=nord").context
    assert context["query"] == "customer_text=nord"
    assert context["matching"] == 1


def test_twenty_rows_are_suggested(many, client):
    assert suggested(client, "nord") == ["Nordlys AS"]
    assert suggested(client, "customer k-059") == ["Customer 59"]
    assert suggested(client, "no") == ["Nordlys AS"]
    assert len(suggested(client, "")) == 20
    assert suggested(client, "k-00") == [f"Customer {n}" for n in range(10)]
    assert suggested(client, "nord\0" + "y" * 500) == []


def test_only_rows_that_the_reader_may_see_are_suggested(many, client):
    """SEC-1: those of the selected company, and to a project manager those of own contracts."""
    customer(company("HR1", "EUR"), name="Nordlys d.o.o.")
    assert suggested(client, "nordlys") == ["Nordlys AS"]
    client.force_login(many.manager)
    assert suggested(client, "nordlys") == ["Nordlys AS"]  # the manager manages the contract's project
    assert suggested(client, "customer") == []
    client.force_login(many.member)
    assert page(client, "_suggest=customer&_text=nord").status_code == 403


def test_only_filters_by_a_row_have_suggestions(it, client):
    for name in ("status", "q", "nothing"):
        assert page(client, f"_suggest={name}").status_code == 404


def test_invalid_values_show_no_rows(many, client):
    for query in ("customer=x", "customer=999999999", "customer=9" * 30, "customer_text=" + "x" * 101):
        response = page(client, query)
        assert response.status_code == 200
        assert response.context["filter"].form.errors.keys() == {"customer"}
        assert list(response.context["object_list"]) == []
    assert page(client, "customer_text=%00").context["filter"].form.errors.keys() == {"customer"}


@pytest.mark.parametrize("query", ["", "customer={key}", "customer_text=lys"])
def test_the_page_reads_no_more_rows_for_more_choices(many, client, query):
    query = query.format(key=many.nord.pk)

    def read():
        with CaptureQueriesContext(connection) as captured:
            response = page(client, query)
        return len(captured), len(response.content)

    read()
    queries, size = read()
    for n in range(100, 400):
        customer(many, number=f"K-{n}", name=f"Customer {n}")
    assert read() == (queries, size)
