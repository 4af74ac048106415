"""Words are found in the fields of a row and of the rows that it names, by an index on PostgreSQL."""

import pytest
from django.db import connection

from contracts.models import ContractCustomer, Customer, Project, ProjectContract
from invoicing_site.floor import searching
from invoicing_site.floor.searching import containing, newest
from tests.factories import company, contract, customer

pytestmark = pytest.mark.django_db
FIELDS = ("contract__code", "customer__number", "customer__name")


@pytest.fixture
def it():
    it = company()
    it.nord = customer(it, number="K-17", name="Nordlys AS")
    it.sor = customer(it, number="K-170", name="Sørlys 100% AS")
    return it


def found(text, *fields):
    return {row.number for row in containing(Customer.objects.all(), fields or ("number", "name"), text)}


def test_each_word_is_in_one_of_the_fields(it):
    assert found("lys") == {"K-17", "K-170"}
    assert found("LYS k-17") == {"K-17", "K-170"}
    assert found("nord k-17") == {"K-17"}
    assert found("nord k-170") == set()
    assert found("100%") == {"K-170"}
    assert found("k_17") == set()
    assert found("") >= {"K-17", "K-170"}


def test_one_or_two_letters_are_the_beginning_of_a_word(it):
    assert found("no") == {"K-17"}
    assert found("nordlys as") == {"K-17"}
    assert found("k-") == {"K-17", "K-170"}
    assert found("ys") == set()


@pytest.mark.parametrize("most_keys", [1000, 0])
def test_words_of_other_rows_are_found_whether_few_or_many_rows_have_them(it, monkeypatch, most_keys):
    monkeypatch.setattr(searching, "_MOST_KEYS", most_keys)
    north = contract(it, customers=[(it.nord, 100)], code="C-NORTH").customers.get()
    south = contract(it, customers=[(it.sor, 100)], code="C-SOUTH").customers.get()
    for text, expected in (
        ("lys", {north, south}),
        ("nordlys", {north}),
        ("c-south", {south}),
        ("c-south lys", {south}),
        ("c-north sørlys", set()),
    ):
        assert set(containing(ContractCustomer.objects.all(), FIELDS, text)) == expected, text


@pytest.mark.parametrize("most_keys", [1000, 0])
def test_the_newest_rows_come_first(it, monkeypatch, most_keys):
    monkeypatch.setattr(searching, "_MOST_KEYS", most_keys)
    rows = containing(Customer.objects.all(), ["name"], "lys")
    assert list(newest(rows, 1)) == [it.sor]
    assert list(newest(rows, 3)) == [it.sor, it.nord]


def test_the_columns_of_all_models_exist():
    for model, fields in searching._declared.items():
        assert all(model._meta.get_field(name).column for name in fields)
    assert {Customer, Project, ProjectContract} <= searching._declared.keys()


def indexes():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE starts_with(indexname, 'search_')")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.postgres
@pytest.mark.parametrize("text", ["nordlys", "no"])
def test_postgresql_finds_words_by_their_index(it, text):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    rows = Customer.objects.filter(searching._holds(Customer, ["number", "name"], text)).order_by()
    searched = Customer.objects.filter(number__icontains=text) | Customer.objects.filter(name__icontains=text)
    assert "search_contracts_customer" in searched.order_by().explain()
    assert rows.get() == it.nord


@pytest.mark.postgres
def test_indexes_follow_the_declarations():
    before = indexes()
    assert len(before) == len(searching._declared)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX search_of_an_older_version ON contracts_customer (city)")
        (gone, *_) = sorted(before)
        cursor.execute(f'DROP INDEX "{gone}"')
    searching.install(connection)
    assert indexes() == before
